"""Events whose actions depend on what the call holds: statements and items of DynamoDB, verbs of API Gateway."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clew.events.paths import at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Event = Mapping[str, object]

HIDDEN: Final = "the record does not show the operations inside"
"""Why such an event is not mapped."""

_TRANSACTIONS: Final = "DynamoDB developer guide, Using IAM with DynamoDB transactions"
_WRITES: Final = {
    "put": "PutItem",
    "update": "UpdateItem",
    "delete": "DeleteItem",
    "conditionCheck": "ConditionCheckItem",
}
_PARTIQL: Final = "DynamoDB developer guide, IAM security policies with PartiQL for DynamoDB"
_STATEMENTS: Final = {
    "ExecuteStatement": "statement",
    "BatchExecuteStatement": "statements",
    "ExecuteTransaction": "transactStatements",
}
_WORD: Final = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
_API_GATEWAY: Final = "Service authorization reference, Amazon API Gateway Management, API operations"
# The HTTP method of an operation follows from the first word of its name, but for tags, which the two versions of the
# API set by different methods.
_VERBS: Final = {
    "Create": "POST",
    "Generate": "POST",
    "Test": "POST",
    "Delete": "DELETE",
    "Flush": "DELETE",
    "Reset": "DELETE",
    "Untag": "DELETE",
    "Get": "GET",
    "Export": "GET",
    "Import": "PUT",
    "Put": "PUT",
    "Reimport": "PUT",
    "Update": "PATCH",
}
_POSTED: Final = frozenset({"ImportApiKeys", "ImportRestApi"})
_FIRST: Final = re.compile(r"[A-Z][a-z]+")


def by_content(service: str, name: str, event: Event) -> tuple[tuple[str, ...], str] | None:
    """The actions and AWS's page; no actions where the record hides them, None where the name alone tells them.

    >>> by_content("apigateway", "UpdateStage", {})[0]
    ('PATCH',)
    >>> by_content("dynamodb", "ExecuteStatement", {"requestParameters": {"statement": "SELECT * FROM Music"}})[0]
    ('PartiQLSelect',)
    """
    match service, name:
        case "dynamodb", "TransactWriteItems":
            return tuple(dict.fromkeys(_items(event))), _TRANSACTIONS
        case "dynamodb", _ if name in _STATEMENTS:
            words = [_WORD.match(text) for text in _texts(at(event, "requestParameters", _STATEMENTS[name]))]
            found = tuple(f"PartiQL{word[1].capitalize()}" for word in words if word is not None)
            return tuple(dict.fromkeys(found)) if len(found) == len(words) else (), _PARTIQL
        case "apigateway", _:
            verb = "POST" if name in _POSTED else _VERBS.get(_first(name))
            return ((verb,), _API_GATEWAY) if verb else None
    return None


def _first(name: str) -> str:
    found = _FIRST.match(name)
    return found[0] if found else ""


def _items(event: Event) -> Iterator[str]:
    items = at(event, "requestParameters", "transactItems")
    for item in items if isinstance(items, list) else ():
        yield from (action for kind, action in _WRITES.items() if isinstance(item, dict) and kind in item)


def _texts(value: object) -> list[str]:
    """The statements, each as its text; one that is not shown as an empty text."""
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    if isinstance(value, dict):
        return _texts(value.get("statement"))
    return [value if isinstance(value, str) else ""]
