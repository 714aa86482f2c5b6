"""Photos come from strangers: what is not a usable photo is refused, and only pixels go on."""

from __future__ import annotations

import io
import math

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms

from talkingphoto.integrations.video import port
from talkingphoto.integrations.video.engine import networks, photo
from tests.engine import pictures

PNG = pictures.encoded(pictures.portrait(), "PNG")
WEBP = pictures.encoded(pictures.portrait(), "WEBP")
FILES = {"JPEG": pictures.PORTRAIT, "PNG": PNG, "WEBP": WEBP}
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"
AVIF = b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1"
SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"></svg>'
SMALL = pictures.portrait().resize((160, 200))


def refusal(data: bytes) -> port.EngineFailure:
    """Why this is no photo."""
    with pytest.raises(port.EngineFault) as caught:
        photo.decoded(data)
    assert caught.value.failure.kind == "user_input"
    return caught.value.failure


def difference(one: networks.Picture, other: networks.Picture) -> float:
    """The mean difference of two pictures, in levels of 255."""
    assert one.shape == other.shape
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize("kind", FILES)
def test_a_photo_is_decoded_to_its_pixels(kind: str) -> None:
    found = photo.decoded(FILES[kind])
    assert found.dtype == np.uint8
    assert difference(found, pictures.pixels(pictures.portrait())) < 4


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"only words", b"<!doctype html><html><script>", b"PK\x03\x04" * 99]
)
def test_f1_what_is_no_picture_is_refused_whatever_its_name_says(data: bytes) -> None:
    assert refusal(data).code == "not_an_image"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("GIF", pictures.encoded(pictures.portrait(), "GIF")),
        ("TIFF", pictures.encoded(pictures.portrait(), "TIFF")),
        ("BMP", pictures.encoded(pictures.portrait(), "BMP")),
        ("PDF", pictures.encoded(pictures.portrait(), "PDF")),
        ("HEIC", HEIC),
        ("AVIF", AVIF),
        ("SVG", SVG),
    ],
)
def test_f1_other_kinds_of_picture_are_refused_by_their_name(name: str, data: bytes) -> None:
    failure = refusal(data)
    assert failure.code == "unsupported_format"
    assert name in failure.message
    assert "JPEG" in failure.message


@pytest.mark.parametrize("kind", FILES)
def test_f1_a_payload_behind_the_picture_does_not_survive(kind: str) -> None:
    payload = b"PK\x03\x04" + b"evil.sh" * 100
    kept = photo.normalised_jpeg(photo.decoded(FILES[kind] + payload))
    assert b"evil" not in kept
    assert b"PK\x03\x04" not in kept


def test_f2_twelve_megabytes_are_taken_and_a_byte_more_is_not() -> None:
    room = photo.MOST_BYTES - len(pictures.PORTRAIT)
    assert photo.decoded(pictures.PORTRAIT + bytes(room)).shape == (800, 640, 3)
    failure = refusal(pictures.PORTRAIT + bytes(room + 1))
    assert failure.code == "file_too_large"
    assert failure.message == "This file is over 12 MB. Save it smaller and try again."


@pytest.mark.parametrize(
    "data",
    [
        pictures.png_header(30_000, 30_000),
        pictures.png_header(10_000, 10_000),
        pictures.resized_in_header(pictures.PORTRAIT, 30_000, 30_000),
        pictures.resized_in_header(pictures.PORTRAIT, 8000, 5001),
        pictures.webp_header(16_383, 16_383),
    ],
)
def test_f3_too_many_pixels_are_refused_by_the_header_alone(data: bytes) -> None:
    assert refusal(data).code == "image_too_large"


def test_f3_forty_million_pixels_are_the_limit_and_25_million_for_a_webp() -> None:
    # There are no pixels behind these headers: who gets as far as decoding finds them missing.
    assert refusal(pictures.png_header(8000, 5000)).code == "truncated"
    assert "40 million" in refusal(pictures.png_header(8000, 5001)).message
    assert refusal(pictures.webp_header(5000, 5000)).code == "not_an_image"
    assert "25 million" in refusal(pictures.webp_header(5000, 5001)).message


def test_f3_a_jpeg_with_hundreds_of_scans_is_refused_before_it_costs_anything() -> None:
    scan = pictures.PORTRAIT[pictures.PORTRAIT.find(b"\xff\xda") :]
    assert refusal(pictures.PORTRAIT + scan[:20] * 600).code == "not_an_image"


@pytest.mark.parametrize("kind", FILES)
def test_a_photo_of_160_pixels_is_taken_and_one_of_159_is_not(kind: str) -> None:
    assert photo.decoded(pictures.encoded(SMALL, kind)).shape == (200, 160, 3)
    failure = refusal(pictures.encoded(SMALL.resize((159, 200)), kind))
    assert failure.code == "image_too_small"
    assert "160 pixels" in failure.message


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("part", [0.0005, 0.01, 0.5, 0.98])
def test_a_file_that_was_cut_short_is_refused(kind: str, part: float) -> None:
    data = FILES[kind]
    assert refusal(data[: int(len(data) * part)]).code == "truncated"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_picture_that_moves_is_refused(kind: str) -> None:
    moving = pictures.encoded(SMALL, kind, save_all=True, append_images=[SMALL.rotate(9)])
    assert refusal(moving).code == "animated"


