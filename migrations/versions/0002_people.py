"""Who somebody is, and the customer whose row is the lock on their money."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE users (
            id uuid NOT NULL CONSTRAINT pk_users PRIMARY KEY,
            email text NOT NULL,
            email_key text NOT NULL CONSTRAINT uq_users_email_key UNIQUE,
            password_hash text NOT NULL,
            created_at timestamptz NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE customers (
            user_id uuid NOT NULL CONSTRAINT pk_customers PRIMARY KEY
                CONSTRAINT fk_customers_user_id REFERENCES users (id),
            stripe_customer_id text CONSTRAINT uq_customers_stripe_customer_id UNIQUE,
            created_at timestamptz NOT NULL
        )
        """
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE customers, users")
