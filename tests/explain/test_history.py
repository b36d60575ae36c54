"""What changed since it last worked, and policies as they were: the cases over one lake that holds all calls."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.case_files import read_case_file

from clew.explain.cause import Agreement, CauseId
from clew.explain.explanation import of_event
from clew.explain.history import joined
from clew.explain.replay import Comparison, replay, replay_all
from clew.explain.replay_times import Times
from clew.lake.ingest import ingest
from clew.lake.items import add
from clew.lake.reader import open_lake
from clew.reach.predict import Predictor
from clew.report import explanation_text
from clew.snapshot import details, side
from clew.snapshot.as_of import as_of
from clew.snapshot.items import COLLECT, CONFIG, Item, Key, Status, row
from clew.snapshot.model import Snapshot, Source

if TYPE_CHECKING:
    from clew.explain.explanation import Explanation
    from clew.lake.reader import Lake

_FILE = Path(__file__).resolve().parent.parent / "cases" / "explain" / "history.yaml"
ROWS = read_case_file(_FILE)["rows"]
ACCOUNT = "111122223333"
START = datetime(2026, 3, 10, 10, tzinfo=UTC)
REFUSED = 60
OPEN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
SHUT = {
    "Version": "2012-10-17",
    "Statement": [
        *OPEN["Statement"],
        {"Sid": "Shut", "Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"},
    ],
}


def arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def event(name: str, call: dict[str, Any]) -> dict[str, Any]:
    who = call.get("by", name)
    is_s3 = "User" not in call["event"]
    about: dict[str, Any] = {"userName": call.get("user", name), "policyName": "Own"}
    if is_s3:
        about = {"bucketName": name} | ({"key": call.get("key", "a")} if "Object" in call["event"] else {})
    made = {
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "arn": arn(who), "userName": who, "accountId": ACCOUNT},
        "eventTime": at(call["at"]).isoformat().replace("+00:00", "Z"),
        "eventSource": f"{'s3' if is_s3 else 'iam'}.amazonaws.com",
        "eventName": call["event"],
        "awsRegion": "eu-west-1" if is_s3 else "us-east-1",
        "sourceIPAddress": "192.0.2.7",
        "requestParameters": about,
        "eventID": hashlib.sha256(f"{name} {call}".encode()).hexdigest()[:32],
        "readOnly": call["event"].startswith(("Get", "Head")),
        "managementEvent": "Object" not in call["event"],
        "eventCategory": "Data" if "Object" in call["event"] else "Management",
        "recipientAccountId": ACCOUNT,
    }
    return made | ({"errorCode": call["error"]} if "error" in call else {})


def refused(name: str, reason: str = "") -> dict[str, Any]:
    text = f"User: {arn(name)} is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::{name}/a {reason}"
    return event(name, {"at": REFUSED, "event": "GetObject", "error": "AccessDenied"}) | {
        "errorMessage": text
    }


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("history")
    records = [event(each["name"], call) for each in ROWS for call in each["calls"]]
    records += [refused(each["name"]) for each in ROWS]
    (folder / "trail.json").write_text(json.dumps({"Records": records}), encoding="utf-8")
    ingest(folder / "lake", [str(folder / "trail.json")], now=START)
    add(folder / "lake", [row(user("changed", SHUT, 50)), row(user("changed", OPEN, 90))])
    return open_lake(folder / "lake")


def snapshot(*names: str, document: dict[str, Any] = OPEN) -> Snapshot:
    collected = details.Collected()
    users = [configuration(name, document) for name in names]
    lists = {"UserDetailList": users, "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
    assert collected.add(Source("account.json", json.dumps(lists)))
    held = {f"arn:aws:s3:::{name}": {"Account": ACCOUNT, "Policy": None} for name in names}
    return Snapshot(collected.accounts(), side.resources(Source("resources.json", json.dumps(held))))


def configuration(name: str, document: dict[str, Any]) -> dict[str, Any]:
    own = [{"PolicyName": "Own", "PolicyDocument": document}]
    return {"UserName": name, "UserId": f"AIDA{name}", "Arn": arn(name), "Path": "/", "UserPolicyList": own}


def user(name: str, document: dict[str, Any], minute: int, recorder: str = COLLECT) -> Item:
    given: Any = configuration(name, document)
    if recorder == CONFIG:
        own = [{"policyName": "Own", "policyDocument": json.dumps(document)}]
        given = {"userName": name, "userId": "AIDA", "arn": arn(name), "path": "/", "userPolicyList": own}
    key = Key(ACCOUNT, "global", "AWS::IAM::User", f"AIDA{name}", recorder)
    return Item(key, at(minute), Status.CHANGED, arn(name), name, given)


def explained(lake: Lake, name: str, reason: str = "") -> Explanation:
    predictor = Predictor(snapshot(name))
    record = refused(name, reason)
    return joined(of_event(record, predictor), lake, predictor, record)[0]


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case["name"])
def test_what_changed_since_it_last_worked(lake: Lake, case: dict[str, Any]) -> None:
    """The last like call that went through, and the calls since then that changed what was consulted."""
    found = explained(lake, case["name"]).since
    assert found is not None
    assert (found.worked and found.worked.time) == (at(case["worked"]) if "worked" in case else None)
    assert [entry.event_name for entry in found.changes] == case["changes"]
    assert arn(case["name"]) in found.consulted
    for entry in found.changes:
        assert (entry.who.name, entry.source_ip) == ("mary", "192.0.2.7")


def test_a_call_is_judged_by_the_policies_of_its_time(lake: Lake) -> None:
    """The snapshot of today allows it; the item of before the call holds the deny that refused it."""
    predictor = Predictor(snapshot("changed"))
    record = refused("changed", "with an explicit deny in an identity-based policy")
    today = of_event(record, predictor)
    assert (today.cause.id, today.agreement) == (CauseId.POLICIES_ALLOW, Agreement.DISAGREE)
    found, then = joined(today, lake, predictor, record)
    assert (found.cause.id, found.agreement) == (CauseId.EXPLICIT_DENY, Agreement.AGREE)
    assert then is not predictor
    assert found.as_of is not None
    assert [(used.arn, used.item.captured_at) for used in found.as_of.used] == [(arn("changed"), at(50))]
    words = " ".join(explanation_text.render([found]).split())
    assert "It last worked at 2026-03-10 10:05:00 UTC, from 192.0.2.7" in words
    assert "Changed since then: 2026-03-10 10:20:00 UTC PutUserPolicy on " in words
    assert "by mary, from 192.0.2.7" in words
    assert f"{arn('changed')} as it was at 2026-03-10 11:00:00 UTC (seen at 2026-03-10 10:50:00 UTC)" in words
    told = explanation_text.document(found)
    assert json.loads(json.dumps(told))["changed"]["changes"][0]["event_name"] == "PutUserPolicy"


def test_without_items_the_time_of_the_policies_is_assumed(lake: Lake) -> None:
    """What no item says of that time is said to be taken from the policies given."""
    found = explained(lake, "never")
    assert any("no configuration item of 2026-03-10 11:00:00 UTC says" in text for text in found.assumed)


@pytest.mark.parametrize(
    ("minutes", "moment", "expected", "open_"),
    [
        ((50, 90), None, SHUT, True),
        ((50, 90), at(70), SHUT, False),
        ((50, 90), at(55), OPEN, False),
        ((70, 90), None, None, False),
        ((10, 50), None, OPEN, False),
    ],
)
@pytest.mark.parametrize("recorder", [COLLECT, CONFIG])
def test_the_item_of_the_time_is_chosen(
    minutes: tuple[int, int],
    moment: datetime | None,
    expected: dict[str, Any] | None,
    open_: bool,
    recorder: str,
) -> None:
    """Before a change the item before counts, after it the one after; a change that nobody dates is said to be open."""
    items = [user("ana", SHUT, minutes[0], recorder), user("ana", OPEN, minutes[1], recorder)]
    found = as_of(snapshot("ana"), at(REFUSED), [arn("ana")], items, lambda _: moment)
    if expected is None:
        assert (found.used, found.missing) == ((), (arn("ana"),))
        return
    own = found.snapshot.accounts[ACCOUNT].users[arn("ana")].inline[0]
    assert json.loads(own.text) == expected
    assert bool(found.used[0].why) is open_


def test_a_bucket_has_the_policy_that_it_had() -> None:
    """Items of Clew hold the policy as JSON, those of AWS Config as text; a bucket without one then has none."""
    key = Key(ACCOUNT, "eu-west-1", "AWS::S3::Bucket", "logs")
    own = Item(
        key, at(5), Status.CHANGED, "arn:aws:s3:::logs", "logs", {"Name": "logs"}, {"BucketPolicy": SHUT}
    )
    config = replace(
        own, key=replace(key, recorder=CONFIG), supplements={"BucketPolicy": {"policyText": json.dumps(SHUT)}}
    )
    none = replace(own, supplements={"BucketPolicy": None})
    for item, expected in ((own, SHUT), (config, SHUT), (none, None)):
        found = as_of(snapshot("logs", document=OPEN), at(REFUSED), [item.arn], [item], lambda _: None)
        policy = found.snapshot.resources[item.arn].policy
        assert (policy and json.loads(policy.text)) == expected


def test_what_was_deleted_then_is_not_known() -> None:
    """A user who was gone is missing, not a user without policies."""
    items = [user("ana", SHUT, 10), replace(user("ana", SHUT, 20), status=Status.DELETED, configuration=None)]
    found = as_of(snapshot("ana"), at(REFUSED), [arn("ana")], items, lambda _: None)
    assert (found.used, found.missing) == ((), (arn("ana"),))


def test_how_a_call_was_unlike_the_one_that_worked(lake: Lake) -> None:
    """Another address than the last time is said; what both records share, or one does not say, is not."""
    predictor = Predictor(snapshot("unchanged"))
    record = refused("unchanged") | {"sourceIPAddress": "198.51.100.9"}
    found, _ = joined(of_event(record, predictor), lake, predictor, record)
    assert found.since is not None
    assert found.since.differs == ("source address `198.51.100.9` instead of `192.0.2.7`",)


def test_a_snapshot_of_after_the_item_knows_better() -> None:
    """An old item does not displace what a snapshot of later, and still of before the call, says."""
    items = [user("ana", SHUT, 10)]
    for minute, used in ((5, 1), (20, 0), (90, 1)):
        taken = replace(snapshot("ana"), collected_at=at(minute).isoformat())
        assert len(as_of(taken, at(REFUSED), [arn("ana")], items, lambda _: None).used) == used


@pytest.mark.parametrize("is_dated", [True, False])
def test_replay_judges_each_call_by_the_policies_of_its_time(tmp_path: Path, *, is_dated: bool) -> None:
    """A change that a recorded call dates is heeded from then on; one that nobody dates leaves its time open."""
    calls: list[dict[str, Any]] = [{"at": 5, "event": "GetObject"}, {"at": 15, "event": "GetObject"}]
    calls.append({"at": 30, "event": "GetObject", "error": "AccessDenied"})
    writing = [{"at": 20, "event": "PutUserPolicy", "by": "mary", "User": True}] if is_dated else []
    records = [event("ana", call) for call in [*calls, *writing]]
    (tmp_path / "trail.json").write_text(json.dumps({"Records": records}), encoding="utf-8")
    ingest(tmp_path / "lake", [str(tmp_path / "trail.json")], now=START)
    add(tmp_path / "lake", [row(user("ana", OPEN, 10)), row(user("ana", SHUT, 40))])
    today = snapshot("ana")
    times = Times(open_lake(tmp_path / "lake"), today)
    assert times.items == 2
    asked = [event("ana", call) for call in calls]
    assert [replay(each, Predictor(today)).comparison for each in asked][-1] is Comparison.DISAGREES
    found = replay_all(asked, None, lambda each: times.at(datetime.fromisoformat(each["eventTime"])))
    if is_dated:
        assert found.comparisons == {Comparison.AGREES: 3}
    else:
        assert found.comparisons == {Comparison.AGREES: 1, Comparison.OPEN: 2}
        assert all("nobody knows when" in reason for reason in found.reasons)


def test_a_policy_of_the_organisation_is_found_by_its_name(tmp_path: Path) -> None:
    """Files of the organisation say what SCPs are called, not their ARNs; what else bears the name is left out."""
    about = {"policyId": "p-0abc", "content": "{}"}
    summary = {"name": "guard", "id": "p-0abc", "type": "SERVICE_CONTROL_POLICY"}
    written = event("mary", {"at": 20, "event": "UpdateUser", "User": True}) | {
        "eventSource": "organizations.amazonaws.com",
        "eventName": "UpdatePolicy",
        "requestParameters": about,
        "responseElements": {"policy": {"policySummary": summary}},
        "recipientAccountId": "999988887777",
        "readOnly": False,
    }
    other = event("mary", {"at": 25, "event": "PutUserPolicy", "User": True, "user": "guard"})
    records = [event("ana", {"at": 5, "event": "GetObject"}), written, other, refused("ana")]
    (tmp_path / "trail.json").write_text(json.dumps({"Records": records}), encoding="utf-8")
    ingest(tmp_path / "lake", [str(tmp_path / "trail.json")], now=START)
    own = f"arn:aws:organizations::999988887777:account/o-exampleorg1/{ACCOUNT}"
    root = "arn:aws:organizations::999988887777:root/o-exampleorg1/r-ex01"
    tree = {"ManagementAccount": "999988887777", "Accounts": {own: [root]}}
    scps = {root: ["FullAWSAccess"], own: ["FullAWSAccess", {"Name": "guard", "Content": SHUT}]}
    of = side.with_tree(snapshot("ana").organization, Source("organization.json", json.dumps(tree)))
    held = replace(snapshot("ana"), organization=side.with_scps(of, Source("scps.json", json.dumps(scps))))
    record = refused("ana", "with an explicit deny in a service control policy")
    found = joined(of_event(record, Predictor(held)), open_lake(tmp_path / "lake"), Predictor(held), record)[
        0
    ]
    assert found.since is not None
    assert [entry.event_name for entry in found.since.changes] == ["UpdatePolicy"]
