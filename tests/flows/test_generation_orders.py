"""What is looked at before a credit is held, and that a video begins once or not at all."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from services.generation_service import PHOTOS_PER_USER, VideoView
from talkingphoto.foundation import errors, settings
from talkingphoto.integrations.video.port import Tier
from tests.support.pocket_engine import portrait
from tests.support.studio import WORDS, Studio

REFUSED: dict[str, tuple[dict[str, object], type[errors.AppError], str]] = {
    "no consent": ({"consent": False}, errors.InvalidRequest, "video.consent"),
    "a text file": ({"photo": b"hello"}, errors.InvalidRequest, "not_an_image"),
    "no text": ({"text": " \n"}, errors.InvalidRequest, "text_empty"),
    "a long text": ({"text": "a" * 10_000}, errors.InvalidRequest, "text_too_long"),
    "a threat": ({"text": "I will kill you."}, errors.InvalidRequest, "moderation.threat"),
    "no such voice": ({"voice": "nobody"}, errors.InvalidRequest, "voice_unknown"),
    "no such size": ({"tier": "4k"}, errors.InvalidRequest, "video.tier_unknown"),
    "a size of others": ({"tier": "720p"}, errors.NotPermitted, "video.tier"),
    "no request": ({"request_id": "1"}, errors.InvalidRequest, "video.request_id"),
    "12 MiB and a byte": (
        {"photo": b"\x89PNG" + bytes(12 * 1024 * 1024 - 3)},
        errors.InvalidRequest,
        "image_too_heavy",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_f6_what_cannot_be_made_is_refused_by_name_and_costs_nothing(
    what: str, studio: Studio
) -> None:
    chosen, kind, code = REFUSED[what]
    ada = studio.a_person()
    with pytest.raises(kind) as refused:
        studio.asks(ada, **chosen)
    assert refused.value.code == code
    assert studio.credits(ada) == (3, 0)
    assert studio.stored() == set()
    assert studio.videos.studio(ada).videos == ()


def test_exactly_600_characters_are_taken(studio: Studio) -> None:
    assert studio.asks(studio.a_person(), text="a" * 600).state == "queued"


@pytest.mark.parametrize(
    ("packs", "plan", "allowed", "marked"),
    [
        (0, None, ["540p"], True),
        (1, None, ["540p", "720p"], False),
        (0, "starter", ["540p", "720p"], False),
        (0, "pro", ["540p", "720p", "1080p"], False),
        (0, "enterprise", ["540p", "720p", "1080p"], False),
    ],
)
def test_who_pays_gets_larger_videos_without_our_mark(
    packs: int, plan: str | None, allowed: list[Tier], marked: bool, studio: Studio
) -> None:
    ada = studio.a_person(packs=packs, plan=plan)
    choices = studio.videos.studio(ada).tiers
    assert [choice.tier for choice in choices if choice.allowed] == allowed
    assert all(choice.why for choice in choices if not choice.allowed)
    for tier in allowed:
        studio.makes(ada, tier=tier)
    assert {request.watermark for request in studio.engine.submits} == {
        "TalkingPhoto" if marked else None
    }
    assert [request.tier for request in studio.engine.submits] == allowed


def test_a_plan_that_is_over_allows_no_more_than_free_credits_do(studio: Studio) -> None:
    ada = studio.a_person(plan="pro")
    studio.subscribe(ada, "pro", status="canceled")
    with pytest.raises(errors.NotPermitted):
        studio.asks(ada, tier="720p")


def test_a_photo_too_small_for_1080p_is_told_so(studio: Studio) -> None:
    ada = studio.a_person(plan="pro")
    studio.engine.photo_tiers = ("540p", "720p")
    with pytest.raises(errors.InvalidRequest) as refused:
        studio.asks(ada, tier="1080p")
    assert refused.value.code == "video.photo_small"
    assert studio.asks(ada, tier="720p").state == "queued"


def test_three_videos_may_be_unfinished_and_not_four(studio: Studio) -> None:
    ada = studio.a_person(packs=5)
    for _ in range(3):
        studio.asks(ada)
    view = studio.videos.studio(ada)
    assert (view.waiting, view.most_waiting, view.held) == (3, 3, 3)
    with pytest.raises(errors.Conflict) as refused:
        studio.asks(ada)
    assert refused.value.code == "video.too_many"
    assert studio.credits(ada) == (5, 3)
    studio.videos.run()
    assert studio.asks(ada).state == "queued"


def test_eight_at_once_are_three_videos(studio: Studio) -> None:
    ada = studio.a_person(packs=9)
    made = at_once(lambda: studio.asks(ada), times=8)
    assert len([one for one in made if isinstance(one, VideoView)]) == 3
    assert studio.credits(ada) == (9, 3)
    assert len(studio.stored()) == 3


def test_without_credits_nothing_begins(studio: Studio) -> None:
    ada = studio.a_person()
    for _ in range(3):
        studio.makes(ada)
    with pytest.raises(errors.InsufficientCredits):
        studio.asks(ada)
    assert studio.credits(ada) == (0, 0)


def test_one_credit_begins_one_video_however_many_ask_at_once(studio: Studio) -> None:
    ada = studio.a_person()
    studio.makes(ada)
    studio.makes(ada)
    made = at_once(lambda: studio.asks(ada), times=3)
    refused = [one for one in made if isinstance(one, errors.InsufficientCredits)]
    assert len(refused) == 2
    assert studio.credits(ada) == (0, 1)


def test_the_same_request_is_one_video_and_one_hold_in_eight_threads(studio: Studio) -> None:
    ada = studio.a_person()
    order = studio.order(ada)
    made = at_once(lambda: studio.videos.start(order), times=8)
    assert [one.id for one in made if isinstance(one, VideoView)] == [order.request_id] * 8
    assert studio.credits(ada) == (2, 1)
    assert len(studio.stored()) == 1
    assert len(studio.waiting_jobs("video.render")) == 1
    studio.videos.run()
    studio.videos.run()
    assert len(studio.engine.submits) == 1


def test_the_same_request_in_two_processes_is_one_video_and_one_hold(studio: Studio) -> None:
    ada, request_id = studio.a_person(), str(uuid.uuid4())
    environment = studio.environment()
    asking = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.pocket_worker", "ask", ada, request_id],
            env=environment,
            cwd=settings.PROJECT_ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [one.communicate(timeout=60)[0].strip() for one in asking] == [request_id] * 2
    assert studio.credits(ada) == (2, 1)
    assert len(studio.stored()) == 1


def test_another_s_request_id_opens_nothing(studio: Studio) -> None:
    ada, bob = studio.a_person(), studio.a_person()
    asked = studio.asks(ada)
    with pytest.raises(errors.Conflict):
        studio.asks(bob, request_id=asked.id)
    assert studio.credits(bob) == (3, 0)
    assert len(studio.stored()) == 1


def test_a_deleted_video_s_request_is_used_up(studio: Studio) -> None:
    ada = studio.a_person()
    ready = studio.makes(ada)
    studio.videos.delete(user_id=ada, generation_id=ready.id)
    with pytest.raises(errors.Conflict):
        studio.asks(ada, request_id=ready.id)
    assert studio.credits(ada) == (2, 0)


def test_the_consent_says_who_when_for_which_photo_and_in_which_words(studio: Studio) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada, ip="203.0.113.9")
    query = text("SELECT * FROM consents WHERE generation_id = CAST(:id AS uuid)")
    with studio.runtime.read_only() as session:
        consent = session.execute(query, {"id": asked.id}).one()
    assert (str(consent.user_id), consent.text_version) == (ada, "2026-11")
    assert len(consent.photo_sha256) == 64
    sealed = studio.runtime.cipher.decrypt(
        consent.ip_sealed, place=f"consents:ip_sealed:{asked.id}"
    )
    assert sealed == "203.0.113.9"


def test_a_consent_is_never_changed(studio: Studio) -> None:
    studio.asks(studio.a_person())
    for statement in ("UPDATE consents SET text_version = 'other'", "DELETE FROM consents"):
        with (
            pytest.raises(Exception, match="append only"),
            studio.runtime.transaction() as session,
        ):
            session.execute(text(statement))


def test_a_photo_is_looked_at_without_any_credit(studio: Studio) -> None:
    ada = studio.a_person()
    good = studio.videos.inspect_photo(user_id=ada, photo=portrait())
    assert (good.problem, good.tiers) == (None, ("540p", "720p", "1080p"))
    assert good.preview is not None
    bad = studio.videos.inspect_photo(user_id=ada, photo=b"text")
    assert bad.problem is not None
    assert (bad.problem.code, bad.preview) == ("not_an_image", None)
    assert studio.credits(ada) == (3, 0)


def test_f6_photos_are_looked_at_so_often_and_then_not_for_a_while(studio: Studio) -> None:
    ada, bob = studio.a_person(), studio.a_person()
    for _ in range(PHOTOS_PER_USER.most):
        assert studio.videos.inspect_photo(user_id=ada, photo=b"x").problem
    more = studio.videos.inspect_photo(user_id=ada, photo=portrait())
    assert more.problem is not None
    assert more.problem.code == "video.rate_limited"
    assert studio.videos.inspect_photo(user_id=bob, photo=portrait()).problem is None


def test_a_text_is_judged_before_it_is_sent(studio: Studio) -> None:
    assert studio.videos.check_text(text=WORDS, voice="pocket-one") is None
    for words, code in (("", "text_empty"), ("I will kill you", "moderation.threat")):
        problem = studio.videos.check_text(text=words, voice="pocket-one")
        assert problem is not None
        assert problem.code == code


def test_the_estimate_is_the_engine_s(studio: Studio) -> None:
    studio.engine.seconds = 9
    found = studio.videos.estimate(text="a" * 30, voice="pocket-one", tier="540p")
    assert (found.video_seconds, found.making_seconds) == (2.0, 9)


def test_the_language_is_the_voice_s(studio: Studio) -> None:
    assert studio.asks(studio.a_person(), voice="pocket-two").language == "de"


def at_once(ask: Callable[[], VideoView], *, times: int) -> list[VideoView | errors.AppError]:
    """What so many threads were answered that asked at the same moment."""

    def one() -> VideoView | errors.AppError:
        try:
            return ask()
        except errors.AppError as refusal:
            return refusal

    with ThreadPoolExecutor(times) as threads:
        return [asked.result() for asked in [threads.submit(one) for _ in range(times)]]
