"""O7: whatever is started with a bad setting says so in a line for each, and ends with 2."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from talkingphoto.foundation import settings
from tests.support.settings_cases import environment

BAD = {
    "STRIPE_SECRET_KEY": "sk_live_0123456789hunter2",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_0123456789hunter2",
    "SECRET_KEY": "hunter2",
    "DATABASE_URL": "mysql://root:hunter2@db",
    "APP_URL": "http://hunter2.example",
}
NAMED = {
    "APP_URL",
    "DATABASE_URL",
    "JWT_SECRET_KEY",
    "SECRET_KEY",
    "STRIPE_PUBLISHABLE_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "WEB_URL",
}
GUIDE_SNIPPET = "from services.payment_service import payment_service"
ENTRY_POINTS = {
    "the guide's option A": ["-m", "services.webhook_service"],
    "the guide's snippet": ["-c", GUIDE_SNIPPET],
    "up": ["-m", "talkingphoto.cli", "up"],
    "worker": ["-m", "talkingphoto.cli", "worker"],
    "sandbox": ["-m", "talkingphoto.cli", "sandbox"],
    "catalog sync": ["-m", "talkingphoto.cli", "catalog", "sync"],
    "reconcile": ["-m", "talkingphoto.cli", "reconcile"],
    "webhooks sync": ["-m", "talkingphoto.cli", "webhooks", "sync"],
    "database status": ["-m", "talkingphoto.cli", "database", "status"],
    "database upgrade": ["-m", "talkingphoto.cli", "database", "upgrade"],
}
OPTION_C = ["-m", "gunicorn", "-w", "2", "-b", "127.0.0.1:0", "--no-control-socket"]


def start(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """How it ended, started with the bad settings."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment({"PATH": "/usr/bin:/bin", **BAD}, folder),
        cwd=settings.PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
def test_o7_a_bad_setting_ends_with_2_naming_each_variable(
    entry_point: str, tmp_path: Path
) -> None:
    ended = start(ENTRY_POINTS[entry_point], tmp_path)
    lines = [line.removeprefix("talkingphoto: ") for line in ended.stderr.splitlines()]
    assert sorted(line.partition(":")[0] for line in lines) == sorted(NAMED)
    assert "hunter2" not in ended.stdout + ended.stderr
    assert ended.returncode == 2
    assert not (tmp_path / "data").exists()


def test_o7_gunicorn_with_a_bad_setting_names_it_and_ends_too(tmp_path: Path) -> None:
    ended = start([*OPTION_C, "webhook_app:app"], tmp_path)
    named = {line.split(":")[1].strip() for line in ended.stderr.splitlines() if ":" in line}
    assert named >= NAMED
    # When a second worker ends while gunicorn stops for the first, gunicorn shows a trace of its
    # own; one that leads through our files would be ours.
    traced = re.findall(r'File "([^"]+)"', ended.stderr)
    assert [path for path in traced if "site-packages" not in path and "frozen" not in path] == []
    assert "hunter2" not in ended.stdout + ended.stderr
    assert ended.returncode != 0


def test_o7_doctor_tells_the_same_faults_and_starts_nothing(tmp_path: Path) -> None:
    ended = start(["-m", "talkingphoto.cli", "doctor"], tmp_path)
    assert ended.returncode == 1
    assert all(name in ended.stdout for name in NAMED)
    assert "hunter2" not in ended.stdout + ended.stderr
    assert list(tmp_path.iterdir()) == []
