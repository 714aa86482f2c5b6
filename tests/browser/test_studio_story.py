"""The studio with the real services, guards and routes round a small engine: from sign-up to play,
and what the upload endpoint takes from whom."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import BrowserContext, Page, Request, expect

from talkingphoto.foundation import settings
from talkingphoto.runtime import Runtime
from tests.browser.conftest import running
from tests.browser.test_pages_studio import DROP, agree, choose, make, write
from tests.support import proving
from tests.support.databases import TestServer
from tests.support.sandbox import free_port
from tests.support.visitors import PASSWORD

pytestmark = pytest.mark.browser
MOVES = """v => new Promise(tell => v.addEventListener('timeupdate',
  () => v.currentTime > 0.1 && tell(v.currentTime)))"""
MEGABYTES_12 = 12 * 1024 * 1024


@dataclass
class Studio:
    """Where the pages are, and what they work with."""

    url: str
    runtime: Runtime


@pytest.fixture(scope="module")
def studio(postgres: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The real studio on a database of its own."""
    folder, port, web = tmp_path_factory.mktemp("studio"), free_port(), free_port()
    url = f"http://localhost:{port}"
    with postgres.database() as database:
        environment = {
            "APP_URL": url,
            "WEB_URL": f"http://localhost:{web}",
            "DATABASE_URL": database,
            "TALKINGPHOTO_DATA": str(folder / "data"),
            "WORKER": "external",
        }
        command = [sys.executable, str(Path("tests", "support", "studio_server.py")), str(port)]
        with running(command, environment, f"{url}/_stcore/health", folder / "studio.log"):
            made = Runtime(settings.load({**os.environ, **environment}))
            yield Studio(url, made)
            made.database.dispose()


def signed_up(context: BrowserContext, studio: Studio, email: str) -> Page:
    page = context.new_page()
    page.goto(f"{studio.url}/sign-up?next=%2Fstudio")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("New video")
    expect(page.get_by_text("Confirm your e-mail to get 3 free videos.")).to_be_visible()
    proving.prove_address(studio.runtime, email)
    page.reload()
    expect(page.get_by_role("button", name="Make video")).to_be_visible()
    return page


def test_a_stranger_signs_up_makes_a_video_plays_it_and_saves_it(
    studio: Studio, person: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    page = signed_up(person(), studio, "ada@example.com")
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
    choose(page)
    write(page, "Good morning. This is a short text.")
    agree(page)
    make(page)
    player = page.locator("video")
    expect(player).to_be_visible()
    expect(page.get_by_text("2 videos left")).to_be_visible()
    player.evaluate("v => { v.muted = true; v.loop = true; return v.play() }")
    # Not wait_for_function, which evaluates text: the policy of the page forbids that.
    assert player.evaluate(MOVES) > 0.1
    assert player.evaluate("v => v.error") is None
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download").click()
    kept = tmp_path / saved.value.suggested_filename
    saved.value.save_as(kept)
    assert kept.suffix == ".mp4"
    assert kept.read_bytes()[4:8] == b"ftyp"
    assert [line for line in refused if "Content Security Policy" in line] == []


@dataclass(frozen=True)
class Upload:
    """A request that was taken once, to be sent again in other ways."""

    url: str
    headers: dict[str, str]

    def put(self, body: bytes = b"x", *, without: str = "", cookie: str = "") -> requests.Response:
        sent = self.headers | ({"Cookie": cookie} if cookie else {})
        sent.pop(without, None)
        return requests.put(self.url, files={"file": ("a.png", body)}, headers=sent, timeout=30)


@pytest.fixture
def upload(studio: Studio, person: Callable[..., BrowserContext]) -> Upload:
    """The upload of somebody who is signed in, with the page still open."""
    page = signed_up(person(), studio, f"bob{free_port()}@example.com")
    seen: list[Request] = []
    page.on("request", lambda sent: seen.append(sent) if sent.method == "PUT" else None)
    choose(page)
    (request,) = seen
    every = request.all_headers()
    return Upload(request.url, {"X-Xsrftoken": every["x-xsrftoken"], "Cookie": every["cookie"]})


def test_f2_a_file_of_twelve_megabytes_and_a_byte_is_too_large(upload: Upload) -> None:
    assert upload.put().status_code == 204
    assert upload.put(bytes(MEGABYTES_12 + 1)).status_code == 413


def test_f2_a_length_that_is_not_told_does_not_get_past_the_limit(upload: Upload) -> None:
    def parts() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n'
        for _ in range(13):
            yield bytes(1024 * 1024)
        yield b"\r\n--b--\r\n"

    headers = upload.headers | {"Content-Type": "multipart/form-data; boundary=b"}
    answer = requests.put(upload.url, data=parts(), headers=headers, timeout=30)
    assert answer.status_code == 413


def test_f6_an_upload_without_the_token_or_the_session_is_forbidden(upload: Upload) -> None:
    assert upload.put(without="X-Xsrftoken").status_code == 403
    anonymous = "; ".join(
        part
        for part in upload.headers["Cookie"].split("; ")
        if not part.startswith("__Host-tp_session")
    )
    assert upload.put(cookie=anonymous).status_code == 403
    stolen = f"{anonymous}; __Host-tp_session=made-up"
    assert upload.put(cookie=stolen).status_code == 403
    assert requests.delete(upload.url, timeout=30).status_code == 403


def test_f2_the_page_says_plainly_that_a_file_is_too_large(
    studio: Studio, person: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    page = signed_up(person(), studio, "cleo@example.com")
    large = tmp_path / "large.jpg"
    large.write_bytes(bytes(MEGABYTES_12 + 1))
    page.set_input_files(DROP, large)
    expect(page.get_by_text("File must be 12.0MB or smaller.")).to_be_visible()
    text = tmp_path / "words.txt"
    text.write_text("words")
    page.set_input_files(DROP, text)
    expect(page.get_by_text("files are not allowed")).to_be_visible()


def test_f1_a_text_named_png_is_refused_in_words_and_costs_nothing(
    studio: Studio, person: Callable[..., BrowserContext]
) -> None:
    page = signed_up(person(), studio, "dora@example.com")
    page.set_input_files(
        DROP, {"name": "x.png", "mimeType": "image/png", "buffer": b"<script>alert(1)</script>"}
    )
    expect(page.get_by_role("alert")).to_contain_text("not_an_image")
    write(page, "Good morning.")
    agree(page)
    make(page)
    expect(page.get_by_text("3 videos left")).to_be_visible()
    expect(page.locator(".tp-empty")).to_be_visible()
