"""Statements changed as little as a fix needs: an Allow added or corrected, a Deny narrowed.

Pure over decoded JSON; what is not named stays as it was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from clew.aws import arn_overlap, catalog, glob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.explain.fix_edit import Document

SID = "ClewFix"
"""What statements and inline policies are called that a fix adds."""

VERSION = "2012-10-17"
_PRINCIPAL = "aws:PrincipalArn"


@dataclass(frozen=True, slots=True)
class Box:
    """Requests that a fix may newly allow: these actions on these resources, both as patterns."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def holds(self, action: str, resource: str) -> bool:
        """Whether a request is among them."""
        return any(glob.matches(each.lower(), action.lower()) for each in self.actions) and any(
            glob.matches(each, resource) for each in self.resources
        )


def texts(value: object) -> list[str]:
    """The texts of an element that may be a single text or a list of them."""
    return (
        [value]
        if isinstance(value, str)
        else [str(each) for each in value]
        if isinstance(value, list)
        else []
    )


def box(statement: Document, *, resource: str = "*") -> Box:
    """What an Allow statement is about; a trust policy has no resource but its role."""
    return Box(
        tuple(texts(statement.get("Action", "*"))),
        tuple(texts(statement.get("Resource", resource))) or ("*",),
    )


def with_statement(document: Document | None, statement: Document) -> Document:
    """The document with the statement at its end, under a Sid that no other has."""
    if document is None:
        return {"Version": VERSION, "Statement": [statement]}
    there = _listed(document)
    names = {str(each.get("Sid", "")) for each in there}
    sid, number = str(statement["Sid"]), 2
    while statement["Sid"] in names:
        statement = {**statement, "Sid": f"{sid}{number}"}
        number += 1
    return {**document, "Statement": [*there, statement]}


def _listed(document: Document) -> list[Document]:
    found = document.get("Statement", [])
    return list(found) if isinstance(found, list) else [found]


def replaced(document: Document, index: int, made: list[Document]) -> Document:
    """The document with other statements in the place of one."""
    there = _listed(document)
    return {**document, "Statement": [*there[:index], *made, *there[index + 1 :]]}


def statement_at(document: Document, index: int) -> Document:
    """The statement of that index."""
    return _listed(document)[index]


def appended(statement: Document, element: str, text: str) -> Document:
    """The statement with a text more in an element."""
    return {**statement, element: [*texts(statement.get(element)), text]}


def exchanged(statement: Document, element: str, old: str, new: str) -> Document:
    """The statement with one text of an element put right."""
    found = [new if text == old else text for text in texts(statement[element])]
    return {**statement, element: found if isinstance(statement[element], list) else found[0]}


def with_principal(statement: Document, who: str) -> Document:
    """The statement with a principal more, an ARN or a service."""
    there = statement.get("Principal", {})
    named = dict(there) if isinstance(there, dict) else {}
    kind = "AWS" if who.startswith("arn:") else "Service"
    return {**statement, "Principal": {**named, kind: [*texts(named.get(kind)), who]}}


def with_value(statement: Document, operator: str, key: str, value: str) -> Document:
    """The statement with a value more for one of its conditions."""
    block = statement["Condition"]
    found = {
        name: {each: [*texts(values), value] if _is(name, operator) and _is(each, key) else values
               for each, values in lines.items()}
        for name, lines in block.items()
    }  # fmt: skip
    return {**statement, "Condition": found}


