"""Of a message alone: the statement that it says is missing, never called proven, and where a Deny stands."""

from __future__ import annotations

import pytest

from clew.explain.cause import CauseId
from clew.explain.explanation import Explanation, of_text
from clew.report import explanation_text

_ROLE = "arn:aws:sts::111122223333:assumed-role/ci/build"
_SCP = "arn:aws:organizations::999999999999:policy/o-abc123defg/service_control_policy/p-abcd1234"
_USER = "arn:aws:iam::111122223333:user/bob"


def _explained(who: str, action: str, resource: str, reason: str) -> Explanation:
    on = f" on resource: {resource}" if resource else ""
    return of_text(f"User: {who} is not authorized to perform: {action}{on} {reason}", None)[0]


@pytest.mark.parametrize(
    ("who", "action", "resource", "gate", "where"),
    [
        (_ROLE, "s3:PutObject", "arn:aws:s3:::artifacts/x", "identity-based policy", "role ci, inline policy ClewFix"),
        (_USER, "sts:AssumeRole", "arn:aws:iam::222222222222:role/UpdateApp", "resource-based policy",
         "role UpdateApp, trust policy"),
        (_USER, "kms:Decrypt", "arn:aws:kms:eu-west-1:222222222222:key/abc", "resource-based policy",
         "key policy of arn:aws:kms:eu-west-1:222222222222:key/abc"),
        (_USER, "ec2:DescribeInstances", "", "permissions boundary", "permissions boundary"),
        (_USER, "ec2:DescribeInstances", "", "session policy", "session policy"),
        (_USER, "ec2:DescribeInstances", "", "VPC endpoint policy", "VPC endpoint policy"),
    ],
)  # fmt: skip
def test_the_statement_that_is_missing_is_drafted(
    who: str, action: str, resource: str, gate: str, where: str
) -> None:
    """One statement for the place that the message names; nobody says that it is enough, and no command overwrites."""
    found = _explained(who, action, resource, f"because no {gate} allows the {action} action")
    assert found.cause.id is CauseId.MESSAGE_ONLY
    (fix,) = found.fixes
    (edit,) = fix.edits
    assert edit.where.words == where
    assert not edit.is_at_hand
    assert fix.commands == ()
    assert fix.proven is None
    assert fix.statement["Action"] == action
    assert fix.statement.get("Resource", resource) == (resource or "*")
    assert "whether that is enough is open" in explanation_text.render([found]).replace("\n      ", " ")


def test_an_action_without_its_resource_is_drafted_with_a_warning() -> None:
    """The message names no resource and the action works on some: the `*` is to be replaced."""
    found = _explained(
        _ROLE, "s3:PutObject", "", "because no identity-based policy allows the s3:PutObject action"
    )
    assert "write its ARN in the place of `*`" in found.fixes[0].risk


@pytest.mark.parametrize(
    ("who", "resource", "reason", "command"),
    [
        (_ROLE, "", "with an explicit deny in an identity-based policy",
         "aws iam list-attached-role-policies --role-name ci"),
        (_USER, "", "with an explicit deny in an identity-based policy", "aws iam list-user-policies --user-name bob"),
        (_USER, "", "with an explicit deny in a permissions boundary", "aws iam get-user --user-name bob"),
        (_USER, "", "with an explicit deny in a service control policy",
         "aws organizations list-policies-for-target --target-id 111122223333 --filter SERVICE_CONTROL_POLICY"),
        (_USER, "", f"with an explicit deny in a service control policy: {_SCP}",
         "aws organizations describe-policy --policy-id p-abcd1234"),
        (_USER, "", "with an explicit deny in an identity-based policy: arn:aws:iam::111122223333:policy/limits",
         "aws iam get-policy --policy-arn arn:aws:iam::111122223333:policy/limits"),
        (_USER, "arn:aws:s3:::artifacts/x", "with an explicit deny in a resource-based policy",
         "aws s3api get-bucket-policy --bucket artifacts"),
        (_USER, "", "with an explicit deny in a VPC endpoint policy", "aws ec2 describe-vpc-endpoints"),
    ],
)  # fmt: skip
def test_a_deny_is_not_undone_unseen_but_its_place_is_named(
    who: str, resource: str, reason: str, command: str
) -> None:
    """No statement overrides a Deny: there is no fix, and the command shows where it stands."""
    found = _explained(who, "s3:PutObject", resource, reason)
    assert found.fixes == ()
    assert command in found.settle


def test_which_level_of_the_organisation_lacks_an_allow_is_not_guessed() -> None:
    """The message names no level: what is attached to the account is looked at first."""
    reason = "because no service control policy allows the s3:PutObject action"
    found = _explained(_USER, "s3:PutObject", "arn:aws:s3:::artifacts/x", reason)
    assert found.fixes == ()
    assert any("list-policies-for-target --target-id 111122223333" in text for text in found.settle)


def test_words_that_say_nothing_suggest_nothing() -> None:
    """A bare refusal names no type of policy: there is nothing to draft and nowhere to look."""
    found = _explained(_USER, "s3:PutObject", "arn:aws:s3:::artifacts/x", "")
    assert found.fixes == ()
    assert found.settle == ("clew collect, and ask again",)
