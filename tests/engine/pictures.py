"""Photos for the engine's tests, all made from the one portrait that the project may show."""

from __future__ import annotations

import io
import math
import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from talkingphoto.foundation import settings

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]

PORTRAIT = (settings.PROJECT_ROOT / "static" / "img" / "portrait.jpg").read_bytes()


def portrait() -> Image.Image:
    """The portrait, 640 by 800: a smiling face 178 pixels wide around (265, 245)."""
    return Image.open(io.BytesIO(PORTRAIT)).convert("RGB")


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The picture as a file of that kind."""
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def pixels(image: Image.Image) -> Picture:
    """The picture as the engine holds it: BGR."""
    return np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])


def png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is and holds no pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(b"")), _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def resized_in_header(jpeg: bytes, width: int, height: int) -> bytes:
    """A JPEG whose frame header claims another size."""
    frame = max(jpeg.find(b"\xff\xc0"), jpeg.find(b"\xff\xc2"))
    return jpeg[: frame + 5] + struct.pack(">HH", height, width) + jpeg[frame + 9 :]


def webp_header(width: int, height: int) -> bytes:
    """An extended WEBP that says how large its canvas is and holds no pixels."""
    canvas = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas
    return b"RIFF" + struct.pack("<I", len(body)) + body


def rotated(photo: Picture, degrees: float) -> Picture:
    """The portrait turned about its face, counter-clockwise, its edges drawn out."""
    height, width = photo.shape[:2]
    turn = cv2.getRotationMatrix2D((265, 245), degrees, 1)
    turned = cv2.warpAffine(photo, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)


def turned_head(photo: Picture, landmarks: Points, *, yaw: float = 0, pitch: float = 0) -> Picture:
    """The face alone on grey, its mesh turned in space by so many degrees."""
    centre = landmarks.mean(axis=0)
    behind = np.array([0, 0, 0.4 * np.ptp(landmarks[:, 0])])
    turned = (landmarks - centre - behind) @ _rotation(yaw, pitch).T
    target = turned[:, :2] + centre[:2]
    drawn: Picture = np.full_like(photo, 150)
    # From the back to the front: what is near covers what is far.
    for corners in sorted(_triangles(photo, landmarks), key=lambda t: -turned[t, 2].mean()):
        _draw(drawn, photo, landmarks[corners, :2], target[corners])
    return drawn


def _rotation(yaw: float, pitch: float) -> Points:
    y, p = math.radians(yaw), math.radians(pitch)
    about_y = np.array([[math.cos(y), 0, -math.sin(y)], [0, 1, 0], [math.sin(y), 0, math.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(p), math.sin(p)], [0, -math.sin(p), math.cos(p)]])
    return np.asarray(about_x @ about_y)


def _triangles(photo: Picture, landmarks: Points) -> list[list[int]]:
    height, width = photo.shape[:2]
    plane = cv2.Subdiv2D((0, 0, width, height))
    for x, y in landmarks[:, :2]:
        plane.insert((float(x), float(y)))
    found = []
    for triangle in np.asarray(plane.getTriangleList()).reshape(-1, 3, 2):
        steps = np.linalg.norm(landmarks[None, :, :2] - triangle[:, None], axis=2)
        if (steps.min(axis=1) < 0.5).all():  # The others hang on the corners of the plane.
            found.append([int(i) for i in steps.argmin(axis=1)])
    return found


def _draw(drawn: Picture, photo: Picture, source: Points, target: Points) -> None:
    begin = np.floor(target.min(axis=0)).astype(int) - 1
    size = np.ceil(target.max(axis=0)).astype(int) + 2 - begin
    place = target - begin
    turn = cv2.getAffineTransform(source.astype(np.float32), place.astype(np.float32))
    piece = cv2.warpAffine(photo, turn, (int(size[0]), int(size[1])))
    inside = np.zeros(piece.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, np.round(place * 16).astype(np.int32), 255, shift=4)
    spot = drawn[begin[1] : begin[1] + size[1], begin[0] : begin[0] + size[0]]
    spot[inside > 0] = piece[inside > 0]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
