"""Where photos and videos are kept: a folder of ours, or a bucket that speaks S3.

A key is made here, a random UUID and the ending of its kind; nothing a customer sends is ever part
of a path, and a key of any other shape is refused.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from talkingphoto.foundation import database, errors, ids

Kind = Literal["photo", "video", "poster"]

MIME: dict[Kind, str] = {"photo": "image/jpeg", "video": "video/mp4", "poster": "image/jpeg"}
_ENDINGS: dict[Kind, str] = {"photo": "photo.jpg", "video": "mp4", "poster": "poster.jpg"}
_KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.(?:photo\.jpg|mp4|poster\.jpg)")
_CONNECT_SECONDS = 5
_READ_SECONDS = 30
_TRIES = 3


@dataclass(frozen=True)
class Stored:
    """A file as it lies there: its key, and since when."""

    key: str
    since: datetime


class Storage(Protocol):
    """What both places do alike; each call may raise Unavailable, and then nothing has changed."""

    def put(self, source: Path, kind: Kind) -> str:
        """A copy of the file is kept, whole, under the new key that is returned."""

    def reading(self, key: str) -> AbstractContextManager[Path]:
        """A local file with what is kept under the key, as long as the block lasts; NotFound."""

    def path(self, key: str) -> Path:
        """A local file with what is kept under the key, there for a request to send; NotFound."""

    def delete(self, key: str) -> None:
        """Nothing is kept under the key, whether or not anything was."""

    def stored(self) -> Iterator[Stored]:
        """All that is kept, in no order."""

    def tidy(self, *, before: datetime) -> int:
        """Left-overs of our own making from before that moment are gone: how many there were."""


class FolderStorage:
    """Files below one folder, in two hundred and fifty-six smaller ones."""

    def __init__(self, folder: Path, *, new_id: ids.Ids = ids.random_id) -> None:
        self._folder = folder
        self._new_id = new_id

    def put(self, source: Path, kind: Kind) -> str:
        """A copy of the file is kept, whole and on the disk, under the new key."""
        key = _new_key(self._new_id, kind)
        place = self._place(key)
        draft = place.with_name(f"{place.name}.part")
        with _as_unavailable(OSError):
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with source.open("rb") as wanted, draft.open("wb") as written:
                shutil.copyfileobj(wanted, written)
                written.flush()
                os.fsync(written.fileno())
            draft.chmod(0o600)
            draft.replace(place)
            _sync_folder(place.parent)
        return key

    @contextmanager
    def reading(self, key: str) -> Iterator[Path]:
        """The very file; it is not to be written to."""
        yield self.path(key)

    def path(self, key: str) -> Path:
        """The very file; NotFound when nothing is kept under the key."""
        place = self._place(key)
        if not place.is_file():
            raise _unknown()
        return place

    def delete(self, key: str) -> None:
        """Nothing is kept under the key."""
        with _as_unavailable(OSError):
            self._place(key).unlink(missing_ok=True)

    def stored(self) -> Iterator[Stored]:
        """All that is kept."""
        for place in self._folder.glob("??/*"):
            if _KEY.fullmatch(place.name):
                yield Stored(place.name, _since(place))

    def tidy(self, *, before: datetime) -> int:
        """Files whose writer died before they were whole are gone."""
        return _remove_old(self._folder.glob("??/*.part"), before)

    def _place(self, key: str) -> Path:
        return self._folder / require_key(key)[:2] / key


class BucketStorage:
    """Objects of one bucket; what a request sends is kept in a folder of copies for a while."""

    def __init__(
        self, client: Any, bucket: str, copies: Path, *, new_id: ids.Ids = ids.random_id
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._copies = copies
        self._new_id = new_id
        self._faults = _client_faults()

    def put(self, source: Path, kind: Kind) -> str:
        """The object is there, whole, under the new key."""
        database.assert_outside_transaction()
        key = _new_key(self._new_id, kind)
        # In one request: parts of an upload that was cut short would stay, and nothing lists them.
        with _as_unavailable(*self._faults), source.open("rb") as file:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=file, ContentType=MIME[kind])
        return key

    @contextmanager
    def reading(self, key: str) -> Iterator[Path]:
        """A copy that is gone after the block."""
        copy = self._copy(key)
        try:
            yield copy
        finally:
            copy.unlink(missing_ok=True)

    def path(self, key: str) -> Path:
        """A copy that stays until it is tidied away: a player asks for a video in many pieces."""
        place = self._copies / require_key(key)
        return place if place.is_file() else self._copy(key).replace(place)

    def delete(self, key: str) -> None:
        """There is neither the object nor a copy of it."""
        database.assert_outside_transaction()
        (self._copies / require_key(key)).unlink(missing_ok=True)
        with _as_unavailable(*self._faults):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def stored(self) -> Iterator[Stored]:
        """All objects of ours, a page at a time."""
        database.assert_outside_transaction()
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
        with _as_unavailable(*self._faults):
            for page in pages:
                for found in page.get("Contents", ()):
                    if _KEY.fullmatch(found["Key"]):
                        yield Stored(found["Key"], found["LastModified"])

    def tidy(self, *, before: datetime) -> int:
        """Copies that were made before that moment are gone."""
        return _remove_old(self._copies.glob("*"), before)

    def _copy(self, key: str) -> Path:
        database.assert_outside_transaction()
        require_key(key)
        draft = self._copies / f"{self._new_id()}.part"
        try:
            with _as_unavailable(*self._faults):
                self._copies.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._client.download_file(self._bucket, key, str(draft))
        except errors.AppError:
            draft.unlink(missing_ok=True)
            raise
        return draft


def bucket_client(*, endpoint: str, region: str, access_key: str, secret_key: str) -> Any:
    """A client for that server; Unavailable when the extra `s3` is not installed."""
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise errors.Unavailable(
            "storage.no_boto3", "TALKINGPHOTO_STORAGE=s3 needs: pip install 'talkingphoto[s3]'"
        ) from None
    return boto3.client(
        "s3",
        endpoint_url=endpoint or None,
        region_name=region,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": _TRIES},
        ),
    )


def require_key(key: str) -> str:
    """The key itself; NotFound when it has not the shape of ours."""
    if not _KEY.fullmatch(key):
        raise _unknown()
    return key


def _new_key(new_id: ids.Ids, kind: Kind) -> str:
    return require_key(f"{new_id()}.{_ENDINGS[kind]}")


def _unknown() -> errors.NotFound:
    return errors.NotFound("storage.unknown", "This file is not here any more.")


def _client_faults() -> tuple[type[Exception], ...]:
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    return BotoCoreError, ClientError, Boto3Error, OSError


@contextmanager
def _as_unavailable(*faults: type[Exception]) -> Iterator[None]:
    try:
        yield
    except faults as fault:
        if _is_unknown(fault):
            raise _unknown() from fault
        raise errors.Unavailable(
            "storage.unavailable", "The place where videos are kept does not answer."
        ) from fault


def _is_unknown(fault: Exception) -> bool:
    """Whether the server says that there is no such object; no bucket at all is the operator's."""
    said: dict[str, dict[str, Any]] = getattr(fault, "response", {})
    if said.get("Error", {}).get("Code") == "NoSuchBucket":
        return False
    return said.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404


def _since(place: Path) -> datetime:
    return datetime.fromtimestamp(place.stat().st_mtime, UTC)


def _remove_old(places: Iterator[Path], before: datetime) -> int:
    old = [place for place in places if _since(place) < before]
    for place in old:
        place.unlink(missing_ok=True)
    return len(old)


def _sync_folder(folder: Path) -> None:
    """A rename is on the disk once its folder is."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
