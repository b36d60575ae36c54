"""Sample files of every source and spelling, whole and damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.case_files import read_case_file

from clew.events.json_text import repeated_keys
from clew.events.record import Reason, Record, Rejected
from clew.events.sources import SOURCES, decode, kind_of

TESTS = Path(__file__).parent.parent
SAMPLES = TESTS / "samples"
CASES: list[dict[str, Any]] = read_case_file(TESTS / "cases" / "events" / "samples.yaml")
READABLE = [case for case in CASES if case["records"]]


def read(case: dict[str, Any]) -> tuple[bytes, list[Record | Rejected]]:
    data = (SAMPLES / case["file"]).read_bytes()
    return data, list(decode(data))


def name(case: dict[str, Any]) -> str:
    return str(case["file"])


def test_every_sample_has_a_case():
    """No sample file stands without an expectation."""
    files = {str(path.relative_to(SAMPLES)) for path in SAMPLES.glob("*/*")}
    assert files == {case["file"] for case in CASES}


def test_every_source_has_a_sample():
    """Each kind in the table of sources has a sample that is told as this kind."""
    assert set(SOURCES) <= {case["kind"] for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=name)
def test_kind_records_and_refusals(case):
    """Each sample is told by its content, and gives the records and the refusals that the case names."""
    data, found = read(case)
    assert kind_of(data) == case["kind"]
    assert sum(isinstance(piece, Record) for piece in found) == case["records"]
    refused = [[piece.number, str(piece.reason)] for piece in found if isinstance(piece, Rejected)]
    assert refused == case.get("refused", [])


@pytest.mark.parametrize("case", READABLE, ids=name)
def test_numbers_count_every_piece(case):
    """Records and refusals of a file are numbered 0, 1, 2 … in file order."""
    _, found = read(case)
    assert [piece.number for piece in found] == list(range(len(found)))


@pytest.mark.parametrize("case", [case for case in READABLE if case.get("exact", True)], ids=name)
def test_text_is_what_stood_in_the_file(case):
    """The text of a record stands in the file, character for character, or in a string that stands there."""
    data, found = read(case)
    text = data.decode("utf-16" if "utf16" in case["file"] else "utf-8", "replace")
    text = text.replace('""', '"') if case["file"].endswith(".csv") else text
    for piece in found:
        if isinstance(piece, Record):
            escaped = json.dumps(piece.text)[1:-1]
            plain = escaped.encode("ascii").decode("unicode_escape")
            assert piece.text in text or escaped in text or plain in text


@pytest.mark.parametrize("case", [case for case in READABLE if case["kind"] == "cloudtrail"], ids=name)
def test_text_says_what_the_fields_say(case):
    """The text of a CloudTrail record, read as JSON, gives its fields."""
    for piece in read(case)[1]:
        if isinstance(piece, Record):
            assert json.loads(piece.text) == piece.fields
            assert repeated_keys(piece.text) == ()


def test_every_reason_of_a_decoder_has_a_sample_or_a_test():
    """Each reason that decoding can give is shown by a sample; the others have tests of their own."""
    shown = {reason for case in CASES for _, reason in case.get("refused", [])}
    elsewhere = {"too_deep", "too_large", "not_an_object"}
    opening = {"truncated_gzip", "trailing_data", "gzip_bomb", "unreadable"}
    times = {str(reason) for reason in Reason if reason.startswith("time_")}
    assert {str(reason) for reason in Reason} == shown | elsewhere | opening | times


@pytest.mark.parametrize(
    "spelling", ["records-pretty.json", "lines.jsonl", "array.json", "lookup-events.json"]
)
def test_every_spelling_says_the_same(spelling):
    """The same six events give the same fields, however they are wrapped."""
    expected = [piece.fields for piece in decode((SAMPLES / "cloudtrail" / "records.json").read_bytes())]
    assert [piece.fields for piece in decode((SAMPLES / "cloudtrail" / spelling).read_bytes())] == expected
