"""A policy as canonical text: one order of elements, a single value without a list, two spaces of indentation.

Law: what `parse` reads from the text of a policy is that policy, but for its places.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clew.policy.model import Condition, Policy, Principal, Statement


def text(policy: Policy) -> str:
    """The policy as JSON text, in ASCII, ending with a line break.

    >>> from clew.policy.parse import parse
    >>> print(text(parse('{"Statement": {"Resource": ["*"], "Action": "s3:*", "Effect": "Deny"}}')), end="")
    {
      "Statement": [
        {
          "Effect": "Deny",
          "Action": "s3:*",
          "Resource": "*"
        }
      ]
    }
    """
    return layout(document(policy))


def layout(decoded: object) -> str:
    """Decoded JSON as text in ASCII, so that nothing in it can drive a terminal."""
    return f"{json.dumps(decoded, indent=2)}\n"


def document(policy: Policy) -> dict[str, object]:
    """The policy as decoded JSON, its elements in canonical order."""
    return _written(
        {
            "Version": policy.version,
            "Id": policy.id,
            "Statement": [statement_document(statement) for statement in policy.statements],
        }
    )


def statement_document(statement: Statement) -> dict[str, object]:
    """The statement as decoded JSON, its elements in canonical order."""
    return _written(
        {
            "Sid": statement.sid,
            "Effect": statement.effect.value,
            "Principal": _principals(statement.principals),
            "NotPrincipal": _principals(statement.not_principals),
            "Action": _values(statement.actions),
            "NotAction": _values(statement.not_actions),
            "Resource": _values(statement.resources),
            "NotResource": _values(statement.not_resources),
            "Condition": _conditions(statement.conditions) if statement.conditions else None,
        }
    )


def _written(elements: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in elements.items() if value is not None}


def _values(values: tuple[str, ...] | None) -> object:
    return None if values is None else values[0] if len(values) == 1 else list(values)


def _principals(principals: tuple[Principal, ...] | None) -> object:
    if principals is None:
        return None
    if any(principal.kind == "*" for principal in principals):
        return "*"
    kinds: dict[str, list[str]] = {}
    for principal in principals:
        kinds.setdefault(principal.kind, []).append(principal.value)
    return {kind: _values(tuple(values)) for kind, values in kinds.items()}


def _conditions(conditions: tuple[Condition, ...]) -> dict[str, dict[str, object]]:
    block: dict[str, dict[str, object]] = {}
    for condition in conditions:
        block.setdefault(condition.operator, {})[condition.key] = _values(condition.values)
    return block
