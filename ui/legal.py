"""Terms, privacy, refunds, contact: short texts that fit what the product does today."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

from talkingphoto import runtime
from talkingphoto.accounts import terms as accepted
from ui import kit, session, wording

_LIABILITY = """\
<h2>If something goes wrong</h2>
<p>We answer for what we do as the law of the country you live in provides. Nothing here takes
away a right that this law gives you.</p>
<h2>Changes</h2>
<p>We tell you by e-mail 30 days before these terms change. What you have bought by then keeps
the terms it was bought under.</p>
"""


def terms(visit: session.Visit) -> None:
    """The terms of use are on the page."""
    _prose(
        "Terms of use",
        "What you get, what it costs, and what we ask of you.",
        f"""
<h2>What you buy</h2>
<p>TalkingPhoto turns a portrait and a text into a video of the portrait speaking. One video you
make uses one video from your account. If a video cannot be made, it goes back on your account.</p>
<ul><li>A new account has 3 free videos, once.</li>
<li>A plan adds its videos every month, also when you pay by the year. Videos you have not used
roll over one month and then expire.</li>
<li>Videos bought in a pack do not expire.</li></ul>
<h2>Paying</h2>
<p>Prices are in US dollars, before tax. Stripe takes the payment on its own page; we never see
your card number. A plan renews at the end of each month or year, at the price shown on your
account, until you cancel.</p>
<h2>Cancelling</h2>
<p>You can cancel at any time by writing to {_mail(visit)}. The plan then runs to the end of the
time you paid for. Videos bought in a pack stay yours. See also <a href="/refunds">refunds</a>.</p>
<h2>Photos and words</h2>
<ul><li>Use only photos of yourself, or of adults who agreed to it. You confirm this for every
video, and we keep that you did. No photos of anybody under 18, and none of politicians,
celebrities or other public figures.</li>
<li>Do not pretend that somebody said what they did not say, and do not harass or deceive.</li>
<li>Every video carries an “AI-generated” mark for people and one for programs. They stay on.</li>
<li>If you show a video to others, you must say that it is artificial: in the European Union by
law (AI Act, article 50 (4)). The mark helps; the duty is yours.</li></ul>
<p>What you upload and make stays yours. We use it only to make your video and show it to you.</p>
<h2>If rules are broken</h2>
<p>We may stop a video or close an account that breaks these terms. We say why, and give back
the money for videos you paid for and have not used, unless the law forbids it.</p>
{_LIABILITY}""",
    )


def privacy(visit: session.Visit) -> None:
    """The privacy notice is on the page."""
    settings = runtime.current().settings
    days = wording.days
    _prose(
        "Privacy",
        "What we know about you, why, and for how long.",
        f"""
<h2>What we keep</h2>
<ul><li>Your e-mail address, and a fingerprint of your password from which it cannot be read.</li>
<li>When you signed in, and from which address and browser, to protect your account.</li>
<li>What you bought and used, with invoices.</li>
<li>That you accepted the terms, and when.</li></ul>
<p>Card details go to Stripe, which takes the payment. They never reach us.</p>
<h2>Photos</h2>
<p>A photo is used to make your video and for nothing else. It is never used for training, and no
address leads to it: nobody can open it, not even you. To move the mouth, the program finds the
points of the face while it works, and forgets them when it is done. We keep no template of a face
and recognise nobody. With each video we keep what you confirmed about the photo, when and from
which address, and a checksum of it, so that a photo we had to block stays blocked.</p>
<h2>Videos and words</h2>
<p>Your words, your video and its first picture are kept for you and shown to you alone. If
somebody reports a video, a person of ours looks at it; we keep the report and the address it
came from.</p>{_elsewhere(settings.video_engine)}
<h2>How long</h2>
<p>A photo is deleted {days(settings.photo_days)} after its video was made at the latest. A video is
deleted on the day shown beside it in your studio, after at most {days(settings.video_days)}; its
words stay there. When you delete a video, the photo and the words go with it at once.</p>
<p>We keep your account until you ask us to delete it. Invoices and the records behind them stay
as long as tax law requires, without anything else of yours.</p>
<h2>Cookies</h2>
<p>One keeps you signed in. One protects forms against misuse. One holds your e-mail address for
five minutes when a form has to be corrected. There are none for advertising or tracking, and no
page loads anything from other companies.</p>
<h2>Your rights</h2>
<p>You can ask what we hold, have it corrected, receive a copy, or have it deleted. Write to
{_mail(visit)}. You can also complain to the data protection authority where you live.</p>
""",
    )


def _elsewhere(engine: str) -> str:
    """What is said of a service that makes the videos for us, if one does."""
    if engine == "embedded":
        return ""
    return (
        "<p>Videos are made by a service that works for us. It is sent your photo, without where"
        " and when it was taken, and your words, and is told to delete both when you do.</p>"
    )


def refunds(visit: session.Visit) -> None:
    """The refund policy is on the page."""
    _prose(
        "Refunds",
        "Unused videos can be returned for 14 days.",
        f"""
<h2>Within 14 days of paying</h2>
<p>You can take back any payment, for a plan or for a pack, without giving a reason. You get back
the price of the videos you have not used; the ones you have used are paid for. Nothing used,
everything back.</p>
<h2>After 14 days</h2>
<p>A plan can be cancelled at any time and runs to the end of the time paid for; that time is
not refunded. If we charged you by mistake, we refund it whenever you find it.</p>
<h2>How</h2>
<p>Open the payment under <a href="/invoices">Invoices</a> on your account and return it: you see
the exact sum first. The money goes back to the card it came from, usually within 5 to 10 days, and
the list then says “Refunded”. We take the refunded videos off your account. You can also write to
{_mail(visit)} and name the invoice.</p>
<h2>Videos that could not be made</h2>
<p>They need no refund: the video goes back on your account by itself.</p>
""",
    )


def contact(visit: session.Visit) -> None:
    """The way to reach a person is on the page."""
    _prose(
        "Contact",
        "A person reads every message.",
        f"""
<p style="margin-top:24px">Write to {_mail(visit)}.</p>
<h2>About a payment</h2>
<p>Write from the address of your account and name the invoice number. Never send a card number,
not even a part of it: we do not need it.</p>
<h2>Changing or cancelling a plan</h2>
<p>You can do both on your <a href="/account">account page</a>, and see the date and the sum first.
If something does not work there, write to us.</p>
<h2>About a video</h2>
<p>If a video shows you and you did not agree, send us the video or its link. We take it down first
and ask questions after.</p>
""",
    )


def _prose(heading: str, lead: str, body: str) -> None:
    # What people accept is dated by the version that is recorded with their acceptance.
    changed = datetime.fromisoformat(accepted.CURRENT_VERSION).replace(tzinfo=UTC)
    kit.show(
        f'<article class="tp-prose"><h1 class="tp-h1">{heading}</h1><p class="tp-lead">{lead}</p>'
        f'{body}<p class="tp-muted tp-small" style="margin-top:32px">'
        f"As of {wording.day(changed, UTC)}.</p></article>"
    )


def _mail(visit: session.Visit) -> str:
    address = kit.esc(f"support@{urlsplit(visit.app_url).hostname or 'localhost'}")
    return f'<a href="mailto:{address}">{address}</a>'
