"""Checks that somebody is told of what matters: one for each row of `audit/monitored.toml`.

Each follows the way from the event to a person and names the link that is broken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.alarm_chain import judge
from clew.audit.model import Judgement, check
from clew.audit.monitored import load
from clew.errors import UsageError
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.model import State

_EDITIONS = ("1.2", "7.0")


def _told(state: State, name: str, edition: str, events: int) -> Iterator[Judgement]:
    """Whether somebody is told of a row's events; CIS 7.0 also takes EventBridge rules for it."""
    if edition not in _EDITIONS:
        raise UsageError(f"`{edition[:80]}` is no edition; known are {', '.join(_EDITIONS)}")
    wanted = load(edition)[name]
    return judge(state, wanted, most_events=events, rules_count=edition == "7.0")


@check(
    "cloudwatch-alarm-unauthorized-calls",
    "Somebody is told of refused API calls",
    "Nobody is told of refused API calls",
    Severity.MEDIUM,
)
def unauthorized_calls(state: State, *, edition: str = "1.2", events: int = 1) -> Iterator[Judgement]:
    """Whether somebody is told of API calls that AWS refused for lack of permission.

    Finds. An account without a whole way from the event to a person: an active trail of all regions with every
    management event, its log group, a metric filter that catches at least these events (compared by meaning, whatever
    its text), an alarm on that metric that `events` of them raise, with actions on, a topic, a confirmed subscriber.
    With `edition` = `7.0` an EventBridge rule in every region that sends to such a topic counts as well. The first
    broken link is named.
    Why it matters. A stolen key is tried out; the refusals come before the damage.
    False positives. Software that asks for more than it may; raise `events` until it is quiet. Alarms that go to a
    product outside AWS without a topic are not seen.
    Fix. Mend the link that is named: `aws logs put-metric-filter`, `aws cloudwatch put-metric-alarm`, `aws sns
    subscribe`.
    References. Amazon CloudWatch Logs user guide, Creating metrics from log events using filters · AWS Security Hub
    user guide, CIS AWS Foundations Benchmark
    """
    return _told(state, "unauthorized-calls", edition, events)


@check(
    "cloudwatch-alarm-sign-in-without-mfa",
    "Somebody is told of console sign-in without MFA",
    "Nobody is told of console sign-in without MFA",
    Severity.MEDIUM,
)
def sign_in_without_mfa(state: State, *, edition: str = "1.2", events: int = 1) -> Iterator[Judgement]:
    """Whether somebody is told of sign-ins to the console without MFA.

    Finds. An account without a whole way from the event to a person: an active trail of all regions with every
    management event, its log group, a metric filter that catches at least these events (compared by meaning, whatever
    its text), an alarm on that metric that `events` of them raise, with actions on, a topic, a confirmed subscriber.
    With `edition` = `7.0` an EventBridge rule in every region that sends to such a topic counts as well. The first
    broken link is named.
    Why it matters. A password alone was enough for somebody.
    False positives. Users of single sign-on, whose second factor AWS does not see, in the older form of the control.
    Alarms that go to a product outside AWS without a topic are not seen.
    Fix. Mend the link that is named: `aws logs put-metric-filter`, `aws cloudwatch put-metric-alarm`, `aws sns
    subscribe`.
    References. Amazon CloudWatch Logs user guide, Creating metrics from log events using filters · AWS Security Hub
    user guide, CIS AWS Foundations Benchmark
    """
    return _told(state, "sign-in-without-mfa", edition, events)


