"""What Stripe and we disagree about, and what became of it."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"

_STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
