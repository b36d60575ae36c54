"""Policies of buckets that are judged once for all of them: the same is said as of each by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from clew.audit.buckets import Alike, nameless
from clew.audit.tls import http_gaps
from clew.policy.parse import from_document
from clew.reach.public import open_statements

if TYPE_CHECKING:
    from clew.audit.tls import Gaps
    from clew.policy.model import Policy

ACCOUNT = "111122223333"
NAMES = ("a", "b", "logs", "logs.archive")
RESOURCES = st.sampled_from(
    ["{arn}", "{arn}/*", "{arn}/logs/*", "{arn}/${{aws:username}}/*", "{arn}*", "*", "arn:aws:s3:::logs/*"]
)
STATEMENTS = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Principal": st.sampled_from(["*", {"AWS": ACCOUNT}]),
        "Action": st.sampled_from(["s3:*", "s3:GetObject", ["s3:ListBucket", "s3:Put*"]]),
        "Resource": st.lists(RESOURCES, min_size=1, max_size=2),
        "Condition": st.sampled_from(
            [
                {},
                {"Bool": {"aws:SecureTransport": "false"}},
                {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::logs"}},
            ]
        ),
    }
)


def _policy(statements: list[dict[str, object]], arn: str) -> Policy:
    filled = [
        {**each, "Resource": [str(resource).format(arn=arn) for resource in each["Resource"]]}  # type: ignore[attr-defined]  # a list
        for each in statements
    ]
    return from_document({"Version": "2012-10-17", "Statement": filled})


def _said(policy: Policy, arn: str) -> tuple[Gaps, frozenset[int]]:
    opened = frozenset(each.index for each in open_statements(arn, ACCOUNT, policy))
    return http_gaps(policy, arn, ACCOUNT), opened


@given(st.lists(st.lists(STATEMENTS, min_size=1, max_size=2), min_size=1, max_size=2))
def test_policies_that_are_alike_are_judged_as_each_by_itself(
    given_policies: list[list[dict[str, object]]],
) -> None:
    """What was said of another bucket's policy is said again only where it is true of this one."""
    once = Alike(_said)
    for statements in given_policies:
        for name in NAMES:
            arn = f"arn:aws:s3:::{name}"
            policy = _policy(statements, arn)
            assert once.of(policy, arn) == _said(policy, arn)


def test_policy_that_names_only_its_bucket_is_alike_for_all() -> None:
    """Two buckets with the same statements share one answer; a wildcard that may match a name is asked for each."""
    statements: list[dict[str, object]] = [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["{arn}", "{arn}/*"]}
    ]
    first, second = (nameless(_policy(statements, arn), arn) for arn in ("arn:aws:s3:::a", "arn:aws:s3:::b"))
    assert first is not None
    assert first == second
    wide: list[dict[str, object]] = [{**statements[0], "Resource": ["{arn}*"]}]
    assert nameless(_policy(wide, "arn:aws:s3:::a"), "arn:aws:s3:::a") is None
    assert nameless(_policy(statements, "arn:aws:sns:::a"), "arn:aws:sns:::a") is None
