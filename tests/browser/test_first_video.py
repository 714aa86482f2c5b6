"""The first video as a person makes it, in the whole product: from sign-up to the saved file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, expect

from talkingphoto.integrations.storage import FolderStorage
from talkingphoto.integrations.video import provenance
from tests.engine import pictures
from tests.support import chromium
from tests.support.customer import Customer
from tests.support.maker import (
    PORTRAIT,
    Books,
    Glance,
    Maker,
    Played,
    engine_standing_still,
)
from tests.support.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

WORDS = (
    "Good morning, team, and a very warm welcome to everybody who has joined us since the summer. "
    "Here is what changed this week: the new pages are up, and everybody may try them today."
)
FEW_WORDS = "Good morning."
LONG = "word " * 1999 + "words"


@dataclass(frozen=True)
class Story:
    """What Ada saw and saved, in its order, and what the books said on the way."""

    ada: Maker
    crop_pixels: int
    left_while_made: int
    books_while_made: Books
    set_aside: bool
    before: list[Glance]
    after_reload: Glance
    after_closing: list[Glance]
    played: Played
    saved: Path
    books: Books


def _who_bought_ten(customer: Customer) -> Maker:
    """Three free videos and ten of a pack are theirs."""
    customer.signs_up()
    customer.opens("/")
    customer.wants_pack(10)
    customer.pays()
    assert customer.videos_left_become(13) == 13
    return Maker(customer)


@pytest.fixture(scope="module")
def story(
    browser: Browser, product: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    """Ada signed up, bought ten videos, made one, left while it was made, and came back."""
    person = chromium.context(browser)
    ada = _who_bought_ten(Customer(person, product))
    ada.page.get_by_role("link", name="Studio").first.click()
    ada.chooses(PORTRAIT)
    crop_pixels = ada.sees_the_face()
    ada.writes(WORDS)
    ada.agrees()
    ada.asks_for_it()
    with engine_standing_still(product):
        left_while_made, books_while_made = ada.customer.videos_left_become(12), ada.books()
        account = ada.customer.opens_another_tab("/account").page
        set_aside = account.get_by_text("1 video is set aside for work under way.").is_visible()
    before = ada.watches(until_percent=8)
    with engine_standing_still(product):
        ada.page.reload()
        ada.customer.sees_a_whole_page()
        after_reload = ada.glance()
        ada.page.close()
        ada = Maker(ada.customer.opens_another_tab("/studio"))
        after_closing = [ada.glance()]
    after_closing += ada.watches()
    played, saved = ada.plays(), ada.downloads(tmp_path_factory.mktemp("saved"))
    yield Story(
        ada=ada,
        crop_pixels=crop_pixels,
        left_while_made=left_while_made,
        books_while_made=books_while_made,
        set_aside=set_aside,
        before=before,
        after_reload=after_reload,
        after_closing=after_closing,
        played=played,
        saved=saved,
        books=ada.books(),
    )
    person.close()


def test_the_face_is_found_and_the_part_that_will_speak_is_shown(story: Story) -> None:
    assert story.crop_pixels >= 200


def test_while_it_is_made_its_video_is_set_aside(story: Story) -> None:
    assert story.left_while_made == 12
    assert (story.books_while_made.available, story.books_while_made.held) == (12, 1)
    assert story.set_aside


def test_the_bar_moves_on_by_itself_and_the_words_say_what_is_done(story: Story) -> None:
    seen = [*story.before, story.after_reload, *story.after_closing]
    numbers = [glance.percent for glance in seen if glance.percent >= 0]
    assert numbers == sorted(numbers)
    # The page looks every second, and an idle machine is done in a few.
    assert len(set(numbers)) >= 3
    assert any("Moving the face, about" in glance.words for glance in seen)
    assert not any("Waiting" in glance.words for glance in seen if glance.percent >= 0)


def test_neither_a_reload_nor_a_closed_tab_stops_it(story: Story) -> None:
    assert WORDS[:40] in story.after_reload.words
    assert story.after_reload.percent >= story.before[-1].percent
    assert story.after_closing[0].percent >= story.after_reload.percent
    assert "Kept until" in story.after_closing[-1].words


def test_it_plays_in_the_page(story: Story) -> None:
    assert story.played.error is None
    assert story.played.at > 1
    assert min(story.played.width, story.played.height) == 720
    # Silence and words: about fourteen letters a second.
    assert 8 < story.played.seconds < 20


def test_what_is_saved_is_what_is_kept_ready_to_stream_and_signed(story: Story) -> None:
    saved = story.saved.read_bytes()
    (row,) = story.books.videos
    kept = FolderStorage(story.ada.customer.stack.data / "media").path(row.video_key)
    assert saved == kept.read_bytes()
    assert hashlib.sha256(saved).hexdigest() == row.video_sha256
    assert saved[4:8] == b"ftyp"
    assert saved.index(b"moov") < saved.index(b"mdat")
    facts = provenance.read_back(story.saved)
    assert facts is not None
    assert (facts.state, facts.actions) == (
        "Valid",
        (("c2pa.created", provenance.SOURCE_TYPE),),
    )


def test_m6_it_cost_one_video_in_the_books_and_on_the_page(story: Story) -> None:
    assert (story.books.available, story.books.held) == (12, 0)
    assert story.books.differences == ()
    assert [row.state for row in story.books.videos] == ["ready"]
    story.ada.opens_the_studio()
    assert story.ada.customer.videos_left_become(12) == 12
    expect(story.ada.page.get_by_text("1 video. You have 12.")).to_be_visible()
    story.ada.customer.opens("/account")
    expect(story.ada.page.get_by_text("set aside")).to_have_count(0)


def test_p3_making_a_video_asks_nothing_of_another_host(story: Story) -> None:
    assert story.ada.customer.watch.hosts == {"localhost"}
    assert story.ada.customer.watch.complaints == []


def twice(portrait: Image.Image) -> Image.Image:
    both = Image.new("RGB", (2 * portrait.width, portrait.height))
    both.paste(portrait, (0, 0))
    both.paste(portrait, (portrait.width, 0))
    return both


def photo(name: str) -> bytes:
    """A file that will not do."""
    face = pictures.portrait()
    return {
        "a text file": b"This is a text, whatever its name says.\n" * 40,
        "no face": pictures.encoded(Image.effect_noise((640, 640), 40).convert("RGB"), "PNG"),
        "two faces": pictures.encoded(twice(face), "PNG"),
        "100 pixels": pictures.encoded(face.resize((100, 125)), "PNG"),
        "900 million pixels": pictures.png_header(30_000, 30_000),
        "half a JPEG": PORTRAIT.read_bytes()[:40_000],
    }[name]


@dataclass(frozen=True)
class Refused:
    """What will not do, in the field that it is put in, and the sentence that says so."""

    what: str
    field: Literal["photo", "words"]
    sentence: str


REFUSALS = (
    Refused("a text file", "photo", "This file is not a photo. Use a JPEG, PNG or WEBP."),
    Refused(
        "no face",
        "photo",
        "We found no face in this photo. Use one that shows a face from the front.",
    ),
    Refused("two faces", "photo", "There are two faces here. Crop the photo to one."),
    Refused(
        "100 pixels", "photo", "This photo is too small. Use one of at least 160 pixels a side."
    ),
    Refused(
        "900 million pixels",
        "photo",
        "This photo has more than 40 million pixels. Save it smaller and try again.",
    ),
    Refused(
        "half a JPEG",
        "photo",
        "Part of this file is missing. Copy or save the photo again, and try that.",
    ),
    Refused("", "words", "Write what the photo should say."),
    Refused(
        "🙂🎉👍",
        "words",
        "There are no words in the text, and emoji and punctuation make no sound. "
        "Write what the photo should say.",
    ),
    Refused(
        LONG,
        "words",
        "The text has 10,000 characters; a video has room for 600. Shorten it, or make two videos.",
    ),
)


@pytest.fixture(scope="module")
def bea(browser: Browser, product: Stack) -> Iterator[Maker]:
    """Somebody with the three free videos."""
    person = chromium.context(browser)
    customer = Customer(person, product)
    customer.signs_up()
    yield Maker(customer)
    person.close()


@pytest.mark.parametrize("refused", REFUSALS, ids=lambda refused: refused.what[:18] or "no text")
def test_what_cannot_be_made_is_refused_in_its_own_words_and_costs_nothing(
    bea: Maker, refused: Refused
) -> None:
    bea.opens_the_studio()
    if refused.field == "photo":
        file: FilePayload = {
            "name": "photo.png",
            "mimeType": "image/png",
            "buffer": photo(refused.what),
        }
        bea.chooses(file)
        bea.writes(FEW_WORDS)
    else:
        bea.chooses(PORTRAIT)
        bea.sees_the_face()
        bea.writes(refused.what)
    bea.agrees()
    bea.presses_make()
    beside = bea.field(refused.field).get_by_role("alert")
    expect(beside.get_by_text(refused.sentence, exact=True)).to_be_visible()
    expect(bea.page.get_by_role("alert")).to_have_count(1)
    assert bea.customer.videos_left_become(3) == 3
    books = bea.books()
    assert (books.videos, books.available, books.held) == ((), 3, 0)


def test_every_refusal_has_a_sentence_of_its_own() -> None:
    assert len({refused.sentence for refused in REFUSALS}) == len(REFUSALS) == 9


def test_a_free_video_is_small_and_carries_our_mark(bea: Maker) -> None:
    bea.opens_the_studio()
    expect(bea.page.get_by_role("radio")).to_have_count(1)
    expect(bea.page.get_by_text("With our mark")).to_be_visible()
    bea.makes(PORTRAIT, FEW_WORDS)
    bea.watches()
    played = bea.plays()
    assert min(played.width, played.height) == 540
    books = bea.books()
    assert [(row.state, row.tier, row.watermark) for row in books.videos] == [
        ("ready", "540p", True)
    ]
    assert (books.available, books.held) == (2, 0)


def test_a_video_that_is_stopped_gives_back_what_it_took(bea: Maker) -> None:
    bea.opens_the_studio()
    had = bea.books().available
    bea.makes(PORTRAIT, WORDS)
    bea.watches(until_percent=2)
    bea.page.get_by_role("button", name="Cancel").click()
    expect(bea.page.get_by_text("You stopped it. It is back on your account.")).to_be_visible()
    assert bea.customer.videos_left_become(had) == had
    books = bea.books()
    assert (books.available, books.held, books.differences) == (had, 0, ())
