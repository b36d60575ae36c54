from __future__ import annotations

import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.detect.facts import FACTS

OWN = "111122223333"


def policy(principal, condition=None, effect="Allow", action="s3:GetObject"):
    statement = {"Effect": effect, "Principal": principal, "Action": action, "Resource": "*"}
    return {
        "Version": "2012-10-17",
        "Statement": [statement | ({"Condition": condition} if condition else {})],
    }


def call(name, parameters, **fields):
    return {"eventName": name, "recipientAccountId": OWN, "requestParameters": parameters, **fields}


def fact(name, event):
    return FACTS[name].function(event)


PUBLIC = [
    ("*", None, True),
    ({"AWS": "*"}, None, True),
    ({"AWS": [f"arn:aws:iam::{OWN}:root", "*"]}, None, True),
    ({"AWS": f"arn:aws:iam::{OWN}:root"}, None, False),
    ({"Service": "*"}, None, False),
    ("*", {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}, False),
    ("*", {"StringEquals": {"aws:SourceVpce": "vpce-1234"}}, False),
    ("*", {"StringLike": {"aws:PrincipalOrgID": "*"}}, True),
    ("*", {"StringNotEquals": {"aws:SourceVpce": "vpce-1234"}}, True),
    ("*", {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1234"}}, True),
    ("*", {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}, False),
    ("*", {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/0"]}}, True),
    ("*", {"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}, True),
    ("*", {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{OWN}:*"}}, False),
    ("*", {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}, True),
    ("*", {"Bool": {"aws:SecureTransport": "true"}}, True),
]


@pytest.mark.parametrize(("principal", "condition", "expected"), PUBLIC)
@pytest.mark.parametrize("spelling", ["object", "text", "encoded"])
def test_public_policy(principal, condition, expected, spelling):
    """A policy is public when it names everyone and no condition holds it; in every spelling that AWS logs."""
    document = policy(principal, condition)
    written = {
        "object": document,
        "text": json.dumps(document),
        "encoded": urllib.parse.quote(json.dumps(document)),
    }[spelling]
    assert (
        fact("bucket_policy_public", call("PutBucketPolicy", {"policy": "", "bucketPolicy": written}))
        is expected
    )


def test_denying_everyone_is_not_public():
    """A Deny statement for everyone opens nothing."""
    event = call("PutBucketPolicy", {"bucketPolicy": policy("*", effect="Deny")})
    assert fact("bucket_policy_public", event) is False


DOCUMENT_FACTS = [
    ("bucket_policy_public", "PutBucketPolicy", "bucketPolicy"),
    ("resource_policy_public", "PutKeyPolicy", "policy"),
    ("resource_policy_external", "PutKeyPolicy", "policy"),
    ("trust_policy_anyone", "UpdateAssumeRolePolicy", "policyDocument"),
    ("trust_policy_external", "CreateRole", "assumeRolePolicyDocument"),
    ("trust_policy_federated_open", "CreateRole", "assumeRolePolicyDocument"),
    ("policy_grants_admin", "PutUserPolicy", "policyDocument"),
]


@pytest.mark.parametrize(("name", "event_name", "field"), DOCUMENT_FACTS)
@pytest.mark.parametrize(
    "written", [None, "", "not json", "{}", [], 7, {"Statement": [{"Effect": "Maybe"}]}, "%7B%22"]
)
def test_unreadable_document(name, event_name, field, written):
    """A document that is absent, cut or malformed is `unreadable`, never a no."""
    assert fact(name, call(event_name, {field: written})) == "unreadable"


def test_request_that_was_cut():
    """A record without request parameters leaves its document unreadable."""
    assert fact("bucket_policy_public", call("PutBucketPolicy", None)) == "unreadable"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (call("SetQueueAttributes", {"attributes": {"VisibilityTimeout": "30"}}), False),
        (call("SetQueueAttributes", {"attributes": {"Policy": json.dumps(policy("*"))}}), True),
        (call("SetQueueAttributes", {"attributes": {"Policy": "{"}}), "unreadable"),
        (call("SetTopicAttributes", {"attributeName": "DisplayName", "attributeValue": "x"}), False),
        (
            call(
                "SetTopicAttributes", {"attributeName": "Policy", "attributeValue": json.dumps(policy("*"))}
            ),
            True,
        ),
        (call("SetRepositoryPolicy", {"policyText": json.dumps(policy("*"))}), True),
        (
            call("PutResourcePolicy", {"secretId": "s", "resourcePolicy": json.dumps(policy({"AWS": OWN}))}),
            False,
        ),
    ],
)
def test_resource_policies(event, expected):
    """The policy is found where each service puts it, and a call about another attribute is a no."""
    assert fact("resource_policy_public", event) == expected


@pytest.mark.parametrize(
    ("principal", "anyone", "external"),
    [
        ({"AWS": "arn:aws:iam::999988887777:root"}, False, True),
        ({"AWS": "999988887777"}, False, True),
        ({"AWS": f"arn:aws:iam::{OWN}:role/app"}, False, False),
        ({"Service": "ec2.amazonaws.com"}, False, False),
        ({"AWS": "*"}, True, False),
        ("*", True, False),
    ],
)
def test_trust_policies(principal, anyone, external):
    """A trust policy is open to everyone, to another account, or to neither; both call shapes are read."""
    document = json.dumps(policy(principal, action="sts:AssumeRole"))
    for event in (
        call("UpdateAssumeRolePolicy", {"policyDocument": document}),
        call("CreateRole", {"assumeRolePolicyDocument": document}),
    ):
        assert fact("trust_policy_anyone", event) is anyone
        assert fact("trust_policy_external", event) is external


GITHUB = {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/token.actions.githubusercontent.com"}


@pytest.mark.parametrize(
    ("principal", "condition", "expected"),
    [
        (GITHUB, None, True),
        (GITHUB, {"StringLike": {"token.actions.githubusercontent.com:sub": "*"}}, True),
        (GITHUB, {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/app:*"}}, False),
        ({"Federated": f"arn:aws:iam::{OWN}:saml-provider/corp"}, None, False),
        ({"AWS": OWN}, None, False),
    ],
)
def test_federated_trust(principal, condition, expected):
    """A web identity provider's role is open when no claim of the user is asked for."""
    event = call("CreateRole", {"assumeRolePolicyDocument": json.dumps(policy(principal, condition))})
    assert fact("trust_policy_federated_open", event) is expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Effect": "Allow", "Action": "*", "Resource": "*"}, True),
        ({"Effect": "Allow", "Action": ["s3:Get*", "iam:*"], "Resource": ["*"]}, True),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, True),
        ({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/*"}, False),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, False),
        ({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, False),
        ({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"x": "true"}}}, False),
    ],
)
def test_admin_grants(statement, expected):
    """Everything on every resource is an administrator; a part of it, a denial or a condition is not."""
    assert (
        fact("policy_grants_admin", call("PutRolePolicy", {"policyDocument": {"Statement": statement}}))
        is expected
    )


def rule(protocol, low, high, **ranges):
    return {"ipPermissions": {"items": [{"ipProtocol": protocol, "fromPort": low, "toPort": high, **ranges}]}}


WORLD4 = {"ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}, {"cidrIp": "0.0.0.0/0"}]}}
WORLD6 = {"ipv6Ranges": {"items": [{"cidrIpv6": "::/0"}]}}


@pytest.mark.parametrize(
    ("parameters", "ports", "admin"),
    [
        (rule("tcp", 22, 22, **WORLD4), ["22"], [22]),
        (rule("tcp", 443, 443, **WORLD6), ["443"], []),
        (rule("-1", None, None, **WORLD4), ["all"], "all"),
        (rule("tcp", 0, 65535, **WORLD6), ["all"], "all"),
        (rule("tcp", 3300, 3400, **WORLD4), ["3300-3400"], [3306, 3389]),
        (rule("tcp", "22", "22", **WORLD4), ["22"], [22]),
        (rule("icmp", -1, -1, **WORLD4), ["icmp"], []),
        (rule("tcp", 22, 22, ipRanges={"items": [{"cidrIp": "192.0.2.0/24"}]}), [], []),
        (
            {"ipPermissions": {}, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "0.0.0.0/0"},
            ["22"],
            [22],
        ),
        (
            {
                "ModifySecurityGroupRulesRequest": {
                    "SecurityGroupRule": {
                        "SecurityGroupRule": {
                            "IpProtocol": "tcp",
                            "FromPort": 3389,
                            "ToPort": 3389,
                            "CidrIpv4": "0.0.0.0/0",
                        }
                    }
                }
            },
            ["3389"],
            [3389],
        ),
        ({}, [], []),
    ],
)
def test_ports_opened_to_the_world(parameters, ports, admin):
    """Ports opened to the whole internet are found in every request shape; private sources open none."""
    event = call("AuthorizeSecurityGroupIngress", parameters)
    assert fact("security_group_world_ports", event) == ports
    found = fact("security_group_world_admin_ports", event)
    assert len(found) > 20 if admin == "all" else found == admin


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"x-amz-acl": "public-read", "acl": ""}, True),
        ({"x-amz-acl": "private", "acl": ""}, False),
        ({"x-amz-grant-read": 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'}, True),
        (
            {"AccessControlPolicy": {"AccessControlList": {"Grant": [
                {"Grantee": {"URI": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"}, "Permission": "READ"}
            ]}}},
            True,
        ),
        ({"AccessControlPolicy": {"AccessControlList": {"Grant": {"Grantee": {"ID": "abc"}}}}}, False),
        ({"key": "public-read"}, False),
    ],
)  # fmt: skip
def test_public_acls(parameters, expected):
    """Grants to everyone are found in canned ACLs, grant headers and ACL bodies, not in object names."""
    assert fact("acl_public", call("PutBucketAcl", parameters)) is expected


ALL_ON = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)


@pytest.mark.parametrize(
    ("name", "configuration", "expected"),
    [
        ("PutBucketPublicAccessBlock", ALL_ON, False),
        ("PutBucketPublicAccessBlock", dict.fromkeys(ALL_ON, "TRUE"), False),
        ("PutBucketPublicAccessBlock", {**ALL_ON, "BlockPublicPolicy": False}, True),
        ("PutAccountPublicAccessBlock", {"BlockPublicAcls": True}, True),
        ("DeleteBucketPublicAccessBlock", None, True),
    ],
)
def test_public_access_block(name, configuration, expected):
    """Block Public Access is weakened by a switch that is off, missing, or by its deletion."""
    event = call(name, {"PublicAccessBlockConfiguration": configuration})
    assert fact("public_access_block_weakened", event) is expected


@pytest.mark.parametrize(
    ("parameters", "public", "accounts"),
    [
        ({"createVolumePermission": {"add": {"items": [{"group": "all"}]}}}, True, []),
        (
            {"createVolumePermission": {"add": {"items": [{"userId": "999988887777"}]}}},
            False,
            ["999988887777"],
        ),
        ({"launchPermission": {"remove": {"items": [{"group": "all"}]}}}, False, []),
        ({"launchPermission": {"add": {"items": [{"userId": OWN}]}}}, False, []),
        ({"attributeName": "restore", "valuesToAdd": ["all"]}, True, []),
        ({"attributeName": "restore", "valuesToAdd": ["999988887777"]}, False, ["999988887777"]),
        ({"attributeName": "restore", "valuesToRemove": ["all"]}, False, []),
        ({"accountIdsToAdd": ["All"]}, True, []),
    ],
)
def test_sharing(parameters, public, accounts):
    """Shares with everyone and with other accounts are told apart, and taking a share back is neither."""
    event = call("ModifySnapshotAttribute", parameters)
    assert fact("shared_publicly", event) is public
    assert fact("shared_with_accounts", event) == accounts


@pytest.mark.parametrize(
    ("parameters", "public", "external"),
    [
        ({"principal": "*"}, True, False),
        ({"principal": "*", "principalOrgID": "o-abc"}, False, False),
        ({"principal": "s3.amazonaws.com"}, False, False),
        ({"principal": "999988887777"}, False, True),
        ({"principal": OWN}, False, False),
        ({"principal": "arn:aws:iam::999988887777:role/x"}, False, True),
    ],
)
def test_lambda_permissions(parameters, public, external):
    """A function's permission is public, foreign, or at home."""
    event = call("AddPermission20150331v2", parameters)
    assert fact("lambda_permission_public", event) is public
    assert fact("lambda_permission_external", event) is external


@pytest.mark.parametrize(
    ("identity", "target", "expected"),
    [
        ({"type": "IAMUser", "userName": "alice"}, {"userName": "bob"}, True),
        ({"type": "IAMUser", "userName": "alice"}, {"userName": "alice"}, False),
        ({"type": "IAMUser", "userName": "alice"}, {}, False),
        ({"type": "AssumedRole"}, {"userName": "bob"}, True),
        ({"type": "Root"}, {}, False),
    ],
)
def test_acting_on_another_user(identity, target, expected):
    """A call on another user is told from one on oneself; without a name AWS means the caller."""
    assert fact("user_acts_on_other_user", call("CreateAccessKey", target, userIdentity=identity)) is expected


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:iam::aws:policy/AdministratorAccess", True),
        ("arn:aws-us-gov:iam::aws:policy/IAMFullAccess", True),
        ("arn:aws:iam::aws:policy/job-function/Billing", False),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", False),
        (f"arn:aws:iam::{OWN}:policy/AdministratorAccess", False),
    ],
)
def test_admin_policy_attached(arn, expected):
    """AWS's own administrator policies are known in every partition; a namesake of the account's own is not one."""
    assert fact("attached_admin_policy", call("AttachUserPolicy", {"policyArn": arn})) is expected


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("10.1.2.3", "10.1.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("ec2.amazonaws.com", None),
        ("AWS Internal", None),
    ],
)
def test_where_the_call_came_from(address, network):
    """Addresses have a network; names of AWS services have none."""
    assert fact("source_network", {"sourceIPAddress": address}) == network


@pytest.mark.parametrize(
    ("rules", "days"),
    [
        ({"Status": "Enabled", "Expiration": {"Days": 1}}, 1),
        ([{"Status": "Enabled", "Expiration": {"Days": 90}}, {"Expiration": {"Days": "3"}}], 3),
        ([{"Status": "Disabled", "Expiration": {"Days": 1}}], None),
        ([{"Status": "Enabled", "Transition": {"Days": 1}}], None),
    ],
)
def test_shortest_expiry(rules, days):
    """The shortest enabled expiry counts; moving to another storage class deletes nothing."""
    event = call("PutBucketLifecycle", {"LifecycleConfiguration": {"Rule": rules}})
    assert fact("lifecycle_min_days", event) == days


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"eventSelectors": [{"readWriteType": "ReadOnly", "includeManagementEvents": False}]}, True),
        ({"eventSelectors": [{"readWriteType": "ReadOnly", "includeManagementEvents": True}]}, True),
        ({"eventSelectors": [{"readWriteType": "All", "includeManagementEvents": True}]}, False),
        ({"eventSelectors": [{"readWriteType": "WriteOnly"}, {"includeManagementEvents": False}]}, False),
        (
            {
                "advancedEventSelectors": [
                    {"fieldSelectors": [{"field": "eventCategory", "equals": ["Management"]}]}
                ]
            },
            False,
        ),
        (
            {
                "advancedEventSelectors": [
                    {"fieldSelectors": [{"field": "eventCategory", "equals": ["Data"]}]}
                ]
            },
            True,
        ),
        (
            {
                "advancedEventSelectors": [
                    {
                        "fieldSelectors": [
                            {"field": "eventCategory", "equals": ["Management"]},
                            {"field": "readOnly", "equals": ["true"]},
                        ]
                    }
                ]
            },
            True,
        ),
    ],
)
def test_dropped_trail_events(parameters, expected):
    """A trail that no longer records changes is told from one that does, in both spellings of selectors."""
    assert fact("trail_events_dropped", call("PutEventSelectors", parameters)) is expected


def test_role_in_another_account():
    """Credentials of a role that work in another account than the role's are noticed."""
    issuer = {"sessionContext": {"sessionIssuer": {"accountId": "999988887777"}}}
    assert fact("role_account_differs", {"recipientAccountId": OWN, "userIdentity": issuer}) is True
    assert (
        fact("role_account_differs", {"recipientAccountId": "999988887777", "userIdentity": issuer}) is False
    )
    assert fact("role_account_differs", {"recipientAccountId": OWN}) is False


SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6)
WORDS = st.sampled_from(
    ["items", "add", "requestParameters", "userIdentity", "ipPermissions", "ipRanges", "cidrIp", "0.0.0.0/0",
     "Statement",
     "Effect", "Allow", "Principal", "*", "AWS", "policy", "attributes", "Policy", "LifecycleConfiguration", "Rule",
     "Expiration", "Days", "eventSelectors", "sourceIPAddress", "fromPort", "attributeName", "Condition", "-1", "--1"]
)  # fmt: skip
TREE = st.recursive(
    SCALAR | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
KNOWN_FIELDS = st.sampled_from(
    ["policyDocument", "bucketPolicy", "policy", "attributes", "ipPermissions", "createVolumePermission", "valuesToAdd",
     "LifecycleConfiguration", "eventSelectors", "advancedEventSelectors", "PublicAccessBlockConfiguration",
     "principal",
     "cidrIp", "fromPort", "toPort", "ipProtocol", "userName", "policyArn", "x-amz-acl", "egress", "cidrBlock"]
)  # fmt: skip
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "requestParameters": st.dictionaries(KNOWN_FIELDS, TREE, max_size=4) | TREE,
        "userIdentity": TREE,
        "sourceIPAddress": TREE,
        "eventName": TREE,
        "recipientAccountId": TREE,
    },
)


@given(EVENT)
def test_facts_never_raise(event):
    """Whatever JSON a record holds, every fact answers with a plain JSON value."""
    for each in FACTS.values():
        json.dumps(each.function(event))


@given(st.dictionaries(WORDS, TREE, max_size=3), KNOWN_FIELDS)
def test_documents_never_raise(document, field):
    """Whatever stands where a policy should, as an object or as text, the facts answer true, false or unreadable."""
    for written in (document, json.dumps(document), {"Statement": [document]}):
        event = {"requestParameters": {field: written}}
        for name, _, _ in DOCUMENT_FACTS:
            assert fact(name, event) in {True, False, "unreadable"}


@pytest.mark.parametrize("name", sorted(FACTS))
def test_facts_are_documented(name):
    """Every fact says what it finds, why that matters, when it errs, how to fix it, and its source."""
    text = FACTS[name].function.__doc__ or ""
    for heading in ("Finds", "Why it matters", "False positives", "Fix", "References"):
        assert f"**{heading}**" in text


@pytest.mark.parametrize(
    ("event_name", "parameters", "expected"),
    [
        ("CreateResourceShare", {"principals": ["999988887777", OWN, "ou-1"]}, ["999988887777"]),
        ("CreateGrant", {"granteePrincipal": f"arn:aws:iam::{OWN}:role/x"}, []),
        ("CreateGrant", {"granteePrincipal": ["odd", 7, {"x": "999988887777"}]}, []),
        ("CreateGrant", None, []),
        ("PutTargets", {"targets": [{"arn": "arn:aws:sqs:eu-west-1:999988887777:q"}, 3]}, ["999988887777"]),
        ("DescribeTargets", {"targets": [{"arn": "arn:aws:sqs:eu-west-1:999988887777:q"}]}, []),
    ],
)
def test_foreign_accounts(event_name, parameters, expected):
    """Only accounts other than the record's own, only where the call names a receiver, whatever else stands there."""
    assert fact("foreign_accounts", call(event_name, parameters)) == expected
