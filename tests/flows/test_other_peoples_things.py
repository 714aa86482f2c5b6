"""Z2: what belongs to one person is nobody else's to see or to move, whoever they are."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from services.generation_service import Order
from services.office_service import OfficeService
from services.price_service import PriceService
from services.refund_service import RefundOrder
from services.retry_service import RetryService
from services.wallet_service import Gift
from talkingphoto.foundation import errors
from tests.support.money_back import a_colleague, gives_back, newest, payment_of
from tests.support.pocket_engine import PocketEngine, portrait
from tests.support.shop import Person, Shop

DISPUTED = "4000000000000259"
REASON = "Because I want to"
# Tries are counted and refusals are on record; nothing else may change.
_COUNTED = frozenset({"rate_counters", "security_events"})
_DONE = "WHERE action NOT LIKE '%.refused'"
_OURS = (errors.NotFound, errors.NotPermitted)


@dataclass(frozen=True)
class Things:
    """What Ada has, by its ids, and the people who would like to have it."""

    shop: Shop
    ada: Person
    bob: Person
    support: Person
    admin: Person
    payment: str
    refund: str
    dispute: str
    checkout: str
    token: str
    video: str
    line: str
    difference: str
    event: str
    mail: str


Verb = Callable[[Things, str], object]

# The verbs of customers: `who` asks for, or wants to move, what is Ada's.
READS: Mapping[str, Verb] = {
    "the offer of a refund": lambda it, who: it.shop.refunds.offer(
        user_id=who, payment_id=it.payment
    ),
    "a receipt": lambda it, who: it.shop.invoices.receipt_pdf(user_id=who, payment_id=it.payment),
    "the payments after one": lambda it, who: it.shop.invoices.page(user_id=who, before=it.payment),
    "a checkout": lambda it, who: it.shop.payments.confirm_return(
        user_id=who, session_id=it.checkout
    ),
    "a video": lambda it, who: it.shop.generations.video(user_id=who, generation_id=it.video),
    "the film": lambda it, who: it.shop.generations.media(
        user_id=who, generation_id=it.video, kind="video"
    ),
    "the address of the film": lambda it, who: it.shop.generations.media_token(
        user_id=who, generation_id=it.video, kind="video"
    ),
}
WRITES: Mapping[str, Verb] = {
    "a withdrawal": lambda it, who: it.shop.refunds.withdraw(
        user_id=who, payment_id=it.payment, request_id=str(uuid.uuid4())
    ),
    "a withdrawal by the id of a refund": lambda it, who: it.shop.refunds.withdraw(
        user_id=who, payment_id=it.payment, request_id=it.refund
    ),
    "a remake": lambda it, who: it.shop.generations.remake(
        user_id=who, generation_id=it.video, request_id=str(uuid.uuid4())
    ),
    "an end of the making": lambda it, who: it.shop.generations.cancel(
        user_id=who, generation_id=it.video
    ),
    "a deletion": lambda it, who: it.shop.generations.delete(user_id=who, generation_id=it.video),
    "a download on record": lambda it, who: it.shop.generations.delivered(
        user_id=who, generation_id=it.video, kind="saved", ip="127.0.0.1"
    ),
}

# The verbs of staff, called by somebody who is none.
SUPPORT: Mapping[str, Verb] = {
    "a gift": lambda it, who: it.shop.wallets.give(
        staff_id=who, user_id=it.bob.id, gift=Gift(5, "gift", REASON, str(uuid.uuid4()))
    ),
    "a refund": lambda it, who: it.shop.refunds.refund(
        staff_id=who, order=RefundOrder(it.payment, None, REASON, str(uuid.uuid4()))
    ),
    "a refund by the id of another": lambda it, who: it.shop.refunds.refund(
        staff_id=who, order=RefundOrder(it.payment, None, REASON, it.refund)
    ),
    "disputes": lambda it, who: it.shop.refunds.disputes(who),
    "evidence": lambda it, who: it.shop.refunds.evidence(staff_id=who, dispute_id=it.dispute),
    "the end of a freeze": lambda it, who: it.shop.refunds.release_warning(
        staff_id=who, warning_id="issfr_1", reason=REASON
    ),
    "the outbox": lambda it, who: it.shop.letters.outbox(staff_id=who),
    "a letter": lambda it, who: it.shop.letters.body(staff_id=who, key=it.mail),
    "a template": lambda it, who: it.shop.letters.preview(staff_id=who, template="receipt"),
    "differences": lambda it, who: it.shop.reconciliation.differences(staff_id=who),
    "a look-up": lambda it, who: OfficeService(it.shop.runtime).find(
        staff_id=who, asked=it.ada.email
    ),
    "events": lambda it, who: OfficeService(it.shop.runtime).events(staff_id=who),
    "the door of the office": lambda it, who: OfficeService(it.shop.runtime).enter(
        who if who in {it.ada.id, it.bob.id} else None, ip="127.0.0.1"
    ),
    "who pays what": lambda it, who: PriceService(it.shop.runtime).who_pays(staff_id=who),
    "announced prices": lambda it, who: PriceService(it.shop.runtime).announced(staff_id=who),
    "what was got back": lambda it, who: RetryService(it.shop.runtime).recovered(
        staff_id=who, start=it.shop.clock().date(), end=it.shop.clock().date()
    ),
}
ADMIN: Mapping[str, Verb] = {
    "a healing": lambda it, who: it.shop.reconciliation.heal(
        staff_id=who, difference_id=it.difference, reason=REASON
    ),
    "an ignored difference": lambda it, who: it.shop.reconciliation.ignore(
        staff_id=who, difference_id=it.difference, reason=REASON
    ),
    "a replay": lambda it, who: it.shop.reconciliation.replay(
        staff_id=who, event_id=it.event, reason=REASON
    ),
    "a letter once more": lambda it, who: it.shop.letters.send_again(
        staff_id=who, key=it.mail, reason=REASON
    ),
}


@pytest.fixture(scope="module")
def things(storefront: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Things]:
    """Ada's plan, pack, refund, dispute, change, video and letter, in one shop for all tests."""
    shop = storefront
    shop.runtime.engine = PocketEngine()
    folder: Path = tmp_path_factory.mktemp("films")
    shop.runtime.settings = shop.runtime.settings.model_copy(update={"data": folder})
    ada, bob = shop.a_person(), shop.a_person()
    shop.buys(ada, "starter:month")
    checkout = shop.sandbox.client(shop.key).v1.checkout.sessions.list({"limit": 1}).data[0].id
    shop.buys(bob, "pack:10")
    assert shop.pays(ada, "pack:50", card=DISPUTED).status == 303
    shop.deliver(shop.new_events())
    shop.buys(ada, "pack:10")
    # Not the newest: within one second the order of payments is anybody's guess.
    payment = first(shop, "SELECT id FROM payments WHERE item = 'pack:10' AND user_id = :id", ada)
    yield Things(
        shop=shop,
        ada=ada,
        bob=bob,
        support=a_colleague(shop),
        admin=a_colleague(shop, "admin"),
        payment=payment,
        refund=gives_back(shop, payment, 1_00).id,
        dispute=newest(shop, "disputes").id,
        checkout=checkout,
        token=shop.changes.preview(user_id=ada.id, item="pro:month").token,
        video=shop.generations.start(an_order(ada)).id,
        line=shop.wallets.statement(user_id=ada.id).rows[0].id,
        difference=a_difference(shop, ada),
        event=first(shop, "SELECT id FROM stripe_events LIMIT 1"),
        mail=first(shop, "SELECT key FROM mails WHERE user_id = :id LIMIT 1", ada),
    )


