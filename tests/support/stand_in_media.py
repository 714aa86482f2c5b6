"""Pictures and videos for the pages on the stand-in: the same for every address."""

from __future__ import annotations

import tempfile
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
from PIL import Image

PORTRAIT = Path(__file__).resolve().parents[2] / "static" / "img" / "portrait.jpg"
SECONDS = 6
_RATE = 10


class _Media(BaseHTTPRequestHandler):
    """Answers /media/…/video and /media/…/poster as the web application does."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        is_video = "/video" in self.path
        body = _video() if is_video else PORTRAIT.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4" if is_video else "image/jpeg")
        self.send_header("Content-Length", str(len(body)))
        if "download=1" in self.path:
            self.send_header("Content-Disposition", 'attachment; filename="video.mp4"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is told."""


def serve(port: int | None) -> None:
    """Media are served on the port until the process ends."""
    server = ThreadingHTTPServer(("localhost", port or 0), _Media)
    threading.Thread(target=server.serve_forever, daemon=True).start()


@cache
def _video() -> bytes:
    """A few seconds of the portrait growing darker."""
    picture = np.asarray(Image.open(PORTRAIT).convert("RGB").resize((320, 400)))
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        with av.open(file.name, "w", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=_RATE)
            stream.width, stream.height, stream.pix_fmt = 320, 400, "yuv420p"
            for number in range(SECONDS * _RATE):
                dimmed = (picture * (1 - number / 200)).astype(np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(dimmed, format="rgb24")))
            container.mux(stream.encode())
        return Path(file.name).read_bytes()
