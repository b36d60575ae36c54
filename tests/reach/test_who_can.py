"""Who can and what can: every principal is the engine's to judge, and nobody is left out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.engine.cases import policy

from clew.engine import Context, Effect, Request, prepare
from clew.reach.applied import applied
from clew.reach.predict import NoPrediction, Predictor
from clew.reach.what_can import what_can
from clew.reach.who_can import principals, who_can
from clew.report import access_text
from clew.snapshot import details, side
from clew.snapshot.model import Snapshot, Source

ACCOUNT = "111122223333"
ANA, BOB, CI = (
    f"arn:aws:iam::{ACCOUNT}:user/ana",
    f"arn:aws:iam::{ACCOUNT}:user/bob",
    f"arn:aws:iam::{ACCOUNT}:role/ci",
)
OBJECT = "arn:aws:s3:::logs/a"


def _user(arn: str, *words: object) -> dict[str, Any]:
    inline = [{"PolicyName": "p", "PolicyDocument": policy(list(words))}] if words else []
    return {
        "UserName": arn.rpartition("/")[2],
        "Arn": arn,
        "Path": "/",
        "UserId": "AIDA",
        "GroupList": [],
        "UserPolicyList": inline,
        "AttachedManagedPolicies": [],
        "Tags": [],
    }


def _snapshot(bucket: object = None) -> Snapshot:
    office = {
        "statement": "Allow s3:GetObject on arn:aws:s3:::logs/* as Office",
        "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
    }
    role = {
        "RoleName": "ci",
        "Arn": CI,
        "Path": "/",
        "RoleId": "AROA",
        "AssumeRolePolicyDocument": policy("Allow sts:AssumeRole to ec2.amazonaws.com"),
        "RolePolicyList": [
            {
                "PolicyName": "p",
                "PolicyDocument": policy(
                    ["Allow s3:* on arn:aws:s3:::logs/*", "Deny s3:* on arn:aws:s3:::logs/secret/*"]
                ),
            }
        ],
        "AttachedManagedPolicies": [],
        "InstanceProfileList": [],
        "Tags": [],
    }
    content = {
        "UserDetailList": [_user(ANA, office), _user(BOB)],
        "GroupDetailList": [],
        "RoleDetailList": [role],
        "Policies": [],
    }
    collected = details.Collected()
    assert collected.add(Source("a.json", json.dumps(content)))
    held = {"arn:aws:s3:::logs": {"Account": ACCOUNT, "Policy": policy(bucket) if bucket else None}}
    return Snapshot(collected.accounts(), side.resources(Source("r.json", json.dumps(held))))


def _who(snapshot: Snapshot, **given: str) -> tuple[list[str], list[str], int]:
    found = who_can(Predictor(snapshot), "s3:GetObject", OBJECT, context=given)
    return (
        [each.principal for each in found.always],
        [each.principal for each in found.conditional],
        found.cannot,
    )


def test_everybody_is_asked_and_conditions_are_told() -> None:
    """Users, roles, root and the anonymous caller are each in one of the three lists."""
    found = who_can(Predictor(_snapshot()), "s3:GetObject", OBJECT)
    assert [each.principal for each in found.always] == [CI, f"arn:aws:iam::{ACCOUNT}:root"]
    assert [(each.principal, each.condition) for each in found.conditional] == [
        (ANA, "allowed if aws:SourceIp is in 192.0.2.0/24; implicit_deny otherwise")
    ]
    assert found.cannot == 2
    assert len(list(principals(_snapshot()))) == len(found.always) + len(found.conditional) + found.cannot


def test_a_given_key_settles_a_condition() -> None:
    """With the address given nobody stays open."""
    assert _who(_snapshot(), **{"aws:SourceIp": "192.0.2.7"})[0][0] == ANA
    assert _who(_snapshot(), **{"aws:SourceIp": "198.51.100.1"})[1:] == ([], 3)


def test_the_resource_lets_in_whom_its_policy_names() -> None:
    """A bucket policy adds users of the account, everybody, and names outsiders apart."""
    assert BOB in _who(_snapshot(f"Allow s3:GetObject on arn:aws:s3:::logs/* to {BOB}"))[0]
    assert "*" in _who(_snapshot("Allow s3:GetObject on arn:aws:s3:::logs/* to *"))[0]
    found = who_can(
        Predictor(_snapshot("Allow s3:GetObject on arn:aws:s3:::logs/* to 444455556666 as Partner")),
        "s3:GetObject",
        OBJECT,
    )
    assert [(each.principal, each.reason) for each in found.outsiders] == [
        ("444455556666", "named by `Partner` of the resource's policy")
    ]


def test_outsiders_are_those_who_are_let_in_to_just_this() -> None:
    """A statement about another action or another folder names nobody, a grant of a key does."""
    folder = "Allow s3:GetObject on arn:aws:s3:::logs/out/* to 444455556666"
    for action, resource in (("s3:GetObject", OBJECT), ("s3:PutObject", "arn:aws:s3:::logs/out/a")):
        assert not who_can(Predictor(_snapshot(folder)), action, resource).outsiders
    key = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    grant = {"GranteePrincipal": "arn:aws:iam::444455556666:role/etl", "Operations": ["Decrypt"]}
    held = {key: {"Policy": policy(f"Allow kms:* on * to {ACCOUNT}"), "Grants": [grant]}}
    snapshot = Snapshot(_snapshot().accounts, side.resources(Source("r.json", json.dumps(held))))
    found = {
        action: [
            (each.principal, each.reason) for each in who_can(Predictor(snapshot), action, key).outsiders
        ]
        for action in ("kms:Decrypt", "kms:Encrypt")
    }
    assert found == {
        "kms:Decrypt": [("arn:aws:iam::444455556666:role/etl", "a grant of the key")],
        "kms:Encrypt": [],
    }


def test_what_is_taken_for_granted_is_said() -> None:
    """Where the bucket's policy lets in whoever comes through an endpoint, the answer says that nobody was taken to."""
    endpoint = {
        "statement": "Allow s3:GetObject on arn:aws:s3:::logs/* to *",
        "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}},
    }
    found = who_can(Predictor(_snapshot(endpoint)), "s3:GetObject", OBJECT)
    assert "aws:SourceVpce" in found.assumed[0]
    assert found.assumed[0].split(";")[0] in " ".join(access_text.who_can(found).split())
    given = {"aws:SourceVpce": "vpce-1a2b3c4d"}
    assert not who_can(Predictor(_snapshot(endpoint)), "s3:GetObject", OBJECT, context=given).assumed


