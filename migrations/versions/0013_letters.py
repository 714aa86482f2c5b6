"""Every message that is owed, with what it tells; proved addresses."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"

# The defaults are for the version before, which goes on writing receipts while it is replaced.
_MAILS = (
    """
    ALTER TABLE mails
        ALTER COLUMN user_id DROP NOT NULL,
        ADD COLUMN template text NOT NULL DEFAULT 'receipt',
        ADD COLUMN facts jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN state text NOT NULL DEFAULT 'owed'
            CONSTRAINT ck_mails_state CHECK (state IN ('owed', 'sent', 'kept', 'failed')),
        ADD COLUMN tries integer NOT NULL DEFAULT 0,
        ADD CONSTRAINT ck_mails_user_id CHECK (
            (user_id IS NULL) = (template IN ('first_sale', 'needs_a_hand'))),
        ADD CONSTRAINT ck_mails_sent_at CHECK (
            CASE state WHEN 'failed' THEN sent_at IS NULL WHEN 'owed' THEN true
            ELSE sent_at IS NOT NULL END)
    """,
    "UPDATE mails SET state = 'sent' WHERE sent_at IS NOT NULL",
    "CREATE INDEX ix_mails_created_at ON mails (created_at DESC, key)",
    # Whoever has sold before has no first sale to hear of.
    """
    INSERT INTO mails (key, template, facts, state, created_at, sent_at)
    SELECT 'first_sale', 'first_sale', jsonb_build_object('payment_id', id), 'sent',
        paid_at, paid_at
    FROM payments WHERE paid_at IS NOT NULL AND amount_minor > 0 ORDER BY paid_at, id LIMIT 1
    """,
)

_STATEMENTS = (*_MAILS,)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    # The version before knows receipts alone: it would send any other message as one.
    op.execute("DELETE FROM mails WHERE template NOT IN ('receipt', 'welcome_plan')")
    op.execute(
        """
        ALTER TABLE mails
            DROP COLUMN template, DROP COLUMN facts, DROP COLUMN state, DROP COLUMN tries,
            ALTER COLUMN user_id SET NOT NULL
        """
    )
    op.execute("DROP INDEX ix_mails_created_at")
