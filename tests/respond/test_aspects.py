"""Aspects: every call is one that AWS has, with a permission that IAM has; the laws of changing and taking back."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from clew.audit.checks import CHECKS
from clew.aws import catalog
from clew.detect.catalog import load_builtin
from clew.errors import ChangeError, IrreversibleError
from clew.respond import templates
from clew.respond.actions import ACTIONS
from clew.respond.actions.bucket_policy import with_statements
from clew.respond.actions.cloudtrail import LOG_OBJECT_EVENTS
from clew.respond.aspects import ASPECTS
from clew.respond.aspects.cloudtrail import TRAIL_EVENT_SELECTORS
from clew.respond.aspects.ec2 import SECURITY_GROUP_RULES
from clew.respond.hcl import resource
from clew.respond.model import Place, State, Step, Target, plan
from clew.respond.rules import RULES

PLACE = Place("111122223333", "eu-west-1", "arn:aws:x:eu-west-1:111122223333:thing/one", detail="two")
FLAGS = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)
RULE = {"IsEgress": False, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "10.0.0.0/8"}
TAGGED = RULE | {"Tags": [{"Key": "a", "Value": "b"}], "IsEgress": True, "Description": "d"}
TRUST = {"Version": "2012-10-17", "Statement": []}
OTHER = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
V1 = {"VersionId": "v1", "IsDefaultVersion": True, "Document": TRUST}
V2 = {"VersionId": "v2", "IsDefaultVersion": True, "Document": OTHER}
INVOKE = {
    "Sid": "ClewFix",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:user/ana"},
    "Action": "lambda:InvokeFunction",
    "Resource": "*",
}
TRAIL = {"LogFileValidationEnabled": False, "IsMultiRegionTrail": False, "IncludeGlobalServiceEvents": False}
SELECTOR = {"ReadWriteType": "All", "IncludeManagementEvents": True}
LOG = {
    "TrafficType": "ALL",
    "LogDestinationType": "cloud-watch-logs",
    "LogGroupName": "g",
    "DeliverLogsPermissionArn": "arn:aws:iam::111122223333:role/r",
}
RECORDER = {"name": "default", "roleARN": "arn:aws:iam::111122223333:role/r"}
# Two values of each aspect that writes; the calls go both ways.
VALUES: dict[str, tuple[Any, Any]] = {
    "bucket-public-access-block": (None, FLAGS),
    "account-public-access-block": (None, FLAGS),
    "bucket-versioning": ({"Status": "Suspended"}, {"Status": "Enabled"}),
    "bucket-logging": (None, {"TargetBucket": "logs", "TargetPrefix": "p"}),
    "bucket-policy": (None, json.dumps(TRUST)),
    "access-keys": (
        [{"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": "Active"}],
        [{"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": "Inactive"}],
    ),
    "password-policy": (None, {"MinimumPasswordLength": 14, "RequireSymbols": True, "MaxPasswordAge": 90}),
    "role": (None, {"Path": "/", "AssumeRolePolicyDocument": TRUST}),
    "role-policy": (None, TRUST),
    **dict.fromkeys(("user-policy", "group-policy", "secret-policy"), (None, TRUST)),
    **dict.fromkeys(("role-trust", "key-policy", "topic-policy", "queue-policy"), (TRUST, OTHER)),
    **dict.fromkeys(("service-control-policy", "resource-control-policy"), (TRUST, OTHER)),
    "managed-policy": ([V1], [{**V1, "IsDefaultVersion": False}, V2]),
    "function-policy": (None, {"Version": "2012-10-17", "Statement": [INVOKE]}),
    "service-linked-role": (None, {"AWSServiceName": "config.amazonaws.com"}),
    "trail-logging": (False, True),
    "trail-settings": (TRAIL, dict.fromkeys(TRAIL, True)),
    "trail-event-selectors": ({"EventSelectors": [SELECTOR]}, {"EventSelectors": [SELECTOR, SELECTOR]}),
    "security-group-rules": ([RULE, TAGGED], []),
    "vpc-flow-logs": ([], [LOG]),
    "key-rotation": ({"KeyRotationEnabled": False}, {"KeyRotationEnabled": True}),
    "log-group": (None, {"retentionInDays": 365}),
    "config-recorder": (None, {**RECORDER, "recordingGroup": {"allSupported": True}}),
    "delivery-channel": (None, {"name": "default", "s3BucketName": "history"}),
    "recording": (None, {"name": "default", "recording": True}),
    "external-access-analyzers": ([], [{"analyzerName": "a", "type": "ACCOUNT", "status": "ACTIVE"}]),
}
READ_ONLY = {"security-group", "vpc"}
SDK = botocore.session.Session()


def both_ways(name: str) -> list[Any]:
    aspect, (one, other) = ASPECTS[name], VALUES[name]
    if name == "recording":
        other_way = aspect.calls(PLACE, other, {"name": "default", "recording": False})
    else:
        other_way = aspect.calls(PLACE, other, one)
    return [*aspect.calls(PLACE, one, other), *other_way]


def test_every_aspect_has_values() -> None:
    """No aspect goes untested."""
    assert set(VALUES) | READ_ONLY == set(ASPECTS)


@pytest.mark.parametrize("name", sorted(VALUES))
def test_calls_are_those_that_aws_has(name: str) -> None:
    """Each call is an operation of the service, and its parameters are such as the service takes."""
    calls = both_ways(name)
    assert len(calls) >= 2
    for write in calls:
        model = SDK.get_service_model(write.service).operation_model(write.operation)
        if model.input_shape is not None:
            report = ParamValidator().validate(dict(write.parameters), model.input_shape)
            assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("name", sorted(ASPECTS))
def test_permissions_are_those_that_iam_has(name: str) -> None:
    """Each permission that is printed is an action of IAM's."""
    writes = both_ways(name) if name in VALUES else []
    needed = {action for write in writes for action in write.actions} | set(ASPECTS[name].read.actions)
    known = catalog.current()
    assert not {action for action in needed if known.action(action) is None}


