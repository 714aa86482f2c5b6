"""Runs the supervisor over small programs, to be watched and killed: see test_supervisor.py."""

from __future__ import annotations

import json
import os
import sys

from talkingphoto import stack, supervisor
from talkingphoto.foundation import errors, settings

_ANSWERS = """
import http.server, os, sys
class Well(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(str(os.getpid()).encode())
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Well).serve_forever()
"""
_SILENT = "import os, time; print('part.started', os.getpid(), flush=True); time.sleep(600)"
_BREAKS = "raise SystemExit('the licence has expired')"
# Runs once, ends, and has a reason not to run again.
_REFUSES = """
import os, pathlib, sys, time
ran = pathlib.Path(os.environ["TALKINGPHOTO_DATA"], "ran")
if ran.exists():
    print("the store has gone to pieces; move it away")
    sys.exit(2)
ran.touch()
print("part.started", flush=True)
time.sleep(1)
sys.exit(1)
"""
_PROGRAMS = {"silent": _SILENT, "breaks": _BREAKS, "refuses": _REFUSES}


def main() -> None:
    """The parts asked for as JSON ran under the supervisor; a refusal is the last line."""
    asked: dict[str, int | str] = json.loads(sys.argv[1])
    planned = stack.Stack(
        settings=settings.load(os.environ),
        parts=tuple(_part(name, kind) for name, kind in asked.items()),
        migrations=_program("migrations", "print('at 0001')"),
        catalog=_program("catalog", "print('in step')"),
    )
    try:
        supervisor.supervise(planned)
    except errors.AppError as refusal:
        sys.exit(refusal.message)


def _part(name: str, kind: int | str) -> stack.Part:
    if isinstance(kind, int):
        command = (sys.executable, "-c", _ANSWERS, str(kind))
        return stack.Part(name, command, os.environ, port=kind, health="/")
    return _program(name, _PROGRAMS[kind], refusal_status=2)


def _program(name: str, source: str, refusal_status: int | None = None) -> stack.Part:
    command = (sys.executable, "-c", source)
    return stack.Part(name, command, os.environ, refusal_status=refusal_status)


if __name__ == "__main__":
    main()
