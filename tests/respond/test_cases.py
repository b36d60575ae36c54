"""Each row of tests/cases/respond: what stands, and the calls that follow from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.case_files import read_case_file

from clew.errors import ChangeError
from clew.respond.actions import ACTIONS
from clew.respond.model import Change, State, plan
from clew.respond.targets import target

ROOT = Path(__file__).resolve().parents[1] / "cases" / "respond"
ROWS = [
    pytest.param(row, id=row["name"])
    for file in sorted(ROOT.glob("*.yaml"))
    for row in read_case_file(file)["rows"]
]


def planned(row: dict[str, Any]) -> Change:
    """The plan that follows from the state of the row."""
    action, options = ACTIONS[row["action"]], row.get("options", {})
    found = target(action.kind, row["resource"], account="123456789012")
    values = row.get("state", {})
    state = State({(a.name, place): values.get(a.name) for a, place in action.needs(found, options)})
    return plan(action, found, options, state)


@pytest.mark.parametrize("row", ROWS)
def test_calls_follow_from_what_stands(row: dict[str, Any]) -> None:
    """The calls of the plan, and those that take it back, are the row's; or the action refuses as it says."""
    if "refused" in row:
        with pytest.raises(ChangeError, match=row["refused"]):
            planned(row)
        return
    steps = planned(row).steps
    writes = [write for step in steps for write in step.writes]
    undo = [write for step in reversed(steps) for write in step.undo]
    assert [str(write) for write in writes] == row["calls"]
    assert [str(write) for write in undo] == row["undo"]
    for name, value in row.get("sends", {}).items():
        assert writes[-1].parameters[name] == value


@pytest.mark.parametrize("row", ROWS)
def test_rows_name_their_source(row: dict[str, Any]) -> None:
    """Every row says which page of AWS's it is from."""
    assert row["page"]
