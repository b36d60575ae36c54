"""Condition keys that only a part of a request carries: instances are launched from an image that has no instance type.

Source: AWS, "Actions, resources, and condition keys for AWS services": a key in the row of a resource type belongs to
the action on resources of that type. Judged for Amazon EC2, where each resource of a request is authorized for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.policy.lint import curated
from clew.policy.lint.registry import Told, of_line
from clew.policy.model import PolicyKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.aws.catalog import Action, ActionResource
    from clew.policy.lint.subject import Clause, Line, Subject
    from clew.policy.words import Word

_SERVICE: Final = "ec2"
_OF_REQUESTERS: Final = frozenset(
    {PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.SESSION, PolicyKind.SCP}
)


@of_line("KEY_OF_OTHER_RESOURCE", _OF_REQUESTERS)
def of_other_part(line: Line, clause: Clause, subject: Subject) -> Iterator[Told]:
    """A line that never holds, or always, for a resource of the action that does not carry the key."""
    if line.is_open or line.key.partition(":")[0] not in {_SERVICE, "aws"} or not _matters(line, clause):
        return
    for word in clause.actions:
        action = None if "*" in word.text or "?" in word.text else subject.catalog.action(word.text)
        if action is None or action.service != _SERVICE:
            continue
        is_elsewhere = _is_allowed_elsewhere(word, clause, subject)
        asked = (each for each in clause.resources if not (is_elsewhere and _is_broad(each)))
        others = () if clause.allows else tuple(each for each in clause.lines if each is not line)
        found = {each: _bare(action, line, each, others, subject) for each in asked}
        if any(found.values()):
            yield _told(line, clause, word, found)


def _matters(line: Line, clause: Clause) -> bool:
    """Whether an absent key lets the statement miss what it is meant to allow, or hit all that it may deny."""
    is_meant = line.operator.if_exists or line.operator.qualifier == "ForAllValues"
    return _holds_alone(line) and not is_meant if clause.effect == "Deny" else not _holds_alone(line)


def _holds_alone(line: Line) -> bool:
    """Whether the line holds for a request without its key."""
    if line.operator.name == "Null":
        return any(word.text.lower() == "true" for word in line.values)
    is_negated = line.is_negated and line.operator.qualifier != "ForAnyValue"
    return is_negated or line.holds_without_key


def _bare(
    action: Action, line: Line, resource: Word, others: tuple[Line, ...], subject: Subject
) -> tuple[str, ...]:
    """The types of the action's resources that the ARN names and that do not carry the key, though others do.

    Of an ARN that names several types, those that every request of the action names; not those for which one of the
    `others` never holds.
    """
    bare = [row for row in action.resources if not _carries(row, action, line, subject)]
    if len(bare) == len(action.resources):
        return ()
    if resource.text == "*":
        named = {row.name for row in action.resources}
    else:
        named = {kind.name for kind in subject.catalog.resource_types_of(resource.text, _SERVICE)}
    found = [row for row in bare if row.name in named]
    is_all = not any(row.name in named for row in action.resources if row not in bare)
    may_hold = [each for each in others if not _holds_alone(each)]
    hit = (row for row in found if all(_carries(row, action, each, subject) for each in may_hold))
    return tuple(row.name for row in hit if is_all or row.required)


def _carries(row: ActionResource, action: Action, line: Line, subject: Subject) -> bool:
    known = subject.key(line.key)
    if known is None or known.name.lower() not in subject.keys_of(_SERVICE):
        return True
    listed = {*row.condition_keys, *action.condition_keys}
    kind = subject.catalog.resource_type(_SERVICE, row.name)
    if kind is not None and line.base not in curated.REQUEST_TAGS:  # which are of what the request makes
        listed |= set(kind.condition_keys)
    return known.name.lower() in {each.lower() for each in listed}


def _is_broad(resource: Word) -> bool:
    return resource.text.rpartition(":")[2].startswith("*")


def _is_allowed_elsewhere(action: Word, clause: Clause, subject: Subject) -> bool:
    """Whether another statement of the document may allow the action for the other resources."""
    others = (each for each in subject.clauses if each is not clause and each.allows)
    return clause.allows and any(each.may_list(action.text) or each.not_actions for each in others)


def _told(line: Line, clause: Clause, action: Word, found: Mapping[Word, tuple[str, ...]]) -> Told:
    named = ", ".join(f"`{name}`" for name in dict.fromkeys(name for bare in found.values() for name in bare))
    where = f"`{action.text}` carries no `{line.written}` for {named}"
    if clause.allows:
        message = (
            f"{where}, so that the statement allows nothing there; give these resources one of their own"
        )
    else:
        message = f"{where}, so that the line always holds there; name the resources that carry it"
    places = (each for each, bare in found.items() if bare)
    return Told(message, (line.name, action, *places))
