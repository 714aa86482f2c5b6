"""`talkingphoto doctor`: what stands in the way of running here; nothing is started."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
from sqlalchemy.exc import SQLAlchemyError

from talkingphoto import processes, stack, supervisor
from talkingphoto.foundation import database, errors, settings
from talkingphoto.integrations import embedded_postgres, postgres_programs, schema
from talkingphoto.integrations.video.engine import models
from talkingphoto.runtime import Runtime

_OLDEST_PYTHON, _NEWEST_PYTHON = (3, 11), (3, 13)
_LEAST_FREE_BYTES = 1_000_000_000
_TIMEOUT_SECONDS = 5


@dataclass(frozen=True)
class Finding:
    """One thing looked at; when it is not well the text holds the remedy."""

    subject: str
    text: str
    well: bool = True


def examine(*, models_folder: Path = models.FOLDER) -> list[Finding]:
    """What was found, in the order in which a start would meet it."""
    found = [_python(), _models(models_folder)]
    try:
        planned = stack.inspect()
    except settings.SettingsFault as fault:
        return [*found, *(Finding("settings", line, well=False) for line in fault.faults)]
    found.append(Finding("settings", "complete"))
    chosen = planned.settings
    found += [_disk(chosen.data), *_ports(planned.parts)]
    looks: tuple[Callable[[settings.Settings], Iterator[Finding]], ...] = (_database, _stripe)
    for look in looks:
        found += look(chosen)
    return found


def _python() -> Finding:
    version = sys.version_info[:2]
    text = f"{version[0]}.{version[1]}"
    if _OLDEST_PYTHON <= version <= _NEWEST_PYTHON:
        return Finding("python", text)
    remedy = "delete .venv, install Python 3.11, 3.12 or 3.13, and run make setup"
    return Finding("python", f"{text} is not supported: {remedy}", well=False)


def _models(folder: Path) -> Finding:
    missing = models.missing(folder)
    if not missing:
        return Finding("face models", "all there")
    text = f"missing or damaged: {', '.join(missing)}: run {models.COMMAND}"
    return Finding("face models", text, well=False)


def _disk(folder: Path) -> Finding:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(existing, os.W_OK):
        remedy = "let TALKINGPHOTO_DATA name a folder of yours"
        return Finding("disk", f"{existing} cannot be written in: {remedy}", well=False)
    free = shutil.disk_usage(existing).free
    text = f"{free / 1e9:.1f} GB free for {folder}"
    if free >= _LEAST_FREE_BYTES:
        return Finding("disk", text)
    return Finding("disk", f"{text}: make room, or move TALKINGPHOTO_DATA", well=False)


def _ports(parts: tuple[stack.Part, ...]) -> Iterator[Finding]:
    for part in parts:
        if part.port is None:
            continue
        if supervisor.port_is_free(part.port):
            yield Finding(part.name, f"not running; port {part.port} is free")
        elif processes.answers(part):
            yield Finding(part.name, f"answers on {part.address}")
        else:
            remedy = f"stop it, or choose another with talkingphoto up --{part.name}-port"
            text = f"port {part.port} is taken by a program that is not ours: {remedy}"
            yield Finding(part.name, text, well=False)


def _database(chosen: settings.Settings) -> Iterator[Finding]:
    runtime = Runtime(chosen)
    if chosen.database_url.get_secret_value():
        where = "the server that DATABASE_URL names"
    else:
        server = embedded_postgres.EmbeddedPostgres(chosen.data, chosen.pg_bin)
        status = server.status()
        if not status.running:
            yield _programs(chosen.pg_bin)
            return
        where = f"PostgreSQL {status.version} in {status.data_folder}"
    try:
        runtime.database.check()
        yield Finding("database", f"{where} answers")
        yield _migrations(runtime.database)
    except (errors.AppError, SQLAlchemyError):
        remedy = "start it, or correct DATABASE_URL"
        yield Finding("database", f"{where} does not answer: {remedy}", well=False)
    finally:
        runtime.database.dispose()


def _programs(binaries: Path | None) -> Finding:
    try:
        found = postgres_programs.find(binaries)
    except errors.AppError as refusal:
        return Finding("database", refusal.message, well=False)
    return Finding("database", f"not running; PostgreSQL {found.version} is there to be started")


def _migrations(connected: database.Database) -> Finding:
    current, latest = schema.current_revision(connected), schema.latest_revision()
    if current == latest:
        return Finding("migrations", f"at {current}")
    remedy = "run talkingphoto database upgrade"
    return Finding("migrations", f"at {current}, {latest} is the newest: {remedy}", well=False)


def _stripe(chosen: settings.Settings) -> Iterator[Finding]:
    if chosen.sandbox and stack.local_port(chosen.stripe_api_base):
        return  # A part of ours: looked at with the ports.
    try:
        requests.get(chosen.stripe_api_base, timeout=_TIMEOUT_SECONDS)
        yield Finding("stripe", f"{chosen.stripe_api_base} answers")
    except requests.RequestException:
        remedy = "look at the network, or at STRIPE_API_BASE"
        text = f"{chosen.stripe_api_base} does not answer: {remedy}"
        yield Finding("stripe", text, well=False)
