"""Checks that what serves the internet writes down who came: load balancers, distributions, stages of APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.buckets import asked
from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import (
    answers,
    arn,
    each_resource,
    facts,
    items,
    member,
    text,
    texts,
    together,
    unanswered,
)
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.answers import Answer

_NO_BALANCERS = "there are no load balancers with access logs"
_NO_STAGES = "there are no stages of APIs"
# AWS: gateway load balancers have no access logs.
_WITH_LOGS = ("application", "network")
_ENABLED = "access_logs.s3.enabled"


@check("elb-access-logs", "Load balancers log their access", "A load balancer logs no access", Severity.LOW)
def load_balancers(state: State) -> Iterator[Judgement]:
    """Whether application, network and classic load balancers write access logs.

    Finds. Load balancers whose access logs are off.
    Why it matters. Who called, from where, and with which answer, stands nowhere else when something behind it broke.
    False positives. A network load balancer logs TLS listeners only; applications that log by themselves.
    Fix. `aws elbv2 modify-load-balancer-attributes` with `access_logs.s3.enabled=true` and a bucket.
    References. Elastic Load Balancing user guide, Access logs for your Application Load Balancer
    """

    def judge(balancer: Mapping[str, object], answer: Answer) -> Judgement | None:
        if text(balancer, "Type") not in _WITH_LOGS:
            return None
        name = text(balancer, "LoadBalancerArn")
        told = state.about(answer, "DescribeLoadBalancerAttributes", LoadBalancerArn=name)
        values = {text(each, "Key"): text(each, "Value") for each in items(told.body, "Attributes")}
        return _logs(name, told, on=values.get(_ENABLED) == "true")

    def classic(balancer: Mapping[str, object], answer: Answer) -> Judgement:
        own = text(balancer, "LoadBalancerName")
        told = state.about(answer, "DescribeLoadBalancerAttributes", LoadBalancerName=own)
        on = member(told.body, "LoadBalancerAttributes.AccessLog.Enabled") is True
        return _logs(arn(state, answer, f"loadbalancer/{own}", "elasticloadbalancing"), told, on=on)

    yield from together(
        state,
        each_resource(state, "elbv2:DescribeLoadBalancers", "LoadBalancers", judge, none=_NO_BALANCERS),
        each_resource(
            state, "elb:DescribeLoadBalancers", "LoadBalancerDescriptions", classic, none=_NO_BALANCERS
        ),
        none=_NO_BALANCERS,
    )


def _logs(name: str, told: Answer, *, on: bool) -> Judgement:
    if not told.status.is_known:
        return unanswered(name, told)
    message = "logs its access" if on else "does not log its access"
    return Judgement(Verdict.PASS if on else Verdict.FAIL, name, message, asked(told))


@check(
    "cloudfront-access-logs", "Distributions log their access", "A distribution logs no access", Severity.LOW
)
def distributions(state: State) -> Iterator[Judgement]:
    """Whether CloudFront distributions write access logs, in the older way or as a delivery of CloudWatch Logs.

    Finds. Distributions whose standard logging is off and that are no source of a delivery.
    Why it matters. Behind CloudFront nobody else sees who called.
    False positives. Distributions with real-time logs alone, which are not looked at.
    Fix. Switch on standard logging (v2) in the distribution's settings.
    References. Amazon CloudFront developer guide, Access logs (standard logs)
    """

    def judge(item: Mapping[str, object], answer: Answer) -> Judgement:
        name = text(item, "ARN")
        told = state.about(answer, "GetDistributionConfig", Id=text(item, "Id"))
        seen = (*facts(told.body, "DistributionConfig.Logging.Enabled"), *asked(told))
        if member(told.body, "DistributionConfig.Logging.Enabled") is True:
            return Judgement(Verdict.PASS, name, "logs its access", seen)
        delivered, missing = _delivered(state, name)
        if delivered:
            return Judgement(Verdict.PASS, name, "delivers its access logs", (*seen, ("delivery", delivered)))
        open_ = [each for each in (told, *missing) if not each.status.is_known]
        if open_:
            return unanswered(name, *open_, evidence=seen)
        return Judgement(Verdict.FAIL, name, "does not log its access", seen)

    yield from each_resource(
        state,
        "cloudfront:ListDistributions",
        "DistributionList.Items",
        judge,
        none="there are no distributions",
    )


def _delivered(state: State, resource: str) -> tuple[str, tuple[Answer, ...]]:
    """The delivery of the resource's logs, empty for none, and the answers that could not be built on."""
    sources = answers(state, "logs:DescribeDeliverySources")
    deliveries = answers(state, "logs:DescribeDeliveries")
    names = {
        text(source, "name")
        for answer in sources
        for source in items(answer.body, "deliverySources")
        if resource in texts(source, "resourceArns")
    }
    found = [
        text(delivery, "arn") or text(delivery, "id")
        for answer in deliveries
        for delivery in items(answer.body, "deliveries")
        if text(delivery, "deliverySourceName") in names
    ]
    missing = tuple(answer for answer in (*sources, *deliveries) if not answer.status.is_known)
    return (found[0] if found else ""), missing


@check("apigateway-access-logs", "Stages of APIs log their access", "A stage logs no access", Severity.LOW)
def stages(state: State) -> Iterator[Judgement]:
    """Whether stages of REST, HTTP and WebSocket APIs write access logs.

    Finds. Stages without a destination for access logs.
    Why it matters. Who called which method, and with which answer, stands nowhere else.
    False positives. APIs behind a distribution or a load balancer that logs.
    Fix. Set `accessLogSettings` of the stage to a log group.
    References. Amazon API Gateway developer guide, Set up CloudWatch logging for REST APIs in API Gateway
    """

    def rest(api: Mapping[str, object], answer: Answer) -> Iterator[Judgement]:
        identity = text(api, "id")
        told = state.about(answer, "GetStages", restApiId=identity)
        return _stages(arn(state, answer, f"/restapis/{identity}", "apigateway"), told, "item", "stageName")

    def http(api: Mapping[str, object], answer: Answer) -> Iterator[Judgement]:
        identity = text(api, "ApiId")
        told = state.about(answer, "GetStages", ApiId=identity)
        return _stages(arn(state, answer, f"/apis/{identity}", "apigateway"), told, "Items", "StageName")

    yield from together(
        state,
        each_resource(state, "apigateway:GetRestApis", "items", rest, none=_NO_STAGES),
        each_resource(state, "apigatewayv2:GetApis", "Items", http, none=_NO_STAGES),
        none=_NO_STAGES,
    )


def _stages(api: str, told: Answer, path: str, named: str) -> Iterator[Judgement]:
    if not told.status.is_known:
        yield unanswered(api, told)
    for stage in items(told.body, path):
        group = text(stage, "accessLogSettings.destinationArn") or text(
            stage, "AccessLogSettings.DestinationArn"
        )
        yield _logs(f"{api}/stages/{text(stage, named)}", told, on=bool(group))
