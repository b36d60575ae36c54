"""An alarm tells somebody: from the trail and the metric filter to the confirmed subscriber.

CloudWatch user guide: "Using Amazon CloudWatch alarms"; CloudTrail user guide: "Creating CloudWatch alarms for
CloudTrail events".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.buckets import asked
from clew.audit.resources import facts, items, member, text, texts
from clew.audit.trails import active, trails
from clew.explain.doctor import Doctor, Found, Patient, link, unanswered
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator


def _links(patient: Patient) -> Iterator[Link]:
    name = patient.given["alarm"]
    first, alarm = patient.find(
        "alarm", "cloudwatch:DescribeAlarms", "MetricAlarms", name, "AlarmName", "AlarmArn"
    )
    yield first
    if alarm is None:
        return
    yield from _metric(patient, alarm)
    yield link(
        "actions-enabled",
        holds=member(alarm.data, "ActionsEnabled") is True,
        says=("the alarm's actions are on", "the alarm's actions are off"),
        evidence=facts(alarm.data, "ActionsEnabled"),
        fix=f"aws cloudwatch enable-alarm-actions --alarm-names {alarm.text('AlarmName')}",
    )
    topics = [arn for arn in texts(alarm.data, "AlarmActions") if ":sns:" in arn]
    yield link(
        "action",
        holds=bool(topics),
        says=(f"the alarm publishes to {', '.join(topics)}", "the alarm publishes to no topic"),
        evidence=facts(alarm.data, "AlarmActions"),
        fix="give the alarm a topic as action",
    )
    for topic in topics:
        yield from _topic(patient, alarm, topic)


def _metric(patient: Patient, alarm: Found) -> Iterator[Link]:
    """The metric filter that feeds the alarm, and the trail that feeds its log group."""
    said = patient.state.answers.get(patient.state.account, alarm.region, "logs", "DescribeMetricFilters")
    if not said.status.is_known:
        yield unanswered("metric-filter", said)
        return
    metric = (alarm.text("Namespace"), alarm.text("MetricName"))
    feeding = [each for each in items(said.body, "metricFilters") if metric in _metrics(each)]
    if not feeding and metric[0].startswith("AWS/"):
        yield Link("metric-filter", Verdict.HOLDS, f"{metric[0]} publishes {metric[1]} itself")
        return
    yield link(
        "metric-filter",
        holds=bool(feeding),
        says=(
            f"a metric filter publishes {'/'.join(metric)}",
            f"no metric filter publishes {'/'.join(metric)}",
        ),
        evidence=asked(said),
        fix="aws logs put-metric-filter, with that namespace and name",
    )
    for each in feeding:
        yield from _trail(patient, text(each, "logGroupName"))


def _metrics(metric_filter: object) -> set[tuple[str, str]]:
    return {
        (text(each, "metricNamespace"), text(each, "metricName"))
        for each in items(metric_filter, "metricTransformations")
    }


def _trail(patient: Patient, group: str) -> Iterator[Link]:
    """The trail that brings events to the group; a group of another sender is not judged."""
    for trail in trails(patient.state):
        if f":log-group:{group}:" in f"{text(trail.data, 'CloudWatchLogsLogGroupArn')}:":
            stopped = active(trail)
            if stopped is None:
                yield Link("trail", Verdict.HOLDS, f"trail {trail.arn} logs to {group}", asked(trail.status))
            elif stopped.verdict == "unknown":
                yield unanswered("trail", trail.status)
            else:
                fix = f"aws cloudtrail start-logging --name {trail.arn}"
                yield Link("trail", Verdict.BROKEN, stopped.message, asked(trail.status), fix)


def _topic(patient: Patient, alarm: Found, topic: str) -> Iterator[Link]:
    yield patient.permitted(
        "topic-policy", "cloudwatch.amazonaws.com", "sns:Publish", topic,
        f"let the policy of `{topic}` allow `sns:Publish` to `cloudwatch.amazonaws.com`",
        source_arn=alarm.text("AlarmArn"), source_account=patient.state.account,
        **{"aws:SourceOwner": patient.state.account},
    )  # fmt: skip
    region, account = topic.split(":")[3:5]
    said = patient.state.answers.get(account, region, "sns", "ListSubscriptionsByTopic", TopicArn=topic)
    if not said.status.is_known:
        yield unanswered("subscriber", said)
        return
    confirmed = [
        e for e in items(said.body, "Subscriptions") if text(e, "SubscriptionArn").startswith("arn:")
    ]
    yield link(
        "subscriber",
        holds=bool(confirmed),
        says=("a subscriber has confirmed", "nobody has confirmed a subscription to the topic"),
        evidence=asked(said),
        fix=f"aws sns subscribe --topic-arn {topic}, and confirm it",
    )


DOCTOR = Doctor(
    "alarm-chain",
    "An alarm reaches a person",
    _links,
    needs=("alarm",),
    looks="trail and its role, metric filter, statistic and threshold, actions, topic policy, a confirmed subscriber",
)
