"""A person at a browser: what they do and what they read, found by the names on the pages."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    TimeoutError,
    WebSocket,
)

from tests.support import proving
from tests.support.stack import Stack

PASSWORD = "a sentence that nobody else uses"
VISA = "4242 4242 4242 4242"
# What the guide prints for cards that fail, and what the payer reads then.
DECLINES = {
    "4000000000000002": "Your bank declined this card.",
    "4000000000009995": "There is not enough money on this card.",
    "4000000000000069": "This card has expired.",
    "4000000000000127": "The security code is not right.",
}
PATIENCE_MILLISECONDS = 30_000
_LEFT = re.compile(r"^([\d,]+) videos? left$")
# A page below the root looks for Streamlit there first, in vain; see the visual language.
_PROBE = re.compile(r"/[a-z-]+/_stcore/(?:health|host-config)$")


@dataclass
class Watch:
    """What the tabs of one browser asked for and complained about."""

    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        """From now on the page is watched."""
        page.on("request", self._asked)
        page.on("websocket", self._connected)
        page.on("console", self._said)
        page.on("pageerror", lambda fault: self.complaints.append(fault.message))

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(("data:", "blob:")):
            self.hosts.add(urlsplit(request.url).hostname or request.url)

    def _connected(self, socket: WebSocket) -> None:
        self.hosts.add(urlsplit(socket.url).hostname or socket.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _PROBE.search(str(message.location["url"])):
            self.complaints.append(f"{message.text} {message.location['url']}")


class Customer:
    """Somebody at one tab of one browser."""

    def __init__(self, browser: BrowserContext, stack: Stack, *, watch: Watch | None = None):
        self.browser = browser
        self.stack = stack
        self.email = f"ada-{uuid.uuid4().hex[:10]}@example.com"
        self.watch = watch or Watch()
        self.page = browser.new_page()
        self.page.set_default_timeout(PATIENCE_MILLISECONDS)
        self.watch.follow(self.page)

    def opens(self, path: str = "/") -> None:
        """The page is there, to its last line."""
        self.page.goto(self.stack.app + path)
        self.sees_a_whole_page()

    def sees_a_whole_page(self) -> None:
        """A page of the app is in view, to its last line."""
        self.page.wait_for_selector(".tp-foot")

    def opens_another_tab(self, path: str = "/") -> Customer:
        """The same person in a second tab of the same browser."""
        other = Customer(self.browser, self.stack, watch=self.watch)
        other.email = self.email
        other.opens(path)
        return other

    def signs_up(self) -> None:
        """There is an account, and this browser is signed in to it."""
        self.opens("/sign-up")
        self.fills_in_the_sign_up()
        self.page.wait_for_url(f"{self.stack.app}/account")
        self.sees_a_whole_page()
        self.confirms_the_address()

    def confirms_the_address(self) -> None:
        """The link in the mail was followed, which lies in the outbox folder as in an inbox."""
        patience = time.monotonic() + PATIENCE_MILLISECONDS / 1000
        link = None
        while link is None:
            assert time.monotonic() < patience, "no mail came"
            self.page.wait_for_timeout(100)
            link = proving.link_to(self.stack.data / "outbox", self.email)
        self.page.goto(link)
        self.page.get_by_role("button", name="Confirm my e-mail").click()
        self.page.wait_for_url(re.compile(r"/account\?confirmed="))
        self.page.get_by_text("Your e-mail is confirmed.").wait_for()
        self.sees_a_whole_page()

    def fills_in_the_sign_up(self) -> None:
        """The form in view is sent; where that leads depends on what was chosen before."""
        self.page.get_by_label("E-mail").fill(self.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_label("I accept the terms").check()
        self.page.get_by_role("button", name="Create account").click()

    def chooses(self, plan: str) -> None:
        """The checkout page of a plan is in view."""
        self.page.get_by_role("button", name=f"Choose {plan}").click()
        self.sees_the_checkout()

    def wants_pack(self, videos: int) -> None:
        """The checkout page of a pack is in view."""
        self.buy_button(videos).click()
        self.sees_the_checkout()

    def buy_button(self, videos: int) -> Locator:
        """The button that buys so many videos."""
        return self.page.get_by_role("button", name=f"Buy {videos} videos")

    def sees_the_checkout(self) -> None:
        """The hosted page is in view, at the checkout's own address."""
        self.page.wait_for_url(f"{self.stack.sandbox}/c/pay/**")
        self.pay_button.wait_for()

    @property
    def pay_button(self) -> Locator:
        """The button that names the sum."""
        return self.page.get_by_role("button", name=re.compile(r"^Pay "))

    def pays(self, card: str = VISA) -> None:
        """The card form is filled in and sent."""
        self.fills_in_a_card(card)
        self.pay_button.click()

    def fills_in_a_card(self, card: str = VISA) -> None:
        """The card form in view has everything it asks for."""
        for label, text in (
            ("Card number", card),
            ("Expires", "12 / 34"),
            ("Security code", "123"),
            ("Name on card", "Ada Example"),
        ):
            self.page.get_by_label(label).fill(text)

    def heading_becomes(self, wanted: str) -> str:
        """The heading of the page, as soon as it is the wanted one or the patience is over."""
        return self._becomes(self.page.get_by_role("heading", level=1), wanted)

    def refusal_becomes(self, wanted: str) -> str:
        """What the checkout says of the card, waited for in the same way."""
        return self._becomes(self.page.locator("#refusal strong"), wanted)

    def videos_left_become(self, wanted: int) -> int:
        """The number in the header, waited for in the same way."""
        unit = "video" if wanted == 1 else "videos"
        badge = self.page.locator(".tp-me .tp-badge")
        found = _LEFT.match(self._becomes(badge, f"{wanted:,} {unit} left"))
        return int(found.group(1).replace(",", "")) if found else -1

    @property
    def is_signed_in(self) -> bool:
        """Whether the account page in view is this person's."""
        words = self.page.get_by_text(f"Signed in as {self.email}")
        return words.count() == 1 and words.is_visible()

    def _becomes(self, place: Locator, wanted: str) -> str:
        try:
            place.filter(has_text=re.compile(f"^{re.escape(wanted)}$")).wait_for()
        except TimeoutError:
            return place.first.inner_text() if place.count() else ""
        return wanted
