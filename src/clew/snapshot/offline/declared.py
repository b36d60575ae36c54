"""Resources that a template or plan declares, with what it leaves open, told as AWS would answer after deployment.

Types and properties are CloudFormation's; a Terraform plan is put into the same words. What AWS sets by itself where a
template says nothing is told as AWS documents it; what only AWS can know is left out, and so was not collected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.snapshot.answers import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from clew.snapshot.offline.told import Told


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A value that the file does not settle, and why, such as ``parameter `Cidr` has no default``."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stack would be deployed."""

    account: str
    region: str
    partition: str = "aws"


@dataclass(frozen=True, slots=True)
class Resource:
    """One declared resource.

    `id` is its logical id or address; `name` its physical name, or `id` where AWS chooses one. `doubt` says why it is
    open whether it will be there, empty where it will. `source` is the file with line or address.
    """

    type: str
    id: str
    name: str
    properties: Mapping[str, object]
    source: str
    doubt: str = ""

    def get(self, path: str) -> object:
        """The property at a path of names; None where it is not given, Unresolved where a part of the way is open."""
        value: object = self.properties
        for step in path.split("."):
            if isinstance(value, Unresolved):
                return value
            value = value.get(step) if isinstance(value, dict) else None
        return value

    def items(self, path: str) -> list[object]:
        """The list at a path; a single value is a list of one, an open list one open item."""
        value = self.get(path)
        if value is None:
            return []
        return value if isinstance(value, list) else [value]


@dataclass(frozen=True, slots=True)
class Stack:
    """All resources of a deployment, whatever the number of files."""

    place: Place
    resources: Sequence[Resource]

    def of(self, *types: str) -> Iterator[Resource]:
        """The resources of these types."""
        return (each for each in self.resources if each.type in types)

    def attached(self, type_: str, path: str, *names: str) -> list[Resource]:
        """The resources of a type whose property at the path names one of these, or leaves open which it names."""
        found = []
        for each in self.of(type_):
            values = each.items(path)
            if any(value in names or isinstance(value, Unresolved) for value in values):
                found.append(each)
        return found

    def call(self, service: str, operation: str, **parameters: str) -> Call:
        """A call in the region of the deployment."""
        place = self.place
        return Call(place.account, place.region, service, operation, tuple(sorted(parameters.items())))

    def arn(self, service: str, resource: str, *, region: bool = True) -> str:
        """The ARN of a resource of the deployment."""
        place = self.place
        where = place.region if region else ""
        return f"arn:{place.partition}:{service}:{where}:{place.account}:{resource}"


def open_part(value: object) -> Unresolved | None:
    """The first part of a value that is open, or None.

    >>> open_part({"a": [1, Unresolved("why")]})
    Unresolved(reason='why')
    """
    if isinstance(value, Unresolved):
        return value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for part in parts if (found := open_part(part))), None)


def text(value: object, default: str = "") -> str:
    """A value that only describes, as text: where it is open, why."""
    if isinstance(value, Unresolved):
        return f"unresolved: {value}"
    return default if value is None else str(value)


def flag(value: object, *, default: bool = False) -> object:
    """A truth value, which templates also write as text; Unresolved stays.

    >>> flag("true"), flag(None)
    (True, False)
    """
    if value is None:
        return default
    return value.lower() == "true" if isinstance(value, str) else value


def number(value: object) -> object:
    """A number, which templates also write as text; Unresolved and other text stay.

    >>> number("22"), number(None)
    (22, None)
    """
    return int(value) if isinstance(value, str) and value.lstrip("-").isdecimal() else value


def without_none(found: Mapping[str, object]) -> dict[str, object]:
    """The members that are given."""
    return {name: value for name, value in found.items() if value is not None}


def lists(
    told: Told, call: Call, member: str, item: Mapping[str, object], resource: Resource, by: str
) -> None:
    """Add a resource to a list, or, where it or a part of it is open, an answer of its own that is not settled.

    `by` is the parameter with which AWS is asked about this one alone, such as `GroupIds`.
    """
    told.lists(call, member, None)
    left = resource.doubt or open_part(dict(item))
    if left:
        alone = Call(call.account, call.region, call.service, call.operation, ((by, resource.name),))
        told.leaves_open(alone, f"`{resource.id}`: {left}", resource.source)
    else:
        told.lists(call, member, item, resource.source)


def says(
    told: Told, call: Call, body: Mapping[str, object] | None, resource: Resource, absent: str = ""
) -> None:
    """Answer a question about one resource: the body, none at all, or that the file leaves it open."""
    left = resource.doubt or (open_part(dict(body)) if body is not None else None)
    if left:
        told.leaves_open(call, f"`{resource.id}`: {left}", resource.source)
    elif body is None:
        told.absent(call, absent, resource.source)
    else:
        told.says(call, body, resource.source)


def tags(resource: Resource) -> list[dict[str, str]]:
    """Tags as pairs; what is open in them is said in their text."""
    pairs = [each for each in resource.items("Tags") if isinstance(each, dict)]
    return [{"Key": text(each.get("Key")), "Value": text(each.get("Value"))} for each in pairs]


if TYPE_CHECKING:
    Teller = Callable[[Told, Stack, Resource], None]
    """What says one resource in AWS's words."""
