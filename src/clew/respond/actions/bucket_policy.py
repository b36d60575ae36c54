"""Statements added to a bucket policy, nothing else of it changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.errors import ChangeError

if TYPE_CHECKING:
    from clew.respond.model import Value

# AWS: "Bucket policies for Amazon S3": at most 20 KB.
_MOST_BYTES = 20 * 1024


def with_statements(text: str | None, *statements: Value) -> str:
    """The policy with these statements at its end; those that it has already, whatever their Sid, are not repeated.

    Errors: `ChangeError` where the result would be longer than S3 takes.

    >>> with_statements(None, {"Sid": "A", "Effect": "Deny"})
    '{"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Deny"}]}'
    """
    document: Value = {"Version": "2012-10-17", "Statement": []} if text is None else json.loads(text)
    kept = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    known = [_meaning(statement) for statement in kept]
    added = [statement for statement in statements if _meaning(statement) not in known]
    if text is not None and not added:
        return text
    names = {str(statement.get("Sid", "")) for statement in kept}
    document["Statement"] = [*kept, *(_renamed(statement, names) for statement in added)]
    merged = json.dumps(document)
    size = len(json.dumps(document, separators=(",", ":")).encode())
    if size > _MOST_BYTES:
        raise ChangeError(f"the bucket policy would have {size:,} bytes; S3 takes {_MOST_BYTES:,}")
    return merged


def _meaning(statement: Value) -> Value:
    return {name: value for name, value in statement.items() if name != "Sid"}


def _renamed(statement: Value, names: set[str]) -> Value:
    """The statement with a Sid that no other has."""
    sid, number = statement["Sid"], 2
    while statement["Sid"] in names:
        statement = {**statement, "Sid": f"{sid}{number}"}
        number += 1
    return statement
