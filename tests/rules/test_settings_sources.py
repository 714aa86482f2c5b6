"""Where settings come from: the environment, then .env, then the secrets made for the sandbox."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

from talkingphoto.foundation import dev_secrets, settings
from tests.support.settings_cases import OWN, REAL, environment, loaded, refusal

EXAMPLE = settings.PROJECT_ROOT / ".env.example"
RACES = 100
# Waits when everything is imported, so that all of them look for the first file at once; then
# races for many more.
LOAD = f"""
import os, sys
from talkingphoto.foundation import settings
print("ready", flush=True)
sys.stdin.readline()
for race in range({RACES}):
    folder = os.path.join(os.environ["TALKINGPHOTO_DATA"], str(race))
    chosen = settings.load({{**os.environ, "TALKINGPHOTO_DATA": folder}})
    print(chosen.stripe_secret_key.get_secret_value())
"""


def write_env(folder: Path, **values: str) -> None:
    """The folder's .env file holds these lines."""
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))


def test_the_environment_wins_over_env_which_wins_over_dev_env(tmp_path: Path) -> None:
    made = dev_secrets.ensure(tmp_path / "data")
    assert loaded({}, tmp_path).secret_key.get_secret_value() == made["SECRET_KEY"]
    write_env(tmp_path, SECRET_KEY=OWN["SECRET_KEY"], APP_URL="http://from.file")
    assert loaded({}, tmp_path).secret_key.get_secret_value() == OWN["SECRET_KEY"]
    assert loaded({}, tmp_path).jwt_secret_key.get_secret_value() == made["JWT_SECRET_KEY"]
    chosen = loaded({"APP_URL": "http://from.environment"}, tmp_path)
    assert chosen.app_url == "http://from.environment"
    assert chosen.secret_key.get_secret_value() == OWN["SECRET_KEY"]


def test_an_empty_variable_in_the_environment_leaves_the_file_its_say(tmp_path: Path) -> None:
    write_env(tmp_path, APP_URL="http://from.file")
    assert loaded({"APP_URL": ""}, tmp_path).app_url == "http://from.file"


def test_real_keys_may_stand_in_env_and_need_no_dev_env(tmp_path: Path) -> None:
    write_env(tmp_path, **REAL)
    assert not loaded({}, tmp_path).sandbox
    assert not (tmp_path / "data").exists()


def test_the_data_folder_named_in_env_is_where_dev_env_is_made(tmp_path: Path) -> None:
    write_env(tmp_path, TALKINGPHOTO_DATA=str(tmp_path / "elsewhere"))
    only_file = {"TALKINGPHOTO_ENV_FILE": str(tmp_path / ".env")}
    assert settings.load(only_file).data == (tmp_path / "elsewhere").resolve()
    assert (tmp_path / "elsewhere" / "dev.env").is_file()


def test_o7_faults_in_env_are_told_like_those_of_the_environment(tmp_path: Path) -> None:
    write_env(tmp_path, APP_URL="hunter2", TALKINGPHOTO_TYPO="hunter2", OF_ANOTHER_PROGRAM="x")
    faults = refusal({}, tmp_path)
    assert [line.partition(":")[0] for line in faults] == ["TALKINGPHOTO_TYPO", "APP_URL"]
    assert "hunter2" not in "".join(faults)


def test_o7_an_env_file_that_is_no_text_is_named_without_its_bytes(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"SECRET_KEY=hunter2\xff\xfe\n")
    faults = refusal({}, tmp_path)
    assert [line.partition(":")[0] for line in faults] == ["TALKINGPHOTO_ENV_FILE"]
    assert "hunter2" not in "".join(faults)


def test_dev_env_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    first = loaded({}, tmp_path)
    path = tmp_path / "data" / "dev.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first.sandbox
    assert re.fullmatch(r"sk_test_\w{48}", first.stripe_secret_key.get_secret_value())
    assert re.fullmatch(r"whsec_\w{48}", first.webhook_secrets[0])
    before = path.read_bytes()
    assert loaded({}, tmp_path) == first
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["dev.env"]


