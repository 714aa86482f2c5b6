"""The composition root: settings, clock, ids, database and vendors, each built on first use."""

from __future__ import annotations

import os
import platform
import threading
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path

from sqlalchemy.orm import Session

from talkingphoto.foundation import clock as clocks
from talkingphoto.foundation import crypto, database, ids, logs, settings
from talkingphoto.integrations import embedded_postgres, moderation, schema, storage
from talkingphoto.integrations.mailer import Mailer
from talkingphoto.integrations.sandbox_clock import SandboxClock
from talkingphoto.integrations.stripe_gateway import StripeGateway
from talkingphoto.integrations.video import port
from talkingphoto.integrations.video.embedded import EmbeddedEngine
from talkingphoto.integrations.video.hosted import HostedEngine
from talkingphoto.integrations.video.provenance import Provenance


class Runtime:
    """Everything a service needs from outside; tests hand in their own clock and ids."""

    def __init__(
        self,
        chosen: settings.Settings,
        *,
        clock: clocks.Clock = clocks.system_clock,
        new_id: ids.Ids = ids.random_id,
    ) -> None:
        self.settings = chosen
        self.clock = clock
        # Which of two looks at Stripe was later, how old a signature is, who is signed in and when
        # a message came are questions for the machine's time, whatever the product's clock says.
        self.wall_clock = clocks.system_clock
        self.new_id = new_id
        self.machine = platform.node()
        # A render keeps two cores busy: more at once would make each of them slower.
        self.renders_at_once = max(1, (os.cpu_count() or 1) // 2)
        # Set when this process is to end: whoever waits for something long gives it back.
        self.stopping = threading.Event()

    @cached_property
    def database(self) -> database.Database:
        """The pool; with no DATABASE_URL the embedded server is running afterwards."""
        return database.Database(self.database_url)

    @cached_property
    def database_url(self) -> str:
        """The SQLAlchemy address of the database, starting the embedded one when it is ours."""
        given = self.settings.database_url.get_secret_value()
        if given:
            return _with_driver(given)
        return embedded_postgres.EmbeddedPostgres(
            self.settings.data, binaries=self.settings.pg_bin
        ).ensure()

    @cached_property
    def gateway(self) -> StripeGateway:
        """The one door to Stripe, or to the sandbox."""
        return StripeGateway(
            api_key=self.settings.stripe_secret_key.get_secret_value(),
            api_base=self.settings.stripe_api_base,
            webhook_secrets=self.settings.webhook_secrets,
        )

    @cached_property
    def mailer(self) -> Mailer:
        """The way out for e-mail: SMTP, or a folder when no server is set."""
        return Mailer(
            smtp_url=self.settings.smtp_url.get_secret_value(),
            sender=self.settings.mail_from,
            folder=self.settings.data / "outbox",
        )

    @cached_property
    def engine(self) -> port.TalkingPhotoEngine:
        """Who makes the videos; nothing is started before it is asked for something."""
        if self.settings.video_engine == "hosted":
            return HostedEngine(
                url=self.settings.video_engine_url,
                key=self.settings.video_engine_key.get_secret_value(),
                webhook_secret=self.settings.video_engine_webhook_secret.get_secret_value(),
                folder=self.settings.data / "engine",
            )
        return EmbeddedEngine(folder=self.settings.data / "engine")

    @cached_property
    def provenance(self) -> Provenance:
        """Signs finished videos, with the operator's certificate or one of this machine."""
        return Provenance(
            folder=self.settings.data / "provenance",
            certificate=self.settings.c2pa_certificate,
            key=self.settings.c2pa_key,
        )

    @cached_property
    def storage(self) -> storage.Storage:
        """Where photos and videos are kept."""
        chosen = self.settings
        if chosen.storage == "folder":
            return storage.FolderStorage(chosen.data / "media", new_id=self.new_id)
        client = storage.bucket_client(
            endpoint=chosen.s3_endpoint,
            region=chosen.s3_region,
            access_key=chosen.s3_access_key.get_secret_value(),
            secret_key=chosen.s3_secret_key.get_secret_value(),
        )
        copies = chosen.data / "media-copies"
        return storage.BucketStorage(client, chosen.s3_bucket, copies, new_id=self.new_id)

    @cached_property
    def moderation(self) -> moderation.TextModeration:
        """Who says what may not be said."""
        return moderation.WordRules()

    @cached_property
    def media_signer(self) -> crypto.Signer:
        """Signs the addresses under which a video is sent for a while."""
        secret = self.settings.secret_key.get_secret_value()
        return crypto.Signer(secret, purpose="talkingphoto media")

    def work_folder(self) -> Path:
        """A folder on this machine for what is being made."""
        folder = self.settings.data / "work"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    @cached_property
    def cipher(self) -> crypto.Cipher:
        """Seals columns that must not be readable in a dump."""
        return crypto.Cipher(self.settings.secret_key.get_secret_value())

    def transaction(self) -> AbstractContextManager[Session]:
        """One verb's writes, committed together."""
        return self.database.transaction()

    def read_only(self) -> AbstractContextManager[Session]:
        """One moment's view, without writes."""
        return self.database.read_only()

    def make_ready(self) -> None:
        """The database answers and its schema is this code's."""
        self.database.check()
        schema.upgrade_if_behind(self.database)


_lock = threading.Lock()
_current: Runtime | None = None


def current() -> Runtime:
    """This process's runtime, built from the settings on the first call."""
    global _current
    with _lock:
        if _current is None:
            chosen = settings.load()
            logs.configure(level=chosen.log_level)
            _current = Runtime(chosen, clock=_clock(chosen))
        return _current


def ready() -> Runtime:
    """This process's runtime with its database connected and migrated."""
    runtime = current()
    runtime.make_ready()
    return runtime


def _clock(chosen: settings.Settings) -> clocks.Clock:
    return (
        SandboxClock(chosen.stripe_api_base) if chosen.clock == "sandbox" else clocks.system_clock
    )


def _with_driver(url: str) -> str:
    _, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}"
