"""The grammar of the policy language over nodes with places: every breach is told, not only the first.

Source: AWS, "Grammar of the IAM JSON policy language" and the pages "IAM JSON policy elements: ...". Which breaches
make a statement malformed, so that it matches nothing: docs/decisions/0007-iam-questions.md, Q13.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from clew.aws.catalog_nearest import nearest
from clew.policy import kinds, operators
from clew.policy.model import (
    DUPLICATE_KEYS,
    Condition,
    Effect,
    FindingType,
    PolicyKind,
    Principal,
    Statement,
    shown,
)
from clew.policy.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.policy.json_positions import Node, Path

POLICY_ELEMENTS: Final = ("Version", "Id", "Statement")
STATEMENT_ELEMENTS: Final = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
PRINCIPAL_KINDS: Final = ("AWS", "Service", "Federated", "CanonicalUser")

_JSON_WORDS: Final = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "number": "a number",
    "boolean": "a boolean",
    "null": "null",
    "missing": "nothing",
}


class Head(NamedTuple):
    """The elements of a document beside its statements, and the statements as nodes."""

    version: str | None
    id: str | None
    statements: list[Node]


def head(document: Node, problems: Problems) -> Head | None:
    """The document's own elements; None when it holds no statements to speak of."""
    if document.kind != "object":
        is_encoded = document.kind == "string" and document.text.lstrip().startswith("{")
        found = "a text that holds one: it was encoded twice" if is_encoded else _word(document)
        problems.spoil("DATA_TYPE_MISMATCH", f"expected an object, found {found}", (), document)
        return None
    elements = _elements(document, POLICY_ELEMENTS, (), problems, spoils=False)
    version = _version(elements.get("Version"), problems)
    name = _optional_text(elements.get("Id"), ("Id",), problems)
    written = elements.get("Statement")
    if written is None or written.kind not in {"object", "array"}:
        _no_statement(written, document, problems)
        return None
    return Head(version, name, written.items)


def _no_statement(written: Node | None, document: Node, problems: Problems) -> None:
    if written is None:
        problems.spoil("MISSING_STATEMENT", "`Statement` is missing", (), document)
    else:
        message = f"expected an object or a list of objects, found {_word(written)}"
        problems.spoil("DATA_TYPE_MISMATCH", message, ("Statement",), written)


def _version(node: Node | None, problems: Problems) -> str | None:
    if node is None or node.is_opaque or (node.text in kinds.VERSIONS and node.kind == "string"):
        return node.text if node else None
    newest = kinds.VERSIONS[0]
    # AWS: "IAM policy validation check reference": a date or an integer is a mismatch of data types.
    code, found = (
        ("INVALID_VERSION", "unknown version ")
        if node.kind == "string"
        else ("DATA_TYPE_MISMATCH", "the version is ")
    )
    message = f"{found}{_quoted(node)}; expected `{newest}` or `{kinds.VERSIONS[1]}`"
    problems.add(code, message, ("Version",), node, corrected=newest)
    return node.text or None


def statement(node: Node, index: int, kind: PolicyKind | None, problems: Problems) -> Statement | None:
    """The statement of the node, or None when it is malformed; each of its problems is noted."""
    where: Path = ("Statement", index)
    before = problems.malformed
    if node.kind != "object":
        problems.spoil("DATA_TYPE_MISMATCH", f"expected an object, found {_word(node)}", where, node)
        return None
    elements = _elements(node, STATEMENT_ELEMENTS, where, problems, spoils=True)
    found = Statement(
        effect=_effect(elements.get("Effect"), node, where, problems),
        sid=_optional_text(elements.get("Sid"), (*where, "Sid"), problems, spoils=True),
        principals=_principals(elements, "Principal", where, problems),
        not_principals=_principals(elements, "NotPrincipal", where, problems),
        actions=_texts(elements, "Action", where, problems),
        not_actions=_texts(elements, "NotAction", where, problems),
        resources=_texts(elements, "Resource", where, problems),
        not_resources=_texts(elements, "NotResource", where, problems),
        conditions=_conditions(elements.get("Condition"), (*where, "Condition"), problems),
        index=index,
        position=problems.position(node.start),
    )
    _check_pairs(elements, node, where, problems)
    _check_kind(elements, node, where, kind, problems)
    return None if problems.malformed > before else found


def _elements(
    node: Node, names: tuple[str, ...], where: Path, problems: Problems, *, spoils: bool
) -> dict[str, Node]:
    """The members by their names; a misspelled one counts as what it was meant to be, so that it is told only once."""
    found: dict[str, Node] = {}
    note = problems.spoil if spoils else problems.add
    for key, value in node.members:
        name = key.text
        if value.kind == "missing" and value.start >= 0:
            # The text has no value here, which was told as a fault of JSON.
            continue
        if name not in names:
            meant = _meant(name, names)
            message = f"unknown element {_quoted(key)}{_suggestion(meant)}"
            note("INVALID_POLICY_ELEMENT", message, where, key, corrected=meant, written=key.text)
            if meant is None or node.get(meant) is not None:
                continue
            name = meant
        if name in found:
            problems.spoil(DUPLICATE_KEYS, f"the element `{name}` stands twice", where, key, written=key.text)
        found[name] = value
    return found


