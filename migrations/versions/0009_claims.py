"""Lots that are frozen or owed for, refunds, disputes and warnings of fraud."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"

_STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
