"""Videos: what was asked for and what became of it, consents, and reports against them."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

_STATEMENTS = (
    # The id is the request's: the same request is the same video, and its hold has the same id.
    """
    CREATE TABLE generations (
        id uuid NOT NULL CONSTRAINT pk_generations PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_generations_user_id REFERENCES customers (user_id),
        state text NOT NULL CONSTRAINT ck_generations_state
            CHECK (state IN ('queued', 'rendering', 'ready', 'failed', 'canceled')),
        text text NOT NULL CONSTRAINT ck_generations_text CHECK (char_length(text) <= 600),
        voice text NOT NULL,
        language text NOT NULL,
        tier text NOT NULL CONSTRAINT ck_generations_tier
            CHECK (tier IN ('540p', '720p', '1080p')),
        watermark boolean NOT NULL,
        seed integer NOT NULL,
        hold_id uuid CONSTRAINT uq_generations_hold_id UNIQUE
            CONSTRAINT fk_generations_hold_id REFERENCES holds (id),
        remake_of uuid CONSTRAINT fk_generations_remake_of REFERENCES generations (id),
        photo_key text,
        photo_sha256 text NOT NULL,
        attempt integer NOT NULL
            CONSTRAINT ck_generations_attempt CHECK (attempt BETWEEN 0 AND 3),
        engine text,
        engine_ref text,
        step text NOT NULL,
        stage text NOT NULL,
        progress double precision NOT NULL
            CONSTRAINT ck_generations_progress CHECK (progress BETWEEN 0 AND 1),
        seconds_left double precision,
        not_before timestamptz NOT NULL,
        claimed_at timestamptz,
        alive_until timestamptz,
        machine text,
        cancel_asked boolean NOT NULL,
        problem_code text,
        problem_message text,
        video_key text,
        poster_key text,
        video_sha256 text,
        video_bytes bigint CONSTRAINT ck_generations_video_bytes CHECK (video_bytes > 0),
        seconds double precision CONSTRAINT ck_generations_seconds CHECK (seconds > 0),
        width integer CONSTRAINT ck_generations_width CHECK (width > 0),
        height integer CONSTRAINT ck_generations_height CHECK (height > 0),
        created_at timestamptz NOT NULL,
        due_by timestamptz NOT NULL,
        ended_at timestamptz,
        photo_until timestamptz,
        kept_until timestamptz,
        hidden_at timestamptz,
        forgotten_at timestamptz,
        deleted_at timestamptz,
        CONSTRAINT ck_generations_paid CHECK ((hold_id IS NULL) = (remake_of IS NOT NULL)),
        CONSTRAINT ck_generations_ended
            CHECK ((ended_at IS NOT NULL) = (state IN ('ready', 'failed', 'canceled'))),
        CONSTRAINT ck_generations_rendering CHECK (
            (alive_until IS NOT NULL) = (state = 'rendering')
            AND (state <> 'rendering' OR attempt > 0 AND claimed_at IS NOT NULL)
        ),
        CONSTRAINT ck_generations_problem CHECK (
            (problem_code IS NOT NULL) = (state = 'failed')
            AND (problem_code IS NULL) = (problem_message IS NULL)
        ),
        CONSTRAINT ck_generations_ready CHECK (
            (state = 'ready') = (video_sha256 IS NOT NULL)
            AND num_nulls(video_sha256, video_bytes, seconds, width, height, kept_until)
                IN (0, 6)
            AND (video_key IS NULL) = (poster_key IS NULL)
            AND (video_key IS NOT NULL) = (state = 'ready' AND forgotten_at IS NULL)
        ),
        CONSTRAINT ck_generations_forgotten CHECK (
            (forgotten_at IS NULL OR ended_at IS NOT NULL AND photo_key IS NULL)
            AND (deleted_at IS NULL OR forgotten_at IS NOT NULL)
        ),
        CONSTRAINT ck_generations_photo
            CHECK (photo_key IS NOT NULL OR ended_at IS NOT NULL)
    )
    """,
    # One that came to nothing may be asked for again.
    """
    CREATE UNIQUE INDEX uq_generations_remake_of ON generations (remake_of)
        WHERE state NOT IN ('failed', 'canceled')
    """,
    "CREATE INDEX ix_generations_user_id_created_at_id ON generations (user_id, created_at, id)",
    """
    CREATE INDEX ix_generations_waiting ON generations (created_at, id)
        WHERE state IN ('queued', 'rendering')
    """,
    "CREATE INDEX ix_generations_engine_ref ON generations (engine_ref)",
    """
    CREATE INDEX ix_generations_photo_until ON generations (photo_until)
        WHERE photo_key IS NOT NULL
    """,
    """
    CREATE INDEX ix_generations_kept_until ON generations (kept_until)
        WHERE video_key IS NOT NULL
    """,
    """
    CREATE TABLE consents (
        generation_id uuid NOT NULL CONSTRAINT pk_consents PRIMARY KEY
            CONSTRAINT fk_consents_generation_id REFERENCES generations (id),
        user_id uuid NOT NULL CONSTRAINT fk_consents_user_id REFERENCES users (id),
        given_at timestamptz NOT NULL,
        text_version text NOT NULL,
        photo_sha256 text NOT NULL,
        ip_sealed bytea
    )
    """,
    """
    CREATE TABLE takedown_reports (
        id uuid NOT NULL CONSTRAINT pk_takedown_reports PRIMARY KEY,
        generation_id uuid NOT NULL
            CONSTRAINT fk_takedown_reports_generation_id REFERENCES generations (id),
        at timestamptz NOT NULL,
        reason text NOT NULL CONSTRAINT ck_takedown_reports_reason
            CHECK (char_length(reason) BETWEEN 1 AND 2000),
        contact text NOT NULL CONSTRAINT ck_takedown_reports_contact
            CHECK (char_length(contact) <= 200),
        ip_sealed bytea,
        closed_at timestamptz
    )
    """,
    "CREATE INDEX ix_takedown_reports_generation_id ON takedown_reports (generation_id)",
    "CREATE INDEX ix_takedown_reports_at ON takedown_reports (at) WHERE closed_at IS NULL",
    """
    CREATE TABLE blocked_photos (
        sha256 text NOT NULL CONSTRAINT pk_blocked_photos PRIMARY KEY,
        reason text NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    # As with the terms: what was declared stays, only the address may be forgotten.
    """
    CREATE TRIGGER consents_append_only BEFORE UPDATE OR DELETE ON consents
        FOR EACH ROW EXECUTE FUNCTION accounts_append_only()
    """,
    """
    CREATE TRIGGER consents_never_emptied BEFORE TRUNCATE ON consents
        FOR EACH STATEMENT EXECUTE FUNCTION accounts_append_only()
    """,
    """
    CREATE FUNCTION generations_keep_end() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.ended_at IS NOT NULL AND NEW.state <> OLD.state
            OR OLD.hold_id IS DISTINCT FROM NEW.hold_id OR OLD.user_id <> NEW.user_id
            OR OLD.attempt > NEW.attempt THEN
            RAISE EXCEPTION 'video % ends once, and stays whose it is', OLD.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER ends_once BEFORE UPDATE ON generations
        FOR EACH ROW EXECUTE FUNCTION generations_keep_end()
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE blocked_photos, takedown_reports, consents, generations")
    op.execute("DROP FUNCTION generations_keep_end()")