@check(
    "cloudwatch-alarm-root-use",
    "Somebody is told of use of the root user",
    "Nobody is told of use of the root user",
    Severity.HIGH,
)
def root_use(state: State, *, edition: str = "1.2", events: int = 1) -> Iterator[Judgement]:
    """Whether somebody is told of use of the root user.

    Finds. An account without a whole way from the event to a person: an active trail of all regions with every
    management event, its log group, a metric filter that catches at least these events (compared by meaning, whatever
    its text), an alarm on that metric that `events` of them raise, with actions on, a topic, a confirmed subscriber.
    With `edition` = `7.0` an EventBridge rule in every region that sends to such a topic counts as well. The first
    broken link is named.
    Why it matters. Nobody works as root; whoever does has lost or stolen something.
    False positives. The few tasks that need root. Alarms that go to a product outside AWS without a topic are not seen.
    Fix. Mend the link that is named: `aws logs put-metric-filter`, `aws cloudwatch put-metric-alarm`, `aws sns
    subscribe`.
    References. Amazon CloudWatch Logs user guide, Creating metrics from log events using filters · AWS Security Hub
    user guide, CIS AWS Foundations Benchmark
    """
    return _told(state, "root-use", edition, events)


@check(
    "cloudwatch-alarm-iam-policy-changes",
    "Somebody is told of changes of IAM policies",
    "Nobody is told of changes of IAM policies",
    Severity.MEDIUM,
)
def iam_policy_changes(state: State, *, edition: str = "1.2", events: int = 1) -> Iterator[Judgement]:
    """Whether somebody is told of changes of IAM policies.

    Finds. An account without a whole way from the event to a person: an active trail of all regions with every
    management event, its log group, a metric filter that catches at least these events (compared by meaning, whatever
    its text), an alarm on that metric that `events` of them raise, with actions on, a topic, a confirmed subscriber.
    With `edition` = `7.0` an EventBridge rule in every region that sends to such a topic counts as well. The first
    broken link is named.
    Why it matters. Permissions grow by such a call, quietly.
    False positives. Deployments, which are many. Alarms that go to a product outside AWS without a topic are not seen.
    Fix. Mend the link that is named: `aws logs put-metric-filter`, `aws cloudwatch put-metric-alarm`, `aws sns
    subscribe`.
    References. Amazon CloudWatch Logs user guide, Creating metrics from log events using filters · AWS Security Hub
    user guide, CIS AWS Foundations Benchmark
    """
    return _told(state, "iam-policy-changes", edition, events)


@check(
    "cloudwatch-alarm-trail-changes",
    "Somebody is told of changes of CloudTrail",
    "Nobody is told of changes of CloudTrail",
    Severity.HIGH,
)
def trail_changes(state: State, *, edition: str = "1.2", events: int = 1) -> Iterator[Judgement]:
    """Whether somebody is told of changes of trails.

    Finds. An account without a whole way from the event to a person: an active trail of all regions with every
    management event, its log group, a metric filter that catches at least these events (compared by meaning, whatever
    its text), an alarm on that metric that `events` of them raise, with actions on, a topic, a confirmed subscriber.
    With `edition` = `7.0` an EventBridge rule in every region that sends to such a topic counts as well. The first
    broken link is named.
    Why it matters. Intruders stop the recording first.
    False positives. None worth keeping quiet. Alarms that go to a product outside AWS without a topic are not seen.
    Fix. Mend the link that is named: `aws logs put-metric-filter`, `aws cloudwatch put-metric-alarm`, `aws sns
    subscribe`.
    References. Amazon CloudWatch Logs user guide, Creating metrics from log events using filters · AWS Security Hub
    user guide, CIS AWS Foundations Benchmark
    """
    return _told(state, "trail-changes", edition, events)


@check(
    "cloudwatch-alarm-failed-sign-ins",
    "Somebody is told of failed console sign-ins",
    "Nobody is told of failed console sign-ins",
    Severity.LOW,
)
def failed_sign_ins(state: State, *, edition: str = "1.2", events: int = 1) -> Iterator[Judgement]:
    """Whether somebody is told of failed sign-ins to the console.

    Finds. An account without a whole way from the event to a person: an active trail of all regions with every
    management event, its log group, a metric filter that catches at least these events (compared by meaning, whatever
    its text), an alarm on that metric that `events` of them raise, with actions on, a topic, a confirmed subscriber.
    With `edition` = `7.0` an EventBridge rule in every region that sends to such a topic counts as well. The first
    broken link is named.
    Why it matters. Passwords are being guessed.
    False positives. Typing errors; raise `events`. Alarms that go to a product outside AWS without a topic are not
    seen.
    Fix. Mend the link that is named: `aws logs put-metric-filter`, `aws cloudwatch put-metric-alarm`, `aws sns
    subscribe`.
    References. Amazon CloudWatch Logs user guide, Creating metrics from log events using filters · AWS Security Hub
    user guide, CIS AWS Foundations Benchmark
    """
    return _told(state, "failed-sign-ins", edition, events)


