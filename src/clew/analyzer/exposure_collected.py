"""The resources of one account, with their ways in, from the recorded answers of `clew collect`.

Each row of `KINDS` is one type of resource: the call that lists it, and how an item of the list becomes a target. A
list that was not read makes the whole type unknown; a policy that was not read, its resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.analyzer import exposure_listed, exposure_shared
from clew.analyzer.exposure_buckets import bucket
from clew.analyzer.exposure_model import Target, Unknown, WayIn
from clew.analyzer.exposure_reading import Reading, policy_way
from clew.snapshot.answers import GLOBAL
from clew.snapshot.model import Document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.snapshot.answers import Answer

Teller = Callable[[Reading, "Answer", "Mapping[str, object]"], Iterator[Target]]


_ARN_COLONS: Final = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of resource: its name in CloudFormation, the call that lists it, where the items stand, their teller.

    `given` are parameters of the listing call; `{account}` stands for the account.
    """

    type: str
    service: str
    operation: str
    items: str
    teller: Teller
    scope: str = ""
    given: tuple[tuple[str, str], ...] = ()


def targets(reading: Reading) -> Iterator[Target | Unknown]:
    """Every resource of the account that the answers list, and an Unknown for each list that was not read."""
    for kind in KINDS:
        regions = (GLOBAL,) if kind.scope == GLOBAL else reading.regions
        unread = []
        for region in regions:
            listed = reading.ask(region, kind.service, kind.operation, **dict(kind.given))
            if listed.status.is_known:
                for item in _items(listed, kind.items):
                    yield from (_named(each, kind) for each in kind.teller(reading, listed, item))
            else:
                unread.append(listed)
        yield from _unlisted(kind, unread)


def _named(target: Target, kind: Kind) -> Target | Unknown:
    """The target, or an Unknown where the item of the list does not say which resource it is."""
    if target.arn.count(":") >= _ARN_COLONS:
        return target
    call = f"{kind.service}:{kind.operation}"
    return Unknown(
        "", kind.type, target.account, target.region, (call,), f"{call} lists something without a name"
    )


def _items(answer: Answer, name: str) -> Iterator[Mapping[str, object]]:
    value = (answer.body or {}).get(name)
    for each in value if isinstance(value, list) else ():
        yield each if isinstance(each, dict) else {"@": each}


def _unlisted(kind: Kind, unread: list[Answer]) -> Iterator[Unknown]:
    """One row for all regions that failed in the same way."""
    by_code: dict[str, list[Answer]] = {}
    for answer in unread:
        by_code.setdefault(answer.error_code, []).append(answer)
    for code, answers in by_code.items():
        places = [answer.call.region for answer in answers]
        where = "" if places == [GLOBAL] else f" in {', '.join(places)}"
        missing = (f"{kind.service}:{kind.operation}",)
        why = f"{kind.service}:{kind.operation}{where} was not answered ({code})"
        yield Unknown(
            "", kind.type, answers[0].call.account, ", ".join(places) if where else "", missing, why
        )


def _with_policy(type_: str, arn: str, told: tuple[str, str], parameters: Mapping[str, str]) -> Teller:
    """The teller of a type whose policy one call tells: `arn` is a member of the item, `told` operation and path."""
    operation, path = told

    def teller(reading: Reading, listed: Answer, item: Mapping[str, object]) -> Iterator[Target]:
        given = {name: str(item.get(value, value)) for name, value in parameters.items()}
        answer = reading.ask(listed.call.region, listed.call.service, operation, **given)
        name = str(item.get(arn) or "")
        way = policy_way(reading, answer, path)
        yield Target(name, type_, reading.account, listed.call.region, (way,))

    return teller


def _queue(reading: Reading, listed: Answer, item: Mapping[str, object]) -> Iterator[Target]:
    url, region = str(item.get("@")), listed.call.region
    told = reading.ask(region, "sqs", "GetQueueAttributes", AttributeNames="All", QueueUrl=url)
    arn = f"arn:{reading.partition}:sqs:{region}:{reading.account}:{url.rpartition('/')[2]}"
    yield Target(
        arn, "AWS::SQS::Queue", reading.account, region, (policy_way(reading, told, "Attributes.Policy"),)
    )