def _is(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def exempting(statement: Document, who: str) -> Document:
    """A Deny that does not concern one principal any more.

    AWS: "AWS global condition context keys", aws:PrincipalArn: for a session it is the ARN of the role.
    """
    block: dict[str, dict[str, Any]] = dict(statement.get("Condition", {}))
    name = next((each for each in block if _is(each, "ArnNotEquals")), "ArnNotEquals")
    lines = dict(block.get(name, {}))
    key = next((each for each in lines if _is(each, _PRINCIPAL)), _PRINCIPAL)
    lines[key] = [*texts(lines[key]), who] if key in lines else who
    return {**statement, "Condition": {**block, name: lines}}


def narrowed(
    statement: Document, action: str, resource: str, who: str, *, is_whole: bool = False
) -> tuple[list[Document], Box]:
    """The statements that deny what a Deny did, but for the request, and what they do not deny any more.

    Where the patterns cannot be parted, more than the request is let go: the second value says what. `who` is the
    principal to exempt; empty where the policy concerns nobody else. `is_whole` says that the policy is about this
    resource alone, so that there is no other to go on denying.
    """
    if "NotAction" in statement:
        return [appended(statement, "NotAction", action)], Box((action,), ("*",))
    if "NotResource" in statement and "NotAction" not in statement:
        box_ = Box(tuple(texts(statement["Action"])), (resource,))
        return [appended(statement, "NotResource", resource)], box_
    actions = texts(statement.get("Action"))
    exact = [each for each in actions if _is(each, action)]
    rest = [each for each in actions if each not in exact and not _matches(each, action)]
    hit = exact if exact and len(exact) + len(rest) == len(actions) else actions
    others = [{**statement, "Action": rest}] if hit is exact and rest else []
    about = {**statement, "Action": hit} if others else statement
    rest_of = _all_but(hit, action, texts(statement.get("Resource"))) if hit is not exact else []
    if rest_of:
        # All but the action stays denied there: `NotAction` says the rest.
        others = [_with_not_action(about, rest_of)]
        about, hit = {**about, "Action": action}, [action]
    whole = ([exempting(about, who)], (resource,)) if is_whole and who else None
    parted, resources = whole or _parted(about, resource, who)
    return _numbered([*others, *parted], statement), Box(tuple(hit), resources)


def _all_but(patterns: list[str], action: str, resources: list[str]) -> list[str]:
    """The `NotAction` that denies what the patterns deny there, but for the action; empty where none does.

    One does for `*`; and for all of a service where only its ARNs are named, if it spares the others that act on such.
    """
    if patterns == ["*"]:
        return [action]
    service = action.partition(":")[0].lower()
    are_its = bool(resources) and all(text.split(":")[2:3] == [service] for text in resources)
    if [each.lower() for each in patterns] != [f"{service}:*"] or not are_its:
        return []
    known = catalog.current()
    strangers = {
        other
        for other in _acting_on(service)
        if any(arn_overlap.types(text, other, known) for text in resources)
    }
    return [action, *(f"{other}:*" for other in sorted(strangers))]


@cache
def _acting_on(service: str) -> frozenset[str]:
    """The other services that have resource types with ARNs of this one."""
    known = catalog.current()
    return frozenset(
        each.prefix
        for each in known.services()
        if each.prefix != service
        and any(
            arn.split(":")[2:3] == [service]
            for kind in known.resource_types(each.prefix)
            for arn in kind.arns
        )
    )


def _with_not_action(statement: Document, actions: list[str]) -> Document:
    """The statement about all but these actions, with `NotAction` where its `Action` stands."""
    value = actions if len(actions) > 1 else actions[0]
    return {
        ("NotAction" if name == "Action" else name): (value if name == "Action" else there)
        for name, there in statement.items()
    }


def _matches(pattern: str, action: str) -> bool:
    return glob.matches(pattern.lower(), action.lower())


def _parted(statement: Document, resource: str, who: str) -> tuple[list[Document], tuple[str, ...]]:
    """The statement without the resource; where it has no list to take it from, without the principal."""
    if "Resource" not in statement:
        return [exempting(statement, who)], ("*",)
    found = texts(statement["Resource"])
    rest = [each for each in found if each != resource]
    without = {name: value for name, value in statement.items() if name != "Resource"}
    if found == ["*"] and resource != "*":
        kept: list[Document] = [{**without, "NotResource": resource}]
    elif resource in found and not any(glob.matches(each, resource) for each in rest):
        kept = [{**statement, "Resource": rest}] if rest else []
    elif who:
        return [exempting(statement, who)], tuple(found)
    else:
        return [], tuple(found)
    own = [exempting({**without, "Resource": resource}, who)] if who else []
    return [*kept, *own], (resource,)


def _numbered(made: list[Document], statement: Document) -> list[Document]:
    """The statements with Sids of their own: the first keeps that of the statement that they come from."""
    sid = statement.get("Sid")
    if not sid:
        return made
    return [{**each, "Sid": f"{sid}{number}" if number > 1 else sid} for number, each in enumerate(made, 1)]


def breadth(boxes: tuple[Box, ...]) -> tuple[int, int]:
    """How much the boxes hold: actions that the catalogue knows, and resources that are patterns."""
    known = catalog.current()
    actions = sum(_count(known, pattern) for each in boxes for pattern in each.actions)
    wide = sum("*" in text or "?" in text for each in boxes for text in each.resources)
    return actions, wide


def _count(known: catalog.Catalog, pattern: str) -> int:
    return max(1, known.mask(pattern.lower()).bit_count())


def named_actions(patterns: tuple[str, ...], among: Callable[[str], bool]) -> Iterator[str]:
    """The actions that the catalogue knows under the patterns and that a test lets through."""
    known = catalog.current()
    for pattern in patterns:
        yield from (action for action in known.names(known.mask(pattern.lower())) if among(action))