def test_dev_env_is_not_made_while_a_setting_is_wrong(tmp_path: Path) -> None:
    refusal({"APP_URL": "nowhere"}, tmp_path)
    assert not (tmp_path / "data").exists()


def test_eight_processes_that_start_together_share_one_dev_env(tmp_path: Path) -> None:
    racing = [
        subprocess.Popen(
            [sys.executable, "-c", LOAD],
            env=environment({}, tmp_path),
            cwd=settings.PROJECT_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    for process in racing:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in racing:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    keys = {tuple(process.communicate(timeout=100)[0].split()) for process in racing}
    assert len(keys) == 1
    assert len(set(keys.pop())) == RACES
    left = [entry.name for folder in (tmp_path / "data").iterdir() for entry in folder.iterdir()]
    assert left == ["dev.env"] * RACES


@pytest.mark.parametrize("lost", dev_secrets.NAMES)
def test_o7_a_dev_env_without_one_of_its_secrets_is_refused(lost: str, tmp_path: Path) -> None:
    made = dev_secrets.ensure(tmp_path / "data")
    path = tmp_path / "data" / "dev.env"
    path.write_text("".join(f"{name}={made[name]}\n" for name in made if name != lost))
    faults = refusal({}, tmp_path)
    assert [line.partition(":")[0] for line in faults] == [lost]
    assert not any(value in faults[0] for value in made.values())


def test_w6_an_empty_dev_env_refuses_to_start(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "dev.env").touch()
    named = {line.partition(":")[0] for line in refusal({}, tmp_path)}
    assert named == set(dev_secrets.NAMES)


def test_o7_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    faults = refusal({}, tmp_path)
    assert [line.partition(":")[0] for line in faults] == ["TALKINGPHOTO_DATA"]


def test_env_example_names_every_setting_and_no_other() -> None:
    names = re.findall(r"^#?\s?([A-Z][A-Z0-9_]+)=", EXAMPLE.read_text(), re.MULTILINE)
    fields = [name for name in settings.Settings.model_fields if name != "sandbox"]
    assert sorted(names) == sorted(map(settings.variable, fields))


def test_env_example_says_something_about_every_setting() -> None:
    lines = EXAMPLE.read_text().splitlines()
    for number, line in enumerate(lines):
        if re.match(r"#?[A-Z][A-Z_]+=", line):
            assert re.match(r"# \S", lines[number - 1]), f"no comment above: {line}"


def test_env_example_copied_unchanged_starts_the_sandbox(tmp_path: Path) -> None:
    copied = {"TALKINGPHOTO_ENV_FILE": str(EXAMPLE), "TALKINGPHOTO_DATA": str(tmp_path / "data")}
    chosen = settings.load(copied)
    assert chosen.sandbox
    assert chosen.model_copy(update={"env_file": Path(".env")}) == settings.load(
        {**copied, "TALKINGPHOTO_ENV_FILE": str(tmp_path / "none")}
    ).model_copy(update={"env_file": Path(".env")})


def test_env_example_holds_no_value_that_would_be_taken_for_a_secret() -> None:
    assert not any(dotenv_values(EXAMPLE).get(name) for name in dev_secrets.NAMES)


def test_env_example_shows_the_values_that_are_the_defaults(tmp_path: Path) -> None:
    chosen = loaded({}, tmp_path)
    shown = re.findall(r"^([A-Z][A-Z_]+)=(.+)$", EXAMPLE.read_text(), re.MULTILINE)
    assert shown, "the defaults stand uncommented"
    defaults = {settings.variable(n): f.default for n, f in settings.Settings.model_fields.items()}
    for name, value in shown:
        assert str(defaults[name]) == value.strip('"')
    assert chosen.sandbox
