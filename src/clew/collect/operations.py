"""Operational evidence read live: of an instance or a bucket what AWS's own commands print, each as a file of its own.

Refusals are recorded as the command line tells them, so that what they leave open is known to be so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from clew.audit.resources import items, text
from clew.collect.asking import Clock, Question, ask
from clew.collect.reads import Read
from clew.snapshot.answers import GLOBAL, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from clew.collect.clients import Clients
    from clew.snapshot.answers import Answer

_DAY, _FINE = 86_400, 300
_BACK = timedelta(hours=3)
_GROWTH = timedelta(days=60)
_MOST_GROUPS = 20
# Namespace, metric, and the statistic that tells: a peak for what runs out.
_METRICS = (
    ("AWS/EC2", "CPUUtilization", "Maximum"),
    ("AWS/EC2", "CPUCreditBalance", "Minimum"),
    ("AWS/EC2", "StatusCheckFailed_System", "Maximum"),
    ("AWS/EC2", "StatusCheckFailed_Instance", "Maximum"),
    ("CWAgent", "mem_used_percent", "Maximum"),
)
_NO_LIFECYCLE = ("NoSuchLifecycleConfiguration",)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look at, in which region and account. Units: `since` and `now` are UTC."""

    account: str
    region: str
    now: datetime
    since: datetime | None = None
    instance: str = ""
    bucket: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """One answer as a file: the name that says which command it is and about what, and what the command prints."""

    name: str
    data: bytes


def read(clients: Clients, clock: Clock, wanted: Wanted) -> Iterator[File]:
    """Every answer about the instance, about the bucket, and about the region, one after the other."""
    asker = _Asker(clients, clock, wanted)
    if wanted.instance:
        yield from _instance(asker, wanted)
    if wanted.bucket:
        yield from _bucket(asker, wanted)
    yield asker.file("cloudwatch", "DescribeAlarms")
    yield asker.file("health", "DescribeEvents", region="us-east-1", filter={"eventStatusCodes": ["open"]})


class _Asker:
    """Puts questions and writes their answers as files."""

    def __init__(self, clients: Clients, clock: Clock, wanted: Wanted) -> None:
        self._clients, self._clock, self._wanted = clients, clock, wanted

    def ask(
        self, service: str, operation: str, region: str = "", absent: tuple[str, ...] = (), **given: Any
    ) -> Answer:
        place = GLOBAL if service == "s3" else region or self._wanted.region
        read = Read(service, operation, absent=absent)
        return ask(Question(read, self._wanted.account, place, given), self._clients, self._clock)

    def file(
        self,
        service: str,
        operation: str,
        of: str = "",
        region: str = "",
        absent: tuple[str, ...] = (),
        **given: Any,
    ) -> File:
        return _file(self.ask(service, operation, region, absent, **given), of)


def _file(answer: Answer, of: str = "") -> File:
    """The answer as its command prints it: JSON, or the error in words."""
    stem = ".".join(part for part in (_command(answer.call.operation), of) if part)
    if answer.status is Status.OK:
        return File(f"{stem}.json", json.dumps(answer.body, indent=4, ensure_ascii=False).encode())
    said = f"An error occurred ({answer.error_code}) when calling the {answer.call.operation} operation: "
    return File(f"{stem}.txt", f"{said}{answer.error_message}\n".encode())


def _command(operation: str) -> str:
    """The command of an operation.

    >>> _command("DescribeInstanceStatus")
    'describe-instance-status'
    """
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in operation).lstrip("-")


def _instance(asker: _Asker, wanted: Wanted) -> Iterator[File]:
    name = wanted.instance
    found = asker.ask("ec2", "DescribeInstances", InstanceIds=[name])
    yield _file(found)
    yield asker.file("ec2", "DescribeInstanceStatus", InstanceIds=[name], IncludeAllInstances=True)
    yield from _around(asker, found.body or {})
    yield asker.file("ec2", "GetConsoleOutput", InstanceId=name)
    for namespace, metric, statistic in _METRICS:
        dimensions = [{"Name": "InstanceId", "Value": name}]
        yield _file(_measured(asker, wanted, namespace, metric, statistic, dimensions), name)
    yield from _targets(asker)


def _around(asker: _Asker, body: Mapping[str, object]) -> Iterator[File]:
    """What stands around an instance: groups, ACL, routes, key pair."""
    for instance in items(body, "Reservations.Instances"):
        groups = [text(each, "GroupId") for each in items(instance, "SecurityGroups")]
        if groups:
            yield asker.file("ec2", "DescribeSecurityGroups", GroupIds=groups)
        subnet = {"Name": "association.subnet-id", "Values": [text(instance, "SubnetId")]}
        yield asker.file("ec2", "DescribeNetworkAcls", Filters=[subnet])
        yield asker.file("ec2", "DescribeRouteTables", Filters=[_named("vpc-id", text(instance, "VpcId"))])
        if text(instance, "KeyName"):
            yield asker.file("ec2", "DescribeKeyPairs", KeyNames=[text(instance, "KeyName")])


def _named(name: str, value: str) -> dict[str, object]:
    return {"Name": name, "Values": [value]}


def _targets(asker: _Asker) -> Iterator[File]:
    """The health of the targets of the region's target groups."""
    groups = asker.ask("elbv2", "DescribeTargetGroups")
    if groups.status is not Status.OK:
        yield _file(groups)
    for group in list(items(groups.body, "TargetGroups"))[:_MOST_GROUPS]:
        arn = text(group, "TargetGroupArn")
        yield asker.file("elbv2", "DescribeTargetHealth", text(group, "TargetGroupName"), TargetGroupArn=arn)


def _bucket(asker: _Asker, wanted: Wanted) -> Iterator[File]:
    name = wanted.bucket
    yield asker.file("s3", "GetBucketLifecycleConfiguration", name, absent=_NO_LIFECYCLE, Bucket=name)
    yield asker.file("s3", "GetBucketVersioning", name, Bucket=name)
    dimensions = [{"Name": "BucketName", "Value": name}, {"Name": "StorageType", "Value": "StandardStorage"}]
    yield _file(_measured(asker, wanted, "AWS/S3", "BucketSizeBytes", "Average", dimensions), name)


def _measured(
    asker: _Asker,
    wanted: Wanted,
    namespace: str,
    metric: str,
    statistic: str,
    dimensions: list[dict[str, str]],
) -> Answer:
    is_daily = namespace == "AWS/S3"
    start = wanted.now - _GROWTH if is_daily else (wanted.since or wanted.now) - _BACK
    # At five minutes a point, 1,440 points (the most that AWS gives) are five days.
    period = (
        _DAY if is_daily else max(_FINE, -(-int((wanted.now - start).total_seconds()) // (1_440 * 60)) * 60)
    )
    return asker.ask(
        "cloudwatch",
        "GetMetricStatistics",
        Namespace=namespace,
        MetricName=metric,
        Dimensions=dimensions,
        StartTime=start.astimezone(UTC),
        EndTime=wanted.now.astimezone(UTC),
        Period=period,
        Statistics=[statistic],
    )