def test_of_a_camera_s_file_with_two_pictures_the_first_is_taken() -> None:
    blank = Image.new("RGB", (640, 800))
    both = pictures.encoded(pictures.portrait(), "MPO", save_all=True, append_images=[blank])
    assert difference(photo.decoded(both), photo.decoded(pictures.PORTRAIT)) < 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_f3_a_photo_taken_with_a_turned_camera_is_upright(orientation: int) -> None:
    undone = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,  # Held so, the camera writes what is to be turned back.
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    as_stored = pictures.portrait()
    if orientation in undone:
        as_stored = as_stored.transpose(undone[orientation])
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    found = photo.decoded(pictures.encoded(as_stored, "JPEG", exif=exif))
    assert difference(found, pictures.pixels(pictures.portrait())) < 4


def test_f3_neither_place_nor_camera_nor_profile_is_kept() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Secretcam"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    noted = pictures.encoded(
        pictures.portrait(), "JPEG", exif=exif, icc_profile=profile, comment=b"at home"
    )
    assert b"Secretcam" in noted
    kept = photo.normalised_jpeg(photo.decoded(noted))
    again = Image.open(io.BytesIO(kept))
    assert again.format == "JPEG"
    assert dict(again.getexif()) == {}
    assert set(again.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert b"Secretcam" not in kept


def test_a_normalised_photo_shows_the_same() -> None:
    before = photo.decoded(pictures.PORTRAIT)
    assert difference(photo.decoded(photo.normalised_jpeg(before)), before) < 2


@pytest.mark.parametrize(
    ("mode", "kind"), [("L", "PNG"), ("LA", "PNG"), ("1", "PNG"), ("P", "PNG"), ("RGBA", "PNG")]
)
def test_every_mode_of_a_png_is_understood(mode: str, kind: str) -> None:
    drawn = pictures.portrait().convert(mode)
    expected = pictures.pixels(drawn.convert("RGB"))
    assert difference(photo.decoded(pictures.encoded(drawn, kind)), expected) < 1


def test_sixteen_bits_a_channel_become_eight() -> None:
    eight = pictures.pixels(pictures.portrait())
    for picture in (eight, cv2.cvtColor(eight, cv2.COLOR_BGR2GRAY)):
        written, file = cv2.imencode(".png", picture.astype(np.uint16) * 257)
        assert written
        expected = eight if picture.ndim == 3 else cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
        assert difference(photo.decoded(file.tobytes()), np.asarray(expected, np.uint8)) < 1


def test_print_colours_become_screen_colours() -> None:
    printed = pictures.encoded(pictures.portrait().convert("CMYK"), "JPEG", quality=95)
    assert difference(photo.decoded(printed), photo.decoded(pictures.PORTRAIT)) < 4


def test_what_is_transparent_is_white() -> None:
    clear = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    assert (photo.decoded(pictures.encoded(clear, "PNG")) == 255).all()
    palette = pictures.portrait().quantize(16)
    palette.paste(0, (0, 0, 100, 100))
    see_through = photo.decoded(pictures.encoded(palette, "PNG", transparency=0))
    assert (see_through[:100, :100] == 255).all()


def test_colours_are_read_by_the_photo_s_own_profile() -> None:
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # A screen whose red shines blue: its profile says which number means which light.
    swapped = plain.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    red = Image.new("RGB", (200, 200), (250, 20, 20))
    found = photo.decoded(pictures.encoded(red, "PNG", icc_profile=swapped))
    assert found[100, 100].tolist() == pytest.approx([250, 20, 20], abs=3)
    kept = photo.decoded(pictures.encoded(red, "PNG", icc_profile=plain))
    assert kept[100, 100].tolist() == pytest.approx([20, 20, 250], abs=3)


def test_a_profile_that_cannot_be_read_is_passed_over() -> None:
    noted = pictures.encoded(pictures.portrait(), "JPEG", icc_profile=b"no profile" * 20)
    assert difference(photo.decoded(noted), photo.decoded(pictures.PORTRAIT)) < 4


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("size", [(2048, 1200), (2049, 1200), (1500, 4000), (4000, 3000)])
def test_a_large_photo_is_reduced_and_keeps_its_shape(kind: str, size: tuple[int, int]) -> None:
    found = photo.decoded(pictures.encoded(pictures.portrait().resize(size), kind))
    height, width = found.shape[:2]
    assert photo.WORK_SIDE * 0.92 < max(width, height) <= photo.WORK_SIDE
    assert math.isclose(width / height, size[0] / size[1], rel_tol=0.003)


def survives(data: bytes) -> None:
    """Either pixels, or a refusal of ours with words for the customer."""
    try:
        found = photo.decoded(data)
    except port.EngineFault as fault:
        assert fault.failure.message.endswith(".")
    else:
        assert found.dtype == np.uint8
        assert found.shape[2] == 3


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(begin=st.sampled_from([b"", b"\xff\xd8\xff", PNG[:33], WEBP[:30]]), rest=st.binary())
def test_whatever_bytes_come_only_a_refusal_of_ours_goes(begin: bytes, rest: bytes) -> None:
    survives(begin + rest)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(sorted(FILES)),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    head_only=st.booleans(),
)
def test_a_photo_with_damaged_bytes_gives_pixels_or_a_refusal(
    kind: str, changes: list[tuple[float, int]], head_only: bool
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    damaged = bytearray(pictures.encoded(SMALL, kind, exif=exif))
    reach = min(len(damaged), 400) if head_only else len(damaged)
    for place, value in changes:
        damaged[int(place * reach)] = value
    survives(bytes(damaged))
