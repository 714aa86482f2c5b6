"""The way out for e-mail: an SMTP server, or files in a folder while none is set."""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from talkingphoto.foundation import database, errors

TIMEOUT_SECONDS = 10
_TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "email"
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class Mailer:
    """Sends one message at a time; never used inside a transaction."""

    def __init__(self, *, smtp_url: str, sender: str, folder: Path) -> None:
        self._smtp_url = smtp_url
        self._sender = sender
        self._folder = folder
        self._pages = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
        )

    def send(self, *, to: str, template: str, key: str, facts: dict[str, str]) -> None:
        """The message has left, or lies in the folder; Unavailable when the server refuses.

        `key` names the fact, so a message sent twice carries the same Message-ID."""
        database.assert_outside_transaction()
        message = self._compose(to=to, template=template, key=key, facts=facts)
        if not self._smtp_url:
            self._file(message, key=key)
            return
        try:
            self._deliver(message)
        except (OSError, smtplib.SMTPException) as fault:
            raise errors.Unavailable("mail.unavailable", "The mail server does not answer.") from (
                fault
            )

    def _compose(self, *, to: str, template: str, key: str, facts: dict[str, str]) -> EmailMessage:
        text = self._pages.get_template(f"{template}.txt").render(facts)
        subject, _, body = text.partition("\n")
        host = self._sender.rpartition("@")[2].strip("> ")
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = to
        message["Subject"] = subject
        message["Message-ID"] = f"<{_file_name(key)}@{host}>"
        message.set_content(body.strip() + "\n")
        message.add_alternative(
            self._pages.get_template(f"{template}.html").render(facts), subtype="html"
        )
        return message

    def _file(self, message: EmailMessage, *, key: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{_file_name(key)}.eml").write_bytes(bytes(message))

    def _deliver(self, message: EmailMessage) -> None:
        server = urlsplit(self._smtp_url)
        host, port = server.hostname or "localhost", server.port or _PORTS[server.scheme]
        if server.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
            )
        else:
            smtp = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
        with closing(smtp):
            if server.scheme == "smtp+starttls":
                smtp.starttls(context=ssl.create_default_context())
            if server.username:
                smtp.login(unquote(server.username), unquote(server.password or ""))
            smtp.send_message(message)


def _file_name(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", key)
