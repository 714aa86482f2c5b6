"""An engine elsewhere, over HTTP: the photo leaves this machine, and a callback may say when.

Its protocol, with `Authorization: Bearer KEY` on every request and JSON unless it says otherwise:

    POST   {url}/checks           multipart: `check` {"text", "voice"} and, if any, file `photo`
                                  200 {"failures": [FAILURE], "photo": {"preview": base64 of a
                                  JPEG, "tiers": ["540p", …]} or null}
    POST   {url}/jobs             multipart: `job` {"job_id", "text", "language", "voice", "tier",
                                  "watermark", "seed", "max_seconds"} and file `photo`;
                                  `Idempotency-Key` is the job_id: the same key again is the same
                                  job, and only one that failed as "transient" is tried anew
                                  200 or 201 {"id": ENGINE'S NAME}
    GET    {url}/jobs/{id}        200 STATE: {"id", "status", "stage", "progress", "seconds_left",
                                  "error": FAILURE or null} in the words of port.JobState
    GET    {url}/jobs/{id}/video  200 video/mp4, once the status is "succeeded"
    POST   {url}/jobs/{id}/cancel 200 or 204; an ended job stays as it is
    DELETE {url}/jobs/{id}        200 or 204; neither photo nor video are kept. 404 is well, too

The picture carries the words "AI-generated", to be read by anyone, in every video; `watermark`,
when it is not null, stands on it as well. Both are the engine's to draw: they are not checked here.

FAILURE is {"code", "kind", "message"} in the words of port.EngineFailure; with a status of 4xx
{"error": FAILURE} says why. The engine speaks with the voices that `info` lists.

When a job has ended the engine may POST its STATE to us, with a header
`TalkingPhoto-Signature: t=UNIX SECONDS,v1=HEX` where HEX is the HMAC-SHA256 of "SECONDS.BODY"
under the webhook secret. It is a hint: what it says is asked for again before it counts.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import requests
import urllib3
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, ValidationError
from requests.auth import AuthBase

from talkingphoto.integrations.video import callbacks, mp4
from talkingphoto.integrations.video.embedded import EmbeddedEngine
from talkingphoto.integrations.video.engine import speech
from talkingphoto.integrations.video.port import (
    MOST_CHARACTERS,
    SHORT_SIDE,
    Checked,
    EngineFailure,
    EngineFault,
    EngineInfo,
    EngineRef,
    FailureKind,
    JobState,
    PhotoFinding,
    RenderRequest,
    ResultMeta,
    Stage,
    Status,
    Tier,
)

ENGINE = "hosted"
SIGNATURE_HEADER = "TalkingPhoto-Signature"
# To connect, and between two bytes of an answer.
_TIMEOUT_SECONDS = (5.0, 20.0)
_PIECE = 1 << 16
_SILENCE_SECONDS = 0.5
_MAKING_A_SECOND: Mapping[Tier, float] = {"540p": 1.0, "720p": 1.5, "1080p": 3.0}
_QUEUE_SECONDS = 10.0

_UNREACHABLE = EngineFailure(
    "engine_unreachable", "transient", "The video service does not answer. Try again later."
)
_ODD = EngineFailure(
    "engine_odd_answer", "transient", "The video service gave an answer that makes no sense."
)
_NOT_TAKEN = "The video service did not take the job."
_KINDS: Mapping[int, FailureKind] = {402: "quota", 429: "quota", 401: "fatal", 403: "fatal"}


@dataclass(frozen=True)
class _Bounds:
    """What is read of one answer at most, and for how long."""

    most_bytes: int
    seconds: float


_WORDS = _Bounds(most_bytes=2_000_000, seconds=30)
# A minute of 1080p at 20 Mbit/s; ours have a tenth of that.
_VIDEO = _Bounds(most_bytes=150_000_000, seconds=300)


class _Said(BaseModel):
    """What the other side says, held to the words of the port; more than those is not read."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Failure(_Said):
    code: str = Field(max_length=64, pattern=r"^[a-z0-9_.]+$")
    kind: FailureKind
    message: str = Field(max_length=500)

    def ours(self) -> EngineFailure:
        return EngineFailure(self.code, self.kind, self.message)


