"""Policy documents as the law reads them: statements that are well formed, and notes on those that are not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from spec.conditions import QUALIFIERS, Condition
from spec.context import UnreadableError
from spec.operators import OPERATORS

OPERATOR_NAMES = {name.lower(): name for name in OPERATORS}
QUALIFIER_NAMES = {name.lower(): name for name in QUALIFIERS}
"""AWS's spelling of each name, by its lower-case form."""

Entry = tuple[str, str]
"""One principal as written: its type (`AWS`, `Service`, …) and its text."""

ELEMENTS = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)
DOCUMENT_ELEMENTS = frozenset({"Version", "Id", "Statement"})
PRINCIPAL_TYPES = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
WITHOUT_PRINCIPAL = frozenset({"identity", "boundary", "session", "scp"})
WITHOUT_NOT_PRINCIPAL = WITHOUT_PRINCIPAL | {"rcp", "trust"}
RESOURCE_OPTIONAL = frozenset({"resource", "trust"})


@dataclass(frozen=True)
class Statement:
    """One well-formed statement; an element that is not written is None."""

    index: int
    sid: str | None
    effect: str
    actions: tuple[str, ...] | None = None
    not_actions: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    not_resources: tuple[str, ...] | None = None
    principals: tuple[Entry, ...] | None = None
    not_principals: tuple[Entry, ...] | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Document:
    """One policy document of the line: where it stands there, and what of it can be evaluated."""

    path: str
    kind: str
    variables: bool
    statements: tuple[Statement, ...]
    notes: tuple[str, ...]


class MalformedError(ValueError):
    """A statement breaks the grammar; the text says how."""


def read_document(given: Any, path: str, kind: str) -> Document:
    """Rule 31: a document, whose variables work only with Version 2012-10-17.

    IAM user guide, "Grammar of the IAM JSON policy language"; "IAM JSON policy elements: Version". 0007 Q13.
    """
    document = _decoded(given, path)
    statements, notes = (
        [],
        [f"{path}: unknown element `{name}`" for name in document if name not in DOCUMENT_ELEMENTS],
    )
    for index, written in enumerate(_statements(document, path)):
        try:
            statement = read_statement(written, index, kind)
        except MalformedError as reason:
            notes.append(f"{path}/Statement/{index}: malformed: {reason}")
        else:
            statements.append(statement)
            notes.extend(f"{path}/Statement/{index}: {note}" for note in _remarks(statement, kind))
    variables = document.get("Version") == "2012-10-17"
    return Document(path, kind, variables, tuple(statements), tuple(notes))


def _decoded(given: Any, path: str) -> dict[str, Any]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            raise UnreadableError(f"{path} is no JSON document") from None
    if not isinstance(given, dict):
        raise UnreadableError(f"{path} must be a policy document")
    return given


def _statements(document: dict[str, Any], path: str) -> list[Any]:
    written = document.get("Statement")
    if isinstance(written, dict):
        return [written]
    if not isinstance(written, list):
        raise UnreadableError(f"{path} has no `Statement`")
    return written


def _remarks(statement: Statement, kind: str) -> list[str]:
    nobody = statement.principals is None and statement.not_principals is None
    if nobody and kind in {"resource", "trust", "endpoint"}:
        return ["no `Principal`, so it matches nobody"]
    return []


def read_statement(written: Any, index: int, kind: str) -> Statement:
    """Rules 13 and 22: a statement that breaks the grammar of its kind of policy matches nothing.

    IAM user guide, "Grammar of the IAM JSON policy language"; "IAM JSON policy elements: Effect" (Allow and Deny
    are written with case); "AWS JSON policy elements: NotPrincipal", section "Key points". 0007 Q13.
    """
    if not isinstance(written, dict):
        raise MalformedError("a statement must be an object")
    unknown = [name for name in written if name not in ELEMENTS]
    if unknown:
        raise MalformedError(f"unknown element `{unknown[0]}`")
    if written.get("Effect") not in ("Allow", "Deny"):
        raise MalformedError("Effect must be `Allow` or `Deny`")
    sid = written.get("Sid")
    if "Sid" in written and not isinstance(sid, str):
        raise MalformedError("Sid must be a string")
    _one_of(written, "Action", required=True)
    _one_of(written, "Resource", required=kind not in RESOURCE_OPTIONAL)
    _principal_allowed(written, kind)
    return Statement(
        index,
        sid,
        written["Effect"],
        actions=_texts(written, "Action"),
        not_actions=_texts(written, "NotAction"),
        resources=_texts(written, "Resource"),
        not_resources=_texts(written, "NotResource"),
        principals=_entries(written, "Principal"),
        not_principals=_entries(written, "NotPrincipal"),
        conditions=_conditions(written.get("Condition", {})),
    )


