"""A record proves some context keys and leaves the others open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.case_files import read_case_file

from clew.analyzer.recorded import Unasked, requests
from clew.engine.request import UNKNOWN

_FILE = Path(__file__).resolve().parent.parent / "cases" / "analyzer" / "recorded.yaml"
_CASES: dict[str, Any] = read_case_file(_FILE)


@pytest.mark.parametrize("row", _CASES["rows"], ids=lambda row: row["name"])
def test_a_record_proves_what_its_case_says_and_no_more(row: dict[str, Any]) -> None:
    """Keys are present or absent only where the record shows it; all others are unknown."""
    found = requests({**_CASES["defaults"], **row["event"]})
    if isinstance(found, Unasked):
        assert row["unasked"] in found.reason
        return
    assert isinstance(found, tuple)
    assert bool(found) is not row.get("none", False)
    for recorded in found:
        context = recorded.request.context
        assert recorded.request.principal == row["principal"]
        assert {key: context.get(key.lower()) for key in row.get("present", {})} == row.get("present", {})
        assert [key for key in row.get("absent", ()) if context.get(key.lower()) is not None] == []
        assert [key for key in row.get("unknown", ()) if context.get(key.lower()) is not UNKNOWN] == []
