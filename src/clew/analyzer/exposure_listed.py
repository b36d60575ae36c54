"""Resources that a list only names: tables and streams, consumers of streams, layers, aliases of functions.

Where the call that says more was not answered, the resource is told under the name that it must have, and unread.
AWS: IAM User Guide: "IAM Access Analyzer resource types for external access"; Kinesis Data Streams Developer Guide:
"Controlling access to Amazon Kinesis Data Streams resources using IAM"; Lambda Developer Guide: "Viewing
resource-based IAM policies in Lambda": a policy applies to a single function, version, alias or layer version.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clew.analyzer.exposure_model import Target, Through, WayIn
from clew.analyzer.exposure_reading import about, member, policy_way

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.analyzer.exposure_reading import Reading
    from clew.snapshot.answers import Answer

_FUNCTION = "AWS::Lambda::Function"


def table(reading: Reading, listed: Answer, item: Mapping[str, object]) -> Iterator[Target]:
    """A table of DynamoDB with its policy."""
    type_, region = "AWS::DynamoDB::Table", listed.call.region
    told = reading.ask(region, "dynamodb", "DescribeTable", TableName=str(item.get("@")))
    name = str(member(told.body, "Table.TableArn") or _arn(reading, listed, f"table/{item.get('@')}"))
    way = _unread(reading, told) or _policy(reading, listed, ResourceArn=name)
    yield Target(name, type_, reading.account, region, (way,))


def table_stream(reading: Reading, listed: Answer, item: Mapping[str, object]) -> Iterator[Target]:
    """The stream of a table, with its policy; nothing where the table has none."""
    type_, region = "AWS::DynamoDB::Stream", listed.call.region
    told = reading.ask(region, "dynamodb", "DescribeTable", TableName=str(item.get("@")))
    if way := _unread(reading, told):
        name = _arn(reading, listed, f"table/{item.get('@')}/stream/*")
        yield Target(name, type_, reading.account, region, (way,))
    if name := str(member(told.body, "Table.LatestStreamArn") or ""):
        way = _policy(reading, listed, ResourceArn=name)
        yield Target(name, type_, reading.account, region, (way,))


def stream(reading: Reading, listed: Answer, item: Mapping[str, object]) -> Iterator[Target]:
    """A stream of Kinesis with its policy."""
    name = _arn(reading, listed, f"stream/{item.get('@')}")
    way = _policy(reading, listed, ResourceARN=name)
    yield Target(name, "AWS::Kinesis::Stream", reading.account, listed.call.region, (way,))


def consumers(reading: Reading, listed: Answer, item: Mapping[str, object]) -> Iterator[Target]:
    """The registered consumers of a stream, each with its policy."""
    type_, region = "AWS::Kinesis::StreamConsumer", listed.call.region
    of_stream = _arn(reading, listed, f"stream/{item.get('@')}")
    told = reading.ask(region, "kinesis", "ListStreamConsumers", StreamARN=of_stream)
    if way := _unread(reading, told):
        yield Target(f"{of_stream}/consumer/*", type_, reading.account, region, (way,))
    for each in told.list("Consumers"):
        name = str(each.get("ConsumerARN"))
        yield Target(name, type_, reading.account, region, (_policy(reading, listed, ResourceARN=name),))


def layer(reading: Reading, listed: Answer, item: Mapping[str, object]) -> Iterator[Target]:
    """Every version of a layer, each with its policy."""
    type_, region, name = "AWS::Lambda::LayerVersion", listed.call.region, str(item.get("LayerName"))
    told = reading.ask(region, "lambda", "ListLayerVersions", LayerName=name)
    if way := _unread(reading, told):
        arn = str(item.get("LayerArn") or _arn(reading, listed, f"layer:{name}"))
        yield Target(f"{arn}:*", type_, reading.account, region, (way,))
    for each in told.list("LayerVersions"):
        version = {"LayerName": name, "VersionNumber": str(each.get("Version"))}
        policy = reading.ask(region, "lambda", "GetLayerVersionPolicy", **version)
        way = policy_way(reading, policy, "Policy")
        yield Target(str(each.get("LayerVersionArn")), type_, reading.account, region, (way,))


def function(reading: Reading, listed: Answer, item: Mapping[str, object]) -> Iterator[Target]:
    """A function with its policy, and each of its aliases with a policy of its own."""
    region, name = listed.call.region, str(item.get("FunctionName"))
    policy = reading.ask(region, "lambda", "GetPolicy", FunctionName=name)
    arn = str(item.get("FunctionArn") or "")
    urls = _urls(reading, region, name)
    own = replace(policy_way(reading, policy, "Policy"), url_auth=_asked_for(urls, arn))
    yield Target(arn, _FUNCTION, reading.account, region, (own,))
    told = reading.ask(region, "lambda", "ListAliases", FunctionName=name)
    if way := _unread(reading, told):
        yield Target(f"{arn}:*", _FUNCTION, reading.account, region, (way,))
    for each in told.list("Aliases"):
        alias = {"FunctionName": name, "Qualifier": str(each.get("Name"))}
        policy = reading.ask(region, "lambda", "GetPolicy", **alias)
        of_alias = str(each.get("AliasArn"))
        way = replace(policy_way(reading, policy, "Policy"), url_auth=_asked_for(urls, of_alias))
        yield Target(of_alias, _FUNCTION, reading.account, region, (way,))


def _asked_for(urls: Mapping[str, str] | None, arn: str) -> str | None:
    """The authentication of the URL; empty where there is no URL."""
    return None if urls is None else urls.get(arn, "")


def _urls(reading: Reading, region: str, name: str) -> Mapping[str, str] | None:
    """What the URLs of a function and its aliases ask for; None where nobody could read it."""
    told = reading.ask(region, "lambda", "ListFunctionUrlConfigs", FunctionName=name)
    if not told.status.is_known:
        return None
    return {
        str(each.get("FunctionArn")): str(each.get("AuthType")) for each in told.list("FunctionUrlConfigs")
    }


def _policy(reading: Reading, listed: Answer, **resource: str) -> WayIn:
    call = listed.call
    return policy_way(
        reading, reading.ask(call.region, call.service, "GetResourcePolicy", **resource), "Policy"
    )


def _unread(reading: Reading, told: Answer) -> WayIn | None:
    """A way in of which nobody knows, because the call before it was not answered."""
    if told.status.is_known:
        return None
    call = f"{told.call.service}:{told.call.operation}"
    return WayIn(Through.POLICY, call, reading.file, told.collected_at, unread=(about(told),))


def _arn(reading: Reading, listed: Answer, resource: str) -> str:
    call = listed.call
    return f"arn:{reading.partition}:{call.service}:{call.region}:{reading.account}:{resource}"