class _Refusal(_Said):
    error: _Failure


class _Photo(_Said):
    preview: Base64Bytes
    tiers: tuple[Tier, ...]


class _Checked(_Said):
    failures: tuple[_Failure, ...]
    photo: _Photo | None = None


class _Taken(_Said):
    id: str = Field(max_length=200, pattern=r"^[A-Za-z0-9_-]+$")


class _State(_Taken):
    status: Status
    stage: Stage = "waiting"
    progress: float | None = Field(default=None, ge=0, le=1)
    seconds_left: float | None = Field(default=None, ge=0)
    error: _Failure | None = None

    def ours(self) -> JobState:
        failure = self.error.ours() if self.error else None
        if self.status == "failed" and failure is None:
            failure = _ODD
        return JobState(self.status, self.stage, self.progress, self.seconds_left, failure)


class _Bearer(AuthBase):
    """Our key; as an object, because requests would prefer a line of ~/.netrc to a header."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class HostedEngine:
    """The port over HTTP; what goes wrong on the way is `transient`, refusals keep their kind."""

    def __init__(self, *, url: str, key: str, webhook_secret: str, folder: Path) -> None:
        # A stranger's photo is decoded in our own process with bounds before anybody is sent it.
        self._eyes = EmbeddedEngine(folder=folder)
        self._url = url.rstrip("/")
        self._bearer = _Bearer(key)
        self._secret = webhook_secret

    def info(self) -> EngineInfo:
        """What it can do, as the protocol asks of it; photos go to the operator's service."""
        return EngineInfo(
            id=ENGINE,
            version="1",
            mode="hosted",
            voices=speech.VOICES,
            tiers=tuple(SHORT_SIDE),
            max_chars=MOST_CHARACTERS,
            needs_public_url=False,
            data_region=self._url,
        )

    def estimate(self, *, text: str, voice: str, tier: Tier) -> tuple[float, float]:
        """From what our own voice needs for the text; how busy the other side is, is unknown."""
        video = _SILENCE_SECONDS + speech.estimated_seconds(text, voice_id=voice)
        return video, _QUEUE_SECONDS + video * _MAKING_A_SECOND[tier]

    def check(self, *, photo: bytes | None, text: str | None, voice: str) -> Checked:
        """What we found on this machine, or what the service did: it is sent only what passed here,
        and of a photo our own copy."""
        ours = self._eyes.check(photo=photo, text=text, voice=voice)
        if ours.failures:
            return ours
        clean = ours.photo.clean if ours.photo else b""
        files = {"check": _part(text=text, voice=voice)}
        if photo is not None:
            files["photo"] = _file(clean)
        with self._asked("POST", "/checks", files=files) as answer:
            said = _Checked.model_validate_json(_content(answer))
        found = PhotoFinding(said.photo.preview, clean, said.photo.tiers) if said.photo else None
        return Checked(tuple(failure.ours() for failure in said.failures), found)

    def close(self) -> None:
        """No process of ours is left for it."""
        self._eyes.close()

    def submit(self, request: RenderRequest) -> EngineRef:
        """The service has photo and text and has named the job."""
        files = {
            "job": _part(
                job_id=request.job_id,
                text=request.text,
                language=request.language,
                voice=request.voice,
                tier=request.tier,
                watermark=request.watermark,
                seed=request.seed,
                max_seconds=request.max_seconds,
            ),
            "photo": _file(request.photo.path.read_bytes()),
        }
        headers = {"Idempotency-Key": request.job_id}
        with self._asked("POST", "/jobs", files=files, headers=headers) as answer:
            return EngineRef(ENGINE, _Taken.model_validate_json(_content(answer)).id)

    def poll(self, ref: EngineRef) -> JobState:
        """What the service says of the job."""
        with self._asked("GET", f"/jobs/{_named(ref)}") as answer:
            return _State.model_validate_json(_content(answer)).ours()

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes
    ) -> tuple[EngineRef, JobState] | None:
        """What a callback signed within five minutes says; None when it is not signed for us."""
        given = {name.lower(): value for name, value in headers.items()}
        signature = given.get(SIGNATURE_HEADER.lower(), "")
        if not callbacks.is_signed(signature, body, secret=self._secret):
            return None
        try:
            said = _State.model_validate_json(body)
        except ValidationError:
            raise EngineFault(_ODD) from None
        return EngineRef(ENGINE, said.id), said.ours()

    def fetch(self, ref: EngineRef, sink: Path) -> ResultMeta:
        """The video has been copied and opened; no more is read than a video can have."""
        address = f"/jobs/{_named(ref)}/video"
        try:
            with self._asked("GET", address) as answer, sink.open("wb") as file:
                for piece in _pieces(answer, _VIDEO):
                    file.write(piece)
            return mp4.facts(sink)
        except EngineFault:
            sink.unlink(missing_ok=True)
            raise

    def cancel(self, ref: EngineRef) -> None:
        """The service has heard that nobody wants it."""
        with self._asked("POST", f"/jobs/{_named(ref)}/cancel"):
            return

    def purge(self, ref: EngineRef) -> None:
        """The service has deleted photo and video, or knows of none."""
        with self._asked("DELETE", f"/jobs/{_named(ref)}", well=(404,)):
            return

    @contextlib.contextmanager
    def _asked(
        self,
        method: Literal["GET", "POST", "DELETE"],
        path: str,
        *,
        files: Mapping[str, _Part] | None = None,
        headers: Mapping[str, str] | None = None,
        well: tuple[int, ...] = (),
    ) -> Iterator[requests.Response]:
        """An answer that says yes, still to be read; EngineFault for every other."""
        try:
            with requests.request(
                method,
                self._url + path,
                files=files,
                headers=dict(headers or {}),
                auth=self._bearer,
                timeout=_TIMEOUT_SECONDS,
                stream=True,
                # Photo and key go to the address that the operator named, and to no other.
                allow_redirects=False,
            ) as answer:
                if not 200 <= answer.status_code < 300 and answer.status_code not in well:
                    raise EngineFault(_refusal(answer))
                yield answer
        except (requests.RequestException, urllib3.exceptions.HTTPError) as fault:
            raise EngineFault(_UNREACHABLE) from fault
        except ValidationError:
            # Without the cause: it holds what the other side said.
            raise EngineFault(_ODD) from None


