"""Recorded ARNs as a readable policy writes them: few patterns, never wider than one of the rules here.

Up to `MOST` names are listed one by one. Beyond that

- objects of one bucket, parameters under one path: `prefix/*`, the longest prefixes that hold more than `MOST` names;
- streams of one log group: `log-group:NAME:log-stream:*`;
- things of EC2, whose ids AWS makes up: all of that type in the account and region, `instance/*`.

Bucket, log group, type, account and region always stay. Everything else is listed as it was recorded, but for the end
that AWS makes up for a new stack, task definition or secret.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clew.analyzer.touched import partly
from clew.analyzer.touched_names import OF_GROUP
from clew.aws import catalog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Event = Mapping[str, object]

MOST: Final = 3
"""How many names under one prefix are listed before the prefix stands for them."""

_MOST_TYPES: Final = 20
_ASKS_FOR_ALL: Final = frozenset({"ec2", "glue", "kms"})
_ALSO: Final = {"ec2:RunInstances": ("volume",), "ssm:SendCommand": ("instance",)}
"""Types that the service authorization reference does not mark as required: disks, and where a command runs."""

_OBJECT: Final = re.compile(r"(arn:[^:]+:s3:::[^/*?]+)/(.+)", re.DOTALL)
_PARAMETER: Final = re.compile(r"(arn:[^:]+:ssm:[^:]+:[^:]+:parameter/[^/]+)/(.+)")
_STREAM: Final = re.compile(r"(arn:[^:]+:logs:[^:]+:[^:]+:log-group:[^:]+:log-stream):(.+)")
_EC2: Final = re.compile(r"(arn:[^:]+:ec2:[^:]+:[^:]*:[a-z-]+)/([^/]+)")
_MADE_UP: Final = {
    "cloudformation:CreateStack": (re.compile(r"(arn:.+:stack/[^/*]+/)[^/*]+"), "*"),
    "ecs:RegisterTaskDefinition": (re.compile(r"(arn:.+:task-definition/[^:*]+:)\d+"), "*"),
    "secretsmanager:CreateSecret": (re.compile(r"(arn:.+:secret:.+-)[A-Za-z0-9]{6}"), "??????"),
}
"""What AWS makes up at the end of the ARN of something new, and its pattern: the next one has another end."""

_SPECIAL: Final = re.compile(r"[*?]|\$(?=\{)")


def written(arn: str, action: str) -> str:
    """The ARN as a policy writes exactly it: `*`, `?` and `${` of a name are no wildcards and no variables.

    A part that is nothing but `*`, as in `instance/*`, stands for what does not exist yet, and stays a wildcard; not so
    in the key of an object, which anybody may have chosen.

    >>> written("arn:aws:s3:::logs/what?", "s3:GetObject"), written("*", "s3:ListAllMyBuckets")
    ('arn:aws:s3:::logs/what${?}', '*')
    """
    if action in _MADE_UP and (new := _MADE_UP[action][0].fullmatch(arn)):
        return f"{new[1]}{_MADE_UP[action][1]}"
    if arn.endswith(OF_GROUP):
        return f"{arn.removesuffix(OF_GROUP)}:*"
    if _is_template(arn) and not action.startswith("s3:"):
        return arn
    return arn if arn == "*" else _SPECIAL.sub(lambda found: f"${{{found[0]}}}", arn)


def _is_template(arn: str) -> bool:
    """Whether every `*` fills a whole part."""
    parts = re.split(r"[/:]", arn)
    return not any(_SPECIAL.search(part) for part in parts if part != "*")


def any_of_types(event: Event, action: str) -> tuple[str, ...]:
    """Patterns of every resource that the action may be about, in the account and region of the call.

    >>> any_of_types({"awsRegion": "eu-west-1", "recipientAccountId": "111122223333"}, "sqs:SendMessage")
    ('arn:aws:sqs:eu-west-1:111122223333:*',)
    """
    known = catalog.current()
    found = known.action(action)
    if found is None or found.is_wildcard_only:
        return ("*",)
    needed = [each.name for each in found.resources if each.required] or [
        each.name for each in found.resources
    ]
    patterns = _patterns(event, found.service, needed)
    return _shortened(patterns) or ("*",)


def untold_types(event: Event, action: str, told: Iterable[str]) -> tuple[str, ...]:
    """Patterns of the types of which permission is asked beside those that the record tells.

    AWS: EC2 user guide, "Example policies to control access the EC2 API", RunInstances: permission is needed for every
    one of them, also for what the call makes; KMS developer guide, "Controlling access to aliases"; Glue developer
    guide, "Specifying AWS Glue resource ARNs": for what stands above a table, too.
    """
    known, told = catalog.current(), tuple(told)
    found = known.action(action)
    if found is None or not told:
        return ()
    required = [each.name for each in found.resources if each.required]
    needed = [*(required if found.service in _ASKS_FOR_ALL else ()), *_ALSO.get(action, ())]
    if len(needed) > 1 or action in _ALSO:
        shown = {kind.name for arn in told if (kind := known.resource_type_of(arn, found.service))}
        return _patterns(event, found.service, [name for name in needed if name not in shown])
    return ()


def _patterns(event: Event, service: str, types: Iterable[str]) -> tuple[str, ...]:
    kinds = (catalog.current().resource_type(service, name) for name in types)
    found = tuple(
        dict.fromkeys(pattern for kind in kinds if kind is not None for pattern in partly(event, kind))
    )
    # Of a bucket that the record tells, only the objects: no request goes through an access point besides.
    told = tuple(each for each in found if ":s3:::" in each and ":s3:::*" not in each)
    return told or found


def _shortened(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """The patterns, or, of an action that takes nearly all types, those of all types in the same places."""
    if len(patterns) <= _MOST_TYPES:
        return patterns
    return tuple(dict.fromkeys(f"{':'.join(each.split(':', 5)[:5])}:*" for each in patterns))


def generalised(arns: Iterable[str]) -> tuple[str, ...]:
    """The ARNs with many names of one prefix made one pattern; what another pattern holds is left out; in order.

    >>> generalised(f"arn:aws:s3:::logs/2026/{day}" for day in range(9))
    ('arn:aws:s3:::logs/2026/*',)
    """
    kept: set[str] = set()
    trees: dict[tuple[str, str], list[str]] = {}
    for arn in set(arns):
        place = _place(arn)
        if place is None:
            kept.add(arn)
        else:
            trees.setdefault(place[:2], []).append(place[2])
    for (prefix, separator), names in trees.items():
        kept |= {f"{prefix}{separator}{each}" for each in _folded(names)}
    return tuple(sorted(_uncovered(kept)))


def _place(arn: str) -> tuple[str, str, str] | None:
    """Prefix, separator and name of an ARN that may be generalised."""
    for pattern, separator in ((_OBJECT, "/"), (_PARAMETER, "/"), (_STREAM, ":"), (_EC2, "/")):
        found = pattern.fullmatch(arn)
        if found is not None:
            return found[1], separator, found[2]
    return None


def _folded(names: list[str]) -> Iterator[str]:
    """The names, where more than `MOST` share a directory that one as `directory/*`, innermost directories first."""
    if len(names) <= MOST:
        yield from names
        return
    inside: dict[str, list[str]] = {}
    here: list[str] = []
    for name in names:
        head, slash, rest = name.partition("/")
        if slash and rest and head:
            inside.setdefault(head, []).append(rest)
        else:
            here.append(name)
    # Each directory counts as one name: dates and tenants fold as files do.
    if len(here) + len(inside) > MOST:
        yield "*"
        return
    yield from here
    for head, rests in inside.items():
        yield from (f"{head}/{each}" for each in _folded(rests))


def _uncovered(patterns: set[str]) -> set[str]:
    """The patterns that no other, ending in `*`, holds already."""
    if "*" in patterns:
        return {"*"}
    prefixes = {each[:-1] for each in patterns if each.endswith("*")}
    return {
        each
        for each in patterns
        if not any(
            each[:end] in prefixes and each[:end] != each.removesuffix("*") for end in range(len(each))
        )
    }
