"""`clew doctor`: each thing that is wrong is named with what to do, and nothing wrong is exit 0."""

from __future__ import annotations

import json
import os
import sqlite3
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from clew.cli.main import app
from clew.lake import lock
from clew.store import workspace as store_workspace
from clew.store.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory and a user configuration of our own, and a private workspace in use."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("CLEW_WORKSPACE", str(tmp_path / "w"))
    Workspace(tmp_path / "w").create()
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and output of `clew … doctor`."""
    result = CliRunner().invoke(app, [*arguments, "doctor"])
    return result.exit_code, result.output


def problems(*arguments: str) -> dict[str, str]:
    """The problems that `clew doctor` names, by check; also checks exit code and count."""
    result = CliRunner().invoke(app, [*arguments, "doctor", "--output", "json"])
    answer: dict[str, Any] = json.loads(result.output)
    found = {check["name"]: check["problem"] for check in answer["checks"] if check["problem"]}
    assert answer["problems"] == len(found)
    assert result.exit_code == (3 if found else 0)
    return found


@pytest.mark.usefixtures("here")
def test_a_sound_installation_has_no_problem() -> None:
    """On a sound machine the answer is exit 0 and says so, with versions and settings."""
    code, text = run()
    assert code == 0
    assert text.endswith("nothing is wrong\n")
    assert f"duckdb {metadata.version('duckdb')}" in text
    assert "(chosen by: CLEW_WORKSPACE)" in text


def test_doctor_changes_nothing(here: Path) -> None:
    """Asking makes no file: not even the workspace."""
    run("--workspace", str(here / "other"))
    assert not (here / "other").exists()
    assert [path.name for path in here.iterdir()] == ["w"]


def test_settings_are_shown_with_their_origin(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting is shown with the file or variable that it came from."""
    (here / ".clew.toml").write_text("workers = 3\n")
    monkeypatch.setenv("CLEW_OUTPUT", "csv")
    _, text = run()
    assert f"3 ({here / '.clew.toml'})" in text
    assert "csv (CLEW_OUTPUT)" in text


def test_a_wrong_configuration_does_not_stop_the_examination(here: Path) -> None:
    """A wrong file is a problem among others; the rest is still examined."""
    (here / ".clew.toml").write_text("workrs = 3\n")
    found = problems()
    assert "`workrs` is not a setting" in found["file"]
    assert "path" in found


def test_a_misspelt_variable_is_a_problem(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that begins with CLEW_ and means nothing is named."""
    del here
    monkeypatch.setenv("CLEW_WORKSPCE", "x")
    assert "check the spelling" in problems()["CLEW_WORKSPCE"]


def test_a_last_investigation_that_is_gone_is_a_problem(here: Path) -> None:
    """A pointer to a workspace that was removed says how to make it again."""
    store_workspace.make_current(Workspace(here / "gone"))
    assert "run `clew investigate PATH` again" in problems()["last investigation"]


def test_a_workspace_under_a_file_is_not_writable(here: Path) -> None:
    """A workspace that cannot be made is named, with the option to choose another."""
    (here / "file").write_text("x")
    assert "choose another with --workspace" in problems("--workspace", str(here / "file" / "w"))["writable"]


def test_a_workspace_open_to_all_is_told(here: Path) -> None:
    """That every user may read the reports is said with the command that closes it; it may be meant."""
    (here / "w").chmod(0o755)
    assert problems() == {}
    assert f"chmod 700 {here / 'w'}" in run()[1]


def test_a_full_disk_is_a_problem(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less room than an ingest needs is a problem."""
    del here
    monkeypatch.setattr("clew.cli.commands.doctor.LOW_DISK_BYTES", 1 << 62)
    assert "too little to ingest" in problems()["disk"]


def test_a_damaged_state_is_a_problem(here: Path) -> None:
    """A state file that is not a database is named; a sound one is ok."""
    state = here / "w" / "state.db"
    with sqlite3.connect(state) as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    assert problems() == {}
    state.write_bytes(b"not a database" * 100)
    assert str(state) in problems()["state"]


def test_a_missing_part_of_an_extra_is_a_problem(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An extra that is half installed is a problem; one that is absent is a fact with the command to get it."""
    del here
    monkeypatch.setattr(
        "clew.cli.commands.doctor.EXTRAS", {"lake": ("duckdb", "no-such"), "aws": ("nor-this",)}
    )
    found = problems()
    assert found == {"lake": "no-such missing; run `pip install 'clew-aws[lake]'`"}
    assert "not installed (pip install 'clew-aws[aws]')" in run()[1]


def test_the_holder_of_the_lock_is_named(here: Path) -> None:
    """A writer at work is shown with its process id, and is not a problem."""
    (here / "w" / "lake").mkdir()
    with lock.exclusive(here / "w" / "lake"):
        code, text = run()
    assert code == 0
    assert f"held by process {os.getpid()}" in text
    assert "held by process" not in run()[1]


def test_paths_with_control_characters_are_shown_inert(here: Path) -> None:
    """A path cannot drive the terminal."""
    _, text = run("--workspace", str(here / "a\x1b[31mb"))
    assert "\x1b" not in text
    assert "a\\x1b[31mb" in text
