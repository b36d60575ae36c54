"""Recorded ARNs as a readable policy writes them: few patterns, never wider than one of the rules here.

Up to `MOST` names are listed one by one. Beyond that

- objects of one bucket, parameters under one path: `prefix/*`, the longest prefixes that hold more than `MOST` names;
- streams of one log group: `log-group:NAME:log-stream:*`;
- things of EC2, whose ids AWS makes up: all of that type in the account and region, `instance/*`.

Bucket, log group, type, account and region always stay. Everything else is listed as it was recorded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clew.aws import catalog
from clew.aws.catalog_types import PLACEHOLDER
from clew.aws.partitions import partition_of
from clew.events.paths import text_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Event = Mapping[str, object]

MOST: Final = 3
"""How many names under one prefix are listed before the prefix stands for them."""

_OBJECT: Final = re.compile(r"(arn:[^:]+:s3:::[^/*?]+)/(.+)", re.DOTALL)
_PARAMETER: Final = re.compile(r"(arn:[^:]+:ssm:[^:]+:[^:]+:parameter/[^/]+)/(.+)")
_STREAM: Final = re.compile(r"(arn:[^:]+:logs:[^:]+:[^:]+:log-group:[^:]+:log-stream):(.+)")
_EC2: Final = re.compile(r"(arn:[^:]+:ec2:[^:]+:[^:]*:[a-z-]+)/([^/]+)")
_SPECIAL: Final = re.compile(r"[*?]|\$(?=\{)")


def written(arn: str, action: str) -> str:
    """The ARN as a policy writes exactly it: `*`, `?` and `${` of a name are no wildcards and no variables.

    A part that is nothing but `*`, as in `instance/*`, stands for what does not exist yet, and stays a wildcard; not so
    in the key of an object, which anybody may have chosen.

    >>> written("arn:aws:s3:::logs/what?", "s3:GetObject"), written("*", "s3:ListAllMyBuckets")
    ('arn:aws:s3:::logs/what${?}', '*')
    """
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
    kinds = (known.resource_type(found.service, name) for name in needed)
    patterns = (pattern for kind in kinds if kind is not None for pattern in kind.arns)
    return tuple(dict.fromkeys(_filled(pattern, event) for pattern in patterns)) or ("*",)


def _filled(pattern: str, event: Event) -> str:
    region = text_at(event, "awsRegion")
    account = text_at(event, "recipientAccountId") or text_at(event, "userIdentity", "accountId")
    for place, value in (
        ("${Partition}", partition_of(region) or "aws"),
        ("${Region}", region),
        ("${Account}", account),
    ):
        if value:
            pattern = pattern.replace(place, value)
    return PLACEHOLDER.sub("*", pattern)


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
