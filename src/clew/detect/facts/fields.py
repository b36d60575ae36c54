"""Reading one field of a decoded record without trusting its type: a wrong type reads as absent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

# AWS records nest at most about ten levels; a forged record may nest without end.
DEPTH = 24


def value_at(event: Mapping[str, object], *path: str) -> object:
    """The value at the path, or None when any step is absent or no object.

    >>> value_at({"userIdentity": {"type": "Root"}}, "userIdentity", "type")
    'Root'
    """
    value: object = event
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def text_at(event: Mapping[str, object], *path: str) -> str:
    """The text at the path, or the empty text when there is none."""
    value = value_at(event, *path)
    return value if isinstance(value, str) else ""


def request(event: Mapping[str, object]) -> Mapping[str, object]:
    """The request parameters, or an empty mapping when the record carries none."""
    value = event.get("requestParameters")
    return value if isinstance(value, Mapping) else {}


def account(event: Mapping[str, object]) -> str:
    """The account that the record belongs to, or the empty text when the record does not say."""
    return text_at(event, "recipientAccountId") or text_at(event, "userIdentity", "accountId")


def items(value: object) -> list[object]:
    """The members of a list as CloudTrail writes lists: `[…]`, `{"items": […]}`, or one member alone.

    >>> items({"items": [1, 2]}), items(None), items("a")
    ([1, 2], [], ['a'])
    """
    if isinstance(value, Mapping) and "items" in value:
        value = value["items"]
    if value is None or value == {}:
        return []
    return list(value) if isinstance(value, list) else [value]


def mappings(value: object) -> list[Mapping[str, object]]:
    """The members that are objects, of a list as CloudTrail writes lists."""
    return [member for member in items(value) if isinstance(member, Mapping)]


def integer(value: object) -> int | None:
    """The whole number that is meant, also when it was written as text.

    >>> integer("22"), integer(22), integer(True), integer("x")
    (22, 22, None, None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if (
        isinstance(value, str)
        and value.lstrip("-").isascii()
        and value.lstrip("-").isdigit()
        and len(value) < DEPTH
    ):
        return int(value) if value.count("-") <= 1 else None
    return None


def is_false(value: object) -> bool:
    """Whether the value says no: false, or the text `false` as some services write it."""
    return value is False or (isinstance(value, str) and value.lower() == "false")


def texts(value: object, depth: int = DEPTH) -> Iterator[tuple[str, str]]:
    """Every text within the value, each with the name of the field that holds it."""
    yield from _texts("", value, depth)


def _texts(name: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif depth > 0 and isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(str(key), inner, depth - 1)
    elif depth > 0 and isinstance(value, list):
        for inner in value:
            yield from _texts(name, inner, depth - 1)
