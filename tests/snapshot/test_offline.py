"""Exports, templates and plans tell what AWS would answer, and no more: `tests/cases/config/offline.yaml`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.case_files import read_case_file

from clew.errors import InputError
from clew.snapshot.answers import Answer, Status
from clew.snapshot.offline import folder
from clew.snapshot.offline.declared import Place, Unresolved
from clew.snapshot.offline.intrinsics import Scope
from clew.snapshot.offline.origins import Origins

CASES = Path(__file__).resolve().parent.parent / "cases" / "config" / "offline.yaml"
ROWS = read_case_file(CASES)["rows"]
ACCOUNT = "111122223333"
TIME = "2026-03-10T06:00:00Z"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(case: dict, folder_: Path) -> folder.Read:
    texts = {name: _text(name, content) for name, content in case.get("files", {}).items()}
    for name, text in (texts | case.get("text", {})).items():
        path = folder_ / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    names = [os.path.relpath(path, folder_) for path in sorted(folder_.rglob("*.*")) if path.is_file()]
    return folder.read(names, time=TIME, account=ACCOUNT)


def _text(name: str, content: object) -> str:
    return json.dumps(content) if name.endswith(".json") else yaml.safe_dump(content, sort_keys=False)


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case["name"])
def test_what_files_tell(files: Path, case: dict) -> None:
    """Each file tells its answers; what it leaves open is open, and says why."""
    if "error" in case:
        with pytest.raises(InputError) as error:
            read(case, files)
        assert case["error"] in str(error.value)
        return
    found = read(case, files)
    for call, expected in case["expect"].items():
        check(answer(found, call), expected)
    assert not case.get("empty") or not len(found.answers)
    for note in case.get("notes", ()):
        assert any(note in each for each in found.notes), found.notes


def answer(found: folder.Read, call: str) -> Answer:
    name, _, value = call.partition(" ")
    name, _, region = name.partition("@")
    service, operation = name.split(":")
    fitting = [
        each
        for each in found.answers.each(service, operation, ACCOUNT, region or None)
        if (value in dict(each.call.parameters).values() if value else not each.call.parameters)
    ]
    return fitting[0] if fitting else found.answers.get(ACCOUNT, "global", service, operation)


def check(found: Answer, expected: object) -> None:
    if expected == "absent":
        assert found.status is Status.ABSENT
    elif isinstance(expected, dict) and "open" in expected:
        assert found.status is Status.FAILED
        assert found.error_code == "NotCollected"
        assert expected["open"] in found.error_message
    else:
        assert found.status is Status.OK, found.error_message
        assert holds(found.body, expected), json.dumps(found.body, indent=1)


def holds(found: object, expected: object) -> bool:
    """Whether the members that are expected are there; lists have as many items."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            name in found and holds(found[name], part) for name, part in expected.items()
        )
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(holds, found, expected))
    return found == expected


SCOPE = Scope(
    Place(ACCOUNT, "us-east-1"),
    "stack",
    {"Known": "x", "Open": Unresolved("open")},
    {},
    {"Yes": {"Fn::Equals": ["a", "a"]}},
    Unresolved,
    lambda name, attribute: Unresolved(f"{name}.{attribute}"),
)
TEXT = st.sampled_from(["", "a", "b-c", "s3:GetObject"])


def _wrapped(inner: st.SearchStrategy) -> st.SearchStrategy:
    """A value and the same value written with functions."""
    return st.one_of(
        inner.map(lambda pair: (pair[0], {"Fn::If": ["Yes", pair[1], {"Ref": "Open"}]})),
        inner.map(lambda pair: (pair[0], {"Fn::Select": [1, ["z", pair[1]]]})),
        st.lists(inner, max_size=3).map(
            lambda pairs: ("-".join(p[0] for p in pairs), {"Fn::Join": ["-", [p[1] for p in pairs]]})
        ),
        inner.map(lambda pair: (f"{pair[0]}/x", {"Fn::Sub": ["${V}/${Known}", {"V": pair[1]}]})),
    )


WRITTEN = st.recursive(TEXT.map(lambda text: (text, text)), _wrapped, max_leaves=6)


@given(WRITTEN)
def test_functions_over_literals_are_resolved(pair: tuple[str, object]) -> None:
    """However a text is written with functions, what they give is the text."""
    assert SCOPE.resolve(pair[1]) == pair[0]


@given(WRITTEN)
def test_an_open_part_is_never_dropped(pair: tuple[str, object]) -> None:
    """A text that holds something open is open as a whole."""
    for written in (
        {"Fn::Join": ["", [pair[1], {"Ref": "Open"}]]},
        {"Fn::Sub": ["${V}${Open}", {"V": pair[1]}]},
        {"Fn::Select": [0, [{"Ref": "Open"}, pair[1]]]},
    ):
        assert isinstance(SCOPE.resolve(written), Unresolved)


def test_where_a_resource_is_declared(files: Path) -> None:
    """A resource is found by its ARN or its bare name, each service for itself."""
    case = {"files": {"t.yaml": {"Resources": {"B": {"Type": "AWS::S3::Bucket"}}}}}
    origins = Origins(read(case, files).answers)
    assert origins.of("arn:aws:s3:::B") == "t.yaml:2"
    assert origins.of(f"arn:aws:iam::{ACCOUNT}:role/B") == ""
