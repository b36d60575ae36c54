"""Ways in that are no policies: KMS grants, and the accounts with which snapshots and images are shared.

AWS: KMS API Reference: "GrantListEntry"; EC2 API Reference: "DescribeSnapshotAttribute"; RDS API Reference:
"DescribeDBSnapshotAttributes", the attribute `restore`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from clew.analyzer.exposure_model import Entry, Target, Through, WayIn
from clew.analyzer.exposure_reading import about, member
from clew.policy.model import Condition

if TYPE_CHECKING:
    from clew.analyzer.exposure_reading import Reading
    from clew.snapshot.answers import Answer

_ALL: Final = "all"
_COPY_VOLUME: Final = ("ec2:CopySnapshot", "ec2:CreateVolume")
_COPY_DATABASE: Final = ("rds:CopyDBSnapshot", "rds:RestoreDBInstanceFromDBSnapshot")
_COPY_CLUSTER: Final = ("rds:CopyDBClusterSnapshot", "rds:RestoreDBClusterFromSnapshot")
_LAUNCH: Final = ("ec2:CopyImage", "ec2:RunInstances")
_BLOCKED: Final = "block-all-sharing"


def grants(reading: Reading, told: Answer) -> WayIn:
    """The grants of a KMS key."""
    unread = () if told.status.is_known else (about(told),)
    entries = tuple(entry for grant in told.list("Grants") for entry in grant_entries(grant))
    return WayIn(
        Through.GRANT, "kms:ListGrants", reading.file, told.collected_at, entries=entries, unread=unread
    )


def grant_entries(grant: Mapping[str, object]) -> Iterator[Entry]:
    """Who may use a grant, and who may retire it."""
    name = f"grant {str(grant.get('GrantId'))[:16]}"
    operations = grant.get("Operations")
    actions = tuple(f"kms:{each}" for each in operations) if isinstance(operations, list | tuple) else ()
    conditions = tuple(_encryption_context(grant))
    if principal := str(grant.get("GranteePrincipal") or ""):
        yield Entry(_kind(principal), principal, actions, name, conditions)
    if (principal := str(grant.get("RetiringPrincipal") or "")) and principal != grant.get(
        "GranteePrincipal"
    ):
        yield Entry(_kind(principal), principal, ("kms:RetireGrant",), name)


def _kind(principal: str) -> str:
    return "Service" if principal.endswith((".amazonaws.com", ".amazonaws.com.cn")) else "AWS"


def _encryption_context(grant: Mapping[str, object]) -> Iterator[Condition]:
    for kind in ("EncryptionContextEquals", "EncryptionContextSubset"):
        pairs = member(grant, f"Constraints.{kind}")
        for name, value in pairs.items() if isinstance(pairs, Mapping) else ():
            yield Condition("StringEquals", f"kms:EncryptionContext:{name}", (str(value),))


def volume_snapshot(reading: Reading, listed: Answer, item: Mapping[str, object]) -> Iterator[Target]:
    """A snapshot of a volume, with those who may make a volume of it."""
    name, region = str(item.get("SnapshotId")), listed.call.region
    told = reading.ask(
        region, "ec2", "DescribeSnapshotAttribute", Attribute="createVolumePermission", SnapshotId=name
    )
    block = reading.ask(region, "ec2", "GetSnapshotBlockPublicAccessState")
    closed = member(block.body, "State") == _BLOCKED
    entries = [
        _with(str(each.get("UserId") or each.get("Group") or ""), _COPY_VOLUME, "createVolumePermission")
        for each in told.list("CreateVolumePermissions")
    ]
    unsettled = () if block.status.is_known else (about(block),)
    arn = f"arn:{reading.partition}:ec2:{region}::snapshot/{name}"
    way = _sharing(reading, told, tuple(entries), closed=closed, unsettled=unsettled)
    yield Target(arn, "AWS::EC2::Snapshot", reading.account, region, (way,))


def image(reading: Reading, listed: Answer, item: Mapping[str, object]) -> Iterator[Target]:
    """An image of the account, with those who may launch it."""
    name, region = str(item.get("ImageId")), listed.call.region
    told = reading.ask(region, "ec2", "DescribeImageAttribute", Attribute="launchPermission", ImageId=name)
    ways = [_sharing(reading, told, tuple(map(_launcher, told.list("LaunchPermissions"))))]
    if not told.status.is_known and item.get("Public") is True:
        # The list tells no accounts, but whether everybody may.
        ways.append(_sharing(reading, listed, (_with(_ALL, _LAUNCH, "launchPermission"),)))
    arn = f"arn:{reading.partition}:ec2:{region}::image/{name}"
    yield Target(arn, "AWS::EC2::Image", reading.account, region, tuple(ways))


def _launcher(permission: Mapping[str, object]) -> Entry:
    """AWS: EC2 User Guide, "Share an AMI with specific organizations or organizational units": all below may launch."""
    for kind in ("OrganizationArn", "OrganizationalUnitArn"):
        if arn := str(permission.get(kind) or ""):
            organization, _, unit = arn.partition("/")[2].partition("/")
            path = f"{organization}/*/{unit}/*" if unit else f"{organization}/*"
            within = Condition("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", (path,))
            return Entry("*", "*", _LAUNCH, f"launchPermission for {arn}", (within,))
    return _with(str(permission.get("UserId") or permission.get("Group") or ""), _LAUNCH, "launchPermission")


def database_snapshot(reading: Reading, listed: Answer, item: Mapping[str, object]) -> Iterator[Target]:
    """A snapshot of a database instance, with those who may restore it."""
    name = str(item.get("DBSnapshotIdentifier"))
    told = reading.ask(listed.call.region, "rds", "DescribeDBSnapshotAttributes", DBSnapshotIdentifier=name)
    entries = _restorers(told, "DBSnapshotAttributesResult.DBSnapshotAttributes", _COPY_DATABASE)
    arn = str(item.get("DBSnapshotArn") or _rds(reading, listed, f"snapshot:{name}"))
    way = _sharing(reading, told, entries)
    yield Target(arn, "AWS::RDS::DBSnapshot", reading.account, listed.call.region, (way,))


def cluster_snapshot(reading: Reading, listed: Answer, item: Mapping[str, object]) -> Iterator[Target]:
    """A snapshot of a database cluster, with those who may restore it."""
    name = str(item.get("DBClusterSnapshotIdentifier"))
    told = reading.ask(
        listed.call.region, "rds", "DescribeDBClusterSnapshotAttributes", DBClusterSnapshotIdentifier=name
    )
    path = "DBClusterSnapshotAttributesResult.DBClusterSnapshotAttributes"
    entries = _restorers(told, path, _COPY_CLUSTER)
    arn = str(item.get("DBClusterSnapshotArn") or _rds(reading, listed, f"cluster-snapshot:{name}"))
    way = _sharing(reading, told, entries)
    yield Target(arn, "AWS::RDS::DBClusterSnapshot", reading.account, listed.call.region, (way,))


def _rds(reading: Reading, listed: Answer, resource: str) -> str:
    return f"arn:{reading.partition}:rds:{listed.call.region}:{reading.account}:{resource}"


def _restorers(told: Answer, path: str, actions: tuple[str, ...]) -> tuple[Entry, ...]:
    attributes = member(told.body, path)
    values: list[str] = []
    for attribute in attributes if isinstance(attributes, list) else ():
        if member(attribute, "AttributeName") == "restore":
            given = member(attribute, "AttributeValues")
            values += [str(each) for each in given] if isinstance(given, list) else []
    return tuple(_with(value, actions, "attribute `restore`") for value in values)


def _with(account: str, actions: tuple[str, ...], name: str) -> Entry:
    if account == _ALL:
        return Entry("*", "*", actions, f"{name} for all", is_public=True)
    return Entry("AWS", account, actions, f"{name} for {account}")


def _sharing(
    reading: Reading,
    told: Answer,
    entries: tuple[Entry, ...],
    *,
    closed: bool = False,
    unsettled: tuple[str, ...] = (),
) -> WayIn:
    call = f"{told.call.service}:{told.call.operation}"
    unread = () if told.status.is_known else (about(told),)
    return WayIn(
        Through.SHARING,
        call,
        reading.file,
        told.collected_at,
        entries=entries,
        unread=unread,
        unsettled=unsettled,
        closed_to_public=closed,
    )
