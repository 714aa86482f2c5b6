"""Somebody who proves their address as everybody does: by the link in the mail they were sent."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy import text

from services.auth_service import AuthService
from services.mail_service import MailService
from talkingphoto.runtime import Runtime

_LINK = re.compile(r"(https?://\S+/auth/verify\?token=(\S+))")


def prove(runtime: Runtime, user_id: str, *, ip: str = "127.0.0.1") -> None:
    """The address is proved: the owed link was sent to the outbox folder and used."""
    AuthService(runtime).verify(token=token_for(runtime, user_id), ip=ip)


def prove_address(runtime: Runtime, email: str) -> None:
    """The address of whoever has that one is proved."""
    with runtime.read_only() as session:
        found = session.execute(text("SELECT id FROM users WHERE email = :email"), {"email": email})
        user_id = str(found.scalar_one())
    prove(runtime, user_id)


def token_for(runtime: Runtime, user_id: str) -> str:
    """What the newest link to that user proves it with; the link is sent if it was not yet."""
    with runtime.read_only() as session:
        key = session.execute(
            text(
                "SELECT key FROM mails WHERE user_id = :id AND template = 'verify_email'"
                " ORDER BY created_at DESC, state LIMIT 1"
            ),
            {"id": user_id},
        ).scalar_one()
    MailService(runtime).send(key)
    with runtime.transaction() as session:
        # A worker has done it: its job is gone, and tests that count jobs do not meet it.
        session.execute(
            text("DELETE FROM procrastinate_jobs WHERE queueing_lock = :lock"),
            {"lock": f"mail:{key}"},
        )
    links = sent_links(runtime.settings.data / "outbox", key)
    return unquote(links[-1][1])


def sent_links(outbox: Path, key: str) -> list[tuple[str, str]]:
    """The addresses and tokens of the links in the messages whose key begins so."""
    named = re.sub(r"[^A-Za-z0-9]+", "-", key)
    found = []
    for path in sorted(outbox.glob(f"{named}*.eml"), key=lambda path: path.stat().st_mtime):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        part = mail.get_body(("plain",))
        assert part is not None
        found += _LINK.findall(part.get_content())
    return found


def link_to(outbox: Path, email: str) -> str | None:
    """The newest link that lies in the outbox for that address."""
    for path in sorted(outbox.glob("verify-email-*.eml"), key=lambda p: -p.stat().st_mtime):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        part = mail.get_body(("plain",))
        if mail["To"] == email and part is not None:
            return str(_LINK.findall(part.get_content())[0][0])
    return None
