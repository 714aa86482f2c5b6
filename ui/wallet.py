"""Videos left: the balance, where they come from and until when, new ones, and every movement."""

from __future__ import annotations

from datetime import tzinfo

import streamlit as st

from services import payment_service, wallet_service
from talkingphoto.billing import catalog
from ui import acting, doors, kit, lists, panel, session, topping_up, usage, wording

PATH = "/videos-left"
_ORDER = '<span class="tp-muted">Used from the top down</span>'
_SOURCES = {
    "free": "Free",
    "plan": "Your plan",
    "pack": "Bought",
    "promo": "An offer",
    "goodwill": "From us",
    "gift": "A gift",
}


def page(visit: session.Visit) -> None:
    """Everything about the videos of this customer is on the page."""
    if visit.user is None or visit.account is None:
        doors.ask_to_sign_in("Videos left", back_to=PATH)
        return
    user_id = visit.user.id
    kit.show(kit.heading("Videos left"))
    acting.said()
    wallet = acting.or_none(lambda: wallet_service.wallet_service.wallet(user_id))
    packs = payment_service.payment_service.pricing(user_id).packs
    kit.show(
        f'<div class="tp-two">{_balance(visit, wallet)}{_packs(visit, packs)}</div>',
        _lots(wallet, visit.zone) if wallet else "",
    )
    if wallet is not None and (wallet.can_auto or visit.account.plan is not None):
        topping_up.show(visit, wallet, packs)
    _history(visit, user_id)


def _balance(visit: session.Visit, wallet: wallet_service.Wallet | None) -> str:
    account = visit.account
    assert account is not None
    return (
        '<section class="tp-card"><h2 class="tp-h2">Balance</h2>'
        '<div class="tp-row" style="align-items:baseline;margin-top:14px;gap:8px">'
        f'<span class="tp-big">{account.credits.available:,}</span>'
        f"</div>{usage.meter(account, wallet)}{usage.warning(account, wallet)}"
        f'<p class="tp-next">{kit.esc(" ".join(usage.dates(account, wallet, visit.zone)))}</p>'
        "</section>"
    )


def _packs(visit: session.Visit, packs: tuple[catalog.Pack, ...]) -> str:
    rows = "".join(
        f'<div class="tp-topup"><div><b>{wording.videos(pack.credits)}</b>'
        f'<span class="tp-muted tp-small">{wording.each(pack.price, pack.credits)} a video</span>'
        f'</div><span class="tp-topup__price">{wording.amount(pack.price)}</span>'
        + panel.checkout_button(visit, pack.item, "Buy", name=f"Buy {wording.videos(pack.credits)}")
        + "</div>"
        for pack in packs
    )
    return (
        '<section class="tp-card"><h2 class="tp-h2">Buy more</h2>'
        f'<p class="tp-muted" style="margin:6px 0 12px">Bought videos never expire.</p>{rows}'
        "</section>"
    )


def _lots(wallet: wallet_service.Wallet, zone: tzinfo) -> str:
    head = lists.head("Where they come from", _ORDER, anchor="lots")
    if not wallet.lots:
        return head + kit.empty("No videos to use just now.") + "</section>"
    table = kit.table(
        (("From", False), ("Left", True), ("Expires", False), ("Of", True)),
        (_lot(lot, zone) for lot in wallet.lots),
    )
    return f"{head}{table}</section>"


def _lot(lot: wallet_service.WalletLot, zone: tzinfo) -> str:
    expires = f"{wording.day(lot.expires_at, zone)}" if lot.expires_at else "Never"
    held = " " + kit.badge("On hold", "warn", "gavel") if lot.frozen else ""
    source = _SOURCES.get(lot.source, "")
    quiet = source if lot.description != source else ""
    return (
        f"<tr><td>{kit.esc(lot.description or source)}{held}</td>"
        f'<td class="tp-right">{lot.remaining:,}</td><td class="tp-muted">'
        f"{', '.join(part for part in (expires, quiet.lower()) if part)}</td>"
        f'<td class="tp-right" data-label="of">{lot.credits:,}</td></tr>'
    )


def _history(visit: session.Visit, user_id: str) -> None:
    before = st.query_params.get("before") or None
    ask = wallet_service.wallet_service.statement
    found = acting.or_none(lambda: ask(user_id=user_id, before=before))
    head = lists.head("History", anchor="history")
    if found is None:
        kit.show(head, acting.away("The history cannot be shown just now."), "</section>")
        return
    if not found.rows:
        empty = kit.empty("Nothing yet. Every video added or used appears here.")
        kit.show(head, empty, "</section>")
        return
    kit.show(
        head,
        lists.movements(found.rows, visit.zone),
        lists.pager(PATH, before, found.next),
        "</section>",
    )