@pytest.mark.parametrize("who", ["bob", "support", "admin", "nobody"])
def test_z2_what_is_adas_is_not_found_by_anybody_else(things: Things, who: str) -> None:
    asking = getattr(things, who).id if who != "nobody" else str(uuid.uuid4())
    before = books(things.shop)

    answers = {name: answer(verb, things, asking) for name, verb in {**READS, **WRITES}.items()}

    assert answers == dict.fromkeys(answers, "NotFound")
    assert books(things.shop) == before


@pytest.mark.parametrize("who", ["ada", "bob", "nobody"])
def test_z2_a_customer_does_nothing_of_what_staff_does(things: Things, who: str) -> None:
    asking = getattr(things, who).id if who != "nobody" else str(uuid.uuid4())
    before = books(things.shop)

    answers = {name: answer(verb, things, asking) for name, verb in {**SUPPORT, **ADMIN}.items()}

    assert answers.pop("the door of the office") == "NotFound"
    assert answers == dict.fromkeys(answers, "NotPermitted")
    assert books(things.shop) == before


def test_z2_support_does_nothing_of_what_admins_do(things: Things) -> None:
    before = books(things.shop)

    answers = {name: answer(verb, things, things.support.id) for name, verb in ADMIN.items()}

    assert answers == dict.fromkeys(answers, "NotPermitted")
    assert books(things.shop) == before


