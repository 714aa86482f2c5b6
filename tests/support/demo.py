"""`make demo`: the first purchase and the first video in a headless browser, a JSON line a step."""

from __future__ import annotations

import itertools
import json
import signal
import sys
import time
from types import FrameType

from playwright.sync_api import Error, sync_playwright

from tests.support import chromium, first_purchase, first_video
from tests.support.customer import Customer
from tests.support.first_purchase import Step
from tests.support.stack import StackFault, die_politely, running_stack

LONGEST_SECONDS = 300


def main() -> int:
    """0 when every step showed what it should; nothing that was started is left in any case."""
    die_politely()
    signal.signal(signal.SIGALRM, _too_late)
    signal.alarm(LONGEST_SECONDS)
    try:
        return 0 if _all_held() else 1
    except (chromium.NoChromium, StackFault, Error, TimeoutError) as fault:
        sys.stderr.write(f"{fault}\n")
        return 1


def _all_held() -> bool:
    chromium.executable()  # Said before anything is started.
    began = time.monotonic()
    with running_stack() as stack, sync_playwright() as play:
        _tell(Step("running", stack.app, stack.app, round(time.monotonic() - began, 3)))
        browser = chromium.launch(play)
        ada = Customer(chromium.context(browser), stack)
        held = True
        bought = first_purchase.walk(ada)
        made = first_video.walk(ada, videos_left=83)
        for step in itertools.chain(bought, made):
            _tell(step)
            held = held and step.held
        browser.close()
    return held


def _tell(step: Step) -> None:
    line: dict[str, object] = {"step": step.step, "value": step.value, "seconds": step.seconds}
    if not step.held:
        line["expected"] = step.expected
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _too_late(_number: int, _frame: FrameType | None) -> None:
    signal.alarm(0)
    raise TimeoutError(f"the demo did not end within {LONGEST_SECONDS} seconds")


if __name__ == "__main__":
    sys.exit(main())
