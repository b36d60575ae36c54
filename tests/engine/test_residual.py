"""Undetermined decisions: a determined answer holds for every completion, a residual tells each completion's effect."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.lines import KEYS, Example, examples

from clew.engine import Context, Effect, Policies, Request, authorize, prepare
from clew.engine.batch import evaluate_line
from clew.policy.parse import from_document

USER = "arn:aws:iam::111122223333:user/ana"
COMPLETIONS = {
    **KEYS,
    "kms:EncryptionContext:department": ("it", "hr"),
    "kms:EncryptionContext:other": ("x",),
}
completions = st.dictionaries(
    st.sampled_from(sorted(COMPLETIONS)), st.integers(0, 5), max_size=len(COMPLETIONS)
).map(lambda drawn: {key: COMPLETIONS[key][place % len(COMPLETIONS[key])] for key, place in drawn.items()})


def _value(value: object) -> str | tuple[str, ...]:
    if isinstance(value, list):
        return tuple(str(each) for each in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


@given(examples(most=6), st.lists(completions, min_size=3, max_size=3))
def test_every_completion_has_the_effect_that_was_foretold(
    example: Example, completed: list[dict[str, object]]
) -> None:
    """For any values of the unknown keys a determined answer stays, and the residual gives the engine's effect."""
    for line in example.lines:
        foretold = evaluate_line(line, unknown_context=True)
        written = {key.lower() for key in line["request"]["context"]}
        for values in completed:
            more = {key: value for key, value in values.items() if key.lower() not in written}
            request = {**line["request"], "context": {**line["request"]["context"], **more}}
            effect = evaluate_line({**line, "request": request})["decision"]
            if foretold["decision"] == "undetermined":
                assert _by_tree(line, foretold, more) == effect, json.dumps(line)
            else:
                assert effect == foretold["decision"], json.dumps(line)


def _by_tree(line: dict[str, object], foretold: dict[str, object], more: dict[str, object]) -> str:
    """The effect by the residual itself, taken from the decision that the line describes."""
    from clew.engine.batch import decide_line

    decision = decide_line(line, unknown_context=True)
    assert decision.residual is not None
    assert decision.residual.text == foretold["residual"]["text"]
    return decision.residual.holds({key: _value(value) for key, value in more.items()}).value


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