@pytest.mark.parametrize("name", sorted(VALUES))
def test_nothing_is_called_where_nothing_changes(name: str) -> None:
    """Law: from a value to itself there are no calls."""
    for value in VALUES[name]:
        assert ASPECTS[name].calls(PLACE, value, value) == ()


@pytest.mark.parametrize("name", sorted(READ_ONLY))
def test_what_is_only_read_is_never_changed(name: str) -> None:
    """A group and a VPC are looked at, to know that they are there."""
    with pytest.raises(ChangeError, match="itself is not changed"):
        ASPECTS[name].change(PLACE, None, {})


def test_rules_name_actions_and_checks_that_exist() -> None:
    """Each remedied rule is a check or a detection, each remedy an action with such options."""
    assert set(RULES) <= set(CHECKS) | {rule.id for rule in load_builtin().rules}
    for remedy in RULES.values():
        assert set(remedy.options) <= set(ACTIONS[remedy.action].options)


_RULES = (
    st.lists(
        st.fixed_dictionaries(
            {
                "IsEgress": st.booleans(),
                "IpProtocol": st.sampled_from(["tcp", "-1"]),
                "FromPort": st.sampled_from([22, 80]),
                "ToPort": st.just(80),
                "CidrIpv4": st.sampled_from(["0.0.0.0/0", "10.0.0.0/8"]),
            },
            optional={
                "Description": st.sampled_from(["a", "b"]),
                "Tags": st.just([{"Key": "k", "Value": "v"}]),
            },
        ),
        max_size=5,
        # A group never holds the same source twice.
        unique_by=lambda rule: (rule["IsEgress"], rule["IpProtocol"], rule["FromPort"], rule["CidrIpv4"]),
    )
    .map(
        lambda rules: [r | ({"FromPort": -1, "ToPort": -1} if r["IpProtocol"] == "-1" else {}) for r in rules]
    )
    .map(
        lambda rules: list(
            {
                json.dumps([r["IsEgress"], r["IpProtocol"], r["FromPort"], r["CidrIpv4"]]): r for r in rules
            }.values()
        )
    )
)


def carried_out(rules: list[Any], writes: Any) -> list[Any]:
    """The rules of a group after these calls, as EC2 would have them."""
    found = list(rules)
    for write in writes:
        egress = write.operation.endswith("Egress")
        tags = write.parameters.get("TagSpecifications", [{"Tags": []}])[0]["Tags"]
        for permission in write.parameters["IpPermissions"]:
            rule = _rule(permission, tags, egress=egress)
            same = [r for r in found if _where(r) == _where(rule)]
            if write.operation.startswith("Revoke"):
                assert same, "InvalidPermission.NotFound"
                found = [r for r in found if r not in same]
            else:
                assert not same, "InvalidPermission.Duplicate"
                found.append(rule)
    return found


def _rule(permission: Any, tags: Any, *, egress: bool) -> Any:
    source = permission["IpRanges"][0]
    rule = {
        "IsEgress": egress,
        "IpProtocol": permission["IpProtocol"],
        "FromPort": permission.get("FromPort", -1),
        "ToPort": permission.get("ToPort", -1),
        "CidrIpv4": source["CidrIp"],
    }
    return (
        rule
        | ({"Description": source["Description"]} if "Description" in source else {})
        | ({"Tags": tags} if tags else {})
    )


def _where(rule: Any) -> Any:
    return [rule[name] for name in ("IsEgress", "IpProtocol", "FromPort", "CidrIpv4")]


@pytest.mark.parametrize("name", sorted(VALUES))
def test_each_hop_is_one_call(name: str) -> None:
    """Law: a step is one call, so that a change that breaks off leaves a value that is on record."""
    aspect, (one, other) = ASPECTS[name], VALUES[name]
    steps = State({(name, PLACE): one}).to(aspect, PLACE, other)
    assert [len(step.writes) for step in steps] == [1] * len(steps)
    assert (steps[0].before, steps[-1].after) == (one, other)


