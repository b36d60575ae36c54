"""A generated policy allows what was used, no more than its rules say, and tells what it leaves out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.case_files import read_case_file

from clew.analyzer.generate import Generated, compared, generate
from clew.analyzer.generate_calls import calls_of
from clew.analyzer.generate_documents import QUOTA, documents, size
from clew.aws.catalog import current
from clew.engine.request import Context, Request
from clew.policy import format as layout
from clew.policy.model import FindingType, PolicyKind
from clew.policy.parse import parse
from clew.policy.validate import validate
from clew.report import generate_text
from clew.symbolic.sides import Documents

if TYPE_CHECKING:
    from clew.policy.model import Policy

_FILE = Path(__file__).resolve().parent.parent / "cases" / "analyzer" / "generate.yaml"
_CASES: dict[str, Any] = read_case_file(_FILE)
_PRINCIPAL: str = _CASES["principal"]


def _made(events: list[dict[str, Any]]) -> Generated:
    full = [{**_CASES["defaults"], **event} for event in events]
    return generate(_PRINCIPAL, calls_of(full, _PRINCIPAL))


def _allows(made: Generated, action: str, resource: str) -> bool | None:
    return Documents(made.policies).allows(Request(_PRINCIPAL, action, resource, None, Context(unknown=None)))


def _problems(policy: Policy) -> list[str]:
    """What validation says of the written document, suggestions apart."""
    found = validate(layout.text(policy), kind=PolicyKind.IDENTITY, catalog=current()).problems
    return [str(each) for each in found if each.finding_type is not FindingType.SUGGESTION]


@pytest.mark.parametrize("row", _CASES["rows"], ids=lambda row: row["name"])
def test_calls_become_what_their_case_says(row: dict[str, Any]) -> None:
    """Every used call is allowed, what was not used is refused, and what stays out is told."""
    made = _made(row["events"])
    granted = {
        action: sorted(statement.resources or ())
        for policy in made.policies
        for statement in policy.statements
        for action in statement.actions or ()
    }
    assert granted == row["grants"]
    assert made.proof.holds
    assert [_problems(policy) for policy in made.policies] == [[] for _ in made.policies]
    assert [pair for pair in row.get("allows", ()) if not _allows(made, *pair)] == []
    assert [pair for pair in row.get("refuses", ()) if _allows(made, *pair) is not False] == []
    assert list(made.open_actions) == row.get("open", [])
    assert [list(key) for key in made.calls.denied] == row.get("denied", [])
    assert [list(key) for key in made.calls.failed] == row.get("failed", [])
    assert [name for _, name, _ in made.calls.unmapped] == row.get("unmapped", [])
    assert made.complete is not bool(row.get("unmapped"))
    seen = [[need.action, *need.resources] for need in made.needs if need.seen]
    assert seen == row.get("needs", [])


def test_what_a_user_federated_counts_as_the_users() -> None:
    """The session of GetFederationToken has at most the user's permissions, and its issuer is the user."""
    user = "arn:aws:iam::111122223333:user/ana"
    session: dict[str, Any] = {"type": "FederatedUser", "arn": "arn:aws:sts::111122223333:federated-user/bob"}
    session["sessionContext"] = {"sessionIssuer": {"type": "IAMUser", "arn": user}}
    event = {**_CASES["defaults"], **_get("logs", "a"), "userIdentity": session}
    assert list(calls_of([event], user).used) == ["s3:GetObject"]


@pytest.mark.parametrize("row", _CASES["comparisons"], ids=lambda row: row["name"])
def test_comparison_says_how_the_policies_stand(row: dict[str, Any]) -> None:
    """A generated policy beside a current one is narrower, wider, equal or incomparable, with witnesses."""
    made = _made([_get("logs", "a")])
    found = compared(made.policies, [parse(json.dumps({"Statement": row["current"]}))])
    assert found.relation == row["relation"]
    assert (found.beyond.request is not None) is (found.relation in {"wider", "incomparable"})
    assert (found.unused.request is not None) is (found.relation in {"narrower", "incomparable"})


def _get(bucket: str, key: str) -> dict[str, Any]:
    return {
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "requestParameters": {"bucketName": bucket, "key": key},
    }


_KEYS = st.text("ab/*?$", min_size=1, max_size=7)


@given(st.lists(st.tuples(st.sampled_from(["logs", "data"]), _KEYS), min_size=1, max_size=12))
def test_law_of_generation(used: list[tuple[str, str]]) -> None:
    """Every used call is allowed; one on another bucket, account or service is not."""
    made = _made([_get(bucket, key) for bucket, key in used])
    assert made.proof.holds
    assert all(_allows(made, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}") for bucket, key in used)
    buckets = {bucket for bucket, _ in used}
    for bucket in {"logs", "data", "other"} - buckets:
        assert _allows(made, "s3:GetObject", f"arn:aws:s3:::{bucket}/{used[0][1]}") is False
    assert _allows(made, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:q") is False


def test_documents_keep_to_the_quota() -> None:
    """What does not fit one managed policy is split, and nothing is lost."""
    grants = {
        "iam:GetRole": [f"arn:aws:iam::111122223333:role/some-application-{n}" for n in range(300)],
        "iam:GetUser": ["arn:aws:iam::111122223333:user/ana"],
    }
    made = documents(grants)
    assert len(made) > 1
    assert max(map(size, made)) <= QUOTA
    told = {
        (action, resource)
        for policy in made
        for statement in policy.statements
        for action in statement.actions or ()
        for resource in statement.resources or ()
    }
    assert told == {(action, resource) for action, resources in grants.items() for resource in resources}
    sids = [statement.sid for policy in made for statement in policy.statements]
    assert len(sids) == len(set(sids))


def test_reports_say_everything_and_keep_names_inert() -> None:
    """Text and JSON hold the proof and what is left out; no name of a log drives the terminal."""
    made = _made(
        [
            _get("logs", "a"),
            {"eventSource": "s3.amazonaws.com", "eventName": "Bad\x1b[31m"},
        ]
    )
    text = generate_text.render(made)
    assert "proven: all 1" in text
    assert "\x1b" not in text
    found = generate_text.document(made)
    assert found["proven"] is True
    assert found["complete"] is False


@given(st.sets(st.from_regex(r"i-[0-9a-f]{4}", fullmatch=True), min_size=1, max_size=8))
def test_law_of_accounts_and_regions(ids: set[str]) -> None:
    """However many instances are made one pattern, those of another account, region or type stay out."""
    items = [{"instanceId": each} for each in sorted(ids)]
    call = {"eventSource": "ec2.amazonaws.com", "eventName": "StopInstances"}
    made = _made([{**call, "requestParameters": {"instancesSet": {"items": items}}}])
    assert made.proof.holds
    for one in ids:
        assert (
            _allows(made, "ec2:StopInstances", f"arn:aws:ec2:eu-west-1:111122223333:instance/{one}") is True
        )
        for foreign in ("eu-west-1:444455556666:instance", "us-east-1:111122223333:instance"):
            assert _allows(made, "ec2:StopInstances", f"arn:aws:ec2:{foreign}/{one}") is False
