"""F5: a finished video over HTTP: played, saved, and seen by nobody but its owner."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from services.generation_service import VideoView
from talkingphoto.runtime import Runtime
from tests.support import proving
from tests.support.clock import TestClock
from tests.support.pocket_engine import PocketEngine
from tests.support.studio import Studio
from tests.support.visitors import Visitor, ready_for_web
from web import guards
from web.app import WebApp, create_app


@dataclass
class Watched:
    """A video that was made for somebody, and its owner's browser."""

    app: WebApp
    studio: Studio
    owner: Visitor
    user_id: str
    video: VideoView

    def address(self, kind: str = "video", *, token: str | None = None, more: str = "") -> str:
        if token is None:
            token = self.studio.videos.media_token(
                user_id=self.user_id,
                generation_id=self.video.id,
                kind="video" if kind == "video" else "poster",
            )
        return f"/media/{self.video.id}/{kind}?token={token}{more}"

    def file(self, kind: str = "video") -> bytes:
        named = self.studio.videos.media(
            user_id=self.user_id,
            generation_id=self.video.id,
            kind="video" if kind == "video" else "poster",
        )
        return Path(named.path).read_bytes()

    def visitor(self, email: str) -> Visitor:
        """Somebody else's browser, signed in."""
        other = Visitor(self.app.test_client())
        other.register(email)
        return other


@pytest.fixture
def watched(runtime: Runtime, clock: TestClock, tmp_path: Path) -> Watched:
    studio = Studio(ready_for_web(runtime, clock), clock, PocketEngine(), folder=tmp_path)
    app = create_app(runtime)
    owner = Visitor(app.test_client())
    owner.register("ada@example.com")
    wiring: guards.Wiring = app.extensions[guards.EXTENSION]
    user = wiring.auth.current_user(owner.token)
    assert user is not None
    proving.prove(runtime, user.id)
    return Watched(app, studio, owner, user.id, studio.makes(user.id))


def test_f5_the_owner_plays_the_video_in_the_page(watched: Watched) -> None:
    answer = watched.owner.get(watched.address())
    assert (answer.status_code, answer.mimetype) == (200, "video/mp4")
    assert answer.data == watched.file()
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    # Our pages are another origin of the same site; no proxy in between may keep it.
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-site"
    assert answer.headers["Cache-Control"].startswith("private")
    poster = watched.owner.get(watched.address("poster"))
    assert (poster.status_code, poster.mimetype) == (200, "image/jpeg")
    assert poster.data == watched.file("poster")


def test_f5_a_download_is_an_attachment_with_a_name_of_ours(watched: Watched) -> None:
    answer = watched.owner.get(watched.address(more="&download=1"))
    said = answer.headers["Content-Disposition"]
    assert said.startswith("attachment")
    assert ".mp4" in said
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-9", 0, 9), ("bytes=10-19", 10, 19), ("bytes=-5", -5, None)],
)
def test_a_browser_that_seeks_gets_the_part_it_asks_for(
    watched: Watched, asked: str, first: int, last: int | None
) -> None:
    whole = watched.file()
    answer = watched.owner.get(watched.address(), Range=asked)
    assert answer.status_code == 206
    assert answer.data == (whole[first:] if last is None else whole[first : last + 1])
    assert answer.headers["Content-Range"].endswith(f"/{len(whole)}")
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_a_part_beyond_the_end_is_refused(watched: Watched) -> None:
    answer = watched.owner.get(watched.address(), Range="bytes=99999999-")
    assert answer.status_code == 416


def test_f5_somebody_else_finds_nothing_even_with_the_address(watched: Watched) -> None:
    eve = watched.visitor("eve@example.com")
    stranger = Visitor(watched.app.test_client())
    for visitor in (eve, stranger):
        answer = visitor.get(watched.address())
        assert answer.status_code == 404
        assert watched.file() not in answer.data


def test_f5_an_address_is_over_after_its_hour(watched: Watched) -> None:
    address = watched.address()
    watched.studio.clock.advance(seconds=59 * 60)
    assert watched.owner.get(address).status_code == 200
    watched.studio.clock.advance(seconds=120)
    answer = watched.owner.get(address)
    assert answer.status_code == 403
    assert answer.headers["Cache-Control"] == "no-store"


