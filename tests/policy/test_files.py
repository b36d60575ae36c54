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