@check(
    "cloudwatch-alarm-key-removal",
    "Somebody is told of KMS keys disabled or scheduled for deletion",
    "Nobody is told of KMS keys disabled or scheduled for deletion",
    Severity.HIGH,
)
def key_removal(state: State, *, edition: str = "1.2", events: int = 1) -> Iterator[Judgement]:
    """Whether somebody is told of KMS keys that are disabled or scheduled for deletion.

    Finds. An account without a whole way from the event to a person: an active trail of all regions with every
    management event, its log group, a metric filter that catches at least these events (compared by meaning, whatever
    its text), an alarm on that metric that `events` of them raise, with actions on, a topic, a confirmed subscriber.
    With `edition` = `7.0` an EventBridge rule in every region that sends to such a topic counts as well. The first
    broken link is named.
    Why it matters. Without the key the data is gone, and there are days in which to stop it.
    False positives. Keys that are retired on purpose. Alarms that go to a product outside AWS without a topic are not
    seen.
    Fix. Mend the link that is named: `aws logs put-metric-filter`, `aws cloudwatch put-metric-alarm`, `aws sns
    subscribe`.
    References. Amazon CloudWatch Logs user guide, Creating metrics from log events using filters · AWS Security Hub
    user guide, CIS AWS Foundations Benchmark
    """
    return _told(state, "key-removal", edition, events)


@check(
    "cloudwatch-alarm-bucket-policy-changes",
    "Somebody is told of changes of bucket policies",
    "Nobody is told of changes of bucket policies",
    Severity.MEDIUM,
)
def bucket_policy_changes(state: State, *, edition: str = "1.2", events: int = 1) -> Iterator[Judgement]:
    """Whether somebody is told of changes of who gets into buckets and what happens to objects.

    Finds. An account without a whole way from the event to a person: an active trail of all regions with every
    management event, its log group, a metric filter that catches at least these events (compared by meaning, whatever
    its text), an alarm on that metric that `events` of them raise, with actions on, a topic, a confirmed subscriber.
    With `edition` = `7.0` an EventBridge rule in every region that sends to such a topic counts as well. The first
    broken link is named.
    Why it matters. A bucket is opened by one call.
    False positives. Deployments. Alarms that go to a product outside AWS without a topic are not seen.
    Fix. Mend the link that is named: `aws logs put-metric-filter`, `aws cloudwatch put-metric-alarm`, `aws sns
    subscribe`.
    References. Amazon CloudWatch Logs user guide, Creating metrics from log events using filters · AWS Security Hub
    user guide, CIS AWS Foundations Benchmark
    """
    return _told(state, "bucket-policy-changes", edition, events)


@check(
    "cloudwatch-alarm-config-changes",
    "Somebody is told of changes of AWS Config",
    "Nobody is told of changes of AWS Config",
    Severity.MEDIUM,
)
def config_changes(state: State, *, edition: str = "1.2", events: int = 1) -> Iterator[Judgement]:
    """Whether somebody is told of changes of AWS Config's recorder.

    Finds. An account without a whole way from the event to a person: an active trail of all regions with every
    management event, its log group, a metric filter that catches at least these events (compared by meaning, whatever
    its text), an alarm on that metric that `events` of them raise, with actions on, a topic, a confirmed subscriber.
    With `edition` = `7.0` an EventBridge rule in every region that sends to such a topic counts as well. The first
    broken link is named.
    Why it matters. What is not recorded cannot be told later.
    False positives. Deployments of the landing zone. Alarms that go to a product outside AWS without a topic are not
    seen.
    Fix. Mend the link that is named: `aws logs put-metric-filter`, `aws cloudwatch put-metric-alarm`, `aws sns
    subscribe`.
    References. Amazon CloudWatch Logs user guide, Creating metrics from log events using filters · AWS Security Hub
    user guide, CIS AWS Foundations Benchmark
    """
    return _told(state, "config-changes", edition, events)


