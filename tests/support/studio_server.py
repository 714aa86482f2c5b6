"""The real pages, routes and services round an engine that fits in a pocket, in one process.

`python tests/support/studio_server.py PORT`, with DATABASE_URL, APP_URL and WEB_URL set.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from streamlit.web import bootstrap

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

# The path above makes these importable.
from talkingphoto import runtime as runtimes  # noqa: E402
from tests.support.pocket_engine import PocketEngine  # noqa: E402

RENDER_SECONDS = 2.0
_LOOKS_A_SECOND = 5


def main(port: int) -> None:
    """Everything answers until the process ends."""
    runtime = runtimes.current()
    runtime.engine = PocketEngine(seconds=RENDER_SECONDS)
    from services import generation_service  # it wants the engine that was just set
    from web.app import create_app

    web = create_app(runtime)
    threading.Thread(target=web.run, daemon=True).start()
    videos = generation_service.GenerationService(runtime)
    threading.Thread(target=_work, args=(videos,), daemon=True).start()
    flags = {"server.port": port, "server.address": "localhost"}
    bootstrap.load_config_options(flags)
    bootstrap.run_asgi_app(str(ROOT / "front.py"), "front:app", [], flags)


def _work(videos: object) -> None:
    while True:
        videos.run()  # type: ignore[attr-defined]
        time.sleep(1 / _LOOKS_A_SECOND)


if __name__ == "__main__":
    main(int(sys.argv[1]))
