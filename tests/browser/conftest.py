"""A browser, and two things to point it at: pages on a stand-in, and the whole product.

All of it ends with this package's last test: Playwright keeps an event loop open in this thread,
and other tests run loops of their own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support import chromium
from tests.support.customer import PATIENCE_MILLISECONDS
from tests.support.sandbox import free_port
from tests.support.stack import Stack, running_stack

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90
BERLIN = "Europe/Berlin"
NOWHERE = "about:blank"

Opener = Callable[..., Page]


@dataclass(frozen=True)
class Pages:
    """app.py on the stand-in; a file in the folder is an event, see tests/support/stand_in.py."""

    url: str
    folder: Path


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for these tests; each test opens people of its own in it."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as play:
        launched = chromium.launch(play)
        yield launched
        launched.close()


@pytest.fixture
def person(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Opens browsers that share nothing: `person(who="starter", width=375, dark=True)`."""
    opened: list[BrowserContext] = []

    def open_one(**wishes: object) -> BrowserContext:
        opened.append(chromium.context(browser, **wishes))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture(scope="package")
def tabs(browser: Browser) -> dict[str, Page]:
    """The one tab of those who only look, by their time zone.

    Chromium compiles Streamlit's scripts anew in every other tab, which costs three times as much.
    """
    return {}


@pytest.fixture
def look(pages: Pages, browser: Browser, tabs: dict[str, Page]) -> Iterator[Opener]:
    """Opens a page of the stand-in and waits until it is whole: `look("/account", who="free")`."""

    def open_page(
        path: str, *, who: str = "", width: int = 1280, dark: bool = False, timezone: str = BERLIN
    ) -> Page:
        if timezone not in tabs:
            tabs[timezone] = chromium.context(browser, timezone=timezone).new_page()
        tab = tabs[timezone]
        tab.goto(NOWHERE)
        chromium.become(tab, who=who, width=width, dark=dark)
        tab.goto(pages.url + path)
        tab.wait_for_selector(".tp-foot", timeout=PATIENCE_MILLISECONDS)
        return tab

    yield open_page
    for tab in tabs.values():
        tab.goto(NOWHERE)


@pytest.fixture(scope="package")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """The app on the stand-in, for every state a page can be in."""
    port, folder = free_port(), tmp_path_factory.mktemp("pages")
    url = f"http://localhost:{port}"
    server = Path("tests", "support", "pages_server.py")
    environment = {"APP_URL": url, "WEB_URL": f"http://localhost:{free_port()}"}
    command = [sys.executable, str(server), str(port), str(folder)]
    with running(command, environment, f"{url}/_stcore/health", folder / "pages.log"):
        yield Pages(url, folder)


@pytest.fixture
def crowded(pages: Pages) -> Iterator[None]:
    """Whatever a browser tells the server of the pages comes at the worst moment for it."""
    sign = pages.folder / "crowded"
    sign.touch()
    yield
    sign.unlink()


@pytest.fixture(scope="package")
def product() -> Iterator[Stack]:
    """The whole product as `make run` starts it, on free ports and with data of its own."""
    with running_stack() as stack:
        yield stack


@contextmanager
def running(
    command: list[str], environment: dict[str, str], health: str, log: Path
) -> Iterator[None]:
    """The program answers at its address inside the block, and has ended after it."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for(process, health, log)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)


def _wait_for(process: subprocess.Popen[bytes], health: str, log: Path) -> None:
    for _ in range(START_SECONDS * 4):
        if process.poll() is not None or answers(health):
            break
        time.sleep(0.25)
    if process.poll() is not None or not answers(health):
        pytest.fail(f"it did not start:\n{log.read_text()[-4000:]}")


def answers(url: str) -> bool:
    """Whether something answers 200 there."""
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False