@check(
    "cloudwatch-alarm-security-group-changes",
    "Somebody is told of changes of security groups",
    "Nobody is told of changes of security groups",
    Severity.LOW,
)
def security_group_changes(state: State, *, edition: str = "1.2", events: int = 1) -> Iterator[Judgement]:
    """Whether somebody is told of changes of security groups.

    Finds. An account without a whole way from the event to a person: an active trail of all regions with every
    management event, its log group, a metric filter that catches at least these events (compared by meaning, whatever
    its text), an alarm on that metric that `events` of them raise, with actions on, a topic, a confirmed subscriber.
    With `edition` = `7.0` an EventBridge rule in every region that sends to such a topic counts as well. The first
    broken link is named.
    Why it matters. A port to the world is opened by one call.
    False positives. Deployments, which are many. Alarms that go to a product outside AWS without a topic are not seen.
    Fix. Mend the link that is named: `aws logs put-metric-filter`, `aws cloudwatch put-metric-alarm`, `aws sns
    subscribe`.
    References. Amazon CloudWatch Logs user guide, Creating metrics from log events using filters · AWS Security Hub
    user guide, CIS AWS Foundations Benchmark
    """
    return _told(state, "security-group-changes", edition, events)


@check(
    "cloudwatch-alarm-network-acl-changes",
    "Somebody is told of changes of network ACLs",
    "Nobody is told of changes of network ACLs",
    Severity.LOW,
)
def network_acl_changes(state: State, *, edition: str = "1.2", events: int = 1) -> Iterator[Judgement]:
    """Whether somebody is told of changes of network ACLs.

    Finds. An account without a whole way from the event to a person: an active trail of all regions with every
    management event, its log group, a metric filter that catches at least these events (compared by meaning, whatever
    its text), an alarm on that metric that `events` of them raise, with actions on, a topic, a confirmed subscriber.
    With `edition` = `7.0` an EventBridge rule in every region that sends to such a topic counts as well. The first
    broken link is named.
    Why it matters. The subnet's second line of defence is opened by one call.
    False positives. Deployments. Alarms that go to a product outside AWS without a topic are not seen.
    Fix. Mend the link that is named: `aws logs put-metric-filter`, `aws cloudwatch put-metric-alarm`, `aws sns
    subscribe`.
    References. Amazon CloudWatch Logs user guide, Creating metrics from log events using filters · AWS Security Hub
    user guide, CIS AWS Foundations Benchmark
    """
    return _told(state, "network-acl-changes", edition, events)


@check(
    "cloudwatch-alarm-gateway-changes",
    "Somebody is told of changes of network gateways",
    "Nobody is told of changes of network gateways",
    Severity.LOW,
)
def gateway_changes(state: State, *, edition: str = "1.2", events: int = 1) -> Iterator[Judgement]:
    """Whether somebody is told of changes of gateways.

    Finds. An account without a whole way from the event to a person: an active trail of all regions with every
    management event, its log group, a metric filter that catches at least these events (compared by meaning, whatever
    its text), an alarm on that metric that `events` of them raise, with actions on, a topic, a confirmed subscriber.
    With `edition` = `7.0` an EventBridge rule in every region that sends to such a topic counts as well. The first
    broken link is named.
    Why it matters. A way out to the internet appears by one call.
    False positives. Deployments. Alarms that go to a product outside AWS without a topic are not seen.
    Fix. Mend the link that is named: `aws logs put-metric-filter`, `aws cloudwatch put-metric-alarm`, `aws sns
    subscribe`.
    References. Amazon CloudWatch Logs user guide, Creating metrics from log events using filters · AWS Security Hub
    user guide, CIS AWS Foundations Benchmark
    """
    return _told(state, "gateway-changes", edition, events)


