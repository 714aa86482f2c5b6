"""The studio: what is refused and where it says so, what is under way, and what was made."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, FilePayload, Page, expect

from tests.browser.conftest import Opener, Pages
from tests.support import stand_in_media, stand_in_studio

pytestmark = pytest.mark.browser

WORDS = "Good morning, team. Here is what changed this week."
DROP = "[data-testid=stFileUploaderDropzoneInput]"
EACH_REFUSED = sorted(stand_in_studio.REFUSALS)
EACH_TEXT = [
    ("text_unspeakable", "🙂🙂"),
    ("text_too_long", "word " * 2000),
    ("text_wrong_script", "Привет"),
]


def file(content: bytes, name: str = "photo.png") -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": content}


def choose(page: Page) -> None:
    page.set_input_files(DROP, stand_in_media.PORTRAIT)
    expect(page.get_by_text("Face found")).to_be_visible()


def write(page: Page, words: str = WORDS) -> None:
    field = page.get_by_label("What should it say?")
    field.fill(words)
    field.blur()
    expect(page.locator(".tp-count")).to_contain_text(f"{len(words.strip()):,} of 600")


def agree(page: Page) -> None:
    # After another photo Streamlit keeps the earlier box for a moment, unseen.
    page.get_by_text("This is a photo of me").filter(visible=True).click()
    expect(page.get_by_role("checkbox")).to_be_checked()


def make(page: Page) -> None:
    page.get_by_role("button", name="Make video").click()


def alert(page: Page, sentence: str) -> None:
    expect(page.get_by_role("alert").filter(has_text=sentence)).to_be_visible()


@pytest.fixture
def paused(pages: Pages) -> Iterator[None]:
    """What is started stays as it is."""
    mark = pages.folder / "paused"
    mark.touch()
    yield
    mark.unlink()


def test_a_visitor_is_asked_to_sign_in_and_comes_back(look: Opener) -> None:
    page = look("/studio")
    link = page.get_by_role("main").get_by_role("link", name="Sign in").last
    expect(link).to_have_attribute("href", "/sign-in?next=%2Fstudio")
    expect(page.locator(DROP)).to_have_count(0)


def test_an_empty_studio_says_how_to_begin_and_reproaches_nobody(look: Opener) -> None:
    page = look("/studio", who="free")
    expect(page.locator(".tp-empty")).to_have_text(
        "No videos yet. Your first takes about a minute."
    )
    expect(page.get_by_text("Your photo appears here.")).to_be_visible()
    expect(page.get_by_text("1 video. You have 3.")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("code", EACH_REFUSED)
def test_each_photo_that_will_not_do_is_told_its_own_reason(look: Opener, code: str) -> None:
    page = look("/studio", who="free")
    write(page)
    page.set_input_files(DROP, file(code.encode()))
    alert(page, stand_in_studio.REFUSALS[code])
    expect(page.get_by_text("Face found")).to_have_count(0)
    expect(page.get_by_label("What should it say?")).to_have_value(WORDS)


@pytest.mark.parametrize(("code", "words"), EACH_TEXT)
def test_each_text_that_cannot_be_said_is_told_its_own_reason(
    look: Opener, code: str, words: str
) -> None:
    page = look("/studio", who="free")
    write(page, words)
    alert(page, stand_in_studio.TEXTS[code])
    expect(page.get_by_label("What should it say?")).to_have_value(words)


def test_a_button_pressed_too_early_says_what_is_missing_beside_each_field(look: Opener) -> None:
    page = look("/studio", who="free")
    make(page)
    for sentence in ("Choose a photo first.", "Write what the photo", "Tick this box"):
        alert(page, sentence)
    choose(page)
    expect(page.get_by_role("alert").filter(has_text="Choose a photo")).to_have_count(0)
    write(page)
    agree(page)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_what_the_service_refuses_stands_in_the_form_and_nothing_is_lost(look: Opener) -> None:
    page = look("/studio", who="waiting")
    choose(page)
    write(page, "[video.most_waiting]")
    agree(page)
    make(page)
    alert(page, "Refused with video.most_waiting.")
    expect(page.get_by_text("Face found")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_be_checked()


def test_another_photo_needs_a_declaration_of_its_own(look: Opener) -> None:
    page = look("/studio", who="free")
    choose(page)
    agree(page)
    page.set_input_files(DROP, file(stand_in_media.PORTRAIT.read_bytes() + b"\0", "other.jpg"))
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)


def test_length_and_time_follow_the_words(look: Opener) -> None:
    page = look("/studio", who="free")
    write(page)
    expect(page.locator(".tp-count")).to_contain_text("about 4 seconds of video, ready in about 4")
    expect(page.locator(".tp-frame__said")).to_have_text(f"“{WORDS}”")


def test_a_tier_out_of_reach_says_what_it_needs(look: Opener) -> None:
    page = look("/studio", who="free")
    expect(page.get_by_role("radio")).to_have_count(1)
    needs = page.locator(".tp-needs li")
    expect(needs.nth(0)).to_contain_text("720p: Comes with any plan or pack.")
    expect(needs.nth(1)).to_contain_text("1080p: Comes with Pro and Enterprise.")
    expect(look("/studio", who="starter").get_by_role("radio", name="720p")).to_be_checked()


def test_without_videos_left_the_one_button_buys_some(look: Opener) -> None:
    page = look("/studio", who="empty")
    notice = page.locator(".tp-notice--warn")
    expect(notice).to_contain_text("You have used all your videos.")
    expect(notice).to_contain_text("10 more cost $9.90.")
    form = notice.locator("form[action$='/billing/checkout']")
    expect(form.locator("input[name=item]")).to_have_value("pack:10")
    expect(page.get_by_role("button", name="Make video")).to_have_count(0)


def test_a_video_moves_to_its_end_by_itself_and_plays_in_the_page(
    pages: Pages, person: Callable[..., BrowserContext]
) -> None:
    page = opened(pages, person, who="free")
    choose(page)
    write(page, "It moves by itself.")
    agree(page)
    page.get_by_role("button", name="Make video").dblclick()
    cards = page.locator("[class*=st-key-tp-video-]")
    expect(page.get_by_role("progressbar", name="Moving the face")).to_be_visible()
    expect(cards).to_have_count(1)  # M6: two presses, one video
    player = page.locator("video")
    expect(player).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.get_by_text("1 video. You have 2.")).to_be_visible()
    player.evaluate("v => { v.muted = true; return v.play() }")
    page.wait_for_function("document.querySelector('video').currentTime > 0.5")
    assert player.evaluate("v => v.error") is None


def test_a_video_that_plays_is_not_stopped_by_the_gallery_looking_again(
    pages: Pages, person: Callable[..., BrowserContext], paused: None
) -> None:
    page = opened(pages, person, who="starter")
    player = page.locator("video").first
    player.evaluate("v => { v.muted = true; v.loop = true; return v.play() }")
    # Something is under way, so the gallery looks every second.
    page.wait_for_function("document.querySelector('video').currentTime > 4")


def test_progress_survives_a_reload_and_a_closed_tab_and_can_be_stopped(
    pages: Pages, person: Callable[..., BrowserContext], paused: None
) -> None:
    page = opened(pages, person, who="waiting")
    choose(page)
    write(page, "It waits.")
    agree(page)
    make(page)
    expect(page.get_by_text("Waiting for its turn.")).to_be_visible()
    page.close()
    page = opened(pages, person, who="waiting")
    expect(page.get_by_text("Waiting for its turn.")).to_be_visible()
    expect(page.get_by_text("1 under way. You can close this page.")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("You stopped it. It is back on your account.")).to_be_visible()
    expect(page.get_by_text("1 video. You have 3.")).to_be_visible()


def test_a_video_not_made_says_why_and_that_it_cost_nothing(look: Opener) -> None:
    page = look("/studio", who="starter")
    card = page.locator(".st-key-tp-video-failed-1")
    expect(card).to_contain_text("Not made")
    expect(card).to_contain_text("This video could not be made. It is back on your account.")
    card.get_by_role("button", name="Try again").click()
    expect(page.get_by_label("What should it say?")).to_have_value(
        "Happy birthday, Tom. From all of us on the second floor."
    )
    expect(page.get_by_text("Its words are in the form above.")).to_be_visible()


def test_a_video_is_deleted_only_after_a_second_yes(look: Opener) -> None:
    page = look("/studio", who="starter")
    card = page.locator(".st-key-tp-video-ready-2")
    card.get_by_role("button", name="Delete").click()
    card.get_by_role("button", name="Keep it").click()
    expect(card.get_by_role("button", name="Delete", exact=True)).to_be_visible()
    card.get_by_role("button", name="Delete").click()
    expect(card).to_contain_text("Delete it for good? It cannot be brought back.")
    card.get_by_role("button", name="Delete for good").click()
    expect(card).to_have_count(0)


def test_a_refused_remake_is_told_above_the_gallery(look: Opener) -> None:
    page = look("/studio", who="starter")
    page.get_by_role("button", name="Again for free").click()
    alert(page, "This video was made again already.")


def test_a_ready_video_says_how_long_it_is_kept_and_can_be_saved_and_reported(
    look: Opener,
) -> None:
    page = look("/studio", who="starter")
    card = page.locator(".st-key-tp-video-ready-1")
    expect(card).to_contain_text("Kept until")
    report = card.get_by_role("link", name="Report this video")
    assert str(report.get_attribute("href")).endswith("/report/ready-1")
    with page.expect_download() as saved:
        card.get_by_role("link", name="Download").click()
    assert saved.value.suggested_filename == "video.mp4"


def test_older_videos_are_a_page_away_and_back(look: Opener) -> None:
    page = look("/studio", who="past-due")
    expect(page.locator("video")).to_have_count(12)
    page.get_by_role("button", name="Older videos").click()
    expect(page.locator("video")).to_have_count(2)
    expect(page.get_by_role("button", name="Older videos")).to_have_count(0)
    page.get_by_role("button", name="Newer videos").click()
    expect(page.locator("video")).to_have_count(12)


def test_the_keyboard_goes_through_the_form_in_reading_order(look: Opener) -> None:
    page = look("/studio", who="free")
    page.get_by_label("What should it say?").focus()
    seen = []
    for _ in range(4):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "(e => e.getAttribute('role') || e.type || e.innerText)(document.activeElement)"
            )
        )
    assert seen == ["combobox", "radio", "checkbox", "button"] or seen[1:] == [
        "radio",
        "checkbox",
        "submit",
    ]


def test_on_a_phone_the_picture_stands_between_the_photo_and_the_words(look: Opener) -> None:
    page = look("/studio", who="free", width=375)
    expect(page.locator(".tp-frame")).not_to_be_visible()
    choose(page)
    boxes = [
        page.locator(DROP),
        page.locator(".tp-frame"),
        page.get_by_label("What should it say?"),
    ]
    tops = [(box.bounding_box() or {"y": 0.0})["y"] for box in boxes]
    assert tops == sorted(tops)


def test_what_a_customer_wrote_is_text_wherever_it_is_shown(look: Opener) -> None:
    page = look("/studio", who="hostile")
    expect(page.locator(".tp-video__words").first).to_contain_text("<img src=x onerror=")
    expect(page.locator(".tp-video__why")).to_contain_text("<img src=x onerror=")
    expect(page.locator("img[src=x]")).to_have_count(0)


def opened(pages: Pages, person: Callable[..., BrowserContext], *, who: str) -> Page:
    page = person(who=who).new_page()
    page.goto(f"{pages.url}/studio")
    page.wait_for_selector(".tp-foot")
    return page
