r"""The selections of a Sigma rule: fields, modifiers and values, lowered into predicate nodes.

Field names are paths: `requestParameters.attribute`. A dot that belongs to a key is written `\.`, a backslash `\\`.
What a selection says about absent, null, list and differently typed values stands in
docs/decisions/0006-predicate-semantics.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

from clew.aws import glob
from clew.errors import RuleError
from clew.events.patterns import sigma_encodings
from clew.events.patterns.sigma_condition import parse_condition
from clew.events.predicate_tree import (
    And,
    Element,
    Leaf,
    Node,
    Not,
    Op,
    Or,
    Path,
    Quantifier,
    Relation,
    SameValue,
    Value,
)
from clew.events.predicate_values import value_test

if TYPE_CHECKING:
    from clew.events.patterns.located_yaml import Located
    from clew.events.patterns.sigma_model import Place

# Fields that hold objects: a text condition on one looks at every value within it.
CONTAINERS: Final = frozenset(
    {
        "additionalEventData",
        "addendum",
        "edgeDeviceDetails",
        "insightDetails",
        "requestParameters",
        "resources",
        "responseElements",
        "serviceEventDetails",
        "tlsDetails",
        "userIdentity",
    }
)
QUESTIONS: Final = frozenset(
    {
        "contains",
        "startswith",
        "endswith",
        "re",
        "cidr",
        "exists",
        "lt",
        "lte",
        "gt",
        "gte",
        "fieldref",
        "element",
    }
)
REGEX_FLAGS: Final = {"i": "i", "ignorecase": "i", "m": "m", "multiline": "m", "s": "s", "dotall": "s"}
SETTINGS: Final = frozenset({"all", "cased", "neq", "windash"})
UNSUPPORTED: Final = {
    "expand": "placeholders are not supported; write the values out",
    **dict.fromkeys(("minute", "hour", "day", "week", "month", "year"), "parts of a time are not supported"),
}
# Fields that AWS documents as text and every record's reader relies on: what is no text there counts as nothing.
TEXTS: Final[frozenset[Path]] = frozenset(
    {
        *(
            (key,)
            for key in ("eventName", "eventSource", "awsRegion", "errorCode", "eventType", "eventCategory")
        ),
        *(("eventID",), ("userIdentity", "type"), ("userIdentity", "arn")),
    }
)
# Fields that AWS documents as one value, or as an object of single values: nothing is unfolded there.
SINGLE: Final = frozenset(
    {
        *(
            "eventVersion",
            "userIdentity",
            "eventTime",
            "eventSource",
            "eventName",
            "awsRegion",
            "sourceIPAddress",
        ),
        *(
            "userAgent",
            "errorCode",
            "errorMessage",
            "requestID",
            "eventID",
            "readOnly",
            "eventType",
            "apiVersion",
        ),
        *("managementEvent", "recipientAccountId", "sharedEventID", "annotation", "vpcEndpointId"),
        *("vpcEndpointAccountId", "eventCategory", "tlsDetails", "sessionCredentialFromConsole"),
    }
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A field with its modifiers sorted by what they do."""

    path: Path | None
    question: str = "equals"
    second: str = ""
    flags: str = ""
    encodings: tuple[str, ...] = ()
    settings: frozenset[str] = frozenset()
    line: int = 0


def read_detection(detection: Located, place: Place) -> Node:
    """The predicate of a `detection:` (or `filter:`) mapping.

    Errors: RuleError with place for whatever is malformed or not supported.
    """
    parts = detection.mapping
    if parts is None or "condition" not in parts:
        raise place.error(detection.key_line or detection.line, "`condition` is missing")
    if "timeframe" in parts:
        message = "`timeframe` is not supported; write a correlation rule"
        raise place.error(parts["timeframe"].key_line, message)
    selections = {
        name: _selection(piece, place) for name, piece in parts.items() if name not in {"condition", "rules"}
    }
    trees = [_condition(piece, selections, place) for piece in parts["condition"].many]
    return trees[0] if len(trees) == 1 else Or(tuple(trees))


def field_path(name: str) -> Path:
    r"""The keys of a field name.

    >>> field_path(r"requestParameters.tags.aws\.name")
    ('requestParameters', 'tags', 'aws.name')
    """
    parts = re.findall(r"(?:\\.|[^.\\]|\\$)+", name)
    return tuple(re.sub(r"\\([.\\])", r"\1", part) for part in parts)


def _condition(piece: Located, selections: dict[str, Node], place: Place) -> Node:
    if not isinstance(piece.scalar, str):
        raise place.error(piece.line, "`condition` must be text")
    try:
        return parse_condition(piece.scalar, selections)
    except RuleError as error:
        raise place.error(piece.line, error.message) from error


