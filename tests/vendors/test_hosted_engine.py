"""A hosted engine through its adapter: what is lost, late, doubled, forged or refused."""

from __future__ import annotations

import json
import queue
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from talkingphoto.integrations.video.hosted import SIGNATURE_HEADER, HostedEngine
from talkingphoto.integrations.video.port import (
    ENDED,
    BlobRef,
    EngineFault,
    EngineRef,
    JobState,
    RenderRequest,
)
from talkingphoto.runtime import Runtime
from tests.support import small_mp4, source
from tests.support.scripted_engine import KEY, SECRET, Script, ScriptedEngine
from tests.support.settings_cases import loaded

PORTRAIT = (source.ROOT / "static" / "img" / "portrait.jpg").read_bytes()

REFUSED = {"code": "no_face", "kind": "user_input", "message": "We found no face in this photo."}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ScriptedEngine]:
    """A service that makes one and the same video of everything."""
    video = small_mp4.written(tmp_path / "vendor.mp4").read_bytes()
    with ScriptedEngine(Script(video=video)) as running:
        yield running


@pytest.fixture
def engine(service: ScriptedEngine, tmp_path: Path) -> Iterator[HostedEngine]:
    """Our side of it."""
    made = HostedEngine(url=service.url, key=KEY, webhook_secret=SECRET, folder=tmp_path / "eyes")
    yield made
    made.close()


@pytest.fixture
def request_(tmp_path: Path) -> RenderRequest:
    """A video to make."""
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"a photo's bytes \x00\xff")
    return RenderRequest(
        job_id="job-1",
        photo=BlobRef(photo, "sum"),
        text="Grüße — “hello”",
        language="English",
        voice="en-heart",
        tier="720p",
        watermark=None,
        seed=7,
        max_seconds=60,
    )


def ended(engine: HostedEngine, ref: EngineRef) -> JobState:
    """The state in which the job ends."""
    for _ in range(20):
        state = engine.poll(ref)
        if state.status in ENDED:
            return state
    raise AssertionError("the job does not end")


def refusal(engine: HostedEngine, request: RenderRequest) -> tuple[str, str]:
    """The code and the kind with which the job is not taken."""
    with pytest.raises(EngineFault) as refused:
        engine.submit(request)
    return refused.value.failure.code, refused.value.failure.kind


def test_a_job_goes_out_whole_and_its_video_comes_back(
    service: ScriptedEngine, engine: HostedEngine, request_: RenderRequest, tmp_path: Path
) -> None:
    service.script.polls = 2
    ref = engine.submit(request_)
    taken = service.jobs[ref.id]
    assert taken.photo == b"a photo's bytes \x00\xff"
    assert taken.fields == {
        "job_id": "job-1",
        "text": "Grüße — “hello”",
        "language": "English",
        "voice": "en-heart",
        "tier": "720p",
        "watermark": None,
        "seed": 7,
        "max_seconds": 60,
    }
    first = engine.poll(ref)
    assert (first.status, first.stage, first.progress) == ("running", "frames", 0.5)
    assert ended(engine, ref).status == "succeeded"
    made = engine.fetch(ref, tmp_path / "video.mp4")
    assert (tmp_path / "video.mp4").read_bytes() == service.script.video
    assert (made.width, made.height, made.size) == (320, 240, len(service.script.video))
    assert made.seconds == pytest.approx(2.0, abs=0.05)
    assert service.authorizations == {f"Bearer {KEY}"}


def test_the_settings_decide_who_makes_the_videos(tmp_path: Path) -> None:
    hosted = {
        "TALKINGPHOTO_VIDEO_ENGINE": "hosted",
        "TALKINGPHOTO_VIDEO_ENGINE_URL": "https://engine.example/v1",
        "TALKINGPHOTO_VIDEO_ENGINE_KEY": KEY,
        "TALKINGPHOTO_VIDEO_ENGINE_WEBHOOK_SECRET": SECRET,
    }
    told = Runtime(loaded(hosted, tmp_path)).engine.info()
    assert (told.mode, told.data_region) == ("hosted", "https://engine.example/v1")
    assert Runtime(loaded({}, tmp_path)).engine.info().mode == "embedded"


