"""A process of its own with the engine that fits in a pocket: it asks for a video, or makes them.

`python -m tests.support.pocket_worker ask USER REQUEST` prints the video's id;
`... work SECONDS SHARE` is, once it is told a line, a worker of that share of the jobs, whose
renders take so long.
"""

from __future__ import annotations

import sys
from typing import cast

from services.generation_service import Order, generation_service
from talkingphoto import runtime
from tests.support.pocket_engine import PocketEngine, portrait
from worker import main as worker


def main() -> None:
    """The arguments say which."""
    role, *rest = sys.argv[1:]
    product = runtime.current()
    product.engine = PocketEngine(seconds=float(rest[0]) if role == "work" else 0)
    if role == "work":
        sys.stdin.readline()
        pace = worker.Pace(poll=0.1, heartbeat=0.3, silent=1.5, rescue_every=0.3)
        worker.run(pace, share=cast(worker.Share, rest[1]))
        return
    user_id, request_id = rest
    made = generation_service.start(
        Order(
            user_id=user_id,
            request_id=request_id,
            photo=portrait(),
            text="Good morning.",
            voice="pocket-one",
            tier="540p",
            consent=True,
            ip="192.0.2.8",
        )
    )
    sys.stdout.write(made.id)


if __name__ == "__main__":
    main()
