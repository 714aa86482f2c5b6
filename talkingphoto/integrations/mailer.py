"""The way out for e-mail: an SMTP server, or files in a folder while none is set."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from talkingphoto.foundation import database, errors

TIMEOUT_SECONDS = 10
_TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "email"
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True)
class Parts:
    """A message written out."""

    subject: str
    text: str
    html: str


class Mailer:
    """Sends one message at a time; never used inside a transaction."""

    def __init__(self, *, smtp_url: str, sender: str, folder: Path) -> None:
        self._smtp_url = smtp_url
        self._sender = sender
        self._folder = folder
        # One template a moment: each part puts the same words into a layout of its own.
        self._text = _pages(escaped=False)
        self._html = _pages(escaped=True)

    def write(self, *, template: str, words: Mapping[str, str]) -> Parts:
        """The message as it will read; no word of it becomes markup or a header of its own."""
        told = {name: _one_line(word) for name, word in words.items()}
        text = self._text.get_template(f"{template}.txt").render(told, layout="layout.txt")
        html = self._html.get_template(f"{template}.txt").render(told, layout="layout.html")
        subject, _, body = text.partition("\n")
        return Parts(subject=_one_line(subject), text=body.strip() + "\n", html=html)

    def send(self, *, to: str, template: str, key: str, words: Mapping[str, str]) -> None:
        """The message has left, or lies in the folder; Unavailable when the server refuses.

        `key` names the fact, so a message sent twice carries the same Message-ID."""
        database.assert_outside_transaction()
        message = self._message(to, self.write(template=template, words=words), key=key)
        if not self._smtp_url:
            self._file(message, key=key)
            return
        try:
            self._deliver(message)
        except (OSError, smtplib.SMTPException) as fault:
            raise errors.Unavailable("mail.unavailable", "The mail server does not answer.") from (
                fault
            )

    def _message(self, to: str, parts: Parts, *, key: str) -> EmailMessage:
        host = self._sender.rpartition("@")[2].strip("> ")
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = to
        message["Subject"] = parts.subject
        message["Message-ID"] = f"<{_file_name(key)}@{host}>"
        message.set_content(parts.text)
        message.add_alternative(parts.html, subtype="html")
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


def _pages(*, escaped: bool) -> Environment:
    # The text part is no markup: escaped, "R&D" would read "R&amp;D".
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=escaped,  # noqa: S701
        undefined=StrictUndefined,
    )


def _one_line(word: str) -> str:
    """The word without line ends and other letters that nobody sees: they could begin a header."""
    return " ".join("".join(c if c.isprintable() else " " for c in word).split())


def _file_name(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", key)
