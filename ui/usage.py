"""Videos left: how many, of what, how far through they are, and until when they last."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from services import payment_service, wallet_service
from talkingphoto import runtime
from ui import kit, standing, wording

_MONTH = timedelta(days=30)
_WARNINGS = {"low": "warn", "out": "bad", "expiring": "warn"}


def card(
    view: payment_service.AccountView, wallet: wallet_service.Wallet | None, zone: tzinfo
) -> str:
    """The card of the account page; without the wallet it still says how many there are."""
    credits = view.credits
    reset = wording.day(credits.next_credits_at, zone) if credits.next_credits_at else ""
    paid_up = view.plan is not None and view.plan.status not in standing.OWING
    resets = f'<span class="tp-muted">New ones on {reset}</span>' if reset and paid_up else ""
    return (
        '<section class="tp-card"><div class="tp-row tp-row--between">'
        f'<h2 class="tp-h2">Videos left</h2>{resets}</div>'
        '<div class="tp-row" style="align-items:baseline;margin-top:14px;gap:8px">'
        f'<span class="tp-big">{credits.available:,}</span></div>'
        f"{meter(view, wallet)}{_parts(credits)}{warning(view, wallet)}"
        f'<p class="tp-next">{kit.esc(" ".join(dates(view, wallet, zone)))}</p>'
        '<div class="tp-card__foot"><div class="tp-acts">'
        f"{kit.link_button('Buy more videos', '/videos-left')}"
        f"{kit.inner_link('Where they come from', '/videos-left#lots')}</div></div></section>"
    )


def meter(view: payment_service.AccountView, wallet: wallet_service.Wallet | None) -> str:
    """Used and left of what the plan brought this month; of everything there is without a plan."""
    if wallet is None:
        return ""
    planned = view.plan is not None
    total, left = _this_month(view, wallet) if planned else _all(wallet)
    if not total:
        return ""
    now = _now_in_period(view.credits.next_credits_at) if planned else None
    unit = "videos of this month" if planned else "videos"
    return (
        kit.meter(total - left, total, now=now, unit=unit)
        + f'<div class="tp-meter__ends"><span>{total - left:,} of {total:,} used</span>'
        f"<span>{left:,} left{' this month' if planned else ''}</span></div>"
    )


def _this_month(
    view: payment_service.AccountView, wallet: wallet_service.Wallet
) -> tuple[int, int]:
    """How many came with this month, and how many of them are left."""
    assert view.plan is not None
    lots = [lot for lot in wallet.lots if lot.source == "plan" and lot.expires_at is not None]
    if not lots:
        return view.plan.monthly_credits, 0
    # What was kept from the month before runs out earlier, and is used first.
    latest = max(lot.expires_at for lot in lots if lot.expires_at is not None)
    newest = [lot for lot in lots if lot.expires_at == latest]
    return sum(lot.credits for lot in newest), sum(lot.remaining for lot in newest)


def _all(wallet: wallet_service.Wallet) -> tuple[int, int]:
    return sum(lot.credits for lot in wallet.lots), sum(lot.remaining for lot in wallet.lots)


def warning(view: payment_service.AccountView, wallet: wallet_service.Wallet | None) -> str:
    """That they are running out, or about to expire, if so."""
    # Nobody has run out of what never came: a new account is told to confirm its address instead.
    if wallet is None or not wallet.warning or not view.statement:
        return ""
    kind = _WARNINGS[wallet.warning]
    symbol = "error" if kind == "bad" else "warning"
    return (
        f'<p class="tp-warn tp-warn--{kind}" role="status">{kit.icon(symbol)}'
        f"<span>{kit.esc(wallet.warning_words)}</span></p>"
    )


def dates(
    view: payment_service.AccountView, wallet: wallet_service.Wallet | None, zone: tzinfo
) -> list[str]:
    """A date on every promise: what is set aside, what arrives, what expires, how long it lasts."""
    credits = view.credits
    sentences = _kept_back(credits, wallet)
    if wallet is not None and wallet.forecast.words and not wallet.warning:
        sentences.append(wallet.forecast.words)
    paid_up = view.plan is not None and view.plan.status not in standing.OWING
    if credits.next_credits_at and credits.next_credits and paid_up:
        date = wording.day(credits.next_credits_at, zone)
        sentences.append(f"{credits.next_credits:,} more on {date}.")
    if credits.next_expiry and credits.next_expiring:
        date = wording.day(credits.next_expiry, zone)
        verb = "expires" if credits.next_expiring == 1 else "expire"
        sentences.append(f"{credits.next_expiring:,} {verb} on {date}.")
    elif credits.available:
        sentences.append("None of them expires.")
    return sentences


def _kept_back(
    credits: payment_service.CreditsView, wallet: wallet_service.Wallet | None
) -> list[str]:
    sentences = []
    if credits.held:
        verb = wording.are(credits.held)
        sentences.append(f"{wording.videos(credits.held)} {verb} set aside for work under way.")
    if wallet is not None and wallet.frozen:
        verb = wording.are(wallet.frozen)
        sentences.append(
            f"{wording.videos(wallet.frozen)} {verb} on hold while your bank looks at a payment."
        )
    if wallet is not None and wallet.owed:
        sentences.append(
            f"{wording.videos(wallet.owed)} that were refunded had been used already; the next "
            "ones you get make up for them."
        )
    return sentences


def _parts(credits: payment_service.CreditsView) -> str:
    """The three kinds with their swatches."""
    parts = [
        (kind, count, words)
        for kind, count, words in (
            ("plan", credits.from_plan, "in your plan"),
            ("free", credits.free, "free"),
            ("pack", credits.bought, "bought"),
        )
        if count
    ]
    legend = "".join(
        f'<li><span class="tp-swatch is-{kind}" aria-hidden="true"></span>{count:,} {words}</li>'
        for kind, count, words in parts
    )
    return f'<ul class="tp-parts">{legend}</ul>'


def _now_in_period(ends: datetime | None) -> float | None:
    """Where this moment is in the month that ends then: 0 at its start, 1 at its end."""
    if ends is None:
        return None
    left = (ends - runtime.current().clock()) / _MONTH
    return min(1.0, max(0.0, 1 - left))
