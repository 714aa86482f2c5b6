"""Where the studio says a refusal: each code of the service beside the field it is about."""

from __future__ import annotations

import pytest

from ui import making

FIELDS = {
    "photo": (
        *("not_an_image", "unsupported_format", "image_too_large", "image_too_small"),
        *("image_too_heavy", "animated", "no_face", "several_faces", "face_too_small"),
        *("face_not_frontal", "face_cut_off", "video.photo_small", "video.photo_blocked"),
    ),
    "text": (
        *("text_empty", "text_too_long", "text_unspeakable", "text_wrong_script"),
        *("voice_unknown", "video_too_long", "content_rejected", "moderation.threat"),
    ),
    "consent": ("video.consent",),
    "form": (
        *("video.too_many", "video.rate_limited", "video.tier", "video.request_id"),
        *("credits.insufficient", "engine_busy", "something.new"),
    ),
}


@pytest.mark.parametrize(
    ("field", "code"), [(field, code) for field, codes in FIELDS.items() for code in codes]
)
def test_a_refusal_stands_beside_its_field(field: str, code: str) -> None:
    assert making.field_of(code) == field