def test_z2_the_ids_of_somebody_else_open_nothing_among_ones_own(things: Things) -> None:
    shop, bob = things.shop, things.bob
    his = payment_of(shop, bob)
    before = books(shop)

    with pytest.raises(errors.InvalidRequest) as token:
        shop.changes.confirm(user_id=bob.id, token=things.token, request_id=str(uuid.uuid4()))
    with pytest.raises(errors.Conflict) as used:
        shop.refunds.withdraw(user_id=bob.id, payment_id=his, request_id=things.refund)
    page = shop.wallets.statement(user_id=bob.id, before=things.line)

    assert (token.value.code, used.value.code) == ("change.token", "refund.request_id")
    assert {row.id for row in page.rows} <= {
        row.id for row in shop.wallets.statement(user_id=bob.id).rows
    }
    assert shop.refunds.history(bob.id) == ()
    assert books(shop) == before


def answer(verb: Verb, things: Things, who: str) -> str:
    """What the verb said: the name of its refusal, or that there was none."""
    try:
        verb(things, who)
    except _OURS as refusal:
        return type(refusal).__name__
    return "done"


def an_order(person: Person) -> Order:
    """A short video of somebody."""
    return Order(
        user_id=person.id,
        request_id=str(uuid.uuid4()),
        photo=portrait(),
        text="Good morning.",
        voice="pocket-one",
        tier="540p",
        consent=True,
        ip="192.0.2.7",
    )


def a_difference(shop: Shop, person: Person) -> str:
    """Something that Stripe and we disagree about."""
    with shop.runtime.transaction() as session:
        made = session.execute(
            text("""
                INSERT INTO differences (kind, class, object_id, user_id, ours, theirs, heals,
                    object_at, since, seen_at, state)
                VALUES ('payment', 'amount', 'pi_1', :user_id, '1', '2', true, now(), now(), now(),
                    'open')
                RETURNING id
            """),
            {"user_id": person.id},
        )
        return str(made.scalar_one())


def first(shop: Shop, query: str, person: Person | None = None) -> str:
    """The one text that is asked for, of that person where the query says so."""
    chosen = {"id": person.id} if person else {}
    with shop.runtime.read_only() as session:
        return str(session.execute(text(query), chosen).scalar_one())


def books(shop: Shop) -> dict[str, str]:
    """What every table holds, as a sum."""
    with shop.runtime.read_only() as session:
        names = session.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).scalars()
        sums = " UNION ALL ".join(
            f"SELECT '{name}', md5(string_agg(t::text, ',' ORDER BY t::text)) FROM \"{name}\" t "  # noqa: S608
            + (_DONE if name == "staff_actions" else "")
            for name in names
            if name not in _COUNTED
        )
        return {name: str(total) for name, total in session.execute(text(sums))}