def test_f5_an_address_opens_that_file_and_no_other(watched: Watched) -> None:
    token = watched.studio.videos.media_token(
        user_id=watched.user_id, generation_id=watched.video.id, kind="poster"
    )
    assert watched.owner.get(watched.address(token=token)).status_code == 404
    second = replace(watched, video=watched.studio.makes(watched.user_id))
    assert watched.owner.get(second.address()).status_code == 200
    moved = second.address().replace(second.video.id, watched.video.id)
    assert watched.owner.get(moved).status_code == 404


@pytest.mark.parametrize("token", ["", "x", "a.b", "é", "../../etc/passwd"])
def test_f5_an_address_that_we_did_not_sign_opens_nothing(watched: Watched, token: str) -> None:
    assert watched.owner.get(watched.address(token=token)).status_code == 404


@pytest.mark.parametrize("path", ["photo", "video.mp4", "..%2f..%2fphoto", ""])
def test_f4_no_address_leads_to_a_photo_or_out_of_the_folder(watched: Watched, path: str) -> None:
    answer = watched.owner.get(watched.address().replace("/video?", f"/{path}?"))
    assert answer.status_code == 404


def test_a_deleted_video_is_gone_at_once(watched: Watched) -> None:
    address = watched.address()
    watched.studio.videos.delete(user_id=watched.user_id, generation_id=watched.video.id)
    assert watched.owner.get(address).status_code == 404


def report(watched: Watched, visitor: Visitor, **fields: str) -> TestResponse:
    return visitor.post(f"/report/{watched.video.id}", origin="http://localhost:5001", **fields)


def test_anybody_may_report_a_video_and_staff_reads_it(watched: Watched) -> None:
    stranger = Visitor(watched.app.test_client())
    page = stranger.get(f"/report/{watched.video.id}")
    assert page.status_code == 200
    assert "script" not in page.text
    answer = report(
        watched, stranger, reason="This is me.\r\nI never agreed.", contact="eve@example.com"
    )
    assert (answer.status_code, "We have your report" in answer.text) == (200, True)
    (made,) = watched.studio.videos.reports()
    assert (made.generation_id, made.reason) == (watched.video.id, "This is me.\nI never agreed.")
    assert made.contact == "eve@example.com"


def test_a_report_without_a_reason_is_shown_the_form_again(watched: Watched) -> None:
    answer = report(watched, watched.owner, reason="  ", contact="me@example.com")
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert "me@example.com" in answer.text
    assert watched.studio.videos.reports() == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": "x" * 2001},
        {"reason": "why", "contact": "y" * 201},
        {"reason": "why", "contact": "a\nb"},
        {"reason": "why\0"},
        {"reason": "why", "more": "1"},
        {},
    ],
    ids=["long", "long contact", "two lines", "NUL", "unasked", "nothing"],
)
def test_a_report_that_our_form_cannot_send_is_refused(
    watched: Watched, fields: dict[str, str]
) -> None:
    assert report(watched, watched.owner, **fields).status_code == 400
    assert watched.studio.videos.reports() == ()


def test_reports_from_one_address_are_counted_and_another_page_cannot_send_one(
    watched: Watched,
) -> None:
    answer = watched.owner.post(f"/report/{watched.video.id}", origin="https://evil.example")
    assert answer.status_code == 403
    told = [report(watched, watched.owner, reason="why").status_code for _ in range(12)]
    assert told[0] == 200
    assert told[-1] == 429


def test_a_report_of_nothing_says_so(watched: Watched) -> None:
    watched.studio.videos.delete(user_id=watched.user_id, generation_id=watched.video.id)
    assert report(watched, watched.owner, reason="why").status_code == 404


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe"], ids=["empty", "unsigned", "not text"])
def test_a_call_that_no_engine_signed_is_refused(watched: Watched, body: bytes) -> None:
    answer = watched.owner.post_raw("/webhook/video", body, "application/json")
    assert answer.status_code == 400
