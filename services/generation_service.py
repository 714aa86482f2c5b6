"""Videos: what a customer may ask for, asking for one, and carrying it to its end."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

import structlog
from sqlalchemy.orm import Session

from talkingphoto import runtime as runtimes
from talkingphoto.billing import ledger
from talkingphoto.foundation import errors, ids, jobs
from talkingphoto.generations import downloads, queue, records, reports, rules
from talkingphoto.integrations.cache import Allowance, TryCounter
from talkingphoto.integrations.video import port
from talkingphoto.rendering import carrying, endings, entering, orders, upkeep, views

log = structlog.get_logger()

CONSENT = rules.CONSENT
Order = orders.Order
TierChoice = rules.TierChoice
Problem = views.Problem
PhotoReport = views.PhotoReport
Estimate = views.Estimate
VideoView = views.VideoView
StudioView = views.StudioView
Media = views.Media
MediaKind = Literal["video", "poster"]

PHOTOS_PER_USER = Allowance("video_photo", most=60, seconds=10 * 60)
UPLOADS_PER_USER = Allowance("video_upload", most=40, seconds=60 * 60)
STARTS_PER_USER = Allowance("video_start", most=60, seconds=60 * 60)
REPORTS_PER_IP = Allowance("video_report", most=10, seconds=60 * 60)
LINK_SECONDS = 3600


class GenerationService:
    """The verbs of making videos."""

    def __init__(self, runtime: runtimes.Runtime) -> None:
        self.runtime = runtime
        self._tries = TryCounter(
            runtime.transaction,
            clock=runtime.wall_clock,
            redis_url=runtime.settings.redis_url.get_secret_value(),
        )

    def studio(self, user_id: str, *, limit: int = 24, before: str | None = None) -> StudioView:
        """What the customer may ask for, and a page of their videos, older than `before`."""
        if before is not None and not ids.is_uuid(before):
            raise records.unknown()
        now, info = self.runtime.clock(), self.runtime.engine.info()
        with self.runtime.read_only() as session:
            balance = ledger.balance(session, user_id=user_id, now=now)
            means = orders.means_of(session, user_id=user_id, balance=balance)
            found = records.recent(session, user_id=user_id, limit=limit + 1, before=before)
            waiting = records.unfinished(session, user_id=user_id)
        return StudioView(
            available=balance.available,
            held=balance.held,
            voices=info.voices,
            tiers=tuple(rules.tier_choice(tier, means) for tier in info.tiers),
            waiting=waiting,
            most_waiting=rules.MOST_WAITING,
            videos=tuple(views.video_view(video, now=now) for video in found[:limit]),
            more=len(found) > limit,
        )

    def video(self, *, user_id: str, generation_id: str) -> VideoView:
        """The customer's video as it is now; NotFound when it is not theirs."""
        return views.video_view(
            self._own(user_id=user_id, generation_id=generation_id), now=self.runtime.clock()
        )

    def count_upload(self, user_id: str) -> None:
        """One more file may be taken from the customer; RateLimited when they sent too many."""
        self._count(UPLOADS_PER_USER, user_id)

    def inspect_photo(self, *, user_id: str, photo: bytes) -> PhotoReport:
        """What the engine sees in the photo, or what is wrong with it."""
        try:
            self._count(PHOTOS_PER_USER, user_id)
            voice = self.runtime.engine.info().voices[0].id
            finding = orders.look_at_photo(self.runtime, photo=photo, text=None, voice=voice)
        except errors.AppError as refusal:
            return PhotoReport(Problem(refusal.code, refusal.message), None, ())
        return PhotoReport(None, finding.preview, finding.tiers)

    def check_text(self, *, text: str, voice: str) -> Problem | None:
        """What is wrong with the text for that voice; None when it can be said."""
        return orders.problem_of_text(self.runtime, text=text, voice=voice)

    def estimate(self, *, text: str, voice: str, tier: port.Tier) -> Estimate:
        """About how long the video will play, and how long making it takes."""
        return Estimate(*self.runtime.engine.estimate(text=text, voice=voice, tier=tier))

    def start(self, order: Order) -> VideoView:
        """The video waits to be made and its credit is held, once however often it is asked."""
        orders.require_request_id(order.request_id)
        known = self._of_request(user_id=order.user_id, request_id=order.request_id)
        if known is not None:
            return known
        self._count(STARTS_PER_USER, order.user_id)
        accepted = orders.accept(self.runtime, order)
        now, wall = self.runtime.clock(), self.runtime.wall_clock()
        with entering.stored_photo(self.runtime, accepted.photo) as photo_key:
            new = records.NewGeneration(
                id=order.request_id,
                user_id=order.user_id,
                text=order.text.strip(),
                voice=order.voice,
                language=accepted.language,
                tier=order.tier,
                watermark=accepted.watermark,
                seed=accepted.seed,
                photo_key=photo_key,
                photo_sha256=hashlib.sha256(accepted.photo).hexdigest(),
                due_by=now + rules.DUE_WITHIN,
            )
            with self.runtime.transaction() as session:
                if entering.enter(session, new, now=now, wall=wall):
                    entering.record_consent(
                        self.runtime,
                        session,
                        order,
                        upload_sha256=accepted.upload_sha256,
                        wall=wall,
                    )
        return self.video(user_id=order.user_id, generation_id=order.request_id)

    def remake(self, *, user_id: str, generation_id: str, request_id: str) -> VideoView:
        """The same video waits to be made again for nothing, once and within a day of the first;
        a remake that came to nothing does not count."""
        orders.require_request_id(request_id)
        known = self._of_request(user_id=user_id, request_id=request_id)
        if known is not None:
            return known
        first = self._own(user_id=user_id, generation_id=generation_id)
        now, wall = self.runtime.clock(), self.runtime.wall_clock()
        if not views.video_view(first, now=now).can_remake_free:
            raise errors.Conflict("video.no_remake", "This video cannot be made again for free.")
        self._count(STARTS_PER_USER, user_id)
        assert first.photo_key is not None, "what can be made again has its photo"
        with self.runtime.storage.reading(first.photo_key) as path:
            photo = path.read_bytes()
        orders.require_not_blocked(self.runtime, photo)
        with entering.stored_photo(self.runtime, photo) as photo_key:
            new = records.NewGeneration(
                id=request_id,
                user_id=user_id,
                text=first.text,
                voice=first.voice,
                language=first.language,
                tier=first.tier,
                watermark=first.watermark,
                seed=orders.seed_of(request_id),
                photo_key=photo_key,
                photo_sha256=first.photo_sha256,
                due_by=now + rules.DUE_WITHIN,
                remake_of=first.id,
            )
            with self.runtime.transaction() as session:
                entering.enter(session, new, now=now, wall=wall)
        return self.video(user_id=user_id, generation_id=request_id)

    def cancel(self, *, user_id: str, generation_id: str) -> None:
        """Nobody makes the video any more, or whoever does will stop soon; an ended one stays."""
        # A worker may take the video, or give it back, between our look and our write.
        for _ in range(2 * rules.MOST_ATTEMPTS):
            video = self._own(user_id=user_id, generation_id=generation_id)
            if self._canceled(video):
                return

    def delete(self, *, user_id: str, generation_id: str) -> None:
        """The ended video, its photo and its text are gone; what it cost stays on record."""
        video = self._own(user_id=user_id, generation_id=generation_id)
        if video.state in {"queued", "rendering"}:
            raise errors.Conflict("video.unfinished", "Stop this video before you delete it.")
        now = self.runtime.clock()
        upkeep.forget(self.runtime, generation_id=video.id, now=now, deleted=True)

    def media(self, *, user_id: str, generation_id: str, kind: MediaKind) -> Media:
        """The file of the customer's ready video; NotFound for another's, or when it is gone."""
        return self._media(self._own(user_id=user_id, generation_id=generation_id), kind)

    def delivered(self, *, user_id: str, generation_id: str, kind: downloads.Kind, ip: str) -> None:
        """That the owner saved or played the video is on record, with the sealed address;
        NotFound for another's."""
        self._own(user_id=user_id, generation_id=generation_id)
        new = self.runtime.new_id()
        download = downloads.Download(
            id=new,
            generation_id=generation_id,
            user_id=user_id,
            kind=kind,
            at=self.runtime.clock(),
            ip_sealed=self.runtime.cipher.encrypt(ip, place=downloads.place_of(new)),
        )
        with self.runtime.transaction() as session:
            downloads.record(session, download)

    def media_token(self, *, user_id: str, generation_id: str, kind: MediaKind) -> str:
        """What opens that file for an hour to whoever has it."""
        video = self._own(user_id=user_id, generation_id=generation_id)
        until = self.runtime.wall_clock() + timedelta(seconds=LINK_SECONDS)
        return self.runtime.media_signer.sign(f"{video.id}:{kind}:{int(until.timestamp())}")

    def media_by_token(self, token: str) -> Media:
        """The file that the token opens; NotPermitted when its hour is over, else NotFound."""
        signed = self.runtime.media_signer.read(token)
        if signed is None:
            raise records.unknown()
        generation_id, kind, until = signed.split(":")
        if self.runtime.wall_clock().timestamp() > int(until):
            raise errors.NotPermitted("media.expired", "This link is over. Open the page again.")
        with self.runtime.read_only() as session:
            video = records.find(session, generation_id=generation_id)
        if video is None:
            raise records.unknown()
        return self._media(video, "poster" if kind == "poster" else "video")

    def report(self, *, generation_id: str, reason: str, contact: str, ip: str) -> None:
        """Staff will see that somebody wants this video gone; until they decide it stays."""
        self._count(REPORTS_PER_IP, ip)
        said = reason.strip()
        if not 0 < len(said) <= reports.LONGEST_REASON or len(contact) > reports.LONGEST_CONTACT:
            raise errors.InvalidRequest(
                "report.reason", f"Say why, in at most {reports.LONGEST_REASON} characters."
            )
        if not ids.is_uuid(generation_id):
            raise records.unknown()
        new, wall = self.runtime.new_id(), self.runtime.wall_clock()
        sealed = self.runtime.cipher.encrypt(ip, place=f"takedown_reports:ip_sealed:{new}")
        with self.runtime.transaction() as session:
            if records.find(session, generation_id=generation_id) is None:
                raise records.unknown()
            made = reports.Report(new, generation_id, wall, said, contact.strip())
            reports.add(session, made, ip_sealed=sealed)
        log.warning("alert.video_reported", generation_id=generation_id, report_id=new)

    def reports(self, *, limit: int = 50) -> tuple[reports.Report, ...]:
        """What staff has not decided yet, the oldest first."""
        with self.runtime.read_only() as session:
            return reports.waiting(session, limit=limit)

    def decide(self, *, generation_id: str, hide: bool) -> int:
        """The reports on the video are closed: how many. Hidden, nobody sees it any more and its
        photo is not used again; the other decision takes that back."""
        if not ids.is_uuid(generation_id):
            raise records.unknown()
        now = self.runtime.clock()
        with self.runtime.transaction() as session:
            video = records.find(session, generation_id=generation_id)
            if video is None:
                raise records.unknown()
            if hide:
                reports.block_photo(
                    session, generation_id=generation_id, reason="reported", now=now
                )
            elif video.hidden_at is not None:
                reports.unblock_photo(session, generation_id=generation_id)
            return reports.close(session, generation_id=generation_id, hide=hide, now=now)

    def run(self) -> None:
        """The fairest waiting video was carried to its end, or as far as one worker can."""
        now, wall = self.runtime.clock(), self.runtime.wall_clock()
        machine = self._machine()
        with self.runtime.transaction() as session:
            room = machine is None or queue.has_room(
                session, machine=machine, most=self.runtime.renders_at_once, wall=wall
            )
            claim = queue.claim(session, now=now, wall=wall, machine=machine) if room else None
        try:
            if claim is not None:
                log.info("video.claimed", generation_id=claim.id, attempt=claim.attempt)
                self._conclude(claim, carrying.carry(self.runtime, claim))
        finally:
            upkeep.wake_for_rest(self.runtime, full=not room)

    def look(self, generation_id: str, attempt: int) -> None:
        """A hosted engine was asked how far that attempt is, and its end is ours too."""
        with self.runtime.read_only() as session:
            claim = queue.of_attempt(session, generation_id=generation_id, attempt=attempt)
        if claim is not None and claim.engine_ref is not None:
            self._conclude(claim, carrying.look(self.runtime, claim))

    def finish(self, claim: queue.Claim, outcome: carrying.Outcome) -> bool:
        """Made, the video is ready and its credit spent; else it waits for another attempt, or its
        credit is back. False when the video is another's by now."""
        if isinstance(outcome, carrying.Made):
            return endings.deliver(self.runtime, claim, outcome.finished)
        if isinstance(outcome, carrying.Failed):
            return endings.fail(self.runtime, claim, outcome.failure)
        ending = queue.Ending(claim.id, claim.attempt, "rendering", None)
        now = self.runtime.clock()
        return endings.end(self.runtime, ending, user_id=claim.user_id, now=now)

    def hear(self, headers: Mapping[str, str], body: bytes) -> None:
        """An engine's callback is a hint to look soon; InvalidRequest when it is none of ours."""
        try:
            heard = self.runtime.engine.parse_webhook(headers, body)
        except port.EngineFault as fault:
            raise orders.refusal_of(fault.failure) from fault
        if heard is None:
            raise errors.InvalidRequest("engine.signature", "This is not a callback of ours.")
        ref, _ = heard
        with self.runtime.transaction() as session:
            known = queue.of_engine(session, engine=ref.engine, engine_ref=ref.id)
            if known is not None:
                self._look_soon(session, *known)

    def sweep(self) -> None:
        """Lost videos have ended, waiting ones will be claimed, and old files are gone."""
        upkeep.end_lost(self.runtime)
        upkeep.wake_for_rest(self.runtime)
        upkeep.forget_old(self.runtime)
        if self.runtime.engine.info().mode == "hosted":
            upkeep.purge(self.runtime)

    def tidy(self) -> None:
        """Files that belong to no video are gone."""
        upkeep.tidy(self.runtime)

    def _canceled(self, video: records.Generation) -> bool:
        """False when the video is not any more as it was seen, and nothing has come of it."""
        if video.state == "queued":
            ending = queue.Ending(video.id, video.attempt, "queued", None)
            now = self.runtime.clock()
            return endings.end(self.runtime, ending, user_id=video.user_id, now=now)
        if video.state != "rendering":
            return True
        with self.runtime.transaction() as session:
            asked = records.ask_to_cancel(session, generation_id=video.id)
            if asked:
                self._look_soon(session, video.id, video.attempt)
        return asked

    def _machine(self) -> str | None:
        """Whose cores a video keeps busy; nobody's of ours with an engine elsewhere."""
        embedded = self.runtime.engine.info().mode == "embedded"
        return self.runtime.machine if embedded else None

    def _own(self, *, user_id: str, generation_id: str) -> records.Generation:
        if not ids.is_uuid(generation_id):
            raise records.unknown()
        with self.runtime.read_only() as session:
            return records.of_user(session, user_id=user_id, generation_id=generation_id)

    def _of_request(self, *, user_id: str, request_id: str) -> VideoView | None:
        """What an earlier try of the same request made, before anything is looked at again."""
        now = self.runtime.clock()
        with self.runtime.read_only() as session:
            known = records.find(session, generation_id=request_id)
        if known is None or known.user_id != user_id:
            return None
        return views.video_view(known, now=now)

    def _count(self, allowance: Allowance, *who: str) -> None:
        wait = self._tries.take(allowance, *who)
        if wait:
            raise errors.RateLimited(
                "video.rate_limited", "Too many tries. Wait a while.", retry_after_seconds=wait
            )

    def _look_soon(self, session: Session, generation_id: str, attempt: int) -> None:
        """A hosted engine is asked as soon as a worker is free; ours is being watched anyway."""
        if self.runtime.engine.info().mode == "hosted":
            jobs.enqueue(session, carrying.look_job(generation_id, attempt, hinted=True))

    def _media(self, video: records.Generation, kind: MediaKind) -> Media:
        key = video.video_key if kind == "video" else video.poster_key
        if key is None or video.hidden_at is not None:
            raise errors.NotFound("media.gone", "This video is not here any more.")
        return views.media(self.runtime.storage.path(key), kind=kind, generation_id=video.id)

    def _conclude(self, claim: queue.Claim, outcome: carrying.Outcome | None) -> None:
        if outcome is not None:
            self.finish(claim, outcome)
        # Whoever ended it: what our engine has of an ended video is of no use to anybody.
        upkeep.purge(self.runtime, only=claim.id)


generation_service = GenerationService(runtimes.current())
