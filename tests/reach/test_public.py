"""What everybody can do with a resource, on the facts of `tests/cases/public/`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.case_files import read_case_file

from clew.detect.facts.documents import bucket_policy_public
from clew.engine.services.s3_public import is_public as is_public_to_s3
from clew.policy import parse
from clew.reach.public import Facts, Leg, Openness, Unread, open_statements, public_access, worst

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.policy.model import Policy

CASES = Path(__file__).resolve().parent.parent / "cases" / "public"
ACCOUNT = "111122223333"
_GROUPS = "http://acs.amazonaws.com/groups/global/"
# Where the event's own notion differs, and why.
_DIFFERENT = {
    "reading objects needs the objects as resource": "an event's fact looks at no resources",
    "a denial of all takes it back": "an event's fact looks at no denials, and says so",
    "a denial to all but an endpoint takes it back": "as above",
    "a denial to all but some addresses takes it back": "as above",
    "a denial of all but other folders leaves nothing": "as above",
    "a denial to all but one role takes it back": "as above",
}


@dataclass(frozen=True)
class Case:
    """One row: the facts, and the legs that are public or unknown."""

    arn: str
    page: str
    name: str
    expect: Mapping[str, str]
    policy: list[object] | None = None
    acl: Mapping[str, str] | None = None
    ownership: str | None = None
    block: Mapping[str, bool] | None = None
    account_block: Mapping[str, bool] | None = None
    unread: list[str] = field(default_factory=list)
    ways: list[str] | None = None
    closed: list[str] | None = None
    missing: list[str] | None = None

    @property
    def document(self) -> Policy | None:
        """The policy."""
        if self.policy is None:
            return None
        return parse.parse(json.dumps({"Version": "2012-10-17", "Statement": self.policy}))

    @property
    def facts(self) -> Facts:
        """What decides."""
        grants = [
            {
                "Grantee": {"ID": who} if who == "owner" else {"URI": f"{_GROUPS}{who}"},
                "Permission": permission,
            }
            for permission, who in (self.acl or {}).items()
        ]
        given: dict[str, Any] = {
            "policy": self.document,
            "acl": {"Grants": grants} if grants else None,
            "ownership": self.ownership,
            "block": self.block,
            "account_block": self.account_block,
        }
        given |= {name: Unread(f"s3:{name}") for name in self.unread}
        return Facts(self.arn, ACCOUNT, **given)


def _cases() -> Iterator[Case]:
    for file in sorted(CASES.glob("*.yaml")):
        document = read_case_file(file)
        for row in document["rows"]:
            yield Case(**{"arn": document.get("arn", ""), "page": document["page"], **row})


ALL = tuple(_cases())


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_everybody_gets_what_the_case_says(case: Case) -> None:
    """Each leg is public, not public or unknown as its case says, by the named ways and settings."""
    found = public_access(case.facts)
    told = {leg.value: access.openness.value for leg, access in found.items()}
    assert told == {leg.value: case.expect.get(leg.value, "not_public") for leg in Leg}
    if case.ways is not None:
        assert sorted({str(way) for access in found.values() for way in access.ways}) == case.ways
    if case.closed is not None:
        assert sorted({way.closed_by for access in found.values() for way in access.closed}) == case.closed
    if case.missing is not None:
        assert sorted({call for access in found.values() for call in access.missing}) == case.missing


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_what_is_unknown_names_what_is_missing(case: Case) -> None:
    """An unknown leg names a call, a public one the ways, and neither has the other's."""
    for access in public_access(case.facts).values():
        assert bool(access.missing) is (access.openness is Openness.UNKNOWN)
        assert bool(access.ways) is (access.openness is Openness.PUBLIC)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_a_fact_that_is_lost_never_turns_the_answer(case: Case) -> None:
    """When any one fact could not be read, each leg stays what it was or becomes unknown."""
    before = public_access(case.facts)
    for name in ("policy", "acl", "ownership", "block", "account_block"):
        if getattr(case.facts, name) is None:
            continue
        given = {each: getattr(case.facts, each) for each in Facts.__dataclass_fields__}
        after = public_access(Facts(**{**given, name: Unread(f"s3:{name}")}))
        for leg in Leg:
            assert after[leg].openness in {before[leg].openness, Openness.UNKNOWN}


@pytest.mark.parametrize("case", [c for c in ALL if c.policy and ":s3:" in c.arn], ids=lambda case: case.name)
def test_it_agrees_with_what_an_event_says_of_the_same_policy(case: Case) -> None:
    """The detection's notion of a public bucket policy and S3's own word say the same, but for named differences."""
    document = {"Version": "2012-10-17", "Statement": case.policy}
    said = bucket_policy_public({"requestParameters": {"bucketPolicy": document}})
    policy = case.document
    assert policy is not None
    opens = bool(open_statements(case.arn, ACCOUNT, policy))
    assert (said is opens) is (case.name not in _DIFFERENT)
    # S3's word is stricter: whatever is open is public to S3.
    assert is_public_to_s3(policy) or not opens


def test_the_worst_of_several_legs_is_said() -> None:
    """One public leg makes the whole public, and one unknown leg forbids to say that nothing is."""
    found = {case.name: public_access(case.facts) for case in ALL}
    assert worst(found["objects for everybody"].values()) is Openness.PUBLIC
    assert worst(found["the list was not read"].values()) is Openness.UNKNOWN
    assert worst(found["nothing at all"].values()) is Openness.NOT_PUBLIC
