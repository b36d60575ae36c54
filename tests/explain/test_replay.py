"""Recorded calls whose outcome was decided by `spec/`, never by the engine, are predicted as they were recorded."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from spec.decide import decide

from clew.aws.catalog import is_wildcard_only
from clew.explain.replay import Comparison, Outcome, replay, replay_all
from clew.reach.predict import Predictor
from clew.snapshot import details, side
from clew.snapshot.model import Organization, Snapshot, Source

ACCOUNT = "111122223333"
USER = f"arn:aws:iam::{ACCOUNT}:user/ana"
BUCKETS = ("logs", "payroll")
CALLS = ("GetObject", "PutObject", "ListObjectsV2", "DeleteObject", "GetBucketAcl")
_ACTION = {"ListObjectsV2": "s3:ListBucket"}
ADDRESSES = ("203.0.113.9", "198.51.100.7")

_patterns = st.sampled_from(
    ["*", "arn:aws:s3:::*", "arn:aws:s3:::logs", "arn:aws:s3:::logs/*", "arn:aws:s3:::payroll/a*"]
)
_names = st.sampled_from(["*", "s3:*", "s3:Get*", "s3:GetObject", "s3:PutObject", "s3:List*", "s3:Delete*"])
_conditions = st.sampled_from(
    [
        {},
        {},
        {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"Bool": {"aws:SecureTransport": "false"}},
        {"StringEquals": {"aws:username": "ana"}},
        {"Null": {"aws:MultiFactorAuthPresent": "true"}},
        {"StringLike": {"aws:UserAgent": "aws-cli*"}},
        {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}},
    ]
)


@st.composite
def _statements(draw: st.DrawFn, *, principal: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        "Action": draw(st.lists(_names, min_size=1, max_size=2)),
        "Resource": draw(_patterns),
    }
    condition = draw(_conditions)
    if condition:
        made["Condition"] = condition
    if principal:
        made["Principal"] = draw(st.sampled_from(["*", {"AWS": USER}, {"AWS": ACCOUNT}]))
    return made


def _policies(*, principal: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    one = st.lists(_statements(principal=principal), min_size=1, max_size=3)
    return one.map(lambda statements: {"Version": "2012-10-17", "Statement": statements})


@st.composite
def _worlds(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "identity": draw(st.lists(_policies(), max_size=2)),
        "buckets": {bucket: draw(st.none() | _policies(principal=True)) for bucket in BUCKETS},
        "scp": draw(_policies()),
        "calls": draw(
            st.lists(
                st.tuples(st.sampled_from(CALLS), st.sampled_from(BUCKETS), st.sampled_from(ADDRESSES)),
                min_size=1,
                max_size=6,
            )
        ),
    }


def _snapshot(world: dict[str, Any]) -> Snapshot:
    inline = [{"PolicyName": f"p{n}", "PolicyDocument": policy} for n, policy in enumerate(world["identity"])]
    user = {
        "UserName": "ana",
        "UserId": "AIDA",
        "Arn": USER,
        "Path": "/",
        "GroupList": [],
        "UserPolicyList": inline,
        "AttachedManagedPolicies": [],
        "Tags": [],
    }
    collected = details.Collected()
    collected.add(
        Source(
            "account.json",
            json.dumps(
                {"UserDetailList": [user], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
            ),
        )
    )
    buckets = {
        f"arn:aws:s3:::{name}": {"Account": ACCOUNT, "Policy": policy}
        for name, policy in world["buckets"].items()
    }
    prefix = "arn:aws:organizations::999988887777"
    root, account = f"{prefix}:root/o-exampleorg1/r-ex01", f"{prefix}:account/o-exampleorg1/{ACCOUNT}"
    tree = {"ManagementAccount": "999988887777", "Accounts": {account: [root]}}
    organization = side.with_tree(Organization(), Source("organization.json", json.dumps(tree)))
    scps = {root: ["FullAWSAccess"], account: [{"Name": "Limit", "Content": world["scp"]}]}
    organization = side.with_scps(organization, Source("scps.json", json.dumps(scps)))
    return Snapshot(
        collected.accounts(), side.resources(Source("resources.json", json.dumps(buckets))), organization
    )


def _outcome(world: dict[str, Any], call: str, bucket: str, address: str) -> str:
    """What the law says of the call, with the whole context of the request that really took place."""
    action = _ACTION.get(call, f"s3:{call}")
    resource = f"arn:aws:s3:::{bucket}" + ("/a" if "Object" in call and call != "ListObjectsV2" else "")
    full = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    line = {
        "id": 1,
        "request": {
            "principal": USER,
            "action": action,
            "resource": resource,
            "resource_account": ACCOUNT,
            "context": {
                "aws:SourceIp": address,
                "aws:SecureTransport": "true",
                "aws:username": "ana",
                "aws:UserAgent": "aws-cli/2.31.4",
                "aws:CurrentTime": "2026-03-11T02:24:10Z",
            },
        },
        "identity_policies": world["identity"],
        "scps": [[full], [world["scp"]]],
    }
    if world["buckets"][bucket] is not None:
        line["resource_policy"] = world["buckets"][bucket]
    return str(decide(line, wildcard_only=is_wildcard_only(action)).decision)


def _event(call: str, bucket: str, address: str, *, denied: bool) -> dict[str, Any]:
    """The call as CloudTrail records it: TLS and the like are not always there."""
    event = {
        "eventID": f"{call}-{bucket}-{address}",
        "eventTime": "2026-03-11T02:24:10Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": call,
        "awsRegion": "eu-west-1",
        "recipientAccountId": ACCOUNT,
        "sourceIPAddress": address,
        "userAgent": "aws-cli/2.31.4",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDA",
            "arn": USER,
            "accountId": ACCOUNT,
            "accessKeyId": "AKIAEXAMPLE",
            "userName": "ana",
        },
        "requestParameters": {
            "bucketName": bucket,
            **({"key": "a"} if "Object" in call and call != "ListObjectsV2" else {}),
        },
    }
    return event | ({"errorCode": "AccessDenied", "errorMessage": "Access Denied"} if denied else {})


@settings(max_examples=60)
@given(world=_worlds())
def test_determined_predictions_are_what_the_law_decided(world: dict[str, Any]) -> None:
    """No determined prediction disagrees with an outcome that the law decided; what records do not hold is open."""
    predictor = Predictor(_snapshot(world))
    for call in world["calls"]:
        allowed = _outcome(world, *call) == "allow"
        one = replay(_event(*call, denied=not allowed), predictor)
        assert one.comparison in {Comparison.AGREES, Comparison.OPEN}, (one, world)
        if one.comparison is Comparison.AGREES:
            assert one.predicted is (Outcome.ALLOWED if allowed else Outcome.DENIED)


_READER = {
    "identity": [
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "Read",
                    "Effect": "Allow",
                    "Action": "s3:GetObject",
                    "Resource": "arn:aws:s3:::logs/*",
                }
            ],
        }
    ],
    "buckets": {"logs": None, "payroll": None},
    "scp": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
}
_READ = ("GetObject", "logs", ADDRESSES[0])


def test_a_policy_that_changed_shows_as_a_disagreement() -> None:
    """A call that was refused although the policies allow it today is told, with an example, before all else."""
    events = [_event(*_READ, denied=True), _event(*_READ, denied=False)]
    found = replay_all(events, Predictor(_snapshot(_READER)))
    assert found.comparisons == {Comparison.DISAGREES: 1, Comparison.AGREES: 1}
    assert found.matrix == {(Outcome.ALLOWED, Outcome.DENIED): 1, (Outcome.ALLOWED, Outcome.ALLOWED): 1}
    assert (found.agreement, found.coverage) == (0.5, 1.0)
    assert found.groups[0].examples[0].event_id == events[0]["eventID"]


def test_what_is_not_in_the_snapshot_is_unknown_and_never_an_agreement() -> None:
    """Without a snapshot, of another account, through an endpoint, on another's bucket: nothing is claimed."""
    event = _event(*_READ, denied=False)
    assert replay(event, None).comparison is Comparison.UNKNOWN
    assert replay(event, Predictor(Snapshot())).reason.startswith(f"account {ACCOUNT}")
    predictor = Predictor(_snapshot(_READER))
    behind = replay({**event, "vpcEndpointId": "vpce-1", "sourceIPAddress": "10.0.0.1"}, predictor)
    assert (behind.comparison, behind.reason) == (Comparison.OPEN, "the policy of VPC endpoint vpce-1")
    elsewhere = replay({**event, "requestParameters": {"bucketName": "theirs", "key": "a"}}, predictor)
    assert elsewhere.comparison is Comparison.OPEN
    untold = replay({**event, "requestParameters": None}, predictor)
    assert (untold.comparison, untold.reason) == (Comparison.OPEN, "the record does not show the resource")


def test_a_call_that_failed_for_another_reason_is_not_compared() -> None:
    """An error that is no refusal says nothing of permissions."""
    event = _event(*_READ, denied=False) | {"errorCode": "NoSuchKey"}
    found = replay(event, Predictor(_snapshot(_READER)))
    assert (found.comparison, found.predicted) == (Comparison.NOT_COMPARED, Outcome.ALLOWED)