def _selection(piece: Located, place: Place) -> Node:
    if piece.mapping is not None:
        return _together([_field(key, value, place) for key, value in piece.mapping.items()])
    if piece.items is not None:
        if not piece.items:
            raise place.error(piece.line, "a selection is empty")
        scalars = [item for item in piece.items if item.mapping is None]
        keywords = [_values(_Asked(None, line=piece.line), scalars, place)] if scalars else []
        return _any_of(
            [*keywords, *(_selection(item, place) for item in piece.items if item.mapping is not None)]
        )
    return _values(_Asked(None, line=piece.line), [piece], place)


def _field(key: str, piece: Located, place: Place) -> Node:
    asked = _asked(key, piece.key_line, place)
    if asked.question == "element":
        return _any_of([_element(asked, item, place) for item in piece.many])
    if any(item.mapping is not None or item.items is not None for item in piece.many):
        raise place.error(
            piece.line, f"`{key}` needs a value or a list of values; nested fields are written a.b"
        )
    if not piece.many:
        raise place.error(piece.line, f"`{key}` has an empty list of values")
    return _values(asked, list(piece.many), place)


def _element(asked: _Asked, piece: Located, place: Place) -> Node:
    if piece.mapping is None or not asked.path:
        raise place.error(piece.line, "`|element` needs the fields that one element must have")
    return Element(asked.path, _selection(piece, place))


def _asked(key: str, line: int, place: Place) -> _Asked:
    """The key of a selection, its modifiers understood."""
    name, *modifiers = key.split("|")
    asked = _Asked(field_path(name) if name else None, line=line)
    for modifier in modifiers:
        asked = _modified(asked, modifier, place)
    return asked


def _modified(asked: _Asked, modifier: str, place: Place) -> _Asked:
    if modifier in QUESTIONS:
        return _with_question(asked, modifier, place)
    if modifier in REGEX_FLAGS and asked.question == "re":
        return replace(asked, flags=asked.flags + REGEX_FLAGS[modifier])
    if modifier in sigma_encodings.ENCODINGS:
        return replace(asked, encodings=(*asked.encodings, modifier))
    if modifier in SETTINGS:
        return replace(asked, settings=asked.settings | {modifier})
    reason = UNSUPPORTED.get(modifier, "no such modifier is known here")
    raise place.error(asked.line, f"unsupported modifier `{modifier}`; {reason}")


def _with_question(asked: _Asked, modifier: str, place: Place) -> _Asked:
    pair = {asked.question, modifier}
    if asked.question == "equals":
        return replace(asked, question=modifier)
    if "fieldref" in pair and len(pair & {"contains", "startswith", "endswith"}) == 1:
        return replace(asked, question="fieldref", second=(pair - {"fieldref"}).pop())
    raise place.error(asked.line, f"the modifiers `{asked.question}` and `{modifier}` do not go together")


def _values(asked: _Asked, pieces: list[Located], place: Place) -> Node:
    """What a field (or, without one, some value of the event) must be: one of the values, or with `all` each."""
    nodes = []
    for piece in pieces:
        try:
            nodes.append(_value(asked, piece.scalar))
        except RuleError as error:
            raise place.error(piece.line, error.message) from error
    tree = _together(nodes) if "all" in asked.settings else _any_of(nodes)
    return Not(tree) if "neq" in asked.settings else tree


def _value(asked: _Asked, value: Value) -> Node:
    if isinstance(value, str) and re.search("[\ud800-\udfff]", value):
        raise RuleError("the value is not Unicode text")
    if asked.path is None:
        return _checked(_keyword(asked, value))
    if asked.question == "exists":
        return _exists(asked.path, value)
    if asked.question == "fieldref":
        return _same_value(asked, asked.path, value)
    if value is None:
        if asked.question != "equals":
            raise RuleError(f"`{asked.question}` needs a value, found null")
        return Not(_has_value(asked.path))
    return _checked(_any_of([_leaf(asked, asked.path, spelled) for spelled in _spellings(asked, value)]))


def _checked(node: Node) -> Node:
    """The node, once its leaves' values are known to fit."""
    for leaf in node.children if isinstance(node, Or) else (node,):
        if isinstance(leaf, Leaf):
            value_test(leaf)
    return node


def _keyword(asked: _Asked, value: Value) -> Node:
    if value is None or asked.question not in {"equals", "contains", "startswith", "endswith", "re"}:
        raise RuleError(f"a search in all values takes text or a number, found `{value}`")
    if not isinstance(value, str):
        return Leaf((), "equals", (value,), quantifier="deep", loose=True)
    question = "contains" if asked.question == "equals" else asked.question
    asked = replace(asked, question=question)
    found = [_leaf(asked, (), spelled) for spelled in _spellings(asked, value)]
    return _any_of([replace(leaf, quantifier="deep", loose=False) for leaf in found])


