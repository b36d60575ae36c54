"""The way from an event to a person: trail, log group, metric filter, alarm, topic, subscriber; or trail, rule, topic.

Each way ends at the first link that is broken or that nobody could read. A control passes when one way is whole; else
the way that comes furthest says what to mend.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked
from clew.audit.model import Judgement, Verdict
from clew.audit.monitored import shown
from clew.audit.resources import facts, items, listing, member, text, texts, unanswered
from clew.audit.trails import BOTH, active, management, trails, unlisted
from clew.errors import RuleError
from clew.events.patterns import cloudwatch, eventbridge
from clew.events.patterns.meaning import Relation
from clew.events.predicate_tree import And, Leaf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from clew.audit.model import State
    from clew.audit.monitored import Monitored
    from clew.audit.trails import Trail
    from clew.events.patterns.meaning import Comparison
    from clew.events.predicate_tree import Node
    from clew.snapshot.answers import Answer

_COMPARED: Final = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
}
_EVERYTHING: Final = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
_HOME: Final = "us-east-1"


@dataclass(frozen=True, slots=True)
class Way:
    """A way as far as it was followed: how many links hold, what is wrong with the next, and the evidence so far.

    `near`: the next link is there and falls short. `told` says what the links before did.
    """

    links: int
    message: str
    evidence: tuple[tuple[str, str], ...]
    verdict: Verdict = Verdict.FAIL
    missing: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    near: bool = False

    @property
    def reach(self) -> tuple[int, bool]:
        """How far the way comes."""
        return self.links, self.near

    def beyond(self, message: str, evidence: tuple[tuple[str, str], ...]) -> Way:
        """The way with one more link, broken behind it."""
        evidence = (*self.evidence, *evidence)
        return replace(self, links=self.links + 1, message=message, evidence=evidence, near=False)

    def open(self, answer: Answer) -> Way:
        """The way ending at an answer that nobody has."""
        said = unanswered("", answer)
        return replace(self, verdict=Verdict.UNKNOWN, message=said.message, missing=said.missing)


def judge(state: State, wanted: Monitored, *, most_events: int, rules_count: bool) -> Iterator[Judgement]:
    """The judgement on the account: is somebody told of the wanted events."""
    ways = [*_by_alarm(state, wanted, most_events), *(_by_rule(state, wanted) if rules_count else ())]
    whole = next((way for way in ways if way.verdict is Verdict.PASS), None)
    if whole is not None:
        yield Judgement(Verdict.PASS, state.account_arn, whole.message, whole.evidence)
        return
    unknown = [way for way in ways if way.verdict is Verdict.UNKNOWN]
    if unknown:
        best = max(unknown, key=lambda way: way.reach)
        missing = tuple(dict.fromkeys(call for way in unknown for call in way.missing))
        yield Judgement(Verdict.UNKNOWN, state.account_arn, best.message, best.evidence, missing)
        return
    none = Way(0, "the account has no trail of all regions", ())
    best = max(ways, key=lambda way: way.reach, default=none)
    yield Judgement(Verdict.FAIL, state.account_arn, best.message, best.evidence)


def _by_alarm(state: State, wanted: Monitored, most_events: int) -> Iterator[Way]:
    for each in unlisted(state, of_all_regions=True):
        yield Way(0, each.message, each.evidence, Verdict.UNKNOWN, each.missing)
    for trail in trails(state):
        way = _trail(trail)
        if way.links == 0:
            yield way
        else:
            yield from _filters(state, trail, way, wanted, most_events)


def _trail(trail: Trail) -> Way:
    """The way up to the log group; no links where the trail does not bring every event there."""
    seen = (*trail.facts("CloudWatchLogsLogGroupArn"), *asked(trail.status, trail.selectors))
    name = trail.arn.rpartition("/")[2]
    start = Way(0, f"trail {name} records {trail.home} only", seen)
    if not trail.is_of_all_regions:
        return start
    stopped = active(trail)
    if stopped is not None:
        return replace(
            start,
            message=f"trail {name}: {stopped.message}",
            verdict=stopped.verdict,
            missing=stopped.missing,
        )
    recorded = management(trail)
    if recorded is None:
        return start.open(trail.selectors)
    if recorded.kinds != BOTH:
        return replace(start, message=f"trail {name} does not record every management event")
    if not text(trail.data, "CloudWatchLogsLogGroupArn"):
        return replace(start, message=f"trail {name} has no log group")
    return start.beyond(f"no metric filter of the log group of trail {name} catches these events", ())


def _place(arn: str) -> tuple[str, str, str]:
    """Region, account and name of a log group or topic."""
    parts = [*arn.split(":"), "", "", "", "", "", "", ""]
    return parts[3], parts[4], parts[6] if parts[2] == "logs" else parts[5]


def _filters(state: State, trail: Trail, way: Way, wanted: Monitored, most_events: int) -> Iterator[Way]:
    region, account, group = _place(text(trail.data, "CloudWatchLogsLogGroupArn"))
    answer = state.answers.get(account, region, "logs", "DescribeMetricFilters")
    if not answer.status.is_known:
        yield way.open(answer)
        return
    yield replace(way, evidence=(*way.evidence, *asked(answer)))
    for found in items(answer.body, "metricFilters"):
        if text(found, "logGroupName") == group:
            yield from _filter(state, found, answer, way, wanted, most_events)


def _filter(
    state: State, found: Mapping[str, object], answer: Answer, way: Way, wanted: Monitored, most_events: int
) -> Iterator[Way]:
    name, pattern = text(found, "filterName"), text(found, "filterPattern")
    compared = wanted.caught_by_filter(pattern)
    seen = (("metric filter", name), ("filterPattern", pattern), *asked(answer))
    if compared.covers is None:
        message = f"what metric filter {name} catches cannot be told: {compared.why}"
        yield replace(
            way, message=message, evidence=(*way.evidence, *seen), verdict=Verdict.UNKNOWN,
            missing=("logs:DescribeMetricFilters",),
        )  # fmt: skip
        return
    if not compared.covers:
        yield from _missed(name, pattern, compared, replace(way, evidence=(*way.evidence, *seen)), wanted)
        return
    catches = f"metric filter {name} ({_relation(compared)})"
    for transformation in items(found, "metricTransformations"):
        metric = f"{text(transformation, 'metricNamespace')}/{text(transformation, 'metricName')}"
        after = way.beyond(f"{catches}: no alarm watches its metric {metric}", (*seen, ("metric", metric)))
        yield from _alarms(state, transformation, answer, replace(after, told=(catches,)), most_events)


def _relation(compared: Comparison) -> str:
    if compared.relation is Relation.EQUAL:
        return "catches exactly these events"
    return f"catches these events and more, such as {shown(compared.extra)}"


def _missed(name: str, pattern: str, compared: Comparison, way: Way, wanted: Monitored) -> Iterator[Way]:
    """A filter that is meant for these events, as it catches some, and misses others."""
    try:
        caught = wanted.samples_caught(cloudwatch.read(pattern).tree)
    except RuleError:  # INVARIANT: it was read before
        return
    if caught:
        message = f"metric filter {name} is too narrow: it misses {shown(compared.missed)}"
        yield replace(way, message=message, near=True)


def _alarms(
    state: State, transformation: Mapping[str, object], filters: Answer, way: Way, most_events: int
) -> Iterator[Way]:
    call = filters.call
    answer = state.answers.get(call.account, call.region, "cloudwatch", "DescribeAlarms")
    if not answer.status.is_known:
        yield way.open(answer)
        return
    way = replace(way, evidence=(*way.evidence, *asked(answer)))
    yield way
    for alarm in items(answer.body, "MetricAlarms"):
        if watches(alarm, transformation):
            yield from _alarm(state, alarm, transformation, way, most_events)


def watches(alarm: Mapping[str, object], transformation: Mapping[str, object]) -> bool:
    """Whether the alarm watches the metric that the transformation publishes, alone or among several."""
    wanted = (text(transformation, "metricName"), text(transformation, "metricNamespace"))
    metrics = [alarm, *items(alarm, "Metrics.MetricStat.Metric")]
    return any((text(each, "MetricName"), text(each, "Namespace")) == wanted for each in metrics)


def _alarm(
    state: State,
    alarm: Mapping[str, object],
    transformation: Mapping[str, object],
    way: Way,
    most_events: int,
) -> Iterator[Way]:
    name = text(alarm, "AlarmName")
    seen = (
        ("alarm", text(alarm, "AlarmArn") or name),
        *facts(alarm, "Statistic", "ComparisonOperator", "Threshold", "EvaluationPeriods", "ActionsEnabled"),
    )
    found = way.beyond(f"alarm {name} does nothing: its actions are off", seen)
    if list(items(alarm, "Metrics")):
        message = f"alarm {name} computes with several metrics; whether these events raise it is not told"
        yield replace(found, message=message, verdict=Verdict.UNKNOWN, missing=("cloudwatch:DescribeAlarms",))
        return
    why = silent(alarm, transformation, most_events)
    if why:
        yield replace(found, message=f"alarm {name} {why}")
    elif member(alarm, "ActionsEnabled") is not True:
        yield found
    else:
        topics = [arn for arn in texts(alarm, "AlarmActions") if ":sns:" in arn]
        yield replace(found, message=f"alarm {name} has no action that publishes to a topic")
        for topic in topics:
            yield _topic(state, topic, found, f"alarm {name}")


def silent(alarm: Mapping[str, object], transformation: Mapping[str, object], most_events: int) -> str:
    """Why so many events do not raise the alarm, in words; empty where they do."""
    wanted = {text(each, "Name") for each in items(alarm, "Dimensions")}
    published = member(transformation, "dimensions")
    if wanted != set(published if isinstance(published, dict) else {}):
        return "watches other dimensions than the filter publishes"
    compare = _COMPARED.get(text(alarm, "ComparisonOperator"))
    threshold = member(alarm, "Threshold")
    if compare is None or isinstance(threshold, bool) or not isinstance(threshold, int | float):
        return f"is not raised by more events: {text(alarm, 'ComparisonOperator')}"
    periods = member(alarm, "DatapointsToAlarm") or member(alarm, "EvaluationPeriods") or 1
    if isinstance(periods, int) and periods > 1:
        return f"needs such events in {periods} periods"
    statistic = text(alarm, "Statistic")
    value = _number(text(transformation, "metricValue"))
    # One event a period makes sum, maximum, minimum and average the filter's value.
    reached = (
        most_events * value if statistic == "Sum" else most_events if statistic == "SampleCount" else value
    )
    if not compare(reached, threshold):
        count = "an event does" if most_events == 1 else f"{most_events} events do"
        return f"is not raised when {count} occur: {statistic} against {threshold}"
    return ""


def _number(written: str) -> float:
    try:
        return float(written)
    except ValueError:  # a field of the event such as $.size
        return 0.0


def _topic(state: State, topic: str, way: Way, sender: str) -> Way:
    """The last link: the topic's subscribers."""
    region, account, name = _place(topic)
    answer = state.answers.get(account, region, "sns", "ListSubscriptionsByTopic", TopicArn=topic)
    found = way.beyond(
        f"{sender}: topic {name} has no confirmed subscriber", (("topic", topic), *asked(answer))
    )
    if not answer.status.is_known:
        return found.open(answer)
    subscriptions = list(items(answer.body, "Subscriptions"))
    confirmed = [each for each in subscriptions if text(each, "SubscriptionArn").startswith("arn:")]
    if confirmed:
        first = confirmed[0]
        seen = (("subscription", text(first, "SubscriptionArn")), *facts(first, "Protocol"))
        message = f"{', '.join((*way.told, sender))}: topic {name} tells a confirmed subscriber"
        return replace(found.beyond(message, seen), verdict=Verdict.PASS)
    if subscriptions:
        return replace(found, message=f"{sender}: nobody has confirmed the subscription to topic {name}")
    return found


