"""`clew lake …`: each command says what it did, its exit code says whether all is well, hostile text stays inert."""

from __future__ import annotations

import csv
import io
import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from clew.cli.main import main
from clew.lake.ingest import ingest

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2024, 1, 1, tzinfo=UTC)
HOSTILE = "=cmd|' /C calc'!A0\x1b]0;owned\x07"


def event(number: int) -> dict[str, object]:
    """A plausible management event."""
    return {
        "eventVersion": "1.08",
        "eventTime": f"2023-07-10T12:00:{number:02d}Z",
        "eventSource": "iam.amazonaws.com",
        "eventName": "ListUsers",
        "awsRegion": "us-east-1",
        "eventID": f"00000000-0000-4000-8000-{number:012d}",
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with three commits of two events each, one file that is no log, and one event without a time."""
    home = tmp_path_factory.mktemp("lake-commands")
    for number in range(3):
        path = home / f"{number}.json"
        path.write_text(json.dumps({"Records": [event(2 * number), event(2 * number + 1)]}))
        ingest(home / "w" / "lake", [path], now=NOW)
    (home / "bad.json").write_text(f"{HOSTILE} is no log")
    ingest(home / "w" / "lake", [home / "bad.json"], now=NOW)
    (home / "w").rename(home / "pristine")
    return home


@pytest.fixture
def workspace(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace as new, chosen by the environment."""
    shutil.rmtree(made / "w", ignore_errors=True)
    shutil.copytree(made / "pristine", made / "w")
    monkeypatch.setenv("CLEW_WORKSPACE", str(made / "w"))
    return made / "w"


def run(*arguments: str, code: int = 0) -> str:
    """The output of `clew lake …`, which ends with that exit code."""
    from clew.cli.main import app

    result = CliRunner().invoke(app, ["lake", *arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result.stdout


def answer(*arguments: str, code: int = 0) -> Any:
    """The JSON that `clew lake … --output json` prints."""
    return json.loads(run(*arguments, "--output", "json", code=code))


def test_info_shows_each_table(workspace: Path) -> None:
    """Each table is one line with rows, files, days and size; JSON says the same."""
    text = run("info")
    assert f"lake {workspace / 'lake'}" in text
    assert "cloudtrail     6      3" in text
    tables = {table["name"]: table for table in answer("info")["tables"]}
    assert (tables["cloudtrail"]["rows"], tables["cloudtrail"]["first_day"]) == (6, "2023-07-10")


@pytest.mark.usefixtures("workspace")
def test_a_whole_lake_is_exit_0() -> None:
    """Verification of a whole lake says so, with the checksum of the ids."""
    assert run("verify").endswith("the lake is whole\n")
    assert answer("verify")["identities"]["cloudtrail"]["distinct"] == 6


def test_a_damaged_lake_is_exit_3(workspace: Path) -> None:
    """A missing file is named, and the exit code is 3."""
    victim = next((workspace / "lake" / "cloudtrail" / "data").glob("*.parquet"))
    victim.unlink()
    text = run("verify", code=3)
    assert f"missing_file: {victim}: 2 rows of cloudtrail are not there" in text
    assert {item["code"] for item in answer("verify", code=3)["discrepancies"]} == {
        "missing_file",
        "ledger_differs",
    }


@pytest.mark.usefixtures("workspace")
def test_compact_then_expire_then_verify() -> None:
    """The commands in the order of an ordinary month: fewer files, nothing unneeded, the lake whole."""
    before = answer("verify")["identities"]
    assert "the old files stay until `clew lake expire`" in run("compact")
    assert "nothing to compact" in run("compact")
    assert "files would be removed" in run("expire", "--older-than", "0s", "--dry-run")
    assert answer("expire", "--older-than", "0s")["snapshots"] > 0
    assert answer("info")["unreferenced_files"] == 0
    assert answer("verify")["identities"] == before


def test_a_moved_lake_says_so_and_relocates(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A moved workspace is named by info and refused by compact, until relocate has been run."""
    shutil.move(workspace, tmp_path / "moved")
    monkeypatch.setenv("CLEW_WORKSPACE", str(tmp_path / "moved"))
    assert "run `clew lake relocate`" in run("info")
    monkeypatch.setattr("sys.argv", ["clew", "lake", "compact"])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "run `clew lake relocate`" in capsys.readouterr().err
    assert "now belong to" in run("relocate")
    assert "nothing to do" in run("relocate")
    run("verify")


@pytest.mark.usefixtures("workspace")
def test_quarantine_is_listed_inert() -> None:
    """What could not be read is listed with reason; its text drives neither terminal nor spreadsheet."""
    text = run("quarantine")
    assert "bad.json: unknown_format" in text
    assert text.endswith("1 entries: unknown_format 1\n")
    table = list(csv.DictReader(io.StringIO(run("quarantine", "--output", "csv"))))
    assert [row["reason"] for row in table] == ["unknown_format"]
    assert table[0]["excerpt"].startswith("'=cmd|")
    for output in (text, run("quarantine", "--output", "csv"), run("quarantine", "--output", "json")):
        assert "\x1b" not in output
        assert "\x07" not in output


@pytest.mark.usefixtures("workspace")
def test_quarantine_is_counted_by_reason() -> None:
    """The summary counts each reason, in every form; another reason lists nothing."""
    assert answer("quarantine", "--summary") == {"unknown_format": 1}
    assert run("quarantine", "--summary", "--output", "csv") == "reason,entries\nunknown_format,1\n"
    assert "unknown_format" in run("quarantine", "--summary")
    assert answer("quarantine", "--reason", "gzip_bomb") == []


def test_without_a_lake_the_line_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there is no lake, each command says how to make one and makes nothing itself."""
    monkeypatch.setenv("CLEW_WORKSPACE", str(tmp_path / "none"))
    for command in ("info", "verify", "compact", "expire", "relocate", "quarantine"):
        monkeypatch.setattr("sys.argv", ["clew", "lake", command])
        with pytest.raises(SystemExit, match="2"):
            main()
        assert "run `clew ingest PATH` first" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
