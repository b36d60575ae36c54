"""Policy documents as case files write them: changes to the plain document of a kind."""

from __future__ import annotations

import json
from typing import Any

from clew.aws.catalog import current
from clew.policy.model import PolicyKind
from clew.policy.validate import Validation, validate
from clew.report.validation_aws import AS_AWS

BUCKET = "arn:aws:s3:::amzn-s3-demo-bucket"
ACCOUNT = {"AWS": "111122223333"}
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}
STATEMENTS: dict[str, dict[str, Any]] = {
    "identity": READ,
    "resource": {"Principal": ACCOUNT, **READ},
    "kms_key": {"Effect": "Allow", "Principal": ACCOUNT, "Action": "kms:Decrypt", "Resource": "*"},
    "trust": {"Effect": "Allow", "Principal": ACCOUNT, "Action": "sts:AssumeRole"},
    "scp": {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"},
    "rcp": {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"},
}
"""The one statement of the plain document of each kind."""

Row = dict[str, Any]


def _statement(row: Row, changes: dict[str, Any]) -> dict[str, Any]:
    start = STATEMENTS[row.get("kind", "identity")]
    changed = {**start, **changes}
    if "filler" in row:
        changed["Resource"] = [f"{BUCKET}/{n}/{'x' * 900}" for n in range(row["filler"] // 900)]
    if "values" in row:
        values = [f"external-id-{n}" for n in range(row["values"])]
        changed["Condition"] = {"StringEquals": {"sts:ExternalId": values}}
    return {key: value for key, value in changed.items() if key not in row.get("without", ())}


def text_of(row: Row) -> str:
    """The document of a row: its `text`, or the plain one of its `kind` changed.

    `with` replaces elements, `without` leaves some out, `statements` lists the changes of several statements,
    `version` replaces the version, null leaves it out; `filler` and `values` make the document long.
    """
    if "text" in row:
        return str(row["text"])
    changes = row.get("statements") or [row.get("with", {})]
    statements = [_statement(row, each) for each in changes]
    document = {"Version": row.get("version", "2012-10-17"), "Statement": statements}
    return json.dumps({key: value for key, value in document.items() if value is not None}, indent=2)


def validated(row: Row) -> Validation:
    """What validation says of the document of a row."""
    return validate(
        text_of(row),
        kind=PolicyKind(row.get("kind", "identity")),
        resource_type=row.get("resource_type", ""),
        catalog=current(),
    )


def codes(found: Validation) -> set[str]:
    """The issue codes of what was found, AWS's where it has one."""
    return {AS_AWS.get(problem.code, problem.code) for problem in found.problems}