@given(_RULES, _RULES)
def test_each_hop_between_rules_is_one_call(before: list[Any], after: list[Any]) -> None:
    """Law: from any rules of a group to any others each step is one call, and each leads to the next."""
    steps = State({(SECURITY_GROUP_RULES.name, PLACE): before}).to(SECURITY_GROUP_RULES, PLACE, after)
    for step in steps:
        assert len(step.writes) == 1
        assert SECURITY_GROUP_RULES.same(carried_out(step.before, step.writes), step.after)
    assert not steps or SECURITY_GROUP_RULES.same(steps[-1].after, after)


@given(_RULES, _RULES)
def test_rules_of_a_group_become_what_is_wanted_and_back(before: list[Any], after: list[Any]) -> None:
    """Law: the calls lead from any rules to any other, descriptions and tags included, and back; EC2 refuses none."""
    step = Step(SECURITY_GROUP_RULES, PLACE, before, after)
    there = carried_out(before, step.writes)
    assert SECURITY_GROUP_RULES.same(there, after)
    assert SECURITY_GROUP_RULES.same(carried_out(there, step.undo), before)


_STATEMENTS = st.lists(
    st.fixed_dictionaries(
        {"Sid": st.sampled_from("AB"), "Effect": st.just("Deny"), "Action": st.sampled_from("xyz")}
    ),
    max_size=3,
)


@given(_STATEMENTS, _STATEMENTS, st.booleans())
def test_merged_policy_keeps_every_statement(kept: list[Any], added: list[Any], alone: bool) -> None:
    """Law: a merge leaves what was there in its order and adds each statement once; merging twice is merging once."""
    document = {"Version": "2008-10-17", "Id": "i", "Statement": kept[0] if alone and kept else kept}
    kept = kept[:1] if alone and kept else kept
    merged = with_statements(json.dumps(document), *added)
    found = json.loads(merged)
    assert found["Statement"] == document["Statement"] or found["Statement"][: len(kept)] == kept
    assert {key: found[key] for key in ("Version", "Id")} == {"Version": "2008-10-17", "Id": "i"}
    assert with_statements(merged, *added) == merged


def test_policy_that_gets_too_long_is_refused() -> None:
    """S3 takes 20 KB."""
    long = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "x" * 20_470}]})
    with pytest.raises(ChangeError, match="S3 takes 20,480"):
        with_statements(long, {"Sid": "A", "Effect": "Deny"})


def selectors(found: Any, **options: str) -> Any:
    target = Target("t", PLACE)
    state = State({(TRAIL_EVENT_SELECTORS.name, PLACE): found})
    return plan(LOG_OBJECT_EVENTS, target, options, state).steps


def test_data_events_keep_the_trails_management_events() -> None:
    """A trail without selectors of its own logs management events: that is said before a bucket is added."""
    step = selectors({"EventSelectors": []}, bucket="pay")[0]
    selector = step.after["EventSelectors"][0]
    assert (selector["IncludeManagementEvents"], selector["ReadWriteType"]) == (True, "All")
    assert selector["DataResources"] == [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::pay/"]}]


def test_sixth_selector_is_refused() -> None:
    """AWS takes five selectors; a sixth is not asked for."""
    full = {"EventSelectors": [SELECTOR | {"ReadWriteType": "ReadOnly"}] * 5}
    with pytest.raises(ChangeError, match="5 selectors already"):
        selectors(full, bucket="pay", events="WriteOnly")


def test_flow_logs_need_a_role_that_the_service_may_assume() -> None:
    """A role that does not trust the flow log service is refused before anything is made."""
    action, target = ACTIONS["enable-flow-logs"], Target("v", PLACE)
    values: list[Any] = [{"VpcId": "v"}, [], None, {"Path": "/", "AssumeRolePolicyDocument": TRUST}, None]
    needs = action.needs(target, {})
    state = State({(a.name, p): value for (a, p), value in zip(needs, values, strict=True)})
    with pytest.raises(ChangeError, match=r"does not trust vpc-flow-logs\.amazonaws\.com"):
        plan(action, target, {}, state)


def test_deleted_key_has_no_way_back() -> None:
    """What nothing brings back is known before it is done."""
    step = Step(ASPECTS["access-keys"], PLACE, [{"AccessKeyId": "A", "Status": "Inactive"}], [])
    assert step.why_irreversible
    with pytest.raises(IrreversibleError):
        _ = step.undo


@pytest.mark.parametrize("name", sorted(VALUES))
def test_snippets_are_made_of_any_value(name: str) -> None:
    """Each value that is wanted of an aspect can be written for CloudFormation and Terraform, or is left out."""
    step = Step(ASPECTS[name], PLACE, *VALUES[name])
    if name != "security-group-rules":
        json.dumps(templates.cloudformation((step,)))
        assert templates.terraform((step,)).count("{") == templates.terraform((step,)).count("}")


def test_texts_of_an_account_are_no_expressions_of_terraform() -> None:
    """An expression in a policy stays text."""
    told = resource("aws_s3_bucket_policy", "b", {"policy": '${file("/etc/passwd")} %{ if true }'})
    assert '"$${file(\\"/etc/passwd\\")} %%{ if true }"' in told
