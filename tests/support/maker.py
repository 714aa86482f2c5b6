"""A customer in the studio: what they choose, write and watch, found by the names on the page."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import FilePayload, Locator, expect
from sqlalchemy import Row, select

from talkingphoto.accounts.users import UserRow, email_key
from talkingphoto.billing import ledger
from talkingphoto.foundation import settings
from talkingphoto.generations.tables import GenerationRow
from talkingphoto.runtime import Runtime
from tests.support.customer import Customer
from tests.support.stack import Stack, settings_of

PORTRAIT = settings.PROJECT_ROOT / "static" / "img" / "portrait.jpg"
# A busy machine takes many times what an idle one does.
LONGEST_VIDEO_SECONDS = 180
_LOOK_MILLISECONDS = 100
_CARDS = "[class*=st-key-tp-video-]"
_DROP = "[data-testid=stFileUploaderDropzoneInput]"
_PERCENT = re.compile(r"Making (\d+) %")
_SAYS = "card => [card.innerText, card.querySelectorAll('progress').length]"
_PLAYS = """player => new Promise((done, fail) => {
  player.addEventListener('error', () => fail(new Error(player.error.message)));
  player.addEventListener('timeupdate', () => {
    if (player.currentTime > 1) done({
      at: player.currentTime, error: player.error && player.error.message,
      width: player.videoWidth, height: player.videoHeight, seconds: player.duration });
  });
  player.play().catch(fail);
})"""


@contextmanager
def engine_standing_still(stack: Stack) -> Iterator[None]:
    """However fast the machine is, the product's engine makes no further inside the block."""
    deadline = time.monotonic() + LONGEST_VIDEO_SECONDS
    while (found := _engine_of(stack)) is None:
        assert time.monotonic() < deadline, "the engine makes nothing"
        time.sleep(0.02)
    os.kill(found, signal.SIGSTOP)
    yield
    os.kill(found, signal.SIGCONT)


def _engine_of(stack: Stack) -> int | None:
    """The process that makes this product's videos, when there is one."""
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (place / "cmdline").read_bytes().split(b"\0")
            if b"talkingphoto.integrations.video.engine.process" in words and b"render" in words:
                # Its own environment holds no settings: those are its parent's.
                parent = words[words.index(b"render") + 1].decode()
                kept = Path("/proc", parent, "environ").read_bytes().split(b"\0")
                if f"TALKINGPHOTO_DATA={stack.data}".encode() in kept:
                    return int(place.name)
    return None


@dataclass(frozen=True)
class Glance:
    """What a card said of its video at one moment; `percent` is -1 without a number."""

    words: str
    percent: int
    under_way: bool


@dataclass(frozen=True)
class Played:
    """What the page's player knew when it had played more than a second: seconds and pixels."""

    at: float
    error: str | None
    width: int
    height: int
    seconds: float


@dataclass(frozen=True)
class Books:
    """What the database says of a customer: the rows of their videos, and their credits."""

    videos: tuple[Row[Any], ...]
    available: int
    held: int
    differences: tuple[ledger.Difference, ...]


class Maker:
    """Somebody who makes videos at one tab."""

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.page = customer.page

    def opens_the_studio(self) -> None:
        """An empty form is in view."""
        self.customer.opens("/studio")
        self.page.get_by_role("button", name="Make video").wait_for()

    def chooses(self, photo: Path | FilePayload) -> None:
        """The photo has been sent, and what was seen in it is said."""
        self.page.set_input_files(_DROP, photo)
        refused = self.field("photo").get_by_role("alert")
        expect(self.page.get_by_text("Face found").or_(refused)).to_be_visible()

    def sees_the_face(self) -> int:
        """The crop that will speak is in view: how many pixels wide it is."""
        expect(self.page.get_by_text("Face found")).to_be_visible()
        crop = self.page.get_by_alt_text("The part of your photo that will speak")
        expect(crop).to_be_visible()
        return int(
            crop.evaluate("async image => { await image.decode(); return image.naturalWidth }")
        )

    def writes(self, words: str) -> None:
        """The page has counted the words."""
        field = self.page.get_by_label("What should it say?")
        field.fill(words)
        field.blur()
        expect(self.page.locator("p.tp-count")).to_contain_text(f"{len(words):,} of 600")

    def agrees(self) -> None:
        """The declaration is made."""
        box = self.page.get_by_role("checkbox")
        # Streamlit hides the one of the photo before, and takes it away a moment later.
        words = self.page.get_by_text("This is a photo of me").filter(visible=True)
        words.click()
        expect(box).to_be_checked()

    def presses_make(self) -> None:
        """The button was pressed; whether that makes a video is another matter."""
        self.page.get_by_role("button", name="Make video").click()

    def asks_for_it(self) -> None:
        """The button was pressed, and the card of a new video is there."""
        cards = self.page.locator(_CARDS)
        before = cards.count()
        self.presses_make()
        expect(cards).to_have_count(before + 1)

    def makes(self, photo: Path, words: str) -> None:
        """All is filled in as it should be, and asked for."""
        self.chooses(photo)
        self.sees_the_face()
        self.writes(words)
        self.agrees()
        self.asks_for_it()

    def field(self, name: Literal["photo", "words"]) -> Locator:
        """The part of the form with that field."""
        return self.page.locator(f".st-key-tp-maker-{name}")

    def watches(self, *, until_percent: int = 101) -> list[Glance]:
        """Each new thing the newest card says, up to so many percent, or until it is over."""
        seen = [self.glance()]
        deadline = time.monotonic() + LONGEST_VIDEO_SECONDS
        while seen[-1].under_way and seen[-1].percent < until_percent:
            assert time.monotonic() < deadline, f"the video is still not there: {seen[-1]}"
            self.page.wait_for_timeout(_LOOK_MILLISECONDS)
            glance = self.glance()
            if glance != seen[-1]:
                seen.append(glance)
        return seen

    def glance(self) -> Glance:
        """What the newest card says now."""
        words, bars = self.page.locator(_CARDS).first.evaluate(_SAYS)
        found = _PERCENT.search(words)
        return Glance(words, int(found[1]) if found else -1, under_way=bars > 0)

    @property
    def player(self) -> Locator:
        """The newest video's player."""
        return self.page.locator("video").first

    def plays(self) -> Played:
        """The newest video has been playing in the page for more than a second."""
        return Played(**self.player.evaluate(_PLAYS))

    def downloads(self, folder: Path) -> Path:
        """The newest video has been saved in the folder, by the name the page gave it."""
        with self.page.expect_download() as saved:
            self.page.get_by_role("link", name="Download").first.click()
        path = folder / saved.value.suggested_filename
        saved.value.save_as(path)
        return path

    def books(self) -> Books:
        """What is written of this customer in the product's own database."""
        runtime = Runtime(settings_of(self.customer.stack))
        key = email_key(self.customer.email)
        try:
            with runtime.read_only() as session:
                user_id = session.scalars(select(UserRow.id).where(UserRow.email_key == key)).one()
                balance = ledger.balance(session, user_id=str(user_id), now=runtime.clock())
                mine = select(GenerationRow.__table__).where(GenerationRow.user_id == user_id)
                return Books(
                    videos=tuple(session.execute(mine)),
                    available=balance.available,
                    held=balance.held,
                    differences=ledger.check(session),
                )
        finally:
            runtime.database.dispose()
