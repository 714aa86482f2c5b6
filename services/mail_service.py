"""Letters: what is owed is sent, and staff see what was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from talkingphoto import runtime as runtimes
from talkingphoto.accounts import mails, moments, staff, users, verifications
from talkingphoto.foundation import errors
from talkingphoto.integrations import mailer
from talkingphoto.workflows import announcing, letters, refusals

log = structlog.get_logger()
TEMPLATES = tuple(moments.ALL)
Parts = mailer.Parts


@dataclass(frozen=True)
class OutboxRow:
    """One message in the list of staff; `to` is masked for those who need not know."""

    key: str
    to: str
    template: str
    subject: str
    state: mails.State
    tries: int
    at: datetime
    sent_at: datetime | None


@dataclass(frozen=True)
class OutboxPage:
    """Messages, newest first; `next` asks for the older ones, empty at the end."""

    rows: tuple[OutboxRow, ...]
    next: str


class MailService:
    """The verbs of mail."""

    def __init__(self, runtime: runtimes.Runtime) -> None:
        self.runtime = runtime

    def send(self, key: str) -> None:
        """The message of that key has left, once; Unavailable when the mail server is away."""
        with self.runtime.transaction() as session:
            mail = mails.owed(session, key=key)
            if mail is None:
                return  # sent by an earlier run of this job, or given up
            to = self._address(session, mail)
            token = self._link(session, mail)
            letter = letters.compose(session, mail, settings=self.runtime.settings, token=token)
        if not to:
            log.warning("founder.has_no_address", key=key, template=mail.template)
            self._end(key, "kept")
            return
        try:
            self.runtime.mailer.send(to=to, template=letter.template, key=key, words=letter.words)
        except errors.Unavailable:
            with self.runtime.transaction() as session:
                mails.count_try(session, key=key)
            raise
        self._end(key, "sent")

    def announce_renewals(self) -> None:
        """Whoever pays for another year within 30 days was told so."""
        announcing.announce_renewals(self.runtime)

    def send_old_receipt(self, payment_id: str) -> None:
        """The receipt has left for which a version before this one left a job."""
        self.send(mails.receipt_key(payment_id))

    def bury(self, key: str, error: str) -> None:
        """The message is not tried any more, and an alert says so."""
        with self.runtime.transaction() as session:
            given_up = mails.give_up(session, key=key)
        if given_up:
            log.error("alert.mail", key=key, error=error)

    def bury_old_receipt(self, payment_id: str, error: str) -> None:
        """As `bury`, for a job of the version before this one."""
        self.bury(mails.receipt_key(payment_id), error)

    def outbox(self, *, staff_id: str, before: str = "") -> OutboxPage:
        """Messages newest first, those older than `before`; NotPermitted for customers."""
        refused = refusals.on_record(self.runtime, "mail.outbox", staff_id=staff_id)
        with refused, self.runtime.read_only() as session:
            staff.require(session, user_id=staff_id, at_least="support")
            masked = staff.role_of(session, user_id=staff_id) != "admin"
            found = mails.page(session, before=before)
            rows = tuple(self._row(session, mail, masked=masked) for mail in found)
        return OutboxPage(rows, rows[-1].key if len(rows) == mails.MOST_ROWS else "")

    def body(self, *, staff_id: str, key: str) -> Parts:
        """What that message says; NotFound for none. A link that proves an address is left out."""
        refused = refusals.on_record(self.runtime, "mail.body", staff_id=staff_id, about=key)
        with refused, self.runtime.read_only() as session:
            staff.require(session, user_id=staff_id, at_least="support")
            mail = mails.get(session, key=key)
            if mail is None:
                raise errors.NotFound("mail.unknown", "There is no such message.")
            letter = letters.compose(session, mail, settings=self.runtime.settings)
        return self._written(letter)

    def preview(self, *, staff_id: str, template: str) -> Parts:
        """How a message of that template looks; NotFound when there is no such template."""
        refused = refusals.on_record(
            self.runtime, "mail.preview", staff_id=staff_id, about=template
        )
        with refused, self.runtime.read_only() as session:
            staff.require(session, user_id=staff_id, at_least="support")
        if template not in moments.ALL:
            raise errors.NotFound("mail.template_unknown", "There is no such message.")
        return self._written(letters.sample(template, settings=self.runtime.settings))

    def send_again(self, *, staff_id: str, key: str, reason: str) -> None:
        """A message that was given up is on its way again; Conflict for any other."""
        now = self.runtime.wall_clock()
        action = staff.Action(self.runtime.new_id(), staff_id, "mail.send_again", key, reason)
        refused = refusals.on_record(
            self.runtime, action.action, staff_id=staff_id, about=key, reason=reason
        )
        with refused, self.runtime.transaction() as session:
            staff.require(session, user_id=staff_id, at_least="admin")
            if not mails.send_again(session, key=key):
                raise errors.Conflict("mail.not_failed", "This message was not given up.")
            staff.record(session, action=action, now=now)

    def _address(self, session: Session, mail: mails.Mail) -> str:
        if mail.user_id is None:
            return self.runtime.settings.founder_email
        return users.get(session, user_id=mail.user_id).email

    def _link(self, session: Session, mail: mails.Mail) -> str:
        """A token made for this try: it is in the message and nowhere else."""
        if mail.template != "verify_email":
            return ""
        assert mail.user_id is not None
        now = self.runtime.wall_clock()
        return verifications.open_link(
            session, user_id=mail.user_id, purpose="verify_email", now=now
        )

    def _end(self, key: str, state: mails.Over) -> None:
        now = self.runtime.clock()
        with self.runtime.transaction() as session:
            mails.mark(session, key=key, state=state, now=now)

    def _row(self, session: Session, mail: mails.Mail, *, masked: bool) -> OutboxRow:
        to = self._address(session, mail)
        letter = letters.compose(session, mail, settings=self.runtime.settings)
        return OutboxRow(
            key=mail.key,
            to=(users.masked(to) if masked else to) or "the founder, who has no address set",
            template=mail.template,
            subject=self._written(letter).subject,
            state=mail.state,
            tries=mail.tries,
            at=mail.created_at,
            sent_at=mail.sent_at,
        )

    def _written(self, letter: letters.Letter) -> Parts:
        return self.runtime.mailer.write(template=letter.template, words=letter.words)


mail_service = MailService(runtimes.current())
