"""What a resource's policy opens outside the zone of trust, and what it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.case_files import read_case_file

from clew.analyzer.exposure import exposure
from clew.analyzer.exposure_asking import EVERYTHING, requests
from clew.analyzer.exposure_cells import Cell
from clew.analyzer.exposure_findings import conditions
from clew.analyzer.exposure_model import Exposure, Restriction, Target, Through, WayIn, Zone, ZoneOfTrust
from clew.engine import Effect, Policies, authorize
from clew.policy.model import Condition, Principal
from clew.snapshot.model import Document

_FILE = Path(__file__).resolve().parent.parent / "cases" / "analyzer" / "exposure-policies.yaml"
_CASES: dict[str, Any] = read_case_file(_FILE)
_OWNER = "111122223333"
_MEMBERS = frozenset({_OWNER, "222233334444"})
_BUCKET = "arn:aws:s3:::payroll"


def _zone(kind: str, rcp: list[Any] | None = None) -> Zone:
    control = Document("rcp", {"Version": "2012-10-17", "Statement": rcp}).policy if rcp else None
    levels = ((control,),) if control is not None else ()
    return Zone(_OWNER, ZoneOfTrust(kind), "o-exampleorg1", _MEMBERS, rcps=levels)


def _found(resource: str, statements: list[Any], zone: Zone) -> tuple[Exposure, ...]:
    document = Document("policy", {"Version": "2012-10-17", "Statement": statements})
    way = WayIn(Through.POLICY, "policy", "policy.json", document=document)
    found, unknown = exposure(Target(resource, "", _OWNER, "", (way,)), zone)
    assert not unknown
    return found


def _told(found: Exposure) -> dict[str, Any]:
    told: dict[str, Any] = {
        "principal": found.principal,
        "levels": list(found.levels),
        "actions": list(found.actions),
    }
    if found.conditions:
        told["if"] = [f"{each.key} {' '.join(each.values)}" for each in found.conditions]
    if found.through is not Through.POLICY:
        told |= {"through": found.through.value, "about": found.about}
    if found.restriction is not Restriction.NOT_APPLICABLE:
        told["restriction"] = found.restriction.value
    return told | ({"public": True} if found.is_public else {}) | ({"may": True} if found.may else {})


@pytest.mark.parametrize("row", _CASES["rows"], ids=lambda row: row["name"])
def test_a_policy_opens_what_its_case_says(row: dict[str, Any]) -> None:
    """Each principal and set of conditions outside the zone is one finding, and nobody inside is."""
    case = {**_CASES["defaults"], **row}
    found = _found(case["resource"], case["policy"], _zone(case["zone"], case.get("rcp")))
    assert [_told(each) for each in found] == case["opens"]
    assert all(each.proofs[0].place.startswith("policy.json, line ") for each in found)


_WORDS: dict[tuple[str, str], str] = {
    ("NotIpAddress", "192.0.2.0/24"): "aws:SourceIp is not in `192.0.2.0/24`",
    ("StringNotEquals", "a"): "aws:SourceIp does not equal `a`",
    ("StringEqualsIfExists", "a"): "aws:SourceIp is absent or equals `a`",
    ("ForAllValues:StringLike", "a*"): "every value of aws:SourceIp is like `a*`",
    ("Null", "false"): "aws:SourceIp is present",
    ("StringEquals", "a"): "aws:SourceIp equals `a`",
}


@pytest.mark.parametrize("written", _WORDS, ids=lambda written: written[0])
def test_a_condition_is_told_as_it_is_meant(written: tuple[str, str]) -> None:
    """What a condition negates, leaves out or asks of every value shows in its words."""
    operator, value = written
    assert conditions([Condition(operator, "aws:SourceIp", (value,))]) == _WORDS[written]


_PRINCIPALS = st.sampled_from(
    [
        "*",
        {"AWS": "*"},
        {"AWS": "arn:aws:iam::111122223333:root"},
        {"AWS": ["111122223333", "444455556666"]},
        {"AWS": "arn:aws:iam::222233334444:role/etl"},
        {"AWS": "arn:aws:iam::444455556666:user/ana"},
        {"Service": "sns.amazonaws.com"},
    ]
)
_CONDITIONS = st.sampled_from(
    [
        {},
        {"StringEquals": {"aws:PrincipalAccount": ["111122223333", "444455556666"]}},
        {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorg1"}},
        {"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::222233334444:*"}},
        {"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}},
        {"StringEqualsIfExists": {"aws:PrincipalAccount": "111122223333"}},
    ]
)
_STATEMENTS = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Allow", "Deny"]),
        "Principal": _PRINCIPALS,
        "Action": st.sampled_from(["s3:GetObject", "s3:*", ["s3:PutObject", "s3:ListBucket"]]),
        "Resource": st.sampled_from([f"{_BUCKET}/*", [_BUCKET, f"{_BUCKET}/*"]]),
        "Condition": _CONDITIONS,
    }
)


@given(st.lists(_STATEMENTS, min_size=1, max_size=3), st.sampled_from(list(ZoneOfTrust)))
def test_only_outsiders_appear_and_the_engine_lets_each_in(statements: list[Any], kind: ZoneOfTrust) -> None:
    """No principal of the zone is ever reported, and no reported one is denied by the policy for sure."""
    zone = _zone(kind.value)
    document = Document("policy", {"Version": "2012-10-17", "Statement": statements})
    for found in _found(_BUCKET, statements, zone):
        principal = Principal(found.kind, found.principal)
        assert principal.account is None or not zone.holds_account(principal.account)
        cell = Cell(principal, found.conditions, found.is_public, principal.account or _account(found))
        asked = [
            each
            for action in ("s3:GetObject", "s3:PutObject", "s3:ListBucket")
            for resource in (_BUCKET, f"{_BUCKET}/clew-witness")
            for each in requests(cell, action, resource, _OWNER, zone)
        ]
        policies = Policies(identity=(EVERYTHING,), resource=document.policy)
        effects = {authorize(each, policies).effect for each in asked}
        assert effects & {Effect.ALLOW, Effect.UNDETERMINED}
        assert found.may or Effect.ALLOW in effects or Effect.UNDETERMINED in effects


def _account(found: Exposure) -> str | None:
    keys = {each.key: each.values[0] for each in found.conditions}
    return keys.get("aws:PrincipalAccount")
