"""A corrected document for one that is wrong: offered to the user with every change named, never evaluated instead.

A change is a *guess* where the document does not say what was meant. Accounts and placeholders are never filled in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from clew.policy import kinds
from clew.policy.format import layout
from clew.policy.model import DUPLICATE_KEYS, JSON_SYNTAX_ERROR, MISSING_FOR_ACTION, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.policy.json_positions import Node, Path
    from clew.policy.model import Problem

Document = dict[str, object]

# The element at the problem's path has no place in a policy of this kind.
_REMOVED: Final = frozenset(
    {"UNSUPPORTED_PRINCIPAL", "SCP_SYNTAX_ERROR_PRINCIPAL", "ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE"}
)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_TURNED: Final = frozenset(
    {
        DUPLICATE_KEYS, JSON_SYNTAX_ERROR, "INVALID_PRINCIPAL_FORMAT", "MISSING_VERSION", "STATEMENT_WITHOUT_DOCUMENT",
        "VARIABLE_UNSUPPORTED_IN_VERSION",
    }
)  # fmt: skip
_ADDED: Final = {"MISSING_EFFECT": ("Effect", "Allow"), "MISSING_RESOURCE": ("Resource", "*")}


class Change(NamedTuple):
    """One difference between the document and its correction; `is_guess` where the document does not say it."""

    path: Path
    message: str
    is_guess: bool = False

    def __str__(self) -> str:
        pointer = "/" + "/".join(shown(str(part)) for part in self.path)
        return f"{pointer}: {self.message}{' (a guess: check it)' if self.is_guess else ''}"


def corrected(root: Node, problems: Sequence[Problem]) -> str | None:
    """The text of the document with the corrections of its problems; None when nothing can be offered."""
    plain = root.plain()
    if not isinstance(plain, dict) or not problems:
        return None
    changes = apply(plain, problems)
    was_json = all(problem.code != JSON_SYNTAX_ERROR for problem in problems)
    return layout(plain) if changes or not was_json else None


def can_change(problem: Problem) -> bool:
    """Whether a correction of the problem is known, so that it is worth looking for one."""
    return problem.corrected is not None or problem.code in _REMOVED | _TURNED or problem.code in _ADDED


def apply(plain: Document, problems: Sequence[Problem]) -> list[Change]:
    """Correct the document in place, as far as its problems say how; returns what was changed."""
    changes = [change for problem in problems for change in _corrections(plain, problem)]
    return list(dict.fromkeys([*changes, *_versioned(plain, {problem.code for problem in problems})]))


def _versioned(plain: Document, codes: set[str]) -> list[Change]:
    """Give a document without `Version` the present one; that is a guess only where it brings variables to life."""
    newest = kinds.VERSIONS[0]
    has_variables = "VARIABLE_UNSUPPORTED_IN_VERSION" in codes
    if "Version" in plain and not (has_variables and plain["Version"] == kinds.VERSIONS[1]):
        return []
    if "Version" not in plain and not has_variables and "${" in layout(plain.get("Statement")):
        return []
    elements = {name: value for name, value in plain.items() if name != "Version"}
    plain.clear()
    plain.update({"Version": newest, **elements})
    return [Change(("Version",), f"now `{newest}`", is_guess=has_variables)]


def _corrections(plain: Document, problem: Problem) -> list[Change]:
    if problem.code == DUPLICATE_KEYS:
        return [Change(problem.path, f"{problem.message}; the last one is kept", is_guess=True)]
    if problem.written is not None and problem.corrected is not None:
        return _renamed(_at(plain, problem.path), problem)
    if problem.code in _ADDED:
        return _added(_at(plain, problem.path), problem)
    place = _place(plain, problem.path)
    if place is None:
        return []
    if problem.code in _REMOVED:
        place.remove()
        return [Change(problem.path, "removed", is_guess=True)]
    if problem.code == "INVALID_PRINCIPAL_FORMAT" and isinstance(place.value, str):
        written = place.value
        place.put({_principal_kind(written): written})
        return [Change(problem.path, f"put `{shown(written)}` into an object of its kind")]
    if problem.corrected is None or place.value == problem.corrected:
        return []
    if problem.code == MISSING_FOR_ACTION:
        return _further(_place(plain, (*problem.path[:2], "Resource")), problem)
    message = f"`{shown(str(place.value))}` → `{shown(problem.corrected, 160)}`"
    is_guess = problem.code == "INVALID_ACTION" and not _is_of_service(problem.corrected, place.value)
    place.put(problem.corrected)
    return [Change(problem.path, message, is_guess)]


def _is_of_service(action: str, written: object) -> bool:
    """Whether what was written begins with the service of the action, or names no service at all."""
    service, colon, _ = str(written).partition(":")
    return not colon or service.strip().lower() == action.partition(":")[0]


def _further(resources: _Place | None, problem: Problem) -> list[Change]:
    """Add the resource that an action lacks."""
    if resources is None or problem.corrected is None:
        return []
    written = resources.value if isinstance(resources.value, list) else [resources.value]
    if problem.corrected in written:
        return []
    resources.put([*written, problem.corrected])
    path = (*problem.path[:2], "Resource")
    return [Change(path, f"added `{shown(problem.corrected, 160)}`", is_guess=True)]


def _renamed(holder: object, problem: Problem) -> list[Change]:
    old, new = cast("str", problem.written), cast("str", problem.corrected)
    if not isinstance(holder, dict) or old not in holder:
        return []
    if new in holder and not _can_join(holder[new], holder[old]):
        return []
    members = list(holder.items())
    holder.clear()
    for name, value in members:
        wanted = new if name == old else name
        holder[wanted] = {**holder[wanted], **value} if wanted in holder else value
    return [Change(problem.path, f"`{shown(old)}` → `{new}`")]


def _can_join(one: object, other: object) -> bool:
    """Whether two objects can be written as one without losing what either says."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return False
    return {name.lower() for name in one}.isdisjoint(name.lower() for name in other)