def _meant(name: str, names: Iterable[str]) -> str | None:
    return nearest(name.removesuffix("s") if name.lower().endswith("s") else name, names)


def _effect(node: Node | None, statement_node: Node, where: Path, problems: Problems) -> Effect:
    expected = "expected `Allow` or `Deny`"
    if node is None:
        problems.spoil("MISSING_EFFECT", f"`Effect` is missing; {expected}", where, statement_node)
    elif node.is_opaque:
        return Effect.DENY
    elif node.kind != "string":
        problems.spoil("DATA_TYPE_MISMATCH", f"{expected}, found {_word(node)}", (*where, "Effect"), node)
    elif node.text in {"Allow", "Deny"}:
        return Effect(node.text)
    else:
        meant = nearest(node.text.strip(), ("Allow", "Deny"))
        message = f"unknown effect {_quoted(node)}; {expected}{_suggestion(meant)}"
        problems.spoil("INVALID_EFFECT", message, (*where, "Effect"), node, corrected=meant)
    return Effect.DENY


def _principals(
    elements: dict[str, Node], element: str, where: Path, problems: Problems
) -> tuple[Principal, ...] | None:
    node = elements.get(element)
    if node is None:
        return None
    path = (*where, element)
    if node.kind == "string" and node.text == "*":
        return (Principal("*", "*"),)
    if node.kind != "object":
        message = f'expected `*` or an object such as {{"AWS": "111122223333"}}, found {_quoted(node)}'
        problems.spoil("INVALID_PRINCIPAL_FORMAT", message, path, node)
        return None
    found: list[Principal] = []
    seen: set[str] = set()
    for key, value in node.members:
        inner = (*path, key.text)
        if key.text not in PRINCIPAL_KINDS:
            meant = nearest(key.text, PRINCIPAL_KINDS)
            message = f"unknown kind of principal {_quoted(key)}{_suggestion(meant)}"
            problems.spoil("INVALID_PRINCIPAL_KEY", message, path, key, corrected=meant, written=key.text)
        if key.text in seen:
            problems.spoil(
                DUPLICATE_KEYS, f"the key {_quoted(key)} stands twice", path, key, written=key.text
            )
        seen.add(key.text)
        found += [Principal(key.text, text) for text in _list(value, inner, problems)]
    return tuple(found)


def _texts(
    elements: dict[str, Node], element: str, where: Path, problems: Problems
) -> tuple[str, ...] | None:
    node = elements.get(element)
    return None if node is None else tuple(_list(node, (*where, element), problems))


def _list(node: Node, path: Path, problems: Problems) -> list[str]:
    found = []
    for place, item in enumerate(node.items):
        if item.kind == "string" or item.is_opaque:
            found.append(item.text)
        else:
            at = (*path, place) if node.kind == "array" else path
            problems.spoil("DATA_TYPE_MISMATCH", f"expected a text, found {_word(item)}", at, item)
    return found


def _conditions(block: Node | None, path: Path, problems: Problems) -> tuple[Condition, ...]:
    found: list[Condition] = []
    if block is None:
        return ()
    if block.kind != "object" and not block.is_opaque:
        message = f"expected an object of condition operators, found {_word(block)}"
        problems.spoil("DATA_TYPE_MISMATCH", message, path, block)
    seen: set[str] = set()
    for key, keys in block.members:
        inner = (*path, key.text)
        _check_operator(key, path, problems)
        if key.text in seen:
            problems.spoil(
                DUPLICATE_KEYS, f"the operator {_quoted(key)} stands twice", path, key, written=key.text
            )
        seen.add(key.text)
        if keys.kind != "object" and not keys.is_opaque:
            message = f"expected an object of condition keys, found {_word(keys)}"
            problems.spoil("DATA_TYPE_MISMATCH", message, inner, keys)
        found += _condition_keys(key.text, keys, inner, problems)
    return tuple(found)


def _check_operator(key: Node, path: Path, problems: Problems) -> None:
    written = key.text
    if operators.is_operator(written):
        return
    spelled = operators.in_aws_spelling(written)
    code, meant = "INVALID_CONDITION_OPERATOR", spelled or operators.meant(written)
    if spelled is not None and operators.is_operator(spelled):
        message = f"the operator {_quoted(key)} is spelled `{spelled}`"
        note = FindingType.WARNING
        problems.add(code, message, path, key, corrected=spelled, finding_type=note, written=written)
        return
    message = f"unknown operator {_quoted(key)}{_suggestion(meant)}"
    if written.lower().rpartition(":")[2] == "nullifexists":
        code, meant = "NULL_WITH_IF_EXISTS", operators.NULL
        message = "`Null` tests whether the key is there and takes no `IfExists`; did you mean `Null`?"
    elif spelled is not None:
        code, meant = "NULL_WITH_QUALIFIER", operators.NULL
        message = f"{_quoted(key)} never depends on the request; did you mean `Null`?"
    problems.spoil(code, message, path, key, corrected=meant, written=written)


