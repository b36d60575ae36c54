"""Policies found in templates and plans: where they stand, what they are, and what a template leaves open."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from clew.aws.catalog import current
from clew.errors import InputError
from clew.policy.files import Wanted, validate_file
from clew.policy.model import FindingType, PolicyKind
from clew.snapshot.offline.template_text import parse

TEMPLATE = """\
Parameters:
  Name: {Type: String}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Service: lambda.amazonaws.com}
            Action: sts:AssumeRole
      Policies:
        - PolicyName: work
          PolicyDocument:
            Version: 2012-10-17
            Statement:
              - Effect: Allow
                Action: s3:GetObjcet
                Resource: !Sub "arn:${AWS::Partition}:s3:::${Name}/*"
              - Effect: Allow
                Action: iam:PassRole
                Resource: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*"
  Bucket:
    Type: AWS::S3::BucketPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {AWS: !Ref Name}
            Action: kms:Decrypt
            Resource: !GetAtt Other.Arn
"""
POLICY = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "s3:GetObjcet", "Resource": "*"},
}


def validated(text, kind=None, today=None):
    return validate_file(text, "t", Wanted(kind, "", current(), today))


def told(file):
    return [(problem.code, problem.position.line) for problem in file.problems]


@pytest.mark.parametrize("as_json", [False, True])
def test_every_policy_of_a_template_is_validated_in_its_place(as_json):
    """Each policy of a template is judged by its kind, with the lines of the template; unresolved ARNs are not."""
    text = TEMPLATE if not as_json else json.dumps(parse(TEMPLATE, "t").content, indent=1)
    file = validated(text)
    assert [each.validation.kind for each in file.documents] == [
        PolicyKind.TRUST,
        PolicyKind.IDENTITY,
        PolicyKind.RESOURCE,
    ]
    codes = [code for code, _ in told(file)]
    assert codes == ["INVALID_ACTION", "PASS_ROLE_WITH_STAR_IN_RESOURCE", "UNSUPPORTED_ACTION_IN_POLICY"]
    if not as_json:
        assert [line for _, line in told(file)] == [19, 22, 32]
    assert file.problems[0].path == (
        "Resources", "Role", "Properties", "Policies", 0, "PolicyDocument", "Statement", 0, "Action",
    )  # fmt: skip


def test_the_policies_of_a_plan_are_found():
    """Texts of policies in planned values are read; those known only after the plan are listed as unknown."""
    resource = {
        "address": "aws_iam_policy.p",
        "type": "aws_iam_policy",
        "values": {"policy": json.dumps(POLICY)},
    }
    hidden = {"type": "aws_iam_policy", "change": {"after": {}, "after_unknown": {"policy": True}}}
    plan = {"planned_values": {"root_module": {"resources": [resource]}}, "resource_changes": [hidden]}
    file = validated(json.dumps(plan, indent=1))
    assert [code for code, _ in told(file)] == ["INVALID_ACTION"]
    assert file.unknown == (("resource_changes", 0, "policy"),)


def test_a_policy_in_yaml_is_a_policy():
    """A policy that is written in YAML is validated as one in JSON."""
    text = "Version: 2012-10-17\nStatement:\n  - Effect: Allow\n    Action: s3:GetObjcet\n    Resource: '*'\n"
    assert told(validated(text)) == [("INVALID_ACTION", 4)]


def test_a_template_that_is_no_yaml_is_told_with_its_line():
    """A broken template is an input error with file and line."""
    with pytest.raises(InputError, match=r"^t:3: "):
        validated("Resources:\n  A: [\n  B: }\n")


def test_an_old_catalogue_only_warns():
    """An unknown action is an error while the catalogue is young, and a warning that says its age when it is old."""
    text = json.dumps(POLICY)
    today = current().source.updated
    young = validated(text, today=today + timedelta(days=5)).problems
    old = validated(text, today=today + timedelta(days=200)).problems
    assert [each.finding_type for each in young] == [FindingType.ERROR]
    assert [each.finding_type for each in old] == [FindingType.WARNING]
    assert "200 days old" in old[0].message


def _template(properties, kind="AWS::IAM::Policy"):
    return json.dumps({"Resources": {"R": {"Type": kind, "Properties": properties}}}, indent=1)


def test_a_policy_that_stands_as_a_text_and_is_no_json_is_told():
    """A text that cannot be read as JSON is an error at the text, with the line within; it never passes in silence."""
    text = '{"Version": "2012-10-17",\n "Statement": [{"Effect": "Allow", "Action": "s3:GetObjcet", "Resource": "*",}]}'
    file = validated(_template({"PolicyDocument": text}))
    assert {code for code, _ in told(file)} == {"JSON_SYNTAX_ERROR", "INVALID_ACTION"}
    assert {line for _, line in told(file)} == {6}
    assert "line 2 of the text" in file.problems[0].message
    assert file.documents[0].validation.policy is None


@pytest.mark.parametrize(
    ("kind", "properties", "unknown"),
    [
        ("AWS::IAM::Policy", {"PolicyDocument": {"Ref": "Document"}}, "PolicyDocument"),
        ("AWS::IAM::Role", {"Policies": {"Ref": "List"}}, "Policies"),
        ("AWS::IAM::Role", {"Policies": [{"PolicyDocument": {"Fn::GetAtt": ["A", "B"]}}]}, "PolicyDocument"),
        ("AWS::Logs::ResourcePolicy", {"PolicyDocument": {"Fn::Sub": "{${Rest}"}}, "PolicyDocument"),
        ("AWS::Serverless::Function", {"Policies": ["ReadOnlyAccess", {"Ref": "Arn"}]}, None),
    ],
)
def test_what_a_template_leaves_open_is_listed(kind, properties, unknown):
    """A policy that a template does not say is listed as unknown; what may be a managed policy's name is not."""
    found = validated(_template(properties, kind))
    assert [path[-1] if isinstance(path[-1], str) else path[-2] for path in found.unknown] == (
        [unknown] if unknown else []
    )


