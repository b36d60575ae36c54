"""An alarm tells somebody: from the trail and the metric filter to the confirmed subscriber.

CloudWatch user guide: "Using Amazon CloudWatch alarms", Configuring how CloudWatch alarms treat missing data;
CloudTrail user guide: "Creating CloudWatch alarms for CloudTrail events: examples", "Role policy document for
CloudTrail to use CloudWatch Logs for monitoring". What a filter catches is compared by meaning, as the audit's alarm
controls do.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from clew.audit import monitored
from clew.audit.alarm_chain import silent, watches
from clew.audit.buckets import asked
from clew.audit.resources import facts, items, listing, member, text, texts
from clew.audit.trails import BOTH, active, management, trails
from clew.errors import RuleError, UsageError
from clew.events.patterns import cloudwatch
from clew.events.predicate import compile_predicate
from clew.explain.doctor import Doctor, Found, Patient, link, unanswered
from clew.explain.links import Link, Verdict
from clew.explain.log_groups import trail_role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.monitored import Event, Monitored
    from clew.audit.trails import Trail

_EDITION: Final = "7.0"


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
    """The metric filter that feeds the alarm, what it catches, and the trail that feeds its log group."""
    said = patient.state.answers.get(patient.state.account, alarm.region, "logs", "DescribeMetricFilters")
    if not said.status.is_known:
        yield unanswered("metric-filter", said)
        return
    metric = f"{alarm.text('Namespace')}/{alarm.text('MetricName')}"
    feeding = [
        (each, transformation)
        for each in items(said.body, "metricFilters")
        for transformation in items(each, "metricTransformations")
        if watches(alarm.data, transformation)
    ]
    if not feeding and metric.startswith("AWS/"):
        yield Link(
            "metric-filter",
            Verdict.HOLDS,
            f"{alarm.text('Namespace')} publishes {alarm.text('MetricName')} itself",
        )
        return
    yield link(
        "metric-filter",
        holds=bool(feeding),
        says=(f"a metric filter publishes {metric}", f"no metric filter publishes {metric}"),
        evidence=asked(said),
        fix="aws logs put-metric-filter, with that namespace and name",
    )
    for found, transformation in feeding:
        yield _catches(patient, found)
        yield from _trail(patient, text(found, "logGroupName"))
        yield _raised(patient, alarm, transformation)
        yield _missing_data(alarm, transformation)


def _catches(patient: Patient, found: Mapping[str, object]) -> Link:
    """Whether the filter catches what somebody should be told of: a control's events, or one sample."""
    name, pattern = text(found, "filterName"), text(found, "filterPattern")
    seen = facts(found, "filterName", "filterPattern")
    try:
        catches = compile_predicate(cloudwatch.read(pattern).tree)
    except RuleError as error:
        why = f"what {name} catches cannot be told: {error}"
        return Link("filter-matches", Verdict.UNKNOWN, why, seen, settle="aws logs test-metric-filter")
    told = patient.given.get("events", "")
    controls = monitored.load(_EDITION)
    if told in controls:
        return _by_meaning(controls[told], name, pattern)
    if told:
        says = (f"{name} catches the sample", f"{name} does not catch the sample")
        fix = "aws logs put-metric-filter, with a pattern for such events"
        return link("filter-matches", holds=catches(_sample(told)), says=says, evidence=seen, fix=fix)
    caught = [key for key, each in controls.items() if any(map(catches, each.samples))]
    if caught:
        return Link("filter-matches", Verdict.HOLDS, f"{name} catches events of {listing(caught)}", seen)
    says_open = f"which events {name} is for is not told, and it catches none of those that controls watch"
    return Link(
        "filter-matches",
        Verdict.UNKNOWN,
        says_open,
        seen,
        settle=f"give `--events`, such as {listing(controls, 3)}",
    )


def _by_meaning(wanted: Monitored, name: str, pattern: str) -> Link:
    compared = wanted.caught_by_filter(pattern)
    seen = (("filterPattern", pattern),)
    if compared.covers is None:
        says = f"whether {name} catches every event of `{wanted.id}` cannot be told: {compared.why}"
        return Link("filter-matches", Verdict.UNKNOWN, says, seen, settle="aws logs test-metric-filter")
    missed = monitored.shown(compared.missed) if not compared.covers else ""
    says_both = (
        f"{name} catches every event of `{wanted.id}`",
        f"{name} misses events of `{wanted.id}`: {missed}",
    )
    fix = "widen the pattern of the filter"
    return link("filter-matches", holds=compared.covers, says=says_both, evidence=seen, fix=fix)


