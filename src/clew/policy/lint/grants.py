"""Checks of iam:PassRole and iam:CreateServiceLinkedRole that are allowed too widely."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.policy.globs import covers
from clew.policy.lint.registry import IDENTITY, Told, of_family

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.aws.catalog import Catalog
    from clew.policy.lint.subject import Clause, Subject
    from clew.policy.words import Word

_ROLE: Final = re.compile(r"arn:[^:]*:iam::[^:]*:(?P<resource>.*)", re.DOTALL)
_WORD: Final = re.compile(r"[a-z][a-z0-9]*")
# Words by which AWS's services name their roles beside the prefixes of their actions.
_OF_SERVICES: Final = frozenset({"amazon", "aws", "service"})


class Power(NamedTuple):
    """An action that hands out roles: its name, the key that limits it, and what its issue codes begin with."""

    action: str
    key: str
    prefix: str
    danger: str


PASS_ROLE: Final = Power(
    "iam:PassRole", "iam:PassedToService", "PASS_ROLE", "lets every such role be passed to any service"
)
CREATE_SLR: Final = Power(
    "iam:CreateServiceLinkedRole", "iam:AWSServiceName", "CREATE_SLR", "lets roles be made for any service"
)


def _granting(clause: Clause, power: Power) -> tuple[str, tuple[Word, ...]]:
    """How the statement names the action: `exact`, `wildcard`, `not` or not at all; and where."""
    wanted = power.action.lower()
    if clause.not_actions:
        place = clause.element("NotAction")
        is_excluded = clause.may_list(power.action, "NotAction")
        return ("", ()) if is_excluded or place is None else ("not", (place,))
    exact = tuple(word for word in clause.actions if word.text.lower() == wanted)
    if exact:
        return "exact", exact
    wide = tuple(word for word in clause.actions if covers(word.text.lower(), wanted))
    return ("wildcard", wide) if wide else ("", ())


def _is_limited(clause: Clause, power: Power) -> bool:
    """Whether a condition names the service; a name that begins with a wildcard names none."""
    if clause.are_keys_open:
        return True
    lines = [line for line in clause.lines if line.key == power.key.lower() and not line.is_negated]
    return any(line.is_open or not any(word.text.startswith("*") for word in line.values) for line in lines)


def _is_wide(arn: str, power: Power, catalog: Catalog) -> bool:
    """Whether the pattern takes in roles of many purposes."""
    if arn == "*":
        return True
    found = _ROLE.match(arn)
    resource = found["resource"] if found else arn
    head, star, _ = resource.partition("*")
    if not star or (found is None and not covers(arn, "arn:aws:iam::111122223333:role/x")):
        return False
    if power is CREATE_SLR:
        return ".amazonaws.com" not in head
    return not _names_a_service(head.removeprefix("role/"), catalog)


def _names_a_service(head: str, catalog: Catalog) -> bool:
    """Whether the beginning of a role's name says which service it is for.

    AWS: "Some AWS services include their service namespace in the name of their role."
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+", " ", head).lower()
    words = _WORD.findall(spaced)
    return any(word in _OF_SERVICES or catalog.service(word) is not None for word in words)


_CODES: Final = {
    ("exact", "not"): "WITH_NOT_RESOURCE",
    ("wildcard", "not"): "WITH_STAR_IN_ACTION_AND_NOT_RESOURCE",
    ("not", "not"): "WITH_NOT_ACTION_AND_NOT_RESOURCE",
    ("exact", "star"): "WITH_STAR_IN_RESOURCE",
    ("wildcard", "star"): "WITH_STAR_IN_ACTION_AND_RESOURCE",
    ("not", "star"): "WITH_STAR_IN_RESOURCE_AND_NOT_ACTION",
}


def _resources(clause: Clause, power: Power, catalog: Catalog) -> tuple[str, tuple[Word, ...]]:
    """Whether the statement is about all resources but some, or about a wildcard of roles; and where."""
    place = clause.element("NotResource")
    if place is not None:
        return "not", (place,)
    wide = tuple(word for word in clause.resources if _is_wide(word.text, power, catalog))
    return ("star", wide) if wide and not _is_limited(clause, power) else ("", ())


def _told(clause: Clause, subject: Subject, power: Power) -> Iterator[tuple[str, Told]]:
    if not clause.allows:
        return
    naming, places = _granting(clause, power)
    if not naming:
        return
    resources, wide = _resources(clause, power, subject.catalog)
    if resources:
        advice = "name roles" if resources == "not" else f"name roles, or add `{power.key}`"
        message = f"`{power.action}` {power.danger}; {advice}"
        yield f"{power.prefix}_{_CODES[naming, resources]}", Told(message, (*places, *wide))


@of_family((f"PASS_ROLE_{suffix}" for suffix in _CODES.values()), IDENTITY)
def pass_role(clause: Clause, subject: Subject) -> Iterator[tuple[str, Told]]:
    """iam:PassRole on too many roles."""
    return _told(clause, subject, PASS_ROLE)


@of_family((f"CREATE_SLR_{suffix}" for suffix in _CODES.values()), IDENTITY)
def create_service_linked_role(clause: Clause, subject: Subject) -> Iterator[tuple[str, Told]]:
    """iam:CreateServiceLinkedRole for too many services."""
    return _told(clause, subject, CREATE_SLR)
