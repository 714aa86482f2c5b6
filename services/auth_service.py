"""Accounts, and who is signed in."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from talkingphoto import runtime as runtimes
from talkingphoto.accounts import (
    audit,
    free_videos,
    mails,
    passwords,
    sessions,
    staff,
    terms,
    users,
    verifications,
)
from talkingphoto.billing import catalog, closings, customers, free, returns, top_up_terms
from talkingphoto.foundation import errors
from talkingphoto.integrations.cache import Allowance, TryCounter
from talkingphoto.workflows import closing

# Tries are counted by account and address together, so that nobody can lock the owner out.
TRIES_PER_ACCOUNT = Allowance("sign_in_account", most=10, seconds=15 * 60)
TRIES_PER_IP = Allowance("sign_in_ip", most=100, seconds=15 * 60)
SIGN_UPS_PER_IP = Allowance("sign_up_ip", most=30, seconds=60 * 60)
# The sixth mail in an hour is not sent, and nobody is told: the answer would say who lives there.
LINKS_PER_ADDRESS = Allowance("verify_mail", most=5, seconds=60 * 60)
_BATCH = 1000

User = users.User


@dataclass(frozen=True)
class SignedIn:
    """Who signed in, and the token that proves it from now on; only its hash is stored."""

    user: User
    token: str


@dataclass(frozen=True)
class FreeVideos:
    """Where the free videos of a user stand, and what to do about it if anything."""

    state: Literal["to_confirm", "granted", "same_person", "network"]
    words: str


_FREE_WORDS = {
    "to_confirm": f"Confirm your e-mail to get {catalog.FREE_CREDITS} free videos.",
    "granted": "",
    "same_person": (
        "You had your free videos on another account of yours. Buy a plan or a pack to go on here."
    ),
    "network": (
        "Many people of your network had free videos lately, so yours wait. "
        "They come with your first purchase; or write to us."
    ),
}


class AuthService:
    """Sign-up, sign-in, sign-out, and whose token one is."""

    def __init__(self, runtime: runtimes.Runtime) -> None:
        self.runtime = runtime
        self._tries = TryCounter(
            runtime.transaction,
            clock=runtime.wall_clock,
            redis_url=runtime.settings.redis_url.get_secret_value(),
        )

    def register(
        self,
        *,
        email: str,
        password: str,
        terms_accepted: bool,
        ip: str,
        user_agent: str,
        replaces: str | None = None,
    ) -> SignedIn:
        """The account exists and is signed in, a link that proves its address is on its way;
        `replaces` is over."""
        if not terms_accepted:
            raise errors.InvalidRequest("auth.terms", "Accept the terms to make an account.")
        address = users.check_email(email)
        passwords.check(password, email=address)
        self._count(SIGN_UPS_PER_IP, _network(ip))
        may_write = not self._tries.take(LINKS_PER_ADDRESS, users.email_key(address))
        now = self.runtime.clock()
        user = User(self.runtime.new_id(), address, now)
        password_hash = passwords.hash_of(password)
        browser = sessions.Browser(ip, user_agent)
        with self.runtime.transaction() as session:
            users.add(session, user=user, password_hash=password_hash)
            self._accept_terms(session, user_id=user.id, ip=ip)
            customers.ensure(session, user_id=user.id, now=now)
            if may_write:
                self._owe_link(session, user_id=user.id)
            self._record(session, "account.created", user_id=user.id, ip=ip)
            return self._open(session, user=user, browser=browser, replaces=replaces)

    def sign_in(
        self, *, email: str, password: str, ip: str, user_agent: str, replaces: str | None = None
    ) -> SignedIn:
        """A new session is open and `replaces` is over; NotPermitted when the two do not match."""
        account = (users.email_key(email), _network(ip))
        self._count(TRIES_PER_IP, _network(ip))
        self._count(TRIES_PER_ACCOUNT, *account)
        secret = self._secret_of(email)
        # One hash is computed whether or not there is an account, so time tells nothing.
        proved = passwords.matches(secret.password_hash if secret else None, password)
        if secret is None or not proved:
            with self.runtime.transaction() as session:
                self._record(
                    session, "sign_in.failed", user_id=secret.user.id if secret else None, ip=ip
                )
            raise errors.NotPermitted(
                "auth.mismatch", "That e-mail and password do not match. Check both."
            )
        self._tries.clear(TRIES_PER_ACCOUNT, *account)
        renewed = _renewed(secret.password_hash, password)
        with self.runtime.transaction() as session:
            if renewed:
                users.replace_hash(
                    session, user_id=secret.user.id, old=secret.password_hash, new=renewed
                )
            self._record(session, "sign_in.succeeded", user_id=secret.user.id, ip=ip)
            browser = sessions.Browser(ip, user_agent)
            return self._open(session, user=secret.user, browser=browser, replaces=replaces)

    def sign_out(self, token: str | None, *, ip: str = "") -> None:
        """The token signs nobody in, here and in every open tab."""
        if not token:
            return
        with self.runtime.transaction() as session:
            user_id = sessions.end(session, token=token)
            if user_id:
                self._record(session, "signed_out", user_id=user_id, ip=ip)

    def resend_link(self, user_id: str) -> None:
        """A new link is on its way, unless the address is proved or had five within the hour."""
        with self.runtime.read_only() as session:
            if verifications.is_proved(session, user_id=user_id):
                return
            address = users.get(session, user_id=user_id).email
        if self._tries.take(LINKS_PER_ADDRESS, users.email_key(address)):
            return
        with self.runtime.transaction() as session:
            self._owe_link(session, user_id=user_id)

    def verify(self, *, token: str, ip: str) -> FreeVideos:
        """The address is proved, and the free videos are there if none of this person's are yet.

        InvalidRequest for a link that was used, is too old, or is none of ours."""
        wall, now = self.runtime.wall_clock(), self.runtime.clock()
        with self.runtime.transaction() as session:
            proved = verifications.use(session, token=token, purpose="verify_email", now=wall)
            user_id = proved.user_id
            verifications.mark_proved(session, user_id=user_id, now=wall)
            customers.ensure(session, user_id=user_id, now=now)
            customers.lock(session, user_id=user_id)
            state = free_videos.claim(
                session, user_id=user_id, email=proved.email_key, ip=ip, now=now
            )
            if state == "granted":
                free.grant(session, user_id=user_id, now=now)
            self._record(session, "email.proved", user_id=user_id, ip=ip)
        return FreeVideos(state, _FREE_WORDS[state])

    def free_videos(self, user_id: str) -> FreeVideos:
        """Where the free videos of that user stand."""
        with self.runtime.read_only() as session:
            claimed = free_videos.state_of(session, user_id=user_id)
        state = claimed or "to_confirm"
        return FreeVideos(state, _FREE_WORDS[state])

    def current_user(self, token: str | None, *, active: bool = True) -> User | None:
        """Whose live session that is; a page that asks by itself says it is not `active`."""
        if not token:
            return None
        with self.runtime.transaction() as session:
            now = self.runtime.wall_clock()
            return sessions.user_of(session, token=token, active=active, now=now)

    def role_of(self, user_id: str) -> staff.Role:
        """What that user may do, as of now."""
        with self.runtime.read_only() as session:
            return staff.role_of(session, user_id=user_id)

    def appoint(self, *, email: str, role: staff.Role, reason: str) -> None:
        """Whoever has that address has the role, and that is on record; for the command line."""
        with self.runtime.transaction() as session:
            user_id = staff.appoint(session, email=email, role=role)
            action = staff.Action(
                self.runtime.new_id(), "operator", f"role.{role}", user_id, reason
            )
            staff.record(session, action=action, now=self.runtime.wall_clock())

    def delete_account(self, user_id: str, *, ip: str = "") -> None:
        """The account is over: nobody signs in, its plan ends at once, its open pages are closed,
        and what is paid for it later goes back in full, as does what was paid a moment ago and not
        used. The address is free; the free videos of a person are not there twice."""
        now = self.runtime.clock()
        with self.runtime.transaction() as session:
            # Before the payment, or after it: a webhook of this instant waits for this lock.
            customers.lock(session, user_id=user_id)
            if not users.delete(session, user_id=user_id, now=now):
                return
            sessions.end_all(session, user_id=user_id)
            self._record(session, "account.deleted", user_id=user_id, ip=ip)
            top_up_terms.turn_off(session, user_id=user_id, now=now)
            closings.owe(session, user_id=user_id, now=now)
            returns.owe_late(session, user_id=user_id, now=now)
        # What Stripe cannot do now, the next minute does.
        closing.run_due(self.runtime)

    def forget_past(self) -> int:
        """Sessions and links that ended by themselves and counters of past tries are gone."""
        with self.runtime.transaction() as session:
            now = self.runtime.wall_clock()
            ended = sessions.forget_ended(session, now=now, limit=_BATCH)
            ended += verifications.forget_past(session, now=now, limit=_BATCH)
        return ended + self._tries.forget_past(limit=_BATCH)

    def _count(self, allowance: Allowance, *who: str) -> None:
        wait = self._tries.take(allowance, *who)
        if wait:
            raise errors.RateLimited(
                "auth.rate_limited", "Too many tries. Wait a while.", retry_after_seconds=wait
            )

    def _owe_link(self, session: Session, *, user_id: str) -> None:
        mails.owe(
            session,
            key=f"verify_email:{user_id}:{self.runtime.new_id()}",
            user_id=user_id,
            template="verify_email",
            facts={},
            now=self.runtime.clock(),
        )

    def _secret_of(self, email: str) -> users.Secret | None:
        try:
            address = users.check_email(email)
        except errors.InvalidRequest:
            return None
        with self.runtime.transaction() as session:
            return users.secret_of(session, email=address)

    def _open(
        self, session: Session, *, user: User, browser: sessions.Browser, replaces: str | None
    ) -> SignedIn:
        if replaces:
            sessions.end(session, token=replaces)
        token = sessions.start(
            session,
            user_id=user.id,
            browser=browser,
            cipher=self.runtime.cipher,
            now=self.runtime.wall_clock(),
        )
        return SignedIn(user, token)

    def _record(self, session: Session, kind: audit.Kind, *, user_id: str | None, ip: str) -> None:
        event = audit.Event(self.runtime.new_id(), kind, user_id, ip)
        now = self.runtime.wall_clock()
        audit.record(session, event=event, cipher=self.runtime.cipher, now=now)

    def _accept_terms(self, session: Session, *, user_id: str, ip: str) -> None:
        now = self.runtime.wall_clock()
        terms.accept(session, user_id=user_id, ip=ip, cipher=self.runtime.cipher, now=now)


def _renewed(stored: str, password: str) -> str | None:
    return passwords.hash_of(password) if passwords.is_outdated(stored) else None


def _network(ip: str) -> str:
    """Whom an address belongs to: an IPv4 one, or the 64 bits that one IPv6 customer is given."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


auth_service = AuthService(runtimes.current())
