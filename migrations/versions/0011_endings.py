"""Cancelled and paused plans, trials, offers and codes."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"

_STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
