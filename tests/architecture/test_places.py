"""What may be written in one place only, and what may be written nowhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

import pytest

from tests.support import source

# The file that opens and ends transactions.
DATABASE = "talkingphoto/foundation/database.py"
ENVIRONMENT = {
    "talkingphoto/foundation/settings.py",
    # Hands the environment on to the parts it starts.
    "talkingphoto/supervisor.py",
    # Keeps PostgreSQL's own variables away from its programs.
    "talkingphoto/integrations/postgres_programs.py",
    # Knows nothing of ours, so it has its own few.
    "stripe_sandbox/__main__.py",
    # The surroundings of a request, where its connection is to be found, and not the process's.
    "stripe_sandbox/faults/failing.py",
}
# Whoever makes fragments otherwise can lose a whole page: see what is said there.
FRAGMENTS = {"ui/repeating.py"}
ROW_LOCKS = {
    "talkingphoto/billing/customers.py",
    "talkingphoto/foundation/jobs.py",
    # Workers that look for a video at once each find another one (docs/decisions/0010).
    "talkingphoto/generations/queue.py",
}


def ends_a_transaction(node: ast.AST) -> bool:
    """True for `x.commit`, `x.rollback` and for whatever makes a Session, but of requests."""
    if isinstance(node, ast.Attribute):
        return node.attr in {"commit", "rollback"}
    if not isinstance(node, ast.Call) or ast.unparse(node.func) == "requests.Session":
        return False
    called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    return called in {"Session", "sessionmaker", "scoped_session"}


def reads_the_environment(node: ast.AST) -> bool:
    """True for os.environ and os.getenv, also when imported by name."""
    if isinstance(node, ast.Attribute):
        # What a server says of a request has the same name, and is no environment of ours.
        of_request = isinstance(node.value, ast.Name) and node.value.id == "request"
        return node.attr in {"environ", "getenv", "environb"} and not of_request
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any("env" in alias.name for alias in node.names)
    return False


def locks_a_row(node: ast.AST) -> bool:
    """True for a call or a statement that takes row locks."""
    if isinstance(node, ast.Attribute):
        return node.attr == "with_for_update"
    text = node.value if isinstance(node, ast.Constant) else ""
    return isinstance(text, str) and bool(re.search(r"\bFOR (NO KEY )?UPDATE\b", text))


def makes_a_fragment(node: ast.AST) -> bool:
    """True for `st.fragment`, also when imported by name."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "streamlit" and any(one.name == "fragment" for one in node.names)
    return isinstance(node, ast.Attribute) and ast.unparse(node) == "st.fragment"


def builds_sql_of_strings(node: ast.AST) -> bool:
    """True for SQL put together of anything but constants: values belong in parameters."""
    if not isinstance(node, ast.Call) or not node.args:
        return False
    called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    return called in {"text", "execute"} and _is_put_together(node.args[0])


def _is_put_together(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        parts = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        return not all(isinstance(part, ast.Name) and part.id.isupper() for part in parts)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in {"format", "join", "replace"}
    return False


def asks_the_product_s_clock_within_a_transaction(node: ast.AST) -> bool:
    """True for `.clock()` below a transaction: following the sandbox it must not ask there."""
    if not isinstance(node, ast.With):
        return False
    opened = {getattr(item.context_expr, "func", None) for item in node.items}
    names = {found.attr for found in opened if isinstance(found, ast.Attribute)}
    calls = (inner.func for inner in ast.walk(node) if isinstance(inner, ast.Call))
    asks = any(isinstance(called, ast.Attribute) and called.attr == "clock" for called in calls)
    return asks and bool(names & {"transaction", "read_only"})


def places(found: Callable[[ast.AST], bool], *folders: str) -> set[str]:
    """The files in which such a thing is written."""
    return {
        file.name
        for file in source.files(*folders)
        if any(found(node) for node in ast.walk(file.tree))
    }


def test_transactions_are_opened_and_ended_in_one_file_only() -> None:
    assert places(ends_a_transaction, *source.PRODUCT) == {DATABASE}


def test_the_environment_is_read_where_settings_are_and_nowhere_else() -> None:
    assert places(reads_the_environment, *source.PRODUCT, "stripe_sandbox") <= ENVIRONMENT


def test_rows_are_locked_by_customers_and_queues_only() -> None:
    assert places(locks_a_row, *source.PRODUCT) <= ROW_LOCKS


def test_fragments_are_made_in_one_file_only() -> None:
    assert places(makes_a_fragment, *source.PRODUCT) == FRAGMENTS


def test_b6_no_sql_is_put_together_from_strings() -> None:
    assert places(builds_sql_of_strings, *source.PRODUCT) == set()


def test_the_product_s_time_is_asked_before_a_transaction_and_not_within() -> None:
    assert places(asks_the_product_s_clock_within_a_transaction, *source.PRODUCT) == set()


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (ends_a_transaction, "session.commit()"),
        (ends_a_transaction, "orm.Session(engine)"),
        (reads_the_environment, "os.environ['HOME']"),
        (reads_the_environment, "from os import getenv"),
        (locks_a_row, "select(row).with_for_update()"),
        (locks_a_row, "text('SELECT 1 FROM x FOR UPDATE')"),
        (makes_a_fragment, "st.fragment(draw, run_every='1s')()"),
        (makes_a_fragment, "from streamlit import fragment"),
        (
            asks_the_product_s_clock_within_a_transaction,
            "with runtime.transaction() as session: f(session, now=runtime.clock())",
        ),
        (builds_sql_of_strings, "text(f'SELECT {name}')"),
        (builds_sql_of_strings, "session.execute('SELECT ' + name)"),
        (builds_sql_of_strings, "text('SELECT {}'.format(name))"),
    ],
)
def test_these_checks_see_what_they_look_for(found: Callable[[ast.AST], bool], line: str) -> None:
    assert any(found(node) for node in ast.walk(ast.parse(line)))
