"""Checks of databases in RDS: encryption, updates, reachability, zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.kms_keys import another_key
from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import each_resource, facts, items, member, text, unanswered
from clew.audit.security_groups import Ports, inbound
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.answers import Answer

INSTANCES = "rds:DescribeDBInstances"
CLUSTERS = "rds:DescribeDBClusters"
NONE = "there are no databases"
_GONE = frozenset({"deleting"})


def instance(item: Mapping[str, object]) -> str | None:
    """The ARN of a database that is to be judged; None for one that is being deleted."""
    return None if text(item, "DBInstanceStatus") in _GONE else text(item, "DBInstanceArn")


@check("rds-storage-encrypted", "Databases are encrypted", "A database is not encrypted", Severity.MEDIUM)
def storage_encrypted(state: State, *, key: str = "") -> Iterator[Judgement]:
    """Whether the storage of each database is encrypted.

    Finds. A DB instance, also of Aurora, DocumentDB and Neptune, whose storage is not encrypted, or, with `key` (a KMS
    key), with another one.
    Why it matters. Its snapshots are not encrypted either, and can be shared with anybody.
    False positives. A database that holds nothing but public data.
    Fix. Copy a snapshot with encryption and restore it; storage cannot be encrypted afterwards.
    References. Amazon RDS user guide, Encrypting Amazon RDS resources · AWS Config developer guide,
    rds-storage-encrypted
    """

    def judge(item: Mapping[str, object], _: Answer) -> Judgement | None:
        name = instance(item)
        if name is None:
            return None
        seen = facts(item, "Engine", "StorageEncrypted", "KmsKeyId")
        if member(item, "StorageEncrypted") is not True:
            return Judgement(Verdict.FAIL, name, "is not encrypted", seen)
        other = another_key(state, name, text(item, "KmsKeyId"), [key], seen) if key else None
        return other or Judgement(Verdict.PASS, name, "is encrypted", seen)

    yield from each_resource(state, INSTANCES, "DBInstances", judge, none=NONE)


@check(
    "rds-minor-version-upgrade",
    "Databases take minor versions by themselves",
    "A database does not take minor versions by itself",
    Severity.LOW,
)
def minor_version_upgrade(state: State) -> Iterator[Judgement]:
    """Whether each database takes minor versions in its maintenance window.

    Finds. A DB instance whose `AutoMinorVersionUpgrade` is off.
    Why it matters. Minor versions mend holes; nobody has to remember to install them.
    False positives. A database whose versions are rolled out by a pipeline.
    Fix. `aws rds modify-db-instance --auto-minor-version-upgrade`
    References. Amazon RDS user guide, Upgrading a DB instance engine version
    """

    def judge(item: Mapping[str, object], _: Answer) -> Judgement | None:
        name = instance(item)
        if name is None:
            return None
        seen = facts(item, "Engine", "EngineVersion", "AutoMinorVersionUpgrade")
        if member(item, "AutoMinorVersionUpgrade") is True:
            return Judgement(Verdict.PASS, name, "takes minor versions by itself", seen)
        return Judgement(Verdict.FAIL, name, "does not take minor versions by itself", seen)

    yield from each_resource(state, INSTANCES, "DBInstances", judge, none=NONE)


@check("rds-public-access", "Databases are not public", "A database has a public address", Severity.HIGH)
def public_access(state: State) -> Iterator[Judgement]:
    """Whether databases have a public address, and whether their security groups let the world in.

    Finds. A DB instance that is publicly accessible: its name has a public address. It is critical where one of its
    security groups opens its port to the world.
    Why it matters. A database that the internet reaches is one password away from being copied.
    False positives. One that stands in subnets without internet gateway, so that its address leads nowhere.
    Fix. `aws rds modify-db-instance --no-publicly-accessible`; reach it over a VPN or from inside the VPC.
    References. Amazon RDS user guide, Hiding a DB instance in a VPC from the internet · AWS Config developer guide,
    rds-instance-public-access-check
    """

    def judge(item: Mapping[str, object], answer: Answer) -> Judgement | None:
        name = instance(item)
        if name is None:
            return None
        seen = facts(item, "PubliclyAccessible", "Endpoint.Port")
        if member(item, "PubliclyAccessible") is not True:
            return Judgement(Verdict.PASS, name, "has no public address", seen)
        opened = _open_groups(state, item, answer)
        if opened:
            message = f"has a public address, and {', '.join(opened)} opens its port to the world"
            return Judgement(Verdict.FAIL, name, message, seen, severity=Severity.CRITICAL)
        return Judgement(Verdict.FAIL, name, "has a public address", seen)

    yield from each_resource(state, INSTANCES, "DBInstances", judge, none=NONE)


def _open_groups(state: State, item: Mapping[str, object], answer: Answer) -> tuple[str, ...]:
    """The security groups of a database, as far as they were read, that open its port to the world."""
    port = member(item, "Endpoint.Port")
    groups = state.answers.get(state.account, answer.call.region, "ec2", "DescribeSecurityGroups")
    own = {text(each, "VpcSecurityGroupId") for each in items(item, "VpcSecurityGroups")}
    if not isinstance(port, int):
        return ()
    return tuple(
        text(group, "GroupId")
        for group in groups.list("SecurityGroups")
        if text(group, "GroupId") in own and Ports(tcp=(port,)).open_in(inbound(state, group, groups))
    )


@check("rds-multi-az", "Databases stand in several zones", "A database stands in one zone", Severity.LOW)
def multi_az(state: State) -> Iterator[Judgement]:
    """Whether each database survives the loss of its zone.

    Finds. A DB instance without a standby in another zone, and an Aurora cluster whose instances share one. Read
    replicas are copies of something that is judged itself.
    Why it matters. A zone that fails takes the database with it until somebody restores it.
    False positives. Databases for development and test.
    Fix. `aws rds modify-db-instance --multi-az`, or an Aurora replica in another zone.
    References. Amazon RDS user guide, Configuring and managing a Multi-AZ deployment · AWS Config developer guide,
    rds-multi-az-support
    """

    def judge(item: Mapping[str, object], answer: Answer) -> Judgement | None:
        name = instance(item)
        if name is None:
            return None
        seen = facts(item, "Engine", "MultiAZ", "AvailabilityZone", "DBClusterIdentifier")
        if member(item, "MultiAZ") is True:
            return Judgement(Verdict.PASS, name, "has a standby in another zone", seen)
        if text(item, "DBClusterIdentifier"):
            clusters = state.about(answer, "DescribeDBClusters")
            found = _cluster(name, item, clusters) if clusters.status.is_known else unanswered(name, clusters)
            return Judgement(found.verdict, name, found.message, seen, found.missing)
        if text(item, "ReadReplicaSourceDBInstanceIdentifier"):
            return Judgement(Verdict.NOT_APPLICABLE, name, "is a read replica", seen)
        return Judgement(Verdict.FAIL, name, "stands in one zone", seen)

    yield from each_resource(state, INSTANCES, "DBInstances", judge, none=NONE)


def _cluster(name: str, item: Mapping[str, object], clusters: Answer) -> Judgement:
    identity = text(item, "DBClusterIdentifier")
    found = next((c for c in clusters.list("DBClusters") if text(c, "DBClusterIdentifier") == identity), None)
    if found is None:
        return Judgement(Verdict.UNKNOWN, name, f"cluster {identity} is not in the list", missing=(CLUSTERS,))
    if member(found, "MultiAZ") is True:
        return Judgement(Verdict.PASS, name, f"cluster {identity} stands in several zones")
    return Judgement(Verdict.FAIL, name, f"cluster {identity} stands in one zone")
