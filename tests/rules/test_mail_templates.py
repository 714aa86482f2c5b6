"""Every message reads whole in both parts, says one thing to do, and holds no markup of others."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from talkingphoto.accounts import moments
from talkingphoto.foundation import settings
from talkingphoto.integrations.mailer import Mailer
from talkingphoto.workflows import letters
from tests.support import source
from tests.support.settings_cases import loaded

LINK = re.compile(r"https?://[^\s\"<>]+")
HOSTILE = 'Ada\r\nBcc: eve@example.com\u2028<a href="https://evil.example">free</a>'


@pytest.fixture
def chosen(tmp_path: Path) -> settings.Settings:
    """Settings of the sandbox."""
    return loaded({}, tmp_path)


@pytest.fixture
def mailer(tmp_path: Path) -> Mailer:
    """Files instead of mails."""
    return Mailer(smtp_url="", sender="TalkingPhoto <hello@shop.example>", folder=tmp_path / "out")


def test_every_moment_has_its_template_and_every_template_its_moment() -> None:
    folder = source.ROOT / "templates" / "email"
    names = {path.stem for path in folder.glob("*.txt")} - {"layout"}
    assert names == set(moments.ALL)


@pytest.mark.parametrize("template", moments.ALL)
def test_a_message_is_whole_in_both_parts(
    template: str, mailer: Mailer, chosen: settings.Settings
) -> None:
    letter = letters.sample(template, settings=chosen)
    parts = mailer.write(template=template, words=letter.words)
    assert 0 < len(parts.subject) < 78
    for part in (parts.text, parts.html):
        assert LINK.findall(part) == [letter.words["url"]]
        assert "Sandbox: no real money moved." in part
        assert "You get this because" in part
        for hole in ("{{", "{%", "None", "  .", " ,", " .", "\n\n\n"):
            assert hole not in part.rpartition("</style>")[2], hole
    assert len(re.findall("<a ", parts.html)) == 1
    assert parts.subject in re.sub("&#39;", "'", parts.html)
    assert "<" not in parts.text
    assert "credit" not in parts.text, "the customer's unit is videos"


@pytest.mark.parametrize("template", moments.ALL)
def test_a_message_is_whole_when_what_may_be_unknown_is(
    template: str, mailer: Mailer, chosen: settings.Settings
) -> None:
    known = letters.sample(template, settings=chosen)
    empty = ("next_try_at", "renews_at", "runs_out_at", "resumes_at")
    words = {name: "" if name in empty else word for name, word in known.words.items()}
    text = mailer.write(template=template, words=words | {"sandbox": ""}).text
    for hole in (" .", "on .", "  ", "Sandbox", "\n\n\n"):
        assert hole not in text, hole


@pytest.mark.parametrize("template", moments.ALL)
def test_b5_what_a_person_wrote_is_no_header_and_no_markup(
    template: str, mailer: Mailer, chosen: settings.Settings, tmp_path: Path
) -> None:
    known = letters.sample(template, settings=chosen).words
    words = {name: word if name == "url" else HOSTILE for name, word in known.items()}
    mailer.send(to="ada@example.com", template=template, key=f"{template}:1", words=words)
    (file,) = (tmp_path / "out").glob("*.eml")
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert (mail["To"], mail["Bcc"], mail["Cc"]) == ("ada@example.com", None, None)
    assert "\n" not in str(mail["Subject"])
    html = mail.get_body(("html",))
    assert html is not None
    assert 'evil.example">' not in html.get_content()


def test_a_moment_is_told_exactly_its_facts() -> None:
    facts = {"item": "pro:month", "at": moments.day(datetime(2026, 12, 14, tzinfo=UTC))}
    moments.check("change_scheduled", facts)
    for wrong in ({"item": "pro:month"}, facts | {"note": "x"}, facts | {"at": "tomorrow"}):
        with pytest.raises((AssertionError, ValueError)):
            moments.check("change_scheduled", wrong)
