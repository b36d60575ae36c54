"""The cases of `tests/cases/audit/`: a credential report, answers and details written short, and the verdicts.

The state's snapshot is read from the answers by the code that production uses, so a case gives policies of buckets,
keys and the like as answers: `s3:ListBuckets`, `s3:GetBucketPolicy(Bucket=b)`.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.case_files import read_case_file

from clew.audit.model import State, Verdict
from clew.snapshot import load
from clew.snapshot.answers import GLOBAL, Answer, Answers, Call, Status
from clew.snapshot.credential_report import COLUMNS, ROOT, CredentialReport, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CASES = Path(__file__).resolve().parent.parent / "cases" / "audit"
ACCOUNT = "111122223333"
AS_OF = datetime(2026, 3, 11, tzinfo=UTC)
DETAILS = "GetAccountAuthorizationDetails"
MADE = "2025-01-01T00:00:00Z"
WRITTEN = tuple(column for column in COLUMNS if column != "additional_credentials_info")


@dataclass(frozen=True)
class Case:
    """One row: what is given, which check is asked, and what it must say."""

    check: str
    name: str
    expect: Verdict
    page: str
    example: str = ""
    report: bool = True
    root: Mapping[str, str] | None = field(default_factory=dict)
    users: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    columns: tuple[str, ...] = WRITTEN
    answers: Mapping[str, object] = field(default_factory=dict)
    details: Mapping[str, object] | None = None
    parameters: Mapping[str, int | str] = field(default_factory=dict)
    fails: tuple[str, ...] | None = None
    says: str = ""
    missing: tuple[str, ...] | None = None
    severity: str = ""

    @property
    def state(self) -> State:
        """The state that the case describes; its snapshot is what its answers tell, as in production."""
        answers = Answers(_answer(name, said) for name, said in self.said.items())
        return State(
            account=ACCOUNT,
            as_of=AS_OF,
            report=credential_report(self.root, self.users, self.columns) if self.report else None,
            answers=answers,
            snapshot=load.of_answers("case", answers),
        )

    @property
    def said(self) -> Mapping[str, object]:
        """All answers by their calls; `details` is short for that of `iam:GetAccountAuthorizationDetails`."""
        return dict(self.answers) | ({} if self.details is None else {DETAILS: self.details})


def row(user: str, given: Mapping[str, str]) -> dict[str, str]:
    """A row of the report: nothing is active, and what is given."""
    resource = "root" if user == ROOT else f"user/{user}"
    found = {
        column: "false" if column.endswith("_active") or column == "password_enabled" else "N/A"
        for column in COLUMNS
    }
    found |= {"user": user, "arn": f"arn:aws:iam::{ACCOUNT}:{resource}", "user_creation_time": MADE}
    return found | {name: str(value) for name, value in given.items()}


def written(rows: list[dict[str, str]], columns: tuple[str, ...] = WRITTEN) -> bytes:
    """The report as AWS writes it: comma, line feed, no line end after the last row."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().rstrip("\n").encode()


def credential_report(
    root: Mapping[str, str] | None,
    users: Mapping[str, Mapping[str, str]],
    columns: tuple[str, ...] = WRITTEN,
) -> CredentialReport:
    """The report with these rows."""
    rows = [] if root is None else [row(ROOT, root)]
    return read(written(rows + [row(name, given) for name, given in users.items()], columns), "report.csv")


_CALL = re.compile(
    r"(?:(?P<service>[\w-]+):)?(?P<operation>\w+)(?:\((?P<given>.*)\))?(?:@(?P<region>[\w-]+))?"
)


def call_of(text: str) -> Call:
    """The call that a key of `answers` writes: `[service:]Operation[(Name=value; Name=value)][@region]`.

    The service is `iam` and the region `global` where they are not written.
    """
    found = _CALL.fullmatch(text)
    assert found is not None, text
    pairs = [pair.split("=", 1) for pair in (found["given"] or "").split("; ") if pair]
    parameters = tuple(sorted((name, value) for name, value in pairs))
    return Call(ACCOUNT, found["region"] or GLOBAL, found["service"] or "iam", found["operation"], parameters)


def _answer(name: str, said: object) -> Answer:
    call = call_of(name)
    match said:
        case {"denied": code}:
            return Answer(call, "", Status.DENIED, None, str(code))
        case {"absent": code}:
            return Answer(call, "", Status.ABSENT, None, str(code))
        case {"failed": code}:
            return Answer(call, "", Status.FAILED, None, str(code))
        case dict():
            return Answer(call, "", Status.OK, said)
        case _:
            raise TypeError(said)


@cache
def cases() -> tuple[Case, ...]:
    """Every case of every file; the file's name is the check's."""
    return tuple(case for file in sorted(CASES.glob("*.yaml")) for case in _read(file))


def _read(file: Path) -> Iterator[Case]:
    document = read_case_file(file)
    shared = {"check": file.stem, "page": document["page"], **document.get("defaults", {})}
    for given in document["rows"]:
        values = {**shared, **given, "expect": Verdict(given["expect"])}
        without = values.pop("without", ())
        if without:
            values["columns"] = tuple(column for column in WRITTEN if column not in without)
        for name in ("fails", "missing"):
            if values.get(name) is not None:
                values[name] = tuple(values[name])
        yield Case(**values)
