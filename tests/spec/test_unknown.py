"""A determined answer holds for every completion of the unknown keys."""

from __future__ import annotations

import copy

from hypothesis import given
from hypothesis import strategies as st
from spec.decide import decide

KEYS = ("aws:a", "aws:b", "aws:TagKeys", "s3:x-amz-acl")
VALUES = ("x", "y", "", "1", "true", "192.0.2.7", "public-read", ["x"], ["x", "y"], [])
OPERATORS = (
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "NumericLessThan",
    "Bool",
    "NotIpAddress",
    "Null",
    "StringEqualsIfExists",
    "StringNotLikeIfExists",
    "NumericNotEquals",
    "NumericNotEqualsIfExists",
    "boolifexists",
    "ForAllValues:StringLike",
    "ForAllValues:StringNotEquals",
    "ForAnyValue:StringEquals",
    "ForAnyValue:StringNotLike",
)
POLICY_VALUES = (
    "x",
    "*",
    "y*",
    "",
    "2",
    "true",
    "192.0.2.0/24",
    "${aws:a}",
    "${aws:b, 'x'}",
    "${aws:TagKeys, 'x'}",
)
USER = "arn:aws:iam::111122223333:user/u"

conditions = st.dictionaries(
    st.sampled_from(OPERATORS),
    st.dictionaries(st.sampled_from(KEYS), st.lists(st.sampled_from(POLICY_VALUES), max_size=2), max_size=2),
    max_size=2,
)
statements = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(("Allow", "Allow", "Deny")),
        "Action": st.just("s3:*"),
        "Resource": st.sampled_from(("*", "arn:aws:s3:::b/${aws:a}", "arn:aws:s3:::b/x")),
        "Condition": conditions,
    }
)
documents = st.builds(
    lambda found: {"Version": "2012-10-17", "Statement": found}, st.lists(statements, min_size=1, max_size=3)
)
principals = st.sampled_from((USER, "arn:aws:iam::111122223333:root", "*"))


@st.composite
def lines(draw):
    """A line on an S3 object with identity, bucket and limiting policies."""
    resource_policy = draw(documents)
    for statement in resource_policy["Statement"]:
        principal = draw(principals)
        statement["Principal"] = principal if principal == "*" else {"AWS": principal}
    line = {
        "request": {"principal": USER, "action": "s3:PutObject", "resource": "arn:aws:s3:::b/x"},
        "identity_policies": [draw(documents)],
        "resource_policy": resource_policy,
        "block_public_access": {"BlockPublicAcls": draw(st.booleans())},
    }
    line["request"]["resource_account"] = draw(st.sampled_from(("111122223333", "444455556666")))
    line |= {
        name: [draw(documents)]
        for name in ("permissions_boundaries", "vpc_endpoint_policies")
        if draw(st.booleans())
    }
    for policy in line.get("vpc_endpoint_policies", []):
        for statement in policy["Statement"]:
            statement["Principal"] = "*"
    return line


@given(lines(), st.fixed_dictionaries({}, optional={key: st.sampled_from(VALUES) for key in KEYS}))
def test_a_determined_answer_holds_for_every_completion(line, completion):
    """Whatever the unknown keys turn out to be, the answer given before was right."""
    before = decide(line, unknown_context=True)
    complete = copy.deepcopy(line)
    complete["request"]["context"] = completion
    after = decide(complete)
    assert after.decision != "undetermined"
    if before.decision != "undetermined":
        assert after.decision == before.decision
    assert set(before.blocked_by) <= set(after.blocked_by)


@given(lines())
def test_nothing_is_unknown_when_nothing_is_unknown(line):
    """Without unknown keys every gate has a verdict."""
    answer = decide(line)
    assert "unknown" not in answer.gates.values()
    assert answer.decision in {"allow", "implicit_deny", "explicit_deny"}


@given(lines(), st.fixed_dictionaries({}, optional={key: st.sampled_from(VALUES) for key in KEYS}))
def test_unknown_keys_by_name(line, known):
    """Naming all unknown keys is the same as leaving everything else unknown."""
    line["request"]["context"] = known
    named = frozenset(KEYS)
    extra = frozenset(
        f"s3:x-amz-grant-{key}" for key in ("read", "write", "read-acp", "write-acp", "full-control")
    )
    assert decide(line, unknown=named | extra) == decide(line, unknown_context=True)
