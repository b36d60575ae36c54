"""Exposure of whole accounts: ways in that answers tell, and the life of findings from run to run."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.case_files import read_case_file

from clew.analyzer.exposure import run
from clew.analyzer.exposure_accounts import State, everything
from clew.analyzer.exposure_collected import KINDS, targets
from clew.analyzer.exposure_findings import cleared, finding, producer
from clew.analyzer.exposure_model import (
    Report,
    Restriction,
    Target,
    Through,
    Unknown,
    WayIn,
    Zone,
    ZoneOfTrust,
)
from clew.analyzer.exposure_reading import Reading
from clew.analyzer.exposure_zones import zone_of
from clew.findings import Status as Standing
from clew.snapshot.answers import GLOBAL, Answer, Answers, Call, Status
from clew.snapshot.model import Document, Snapshot
from clew.store.database import Database
from clew.store.findings import add_suppression, kept_findings, upsert
from clew.store.suppression import Suppression

_CASES = Path(__file__).resolve().parent.parent / "cases" / "analyzer"
_WAYS: dict[str, Any] = read_case_file(_CASES / "exposure-accounts.yaml")
_LIVES: dict[str, Any] = read_case_file(_CASES / "exposure-life.yaml")
_OWNER = "111122223333"
_START = datetime(2026, 3, 11, 6, tzinfo=UTC)


class _Told(Answers):
    """Answers by operation, whatever the parameters."""

    def __init__(self, said: dict[str, Any]) -> None:
        super().__init__([])
        self._said = said

    @property
    def regions(self) -> tuple[str, ...]:
        return ("eu-west-1",)

    def of(self, call: Call) -> Answer:
        said = self._said.get(f"{call.service}:{call.operation}")
        if said is None:
            return super().of(call)
        if isinstance(said, dict):
            return Answer(call, "2026-03-11T06:00:00Z", Status.OK, said)
        kind, _, code = said.rpartition(":")
        return Answer(call, "2026-03-11T06:00:00Z", Status.ABSENT if kind else Status.DENIED, None, code)


@pytest.mark.parametrize("row", _WAYS["rows"], ids=lambda row: row["name"])
def test_answers_tell_the_ways_in_of_their_case(row: dict[str, Any]) -> None:
    """What lets somebody in is found with its way; what nobody could read is unknown, with the call."""
    found = [each for each in targets(Reading.of(_Told(row["answers"]), _OWNER)) if each.type == row["type"]]
    report = run(_OWNER, Zone(_OWNER), found)
    told = [
        {"principal": each.principal, "through": each.through.value, "levels": list(each.levels)}
        | ({"dormant": each.dormant} if each.dormant else {})
        | ({"public": True} if each.is_public and each.through is Through.S3_ACCESS_POINT_ACCOUNT else {})
        for each in report.exposures
    ]
    assert told == row["opens"]
    reasons = [each.why for each in report.unknown]
    wanted = row.get("unknown", [])
    assert len(reasons) == len(wanted)
    assert all(words in reason for words, reason in zip(wanted, reasons, strict=True))


def test_every_collected_type_has_a_case() -> None:
    """Each type of resource whose sharing is collected is shown by a case."""
    assert {row["type"] for row in _WAYS["rows"]} == {kind.type for kind in KINDS}


def test_a_snapshot_of_nothing_is_unknown_everywhere() -> None:
    """An account of which nothing was collected has no type that passes for closed."""
    state = State(Snapshot(), Answers([_denied("iam", "GetAccountAuthorizationDetails")]))
    zone, _ = zone_of(state, _OWNER, ZoneOfTrust.ACCOUNT)
    report = run(_OWNER, zone, everything(state, _OWNER))
    assert not report.targets
    missing = {each.type for each in report.unknown}
    assert missing >= {"AWS::IAM::Role", "AWS::S3::Bucket"}


def test_an_organisation_that_nobody_could_read_is_said() -> None:
    """Without the list of member accounts the zone is the account, and that is an unknown of its own."""
    state = State(Snapshot(), Answers([_denied("organizations", "DescribeOrganization")]))
    zone, unknown = zone_of(state, _OWNER, ZoneOfTrust.ORGANIZATION)
    assert zone.members is None
    assert "organizations:DescribeOrganization" in unknown[0].why


def _organization(account: str, *, tells: bool) -> list[Answer]:
    """What an account answers of its organisation; only the management account lists the members."""
    described = {"Organization": {"Id": "o-exampleorg1", "MasterAccountId": "222233334444"}}
    members = {"Accounts": [{"Id": _OWNER}, {"Id": "222233334444"}]}
    calls = [
        Call(account, GLOBAL, "organizations", name) for name in ("DescribeOrganization", "ListAccounts")
    ]
    at = "2026-03-11T06:00:00Z"
    listed = Answer(calls[1], at, Status.OK, members) if tells else Answer(calls[1], at, Status.DENIED)
    return [Answer(calls[0], at, Status.OK, described), listed]


def test_the_organisation_is_what_any_account_at_hand_tells() -> None:
    """A member that may not list the organisation is in the zone that the management account's snapshot tells."""
    member = State(Snapshot(), Answers(_organization(_OWNER, tells=False)), "member.json.gz")
    management = State(Snapshot(), Answers(_organization("222233334444", tells=True)), "management.json.gz")
    together = State(Snapshot(), Answers([*member.answers, *management.answers]), "all.json.gz")
    alone, unknown = zone_of(member, _OWNER, ZoneOfTrust.ORGANIZATION)
    assert (alone.organization, alone.members, len(unknown)) == ("o-exampleorg1", None, 1)
    for state, beside in ((member, [management]), (together, [])):
        zone, unknown = zone_of(state, _OWNER, ZoneOfTrust.ORGANIZATION, beside)
        assert (zone.organization, zone.holds_account("222233334444"), unknown) == ("o-exampleorg1", True, ())
        assert not zone.holds_account("444455556666")