@check(
    "cloudwatch-alarm-route-changes",
    "Somebody is told of changes of route tables",
    "Nobody is told of changes of route tables",
    Severity.LOW,
)
def route_changes(state: State, *, edition: str = "1.2", events: int = 1) -> Iterator[Judgement]:
    """Whether somebody is told of changes of route tables.

    Finds. An account without a whole way from the event to a person: an active trail of all regions with every
    management event, its log group, a metric filter that catches at least these events (compared by meaning, whatever
    its text), an alarm on that metric that `events` of them raise, with actions on, a topic, a confirmed subscriber.
    With `edition` = `7.0` an EventBridge rule in every region that sends to such a topic counts as well. The first
    broken link is named.
    Why it matters. Traffic is led past those who look at it.
    False positives. Deployments. Alarms that go to a product outside AWS without a topic are not seen.
    Fix. Mend the link that is named: `aws logs put-metric-filter`, `aws cloudwatch put-metric-alarm`, `aws sns
    subscribe`.
    References. Amazon CloudWatch Logs user guide, Creating metrics from log events using filters · AWS Security Hub
    user guide, CIS AWS Foundations Benchmark
    """
    return _told(state, "route-changes", edition, events)


@check(
    "cloudwatch-alarm-vpc-changes",
    "Somebody is told of changes of VPCs",
    "Nobody is told of changes of VPCs",
    Severity.LOW,
)
def vpc_changes(state: State, *, edition: str = "1.2", events: int = 1) -> Iterator[Judgement]:
    """Whether somebody is told of changes of VPCs and their peerings.

    Finds. An account without a whole way from the event to a person: an active trail of all regions with every
    management event, its log group, a metric filter that catches at least these events (compared by meaning, whatever
    its text), an alarm on that metric that `events` of them raise, with actions on, a topic, a confirmed subscriber.
    With `edition` = `7.0` an EventBridge rule in every region that sends to such a topic counts as well. The first
    broken link is named.
    Why it matters. A peering joins your network to somebody else's.
    False positives. Deployments. Alarms that go to a product outside AWS without a topic are not seen.
    Fix. Mend the link that is named: `aws logs put-metric-filter`, `aws cloudwatch put-metric-alarm`, `aws sns
    subscribe`.
    References. Amazon CloudWatch Logs user guide, Creating metrics from log events using filters · AWS Security Hub
    user guide, CIS AWS Foundations Benchmark
    """
    return _told(state, "vpc-changes", edition, events)


@check(
    "cloudwatch-alarm-organization-changes",
    "Somebody is told of changes of AWS Organizations",
    "Nobody is told of changes of AWS Organizations",
    Severity.MEDIUM,
)
def organization_changes(state: State, *, edition: str = "1.2", events: int = 1) -> Iterator[Judgement]:
    """Whether somebody is told of changes of the organisation.

    Finds. An account without a whole way from the event to a person: an active trail of all regions with every
    management event, its log group, a metric filter that catches at least these events (compared by meaning, whatever
    its text), an alarm on that metric that `events` of them raise, with actions on, a topic, a confirmed subscriber.
    With `edition` = `7.0` an EventBridge rule in every region that sends to such a topic counts as well. The first
    broken link is named.
    Why it matters. Guardrails fall off for every account at once.
    False positives. New accounts; members see no such events, so this concerns the management account. Alarms that go
    to a product outside AWS without a topic are not seen.
    Fix. Mend the link that is named: `aws logs put-metric-filter`, `aws cloudwatch put-metric-alarm`, `aws sns
    subscribe`.
    References. Amazon CloudWatch Logs user guide, Creating metrics from log events using filters · AWS Security Hub
    user guide, CIS AWS Foundations Benchmark
    """
    return _told(state, "organization-changes", edition, events)
