"""Cases of two policies: the rows of `tests/cases/symbolic/*.yaml`.

A file has a `page` (what AWS page its facts come from) and `rows`; a row has `name`, `left`, `right` and `expect`
(`none`: the right side allows all that the left one does; `witness`: it does not; `unknown`), and perhaps `page`,
`kind` (of the policies, `identity` by default) and `witness`: parts of the request that must come out. A policy is a
list of statements in which `Effect: Allow`, `Action: "*"` and `Resource: "*"` may be left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from tests.case_files import read_case_file

from clew.policy.model import Policy, PolicyKind
from clew.policy.parse import from_document

DIRECTORY = Path(__file__).parents[1] / "cases" / "symbolic"
VERSION = "2012-10-17"


class Case(NamedTuple):
    """One row."""

    name: str
    file: str
    page: str
    kind: PolicyKind
    left: Policy
    right: Policy
    expect: str
    witness: dict[str, Any]


def cases() -> list[Case]:
    """Every row of every file."""
    return [case for path in sorted(DIRECTORY.glob("*.yaml")) for case in _read(path)]


def _read(path: Path) -> list[Case]:
    document = read_case_file(path)
    return [
        Case(
            row["name"],
            path.stem,
            row.get("page", document.get("page", "")),
            PolicyKind(row.get("kind", document.get("kind", "identity"))),
            policy(row["left"], row.get("version", VERSION)),
            policy(row["right"], row.get("version", VERSION)),
            row["expect"],
            row.get("witness", {}),
        )
        for row in document["rows"]
    ]


def policy(statements: list[dict[str, Any]] | dict[str, Any], version: str = VERSION) -> Policy:
    """The policy of the statements, with what they leave out."""
    listed = [statements] if isinstance(statements, dict) else statements
    return from_document({"Version": version, "Statement": [_whole(each) for each in listed]})


def _whole(statement: dict[str, Any]) -> dict[str, Any]:
    found = {"Effect": "Allow", **statement}
    if not {"Action", "NotAction"} & found.keys():
        found["Action"] = "*"
    if not {"Resource", "NotResource"} & found.keys():
        found["Resource"] = "*"
    return found
