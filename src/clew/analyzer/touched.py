"""The ARNs that a recorded call was about, for one of its actions: from the record alone, never guessed.

First the ARNs that the record names and that fit a resource type of the action; else the ARN patterns of those types,
where every part of a pattern stands in the record. What the record does not tell stays untold: then `told` is False,
and the resource may be any.

>>> event = {"eventSource": "s3.amazonaws.com", "requestParameters": {"bucketName": "logs", "key": "2026/a"}}
>>> touched(event, "s3:GetObject").arns
('arn:aws:s3:::logs/2026/a',)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from clew.analyzer.touched_names import (
    COPIED,
    asked_for,
    is_of_source,
    is_without_end,
    source,
    with_any_end,
    with_path,
)
from clew.aws import catalog
from clew.aws.catalog_types import PLACEHOLDER
from clew.aws.partitions import partition_of
from clew.events.paths import at, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.aws.catalog_types import Action, ResourceType

    Event = Mapping[str, object]

_DEPTH = 4
_MAKES = ("Create", "Allocate", "Put", "Run", "Import", "Register", "Copy")
# The name of what is made, `InternetGateway`, as EC2 names its resource types: `internet-gateway`.
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MOST = 100
# AWS: Lambda developer guide, identity-based policies: a call with a qualifier is about a version or an alias.
_PARTS_OF = {"function": ("function alias", "function version")}
# Parts of ARN patterns by the names that requests give them, lower case; beside the part's own name.
_NAMES = {
    "bucketname": ("bucketname",),
    "objectname": ("key",),
    "rolenamewithpath": ("rolename",),
    "usernamewithpath": ("username",),
    "groupnamewithpath": ("groupname",),
    "instanceprofilenamewithpath": ("instanceprofilename",),
    "policynamewithpath": ("policyname",),
    "securitygroupid": ("groupid",),
    "queuename": ("queuename", "queueurl"),
    "topicname": ("name",),
    "keyid": ("keyid", "targetkeyid"),
    "alias": ("aliasname",),
    "instanceid": ("instanceids",),
    "keypairname": ("keyname",),
    "parameternamewithoutleadingslash": ("name", "names"),
    "secretid": ("secretid",),
    "trailname": ("name", "trailname"),
    "stackname": ("stackname",),
    "alarmname": ("alarmname",),
    "vpcid": ("vpcid",),
    "repositoryname": ("repositoryname",),
    "dbinstancename": ("dbinstanceidentifier",),
    "dbclusterinstancename": ("dbclusteridentifier",),
    "snapshotname": ("dbsnapshotidentifier",),
}
# Where a name means a resource of the request only in some services.
_SERVICE_NAMES = {("sns", "topicname"), ("cloudtrail", "trailname")}


@dataclass(frozen=True, slots=True)
class Touched:
    """The ARNs that one action of a call was about; not `told` when the record leaves some of them open.

    `nearly`: they are told but for the characters that AWS puts behind a secret's name, which patterns stand for.
    """

    arns: tuple[str, ...]
    told: bool
    nearly: bool = False


def touched(event: Event, action: str) -> Touched:
    """What the call was about: `*` for an action without resource types, else the ARNs that the record shows."""
    found = catalog.current().action(action)
    if found is None:
        return Touched((), told=False)
    if found.is_wildcard_only:
        return Touched(("*",), told=True)
    types = tuple(_types(found.full_name))
    if is_of_source(event, found.full_name):
        arns = tuple(source(event))
        return Touched(arns, told=bool(arns))
    values = dict(_values(event))
    arns = tuple(dict.fromkeys(_found(event, found, types, values)))
    if found.service == "apigateway":
        # The ARN is the path of the call: what stands above it was not touched.
        arns = tuple(arn for arn in arns if not any(other.startswith(f"{arn}/") for other in arns))
    needed = {each.name for each in found.resources if each.required} or {
        each.name for each in found.resources
    }
    if any(is_without_end(arn) for arn in arns):
        ended = tuple(with_any_end(arn) if is_without_end(arn) else arn for arn in arns)
        return Touched(ended[:_MOST], told=False, nearly=True)
    told = any(_fits(arn, types, needed) for arn in arns)
    return Touched(tuple(asked_for(arn, found.full_name) for arn in arns[:_MOST]), told)


def _found(
    event: Event, action: Action, types: tuple[ResourceType, ...], values: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    """ARNs that the request names, or else that its parts make; those that are made, or whose they are, besides."""
    named = [arn for arn in _arns(event, values) if _fits(arn, types)]
    yield from named or [arn for kind in types for arn in _built(event, kind, values)]
    if action.name.startswith(_MAKES):
        yield from _made(event, action, types)
    elif action.service == "rds" and action.name.startswith("Describe") and not values:
        # AWS: RDS user guide, identity-based policies: a listing that names nothing asks for `db:*` and the like.
        yield from (_any(event, kind) for kind in types)
    elif not named and action.service == "iam" and not values:
        # AWS: "GetUser": without a name IAM takes the user who signs the request; so do its like.
        own = text_at(event, "userIdentity", "arn")
        yield from [own] if _fits(own, types) else []


def _made(event: Event, action: Action, types: tuple[ResourceType, ...]) -> Iterator[str]:
    """What a call makes: its ARN in the answer; in EC2 permission is asked for `*` in the place of the id."""
    answered: dict[str, list[str]] = {}
    _collect(at(event, "responseElements"), "", answered, _DEPTH)
    yield from (
        arn for texts in answered.values() for arn in texts if arn.startswith("arn:") and _fits(arn, types)
    )
    word = _WORD.sub("-", action.name.partition("Create")[2]).lower()
    for kind in types:
        if action.service == "ec2" and kind.name == word:
            yield _any(event, kind)


def _any(event: Event, kind: ResourceType) -> str:
    """The ARN of any resource of that kind, in the account and region of the call."""
    return PLACEHOLDER.sub("*", _with_places(event, kind.arns[0]))


def _with_places(event: Event, pattern: str) -> str:
    for place, value in _places(event).items():
        pattern = pattern.replace(place, value)
    return pattern


@cache
def _types(action: str) -> tuple[ResourceType, ...]:
    known = catalog.current()
    found = known.action(action)
    names = [each.name for each in found.resources] if found else []
    kinds = (known.resource_type(action.partition(":")[0], name) for name in names)
    return tuple(kind for kind in kinds if kind is not None)


def _fits(arn: str, types: tuple[ResourceType, ...], needed: set[str] | None = None) -> bool:
    wanted = [kind for kind in types if needed is None or kind.name in needed]
    if not wanted:
        return False
    found = catalog.current().resource_type_of(arn, wanted[0].service)
    return found is not None and any(
        found.name in (kind.name, *_PARTS_OF.get(kind.name, ())) for kind in wanted
    )


def _arns(event: Event, values: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Every ARN in `resources` and in the request."""
    resources = at(event, "resources")
    for each in resources if isinstance(resources, list) else ():
        written = text_at(each, "ARN") or text_at(each, "arn") if isinstance(each, dict) else ""
        if written.startswith("arn:"):
            yield written
    yield from (value for texts in values.values() for value in texts if value.startswith("arn:"))