def _key(reading: Reading, listed: Answer, item: Mapping[str, object]) -> Iterator[Target]:
    name, region = str(item.get("KeyId")), listed.call.region
    policy = reading.ask(region, "kms", "GetKeyPolicy", KeyId=name, PolicyName="default")
    grants = reading.ask(region, "kms", "ListGrants", KeyId=name)
    ways = (policy_way(reading, policy, "Policy"), exposure_shared.grants(reading, grants))
    yield Target(str(item.get("KeyArn")), "AWS::KMS::Key", reading.account, region, ways)


def _bus(reading: Reading, listed: Answer, item: Mapping[str, object]) -> Iterator[Target]:
    way = policy_way(reading, listed, "")
    content = item.get("Policy")
    document = Document("resource policy", content) if content else None
    way = WayIn(way.through, way.call, way.file, way.time, document)
    yield Target(str(item.get("Arn")), "AWS::Events::EventBus", reading.account, listed.call.region, (way,))


_TOPIC = _with_policy(
    "AWS::SNS::Topic",
    "TopicArn",
    ("GetTopicAttributes", "Attributes.Policy"),
    {"TopicArn": "TopicArn"},
)
_SECRET = _with_policy(
    "AWS::SecretsManager::Secret", "ARN", ("GetResourcePolicy", "ResourcePolicy"), {"SecretId": "ARN"}
)
_REPOSITORY = _with_policy(
    "AWS::ECR::Repository",
    "repositoryArn",
    ("GetRepositoryPolicy", "policyText"),
    {"repositoryName": "repositoryName"},
)

_FILE_SYSTEM = _with_policy(
    "AWS::EFS::FileSystem",
    "FileSystemArn",
    ("DescribeFileSystemPolicy", "Policy"),
    {"FileSystemId": "FileSystemId"},
)

KINDS: Final = (
    Kind("AWS::S3::Bucket", "s3", "ListBuckets", "Buckets", bucket, GLOBAL),
    Kind("AWS::KMS::Key", "kms", "ListKeys", "Keys", _key),
    Kind("AWS::SQS::Queue", "sqs", "ListQueues", "QueueUrls", _queue),
    Kind("AWS::SNS::Topic", "sns", "ListTopics", "Topics", _TOPIC),
    Kind("AWS::Lambda::Function", "lambda", "ListFunctions", "Functions", exposure_listed.function),
    Kind("AWS::Lambda::LayerVersion", "lambda", "ListLayers", "Layers", exposure_listed.layer),
    Kind("AWS::DynamoDB::Table", "dynamodb", "ListTables", "TableNames", exposure_listed.table),
    Kind("AWS::DynamoDB::Stream", "dynamodb", "ListTables", "TableNames", exposure_listed.table_stream),
    Kind("AWS::Kinesis::Stream", "kinesis", "ListStreams", "StreamNames", exposure_listed.stream),
    Kind("AWS::Kinesis::StreamConsumer", "kinesis", "ListStreams", "StreamNames", exposure_listed.consumers),
    Kind("AWS::EFS::FileSystem", "efs", "DescribeFileSystems", "FileSystems", _FILE_SYSTEM),
    Kind("AWS::SecretsManager::Secret", "secretsmanager", "ListSecrets", "SecretList", _SECRET),
    Kind("AWS::ECR::Repository", "ecr", "DescribeRepositories", "repositories", _REPOSITORY),
    Kind("AWS::Events::EventBus", "events", "ListEventBuses", "EventBuses", _bus),
    Kind(
        "AWS::EC2::Snapshot",
        "ec2",
        "DescribeSnapshots",
        "Snapshots",
        exposure_shared.volume_snapshot,
        given=(("OwnerIds", "self"),),
    ),
    Kind(
        "AWS::EC2::Image",
        "ec2",
        "DescribeImages",
        "Images",
        exposure_shared.image,
        given=(("Owners", "self"),),
    ),
    Kind(
        "AWS::RDS::DBSnapshot",
        "rds",
        "DescribeDBSnapshots",
        "DBSnapshots",
        exposure_shared.database_snapshot,
        given=(("SnapshotType", "manual"),),
    ),
    Kind(
        "AWS::RDS::DBClusterSnapshot",
        "rds",
        "DescribeDBClusterSnapshots",
        "DBClusterSnapshots",
        exposure_shared.cluster_snapshot,
        given=(("SnapshotType", "manual"),),
    ),
)
"""Every type of resource whose sharing is collected, beside roles, which the authorization details hold."""