def test_a_job_submitted_twice_is_one_job(
    service: ScriptedEngine, engine: HostedEngine, request_: RenderRequest
) -> None:
    assert engine.submit(request_) == engine.submit(request_)
    assert len(service.jobs) == 1
    assert engine.submit(replace(request_, job_id="job-2")).id == "vendor-2"


def test_a_check_says_what_the_service_found(service: ScriptedEngine, engine: HostedEngine) -> None:
    seen = engine.check(photo=PORTRAIT, text="Hello", voice="en-heart")
    assert seen.failures == ()
    assert seen.photo is not None
    assert seen.photo.tiers == ("540p", "720p")
    # The service is sent our own copy, never the file that a stranger made.
    assert seen.photo.preview == seen.photo.clean != PORTRAIT
    assert engine.check(photo=b"no photo", text=None, voice="en-heart").failures[0].code == (
        "not_an_image"
    )
    service.script.failures = [REFUSED]
    seen = engine.check(photo=None, text="Hello", voice="en-heart")
    assert seen.photo is None
    assert [failure.code for failure in seen.failures] == ["no_face"]


def test_a_job_that_fails_keeps_its_reason(
    service: ScriptedEngine, engine: HostedEngine, request_: RenderRequest
) -> None:
    service.script.ending = {"code": "nsfw", "kind": "content_rejected", "message": "Not this."}
    state = ended(engine, engine.submit(request_))
    assert state.status == "failed"
    assert state.error is not None
    assert (state.error.code, state.error.kind) == ("nsfw", "content_rejected")


def test_a_video_that_is_not_there_yet_is_not_fetched(
    service: ScriptedEngine, engine: HostedEngine, request_: RenderRequest, tmp_path: Path
) -> None:
    ref = engine.submit(request_)
    service.script.answers["GET /jobs/*/video"] = (409, b"{}")
    with pytest.raises(EngineFault):
        engine.fetch(ref, tmp_path / "video.mp4")
    assert not (tmp_path / "video.mp4").exists()


@pytest.mark.parametrize(
    ("status", "body", "refused"),
    [
        (422, {"error": REFUSED}, ("no_face", "user_input")),
        (451, {"error": {**REFUSED, "kind": "content_rejected"}}, ("no_face", "content_rejected")),
        (402, {}, ("engine_status_402", "quota")),
        (429, {}, ("engine_status_429", "quota")),
        (401, {}, ("engine_status_401", "fatal")),
        (400, {"error": "no object"}, ("engine_status_400", "fatal")),
        (408, {}, ("engine_unreachable", "transient")),
        (500, {"error": REFUSED}, ("engine_unreachable", "transient")),
        (503, {}, ("engine_unreachable", "transient")),
        (200, {"id": "../../etc"}, ("engine_odd_answer", "transient")),
        (200, ["no", "object"], ("engine_odd_answer", "transient")),
        (200, {"id": "x" * 3_000_000}, ("engine_odd_answer", "transient")),
    ],
)
def test_a_refusal_has_a_kind_that_says_what_to_do(
    status: int,
    body: object,
    refused: tuple[str, str],
    service: ScriptedEngine,
    engine: HostedEngine,
    request_: RenderRequest,
) -> None:
    service.script.answers["POST /jobs"] = (status, json.dumps(body).encode())
    assert refusal(engine, request_) == refused