def _values(event: Event) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The texts of the request by the last part of their name, lower case; a name that occurs twice has all of them."""
    found: dict[str, list[str]] = {}
    _collect(at(event, "requestParameters"), "", found, _DEPTH)
    found.pop(COPIED, None)
    yield from ((name, tuple(dict.fromkeys(texts))[:_MOST]) for name, texts in found.items())


def _collect(value: object, name: str, found: dict[str, list[str]], depth: int) -> None:
    if isinstance(value, str):
        if value:
            found.setdefault(name, []).append(value)
    elif depth and isinstance(value, dict):
        for key, inner in value.items():
            _collect(inner, str(key).lower(), found, depth - 1)
    elif depth and isinstance(value, list):
        for inner in value[:_MOST]:
            _collect(inner, name, found, depth - 1)


def _built(event: Event, kind: ResourceType, values: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """The ARNs of a type whose every part stands in the record; of one varying part each value gives an ARN."""
    for pattern in kind.arns:
        yield from _filled(pattern, event, kind, values)


def _filled(
    pattern: str, event: Event, kind: ResourceType, values: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    parts = [part for part in PLACEHOLDER.findall(pattern) if part not in _PLACES]
    choices = [_choices(part[2:-1], kind, values) for part in parts]
    if not choices or not all(choices) or sum(len(choice) > 1 for choice in choices) > 1:
        return
    written = _with_places(event, pattern)
    for number in range(max(len(choice) for choice in choices)):
        made = _put(written, [choice[number if len(choice) > 1 else 0] for choice in choices])
        # An object's key may end in a slash and hold any text.
        if kind.name == "object" or not _EMPTY.search(made):
            yield made


def partly(event: Event, kind: ResourceType) -> tuple[str, ...]:
    """The patterns of a type with the parts that the record tells, and `*` for the others.

    >>> kind = catalog.current().resource_type("s3", "object")
    >>> partly({"requestParameters": {"bucketName": "logs"}}, kind)
    ('arn:aws:s3:::logs/*',)
    """
    values, places = dict(_values(event)), _places(event)
    return tuple(
        PLACEHOLDER.sub(
            lambda part: places.get(part[0]) or _plain(_choices(part[0][2:-1], kind, values)), pattern
        )
        for pattern in kind.arns
    )


def _plain(told: tuple[str, ...]) -> str:
    """The one value that is told, `*` for none, for several, and for what means more than itself in a policy."""
    return told[0] if len(told) == 1 and not re.search(r"[*?$]", told[0]) else "*"


def _put(pattern: str, values: list[str]) -> str:
    """The pattern with its parts, from left to right, replaced by the values."""
    literals = PLACEHOLDER.split(pattern)
    return literals[0] + "".join(value + literal for value, literal in zip(values, literals[1:], strict=True))


_PLACES = frozenset({"${Partition}", "${Region}", "${Account}"})
_EMPTY = re.compile(r"\$\{|//|:$|/$")


def _places(event: Event) -> Mapping[str, str]:
    region = text_at(event, "awsRegion")
    account = text_at(event, "recipientAccountId") or text_at(event, "userIdentity", "accountId")
    return {"${Partition}": partition_of(region) or "aws", "${Region}": region, "${Account}": account}


def _choices(part: str, kind: ResourceType, values: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The values that the record gives for one part of a pattern."""
    lowered = part.lower()
    names = _NAMES.get(lowered, ()) if lowered not in {"topicname", "trailname"} else ()
    if (kind.service, lowered) in _SERVICE_NAMES:
        names = _NAMES[lowered]
    found = next((values[name] for name in (lowered, *names) if name in values), ())
    if lowered.endswith("withpath"):
        found = tuple(with_path(value, values) for value in found)
    if kind.service == "ssm" and lowered == "instanceid":
        # AWS: Systems Manager user guide, "managed nodes": ids of machines that are no instances of EC2 begin so.
        found = tuple(each for each in found if each.startswith("mi-") is (kind.name == "managed-instance"))
    not_it = ("arn:", "alias/") if lowered == "keyid" else ("arn:",)
    return tuple(_own_part(value, lowered) for value in found if not value.startswith(not_it))


_LEADING = {"parameternamewithoutleadingslash": "/", "alias": "alias/"}


def _own_part(value: str, part: str) -> str:
    """What of the value is the part: a queue's URL ends in its name, a parameter's ARN has one slash before it."""
    if part in _LEADING:
        return value.removeprefix(_LEADING[part])
    return value.rpartition("/")[2] if part == "queuename" else value
