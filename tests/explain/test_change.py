"""Who changed it: the cases of `tests/cases/config/causes.yaml` over one lake that holds all their calls."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.case_files import read_case_file

from clew.explain.change import Cause, cause
from clew.lake.coverage import measure
from clew.lake.ingest import ingest
from clew.lake.reader import open_lake
from clew.snapshot.history import timeline
from clew.snapshot.items import Item, Key, Status

if TYPE_CHECKING:
    from clew.lake.coverage import Coverage
    from clew.lake.reader import Lake

CASES = Path(__file__).resolve().parent.parent / "cases" / "config" / "causes.yaml"
ROWS = read_case_file(CASES)["rows"]
ACCOUNT = "111122223333"
BOB = {
    "type": "IAMUser",
    "arn": f"arn:aws:iam::{ACCOUNT}:user/bob",
    "userName": "bob",
    "accountId": ACCOUNT,
    "accessKeyId": "AKIAEXAMPLE000000001",
}
START = datetime(2026, 3, 10, 10, tzinfo=UTC)


def event_id(case: dict, call: dict) -> str:
    return hashlib.sha256(f"{case['bucket']} {call.get('id') or call['event']}".encode()).hexdigest()[:32]


def event(case: dict, call: dict) -> dict[str, object]:
    made = {
        "eventVersion": "1.11",
        "userIdentity": BOB,
        "eventTime": (START + timedelta(minutes=call["at"])).isoformat().replace("+00:00", "Z"),
        "eventSource": "s3.amazonaws.com",
        "eventName": call["event"],
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "192.0.2.7",
        "requestParameters": {"bucketName": case["bucket"]},
        "eventID": event_id(case, call),
        "readOnly": call["event"].startswith("Get"),
        "managementEvent": not call.get("data"),
        "eventCategory": "Data" if call.get("data") else "Management",
        "recipientAccountId": ACCOUNT,
    }
    return made | ({"errorCode": call["error"]} if "error" in call else {})


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("causes")
    records = [event(case, call) for case in ROWS for call in case["calls"]]
    (folder / "trail.json").write_text(json.dumps({"Records": records}), encoding="utf-8")
    ingest(folder / "lake", [str(folder / "trail.json")], now=START)
    return open_lake(folder / "lake")


@pytest.fixture(scope="module")
def coverage(lake: Lake) -> Coverage:
    return measure(lake, things=False)


def item(case: dict, given: dict) -> Item:
    named = [event_id(case, {"event": name}) for name in given.get("events", ())]
    return Item(
        Key(case.get("account", ACCOUNT), "eu-west-1", "AWS::S3::Bucket", case["bucket"], "config"),
        START + timedelta(minutes=given["at"]),
        Status.DELETED if given.get("gone") else Status.CHANGED,
        arn=f"arn:aws:s3:::{case['bucket']}",
        configuration=None if given.get("gone") else {"name": case["bucket"]},
        supplements=given.get("parts", {}),
        events=tuple(named),
    )


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case["name"])
def test_the_event_that_made_a_change(lake: Lake, coverage: Coverage, case: dict) -> None:
    """The last step of each history names its event as surely as the lake allows, and no surer."""
    step = timeline([item(case, given) for given in case["items"]])[-1]
    looked = START + timedelta(minutes=case["as_before"]) if "as_before" in case else None
    found = cause(lake, step, coverage, as_before=looked)
    assert found.certainty.value == case["certainty"]
    assert [each.entry.event_name for each in found.candidates[:1]] == ([case["by"]] if "by" in case else [])
    if "id" in case:
        assert found.candidates[0].entry.event_id == event_id(case, {"id": case["id"]})
    if "blind" in case:
        assert case["blind"] in {spot.code for spot in found.blind_spots}
    assert_evidence(found)


def assert_evidence(found: Cause) -> None:
    """Each candidate says who, from where, with which key; without any, what the lake cannot have seen."""
    for each in found.candidates:
        entry = each.entry
        assert (entry.who.name, entry.source_ip, entry.who.access_key) == (
            "bob",
            "192.0.2.7",
            "AKIAEXAMPLE000000001",
        )
    assert found.candidates or found.blind_spots
