"""Auto top-up: a pack bought by itself, with consent, a limit in money, and an off switch."""

from __future__ import annotations

import streamlit as st

from services import wallet_service
from talkingphoto.billing import catalog
from talkingphoto.foundation import money
from ui import acting, kit, session, standing, wording

_THRESHOLD, _MOST_THRESHOLD = 5, 50
_CAP, _MOST_CAP = 50, 2000


def show(
    visit: session.Visit, wallet: wallet_service.Wallet, packs: tuple[catalog.Pack, ...]
) -> None:
    """It can be turned on, or what it does is said and it can be turned off at once."""
    with st.container(key="tp-auto"):
        auto = wallet.auto
        if auto is not None and auto.on:
            _is_on(visit, auto)
        elif wallet.can_auto:
            _turn_on(visit, auto, packs)
        else:
            _without_card(visit)
    _notices(visit, wallet)


def _notices(visit: session.Visit, wallet: wallet_service.Wallet) -> None:
    """Whether a mail says that videos run low or end; a tick is saved at once."""
    wanted = st.checkbox(
        "E-mail me when my videos run low or are about to expire",
        value=wallet.notices,
        key="tp-notices",
    )
    if wanted != wallet.notices:
        wallet_service.wallet_service.set_notices(user_id=visit.user_id or "", on=wanted)
        told = "We e-mail you when few are left." if wanted else "You get no such mail any more."
        acting.say("Saved.", told)
        st.rerun()


def _is_on(visit: session.Visit, auto: wallet_service.AutoTopUp) -> None:
    badge = kit.badge("On", "good", "check")
    rows = [
        ("Buys", f"{wording.videos(auto.credits)} for {wording.amount(auto.price)}"),
        ("When", f"fewer than {wording.videos(auto.threshold)} are left"),
        ("At most", f"{wording.amount(auto.monthly_cap)} a month"),
        ("This month", f"{wording.amount(auto.spent_this_month)} spent"),
    ]
    kit.show(
        f'<div class="tp-row tp-row--between"><h2 class="tp-h2">Auto top-up</h2>{badge}</div>',
        kit.facts(rows),
    )
    place = st.container()
    if st.button("Turn off", key="tp-auto-off"):
        with acting.refused_in(place):
            wallet_service.wallet_service.turn_off(user_id=visit.user_id or "")
            acting.say("Auto top-up is off.", "Nothing is bought by itself any more.")
            st.rerun()


def _turn_on(
    visit: session.Visit,
    auto: wallet_service.AutoTopUp | None,
    packs: tuple[catalog.Pack, ...],
) -> None:
    """What would be bought, the words to agree to, and the button that begins it."""
    kit.show(
        '<h2 class="tp-h2">Auto top-up</h2><p class="tp-muted" style="margin:6px 0 0">'
        "Off. Never run out in the middle of work: we buy a pack for you when few are left.</p>"
    )
    if auto is not None and auto.stopped_because:
        kit.show(kit.notice("Auto top-up has stopped.", auto.stopped_because, kind="warn"))
    place = st.container()
    with acting.refused_in(place):
        item, threshold, cap_minor = _terms(auto, packs)
        words = wallet_service.wallet_service.consent_words(
            item=item, threshold=threshold, monthly_cap_minor=cap_minor
        )
        # Other terms are another agreement, which nobody has ticked yet.
        consent = st.checkbox(words, key=f"tp-auto-consent:{item}:{threshold}:{cap_minor}")
        if not st.button("Turn on auto top-up", key="tp-auto-on"):
            return
        choice = wallet_service.AutoChoice(
            item=item,
            threshold=threshold,
            monthly_cap_minor=cap_minor,
            consent=consent,
            ip=st.context.ip_address or "127.0.0.1",
        )
        wallet_service.wallet_service.turn_on(user_id=visit.user_id or "", choice=choice)
        acting.say("Auto top-up is on.", "You can turn it off here at any moment.")
        st.rerun()


def _terms(
    auto: wallet_service.AutoTopUp | None, packs: tuple[catalog.Pack, ...]
) -> tuple[str, int, int]:
    """Which pack, below how many videos, and the limit a month in minor units."""
    named = {
        pack.item: f"{wording.videos(pack.credits)} for {wording.amount(pack.price)}"
        for pack in packs
    }
    items = list(named)
    kept = items.index(auto.item) if auto is not None and auto.item in items else 0
    unit = 10 ** money.exponent(packs[0].price.currency)
    with st.container(key="tp-auto-fields", horizontal=True):
        item = st.selectbox("Buy", items, index=kept, format_func=lambda key: named[key])
        threshold = st.number_input(
            "When fewer videos are left than",
            min_value=1,
            max_value=_MOST_THRESHOLD,
            value=auto.threshold if auto else _THRESHOLD,
            step=1,
        )
        cap = st.number_input(
            "At most, in dollars a month",
            min_value=10,
            max_value=_MOST_CAP,
            value=auto.monthly_cap.minor // unit if auto else _CAP,
            step=10,
        )
    return str(item), int(threshold), int(cap) * unit


def _without_card(visit: session.Visit) -> None:
    kit.show(
        '<h2 class="tp-h2">Auto top-up</h2><p class="tp-muted" style="margin:6px 0 12px">'
        "Off. It charges a saved card, and there is none on your account yet. The card of a plan "
        "is saved when you buy it.</p>"
    )
    st.html(standing.update_card(visit, label="Add a card"), width="content")
