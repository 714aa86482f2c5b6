"""Whether a video can be made of a photo and a text: all that is looked at before any credit is."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from talkingphoto.billing import ledger, subscriptions
from talkingphoto.foundation import errors, ids
from talkingphoto.generations import reports, rules
from talkingphoto.integrations.video import port
from talkingphoto.rendering.views import Problem
from talkingphoto.runtime import Runtime

LARGEST_PHOTO_BYTES = 12 * 1024 * 1024
# NUL and lone halves of a letter: neither the database nor an engine takes them.
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
_NOT_STORED = Problem(
    "text_unspeakable", "The text holds a letter that cannot be read. Type it again."
)
# What the customer can mend is their request's fault; the rest is ours.
_OF_THE_REQUEST = frozenset({"user_input", "content_rejected"})


@dataclass(frozen=True)
class Order:
    """A video asked for; the request's id becomes the video's, `photo` is the file as uploaded."""

    user_id: str
    request_id: str
    photo: bytes
    text: str
    voice: str
    tier: port.Tier
    consent: bool
    ip: str


@dataclass(frozen=True)
class Accepted:
    """An order that can be made: the photo as we keep it, the voice's language, and our mark."""

    photo: bytes
    upload_sha256: str
    language: str
    watermark: bool
    seed: int


def accept(runtime: Runtime, order: Order) -> Accepted:
    """The order can be made; InvalidRequest says why not, Unavailable that we cannot tell."""
    if not order.consent:
        raise errors.InvalidRequest(
            "video.consent", "Confirm that you may use this photo before we make it speak."
        )
    choice = _allowed(runtime, order)
    refused = problem_of_text(runtime, text=order.text, voice=None)
    if refused is not None:
        raise errors.InvalidRequest(refused.code, refused.message)
    finding = look_at_photo(runtime, photo=order.photo, text=order.text, voice=order.voice)
    if order.tier not in finding.tiers:
        raise errors.InvalidRequest(
            "video.photo_small",
            f"The face in this photo is too small for {order.tier}. Choose a smaller size.",
        )
    return Accepted(
        photo=finding.clean,
        upload_sha256=hashlib.sha256(order.photo).hexdigest(),
        language=_language(runtime, order.voice),
        watermark=choice.watermark,
        seed=seed_of(order.request_id),
    )


def require_request_id(request_id: str) -> None:
    """Returns when it is a UUID; InvalidRequest otherwise."""
    if not ids.is_uuid(request_id):
        raise errors.InvalidRequest(
            "video.request_id", "This form is out of date. Reload the page and try again."
        )


def look_at_photo(
    runtime: Runtime, *, photo: bytes, text: str | None, voice: str
) -> port.PhotoFinding:
    """What the engine sees in it; the first of what is wrong with it, or the text, as a refusal."""
    if len(photo) > LARGEST_PHOTO_BYTES:
        raise errors.InvalidRequest("image_too_heavy", "This file is larger than 12 MB.")
    require_not_blocked(runtime, photo)
    try:
        checked = runtime.engine.check(photo=photo, text=text, voice=voice)
    except port.EngineFault as fault:
        raise refusal_of(fault.failure) from fault
    for failure in checked.failures:
        raise refusal_of(failure)
    assert checked.photo is not None, "a photo without failures has a finding"
    # The same picture in another wrapping is the same file once it is cleaned.
    require_not_blocked(runtime, checked.photo.clean)
    return checked.photo


def problem_of_text(runtime: Runtime, *, text: str, voice: str | None) -> Problem | None:
    """What is wrong with the text: what it says, or, asked for a voice, that it cannot be said."""
    # First what keeps the rest from being asked: reading megabytes would keep others waiting.
    overlong = port.too_long(text)
    if overlong is not None:
        return Problem(overlong.code, overlong.message)
    if _NOT_TEXT.search(text):
        return _NOT_STORED
    objection = runtime.moderation.look(text)
    if objection is not None:
        return Problem(objection.code, objection.message)
    if voice is None:
        return None
    try:
        checked = runtime.engine.check(photo=None, text=text, voice=voice)
    except port.EngineFault as fault:
        return Problem(fault.failure.code, fault.failure.message)
    for failure in checked.failures:
        return Problem(failure.code, failure.message)
    return None


def require_not_blocked(runtime: Runtime, photo: bytes) -> None:
    """Returns when nobody has decided against that photo; InvalidRequest otherwise."""
    with runtime.read_only() as session:
        if reports.is_blocked(session, sha256=hashlib.sha256(photo).hexdigest()):
            raise errors.InvalidRequest(
                "video.photo_blocked", "This photo cannot be used here. Choose another one."
            )


def refusal_of(failure: port.EngineFailure) -> errors.AppError:
    """The refusal with the failure's own code and message."""
    kind = errors.InvalidRequest if failure.kind in _OF_THE_REQUEST else errors.Unavailable
    return kind(failure.code, failure.message)


def means_of(session: Session, *, user_id: str, balance: ledger.Balance) -> rules.Means:
    """What the customer pays with, as the tiers ask for it."""
    plan = subscriptions.of_customer(session, user_id=user_id)
    return rules.Means(
        plan=plan.item.product_key if plan else None, has_pack=balance.by_source["pack"] > 0
    )


def seed_of(request_id: str) -> int:
    """What makes this video's small motions its own, the same each time it is made."""
    return UUID(request_id).int % 2**31


def _allowed(runtime: Runtime, order: Order) -> rules.TierChoice:
    if order.tier not in rules.TIERS:
        raise errors.InvalidRequest("video.tier_unknown", "Choose one of the sizes on the list.")
    now = runtime.clock()
    with runtime.read_only() as session:
        balance = ledger.balance(session, user_id=order.user_id, now=now)
        means = means_of(session, user_id=order.user_id, balance=balance)
    choice = rules.tier_choice(order.tier, means)
    if not choice.allowed:
        raise errors.NotPermitted("video.tier", f"{order.tier}: {choice.why}")
    if balance.available < rules.CREDITS_A_VIDEO:
        raise errors.InsufficientCredits("credits.insufficient", "You have no videos left.")
    return choice


def _language(runtime: Runtime, voice: str) -> str:
    known = {info.id: info.language for info in runtime.engine.info().voices}
    if voice not in known:
        raise errors.InvalidRequest("voice_unknown", "Choose one of the voices on the list.")
    return known[voice]