def test_a_loop_of_a_template_is_listed():
    """What `Fn::ForEach` makes is not known before it runs."""
    loop = ["Name", ["A"], {"Role${Name}": {"Type": "AWS::IAM::Role", "Properties": {}}}]
    other = {"Type": "AWS::S3::Bucket", "Properties": {}}
    found = validated(json.dumps({"Resources": {"B": other, "Fn::ForEach::Roles": loop}}))
    assert found.unknown == (("Resources", "Fn::ForEach::Roles"),)


def test_both_branches_of_a_choice_are_validated():
    """A choice of policies, or of lists of them, has each of its branches looked at."""
    no_value = {"Ref": "AWS::NoValue"}
    chosen = {"Fn::If": ["C", [{"PolicyName": "a", "PolicyDocument": POLICY}], no_value]}
    assert [code for code, _ in told(validated(_template({"Policies": chosen}, "AWS::IAM::Role")))] == [
        "INVALID_ACTION"
    ]
    right = {**POLICY, "Statement": {**POLICY["Statement"], "Action": "s3:GetObject"}}
    chosen = {"Fn::If": ["C", right, POLICY]}
    assert [code for code, _ in told(validated(_template({"PolicyDocument": chosen})))] == ["INVALID_ACTION"]


def test_a_substitution_with_a_map_of_texts_is_worked_out():
    """`Fn::Sub` with values of its own is a text where these are texts."""
    value = {"Fn::Sub": ["arn:aws:iam::${Account}:role/x", {"Account": "1111222233"}]}
    policy = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "iam:GetRole", "Resource": value},
    }
    assert [code for code, _ in told(validated(_template({"PolicyDocument": policy})))] == [
        "INVALID_ARN_ACCOUNT"
    ]


def test_the_policies_of_a_state_are_found():
    """A state of Terraform is read like a plan."""
    resource = {
        "type": "aws_cloudwatch_log_resource_policy",
        "values": {"policy_document": json.dumps(POLICY)},
    }
    state = {
        "format_version": "1.0",
        "values": {"root_module": {"child_modules": [{"resources": [resource]}]}},
    }
    assert {code for code, _ in told(validated(json.dumps(state)))} == {"INVALID_ACTION", "MISSING_PRINCIPAL"}


def test_a_block_that_a_plan_does_not_know_is_listed():
    """Inline policies of which nothing is known before the plan is applied are listed once."""
    change = {"after": {}, "after_unknown": {"inline_policy": True}}
    plan = {
        "planned_values": {"root_module": {}},
        "resource_changes": [{"type": "aws_iam_role", "change": change}],
    }
    assert validated(json.dumps(plan)).unknown == (("resource_changes", 0, "inline_policy"),)
