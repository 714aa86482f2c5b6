"""What the engine's process is told and what it tells: a line of JSON each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from talkingphoto.integrations.video.port import (
    EngineFailure,
    RenderRequest,
    Stage,
    Tier,
)

# 600 characters of text are the longest thing said, and a preview of 480 pixels comes back.
LONGEST_LINE = 1_000_000


@dataclass(frozen=True)
class Check:
    """Look at the photo in a file, at the text, or at both; `clean` is where our own copy of a
    photo that is fit to speak goes."""

    id: int
    photo: Path | None
    clean: Path
    text: str | None
    voice: str
    processor_seconds: float
    do: Literal["check"] = "check"


@dataclass(frozen=True)
class Render:
    """Make the video into `sink`."""

    id: int
    request: RenderRequest
    sink: Path
    processor_seconds: float
    do: Literal["render"] = "render"


@dataclass(frozen=True)
class Cancel:
    """Stop making that one."""

    id: int
    do: Literal["cancel"] = "cancel"


@dataclass(frozen=True)
class Ready:
    """Models and voices are loaded."""

    tell: Literal["ready"] = "ready"


@dataclass(frozen=True)
class Progress:
    """The video has come so far, from 0 to 1."""

    id: int
    stage: Stage
    progress: float
    tell: Literal["progress"] = "progress"


@dataclass(frozen=True)
class Examined:
    """What a check found; `preview` is a JPEG in base64, None when no photo is fit to speak."""

    id: int
    failures: tuple[EngineFailure, ...]
    preview: str | None
    tiers: tuple[Tier, ...]
    tell: Literal["examined"] = "examined"


@dataclass(frozen=True)
class Rendered:
    """The video is in its file; `peak_megabytes` is what the process has used at most so far."""

    id: int
    seconds: float
    peak_megabytes: int
    tell: Literal["rendered"] = "rendered"


@dataclass(frozen=True)
class Failed:
    """There will be no video, or no check; without a failure it was canceled."""

    id: int
    failure: EngineFailure | None
    tell: Literal["failed"] = "failed"


Command = Check | Render | Cancel
Answer = Ready | Progress | Examined | Rendered | Failed

_COMMANDS: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="do")])
_ANSWERS: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="tell")])


def command_line(command: Command) -> bytes:
    """The command as the process reads it."""
    return _COMMANDS.dump_json(command) + b"\n"


def command(line: bytes) -> Command:
    """The command in a line; ValueError when it is none."""
    return _COMMANDS.validate_json(line)


def answer_line(answer: Answer) -> bytes:
    """The answer as whoever asked reads it."""
    return _ANSWERS.dump_json(answer) + b"\n"


def answer(line: bytes) -> Answer:
    """The answer in a line; ValueError when it is none."""
    return _ANSWERS.validate_json(line)
