"""`python -m benchmarks [name …]`: one JSON line a benchmark; all of them when none is named."""

from __future__ import annotations

import sys

from benchmarks import delivery_to_credits, render, sandbox_api, sandbox_year, webhook_ack
from talkingphoto.foundation import errors
from talkingphoto.integrations.video.port import EngineFault
from tests.support.stack import StackFault, die_politely

BENCHMARKS = {
    "webhook_ack": webhook_ack.run,
    "delivery_to_credits": delivery_to_credits.run,
    "sandbox_customer": sandbox_api.customers,
    "sandbox_payment": sandbox_api.payments,
    "sandbox_year": sandbox_year.run,
    "render_540p": render.at_540p,
    "render_720p": render.at_720p,
    "render_1080p": render.at_1080p,
}


def main(asked: list[str]) -> int:
    """Every benchmark asked for has printed its line; 1 when one could not run, 2 when unknown."""
    unknown = [name for name in asked if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"no such benchmark: {unknown[0]}; there are {', '.join(BENCHMARKS)}\n")
        return 2
    die_politely()
    code = 0
    for name in asked or BENCHMARKS:
        try:
            print(BENCHMARKS[name]().line(), flush=True)
        except (AssertionError, OSError, StackFault, EngineFault, errors.AppError) as fault:
            sys.stderr.write(f"{name} could not run: {fault}\n")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
