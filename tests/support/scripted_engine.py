"""A hosted engine that follows a script, served over real HTTP: slow, odd, lost and cut off."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import requests

from talkingphoto.integrations.video import callbacks
from talkingphoto.integrations.video.hosted import SIGNATURE_HEADER

KEY = "engine-key-0123456789"
SECRET = "engine-webhook-secret-of-more-than-32-letters"
_RUNNING = {"status": "running", "stage": "frames", "progress": 0.5, "seconds_left": 3.0}
_DONE = {"status": "succeeded", "stage": "finishing", "progress": 1.0, "seconds_left": 0.0}


@dataclass
class Script:
    """What the engine will do; tests change it while it runs.

    `polls` states are told as running before the job has ended. `answers` are told instead of the
    usual, by "METHOD /path" with `*` for a job's name: a status and a body. `ending` is an error
    that ends every job. `cut_video_at` sends so many bytes of the video and hangs up. `moved_to`
    redirects every request.
    """

    video: bytes = b""
    polls: int = 1
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    ending: dict[str, str] | None = None
    failures: list[dict[str, str]] = field(default_factory=list)
    tiers: tuple[str, ...] = ("540p", "720p")
    cut_video_at: int | None = None
    moved_to: str = ""
    slow_seconds: float = 0


@dataclass
class TakenJob:
    """A job as it arrived: its fields, the bytes of its photo, and what became of it."""

    id: str
    fields: dict[str, object]
    photo: bytes
    polled: int = 0
    canceled: bool = False


class ScriptedEngine:
    """The service of talkingphoto/integrations/video/hosted.py on a port of this machine."""

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or Script()
        self.jobs: dict[str, TakenJob] = {}
        self.asked: Counter[str] = Counter()
        self.authorizations: set[str] = set()
        self.lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.engine = self
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> ScriptedEngine:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, job_id: str, fields: dict[str, object], photo: bytes) -> TakenJob:
        """The job of that key, the same one however often it is sent."""
        with self.lock:
            known = [job for job in self.jobs.values() if job.fields["job_id"] == job_id]
            if known:
                return known[0]
            job = TakenJob(f"vendor-{len(self.jobs) + 1}", fields, photo)
            self.jobs[job.id] = job
            return job

    def state(self, job: TakenJob) -> dict[str, object]:
        """What a poll or a callback says of the job."""
        if job.canceled:
            return {"id": job.id, "status": "canceled"}
        if job.polled <= self.script.polls:
            return {"id": job.id, **_RUNNING}
        if self.script.ending:
            return {"id": job.id, "status": "failed", "error": self.script.ending}
        return {"id": job.id, **_DONE}

    def signed(
        self, engine_id: str, *, secret: str = SECRET, seconds_ago: int = 0
    ) -> tuple[dict[str, str], bytes]:
        """The headers and the body of a callback about the job as it is now."""
        body = json.dumps(self.state(self.jobs[engine_id])).encode()
        at = int(time.time()) - seconds_ago
        header = callbacks.signature(body, secret=secret, at=at)
        return {SIGNATURE_HEADER: header, "Content-Type": "application/json"}, body

    def call_back(self, address: str, engine_id: str, *, times: int = 1) -> list[int]:
        """The callback has been posted so often; what was answered each time."""
        headers, body = self.signed(engine_id)
        return [
            requests.post(address, data=body, headers=headers, timeout=30).status_code
            for _ in range(times)
        ]


class _Server(ThreadingHTTPServer):
    """The listening socket, knowing whose it is."""

    daemon_threads = True
    engine: ScriptedEngine


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """A state, or a video."""
        self._answer()

    def do_POST(self) -> None:
        """A check, a job, or the end of one."""
        self._answer()

    def do_DELETE(self) -> None:
        """Nothing is kept."""
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed: the test says what it needs."""

    def _answer(self) -> None:
        engine, body = self.server.engine, self.rfile.read(int(self.headers["Content-Length"] or 0))
        route = re.sub(r"(?<=/jobs/)[^/]+", "*", f"{self.command} {self.path.removeprefix('/v1')}")
        time.sleep(engine.script.slow_seconds)
        with engine.lock:
            engine.asked[route] += 1
            engine.authorizations.add(self.headers.get("Authorization", ""))
        if engine.script.moved_to:
            self._send(307, b"", location=engine.script.moved_to + self.path)
        elif route in engine.script.answers:
            self._send(*engine.script.answers[route])
        elif self.headers.get("Authorization") != f"Bearer {KEY}":
            self._send(401, b"{}")
        elif self.command == "POST" and route in {"POST /checks", "POST /jobs"}:
            self._send(200, self._taken(route, _parts(self.headers, body)))
        else:
            self._tell(route, self.path.split("/")[3])

    def _taken(self, route: str, parts: dict[str, bytes]) -> bytes:
        script = self.server.engine.script
        if route == "POST /jobs":
            key, fields = self.headers["Idempotency-Key"], json.loads(parts["job"])
            return _json({"id": self.server.engine.take(key, fields, parts["photo"]).id})
        preview = base64.b64encode(parts.get("photo", b"")).decode()
        photo = {"preview": preview, "tiers": script.tiers} if "photo" in parts else None
        return _json({"failures": script.failures, "photo": photo})

    def _tell(self, route: str, name: str) -> None:
        engine = self.server.engine
        job = engine.jobs.get(name)
        if job is None:
            self._send(404, b"{}")
        elif route == "GET /jobs/*":
            job.polled += 1
            self._send(200, _json(engine.state(job)))
        elif route == "GET /jobs/*/video":
            self._send_video(engine.script)
        else:
            job.canceled = True
            if self.command == "DELETE":
                del engine.jobs[name]
            self._send(204, b"")

    def _send_video(self, script: Script) -> None:
        sent = script.video if script.cut_video_at is None else script.video[: script.cut_video_at]
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(len(script.video)))
        self.end_headers()
        self.wfile.write(sent)
        self.close_connection = True

    def _send(self, status: int, content: bytes, *, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _json(told: dict[str, object]) -> bytes:
    return json.dumps(told).encode()


def _parts(headers: Message, body: bytes) -> dict[str, bytes]:
    """The parts of a multipart body by their names."""
    head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    found = {}
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes), "a part of a form is not a mail of its own"
        found[str(part.get_param("name", header="content-disposition"))] = content
    return found
