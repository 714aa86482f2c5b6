"""Plan changes that were asked for, and the steps that brought credits."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"

_STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