def _one_of(written: dict[str, Any], name: str, *, required: bool) -> None:
    both = name in written and f"Not{name}" in written
    none = name not in written and f"Not{name}" not in written
    if both or (none and required):
        raise MalformedError(f"{'both' if both else 'neither'} of {name} and Not{name}")


def _principal_allowed(written: dict[str, Any], kind: str) -> None:
    _one_of(written, "Principal", required=kind == "rcp")
    if kind in WITHOUT_PRINCIPAL and "Principal" in written:
        raise MalformedError(f"Principal has no place in a policy of kind {kind}")
    if kind in WITHOUT_NOT_PRINCIPAL and "NotPrincipal" in written:
        raise MalformedError(f"NotPrincipal has no place in a policy of kind {kind}")


def _texts(written: dict[str, Any], name: str) -> tuple[str, ...] | None:
    return _list_of_texts(written[name], name) if name in written else None


def _list_of_texts(value: Any, name: str) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
        raise MalformedError(f"{name} must be a string or a list of strings")
    return tuple(values)


def _entries(written: dict[str, Any], name: str) -> tuple[Entry, ...] | None:
    """Rule 15: `*` and `{"AWS": "*"}` are equal; a list of principals means any of them.

    IAM user guide, "AWS JSON policy elements: Principal", sections "Specifying a principal" and "All principals".
    """
    if name not in written:
        return None
    value = written[name]
    if value == "*":
        return (("AWS", "*"),)
    if not isinstance(value, dict) or not value.keys() <= PRINCIPAL_TYPES:
        raise MalformedError(f"{name} must be `*` or an object of {', '.join(sorted(PRINCIPAL_TYPES))}")
    return tuple(
        (kind, text) for kind, texts in value.items() for text in _list_of_texts(texts, f"{name}/{kind}")
    )


def _conditions(block: Any) -> tuple[Condition, ...]:
    if not isinstance(block, dict):
        raise MalformedError("Condition must be an object")
    return tuple(
        _condition(operator, key, values)
        for operator, keys in block.items()
        for key, values in _keys(operator, keys).items()
    )


def _keys(operator: str, keys: Any) -> dict[str, Any]:
    _condition(operator, "", [])
    if not isinstance(keys, dict):
        raise MalformedError(f"Condition/{operator} must be an object")
    return keys


def _condition(written: str, key: str, values: Any) -> Condition:
    """Rule 22: the operator taken apart, without case: qualifier, name, IfExists; Null takes neither (0007 Q13)."""
    qualifier, colon, rest = written.lower().rpartition(":")
    if colon and qualifier not in QUALIFIER_NAMES:
        raise MalformedError(f"unknown qualifier in `{written}`")
    name = OPERATOR_NAMES.get(rest.removesuffix("ifexists"))
    if name is None or (name == "Null" and written.lower() != "null"):
        raise MalformedError(f"unknown operator `{written}`")
    if_exists = rest.endswith("ifexists")
    return Condition(name, key, _policy_values(key, values), QUALIFIER_NAMES.get(qualifier), if_exists)


def _policy_values(key: str, values: Any) -> tuple[str, ...]:
    listed = values if isinstance(values, list) else [values]
    if not all(isinstance(value, str | bool | int | float) for value in listed):
        raise MalformedError(f"values of `{key}` must be strings, numbers or booleans")
    return tuple(value if isinstance(value, str) else json.dumps(value) for value in listed)
