"""EventBridge event patterns as predicates over the event that EventBridge sees, or over the CloudTrail record within.

Amazon EventBridge user guide: "Amazon EventBridge event patterns", "Comparison operators for use in event patterns".
Letters matter; of a list in the event some element must do; a field that is absent fulfils nothing but `exists: false`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from clew.errors import RuleError
from clew.events.predicate_tree import TRUE, And, Element, Leaf, Node, Not, Or, SameValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.events.predicate_tree import Op, Path, Value

_COMPOSED: Final = ("object",)
_NUMERIC: Final[Mapping[str, Op]] = {"=": "eq", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_DEEPEST: Final = 50
_TRAIL_SOURCES: Final = {"aws.cloudwatch": "monitoring.amazonaws.com"}
# AWS: "AWS service events delivered via AWS CloudTrail", the detail types of what CloudTrail delivers.
_TRAIL_TYPES: Final = {
    "AWS API Call via CloudTrail": "AwsApiCall",
    "AWS Console Action via CloudTrail": "AwsConsoleAction",
    "AWS Console Sign In via CloudTrail": "AwsConsoleSignIn",
    "AWS Console Signin via CloudTrail": "AwsConsoleSignIn",
    "AWS Service Event via CloudTrail": "AwsServiceEvent",
}
_ENVELOPE: Final = {"account": ("recipientAccountId",), "region": ("awsRegion",), "source": ("eventSource",)}
ENVELOPE: Final = "clewEnvelope"
"""The first key of a path that leads to what the envelope alone knows."""


def read(text: str) -> Node:
    """The pattern as a predicate over EventBridge's event.

    Errors: RuleError, with the path of what cannot be read.

    >>> tree = read('{"detail": {"eventName": [{"prefix": "Stop"}]}}')
    >>> tree.path, tree.op, tree.values
    (('detail', 'eventName'), 'startswith', ('Stop',))
    """
    try:
        pattern = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RuleError(f"event pattern: not JSON: {str(error).lower()}") from error
    if not isinstance(pattern, dict) or not pattern:
        raise RuleError("event pattern: expected an object with at least one field")
    return _object(pattern, ())


def on_record(tree: Node) -> Node:
    """The predicate over the CloudTrail record that EventBridge delivers as `detail`.

    `source`, `detail-type`, `account` and `region` become the fields of the record from which AWS makes them; what only
    the envelope knows stays, under `clewEnvelope`.
    """
    match tree:
        case And(children):
            return And(tuple(map(on_record, children)))
        case Or(children):
            return Or(tuple(map(on_record, children)))
        case Not(child):
            return Not(on_record(child))
        case Leaf(path):
            return _record_leaf(tree, path)
        case Element() | SameValue():  # INVARIANT: `read` makes neither
            return tree


def _record_leaf(leaf: Leaf, path: Path) -> Node:
    if path[0] == "detail":
        return _moved(leaf, path[1:], leaf.values) if path[1:] else TRUE
    if path == ("source",):
        return _source(leaf)
    if path == ("detail-type",) and leaf.op == "equals":
        kinds = tuple(_TRAIL_TYPES[value] for value in leaf.values if value in _TRAIL_TYPES)
        return _moved(leaf, ("eventType",), kinds) if kinds else Or(())
    return _moved(leaf, _ENVELOPE.get(path[0], (ENVELOPE, *path)), leaf.values)


def _source(leaf: Leaf) -> Node:
    if leaf.op == "equals":
        return _moved(leaf, ("eventSource",), tuple(_host(str(value)) for value in leaf.values))
    everything = leaf.op == "startswith" and any("aws.".startswith(str(value)) for value in leaf.values)
    return TRUE if everything or leaf.op == "exists" else _moved(leaf, (ENVELOPE, "source"), leaf.values)


def _host(source: str) -> str:
    return _TRAIL_SOURCES.get(source, f"{source.removeprefix('aws.')}.amazonaws.com")


def _moved(leaf: Leaf, path: Path, values: tuple[Value, ...]) -> Leaf:
    return replace(leaf, path=path, values=values)


def _wrong(path: Path, expected: str, found: object) -> RuleError:
    shown = json.dumps(found)[:60]
    return RuleError(f"event pattern, /{'/'.join(path)[:200]}: expected {expected}, found `{shown}`")


def _object(pattern: Mapping[str, object], path: Path) -> Node:
    if len(path) > _DEEPEST:
        raise _wrong(path, "fewer levels", "…")
    parts: list[Node] = []
    for key, value in pattern.items():
        if key == "$or":
            parts.append(_either(value, path))
        elif isinstance(value, dict):
            parts.append(_object(value, (*path, key)))
        elif isinstance(value, list) and value:
            parts.append(_some([_value(each, (*path, key)) for each in value]))
        else:
            raise _wrong((*path, key), "a list with values, or an object", value)
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _either(value: object, path: Path) -> Node:
    if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
        raise _wrong((*path, "$or"), "a list of patterns", value)
    return Or(tuple(_object(each, path) for each in value))


def _some(parts: list[Node]) -> Node:
    """The alternatives of one field; plain values become one leaf."""
    plain = [each for each in parts if isinstance(each, Leaf) and each.op == "equals" and each.case_sensitive]
    rest: list[Node] = [each for each in parts if each not in plain]
    if plain:
        values = tuple(value for leaf in plain for value in leaf.values)
        rest.insert(0, _leaf(plain[0].path, "equals", values))
    return rest[0] if len(rest) == 1 else Or(tuple(rest))


def _leaf(path: Path, op: Op, values: tuple[Value, ...] = (), *, case_sensitive: bool = True) -> Leaf:
    return Leaf(path, op, values, case_sensitive)


def _value(value: object, path: Path) -> Node:
    """One alternative: a literal, or an object with one operator."""
    if value is None or isinstance(value, str | int | float | bool):
        return _leaf(path, "equals", (value,))
    if not isinstance(value, dict) or len(value) != 1:
        raise _wrong(path, "a value or an object with one operator", value)
    (operator, given), *_ = value.items()
    match operator, given:
        case "exists", bool():
            is_leaf = And((_leaf(path, "exists"), Not(_leaf(path, "type_is", _COMPOSED))))
            return is_leaf if given else Not(is_leaf)
        case "anything-but", _:
            return And(
                (_leaf(path, "exists"), Not(_leaf(path, "type_is", _COMPOSED)), Not(_but(given, path)))
            )
        case "numeric", list():
            return _numeric(given, path)
        case _:
            return _text(str(operator), given, path)


def _but(given: object, path: Path) -> Node:
    if isinstance(given, dict):
        (operator, values), *_ = given.items() or [("", "")]
        return _some(
            [_text(str(operator), each, path) for each in (values if isinstance(values, list) else [values])]
        )
    return _some([_value(each, path) for each in (given if isinstance(given, list) else [given])])


def _text(operator: str, given: object, path: Path) -> Node:
    ops: Mapping[str, Op] = {"prefix": "startswith", "suffix": "endswith", "cidr": "cidr"}
    match operator, given:
        case "prefix" | "suffix" | "cidr", str():
            return _leaf(path, ops[operator], (given,))
        case "prefix" | "suffix", {"equals-ignore-case": str(text)}:
            return _leaf(path, ops[operator], (text,), case_sensitive=False)
        case "equals-ignore-case", str():
            return _leaf(path, "equals", (given,), case_sensitive=False)
        case "wildcard", str() if "**" not in given:
            return _leaf(path, "glob", (given.replace("?", "\\?"),))
        case _:
            raise _wrong(path, "an operator of event patterns with its value", {operator: given})


def _numeric(given: list[object], path: Path) -> Node:
    parts: list[Node] = []
    for sign, bound in zip(given[::2], given[1::2], strict=False):
        if sign not in _NUMERIC or isinstance(bound, bool) or not isinstance(bound, int | float):
            raise _wrong(path, "comparisons with numbers", given)
        parts.append(_leaf(path, _NUMERIC[cast("str", sign)], (bound,)))
    if len(given) % 2 or not parts:
        raise _wrong(path, "pairs of a sign and a number", given)
    return parts[0] if len(parts) == 1 else And(tuple(parts))