def test_who_is_denied_in_one_way_or_another_cannot() -> None:
    """A Deny under a condition does not make somebody a candidate to whom nothing is allowed."""
    plain = {
        "statement": "Deny s3:* on * to * as Tls",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    assert _who(_snapshot(plain), **{"aws:SourceIp": "192.0.2.7"}) == (
        [],
        [ANA, CI, f"arn:aws:iam::{ACCOUNT}:root"],
        2,
    )


def test_managed_policies_of_aws_are_nobody_s_account() -> None:
    """What `aws iam get-account-authorization-details` prints holds AWS's own policies, and they have no root user."""
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": policy("Allow * on *")}
    listed = {"PolicyName": "AdministratorAccess", "Arn": admin, "PolicyVersionList": [version]}
    user = {
        **_user(ANA),
        "AttachedManagedPolicies": [{"PolicyName": "AdministratorAccess", "PolicyArn": admin}],
    }
    content = {"UserDetailList": [user], "GroupDetailList": [], "RoleDetailList": [], "Policies": [listed]}
    collected = details.Collected()
    assert collected.add(Source("a.json", json.dumps(content)))
    found = who_can(Predictor(Snapshot(collected.accounts())), "ec2:RunInstances", "*")
    assert [each.principal for each in found.always] == [ANA, f"arn:aws:iam::{ACCOUNT}:root"]


def test_what_a_role_can_do_is_what_the_engine_allows() -> None:
    """Each listed action is allowed on its resource in an unknown context, and a narrower Deny is told."""
    snapshot = _snapshot()
    found = what_can(snapshot, CI)
    assert not isinstance(found, NoPrediction)
    row = next(row for row in found.allowed if row.resource == "arn:aws:s3:::logs/*")
    assert row.except_on == ("arn:aws:s3:::logs/secret/*",)
    assert "s3:GetObject" in row.always
    assert "s3:ListBucket" not in row.always
    prepared = prepare(applied(snapshot, CI, "s3:GetObject", row.resource).policies)
    for action in row.always:
        request = Request(CI, action, row.resource, context=Context(unknown=None, absent=["aws:SourceVpce"]))
        assert prepared.effect(request) is Effect.ALLOW


def test_what_somebody_can_do_is_told_with_its_own_name() -> None:
    """A variable that is known is filled in, an unknown one stays, and a mere Deny is nothing that one can do."""
    own = "Allow s3:GetObject on arn:aws:s3:::home/${aws:username}/*"
    team = "Allow s3:GetObject on arn:aws:s3:::home/${aws:userid}/*"
    secret = {"statement": "Deny s3:* on *", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}}
    user = {**_user(ANA, own, team, secret), "UserId": ""}
    content = {"UserDetailList": [user], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
    collected = details.Collected()
    assert collected.add(Source("a.json", json.dumps(content)))
    found = what_can(Snapshot(collected.accounts()), ANA)
    assert not isinstance(found, NoPrediction)
    condition = "explicit_deny if aws:MultiFactorAuthPresent is false; allowed otherwise"
    told = {row.resource: dict(row.conditional) for row in found.allowed if row.resource != "*"}
    assert told == {
        "arn:aws:s3:::home/ana/*": {condition: ("s3:GetObject",)},
        "arn:aws:s3:::home/${aws:userid}/*": {condition: ("s3:GetObject",)},
    }
    everywhere = next(row for row in found.allowed if row.resource == "*")
    assert not everywhere.conditional


def test_a_principal_that_is_not_at_hand_is_said_to_be_that() -> None:
    """Nothing is claimed of somebody unknown."""
    assert isinstance(what_can(_snapshot(), f"arn:aws:iam::{ACCOUNT}:user/nobody"), NoPrediction)


@pytest.mark.parametrize("full", [False, True])
def test_answers_are_told_in_every_form(full: bool) -> None:
    """Text names the principals and conditions; JSON holds the statements."""
    found = who_can(Predictor(_snapshot()), "s3:GetObject", OBJECT)
    assert "aws:SourceIp is in 192.0.2.0/24" in access_text.who_can(found)
    assert access_text.who_document(found)["cannot"] == 2
    what = what_can(_snapshot(), CI)
    assert not isinstance(what, NoPrediction)
    text = access_text.what_can(what, full=full)
    assert ("s3:GetObjectAcl" in text) is full
    json.dumps(access_text.what_document(what))


def test_what_several_share_is_told_once() -> None:
    """A condition that several share stands once below their names, and what was not at hand is named."""
    bare = Snapshot(_snapshot().accounts)
    text = access_text.who_can(who_can(Predictor(bare), "s3:GetObject", OBJECT))
    assert text.count("explicit_deny if") < text.count("arn:aws:iam::")
    assert f"of them: the resource policy of {OBJECT}" in text
