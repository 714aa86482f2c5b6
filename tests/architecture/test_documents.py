"""What the documents tell a reader to open, type or ask is there and works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from talkingphoto import cli
from talkingphoto.events import inbox
from talkingphoto.foundation import settings
from talkingphoto.runtime import Runtime
from tests.support import source

DOCUMENTS = sorted(
    path
    for path in (
        *(source.ROOT / name for name in ("README.md", "CHANGELOG.md")),
        *(source.ROOT / "docs").rglob("*.md"),
    )
)
RUNBOOK = (source.ROOT / "docs" / "RUNBOOK.md").read_text()
SQL = re.findall(r"^ *```sql\n(.*?)^ *```", RUNBOOK, re.MULTILINE | re.DOTALL)
EVENT = inbox.StripeEvent(
    id="evt_1",
    type="invoice.paid",
    object_id="in_1",
    customer_id="cus_1",
    api_version=None,
    livemode=False,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def everywhere(pattern: str) -> Iterator[tuple[str, str]]:
    """Each match in the documents, with the name of the document."""
    for path in DOCUMENTS:
        for found in re.findall(pattern, path.read_text()):
            yield path.relative_to(source.ROOT).as_posix(), found


def test_every_link_to_a_file_leads_somewhere() -> None:
    links = list(everywhere(r"\]\((?!https?:)([^)#]+)"))
    assert links
    broken = [
        (name, link) for name, link in links if not ((source.ROOT / name).parent / link).exists()
    ]
    assert broken == []


def test_every_target_of_make_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (source.ROOT / "Makefile").read_text(), re.MULTILINE))
    named = list(everywhere(r"(?:`|^|\n)make ([a-z-]+)"))
    assert named
    assert [(name, target) for name, target in named if target not in targets] == []


def test_every_command_that_is_named_exists(capsys: pytest.CaptureFixture[str]) -> None:
    word = "[a-z]+(?:-[a-z]+)*"
    commands = {found for _, found in everywhere(rf"(?:`|\n|\")talkingphoto ((?:{word} ?){{1,2}})")}
    assert len(commands) > 8
    for command in commands:
        with pytest.raises(SystemExit) as ended:
            cli.main([*command.split(), "--help"])
        assert ended.value.code == 0, command
    assert "usage: talkingphoto" in capsys.readouterr().out


def test_every_setting_of_ours_that_is_named_exists() -> None:
    known = {settings.variable(name) for name in settings.Settings.model_fields}
    named = set(everywhere(r"\b(TALKINGPHOTO_[A-Z_]+[A-Z])"))
    assert {(name, found) for name, found in named if found not in known} == set()


def test_no_document_names_a_private_path_or_an_address_of_ours() -> None:
    assert list(everywhere(r"(/work/\S*|/root/\S*|/home/\S*|/Users/\S*)")) == []


@pytest.mark.parametrize("number", range(len(SQL)))
def test_every_question_of_the_runbook_is_answered(number: int, runtime: Runtime) -> None:
    for statement in SQL[number].split(";"):
        if statement.strip():
            with runtime.transaction() as session:
                # The driver takes it as psql would: a colon is no parameter here.
                session.connection().exec_driver_sql(statement)


def test_a_dead_letter_waits_again_after_what_the_runbook_says(runtime: Runtime) -> None:
    now = runtime.clock()
    with runtime.transaction() as session:
        inbox.store(session, event=EVENT, raw=b"{}", now=now)
        session.execute(text("DELETE FROM procrastinate_jobs"))
        inbox.bury(session, event_id=EVENT.id, error="KeyError", now=now)
    again = next(sql for sql in SQL if "WITH again" in sql).replace("evt_…", EVENT.id)
    for _ in range(2):  # the second time nothing is dead any more
        with runtime.transaction() as session:
            session.connection().exec_driver_sql(again)
    with runtime.read_only() as session:
        jobs = session.execute(
            text("SELECT task_name, queue_name, lock, args FROM procrastinate_jobs")
        ).all()
        assert inbox.unprocessed(session, event_id=EVENT.id) == EVENT
    assert [tuple(job) for job in jobs] == [
        (inbox.TASK, inbox.QUEUE, "customer:cus_1", {"event_id": EVENT.id})
    ]