def test_a_service_that_is_down_may_be_asked_again(request_: RenderRequest, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    engine = HostedEngine(url=url, key=KEY, webhook_secret=SECRET, folder=tmp_path / "eyes")
    assert refusal(engine, request_) == ("engine_unreachable", "transient")


def test_an_odd_state_is_not_believed(
    service: ScriptedEngine, engine: HostedEngine, request_: RenderRequest
) -> None:
    ref = engine.submit(request_)
    for odd in ({"status": "splendid"}, {"status": "running", "progress": 7}, {}):
        service.script.answers["GET /jobs/*"] = (200, json.dumps({"id": "x", **odd}).encode())
        with pytest.raises(EngineFault) as refused:
            engine.poll(ref)
        assert refused.value.failure.kind == "transient"
    service.script.answers["GET /jobs/*"] = (200, b'{"id": "x", "status": "failed"}')
    error = engine.poll(ref).error
    assert error is not None and error.kind == "transient"


def test_a_video_cut_off_on_the_way_is_not_taken_for_whole(
    service: ScriptedEngine, engine: HostedEngine, request_: RenderRequest, tmp_path: Path
) -> None:
    service.script.cut_video_at = len(service.script.video) - 100
    with pytest.raises(EngineFault) as refused:
        engine.fetch(engine.submit(request_), tmp_path / "video.mp4")
    assert refused.value.failure.kind == "transient"
    assert not (tmp_path / "video.mp4").exists()


def test_a_file_that_is_no_video_is_refused(
    service: ScriptedEngine, engine: HostedEngine, request_: RenderRequest, tmp_path: Path
) -> None:
    service.script.video = b"<html>Service unavailable</html>"
    with pytest.raises(EngineFault) as refused:
        engine.fetch(engine.submit(request_), tmp_path / "video.mp4")
    assert refused.value.failure.code == "engine_bad_video"
    assert not (tmp_path / "video.mp4").exists()


def test_photo_and_key_follow_no_redirect(
    service: ScriptedEngine, engine: HostedEngine, request_: RenderRequest
) -> None:
    with ScriptedEngine() as elsewhere:
        service.script.moved_to = elsewhere.url.removesuffix("/v1")
        assert refusal(engine, request_) == ("engine_status_307", "fatal")
        assert not elsewhere.asked


def test_a_canceled_job_is_canceled_there_and_a_purged_one_is_gone(
    service: ScriptedEngine, engine: HostedEngine, request_: RenderRequest
) -> None:
    ref = engine.submit(request_)
    engine.cancel(ref)
    assert engine.poll(ref).status == "canceled"
    engine.purge(ref)
    assert service.jobs == {}
    engine.purge(ref)
    assert service.asked["DELETE /jobs/*"] == 2


def test_a_signed_callback_says_how_the_job_is(
    service: ScriptedEngine, engine: HostedEngine, request_: RenderRequest
) -> None:
    ref = engine.submit(request_)
    service.jobs[ref.id].polled = 5
    headers, body = service.signed(ref.id)
    heard = engine.parse_webhook(headers, body)
    assert heard is not None
    assert (heard[0], heard[1].status) == (ref, "succeeded")
    shouted = {name.upper(): value for name, value in headers.items()}
    assert engine.parse_webhook(shouted, body) == heard


def test_a_forged_changed_or_old_callback_is_nobodys(
    service: ScriptedEngine, engine: HostedEngine, request_: RenderRequest
) -> None:
    ref = engine.submit(request_)
    headers, body = service.signed(ref.id)
    assert engine.parse_webhook(*service.signed(ref.id, secret="x" * 40)) is None
    assert engine.parse_webhook(headers, body + b" ") is None
    assert engine.parse_webhook({}, body) is None
    for odd in ("", "t=,v1=", "t=1,t=2,v1=ab", "v1=ab", "t=²,v1=ab", "t=1,v1=é"):
        assert engine.parse_webhook({SIGNATURE_HEADER: odd}, body) is None
    assert engine.parse_webhook(*service.signed(ref.id, seconds_ago=295)) is not None
    assert engine.parse_webhook(*service.signed(ref.id, seconds_ago=305)) is None
    assert engine.parse_webhook(*service.signed(ref.id, seconds_ago=-305)) is None


def test_a_callback_that_comes_twice_or_never_changes_nothing_of_what_a_poll_says(
    service: ScriptedEngine, engine: HostedEngine, request_: RenderRequest
) -> None:
    heard: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
    with _listening(heard) as address:
        ref = engine.submit(request_)
        assert service.call_back(address, ref.id, times=2) == [200, 200]
        hints = [engine.parse_webhook(*heard.get(timeout=5)) for _ in range(2)]
    assert hints[0] == hints[1]
    assert ended(engine, ref).status == "succeeded"
    unheard = engine.submit(replace(request_, job_id="job-2"))
    assert ended(engine, unheard).status == "succeeded"


class _listening:
    """Our side of a callback: an address that keeps what it is sent."""

    def __init__(self, heard: queue.Queue[tuple[dict[str, str], bytes]]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                heard.put((dict(self.headers.items()), body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