def _condition_keys(operator: str, keys: Node, path: Path, problems: Problems) -> list[Condition]:
    found = []
    seen: dict[str, str] = {}
    for key, values in keys.members:
        inner = (*path, key.text)
        lowered = key.text.lower()
        if seen.get(lowered) == key.text:
            problems.spoil(
                DUPLICATE_KEYS, f"the key {_quoted(key)} stands twice", path, key, written=key.text
            )
        elif lowered in seen:
            message = f"{_quoted(key)} and `{shown(seen[lowered])}` are one key: keys have no case"
            problems.add("DUPLICATE_KEYS_WITH_DIFFERENT_CASE", message, path, key, written=key.text)
        seen[lowered] = key.text
        found.append(Condition(operator, key.text, tuple(_values(values, inner, problems))))
    return found


def _values(node: Node, path: Path, problems: Problems) -> list[str]:
    found = []
    for place, item in enumerate(node.items):
        text = scalar(item.value) if item.kind in {"string", "number", "boolean", "opaque"} else None
        if text is None:
            at = (*path, place) if node.kind == "array" else path
            message = f"expected a text, a number or a boolean, found {_word(item)}"
            problems.spoil("DATA_TYPE_MISMATCH", message, at, item)
        else:
            found.append(text)
    return found


def scalar(value: object) -> str | None:
    """A condition value as text; None for what is no text, number or boolean.

    >>> scalar(True), scalar(10), scalar(2.5), scalar(None), scalar(float("nan"))
    ('true', '10', '2.5', None, None)
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value.bit_length() < LARGEST_BITS else None
    if isinstance(value, float):
        return str(value) if abs(value) < float("inf") else None
    return None


LARGEST_BITS: Final = 1_024


def _check_pairs(elements: dict[str, Node], node: Node, where: Path, problems: Problems) -> None:
    for element in ("Action", "Resource", "Principal"):
        opposite = elements.get(f"Not{element}")
        if element in elements and opposite is not None:
            message = f"`{element}` and `Not{element}` in one statement; keep one of them"
            path = (*where, f"Not{element}")
            problems.spoil("UNSUPPORTED_ELEMENT_COMBINATION", message, path, opposite)
    if "Action" not in elements and "NotAction" not in elements:
        problems.spoil("MISSING_ACTION", "`Action` is missing", where, node)


def _check_kind(
    elements: dict[str, Node], node: Node, where: Path, kind: PolicyKind | None, problems: Problems
) -> None:
    if kind is None:
        return
    rules, shape = kinds.RULES[kind], kinds.SHAPES.get(kind, kinds.ANY)
    words = kinds.WORDS[kind]
    named = elements.get("Principal"), elements.get("NotPrincipal")
    if named[0] is not None and shape.principal_forbidden:
        message = f"{words} has no `Principal`: it speaks of whom it is attached to"
        problems.spoil(rules.principal_code, message, (*where, "Principal"), named[0])
    if named[1] is not None and shape.not_principal_forbidden:
        code = rules.not_principal_code or rules.principal_code
        message = f"{words} has no `NotPrincipal`"
        problems.spoil(code, message, (*where, "NotPrincipal"), named[1])
    if named == (None, None) and rules.principal is kinds.Presence.REQUIRED:
        note = problems.spoil if shape.principal_required else problems.add
        note(
            "MISSING_PRINCIPAL",
            f"`Principal` is missing: in {words} the statement matches nobody",
            where,
            node,
        )
    if shape.resource_required and "Resource" not in elements and "NotResource" not in elements:
        problems.spoil("MISSING_RESOURCE", f"`Resource` is missing in {words}", where, node)


def _optional_text(node: Node | None, path: Path, problems: Problems, *, spoils: bool = False) -> str | None:
    if node is None or node.kind == "string" or node.is_opaque:
        return node.text if node is not None else None
    note = problems.spoil if spoils else problems.add
    note("DATA_TYPE_MISMATCH", f"expected a text, found {_word(node)}", path, node)
    return None


def _word(node: Node) -> str:
    return _JSON_WORDS[node.kind]


def _quoted(node: Node) -> str:
    return f"`{shown(node.text)}`" if node.kind == "string" else _word(node)


def _suggestion(meant: str | None) -> str:
    return f"; did you mean `{meant}`?" if meant is not None else ""


def statement_elements(node: Node) -> dict[str, Node]:
    """The elements of a statement by their names, misspelled ones by what they were meant to be; nothing is noted."""
    return _elements(node, STATEMENT_ELEMENTS, (), Problems(), spoils=False)
