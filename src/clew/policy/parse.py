"""Policy documents: JSON text or decoded JSON to a `Policy`, or a located `PolicyError`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.errors import PolicyError
from clew.policy.model import (
    Condition,
    Effect,
    Policy,
    PolicyKind,
    Principal,
    Problem,
    Reading,
    Statement,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

POLICY_ELEMENTS = frozenset({"Version", "Id", "Statement"})
STATEMENT_ELEMENTS = frozenset(
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
PRINCIPAL_KINDS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})


def parse(text: str, source: str | None = None) -> Policy:
    """The policy that the JSON text writes.

    Errors: `PolicyError` when the text is no JSON, repeats a key, or is no policy; its `problems` are all of them.

    >>> parse('{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}').statements[0].actions
    ('*',)
    """
    return from_document(_decoded(text))._replace(source=source)


def _decoded(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        raise PolicyError(
            f"line {error.lineno} column {error.colno}: not JSON: {error.msg.lower()}"
        ) from error
    except (RecursionError, ValueError) as error:
        raise PolicyError(
            "the document is nested too deeply or holds a number that cannot be read"
        ) from error


def read(document_or_text: object, source: str | None = None, kind: PolicyKind | None = None) -> Reading:
    """The policy without its malformed statements, and the problems of those; each statement keeps its `index`.

    Errors: `PolicyError` when the document as a whole cannot be read.

    >>> bad = {"Effect": "allow", "Action": "*", "Resource": "*"}
    >>> reading = read({"Statement": [bad, {**bad, "Effect": "Allow"}]})
    >>> [each.index for each in reading.policy.statements], reading.problems[0].path
    ([1], ('Statement', 0, 'Effect'))
    """
    document = _decoded(document_or_text) if isinstance(document_or_text, str) else document_or_text
    head, written = _head(document)
    kept: list[Statement] = []
    problems: list[Problem] = []
    for index, each in enumerate(written):
        statement = _plain(each, index, kind)
        if statement is None:
            problems.append(_why(each, index, kind)._replace(source=source))
        else:
            kept.append(statement)
    return Reading(head._replace(statements=tuple(kept), source=source), tuple(problems))


def from_document(document: object) -> Policy:
    """The policy that decoded JSON writes; a single statement may stand without a list.

    Errors: `PolicyError` naming the place, as in `/Statement/0/Effect`.
    """
    head, written = _head(document)
    statements: list[Statement] = []
    for index, each in enumerate(written):
        statement = _plain(each, index, None)
        if statement is None:
            raise PolicyError(str(_why(each, index, None)))
        statements.append(statement)
    return head._replace(statements=tuple(statements))


def _head(document: object) -> tuple[Policy, list[object]]:
    policy = _mapping(document, "/")
    _known(policy, POLICY_ELEMENTS, "")
    if "Statement" not in policy:
        raise PolicyError("/: `Statement` is missing")
    written = policy["Statement"]
    version, name = _optional_text(policy.get("Version"), "/Version"), _optional_text(policy.get("Id"), "/Id")
    return Policy((), version, name), written if isinstance(written, list) else [written]


def _plain(document: object, index: int, kind: PolicyKind | None) -> Statement | None:
    """The statement, or None when anything about it is wrong."""
    del kind
    try:
        return _statement(document, f"/Statement/{index}", index)
    except PolicyError:
        return None


def _why(document: object, index: int, kind: PolicyKind | None) -> Problem:
    del kind
    try:
        _statement(document, f"/Statement/{index}", index)
    except PolicyError as error:
        place, _, message = str(error).partition(": ")
        return Problem("MALFORMED", message, ("Statement", index, *place.split("/")[3:]))
    return Problem("MALFORMED", "unreadable", ("Statement", index))


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise PolicyError(f"the key `{shown(key)}` stands twice in one object")
        found[key] = value
    return found


def _statement(document: object, where: str, index: int) -> Statement:
    written = _mapping(document, where)
    _known(written, STATEMENT_ELEMENTS, where)
    return Statement(
        effect=_effect(written.get("Effect"), f"{where}/Effect"),
        sid=_optional_text(written.get("Sid"), f"{where}/Sid"),
        principals=_principals(written, "Principal", where),
        not_principals=_principals(written, "NotPrincipal", where),
        actions=_texts(written, "Action", where),
        not_actions=_texts(written, "NotAction", where),
        resources=_texts(written, "Resource", where),
        not_resources=_texts(written, "NotResource", where),
        conditions=_conditions(written.get("Condition"), f"{where}/Condition"),
        index=index,
    )


def _effect(value: object, where: str) -> Effect:
    if isinstance(value, str) and value in set(Effect):
        return Effect(value)
    raise PolicyError(f"{where}: expected `Allow` or `Deny`")


def _principals(statement: Mapping[str, object], element: str, where: str) -> tuple[Principal, ...] | None:
    if element not in statement:
        return None
    written = statement[element]
    place = f"{where}/{element}"
    if written == "*":
        return (Principal("*", "*"),)
    kinds = _mapping(written, place)
    _known(kinds, PRINCIPAL_KINDS, place)
    return tuple(Principal(kind, value) for kind in kinds for value in _texts(kinds, kind, place) or ())


def _conditions(block: object, where: str) -> tuple[Condition, ...]:
    if block is None:
        return ()
    operators = _mapping(block, where)
    return tuple(
        Condition(operator, key, _scalars(values, f"{where}/{operator}/{key}"))
        for operator, keys in operators.items()
        for key, values in _mapping(keys, f"{where}/{operator}").items()
    )


def _scalars(written: object, where: str) -> tuple[str, ...]:
    values = written if isinstance(written, list) else [written]
    return tuple(_scalar(value, where) for value in values)


def _scalar(value: object, where: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise PolicyError(f"{where}: expected text, a number or a boolean")


def _texts(document: Mapping[str, object], element: str, where: str) -> tuple[str, ...] | None:
    if element not in document:
        return None
    written = document[element]
    values = written if isinstance(written, list) else [written]
    return tuple(_text(value, f"{where}/{element}") for value in values)


def _text(value: object, where: str) -> str:
    if isinstance(value, str):
        return value
    raise PolicyError(f"{where}: expected text")


def _optional_text(value: object, where: str) -> str | None:
    return None if value is None else _text(value, where)


def _mapping(value: object, where: str) -> Mapping[str, object]:
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return value
    raise PolicyError(f"{where}: expected an object")


def _known(document: Mapping[str, object], names: frozenset[str], where: str) -> None:
    unknown = next((key for key in document if key not in names), None)
    if unknown is not None:
        raise PolicyError(f"{where or '/'}: unknown element `{shown(unknown)}`")
