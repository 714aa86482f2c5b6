"""F4: where photos and videos are kept: the same story for a folder and for a bucket over HTTP."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from talkingphoto.foundation import errors
from talkingphoto.foundation.database import Database
from talkingphoto.integrations.storage import BucketStorage, FolderStorage, Storage
from talkingphoto.runtime import Runtime
from tests.support.settings_cases import loaded, refusal

_ID = "0bf6f279-d5e2-44bc-b389-aa71c428229b"
HOSTILE = [
    "../../x.png",
    "/etc/passwd",
    "a" * 300,
    "",
    ".",
    "..",
    "x\0.mp4",
    f"{_ID}.mp4/../x",
    f"{_ID}.exe",
    f"{_ID}.mp4\n",
    f"{_ID.upper()}.mp4",
]
S3 = {
    "TALKINGPHOTO_STORAGE": "s3",
    "TALKINGPHOTO_S3_BUCKET": "videos",
    "TALKINGPHOTO_S3_ACCESS_KEY": "test-access",
    "TALKINGPHOTO_S3_SECRET_KEY": "test-secret",
}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of an S3 server with one bucket."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    address = f"http://{host}:{port}"
    boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="test-access",
        aws_secret_access_key="test-secret",
    ).create_bucket(Bucket="videos")
    yield address
    moto.stop()


@pytest.fixture(params=["folder", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """The storage as the settings make it, for each of its two places."""
    chosen = {}
    if request.param == "s3":
        chosen = S3 | {"TALKINGPHOTO_S3_ENDPOINT": request.getfixturevalue("server")}
    storage = Runtime(loaded(chosen, tmp_path)).storage
    kind = BucketStorage if request.param == "s3" else FolderStorage
    assert isinstance(storage, kind)
    return storage


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Something to keep."""
    path = tmp_path / "made.mp4"
    path.write_bytes(os.urandom(300_000))
    return path


def test_what_is_kept_is_read_again_whole(kept: Storage, file: Path) -> None:
    key = kept.put(file, "video")
    with kept.reading(key) as path:
        assert path.read_bytes() == file.read_bytes()
    assert kept.path(key).read_bytes() == file.read_bytes()
    assert kept.path(key) == kept.path(key)


def test_f4_a_key_is_a_random_name_of_ours(kept: Storage, file: Path) -> None:
    keys = {kind: kept.put(file, kind) for kind in ("photo", "video", "poster")}
    for kind, ending in (("photo", ".photo.jpg"), ("video", ".mp4"), ("poster", ".poster.jpg")):
        assert re.fullmatch(r"[0-9a-f-]{36}", keys[kind].removesuffix(ending))
    assert len(set(keys.values())) == 3


@pytest.mark.parametrize("key", HOSTILE)
def test_f4_no_other_name_reaches_a_file(kept: Storage, key: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    for use in (kept.path, kept.delete):
        with pytest.raises(errors.NotFound):
            use(key)
    with pytest.raises(errors.NotFound), kept.reading(key):
        raise AssertionError("it was opened")
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_deleted_is_gone_and_may_be_deleted_again(kept: Storage, file: Path) -> None:
    key = kept.put(file, "video")
    kept.path(key)
    for _ in range(2):
        kept.delete(key)
    with pytest.raises(errors.NotFound):
        kept.path(key)
    with pytest.raises(errors.NotFound), kept.reading(key):
        raise AssertionError("it was opened")
    assert key not in {found.key for found in kept.stored()}


def test_all_that_is_kept_is_listed_with_its_age(kept: Storage, file: Path) -> None:
    keys = {kept.put(file, "video") for _ in range(3)}
    listed = {found.key: found.since for found in kept.stored()}
    assert keys <= set(listed)
    for key in keys:
        assert abs(listed[key] - datetime.now(UTC)) < timedelta(minutes=5)


def test_leftovers_go_when_they_are_old_and_what_is_kept_stays(
    kept: Storage, file: Path, tmp_path: Path
) -> None:
    key = kept.put(file, "video")
    place = kept.path(key)
    left = place.with_name(f"{place.name}.part")
    left.write_bytes(b"half")
    assert kept.tidy(before=datetime.now(UTC) - timedelta(days=1)) == 0
    os.utime(left, (1, 1))
    assert kept.tidy(before=datetime.now(UTC) - timedelta(days=1)) == 1
    assert not left.exists()
    assert kept.path(key).read_bytes() == file.read_bytes()


def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path, file: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    with pytest.raises(errors.Unavailable):
        FolderStorage(tmp_path / "taken").put(file, "video")


def test_a_bucket_that_does_not_answer_is_unavailable(tmp_path: Path, file: Path) -> None:
    away = S3 | {"TALKINGPHOTO_S3_ENDPOINT": "http://127.0.0.1:9"}
    storage = Runtime(loaded(away, tmp_path)).storage
    for use in (lambda: storage.put(file, "video"), lambda: storage.delete(f"{_ID}.mp4")):
        with pytest.raises(errors.Unavailable):
            use()


def test_a_bucket_that_is_not_there_is_no_lost_video(
    server: str, tmp_path: Path, file: Path
) -> None:
    other = {"TALKINGPHOTO_S3_ENDPOINT": server, "TALKINGPHOTO_S3_BUCKET": "nobodys"}
    storage = Runtime(loaded(S3 | other, tmp_path)).storage
    with pytest.raises(errors.Unavailable):
        storage.put(file, "video")


def test_a_bucket_is_not_asked_within_a_transaction(
    server: str, tmp_path: Path, file: Path, database_url: str
) -> None:
    storage = Runtime(loaded(S3 | {"TALKINGPHOTO_S3_ENDPOINT": server}, tmp_path)).storage
    database = Database(database_url)
    with pytest.raises(AssertionError, match="transaction"), database.transaction():
        storage.put(file, "video")
    database.dispose()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"TALKINGPHOTO_S3_BUCKET": ""}, {"TALKINGPHOTO_S3_BUCKET"}),
        ({"TALKINGPHOTO_S3_ACCESS_KEY": ""}, {"TALKINGPHOTO_S3_ACCESS_KEY"}),
        ({"TALKINGPHOTO_S3_SECRET_KEY": ""}, {"TALKINGPHOTO_S3_SECRET_KEY"}),
        ({"TALKINGPHOTO_S3_ENDPOINT": "s3.example"}, {"TALKINGPHOTO_S3_ENDPOINT"}),
        ({"TALKINGPHOTO_STORAGE": "tape"}, {"TALKINGPHOTO_STORAGE", *list(S3)[1:]}),
        ({"TALKINGPHOTO_STORAGE": ""}, set(list(S3)[1:])),
        ({"TALKINGPHOTO_PHOTO_DAYS": "0"}, {"TALKINGPHOTO_PHOTO_DAYS"}),
        ({"TALKINGPHOTO_VIDEO_DAYS": "soon"}, {"TALKINGPHOTO_VIDEO_DAYS"}),
    ],
)
def test_o7_half_a_bucket_is_refused_by_name(
    changed: dict[str, str], named: set[str], tmp_path: Path
) -> None:
    faults = refusal(S3 | changed, tmp_path)
    assert {line.partition(":")[0] for line in faults} == named
    assert not any("test-secret" in line for line in faults)
