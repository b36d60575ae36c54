"""Evidence coverage: what the lake holds, its gaps, and what an answer "nothing found" leaves open."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from clew.lake.coverage import KINDS, Question, blind_spots, measure, recorders
from clew.lake.ingest import ingest
from clew.lake.reader import open_lake

if TYPE_CHECKING:
    from pathlib import Path

    from clew.lake.reader import Lake

NOW = datetime(2026, 1, 1, tzinfo=UTC)
START = datetime(2024, 5, 1, tzinfo=UTC)


def event(number: int, hours: float, **changes: object) -> dict[str, object]:
    """A management event so many hours after the start."""
    made: dict[str, object] = {
        "eventVersion": "1.09",
        "eventTime": f"{START + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "ec2.amazonaws.com",
        "eventName": "RunInstances",
        "awsRegion": "eu-west-1",
        "recipientAccountId": "111122223333",
        "eventID": f"e{number}",
        "eventCategory": "Management",
        "readOnly": False,
        "userIdentity": {"type": "IAMUser", "userName": "Ann", "accountId": "111122223333"},
    }
    return made | changes


EVENTS = [
    event(1, 0),
    event(2, 1.5),
    event(3, 10),
    event(4, 5, awsRegion="eu-central-1"),
    event(5, 10.5, eventName="StopLogging", eventSource="cloudtrail.amazonaws.com"),
    event(6, 10.6, eventName="StopLogging", eventSource="cloudtrail.amazonaws.com", errorCode="AccessDenied"),
    event(7, 11, eventName="GetObject", eventSource="s3.amazonaws.com", eventCategory="Data", readOnly=True,
          requestParameters={"bucketName": "seen", "key": "k"}),
    event(8, 11, eventName="GetObject", eventSource="s3.amazonaws.com", eventCategory=None, readOnly=None,
          requestParameters={"bucketName": "old", "key": "k"}),
]  # fmt: skip
ACCESS_LINE = (
    "79a5 logged [01/May/2024:00:00:38 +0000] 192.0.2.3 79a5 3E57427F3EXAMPLE REST.GET.VERSIONING - "
    '"GET /logged?versioning HTTP/1.1" 200 - 113 - 7 - "-" "S3Console/0.4" -\n'
)
FLOW = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action"
    " log-status\n"
    "2 111122223333 eni-0123456789abcdef0 10.0.0.1 10.0.0.2 1 2 6 1 40 1714521600 1714521660 ACCEPT OK\n"
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake of eight events, one access line, one flow and one file that could not be read."""
    home: Path = tmp_path_factory.mktemp("coverage")
    (home / "a.json").write_text(json.dumps({"Records": EVENTS}))
    (home / "b.log").write_text(ACCESS_LINE)
    (home / "c.log").write_text(FLOW)
    (home / "bad.json").write_text('{"Records": [')
    ingest(home / "lake", sorted([*home.glob("*.json"), *home.glob("*.log")]), now=NOW)
    return open_lake(home / "lake")


def codes(lake: Lake, **question: Any) -> list[str]:
    """The codes of the blind spots of a question."""
    return [spot.code for spot in blind_spots(lake, Question(**question))]


def test_places_hours_and_gaps(lake):
    """Hours without a record between hours with some are gaps, with the account's records elsewhere noted."""
    places = {place.region: place for place in measure(lake).places}
    ireland = places["eu-west-1"]
    assert (ireland.hours, ireland.hours_with_records) == (12, 4)
    (gap,) = ireland.gaps
    assert (gap.start, gap.hours, gap.account_active) == (START + timedelta(hours=2), 8, True)
    assert places["eu-central-1"].gaps == ()


def test_categories_buckets_and_interfaces(lake):
    """Data events are counted by service, also where an old record does not say its category."""
    held = measure(lake)
    counted = {(c.name, c.service, c.read_only): c.span.records for c in held.categories}
    assert counted == {
        ("management", "", False): 6,
        ("data", "s3.amazonaws.com", True): 1,
        ("data", "s3.amazonaws.com", None): 1,
    }
    assert [bucket.name for bucket in held.data_buckets] == ["old", "seen"]
    assert [bucket.name for bucket in held.access_log_buckets] == ["logged"]
    assert [item.name for item in held.flow_log_interfaces] == ["eni-0123456789abcdef0"]


