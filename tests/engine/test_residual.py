"""The residual of an undetermined decision: a sentence, a predicate and a tree; its laws are in `tests/properties`."""

from __future__ import annotations

import json

import pytest

from clew.engine import Context, Effect, Policies, Request, authorize, prepare
from clew.policy.parse import from_document

USER = "arn:aws:iam::111122223333:user/ana"


def _policies(*statements: dict[str, object]) -> Policies:
    defaults = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [{**defaults, **each} for each in statements]}
    return Policies(identity=(from_document(document),))


FROM_OFFICE = {"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}
NOT_MFA = {"Effect": "Deny", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}}
HOME = {"Resource": "arn:aws:s3:::home/${aws:username}/*"}


@pytest.mark.parametrize(
    ("statements", "text"),
    [
        ([FROM_OFFICE], "allowed if aws:SourceIp is in 192.0.2.0/24; implicit_deny otherwise"),
        ([{}, NOT_MFA], "explicit_deny if aws:MultiFactorAuthPresent is false; allowed otherwise"),
        ([NOT_MFA], "explicit_deny if aws:MultiFactorAuthPresent is false; implicit_deny otherwise"),
        (
            [FROM_OFFICE, NOT_MFA],
            (
                "explicit_deny if aws:MultiFactorAuthPresent is false; "
                "else allowed if aws:SourceIp is in 192.0.2.0/24; implicit_deny otherwise"
            ),
        ),
        (
            [FROM_OFFICE, FROM_OFFICE],
            "allowed if aws:SourceIp is in 192.0.2.0/24; implicit_deny otherwise",
        ),
    ],
)
def test_a_residual_reads_as_a_sentence(statements: list[dict[str, object]], text: str) -> None:
    """The residual says which values lead to which effect."""
    request = Request(USER, "s3:GetObject", "arn:aws:s3:::home/ana/x", context=Context(unknown=None))
    residual = authorize(request, _policies(*statements)).residual
    assert residual is not None
    assert residual.text == text


def test_a_residual_is_a_predicate_and_a_tree() -> None:
    """It answers for values of the keys, where a key that is not given counts as absent, and writes itself as JSON."""
    request = Request(USER, "s3:GetObject", "arn:aws:s3:::home/ana/x", context=Context(unknown=None))
    residual = prepare(_policies(HOME, FROM_OFFICE, NOT_MFA)).authorize(request).residual
    assert residual is not None
    assert residual.holds({"aws:UserName": "ana"}) is Effect.ALLOW
    assert residual.holds({"aws:username": "eve"}) is Effect.IMPLICIT_DENY
    assert residual.holds({"aws:SourceIp": "192.0.2.1"}) is Effect.ALLOW
    denied = {"aws:SourceIp": "192.0.2.1", "aws:MultiFactorAuthPresent": "false"}
    assert residual.holds(denied) is Effect.EXPLICIT_DENY
    assert residual.holds(Context({"aws:username": "ana"}, unknown=None)) is Effect.UNDETERMINED
    assert json.loads(json.dumps(residual.tree)) == {
        "explicit_deny": {
            "operator": "Bool",
            "key": "aws:MultiFactorAuthPresent",
            "values": ["false"],
        },
        "allow": {
            "any": [
                {
                    "operator": "Resource",
                    "key": "arn:aws:s3:::home/ana/x",
                    "values": ["arn:aws:s3:::home/${aws:username}/*"],
                },
                {"operator": "IpAddress", "key": "aws:SourceIp", "values": ["192.0.2.0/24"]},
            ]
        },
    }


def test_a_decided_request_has_no_residual() -> None:
    """Only what is undetermined depends on something."""
    request = Request(USER, "s3:GetObject", "*", context=Context(unknown=None))
    assert authorize(request, _policies({})).residual is None
