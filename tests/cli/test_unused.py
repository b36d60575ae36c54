"""`clew unused`: what is printed, kept and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from clew.cli.main import app
from clew.errors import WorkspaceError

if TYPE_CHECKING:
    from click.testing import Result

_ROOT = Path(__file__).resolve().parent.parent.parent
_SNAPSHOT = str(_ROOT / "samples" / "snapshots" / "2026-03-11T060000Z.json.gz")


def _run(*words: str) -> Result:
    return CliRunner().invoke(app, ["unused", "--policies", _SNAPSHOT, *words])


def test_json_tells_findings_and_what_is_not_known() -> None:
    """Each finding has its type and recommendation; permissions without data are unknown, and the exit says so."""
    done = _run("--output", "json", "--no-keep")
    told = json.loads(done.stdout)
    assert done.exit_code == 3
    assert {each["type"] for each in told["findings"]} == {"UnusedIAMRole", "UnusedIAMUserPassword"}
    assert all(each["recommendation"] for each in told["findings"])
    assert told["unknown"][0]["type"] == "UnusedPermission"
    assert told["not_judged"] == [
        f"arn:aws:iam::111122223333:user/{name}" for name in ("service/backup", "team/User3")
    ]


def test_a_longer_window_leaves_less_to_judge() -> None:
    """Who is younger than the window is not judged, and what was found before is not taken for resolved."""
    assert _run().exit_code == 3
    told = json.loads(_run("--days", "365", "--output", "json").stdout)
    assert told["findings"] == []
    assert "arn:aws:iam::111122223333:role/deploy" in told["not_judged"]
    assert told["resolved"] == []


def test_fail_on_and_a_lake_that_is_not_there() -> None:
    """An unused password is medium; a lake that nobody made is an error, not silence."""
    assert _run("--fail-on", "medium", "--no-keep").exit_code == 1
    assert isinstance(_run("--lake").exception, WorkspaceError)
