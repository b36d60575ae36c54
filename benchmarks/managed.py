"""AWS's managed policies beside edited copies of them: pairs such as reviews see.

The policies are AWS's own, as the package moto ships them (Apache License 2.0); nothing of them is kept here. They are
of 2014 to 2026: names that AWS has dropped since, odd patterns and long lists are in them as AWS wrote them.
"""

from __future__ import annotations

import json
import random
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

Document = dict[str, Any]
Statement = dict[str, Any]

MOST_STATEMENTS: Final = 30
SIZES: Final = ((1, 1), (2, 3), (4, 7), (8, 15), (16, MOST_STATEMENTS))
ACTIONS: Final = ("s3:GetObject", "iam:PassRole", "ec2:Describe*", "kms:Decrypt", "logs:*", "sts:AssumeRole")
CONDITIONS: Final[tuple[Document, ...]] = (
    {"StringEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}},
    {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}},
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
)
_SWAPS: Final = {
    "StringEquals": "StringLike",
    "StringLike": "StringEquals",
    "StringNotEquals": "StringNotLike",
    "ArnLike": "StringLike",
    "Bool": "BoolIfExists",
    "StringEqualsIfExists": "StringEquals",
    "ForAllValues:StringEquals": "ForAnyValue:StringEquals",
    "ForAnyValue:StringEquals": "ForAllValues:StringEquals",
    "Null": "StringEquals",
}


class Pair(NamedTuple):
    """A policy of so many statements, its edited copy, and what was edited."""

    name: str
    edit: str
    statements: int
    before: Document
    after: Document


def policies() -> dict[str, Document]:
    """AWS's managed policies by name; `ModuleNotFoundError` where moto is missing."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    return {name: each["Document"] for name, each in json.loads(aws_managed_policies_data).items()}


def pairs(count: int, seed: int = 20261130) -> list[Pair]:
    """So many pairs, sizes and edits in turn; the same for the same seed."""
    chance = random.Random(seed)
    known = policies()
    of_size = [
        sorted(name for name, each in known.items() if low <= len(_statements(each)) <= high)
        for low, high in SIZES
    ]
    found = []
    for number in range(count):
        name = chance.choice(of_size[number % len(SIZES)])
        before = _listed(known[name])
        edit = list(EDITS)[number // len(SIZES) % len(EDITS)]
        after = deepcopy(before)
        EDITS[edit](after["Statement"], chance)
        found.append(Pair(name, edit, len(before["Statement"]), before, after))
    return found


def _statements(document: Document) -> list[Statement]:
    found = document["Statement"]
    return found if isinstance(found, list) else [found]


def _listed(document: Document) -> Document:
    """The document with lists everywhere, so that each edit is one line."""
    found = deepcopy(document)
    found["Statement"] = _statements(found)
    for statement in found["Statement"]:
        for element in ("Action", "NotAction", "Resource", "NotResource"):
            if isinstance(statement.get(element), str):
                statement[element] = [statement[element]]
    return found


def _one_with(listed: list[Statement], element: str, chance: random.Random) -> Statement:
    having = [each for each in listed if each.get(element)]
    return chance.choice(having or listed)


def _add_action(listed: list[Statement], chance: random.Random) -> None:
    _one_with(listed, "Action", chance).setdefault("Action", []).append(chance.choice(ACTIONS))


def _remove_action(listed: list[Statement], chance: random.Random) -> None:
    actions = _one_with(listed, "Action", chance).get("Action", [])
    if len(actions) > 1:
        actions.pop(chance.randrange(len(actions)))


def _widen_action(listed: list[Statement], chance: random.Random) -> None:
    actions = _one_with(listed, "Action", chance).get("Action", ["*"])
    place = chance.randrange(len(actions))
    service, colon, name = actions[place].partition(":")
    kept = next((at for at, char in enumerate(name) if at and char.isupper()), 0)
    actions[place] = f"{service}{colon}{name[:kept]}*"


def _widen_resource(listed: list[Statement], chance: random.Random) -> None:
    resources = _one_with(listed, "Resource", chance).get("Resource", ["*"])
    place = chance.randrange(len(resources))
    begin, colon, last = resources[place].rpartition(":")
    resources[place] = "*" if chance.random() < 0.3 else f"{begin}{colon}{last[: len(last) // 2]}*"


def _narrow_resource(listed: list[Statement], chance: random.Random) -> None:
    resources = _one_with(listed, "Resource", chance).get("Resource", ["*"])
    place = chance.randrange(len(resources))
    wanted = resources[place].replace("*", "team-*", 1)
    resources[place] = wanted if wanted != "team-*" else "arn:aws:*:us-east-1:111122223333:*"


def _drop_condition(listed: list[Statement], chance: random.Random) -> None:
    _one_with(listed, "Condition", chance).pop("Condition", None)


def _add_condition(listed: list[Statement], chance: random.Random) -> None:
    statement = chance.choice(listed)
    for operator, keys in chance.choice(CONDITIONS).items():
        statement.setdefault("Condition", {}).setdefault(operator, {}).update(keys)


def _add_value(listed: list[Statement], chance: random.Random) -> None:
    blocks = _one_with(listed, "Condition", chance).get("Condition", {})
    for keys in list(blocks.values())[:1]:
        key = next(iter(keys))
        before = keys[key] if isinstance(keys[key], list) else [keys[key]]
        keys[key] = [*before, "true" if before[0] in {"true", "false"} else "other.amazonaws.com"]


def _change_operator(listed: list[Statement], chance: random.Random) -> None:
    block = _one_with(listed, "Condition", chance).get("Condition", {})
    for operator in list(block):
        other = _SWAPS.get(operator)
        if other is not None and other not in block:
            block[other] = block.pop(operator)
            return


def _add_denial(listed: list[Statement], chance: random.Random) -> None:
    denial: Statement = {"Effect": "Deny", "Action": [chance.choice(ACTIONS)], "Resource": ["*"]}
    if chance.random() < 0.5:
        denial["Condition"] = deepcopy(chance.choice(CONDITIONS))
    listed.append(denial)


def _remove_statement(listed: list[Statement], chance: random.Random) -> None:
    if len(listed) > 1:
        listed.pop(chance.randrange(len(listed)))


EDITS: Final[dict[str, Callable[[list[Statement], random.Random], None]]] = {
    "add an action": _add_action,
    "remove an action": _remove_action,
    "widen an action": _widen_action,
    "widen a resource": _widen_resource,
    "narrow a resource": _narrow_resource,
    "drop a condition": _drop_condition,
    "add a condition": _add_condition,
    "add a value": _add_value,
    "change an operator": _change_operator,
    "add a denial": _add_denial,
    "remove a statement": _remove_statement,
}
"""Every edit by its name."""