def test_another_organisation_tells_nothing() -> None:
    """A list of accounts that does not hold the account is no list of its organisation."""
    member = State(Snapshot(), Answers(_organization("444455556666", tells=False)))
    other = State(Snapshot(), Answers(_organization("222233334444", tells=True)))
    zone, unknown = zone_of(member, "444455556666", ZoneOfTrust.ORGANIZATION, [other])
    assert (zone.members, len(unknown)) == (None, 1)


def test_control_policies_that_nobody_told_are_said() -> None:
    """Without the organisation's control policies AWS's word is that they could not be evaluated; without one, none."""
    member = State(Snapshot(), Answers(_organization(_OWNER, tells=False)))
    described = Call(_OWNER, GLOBAL, "organizations", "DescribeOrganization")
    alone = State(Snapshot(), Answers([Answer(described, "2026-03-11T06:00:00Z", Status.ABSENT)]))
    told = []
    for state in (member, alone):
        zone, _ = zone_of(state, _OWNER, ZoneOfTrust.ACCOUNT)
        told.append(run(_OWNER, zone, [_bucket("public")]).exposures[0].restriction)
    assert told == [Restriction.FAILED_TO_EVALUATE_RCP, Restriction.NOT_APPLICABLE]


def _denied(service: str, operation: str) -> Answer:
    call = Call(_OWNER, GLOBAL, service, operation)
    return Answer(call, "2026-03-11T06:00:00Z", Status.DENIED, None, "AccessDenied")


_POLICIES: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "public": [{"Principal": "*", "Action": "s3:GetObject"}],
    "partner-reads": [{"Principal": {"AWS": "444455556666"}, "Action": "s3:GetObject"}],
    "partner-writes": [{"Principal": {"AWS": "444455556666"}, "Action": ["s3:GetObject", "s3:PutObject"]}],
}


def _bucket(policy: str) -> Target:
    unread = ("s3:GetBucketPolicy (AccessDenied)",) if policy == "unread" else ()
    statements = [
        {"Effect": "Allow", "Resource": "arn:aws:s3:::fleet-data/*", **each}
        for each in _POLICIES.get(policy, [])
    ]
    document = Document("policy", {"Version": "2012-10-17", "Statement": statements}) if statements else None
    way = WayIn(Through.POLICY, "s3:GetBucketPolicy", document=document, unread=unread)
    return Target("arn:aws:s3:::fleet-data", "AWS::S3::Bucket", _OWNER, "", (way,))


def _archive(database: Database, reason: str, now: datetime) -> None:
    for kept in kept_findings(database, now, status=Standing.ACTIVE):
        hidden = Suppression("", reason, "ana", now, now + timedelta(days=365), finding=kept.finding.id)
        add_suppression(database, hidden, now)


def _keep(database: Database, report: Report, now: datetime) -> None:
    mine = producer(report.zone)
    before = [kept.finding for kept in kept_findings(database, now)]
    found = [finding(each, report.zone, now) for each in report.exposures]
    upsert(database, found, now, producer=mine, cleared=cleared(report, before), gap=None)


@pytest.mark.parametrize("row", _LIVES["rows"], ids=lambda row: row["id"])
def test_a_finding_lives_as_its_case_tells(row: dict[str, Any], tmp_path: Path) -> None:
    """Active, archived with a reason, resolved when the access is gone, back when it returns; nothing on a guess."""
    with Database(tmp_path / "state.sqlite") as database:
        for number, step in enumerate(row["steps"]):
            now = _START + timedelta(days=number)
            if "archive" in step:
                _archive(database, step["archive"], now)
            report = run(_OWNER, Zone(_OWNER), [_bucket(step["policy"])])
            _keep(database, report, now)
            counted = Counter(kept.finding.status for kept in kept_findings(database, now))
            assert counted[Standing.ACTIVE] == step["active"]
            assert counted[Standing.SUPPRESSED] == step["archived"]
            assert counted[Standing.RESOLVED] == step["resolved"]
            assert len(report.unknown) == step.get("unknown", 0)


def test_a_list_that_was_not_read_resolves_nothing_of_its_type() -> None:
    """A bucket that no list names any more is gone only where the buckets were listed."""
    old = finding(run(_OWNER, Zone(_OWNER), [_bucket("public")]).exposures[0], Zone(_OWNER), _START)
    unread = Unknown("", "AWS::S3::Bucket", _OWNER, "", ("s3:ListBuckets",), "denied")
    assert not cleared(run(_OWNER, Zone(_OWNER), [unread]), [old])
    assert cleared(run(_OWNER, Zone(_OWNER), []), [old]) == {(old.rule, old.subject)}


def test_findings_can_be_kept_as_json() -> None:
    """What a finding says is text that JSON holds."""
    found = finding(run(_OWNER, Zone(_OWNER), [_bucket("partner-writes")]).exposures[0], Zone(_OWNER), _START)
    assert json.loads(json.dumps([found.title, found.explanation, found.subject]))[0] == (
        "444455556666 can reach arn:aws:s3:::fleet-data: Read, Write"
    )
