"""The tags of resources, wherever an answer holds them beside what names the resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.snapshot.answers import Answers

Tags = tuple[tuple[str, str], ...]
_LISTS = dict.fromkeys(("Tags", "TagSet", "TagList", "tags"))
# Where a resource says its own name; other members, such as the VPC of a subnet, name something else.
_OWN_ARNS = ("Arn", "ARN", "arn", "DBInstanceArn", "DBClusterArn", "DBSnapshotArn", "FileSystemArn")
_OWN_IDS = {
    "Instances": "InstanceId",
    "KeyPairs": "KeyPairId",
    "NetworkAcls": "NetworkAclId",
    "NetworkInterfaces": "NetworkInterfaceId",
    "RouteTables": "RouteTableId",
    "SecurityGroups": "GroupId",
    "Snapshots": "SnapshotId",
    "Subnets": "SubnetId",
    "Vpcs": "VpcId",
}
_DEPTH = 5


def of(answers: Answers, account: str) -> Mapping[str, Tags]:
    """The tags by the ARN or the id of each resource that the answers of one account tag."""
    found: dict[str, Tags] = {}
    for answer in answers:
        if answer.call.account == account and answer.body is not None:
            _gather(found, answer.body, "", _DEPTH)
            if len(answer.call.parameters) == 1 and (tags := _read(answer.body)):
                found[answer.call.parameters[0][1]] = tags
    return found


def named(found: Mapping[str, Tags], resource: str) -> Tags:
    """The tags of a resource by its ARN, or by the id at its end; empty where they are not known.

    >>> named({"sg-1": (("team", "web"),)}, "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1")
    (('team', 'web'),)
    """
    end = resource.rpartition(":")[2]
    return found.get(resource) or found.get(end.rpartition("/")[2]) or ()


def _gather(found: dict[str, Tags], value: object, member: str, depth: int) -> None:
    """Put into `found` the names and tags in a value, which the member of that name holds.

    Every body of a snapshot comes by here: generators within generators took 0.8 s for 350,000 answers
    where this takes 0.45 s (benchmarks/audit.py).
    """
    if depth and isinstance(value, list):
        for item in value:
            _gather(found, item, member, depth)
    elif depth and isinstance(value, dict):
        tags = _read(value)
        for own in (*_OWN_ARNS, _OWN_IDS.get(member, "")) if tags else ():
            if isinstance(value.get(own), str):
                found[value[own]] = tags
        for name, inner in value.items():
            if isinstance(inner, (list, dict)):
                _gather(found, inner, name, depth - 1)


def _read(value: Mapping[str, object]) -> Tags:
    for member in () if _LISTS.keys().isdisjoint(value) else _LISTS:
        given = value.get(member)
        if isinstance(given, list) and given:
            pairs = ((_either(tag, "Key", "key"), _either(tag, "Value", "value")) for tag in given)
            return tuple(sorted((key, text) for key, text in pairs if key))
        if isinstance(given, dict) and given:
            return tuple(sorted((str(key), str(text)) for key, text in given.items()))
    return ()


def _either(tag: object, *names: str) -> str:
    given = tag if isinstance(tag, dict) else {}
    return next((str(given[name]) for name in names if name in given), "")
