"""Refusals are read out of texts as AWS, its SDKs and tools write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.case_files import read_case_file
from tests.explain.test_wild import ROWS as WILD

from clew.explain.denial_forms import FORMS
from clew.explain.denial_text import MOST_CHARACTERS, read

_FILE = Path(__file__).resolve().parent.parent / "cases" / "explain" / "texts.yaml"
_ROWS: list[dict[str, Any]] = read_case_file(_FILE)["rows"]
_EXAMPLES = {f"ER{number}" for number in range(1, 10)} | {"AR1", "AR10", "AR11", "AR12"}

_NAMES = st.text("abcdefghijklmnopqrstuvwxyzABCDEF0123456789+=,.@_-", min_size=1, max_size=20)
_REASONS = {
    "because no identity-based policy allows the {0} action": ("identity", False),
    "because no resource-based policy allows the {0} action": ("resource", False),
    "because no permissions boundary allows the {0} action": ("boundary", False),
    "because no session policy allows the {0} action": ("session", False),
    "because no service control policy allows the {0} action": ("scp", False),
    "because no VPC endpoint policy allows the {0} action": ("endpoint", False),
    "with an explicit deny in a resource control policy": ("rcp", True),
    "with an explicit deny in the role trust policy": ("trust", True),
}


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row["name"])
def test_a_text_says_what_the_case_says(row: dict[str, Any]) -> None:
    """Each part of a refusal is read as it is written, and nothing is made up."""
    found = read(row["text"])
    if row["says"] is None:
        assert found == ()
        return
    (denial,) = found
    said = {name: getattr(denial, name) for name in row["says"]}
    assert {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()} == row[
        "says"
    ]


def test_every_wording_has_a_case_and_every_example_is_there() -> None:
    """No wording goes without a text that shows it."""
    shown = {row["says"].get("form") for row in (*_ROWS, *WILD) if row.get("says")}
    assert {form.id for form in FORMS} <= shown
    assert {row["example"] for row in _ROWS if "example" in row} == _EXAMPLES


def test_several_refusals_are_told_apart_with_their_lines() -> None:
    """A log with several refusals gives each of them, with the code and the line that are its own."""
    log = "\n".join(row["text"] for row in _ROWS[:5])
    found = read(log)
    assert [denial.line for denial in found] == [1, 2, 3, 4, 5]
    assert [denial.action for denial in found if denial.action] == [
        "ec2:DescribeInstances",
        "iam:ListUsers",
        "iam:ListUsers",
        "kms:Decrypt",
    ]
    assert [denial.code for denial in found] == [None, "UnauthorizedOperation", None, None, None]


@given(user=_NAMES, key=_NAMES, reason=st.sampled_from(sorted(_REASONS)), quoted=st.booleans())
def test_the_documented_grammar_is_read_back(user: str, key: str, reason: str, quoted: bool) -> None:
    """Whatever the names, the documented form gives back what it was made from."""
    principal, resource = f"arn:aws:iam::111122223333:user/u{user}", f"arn:aws:s3:::b/k{key}k"
    shown = f'"{resource}"' if quoted or "," in resource else resource
    said = reason.format("s3:GetObject")
    text = f"User: {principal} is not authorized to perform: s3:GetObject on resource: {shown} {said}"
    (denial,) = read(text)
    assert (denial.principal, denial.resource, denial.raw) == (principal, resource, text)
    assert (denial.policy_type, denial.explicit) == _REASONS[reason]


@given(
    st.lists(
        st.sampled_from(
            [*(row["text"] for row in _ROWS), "\n", "User: ", " is not authorized to perform: ", "x" * 50]
        )
    )
)
def test_no_text_is_too_odd_to_read(pieces: list[str]) -> None:
    """Whatever stands around them, reading refusals neither fails nor reads one twice."""
    text = "".join(pieces)
    found = read(text)
    assert sum(len(denial.raw) for denial in found) <= len(text)


@pytest.mark.parametrize(
    "piece", ["User: a is not authorized to perform: s3:x on resource: ", "because no ", "Access ", '"', "\\"]
)
def test_hostile_text_is_read_in_linear_time(piece: str) -> None:
    """A megabyte of one repeated phrase is read at once; what is longer than the limit is refused."""
    read(piece * (1_000_000 // len(piece)))
    with pytest.raises(ValueError, match="at most"):
        read("x" * (MOST_CHARACTERS + 1))