def _sample(told: str) -> Event:
    try:
        found = json.loads(told)
    except ValueError as error:
        known = listing(monitored.load(_EDITION), 20)
        raise UsageError(f"`--events {told[:60]}` is neither an event as JSON nor one of {known}") from error
    if not isinstance(found, dict):
        raise UsageError("`--events` holds no event; expected a JSON object")
    return found


def _trail(patient: Patient, group: str) -> Iterator[Link]:
    """The trail that brings events to the group; a group of another sender is not judged."""
    for trail in trails(patient.state):
        if f":log-group:{group}:" in f"{text(trail.data, 'CloudWatchLogsLogGroupArn')}:":
            yield _records(trail)
            yield _selects(trail)
            yield from trail_role(patient, trail.data)


def _records(trail: Trail) -> Link:
    stopped = active(trail)
    if stopped is None:
        return Link("trail", Verdict.HOLDS, f"trail {trail.arn} is logging", asked(trail.status))
    if stopped.verdict == "unknown":
        return unanswered("trail", trail.status)
    fix = f"aws cloudtrail start-logging --name {trail.arn}"
    return Link("trail", Verdict.BROKEN, stopped.message, asked(trail.status), fix)


def _selects(trail: Trail) -> Link:
    """The selectors cover management events, which is what such filters are about."""
    recorded = management(trail)
    if recorded is None:
        return unanswered("selector", trail.selectors)
    missing = ", ".join(sorted(BOTH - recorded.kinds))
    left_out = f"; it leaves out {listing(recorded.left_out)}" if recorded.left_out else ""
    return link(
        "selector",
        holds=not missing,
        says=(
            f"the trail records every management event{left_out}",
            f"the trail records no {missing} events",
        ),
        evidence=asked(trail.selectors),
        fix=f"aws cloudtrail put-event-selectors --trail-name {trail.arn}, for all management events",
    )


def _raised(patient: Patient, alarm: Found, transformation: Mapping[str, object]) -> Link:
    """Whether so many events as were told, or one, raise the alarm: dimensions, statistic, threshold, periods."""
    seen = facts(alarm.data, "Statistic", "ComparisonOperator", "Threshold", "EvaluationPeriods")
    if any(items(alarm.data, "Metrics")):
        says = "the alarm computes with several metrics; whether the events raise it is not told"
        return Link(
            "threshold", Verdict.UNKNOWN, says, seen, settle="aws cloudwatch describe-alarms, its Metrics"
        )
    count = patient.given.get("count", "1")
    if not count.isdigit() or int(count) < 1:
        raise UsageError(f"`--count {count[:20]}`: expected how many events")
    why = silent(alarm.data, transformation, int(count))
    many = "one event raises" if count == "1" else f"{count} events raise"
    fix = "aws cloudwatch put-metric-alarm: statistic Sum, threshold 1, one period"
    return link(
        "threshold", holds=not why, says=(f"{many} the alarm", f"the alarm {why}"), evidence=seen, fix=fix
    )


def _missing_data(alarm: Found, transformation: Mapping[str, object]) -> Link:
    """AWS: `ignore` keeps the state that the alarm has: it stays in ALARM, and says nothing of the next event."""
    treats = alarm.text("TreatMissingData") or "missing"
    stays = treats in {"ignore", "breaching"} and member(transformation, "defaultValue") is None
    says = {
        "ignore": "where nothing happens the alarm keeps its state, so that after the first event it tells of no other",
        "breaching": "where nothing happens the alarm is raised, so that an event changes nothing",
    }.get(treats, "")
    fix = (
        "aws cloudwatch put-metric-alarm --treat-missing-data notBreaching; or a default value for the filter"
    )
    holds = f"missing data are treated as `{treats}`"
    seen = facts(alarm.data, "TreatMissingData")
    return link("missing-data", holds=not stays, says=(holds, says), evidence=seen, fix=fix)


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
    may=("events", "count"),
    looks="trail and its role, metric filter, statistic and threshold, actions, topic policy, a confirmed subscriber",
)
