"""Turns untrusted bytes into the pixels of an upright photo, or says what is wrong with them."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageCms

from talkingphoto.integrations.video import port
from talkingphoto.integrations.video.engine.networks import Picture

MOST_BYTES = 12 * 1024 * 1024
# Of each kind, so that decoding stays below 500 MB: the WEBP decoder holds four copies.
MOST_PIXELS: Mapping[str, int] = {"JPEG": 40_000_000, "PNG": 40_000_000, "WEBP": 25_000_000}
LEAST_SIDE = 160
# The engine works on photos of at most this many pixels on the longer side.
WORK_SIDE = 2048

# A little less than WORK_SIDE: a camera's 4000 pixels are then halved as they are decoded, in a
# third of the time.
_DRAFT_SIDE = 1900
_JPEG_QUALITY = 92
# A photo has about ten scans. Each can be made to cost much time and few bytes; the two that begin
# one are also found by chance, 192 times in 12 MB of anything, such as a film behind the photo.
_SCAN = b"\xff\xda"
_MOST_SCANS = 500
# What a file begins with; a photo of these kinds is taken.
_TAKEN: Mapping[str, bytes] = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n"}
# Kinds that people take for a photo, each with the place and the bytes that tell it.
_OTHERS: Final = (
    ("GIF", 0, b"GIF8"),
    ("HEIC", 4, b"ftyphei"),
    ("HEIC", 4, b"ftyphev"),
    ("HEIC", 4, b"ftypmif1"),
    ("HEIC", 4, b"ftypmsf1"),
    ("AVIF", 4, b"ftypavi"),
    ("PDF", 0, b"%PDF"),
    ("TIFF", 0, b"II*\x00"),
    ("TIFF", 0, b"MM\x00*"),
    ("BMP", 0, b"BM"),
    ("PSD", 0, b"8BPS"),
)
# How an orientation of the camera (EXIF tag 274) is undone.
_UPRIGHT: Mapping[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# What Pillow raises over bytes that are not what they claim to be.
_BROKEN: Final = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)
_WHITE = (255, 255, 255, 255)


def decoded(data: bytes) -> Picture:
    """The photo as BGR pixels (height, width, 3): upright, sRGB, nothing else of the file kept.

    Its longer side is at most WORK_SIDE. EngineFault not_an_image, unsupported_format, animated,
    truncated, file_too_large, image_too_large or image_too_small otherwise.
    """
    if len(data) > MOST_BYTES:
        raise _fault("file_too_large", "This file is over 12 MB. Save it smaller and try again.")
    kind = _kind(data)
    try:
        with warnings.catch_warnings():
            # A size at which Pillow only warns is beyond ours.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _pixels(_opened(data, kind))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels(kind) from None
    except _BROKEN as fault:
        raise _broken(fault) from None


def normalised_jpeg(photo: Picture) -> bytes:
    """The photo as a JPEG that holds its pixels and nothing else."""
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    # Colour at full size: the mouth is red on skin, and the photo is decoded once more.
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    written, encoded = cv2.imencode(".jpg", photo, options)
    assert written, "a photo that was decoded can be encoded"
    return encoded.tobytes()


def _kind(data: bytes) -> str:
    """JPEG, PNG or WEBP, by what the file begins with: neither its name nor its type is asked."""
    for kind, begins in _TAKEN.items():
        if data.startswith(begins):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    for kind, place, begins in _OTHERS:
        if data.startswith(begins, place):
            message = f"This is a {kind} file. Save the photo as JPEG, PNG or WEBP and try again."
            raise _fault("unsupported_format", message)
    if b"<svg" in data[:1024].lower():
        message = "This is an SVG drawing. Use a photo in JPEG, PNG or WEBP."
        raise _fault("unsupported_format", message)
    raise _fault("not_an_image", "This file is not a photo. Use a JPEG, PNG or WEBP.")


def _opened(data: bytes, kind: str) -> Image.Image:
    if kind == "WEBP":
        # Its decoder makes room for all pixels before it tells how many there are.
        _require_size(_webp_size(data), kind)
    if kind == "JPEG" and data.count(_SCAN) > _MOST_SCANS:
        raise SyntaxError
    image = Image.open(io.BytesIO(data), formats=[kind])
    _require_size(image.size, kind)
    _require_still(image)
    if kind == "JPEG":
        # Decoded at a half, a quarter or an eighth of its size where that is enough.
        part = _DRAFT_SIDE / max(image.size)
        image.draft(None, (int(image.width * part), int(image.height * part)))
    return image


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height from the header (RFC 9649) of a lossy, lossless or extended file."""
    head = data[12:30]
    if len(head) < 18 or int.from_bytes(data[4:8], "little") > len(data) - 8:
        raise EOFError
    if head[:4] == b"VP8X":
        return _int24(head[12:15]) + 1, _int24(head[15:18]) + 1
    if head[:4] == b"VP8L":
        bits = int.from_bytes(head[9:13], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", head[14:18])
    return width & 0x3FFF, height & 0x3FFF


def _int24(three: bytes) -> int:
    return int.from_bytes(three, "little")


def _require_size(size: tuple[int, int], kind: str) -> None:
    if size[0] * size[1] > MOST_PIXELS[kind]:
        raise _too_many_pixels(kind)
    if min(size) < LEAST_SIDE:
        message = f"This photo is too small. Use one of at least {LEAST_SIDE} pixels a side."
        raise _fault("image_too_small", message)


def _require_still(image: Image.Image) -> None:
    # A JPEG of several pictures is a camera's, and its first is the photo.
    if image.format in ("PNG", "WEBP") and getattr(image, "n_frames", 1) > 1:
        raise _fault("animated", "This picture moves. Use a photo that stands still.")


def _pixels(image: Image.Image) -> Picture:
    orientation, profile = _orientation(image), image.info.get("icc_profile")
    image = _eight_bit(image)
    image.thumbnail((WORK_SIDE, WORK_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, _WHITE), image).convert("RGB")
    image = _in_srgb(image, profile)
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    return np.asarray(cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR), np.uint8)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except _BROKEN:
        return 1  # Notes that cannot be read are no reason to refuse the photo.


def _eight_bit(image: Image.Image) -> Image.Image:
    """The photo as L, RGB, RGBA or CMYK: the modes that can be scaled and have a profile."""
    image.load()
    if image.mode.startswith("I"):
        levels = np.asarray(image).astype(np.uint32) >> 8
        return Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    if image.mode in ("LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    return image if image.mode in ("L", "RGB", "RGBA", "CMYK") else image.convert("RGB")


def _in_srgb(image: Image.Image, profile: object) -> Image.Image:
    """RGB; by the photo's colour profile when it has one that can be used."""
    if isinstance(profile, bytes) and image.mode in ("RGB", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, *_BROKEN):
            pass  # As most programs do: its colours are taken for the usual ones.
    return image.convert("RGB")


def _broken(fault: BaseException) -> port.EngineFault:
    if isinstance(fault, EOFError) or "truncated" in str(fault).lower():
        message = "Part of this file is missing. Copy or save the photo again, and try that."
        return _fault("truncated", message)
    message = "This photo cannot be read. Save it as JPEG again, and try that."
    return _fault("not_an_image", message)


def _too_many_pixels(kind: str) -> port.EngineFault:
    millions = MOST_PIXELS[kind] // 1_000_000
    message = f"This photo has more than {millions} million pixels. Save it smaller and try again."
    return _fault("image_too_large", message)


def _fault(code: str, message: str) -> port.EngineFault:
    return port.EngineFault(port.EngineFailure(code, "user_input", message))
