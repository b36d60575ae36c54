"""Recorded calls become actions and ARNs by rules with a source, or are said to be unmapped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.case_files import read_case_file

from clew.analyzer import activity
from clew.analyzer.activity import Rule, Unmapped, actions
from clew.analyzer.touched import touched
from clew.aws import catalog

_FILE = Path(__file__).resolve().parent.parent / "cases" / "analyzer" / "activity.yaml"
_CASES: dict[str, Any] = read_case_file(_FILE)


def _event(row: dict[str, Any]) -> dict[str, Any]:
    return {**_CASES["defaults"], **row["event"]}


@pytest.mark.parametrize("row", _CASES["rows"], ids=lambda row: row["name"])
def test_a_call_takes_the_actions_that_its_case_names(row: dict[str, Any]) -> None:
    """Each call is mapped as AWS documents it, with the ARNs that the record shows and no others."""
    event = _event(row)
    found = actions(event)
    if isinstance(found, Unmapped):
        assert row["unmapped"] in found.reason
        return
    assert [use.action for use in found] == list(row["actions"])
    for use in found:
        about = touched(event, use.action)
        expected = row["actions"][use.action]
        assert (list(about.arns) if about.told else None) == expected


def test_every_row_of_the_table_names_actions_of_the_catalogue_and_a_page() -> None:
    """No row maps to an action that AWS does not have, and none says what the name says already."""
    known = catalog.current()
    for (service, name), rows in activity._table().items():
        for row in rows:
            assert row.page
            assert all(known.action(f"{service}:{action}") for action in row.actions), (service, name)
            assert row.actions != (name,) or row.present or len(rows) > 1, (service, name)


def test_every_rule_has_a_case() -> None:
    """Each way to map an event is shown by a case."""
    found = [actions(_event(row)) for row in _CASES["rows"]]
    assert {use.rule for each in found if not isinstance(each, Unmapped) for use in each} == set(Rule)
