"""The policies of resources as checks need them: each resource that may have one, and what its policy opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.audit.buckets import Alike
from clew.audit.model import Judgement, Verdict
from clew.audit.resources import (
    answers,
    arn,
    listing,
    member,
    partition,
    regions_left_out,
    text,
    texts,
    unanswered,
)
from clew.errors import PolicyError
from clew.reach.public import open_statements
from clew.snapshot.answers import GLOBAL, Status
from clew.snapshot.model import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.audit.model import State
    from clew.policy.model import Policy, Statement
    from clew.snapshot.answers import Answer

_EMPTY = "{}"
_RESTRICT = "RestrictPublicBuckets"


@dataclass(frozen=True, slots=True)
class Holder:
    """One resource that may have a policy, and the call that tells it, or the policy where the list tells it.

    `unread` is a call before that one, without whose answer nobody can say more.
    """

    arn: str
    parameters: tuple[tuple[str, str], ...] = ()
    policy: object = None
    unread: Answer | None = None


LATEST = "$LATEST"
"""The version of a function that is not published, and that AWS lets have no policy."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where policies of one kind stand: what lists the resources, what tells the policy, and at which path.

    `told` is empty where the list of resources tells their policies, too.
    """

    listed: str
    told: str
    path: str
    holders: Callable[[State, Answer], Iterator[Holder]]


def _buckets(state: State, answer: Answer) -> Iterator[Holder]:
    prefix = f"arn:{partition(state)}:s3:::"
    for item in answer.list("Buckets"):
        name = text(item, "Name")
        yield Holder(f"{prefix}{name}", (("Bucket", name),))


def _functions(state: State, answer: Answer) -> Iterator[Holder]:
    """AWS: Lambda Developer Guide, "Viewing resource-based IAM policies in Lambda": aliases and versions have some."""
    for item in answer.list("Functions"):
        name, of_function = text(item, "FunctionArn"), (("FunctionName", text(item, "FunctionName")),)
        yield Holder(name, of_function)
        aliases = state.about(answer, "ListAliases", **dict(of_function))
        versions = state.about(answer, "ListVersionsByFunction", **dict(of_function))
        unread = next((each for each in (aliases, versions) if not each.status.is_known), None)
        if unread is not None:
            yield Holder(f"{name}:*", unread=unread)
        for alias in aliases.list("Aliases"):
            yield Holder(text(alias, "AliasArn"), (*of_function, ("Qualifier", text(alias, "Name"))))
        for version in versions.list("Versions"):
            if text(version, "Version") != LATEST:
                number = ("Qualifier", text(version, "Version"))
                yield Holder(text(version, "FunctionArn"), (*of_function, number))


def _layers(state: State, answer: Answer) -> Iterator[Holder]:
    for item in answer.list("Layers"):
        of_layer = (("LayerName", text(item, "LayerName")),)
        told = state.about(answer, "ListLayerVersions", **dict(of_layer))
        if not told.status.is_known:
            yield Holder(text(item, "LayerArn"), unread=told)
        for version in told.list("LayerVersions"):
            number = ("VersionNumber", text(version, "Version"))
            yield Holder(text(version, "LayerVersionArn"), (*of_layer, number))


def _tables(state: State, answer: Answer) -> Iterator[Holder]:
    """Tables and their streams."""
    for name in texts(answer.body, "TableNames"):
        told = state.about(answer, "DescribeTable", TableName=name)
        if not told.status.is_known:
            yield Holder(arn(state, answer, f"table/{name}"), unread=told)
        for path in ("Table.TableArn", "Table.LatestStreamArn"):
            if found := text(told.body, path):
                yield Holder(found, (("ResourceArn", found),))


def _streams(state: State, answer: Answer) -> Iterator[Holder]:
    """Streams of Kinesis and their consumers."""
    for name in texts(answer.body, "StreamNames"):
        stream = arn(state, answer, f"stream/{name}")
        yield Holder(stream, (("ResourceARN", stream),))
        told = state.about(answer, "ListStreamConsumers", StreamARN=stream)
        if not told.status.is_known:
            yield Holder(f"{stream}/consumer/*", unread=told)
        for consumer in told.list("Consumers"):
            yield Holder(text(consumer, "ConsumerARN"), (("ResourceARN", text(consumer, "ConsumerARN")),))


def _file_systems(_: State, answer: Answer) -> Iterator[Holder]:
    for item in answer.list("FileSystems"):
        yield Holder(text(item, "FileSystemArn"), (("FileSystemId", text(item, "FileSystemId")),))


def _keys(_: State, answer: Answer) -> Iterator[Holder]:
    for item in answer.list("Keys"):
        yield Holder(text(item, "KeyArn"), (("KeyId", text(item, "KeyId")), ("PolicyName", "default")))


def _topics(_: State, answer: Answer) -> Iterator[Holder]:
    for item in answer.list("Topics"):
        yield Holder(text(item, "TopicArn"), (("TopicArn", text(item, "TopicArn")),))


def _queues(state: State, answer: Answer) -> Iterator[Holder]:
    for url in texts(answer.body, "QueueUrls"):
        yield Holder(
            arn(state, answer, url.rpartition("/")[2]), (("AttributeNames", "All"), ("QueueUrl", url))
        )


def _secrets(_: State, answer: Answer) -> Iterator[Holder]:
    for item in answer.list("SecretList"):
        yield Holder(text(item, "ARN"), (("SecretId", text(item, "ARN")),))


def _repositories(_: State, answer: Answer) -> Iterator[Holder]:
    for item in answer.list("repositories"):
        yield Holder(text(item, "repositoryArn"), (("repositoryName", text(item, "repositoryName")),))


def _event_buses(_: State, answer: Answer) -> Iterator[Holder]:
    for item in answer.list("EventBuses"):
        yield Holder(text(item, "Arn"), policy=item.get("Policy"))


SOURCES = (
    Source("s3:ListBuckets", "GetBucketPolicy", "Policy", _buckets),
    Source("lambda:ListFunctions", "GetPolicy", "Policy", _functions),
    Source("lambda:ListLayers", "GetLayerVersionPolicy", "Policy", _layers),
    Source("kms:ListKeys", "GetKeyPolicy", "Policy", _keys),
    Source("sns:ListTopics", "GetTopicAttributes", "Attributes.Policy", _topics),
    Source("sqs:ListQueues", "GetQueueAttributes", "Attributes.Policy", _queues),
    Source("secretsmanager:ListSecrets", "GetResourcePolicy", "ResourcePolicy", _secrets),
    Source("ecr:DescribeRepositories", "GetRepositoryPolicy", "policyText", _repositories),
    Source("events:ListEventBuses", "", "", _event_buses),
    Source("dynamodb:ListTables", "GetResourcePolicy", "Policy", _tables),
    Source("kinesis:ListStreams", "GetResourcePolicy", "Policy", _streams),
    Source("efs:DescribeFileSystems", "DescribeFileSystemPolicy", "Policy", _file_systems),
)
"""The kinds of resources whose policies are collected."""


def each_policy(
    state: State, source: Source, judge: Callable[[Holder, Policy, Answer], Judgement | None]
) -> Iterator[Judgement]:
    """What `judge` says of each policy; a resource without one passes, one that was not read is unknown."""
    for listed in answers(state, source.listed):
        if not listed.status.is_known:
            yield unanswered(state.account_arn, listed)
        for holder in source.holders(state, listed):
            if holder.unread is not None:
                yield unanswered(holder.arn, holder.unread)
                continue
            told = state.about(listed, source.told, **dict(holder.parameters)) if source.told else listed
            found = _judged(holder, told, source, judge)
            if found is not None:
                yield found
    yield from regions_left_out(state, source.listed)


def _judged(
    holder: Holder, told: Answer, source: Source, judge: Callable[[Holder, Policy, Answer], Judgement | None]
) -> Judgement | None:
    if not told.status.is_known:
        return unanswered(holder.arn, told)
    content = member(told.body, source.path) if source.told else holder.policy
    # Of a stream without a policy some endpoints say that it is an empty object.
    if told.status is Status.ABSENT or not content or content == _EMPTY:
        return Judgement(Verdict.PASS, holder.arn, "has no policy")
    try:
        return judge(holder, Document("policy", content).meaning, told)
    except PolicyError as error:
        call = f"{told.call.service}:{told.call.operation}"
        return Judgement(Verdict.UNKNOWN, holder.arn, f"its policy cannot be read: {error}", missing=(call,))


class Strangers:
    """What the policies of an account's resources open to anybody outside."""

    __slots__ = ("_open",)

    def __init__(self, state: State) -> None:
        """Ask as the account that owns the resources."""

        def opened(policy: Policy, arn: str) -> frozenset[int]:
            return frozenset(each.index for each in open_statements(arn, state.account, policy))

        self._open = Alike(opened)

    def let_in(self, holder: Holder, policy: Policy) -> tuple[Statement, ...]:
        """The statements of the policy by which anybody outside gets something."""
        # The engine takes 1.5 ms for a policy, and most name no stranger.
        if not any(_may_be_for_strangers(each) for each in policy.statements):
            return ()
        found = self._open.of(policy, holder.arn)
        return tuple(each for each in policy.statements if each.index in found)


def _may_be_for_strangers(statement: Statement) -> bool:
    principals = statement.principals or ()
    return statement.allows and (statement.not_principals is not None or any(p.is_anyone for p in principals))


def named(statements: tuple[Statement, ...]) -> str:
    """The statements as people find them: by their ids, or by their places."""
    return listing([f"`{each.sid}`" if each.sid else f"number {each.index + 1}" for each in statements])


def is_restricted(state: State, holder: Holder) -> bool | Answer:
    """Whether Block Public Access keeps strangers from a bucket with a public policy; the answer that is missing."""
    name = dict(holder.parameters)["Bucket"]
    of_bucket = state.answers.get(state.account, GLOBAL, "s3", "GetPublicAccessBlock", Bucket=name)
    of_account = state.answers.get(
        state.account, GLOBAL, "s3control", "GetPublicAccessBlock", AccountId=state.account
    )
    settings = (of_bucket, of_account)
    flags = [member(each.body, f"PublicAccessBlockConfiguration.{_RESTRICT}") for each in settings]
    if True in flags:
        return True
    return next((each for each in settings if not each.status.is_known), False)
