"""The examples EV1-EV15 of the source documents, each with its verdict."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.case_files import read_case_file

from clew.events.category import category
from clew.events.channel import channel
from clew.events.cloudtrail import record_id
from clew.events.contradictions import contradictions
from clew.events.identity import principal
from clew.events.outcome import outcome
from clew.events.paths import at
from clew.events.record import Record
from clew.events.resources import resources
from clew.events.sources import decode, kind_of, record_time

CASES = Path(__file__).parent.parent / "cases" / "events"
EXAMPLES = [f"EV{number}" for number in range(1, 16)]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def load(name: str) -> dict[str, Any]:
    case: dict[str, Any] = read_case_file(CASES / f"{name}.yaml")
    return case


def inputs() -> list[Any]:
    return [
        pytest.param(given, id=f"{name}-{index}")
        for name in EXAMPLES
        for index, given in enumerate(load(name).get("inputs", []))
    ]


def rows() -> list[Any]:
    return [
        pytest.param(given.values[0]["text"], index, row, id=f"{given.id}-{index}")
        for given in inputs()
        for index, row in enumerate(given.values[0]["rows"])
    ]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_has_a_case(name):
    """Each example has a file with its id, its place, its source and something to check."""
    case = load(name)
    assert case["id"] == name
    assert case["place"]
    assert case["source"]
    assert case.get("inputs") or case.get("channels")


@pytest.mark.parametrize("given", inputs())
def test_kind_and_records(given):
    """Each example is told by its content, gives as many records as it holds, and nothing is refused."""
    data = given["text"].encode()
    assert kind_of(data) == given["kind"]
    found = list(decode(data))
    assert all(isinstance(piece, Record) for piece in found), found
    assert len(found) == len(given["rows"])


@pytest.mark.parametrize(("text", "index", "row"), rows())
def test_verdict(text, index, row):
    """Each record of an example says what the case says: fields, time, who, how, outcome, on what, contradictions."""
    record = list(decode(text.encode()))[index]
    assert isinstance(record, Record)
    for part, expected in row.items():
        VERDICTS[part](record, expected)


def _fields(record: Record, expected: dict[str, object]) -> None:
    for path, value in expected.items():
        whole = record.fields.get(path)
        assert (whole if path in record.fields else at(record.fields, *path.split("."))) == value, path


def _identity(record: Record, expected: str) -> None:
    identity = record_id(record.fields)
    assert identity.startswith("sha256:") if expected == "sha256" else identity == expected


def _time(record: Record, expected: str) -> None:
    assert record_time(record, NOW) == datetime.fromisoformat(expected)


def _parts(judge: Any) -> Any:
    def compare(record: Record, expected: dict[str, object]) -> None:
        found = judge(record.fields)
        assert {part: str(getattr(found, part)) for part in expected} == expected

    return compare


def _resources(record: Record, expected: list[str]) -> None:
    found = {resource.id for resource in resources(record.fields)}
    assert set(expected) <= found


def _contradictions(record: Record, expected: list[dict[str, str]]) -> None:
    found = [
        {part: getattr(one, part) for part in ("field_a", "value_a", "field_b", "value_b")}
        for one in contradictions(record.fields, record.text)
    ]
    assert found == expected


def _category(record: Record, expected: str) -> None:
    assert str(category(record.fields)) == expected


VERDICTS = {
    "fields": _fields,
    "record_id": _identity,
    "time": _time,
    "category": _category,
    "principal": _parts(principal),
    "channel": _parts(channel),
    "outcome": _parts(outcome),
    "resources": _resources,
    "contradictions": _contradictions,
}


@pytest.mark.parametrize("row", load("EV11")["channels"], ids=lambda row: row["event"]["userAgent"])
def test_user_agents_of_the_document(row):
    """Each of the six user agents of EV11 tells its channel."""
    found = channel(row["event"])
    assert (str(found.kind), found.detail) == (row["kind"], row["detail"])