def _by_rule(state: State, wanted: Monitored) -> Iterator[Way]:
    """Ways over EventBridge: a rule in each region where the events are, in an account with a trail that records."""
    recording = [trail for trail in trails(state) if active(trail) is None]
    if not recording:
        return
    ways = {region: list(_rules(state, region, wanted)) for region in _regions(state, wanted)}
    lacking = [region for region, found in ways.items() if not any(w.verdict is Verdict.PASS for w in found)]
    found = [way for each in ways.values() for way in each]
    passing = [way for way in found if way.verdict is Verdict.PASS]
    if not lacking and passing:
        yield replace(passing[0], evidence=tuple(fact for way in passing for fact in way.evidence))
        return
    yield from (way for way in found if way.verdict is not Verdict.PASS)
    if passing:
        message = f"{passing[0].message}, but no rule does in {listing(lacking)}"
        yield replace(passing[0], verdict=Verdict.FAIL, message=message)


def _regions(state: State, wanted: Monitored) -> Iterable[str]:
    """The regions in which such events come to EventBridge, as far as the account was asked."""
    if wanted.is_global:
        return (_HOME,)
    asked_in = {answer.call.region for answer in state.each("events", "ListRules")}
    return state.regions or tuple(sorted(asked_in))


def _rules(state: State, region: str, wanted: Monitored) -> Iterator[Way]:
    answer = state.answers.get(state.account, region, "events", "ListRules", EventBusName="default")
    start = Way(1, f"no rule in {region} catches these events", asked(answer))
    if not answer.status.is_known:
        yield start.open(answer)
        return
    for rule in items(answer.body, "Rules"):
        if text(rule, "EventPattern") and text(rule, "State") != "DISABLED":
            yield from _rule(state, rule, answer, start, wanted)


