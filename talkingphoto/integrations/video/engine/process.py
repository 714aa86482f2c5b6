"""The engine's own process: models and voices stay loaded, jobs are done one after the other.

`python -m talkingphoto.integrations.video.engine.process ROLE PARENT MEGABYTES` reads commands
(messages.py) from its input and answers on its output. ROLE is `check` or `render`: two processes,
so that a check never waits for a video and a photo that ends one process ends no video of others.
"""

from __future__ import annotations

import base64
import os
import queue
import sys
import threading
import time
import traceback
from typing import BinaryIO, NoReturn

from talkingphoto.integrations.video.engine import (
    checking,
    faces,
    limits,
    messages,
    render,
    speech,
)
from talkingphoto.integrations.video.port import EngineFailure, EngineFault, Stage

_OUT_OF_MEMORY = EngineFailure(
    "engine_memory", "transient", "The engine ran out of memory. Try again."
)
_NO_ROOM = EngineFailure(
    "engine_storage", "transient", "The engine could not write the video. Try again."
)
_BROKEN = EngineFailure("engine_broken", "fatal", "The engine could not make this video.")
# Renders yield to whatever answers people on the same machine.
_RENDER_NICENESS = 10
_TELL_EVERY_SECONDS = 0.2


_Work = messages.Check | messages.Render


class _Canceled(Exception):
    """Nobody wants it any more."""


class _Hearing:
    """Takes commands off the input while a job is under way, so that it can be canceled."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._commands: queue.Queue[_Work] = queue.Queue()
        self._canceled: set[int] = set()
        threading.Thread(target=self._hear, name="hearing", daemon=True).start()

    def next(self) -> _Work:
        """The next thing to do."""
        return self._commands.get()

    def require_wanted(self, job: int) -> None:
        """The job has not been canceled."""
        if job in self._canceled:
            raise _Canceled

    def forget(self, job: int) -> None:
        """The job has ended one way or another."""
        self._canceled.discard(job)

    def _hear(self) -> None:
        while line := self._source.readline(messages.LONGEST_LINE):
            try:
                command = messages.command(line)
            except ValueError:
                # No answer would ever come of it, and whoever asked would wait for one.
                os._exit(1)
            if isinstance(command, messages.Cancel):
                self._canceled.add(command.id)
            else:
                self._commands.put(command)
        # Whoever asked has gone: nobody would fetch what is in hand.
        os._exit(0)


class _Engine:
    """Does what it is told and answers."""

    def __init__(self, hearing: _Hearing, answers: BinaryIO) -> None:
        self._hearing = hearing
        self._answers = answers
        self._finder = faces.FaceFinder()
        self._told_at = 0.0
        self._stage: Stage = "waiting"

    def tell(self, answer: messages.Answer) -> None:
        """The line has left this process."""
        self._answers.write(messages.answer_line(answer))
        self._answers.flush()

    def do(self, command: _Work) -> None:
        """The command was carried out, or its failure told; without memory the process ends."""
        limits.allow_processor(command.processor_seconds)
        try:
            self.tell(self._done(command))
        except EngineFault as fault:
            self.tell(messages.Failed(command.id, fault.failure))
        except _Canceled:
            self.tell(messages.Failed(command.id, None))
        except MemoryError:
            self.tell(messages.Failed(command.id, _OUT_OF_MEMORY))
            # What else failed half-way in here is unknown: a new process starts clean.
            os._exit(1)
        except OSError:
            traceback.print_exc(file=sys.stderr)
            self.tell(messages.Failed(command.id, _NO_ROOM))
        except Exception:  # noqa: BLE001 - a fault of ours in one job must not end the others
            traceback.print_exc(file=sys.stderr)
            self.tell(messages.Failed(command.id, _BROKEN))
        finally:
            self._hearing.forget(command.id)

    def _done(self, command: _Work) -> messages.Answer:
        if isinstance(command, messages.Check):
            return self._examined(command)
        self._hearing.require_wanted(command.id)

        def tell(stage: Stage, progress: float) -> None:
            self._hearing.require_wanted(command.id)
            self._progress(messages.Progress(command.id, stage, progress))

        made = render.render(command.request, command.sink, finder=self._finder, tell=tell)
        return messages.Rendered(command.id, made.seconds, limits.peak_megabytes())

    def _examined(self, command: messages.Check) -> messages.Examined:
        checked = checking.check(
            content=command.photo.read_bytes() if command.photo else None,
            text=command.text,
            voice=command.voice,
            finder=self._finder,
        )
        found = checked.photo
        if found is not None:
            command.clean.write_bytes(found.clean)
        return messages.Examined(
            command.id,
            checked.failures,
            base64.b64encode(found.preview).decode() if found else None,
            found.tiers if found else (),
        )

    def _progress(self, progress: messages.Progress) -> None:
        now = time.monotonic()
        if progress.stage != self._stage or now - self._told_at > _TELL_EVERY_SECONDS:
            self._stage, self._told_at = progress.stage, now
            self.tell(progress)


def main(arguments: list[str]) -> NoReturn:
    """Every command is carried out until the input ends, and this process with it."""
    role, parent, megabytes = arguments
    limits.end_with(int(parent))
    limits.bound_memory(int(megabytes))
    # Libraries print to descriptor 1 as they please: the answers go where it used to lead.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    hearing = _Hearing(sys.stdin.buffer)
    engine = _Engine(hearing, answers)
    if role == "render":
        os.nice(_RENDER_NICENESS)
        # The first sentence takes a second longer than all others, so nobody's is the first.
        speech.voice(speech.VOICES[0].id).say("Ready.", seed=0)
    engine.tell(messages.Ready())
    while True:
        engine.do(hearing.next())


if __name__ == "__main__":
    main(sys.argv[1:])
