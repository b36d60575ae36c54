"""The policies of resources of one region, as `resource-policies.json` has them, from recorded answers.

A policy that was not collected is kept as text that is no policy, so that whatever depends on it stays open.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from clew.snapshot.answers import GLOBAL, Status
from clew.snapshot.model import LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from clew.snapshot.answers import Answer, Answers

# Of a stream without a policy some endpoints say that it is an empty object.
_EMPTY = "{}"


def entries(answers: Answers) -> Iterator[tuple[str, object]]:
    """Each resource that may have a policy, by its ARN, with its account and the policy; none without an ARN."""
    found = chain.from_iterable(told(answers) for told in _TOLD)
    return ((arn, record) for arn, record in found if arn.startswith("arn:"))


def partition(answers: Answers, account: str) -> str:
    """The partition of an account: `aws`, `aws-cn`, `aws-us-gov`."""
    body = answers.get(account, GLOBAL, "sts", "GetCallerIdentity").body or {}
    return str(body.get("Arn", "arn:aws:")).split(":")[1]


def policy_in(answer: Answer, *path: str) -> object:
    """The policy in an answer; None where AWS said that there is none; unreadable text where it said nothing."""
    if answer.status is Status.ABSENT:
        return None
    value: object = answer.body
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if not answer.status.is_known:
        return f"{LEFT_OUT}{answer.call}: {answer.error_code}"
    return None if value == _EMPTY else value


def _record(answer: Answer, *path: str) -> object:
    return {"Account": answer.call.account, "Policy": policy_in(answer, *path)}


def _ask(answers: Answers, listed: Answer, operation: str, **parameters: str) -> Answer:
    """Another answer of the same account, region and service."""
    call = listed.call
    return answers.get(call.account, call.region, call.service, operation, **parameters)


def _arn(answers: Answers, listed: Answer, resource: str) -> str:
    call = listed.call
    return f"arn:{partition(answers, call.account)}:{call.service}:{call.region}:{call.account}:{resource}"


def _topics(answers: Answers) -> Iterator[tuple[str, object]]:
    for answer in answers.each("sns", "GetTopicAttributes"):
        yield dict(answer.call.parameters)["TopicArn"], _record(answer, "Attributes", "Policy")


def _queues(answers: Answers) -> Iterator[tuple[str, object]]:
    for answer in answers.each("sqs", "GetQueueAttributes"):
        queue = dict(answer.call.parameters)["QueueUrl"].rpartition("/")[2]
        yield _arn(answers, answer, queue), _record(answer, "Attributes", "Policy")


def _functions(answers: Answers) -> Iterator[tuple[str, object]]:
    """Functions, their aliases and versions.

    AWS: Lambda Developer Guide, "Viewing resource-based IAM policies in Lambda"; Lambda API reference, AddPermission:
    the version $LATEST has none.
    """
    for listed in answers.each("lambda", "ListFunctions"):
        for function in listed.list("Functions"):
            name = str(function.get("FunctionName"))
            aliases = _ask(answers, listed, "ListAliases", FunctionName=name).list("Aliases")
            versions = _ask(answers, listed, "ListVersionsByFunction", FunctionName=name).list("Versions")
            held = {str(each.get("AliasArn")): {"Qualifier": str(each.get("Name"))} for each in aliases}
            held |= {
                str(each.get("FunctionArn")): {"Qualifier": str(each.get("Version"))} for each in versions
            }
            for arn, qualifier in {str(function.get("FunctionArn")): {}, **held}.items():
                if qualifier != {"Qualifier": "$LATEST"}:
                    policy = _ask(answers, listed, "GetPolicy", FunctionName=name, **qualifier)
                    yield arn, _record(policy, "Policy")


def _layers(answers: Answers) -> Iterator[tuple[str, object]]:
    for listed in answers.each("lambda", "ListLayerVersions"):
        name = dict(listed.call.parameters)["LayerName"]
        for version in listed.list("LayerVersions"):
            number = str(version.get("Version"))
            policy = _ask(answers, listed, "GetLayerVersionPolicy", LayerName=name, VersionNumber=number)
            yield str(version.get("LayerVersionArn")), _record(policy, "Policy")


def _secrets(answers: Answers) -> Iterator[tuple[str, object]]:
    for answer in answers.each("secretsmanager", "GetResourcePolicy"):
        yield dict(answer.call.parameters)["SecretId"], _record(answer, "ResourcePolicy")


def _repositories(answers: Answers) -> Iterator[tuple[str, object]]:
    for listed in answers.each("ecr", "DescribeRepositories"):
        for item in listed.list("repositories"):
            name = str(item.get("repositoryName"))
            policy = _ask(answers, listed, "GetRepositoryPolicy", repositoryName=name)
            yield str(item.get("repositoryArn")), _record(policy, "policyText")


def _buses(answers: Answers) -> Iterator[tuple[str, object]]:
    for listed in answers.each("events", "ListEventBuses"):
        for bus in listed.list("EventBuses"):
            yield str(bus.get("Arn")), {"Account": listed.call.account, "Policy": bus.get("Policy")}


def _file_systems(answers: Answers) -> Iterator[tuple[str, object]]:
    for listed in answers.each("efs", "DescribeFileSystems"):
        for item in listed.list("FileSystems"):
            name = str(item.get("FileSystemId"))
            policy = _ask(answers, listed, "DescribeFileSystemPolicy", FileSystemId=name)
            yield str(item.get("FileSystemArn")), _record(policy, "Policy")


def _tables(answers: Answers) -> Iterator[tuple[str, object]]:
    """Tables of DynamoDB and their streams; of one that was not described the policy is not known."""
    for described in answers.each("dynamodb", "DescribeTable"):
        table = (described.body or {}).get("Table")
        known: Mapping[str, object] = table if isinstance(table, dict) else {}
        name = str(known.get("TableArn") or "")
        if not name:
            of_name = dict(described.call.parameters)["TableName"]
            yield _arn(answers, described, f"table/{of_name}"), _record(described)
        for arn in filter(None, (name, str(known.get("LatestStreamArn") or ""))):
            yield arn, _record(_ask(answers, described, "GetResourcePolicy", ResourceArn=arn), "Policy")


def _streams(answers: Answers) -> Iterator[tuple[str, object]]:
    for answer in answers.each("kinesis", "GetResourcePolicy"):
        yield dict(answer.call.parameters)["ResourceARN"], _record(answer, "Policy")


_TOLD: tuple[Callable[[Answers], Iterator[tuple[str, object]]], ...] = (
    _topics,
    _queues,
    _functions,
    _layers,
    _secrets,
    _repositories,
    _buses,
    _file_systems,
    _tables,
    _streams,
)
