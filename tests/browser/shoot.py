"""Pictures of every page, for a person: `python -m tests.browser.shoot URL FOLDER …`.

The app at URL runs on the stand-in (tests/support/pages_server.py). Widths and themes may be named
too; whatever is not named is all of them. Also says what runs over its edge.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, sync_playwright

from tests.support import chromium

WIDTHS = {"375": 375, "768": 768, "1280": 1280}
THEMES = ("light", "dark")
# name: who looks (the stand-in's cookie), and where
PAGES = {
    "home": ("", "/"),
    "home-yearly": ("", "/?cycle=Yearly"),
    "home-free": ("free", "/"),
    "home-starter": ("starter", "/"),
    "home-error": ("starter", "/?error=billing.already_subscribed"),
    "sign-in": ("", "/sign-in?error=auth.mismatch"),
    "sign-up": ("", "/sign-up?item=starter:month"),
    "sign-up-short": ("", "/sign-up?error=auth.password_short"),
    "sign-up-terms": ("", "/sign-up?error=auth.terms"),
    "account": ("starter", "/account"),
    "account-free": ("free", "/account"),
    "account-empty": ("empty", "/account"),
    "account-past-due": ("past-due", "/account"),
    "account-ending": ("ending", "/account"),
    "account-hostile": ("hostile", "/account"),
    "account-signed-out": ("", "/account"),
    "account-pro": ("pro", "/account"),
    "account-away": ("away", "/account"),
    "account-due": ("due", "/account"),
    "account-bank": ("bank", "/account"),
    "account-pending": ("pending", "/account"),
    "account-left": ("left", "/account"),
    "account-trial": ("trial", "/account"),
    "account-trial-bare": ("trial-bare", "/account"),
    "account-paused": ("paused", "/account"),
    "account-pausing": ("pausing", "/account"),
    "account-yearly": ("yearly", "/account"),
    "account-discounted": ("discounted", "/account"),
    "account-low": ("low", "/account"),
    "account-out": ("out", "/account"),
    "account-literal": ("literal", "/account"),
    "change": ("pro", "/change-plan"),
    "change-yearly": ("pro", "/change-plan?cycle=Yearly"),
    "change-code": ("pro", "/change-plan?code=SPRING"),
    "change-pending": ("pending", "/change-plan"),
    "change-up": ("pro", "/change-plan?item=enterprise:month"),
    "change-down": ("pro", "/change-plan?item=starter:month"),
    "change-refused": ("pro", "/change-plan?item=pro:year"),
    "change-away": ("away", "/change-plan"),
    "change-none": ("free", "/change-plan"),
    "cancel-plan": ("pro", "/cancel-plan"),
    "cancel-plan-done": ("left", "/cancel-plan"),
    "pause-plan": ("pro", "/pause-plan"),
    "pause-plan-paused": ("paused", "/pause-plan"),
    "pause-plan-none": ("yearly", "/pause-plan"),
    "videos-left": ("pro", "/videos-left"),
    "videos-left-low": ("low", "/videos-left"),
    "videos-left-out": ("out", "/videos-left"),
    "videos-left-owing": ("owing", "/videos-left"),
    "videos-left-free": ("free", "/videos-left"),
    "videos-left-away": ("away", "/videos-left"),
    "invoices": ("pro", "/invoices"),
    "invoices-empty": ("free", "/invoices"),
    "invoice": ("pro", "/invoices?payment=p6"),
    "invoice-late": ("pro", "/invoices?payment=p4"),
    "details": ("pro", "/billing-details"),
    "home-pro-yearly": ("pro", "/?cycle=Yearly"),
    "home-code": ("free", "/?code=SPRING"),
    "home-code-expired": ("", "/?code=code.expired"),
    "home-due": ("due", "/"),
    "home-trial": ("trying", "/"),
    "studio": ("starter", "/studio"),
    "studio-new": ("free", "/studio"),
    "studio-out": ("empty", "/studio"),
    "success-plan": ("free", "/success?session_id=cs_plan"),
    "success-pack": ("free", "/success?session_id=cs_pack"),
    "success-wait": ("free", "/success?session_id=cs_processing"),
    "success-trial": ("trial", "/success?session_id=cs_trial"),
    "success-expired": ("free", "/success?session_id=cs_expired"),
    "success-unknown": ("free", "/success?session_id=cs_other"),
    "cancel": ("free", "/cancel"),
    "cancel-item": ("free", "/cancel?item=starter:month"),
    "terms": ("", "/terms"),
    "privacy": ("", "/privacy"),
    "refunds": ("", "/refunds"),
    "contact": ("starter", "/contact"),
    "office": ("staff", "/office"),
    "office-differences": ("staff", "/office?section=Differences"),
    "office-disputes": ("staff", "/office?section=Disputes"),
    "office-events": ("staff", "/office?section=Events"),
    "office-mail": ("staff", "/office?section=Mail"),
    "office-prices": ("staff", "/office?section=Prices"),
    "office-recovery": ("staff", "/office?section=Recovery"),
}
OVERFLOWING = """() => [...document.querySelectorAll('[data-testid=stMain] *')]
  .filter(e => e.offsetParent && !e.closest('.tp-icon') && e.clientWidth > 0
    && e.scrollWidth > e.clientWidth + 2 && getComputedStyle(e).overflow !== 'visible')
  .map(e => (e.innerText || e.className).slice(0, 40))"""
SCROLLS = """() => document.scrollingElement.scrollWidth > innerWidth
  || [...document.querySelectorAll('[data-testid=stMain]')]
    .some(m => m.scrollWidth > m.clientWidth + 1)"""
HEIGHT = "() => Math.ceil(document.querySelector('[data-testid=stMain]').scrollHeight)"


def main(url: str, folder: Path, chosen: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = [name for name in chosen if name in PAGES] or list(PAGES)
    widths = [WIDTHS[name] for name in chosen if name in WIDTHS] or [375, 1280]
    themes = [name for name in chosen if name in THEMES] or list(THEMES)
    with sync_playwright() as play:
        browser = chromium.launch(play)
        for name in names:
            for width in widths:
                for theme in themes:
                    _shoot(browser, url, folder / f"{name}-{width}-{theme}.png", name, width, theme)
        browser.close()


def _shoot(browser: Browser, url: str, target: Path, name: str, width: int, theme: str) -> None:
    who, path = PAGES[name]
    context = chromium.context(browser, who=who, width=width, dark=theme == "dark")
    page = context.new_page()
    page.on("pageerror", _tell)
    page.goto(url + path)
    page.wait_for_selector(".tp-foot", timeout=20_000)
    page.wait_for_timeout(900)
    faults = page.evaluate(OVERFLOWING) + (["sideways"] if page.evaluate(SCROLLS) else [])
    _whole(page)
    page.screenshot(path=target)
    sys.stdout.write(f"{target.name} {faults or 'ok'}\n")
    context.close()


def _tell(fault: Error) -> None:
    sys.stdout.write(f"   {fault.message}\n")


def _whole(page: Page) -> None:
    """The window is as tall as the page, because Streamlit scrolls inside and not the document."""
    size = page.viewport_size
    assert size is not None
    tall = max(size["height"], page.evaluate(HEIGHT))
    page.set_viewport_size({"width": size["width"], "height": tall})
    page.wait_for_timeout(400)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
