"""Tables of movements and of invoices, the same wherever they stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from services import invoice_service, payment_service, wallet_service
from talkingphoto.billing import ledger
from talkingphoto.foundation.money import Money
from ui import kit, wording

Movement = ledger.StatementRow | wallet_service.StatementLine
SOURCES = {
    "free": "free",
    "plan": "from your plan",
    "pack": "bought",
    "promo": "from an offer",
    "goodwill": "from us",
    "gift": "a gift",
}
_INVOICE_STATES = {
    "paid": ("Paid", "good"),
    "open": ("Unpaid", "bad"),
    "refunded": ("Refunded", ""),
    "partly_refunded": ("Partly refunded", ""),
    "disputed": ("Disputed", "warn"),
    "void": ("Cancelled", ""),
    "failed": ("Failed", "bad"),
}
_UNPAID = frozenset({"open", "failed"})


@dataclass(frozen=True)
class Paper:
    """One line of a list of invoices."""

    id: str
    at: datetime
    description: str
    number: str | None
    total: Money
    status: str
    hosted_url: str | None
    pdf_url: str | None
    refunded: Money | None = None
    dispute: str = ""
    has_receipt: bool = False

    @classmethod
    def of(cls, row: payment_service.InvoiceRow | invoice_service.InvoiceRow) -> Paper:
        """The line for that row."""
        return cls(
            id=row.id,
            at=row.at,
            description=row.description,
            number=row.number,
            total=row.total,
            status=row.status,
            hosted_url=row.hosted_url,
            pdf_url=row.pdf_url,
            refunded=getattr(row, "refunded", None),
            dispute=getattr(row, "dispute", ""),
            has_receipt=getattr(row, "has_receipt", False),
        )


def head(title: str, link: str = "", *, anchor: str = "") -> str:
    """The beginning of a card with a table in it; whoever begins it closes the section."""
    name = f' id="{kit.esc(anchor)}"' if anchor else ""
    return (
        f'<section class="tp-card tp-sheet"><div class="tp-row tp-row--between tp-sheet__head">'
        f'<h2 class="tp-h2"{name}>{kit.esc(title)}</h2>{link}</div>'
    )


def movements(rows: Iterable[Movement], zone: tzinfo) -> str:
    """What came and went, each with the video it is about if there is one."""
    return kit.table(
        (
            ("What happened", False),
            ("Videos", True),
            ("When and from where", False),
            ("Left", True),
        ),
        (_movement(row, zone) for row in rows),
    )


def _movement(row: Movement, zone: tzinfo) -> str:
    # The number comes second in the markup, so a phone shows "what … number" on one line.
    quiet = [wording.day(row.at, zone), SOURCES.get(row.source, "")]
    if row.kind == "grant":
        quiet.append(
            f"expires {wording.day(row.expires_at, zone)}" if row.expires_at else "never expires"
        )
    what = kit.esc(row.description)
    if getattr(row, "video_id", None):
        what = f'<a class="tp-link" href="/studio#videos">{what}</a>'
    plus = " tp-plus" if row.credits > 0 else ""
    return (
        f'<tr><td>{what}</td><td class="tp-right{plus}">'
        f'{wording.change(row.credits)}</td><td class="tp-muted">'
        f"{', '.join(part for part in quiet if part)}</td>"
        f'<td class="tp-right" data-label="Left">{row.balance_after:,}</td></tr>'
    )


def papers(rows: Iterable[Paper], zone: tzinfo, *, open_at: str = "") -> str:
    """Invoices and receipts; `open_at` is the address that shows one of them whole."""
    return kit.table(
        (
            ("For", False),
            ("Amount", True),
            ("Number and date", False),
            ("Status", False),
            ("File", True),
        ),
        (_paper(row, zone, open_at) for row in rows),
    )


def _paper(row: Paper, zone: tzinfo, open_at: str) -> str:
    quiet = ", ".join(part for part in (row.number, wording.day(row.at, zone)) if part)
    return (
        f'<tr><td>{kit.esc(row.description)}</td><td class="tp-right">'
        f'{wording.amount(row.total)}</td><td class="tp-muted">{kit.esc(quiet)}</td>'
        f'<td>{state_of(row)}</td><td class="tp-right">{_file(row, open_at)}</td></tr>'
    )


def state_of(row: Paper) -> str:
    """The state of a payment in one badge."""
    if row.dispute:
        return kit.badge("Disputed", "warn", "gavel")
    label, kind = _INVOICE_STATES.get(row.status, (row.status, ""))
    if row.refunded is not None and 0 < row.refunded.minor < row.total.minor:
        label = f"{wording.amount(row.refunded)} refunded"
    return kit.badge(label, kind)


def _file(row: Paper, open_at: str) -> str:
    named = f"Invoice {row.number}" if row.number else f"Receipt for {row.description}"
    if row.status in _UNPAID:
        return kit.web_link("Pay", row.hosted_url, name=f"Pay {named}")
    paper = kit.web_link("PDF", row.pdf_url, name=f"{named} as PDF") or kit.web_link(
        "View", row.hosted_url, name=f"View {named}"
    )
    if not open_at:
        return paper
    path = kit.esc(kit.query(open_at, payment=row.id))
    whole = f'<a class="tp-link" href="{path}" aria-label="Open {kit.esc(named)}">Open</a>'
    return f'<span class="tp-files">{paper}{whole}</span>'


def pager(path: str, before: str | None, following: str | None) -> str:
    """Links to the older ones and back to the latest, where there are any."""
    links = []
    if before:
        links.append(kit.inner_link("Latest", path))
    if following:
        links.append(kit.inner_link("Older", kit.query(path, before=following)))
    return f'<nav class="tp-pager" aria-label="Pages">{"".join(links)}</nav>' if links else ""