_Part = tuple[str | None, bytes, str]


def _part(**fields: object) -> _Part:
    return None, json.dumps(fields).encode(), "application/json"


def _file(photo: bytes) -> _Part:
    return "photo", photo, "application/octet-stream"


def _named(ref: EngineRef) -> str:
    return quote(ref.id, safe="")


def _content(answer: requests.Response) -> bytes:
    return b"".join(_pieces(answer, _WORDS))


def _pieces(answer: requests.Response, bounds: _Bounds) -> Iterator[bytes]:
    """The body as it comes in, all of it and no more than allowed."""
    read, until = 0, time.monotonic() + bounds.seconds
    # Not iter_content: it waits until a piece is full, for hours when a byte comes now and then.
    while piece := answer.raw.read1(_PIECE, decode_content=True):
        read += len(piece)
        if read > bounds.most_bytes or time.monotonic() > until:
            raise EngineFault(_ODD)
        yield piece


def _refusal(answer: requests.Response) -> EngineFailure:
    """Why the service said no: in its own words when they are of the protocol."""
    status = answer.status_code
    if status >= 500 or status in {408, 425}:
        return _UNREACHABLE
    if status >= 400:
        with contextlib.suppress(ValidationError):
            return _Refusal.model_validate_json(_content(answer)).error.ours()
    kind = _KINDS.get(status, "fatal")
    message = "The video service has no room left." if kind == "quota" else _NOT_TAKEN
    return EngineFailure(f"engine_status_{status}", kind, message)