def _exists(path: Path, value: Value) -> Node:
    if not isinstance(value, bool):
        raise RuleError(f"`exists` needs true or false, found `{value}`")
    return _has_value(path) if value else Not(_has_value(path))


def _has_value(path: Path) -> Leaf:
    if path in TEXTS:
        return Leaf(path, "type_is", ("string",), quantifier="one")
    return Leaf(path, "has_value", quantifier=_quantifier(path))


def _quantifier(path: Path) -> Quantifier:
    """`one` for what AWS documents as a single value: a list there is of another type, and no rule's business."""
    return "one" if path[:1] and path[0] in SINGLE else "any"


def _same_value(asked: _Asked, path: Path, value: Value) -> Node:
    if not isinstance(value, str) or not field_path(value):
        raise RuleError(f"`fieldref` needs the name of a field, found `{value}`")
    op = cast("Relation", asked.second or "equals")
    return SameValue(path, field_path(value), op, "cased" in asked.settings)


def _spellings(asked: _Asked, value: Value) -> list[Value]:
    """The value in every form that its encodings and `windash` ask for."""
    if not asked.encodings and "windash" not in asked.settings:
        return [value]
    if not isinstance(value, str):
        raise RuleError(f"an encoding needs text, found `{value}`")
    dashed = sigma_encodings.dashes(value) if "windash" in asked.settings else [value]
    return [form for text in dashed for form in sigma_encodings.encoded(text, asked.encodings)]


def _leaf(asked: _Asked, path: Path, value: Value) -> Leaf:
    cased = "cased" in asked.settings
    match asked.question:
        case "equals" if not isinstance(value, str) and path not in TEXTS:
            return Leaf(path, "equals", (value,), cased, _quantifier(path), loose=True)
        case "re":
            return _text_leaf(
                path, "regex", f"(?{asked.flags}){value}" if asked.flags else value, case_sensitive=True
            )
        case "lt" | "lte" | "gt" | "gte" | "cidr":
            return Leaf(
                path,
                cast("Op", asked.question),
                (value,),
                cased,
                _quantifier(path),
                loose=asked.question != "cidr",
            )
    if not isinstance(value, str):
        value = str(value)  # a number after `contains` is the text that was written
    return _wildcard_leaf(path, asked.question, value, case_sensitive=cased)


def _wildcard_leaf(path: Path, question: str, value: str, *, case_sensitive: bool) -> Leaf:
    """The simplest leaf that says the same as a value with Sigma's wildcards."""
    parts = list(glob.tokens(value, escape="\\"))
    if question in {"contains", "endswith"} and parts[:1] != [glob.ANY]:
        parts.insert(0, glob.ANY)
    if question in {"contains", "startswith"} and parts[-1:] != [glob.ANY]:
        parts.append(glob.ANY)
    shape = tuple("*" if part == glob.ANY else "?" if part is None else "x" for part in parts)
    literal = next((part for part in parts if part), "")
    match shape:
        case () | ("x",):
            loose = path not in TEXTS
            return Leaf(path, "equals", (literal,), case_sensitive, _quantifier(path), loose=loose)
        case ("*",) | ("*", "*"):
            return _has_value(path) if path else Leaf(path, "type_is", ("string", "number", "boolean"))
        case ("x", "*"):
            return _text_leaf(path, "startswith", literal, case_sensitive=case_sensitive)
        case ("*", "x"):
            return _text_leaf(path, "endswith", literal, case_sensitive=case_sensitive)
        case ("*", "x", "*"):
            return _text_leaf(path, "contains", literal, case_sensitive=case_sensitive)
        case _:
            return _text_leaf(path, "glob", _spelled(parts), case_sensitive=case_sensitive)


def _text_leaf(path: Path, op: Op, value: Value, *, case_sensitive: bool) -> Leaf:
    """A leaf about text, on the field or, where that holds an object, on every value within it."""
    deep = len(path) == 1 and path[0] in CONTAINERS
    return Leaf(path, op, (value,), case_sensitive, "deep" if deep else _quantifier(path))


def _spelled(parts: list[glob.Token]) -> str:
    """The tokens as a pattern with backslash escapes."""
    return "".join(
        "*" if part == glob.ANY else "?" if part is None else re.sub(r"([*?\\])", r"\\\1", part)
        for part in parts
    )


def _together(nodes: list[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else And(tuple(nodes))


def _any_of(nodes: list[Node] | list[Leaf]) -> Node:
    """The alternatives, those that ask the same question of the same field made one leaf."""
    merged: dict[object, Node] = {}
    for index, node in enumerate(nodes):
        if not isinstance(node, Leaf) or not node.values:
            merged[index] = node
            continue
        question = replace(node, values=())
        known = merged.get(question)
        values = known.values + node.values if isinstance(known, Leaf) else node.values
        merged[question] = replace(node, values=values)
    found = tuple(merged.values())
    return found[0] if len(found) == 1 else Or(found)