def _rule(
    state: State, rule: Mapping[str, object], answer: Answer, start: Way, wanted: Monitored
) -> Iterator[Way]:
    name = text(rule, "Name")
    try:
        tree: Node = eventbridge.on_record(eventbridge.read(text(rule, "EventPattern")))
    except RuleError as error:
        message = f"what rule {name} catches cannot be told: {error}"
        yield replace(start, message=message, verdict=Verdict.UNKNOWN, missing=("events:ListRules",))
        return
    if text(rule, "State") != _EVERYTHING:
        # AWS: a rule that is merely enabled gets no read-only management events.
        tree = And((tree, Leaf(("readOnly",), "equals", (False,), quantifier="one")))
    compared = wanted.caught_by(tree)
    seen = (("rule", text(rule, "Arn") or name), *facts(rule, "State", "EventPattern"))
    if compared.covers is None:
        message = f"what rule {name} catches cannot be told: {compared.why}"
        yield replace(start, message=message, verdict=Verdict.UNKNOWN, missing=("events:ListRules",))
    elif not compared.covers:
        if wanted.samples_caught(tree):
            message = f"rule {name} is too narrow: it misses {shown(compared.missed)}"
            yield replace(start, message=message, near=True)
    else:
        found = start.beyond(f"rule {name} sends to no topic", seen)
        yield from _targets(
            state, name, answer, replace(found, told=(f"rule {name} ({_relation(compared)})",))
        )


def _targets(state: State, name: str, listed: Answer, way: Way) -> Iterator[Way]:
    answer = state.about(listed, "ListTargetsByRule", Rule=name, EventBusName="default")
    if not answer.status.is_known:
        yield way.open(answer)
        return
    found = [text(target, "Arn") for target in items(answer.body, "Targets")]
    topics = [arn for arn in found if ":sns:" in arn]
    if found and not topics:
        yield replace(way, message=f"rule {name} sends to {listing(found)}; who is told there is not seen")
    elif not found:
        yield way
    for topic in topics:
        yield _topic(state, topic, way, f"rule {name}")
