"""`clew ingest` as its users see it: summary, JSON, exit codes, standard input."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from clew.cli.main import app
from clew.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_EVENT = '{"eventVersion":"1.08","eventTime":"2024-05-01T00:00:00Z","eventName":"X","eventSource":"x",%s}'


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with two events, a licence and a page of HTML."""
    folder = tmp_path / "logs"
    folder.mkdir()
    events = ",".join(_EVENT % f'"eventID":"0000000{n}-0000-4000-8000-000000000000"' for n in range(2))
    (folder / "a.json").write_text(f'{{"Records":[{events}]}}')
    (folder / "LICENSE").write_text("free")
    return folder


def test_a_clean_ingest_prints_a_summary(logs: Path):
    """Counts stand on standard output, each with what it means."""
    result = CliRunner().invoke(app, ["ingest", str(logs)])
    assert result.exit_code == 0
    counts = {line.split()[0]: line.split()[1] for line in result.stdout.splitlines()}
    assert counts == {
        "files": "1",
        "events": "2",
        "stored": "2",
        "duplicates": "0",
        "quarantined": "0",
        "ignored": "1",
    }
    assert "LICENSE" in result.stdout


def test_something_quarantined_is_exit_code_3(logs: Path):
    """What cannot be read is named by its reason, and the exit code says that the answer is partial, each time."""
    (logs / "b.json").write_text("<html>error</html>")
    for _ in range(2):
        result = CliRunner().invoke(app, ["ingest", str(logs), "--output", "json"])
        assert result.exit_code == 3
        answer = json.loads(result.stdout)
        assert (answer["events"], answer["quarantined"], answer["reasons"]) == (2, 1, {"html_or_xml": 1})


def test_standard_input_is_a_source():
    """`-` reads events from standard input."""
    line = _EVENT % '"eventID":"x"'
    result = CliRunner().invoke(app, ["ingest", "-", "-o", "json"], input=line + "\n")
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["stored"]) == (0, 1)
    assert {"unpack", "hash", "decode", "write", "dedup", "commit"} <= set(answer["stages"])


def test_names_of_files_cannot_drive_the_terminal(logs: Path):
    """Escape codes in file names are shown, not sent."""
    (logs / "x\x1b[31m.md").write_text("")
    result = CliRunner().invoke(app, ["ingest", str(logs)])
    assert "\x1b" not in result.stdout


def test_a_wrong_path_is_one_line(tmp_path: Path):
    """A path that does not exist is an input error that names it."""
    result = CliRunner().invoke(app, ["ingest", str(tmp_path / "nothing")])
    assert isinstance(result.exception, InputError)
    assert "does not exist" in str(result.exception)