def test_trail_changes_and_unread_files(lake):
    """The lake's own StopLogging calls and its quarantine are part of what it covers."""
    held = measure(lake)
    assert [(change.event_id, change.error_code) for change in held.trail_changes] == [
        ("e5", ""),
        ("e6", "AccessDenied"),
    ]
    assert held.unread_count == 1


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"since": START - timedelta(days=9), "until": START - timedelta(days=8)}, "time"),
        ({"accounts": ("999988887777",)}, "account"),
        ({"regions": ("us-west-2",)}, "region"),
        ({"global_calls": True}, "global_region"),
        ({"event_names": ("Invoke",)}, "data_events"),
        ({"resources": ("arn:aws:s3:::unseen",)}, "data_events"),
        ({"resources": ("unseen",), "event_names": ("GetObject",)}, "data_events"),
        ({"resources": ("unseen",), "event_names": ("getobj*",)}, "data_events"),
        ({"resources": ("s3://unseen/key",)}, "data_events"),
        ({"resources": ("https://unseen.s3.eu-west-1.amazonaws.com/key",)}, "data_events"),
        ({"resources": ("unseen",), "any_call": True}, "data_events"),
        ({"event_names": ("inv*",)}, "data_events"),
        ({"any_call": True}, "data_events"),
        ({"resources": ("arn:aws:ec2:eu-west-1:999988887777:instance/i-1",)}, "account"),
        ({"resources": ("arn:aws:ec2:us-west-2:111122223333:instance/i-1",)}, "region"),
        ({"global_calls": True, "regions": ("eu-west-1",)}, "global_region"),
        ({}, "trail_change"),
        ({}, "gap"),
        ({}, "unread"),
        ({}, "reads"),
    ],
)
def test_blind_spot_is_named(lake, question, code):
    """Each reason why the lake may not have seen the answer is named."""
    assert code in codes(lake, **question)


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"since": START + timedelta(hours=1), "until": START + timedelta(hours=11)}, "time"),
        ({"accounts": ("111122223333",)}, "account"),
        ({"regions": ("eu-west-1",)}, "region"),
        ({}, "global_region"),
        ({"event_names": ("RunInstances",)}, "data_events"),
        ({"resources": ("arn:aws:s3:::seen",)}, "data_events"),
        ({"resources": ("i-0123456789abcdef0",), "any_call": True}, "data_events"),
        ({}, "data_events"),
        ({"resources": ("arn:aws:ec2:eu-west-1:111122223333:instance/i-1",)}, "data_events"),
        ({"resources": ("arn:aws:ec2:eu-west-1:111122223333:instance/i-1",)}, "account"),
        ({"resources": ("arn:aws:s3:::seen",)}, "region"),
        ({"until": START + timedelta(hours=9)}, "trail_change"),
        ({"since": START + timedelta(hours=10)}, "gap"),
        ({"regions": ("eu-central-1",)}, "gap"),
        ({"reads": False}, "reads"),
    ],
)
def test_what_is_covered_is_no_blind_spot(lake, question, code):
    """What the lake does cover is not called a blind spot."""
    assert code not in codes(lake, **question)


def test_empty_lake(tmp_path):
    """A lake without a CloudTrail record says that first, and that nothing can be concluded."""
    (tmp_path / "b.log").write_text(ACCESS_LINE)
    ingest(tmp_path / "lake", [tmp_path / "b.log"], now=NOW)
    empty = open_lake(tmp_path / "lake")
    assert measure(empty).span is None
    assert codes(empty) == ["empty"]


@pytest.mark.parametrize(
    ("service", "name", "expected"),
    [
        ("s3", "GetObject", {"event_history": "no", "trail_data": "if enabled", "s3_access": "if enabled"}),
        ("s3", "getobject", {"event_history": "no", "trail_data": "if enabled"}),
        ("s3", "ListBucket", {"event_history": "no", "trail_data": "if enabled", "s3_access": "if enabled"}),
        ("s3", "DeleteObjectVersion", {"event_history": "no", "trail_data": "if enabled"}),
        ("lambda", "InvokeFunction", {"event_history": "no", "trail_data": "if enabled"}),
        ("dynamodb", "PartiQLSelect", {"event_history": "no", "trail_data": "if enabled"}),
        ("s3", "ListAllMyBuckets", {"event_history": "yes", "trail_data": "no", "s3_access": "no"}),
        ("lambda", "GetFunction", {"event_history": "yes", "trail_data": "no"}),
        ("s3", "DeleteBucket", {"event_history": "yes", "trail_data": "no", "s3_access": "no"}),
        ("iam", "CreateUser", {"event_history": "yes", "trail_management": "if enabled", "s3_access": "no"}),
        ("newservice", "Do", {"event_history": "unknown", "trail_data": "unknown", "vpc_flow": "no"}),
    ],
)
def test_which_evidence_would_have_recorded_it(lake, service, name, expected):
    """FN7: for each call, each kind of evidence says whether it would have recorded it."""
    found = {recorder.kind.key: str(recorder.would) for recorder in recorders(measure(lake), service, name)}
    assert {key: found[key] for key in expected} == expected
    assert set(found) == {kind.key for kind in KINDS}


def test_held_counts_the_bucket(lake):
    """The count of held records is about the bucket that was asked for."""
    found = {r.kind.key: r.held for r in recorders(measure(lake), "s3", "GetObject", bucket="seen")}
    assert (found["trail_data"], found["s3_access"]) == (1, 0)


@pytest.mark.parametrize("kind", KINDS, ids=[kind.key for kind in KINDS])
def test_every_kind_names_its_source(kind):
    """Delay, guarantee and AWS page are stated for every kind of evidence."""
    assert kind.delay
    assert kind.guarantee
    assert kind.pages
