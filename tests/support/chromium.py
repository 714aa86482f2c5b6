"""The browser of the tests: Debian's Chromium, which talks to nobody but the page."""

from __future__ import annotations

import shutil
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
SESSION_COOKIE = "__Host-tp_session"


class NoChromium(Exception):
    """There is no Chromium on this machine; the message says how to get one."""


def executable() -> str:
    """Where Chromium is."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    raise NoChromium("no Chromium on this machine: apt-get install chromium")


def launch(play: Playwright) -> Browser:
    """A headless Chromium with a profile of its own."""
    return play.chromium.launch(executable_path=executable(), args=FLAGS)


def context(
    browser: Browser,
    *,
    who: str = "",
    width: int = 1280,
    dark: bool = False,
    timezone: str = "Europe/Berlin",
) -> BrowserContext:
    """A person's browser, signed in with the token `who` unless that is empty."""
    made = browser.new_context(
        viewport=_viewport(width), color_scheme=_scheme(dark), timezone_id=timezone
    )
    _sign_in(made, who)
    return made


def become(tab: Page, *, who: str, width: int, dark: bool) -> None:
    """The tab, the only one of its browser, is as one of a new browser of that person would be."""
    tab.context.clear_cookies()
    _sign_in(tab.context, who)
    tab.set_viewport_size(_viewport(width))
    tab.emulate_media(color_scheme=_scheme(dark))


def _viewport(width: int) -> ViewportSize:
    return {"width": width, "height": 812 if width < 500 else 900}


def _scheme(dark: bool) -> Literal["dark", "light"]:
    return "dark" if dark else "light"


def _sign_in(browser: BrowserContext, who: str) -> None:
    if who:
        # Chromium takes a __Host- cookie only from an https address, and sends it to localhost.
        browser.add_cookies([{"name": SESSION_COOKIE, "value": who, "url": "https://localhost"}])