def _added(holder: object, problem: Problem) -> list[Change]:
    element, value = _ADDED[problem.code]
    if not isinstance(holder, dict) or element in holder or f"Not{element}" in holder:
        return []
    members = dict(holder)
    holder.clear()
    holder.update({element: value, **members} if element == "Effect" else {**members, element: value})
    return [Change((*problem.path, element), f"added `{value}`", is_guess=True)]


def _principal_kind(written: str) -> str:
    if written.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return "Service"
    return "Federated" if ":saml-provider/" in written or ":oidc-provider/" in written else "AWS"


class _Place(NamedTuple):
    """A place in a document: an object's member or a list's item."""

    holder: dict[str | int, object] | list[object]
    key: str | int

    @property
    def value(self) -> object:
        return self.holder[self.key]  # type: ignore[index]  # `_place` gives a list's items a number

    def put(self, value: object) -> None:
        self.holder[self.key] = value  # type: ignore[index]  # as above

    def remove(self) -> None:
        del self.holder[self.key]  # type: ignore[arg-type]  # as above


def _place(plain: Document, path: Path) -> _Place | None:
    holder = _at(plain, path[:-1]) if path else None
    if isinstance(holder, dict) and path[-1] in holder:
        return _Place(holder, path[-1])
    if isinstance(holder, list) and isinstance(path[-1], int) and path[-1] < len(holder):
        return _Place(holder, path[-1])
    return None


def _at(plain: object, path: Path) -> object:
    """The value at the path; a single statement is its own list, and so is a single value."""
    found = plain
    for part in path:
        if isinstance(found, dict):
            found = found if part == 0 else found.get(part)
        elif isinstance(found, list) and isinstance(part, int) and part < len(found):
            found = found[part]
        else:
            return None
    return found


def bare_numbers(plain: Document) -> list[Change]:
    """Write the numbers of numeric conditions without quotes in a document that is corrected anyway.

    AWS: "Grammar of the IAM JSON policy language", The policy language and JSON: quotation marks are optional there.
    """
    statements = plain.get("Statement")
    found: list[Change] = []
    for index, statement in enumerate(statements if isinstance(statements, list) else [statements]):
        block = statement.get("Condition") if isinstance(statement, dict) else None
        for operator, keys in block.items() if isinstance(block, dict) else ():
            if "Numeric" not in operator or not isinstance(keys, dict):
                continue
            for key, value in keys.items():
                if isinstance(value, str) and _NUMBER.fullmatch(value):
                    keys[key] = int(value)
                    path = ("Statement", index, "Condition", operator, key)
                    found.append(Change(path, f"`{value}` without quotes, which AWS reads alike"))
    return found
