"""Studio: photo, words, voice and consent on the left, the frame that will speak on the right."""

from __future__ import annotations

import streamlit as st

from services import generation_service, payment_service
from talkingphoto.foundation import errors
from talkingphoto.integrations.video import port
from ui import (
    doors,
    gallery,
    kit,
    making,
    messages,
    once,
    panel,
    players,
    session,
    verifying,
    wording,
)

_TRIED = "tp:tried"
_REFUSED = "tp:refused"


def page(visit: session.Visit) -> None:
    """A video can be made here, and those that were made are below."""
    if visit.user is None or visit.account is None:
        doors.ask_to_sign_in("Studio", back_to="/studio")
        return
    view = generation_service.generation_service.studio(visit.user.id, limit=gallery.PAGE)
    once.settle(view.videos)
    kit.show('<h1 class="tp-h1 tp-studio-head">New video</h1>')
    with st.container(key="tp-maker"):
        _maker(visit, visit.user.id, view)
    gallery.show(visit, visit.user.id)


def _maker(visit: session.Visit, user_id: str, view: generation_service.StudioView) -> None:
    """The form, the frame, and what is refused beside its field."""
    with st.container(key="tp-maker-photo"):
        photo = making.photo(user_id)
        beside_photo = st.container()
    frame = st.container(key="tp-maker-frame")
    with st.container(key="tp-maker-words"):
        text = making.words()
        below_text = st.container(key="tp-count")
        voice = making.voice(view.voices)
        tier = making.quality(view.tiers, photo)
        consent = making.consent(generation_service.CONSENT, photo)
        beside_consent = st.container()
        estimate, wrong = _judged(text, voice.id, tier)
        draft = making.Draft(photo, text, voice, tier, consent, wrong)
        beside_button = st.container()
        _make(visit, view, draft)
    refused = _refused(draft)
    with below_text:
        kit.show(making.count(text, estimate))
        _say(refused, "text")
    for slot, name in (
        (beside_photo, "photo"),
        (beside_consent, "consent"),
        (beside_button, "form"),
    ):
        with slot:
            _say(refused, name)
    preview = photo.report.preview if photo else None
    with frame:
        seconds = estimate.video_seconds if estimate else None
        kit.show(players.frame(preview, text, seconds=seconds))


def _judged(
    text: str, voice: str, tier: port.Tier | None
) -> tuple[generation_service.Estimate | None, str]:
    """How long the video will be and take, or what is wrong with the text."""
    service = generation_service.generation_service
    problem = service.check_text(text=text, voice=voice)
    if problem is not None:
        return None, problem.message
    return service.estimate(text=text, voice=voice, tier=tier or "540p"), ""


def _refused(draft: making.Draft) -> dict[str, str]:
    """What is said beside which field: of what is there at once, of what is missing once asked."""
    refused = draft.missing
    if not st.session_state.get(_TRIED):
        # An empty form is no mistake yet.
        if draft.photo is None:
            refused.pop("photo", None)
        if not draft.text.strip():
            refused.pop("text", None)
        refused.pop("consent", None)
    said: tuple[str, str, str] | None = st.session_state.get(_REFUSED)
    if said is not None and said[0] == draft.intent:
        refused[said[1]] = said[2]
    return refused


def _say(refused: dict[str, str], name: str) -> None:
    if name in refused:
        making.error(refused[name])


def _make(visit: session.Visit, view: generation_service.StudioView, draft: making.Draft) -> None:
    """What it costs, and the one button; or why there is none just now."""
    if view.available < 1:
        confirm = verifying.ask(visit)
        if confirm:
            kit.show(confirm)
        else:
            _buy_more(visit)
        return
    kit.show(
        kit.facts([("Cost", f"1 video. You have {view.available:,}.")]).replace(
            "tp-facts", "tp-facts tp-cost"
        )
    )
    full = view.waiting >= view.most_waiting
    if st.button("Make video", key="tp-make", type="primary", width="stretch", disabled=full):
        _start(visit, draft)
    kit.show(f'<p class="tp-hint">{_below_button(view, draft, full=full)}</p>')


def _below_button(view: generation_service.StudioView, draft: making.Draft, *, full: bool) -> str:
    if full:
        return (
            f"{wording.videos(view.waiting)} {wording.are(view.waiting)} under way. "
            "The next one can start when one of them is done."
        )
    if once.made(draft.intent):
        return (
            'This video is <a class="tp-link" href="#videos">below</a>. '
            "Change the words for another one."
        )
    return "If it cannot be made, the video goes back on your account."


def _start(visit: session.Visit, draft: making.Draft) -> None:
    """The video is under way, or what keeps it from being so is said beside its field."""
    assert visit.user is not None
    st.session_state[_TRIED] = True
    if draft.missing or draft.photo is None or draft.tier is None:
        return
    order = generation_service.Order(
        user_id=visit.user.id,
        request_id=session.request_id(draft.intent),
        photo=draft.photo.data,
        text=draft.text,
        voice=draft.voice.id,
        tier=draft.tier,
        consent=draft.consent,
        ip=st.context.ip_address or "127.0.0.1",
    )
    try:
        made = generation_service.generation_service.start(order)
    except errors.AppError as refusal:
        said = messages.of(refusal.code).text if refusal.code in messages.codes() else None
        field = making.field_of(refusal.code)
        st.session_state[_REFUSED] = (draft.intent, field, said or refusal.message)
        return
    once.remember(draft.intent, made.id)
    once.keep_picture(made.id, draft.photo.report.preview)
    st.session_state.pop(_TRIED, None)
    st.session_state.pop(_REFUSED, None)
    gallery.quiet()
    st.rerun()


def _buy_more(visit: session.Visit) -> None:
    """No video left: what more cost, and when there are new ones anyway."""
    assert visit.account is not None
    offer = payment_service.payment_service.pricing(visit.user_id)
    pack = min(offer.packs, key=lambda pack: pack.credits, default=None)
    credits = visit.account.credits
    more = f"{pack.credits} more cost {wording.amount(pack.price)}" if pack else ""
    if credits.next_credits_at and credits.next_credits:
        day = wording.day(credits.next_credits_at, visit.zone)
        more += f"{', or wait' if more else 'Wait'} until {day}"
    action = (
        panel.checkout_button(
            visit, pack.item, f"Buy {pack.credits} videos", style="tp-btn--primary"
        )
        if pack
        else kit.link_button("See plans", "/", primary=True)
    )
    kit.show(
        kit.notice(
            "You have used all your videos.", f"{more}." if more else "", kind="warn", action=action
        )
    )
