"""What is read out of a decoded event: channel, identity, outcome, category, contradictions, resources, times."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.case_files import read_case_file

from clew.events.category import Category, category
from clew.events.channel import ChannelKind, channel
from clew.events.contradictions import contradictions
from clew.events.identity import TYPES, principal
from clew.events.outcome import DENIED_CODES, Result, is_denied_code, outcome
from clew.events.record import Reason
from clew.events.resources import ID_TYPES, MAX_RESOURCES, resources
from clew.events.times import event_time

CASES = Path(__file__).parent.parent / "cases" / "events"
NOW = datetime(2024, 6, 1, tzinfo=UTC)


def cases(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_case_file(CASES / f"{name}.yaml")
    return rows


@pytest.mark.parametrize("case", cases("channels"), ids=lambda case: str(case["event"])[:60])
def test_channel(case):
    """Each record tells how the call was made, by the table."""
    found = channel(case["event"])
    assert (str(found.kind), found.detail) == (case["kind"], case["detail"])


def test_every_channel_has_a_case():
    """No kind of channel is untested."""
    assert {case["kind"] for case in cases("channels")} == {str(kind) for kind in ChannelKind}


@pytest.mark.parametrize("case", cases("identities"), ids=lambda case: case["name"])
def test_principal(case):
    """Each kind of userIdentity is read into one shape; what it does not say stays empty or unknown."""
    found = principal(case["event"])
    assert {part: str(getattr(found, part)) for part in case["says"]} == case["says"]


def test_every_identity_type_has_a_case():
    """No documented type of userIdentity is untested."""
    assert {case["says"].get("type") for case in cases("identities")} >= TYPES


@pytest.mark.parametrize("case", cases("outcomes"), ids=lambda case: str(case["event"])[:60])
def test_outcome(case):
    """Success, denial and failure are told apart, also where no error code says so."""
    assert str(outcome(case["event"]).result) == case["result"]


def test_every_outcome_has_a_case():
    """No end of a call is untested, and every listed code of a denial counts as one."""
    assert {case["result"] for case in cases("outcomes")} == {str(result) for result in Result}
    assert all(is_denied_code(code) for code in DENIED_CODES)


@pytest.mark.parametrize("case", cases("times"), ids=lambda case: str(case["value"]))
def test_event_time(case):
    """A time is read into UTC, or refused with the reason why it cannot be."""
    found = event_time(case["value"], NOW)
    if "moment" in case:
        assert found == datetime.fromisoformat(case["moment"])
    else:
        assert found is Reason(case["reason"])


@pytest.mark.parametrize("case", cases("contradictions"), ids=lambda case: case["name"])
def test_contradictions(case):
    """A record that says one thing twice, differently, is shown with both fields; others are left alone."""
    found = [[one.field_a, one.field_b] for one in contradictions(case["event"])]
    assert found == case["fields"]


def test_repeated_keys_are_contradictions():
    """A key that stands twice in a record is named: readers differ in which value they take."""
    text = '{"eventName": "StopLogging", "eventName": "DescribeTrails"}'
    assert [str(one) for one in contradictions({"eventName": "StopLogging"}, text)] == [
        "eventName is `the first value, which counts` but eventName is `another value`"
    ]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"eventCategory": "NetworkActivity"}, Category.NETWORK_ACTIVITY),
        ({"eventType": "AwsVpceEvent", "eventName": "PutObject"}, Category.NETWORK_ACTIVITY),
        ({"insightDetails": {}}, Category.INSIGHT),
        ({"eventName": "RunInstances"}, Category.MANAGEMENT),
        ({"eventName": "X", "managementEvent": False}, Category.DATA),
        ({"eventCategory": "Tomorrow", "eventName": "X"}, Category.MANAGEMENT),
        ({}, Category.UNKNOWN),
    ],
)
def test_category(event, expected):
    """The category is read, or follows from the rest of an older record, or is unknown."""
    assert category(event) is expected


def ids(event: dict[str, Any]) -> list[tuple[str, str]]:
    return [(resource.id, resource.type) for resource in resources(event)]


@pytest.mark.parametrize("prefix", ID_TYPES)
def test_every_id_prefix_is_found(prefix):
    """An id is found by its prefix, however deep it stands in the answer."""
    identity = f"{prefix}-0a1b2c3d4e5f60718"
    assert ids({"responseElements": {"a": [{"b": {"c": identity}}]}}) == [(identity, ID_TYPES[prefix])]


def test_resources_of_a_user_call():
    """A name tells its type by the key it stands under and the service that was called."""
    parameters = {
        "userName": "Bob",
        "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
        "groupName": "Admins",
    }
    assert ids({"eventSource": "iam.amazonaws.com", "requestParameters": parameters}) == [
        ("Bob", "AWS::IAM::User"),
        ("arn:aws:iam::aws:policy/AdministratorAccess", ""),
        ("Admins", "AWS::IAM::Group"),
    ]
    assert ids({"eventSource": "ec2.amazonaws.com", "requestParameters": {"groupName": "web"}}) == [
        ("web", "AWS::EC2::SecurityGroup")
    ]


def test_bucket_arn_follows_the_partition():
    """A bucket's ARN is made without a guess, in the partition of the region."""
    found = resources({"awsRegion": "cn-north-1", "requestParameters": {"bucketName": "b", "key": "k"}})
    assert [resource.arn for resource in found] == ["arn:aws-cn:s3:::b", "arn:aws-cn:s3:::b/k"]


def test_listed_resources_come_first_and_once():
    """What CloudTrail lists itself stands first, with its type, and is not repeated."""
    event = {
        "resources": [{"ARN": "arn:aws:s3:::b", "type": "AWS::S3::Bucket"}, "odd", {"type": "none"}],
        "requestParameters": {"bucketName": "b", "arn": "arn:aws:s3:::b"},
    }
    assert ids(event) == [("arn:aws:s3:::b", "AWS::S3::Bucket")]


def test_resources_are_limited():
    """An event with thousands of ids shows a limited number."""
    many = [f"i-{number:017x}" for number in range(2_000)]
    assert len(resources({"requestParameters": {"instanceIds": many}})) == MAX_RESOURCES
