"""The fast way from decoded JSON to statements: a statement that is plainly well-formed, or None.

A batch decides thousands of lines each second and reads policies anew for each: 7 µs for a document of two statements
(CPython 3.11). Whatever is unusual goes to `grammar`, which says what and where.
INVARIANT: what this accepts, `grammar.statement` accepts with the same result and without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from clew.policy import kinds
from clew.policy.grammar import scalar
from clew.policy.model import Condition, Effect, PolicyKind, Principal, Statement
from clew.policy.operators import is_operator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_EFFECTS: Final = {"Allow": Effect.ALLOW, "Deny": Effect.DENY}
_ANYONE: Final = (Principal("*", "*"),)
_KINDS: Final = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
# For each kind: whether Principal, and whether Resource, must be there (True), must not (False), or may (None).
_WANTED: Final = {
    kind: (
        {kinds.Presence.REQUIRED: True, kinds.Presence.FORBIDDEN: False}.get(rules.principal),
        kinds.SHAPES.get(kind, kinds.ANY).resource_required,
        kinds.SHAPES.get(kind, kinds.ANY).not_principal_forbidden,
    )
    for kind, rules in kinds.RULES.items()
}

_Texts = tuple[str, ...] | None


def statement(document: object, index: int, kind: PolicyKind | None) -> Statement | None:
    """The statement of decoded JSON; None when anything about it is to be said."""
    if type(document) is not dict:
        return None
    got: dict[str, Any] = {}
    for element, value in document.items():
        reader = _READERS.get(element)
        found = reader(value) if reader is not None else None
        if found is None:
            return None
        got[element] = found
    get = got.get
    effect = get("Effect")
    if effect is None:
        return None
    # INVARIANT: no reader returns None for what it accepts, so None means that the element was not written.
    read = Statement(
        effect,
        get("Sid"),
        get("Principal"),
        get("NotPrincipal"),
        get("Action"),
        get("NotAction"),
        get("Resource"),
        get("NotResource"),
        get("Condition", ()),
        index,
    )
    return read if _fits(read, kind) else None


def _fits(read: Statement, kind: PolicyKind | None) -> bool:
    if (read.actions is None) is (read.not_actions is None):
        return False
    if read.not_resources is not None and read.resources is not None:
        return False
    if read.not_principals is not None and read.principals is not None:
        return False
    if kind is None:
        return True
    principal_wanted, resource_required, not_principal_forbidden = _WANTED[kind]
    has_principal = read.principals is not None or read.not_principals is not None
    if principal_wanted is not None and has_principal is not principal_wanted:
        return False
    if not_principal_forbidden and read.not_principals is not None:
        return False
    return not resource_required or read.resources is not None or read.not_resources is not None


def _effect(value: object) -> Effect | None:
    return _EFFECTS.get(value) if type(value) is str else None


def _text(value: object) -> str | None:
    return value if type(value) is str else None


def _texts(value: object) -> _Texts:
    if type(value) is str:
        return (value,)
    if type(value) is not list:
        return None
    for each in value:
        if type(each) is not str:
            return None
    return tuple(value)


def _principals(value: object) -> tuple[Principal, ...] | None:
    if value == "*":
        return _ANYONE
    if type(value) is not dict:
        return None
    found: list[Principal] = []
    for kind, written in value.items():
        texts = _texts(written)
        if texts is None or kind not in _KINDS:
            return None
        found += [Principal(kind, text) for text in texts]
    return tuple(found)


def _conditions(block: object) -> tuple[Condition, ...] | None:
    if type(block) is not dict:
        return None
    found: list[Condition] = []
    for operator, keys in block.items():
        if type(keys) is not dict or type(operator) is not str or not is_operator(operator):
            return None
        if len(keys) > 1 and len({key.lower() for key in keys if type(key) is str}) < len(keys):
            return None
        for key, written in keys.items():
            values = _texts(written) or _scalars(written)
            if values is None or type(key) is not str:
                return None
            found.append(Condition(operator, key, values))
    return tuple(found)


def _scalars(written: object) -> tuple[str, ...] | None:
    items: Iterable[object] = written if isinstance(written, list) else (written,)
    found = [scalar(item) for item in items]
    texts = tuple(text for text in found if text is not None)
    return texts if len(texts) == len(found) else None


_READERS: Final[Mapping[object, Callable[[object], Any]]] = {
    "Effect": _effect,
    "Sid": _text,
    "Principal": _principals,
    "NotPrincipal": _principals,
    "Action": _texts,
    "NotAction": _texts,
    "Resource": _texts,
    "NotResource": _texts,
    "Condition": _conditions,
}
