"""Laws of the event history: SQL never narrows away an answer, chunks join without seam, outcomes agree."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.case_files import read_case_file

from clew.events.channel import channel
from clew.events.outcome import Result, outcome
from clew.lake import reader
from clew.lake.history import reading as reading_in_order
from clew.lake.history import resources, word_filters, words
from clew.lake.history.effects import Effect, effect
from clew.lake.history.filters import Filters
from clew.lake.history.outcomes import is_denied, is_failed
from clew.lake.history.reading import read
from clew.lake.history.search import entries, find, originals
from clew.lake.ingest import ingest
from clew.lake.reader import open_lake

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clew.lake.reader import Lake

NOW = datetime(2026, 1, 1, tzinfo=UTC)

NAME = st.text('ab1-_./é% "\\', min_size=1, max_size=8)
PLACES = (
    lambda name: {"requestParameters": {"x": name}},
    lambda name: {"requestParameters": {"x": [{"y": f"{name},other"}]}},
    lambda name: {"responseElements": {"x": f"arn:aws:ec2:us-east-1:111122223333:instance/{name}"}},
    lambda name: {
        "requestParameters": {"x": f"arn:aws:secretsmanager:us-east-1:111122223333:secret:{name}-a1B2c3"}
    },
    lambda name: {"resources": [{"ARN": f"arn:aws:s3:::{name}/key"}]},
    lambda name: {"resources": [{"ARN": f"arn:aws:iam::111122223333:role/path/{name}"}]},
    lambda name: {
        "requestParameters": {"policyDocument": json.dumps({"Resource": f"arn:aws:s3:::{name}/*"})}
    },
    lambda name: {"requestParameters": {"url": f"https://sqs.us-east-1.amazonaws.com/1/{name}"}},
    lambda name: {"requestParameters": {"bucketName": "b", "key": name}},
    lambda name: {"requestParameters": {"x": f"/{name}"}},
    lambda name: {"responseElements": {"id": f"/hostedzone/{name}", "name": f"{name}."}},
    lambda name: {
        "requestParameters": {
            "x": f"arn:aws:elasticloadbalancing:us-east-1:111122223333:listener/app/{name}/x1/x2"
        }
    },
    lambda name: {"serviceEventDetails": {"keyId": name}},
)
TERMS = (
    lambda name: name,
    lambda name: f"s3://b/{name}",
    lambda name: f"https://b.s3.us-east-1.amazonaws.com/{name}",
    lambda name: f"arn:aws:ssm:us-east-1:111122223333:parameter/{name}",
    lambda name: f"arn:aws:sqs:us-east-1:1:{name}",
    lambda name: f"arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/{name}/x1",
    lambda name: f"arn:aws:s3:::{name}",
    lambda name: f"arn:aws:s3:::b/{name}",
    lambda name: f"{name}*",
    lambda name: f"arn:aws:iam::111122223333:role/path/{name}",
    lambda name: f"arn:aws:secretsmanager:us-east-1:111122223333:secret:{name}-a1B2c3",
)


KINDS = list(read_case_file(Path(__file__).parents[1] / "cases" / "history" / "kinds.yaml"))


def _call(case: dict[str, Any]) -> dict[str, object]:
    """The record of a case: a call in account 111122223333 and us-east-1."""
    service, name = case["call"].split()
    event: dict[str, object] = {
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "recipientAccountId": "111122223333",
        "userIdentity": {"accountId": "111122223333"},
        "resources": [{"ARN": arn} for arn in case.get("resources", ())],
    }
    parts = {"requestParameters": case.get("request"), "responseElements": case.get("response")}
    return event | {key: value for key, value in parts.items() if value is not None}


@pytest.mark.parametrize("case", KINDS, ids=[case["id"] for case in KINDS])
def test_a_call_is_found_by_every_name_of_its_resource(case):
    """Who asks by name, id, ARN or URL finds the call, and who asks for another resource does not."""
    event = _call(case)
    for wanted in case["finds"]:
        term = resources.term(wanted)
        assert resources.matches(term, event), wanted
        assert let_through(term, event), wanted
    for wanted in case.get("not", ()):
        assert not resources.matches(resources.term(wanted), event), wanted


def let_through(term: resources.Term, event: dict[str, object]) -> bool:
    """Whether the SQL prefilter of the term keeps the event."""
    condition = resources.prefilter(term)
    columns = [
        json.dumps(event[key]) if key in event else None for key in ("requestParameters", "responseElements")
    ]
    columns.append(json.dumps(event["serviceEventDetails"]) if "serviceEventDetails" in event else None)
    listed = event.get("resources")
    arns = [item["ARN"] for item in listed] if isinstance(listed, list) else None
    rows = duckdb.execute(
        f"""
        SELECT count(*) FROM (SELECT ?::VARCHAR AS requestparameters, ?::VARCHAR AS responseelements,
            ?::VARCHAR AS serviceeventdetails,
            list_transform(?::VARCHAR[], lambda a: {{'arn': a, 'arnprefix': NULL::VARCHAR}}) AS resources)
        WHERE {condition.sql}
        """,
        [*columns, arns, *condition.parameters],
    ).fetchall()
    return bool(rows[0][0])


DAYS = ["2024-05-01", "2024-05-02", "2024-05-09", "2024-06-01"]


@given(name=NAME, other=NAME, place=st.sampled_from(PLACES), make=st.sampled_from(TERMS), same=st.booleans())
def test_sql_keeps_every_record_that_matches(name, other, place, make, same):
    """A record that concerns the resource is never narrowed away by SQL, however its name is spelled in JSON."""
    term = resources.term(make(name))
    event = {"eventSource": "iam.amazonaws.com", **place(name if same else other)}
    if resources.matches(term, event):
        assert let_through(term, event)


_BITS = 16
_NAME = st.text('ab1-_.%u/é "\\\n', min_size=6, max_size=24) | st.from_regex(
    r"(%2F|\\u002f|\\n|n|u002F)?[a-c1.-]{8,20}(-a1B2c3)?", fullmatch=True
)


def _words_of(event: dict[str, Any]) -> bytes:
    """The filter of a data file that holds this record, with others before and after it."""
    columns = [
        [json.dumps(value) for value in ({"n": "x"}, event.get(key, "-"), "tail-of-words")]
        for key in ("requestParameters", "responseElements", "serviceEventDetails")
    ]
    arns = ["arn:aws:s3:::other", *(entry["ARN"] for entry in event.get("resources", ())), "tail-of-words"]
    marked = bytearray(1 << _BITS - 3)
    for texts in (*columns, arns):
        for places in word_filters._places(pa.array(texts), _BITS):
            for place in places.tolist():
                marked[place >> 3] |= 1 << (place & 7)
    return bytes(marked)


@given(name=_NAME, place=st.sampled_from(PLACES), make=st.sampled_from(TERMS))
def test_a_file_with_a_record_that_sql_would_find_is_never_passed_over(
    name: str, place: Callable[[str], dict[str, Any]], make: Callable[[str], str]
):
    """Where the columns hold what is looked for, however JSON spells it, the words kept of the file hold it too."""
    term = resources.term(make(name))
    event = {"eventSource": "iam.amazonaws.com", **place(name)}
    sought = [[word.encode() for word in group] for group in resources.whole_words(term)]
    if sought and let_through(term, event):
        assert words._may_hold(_words_of(event), sought)


_BEFORE = (
    "",
    "%2F",
    "%2f",
    "%25%2F",
    "\\n",
    "\\\\n",
    "\\u002F",
    "\\/",
    "/",
    "é",
    " ",
    "u002F",
    "2F",
    "-",
    "%",
    "\\",
)
_AFTER = ("", "-a1B2c3", "%2F", "\\n", "/", "-", "é", "x" * 9)


@pytest.mark.parametrize("after", _AFTER)
@pytest.mark.parametrize("before", _BEFORE)
def test_every_word_that_sql_would_find_in_a_text_is_kept(before: str, after: str):
    """Also behind a percent-encoding or an escape, at the beginning of a text, and beside another text."""
    name = "sg-12ab34cd"
    condition = resources.prefilter(resources.term(name))
    word = next(str(value) for value in condition.parameters if value != name)
    for texts in ([before + name + after], ["word", before + name + after, "word"]):
        found = {int(p) for places in word_filters._places(pa.array(texts), _BITS) for p in places}
        is_kept = found >= set(words.places(name.encode(), _BITS))
        assert is_kept or not any(re.search(word, text) for text in texts)


@pytest.mark.parametrize(
    ("wanted", "said", "is_match"),
    [
        ("sg-1", "sg-12", False),
        ("sg-1", "sg-1", True),
        ("bucket", "arn:aws:s3:::bucket/a/b", True),
        ("bucket", "arn:aws:s3:::bucket-logs", False),
        ("a/b", "arn:aws:s3:::bucket/a/b", True),
        ("b", "arn:aws:s3:::bucket/a/b", False),
        ("fn", "arn:aws:lambda:us-east-1:111122223333:function:fn:live", True),
        ("EC2-dev", "arn:aws:sts::111122223333:assumed-role/EC2-dev/x", True),
        ("arn:aws:iam::111122223333:user/Bob", "arn:aws:iam:: 111122223333:user/Bob", True),
        ("*", "anything", True),
    ],
)
def test_names_are_compared_whole(wanted, said, is_match):
    """An id, a name or an ARN matches itself and what it names, never a longer word that holds it."""
    assert resources.matches(resources.term(wanted), {"requestParameters": {"x": said}}) is is_match


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake of 500 events in four days, 50 seconds each: many share their time, some fail in different ways."""
    home: Path = tmp_path_factory.mktemp("history")
    kinds = [
        {},
        {"errorCode": "AccessDenied"},
        {"errorCode": "Client.UnauthorizedOperation"},
        {"errorCode": "NoSuchBucket"},
        {"errorCode": "X", "errorMessage": "User: u is not authorized to perform: s3:GetObject"},
        {"errorMessage": "Failed authentication"},
        {"eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin",
         "responseElements": {"ConsoleLogin": "Failure"}},
        {"eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin",
         "responseElements": {"ConsoleLogin": "Success"}},
        {"eventType": "AwsCloudTrailInsight", "eventCategory": "Insight", "errorCode": "AccessDenied"},
        {"responseElements": {"note": "Failure"}},
    ]  # fmt: skip
    events = [
        {"eventVersion": "1.09", "eventTime": f"{DAYS[number % 4]}T10:00:{number % 50:02d}Z", "eventID": f"e{number}",
         "eventSource": "s3.amazonaws.com", "eventName": "GetObject", **kinds[number // 50]}
        for number in range(500)
    ]  # fmt: skip
    (home / "a.json").write_text(json.dumps({"Records": events}))
    ingest(home / "lake", [home / "a.json"], now=NOW)
    return open_lake(home / "lake")


@pytest.mark.parametrize("small_rows", [0, 2_000])
@pytest.mark.parametrize("ties", [0, 200])
@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("first", [1, 7, 10_000])
def test_chunks_join_without_seam(monkeypatch, lake, first, newest_first, ties, small_rows):
    """However the reading is cut into chunks and files, every record comes once and in order of time."""
    monkeypatch.setattr(reading_in_order, "_TIES", ties)
    monkeypatch.setattr(reader, "_SMALL_ROWS", small_rows)
    monkeypatch.setattr(reader, "_FILES_AT_ONCE", 3)
    with read(lake, lake.manifest.files["cloudtrail"], newest_first=newest_first) as reading:
        found = [row.record_id for row in entries(reading, Filters(), first=first)]
    assert len(set(found)) == len(found) == 500
    whole = find(lake, Filters(), limit=0, newest_first=newest_first).entries
    assert found == [row.record_id for row in whole]
    times = [row.time for row in whole]
    assert times == sorted(times, reverse=newest_first)


def test_sessions_are_followed_back_over_days_and_from_one_to_the_next(tmp_path):
    """Bob's session token, 40 hours old when it assumes a role, whose session calls eleven hours later."""
    bob = {"type": "IAMUser", "userName": "Bob", "accessKeyId": "AKIAIOSFODNN7EXAMPLE"}
    token, role = "ASIA0000000000TOKEN1", "ASIA00000000000ROLE2"
    events = [
        _issuing("2024-05-01T01:00:00Z", "GetSessionToken", bob, token),
        _issuing("2024-05-02T17:00:00Z", "AssumeRole", {"type": "IAMUser", "accessKeyId": token}, role),
        {"eventTime": "2024-05-03T04:00:00Z", "eventID": "call", "eventSource": "s3.amazonaws.com",
         "eventName": "GetObject", "userIdentity": {"type": "AssumedRole", "accessKeyId": role}},
        {"eventTime": "2024-05-03T05:00:00Z", "eventID": "other", "eventSource": "s3.amazonaws.com",
         "eventName": "GetObject", "userIdentity": {"type": "AssumedRole", "accessKeyId": "ASIA0000000000UNKNOWN"}},
    ]  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps({"Records": events}))
    ingest(tmp_path / "lake", [tmp_path / "a.json"], now=NOW)
    lake = open_lake(tmp_path / "lake")
    [call] = find(lake, Filters(access_keys=(role,))).entries
    assert [session.label for session in call.via] == ["GetSessionToken", "role deploy"]
    assert call.via[0].holder == "Bob"
    assert [row.event_id for row in find(lake, Filters(users=("Bob",))).entries] == ["call", role, token]
    [other] = find(lake, Filters(event_ids=("other",))).entries
    assert other.via == ()


def _issuing(time: str, name: str, identity: Mapping[str, str], key: str) -> dict[str, object]:
    return {
        "eventTime": time, "eventID": key, "eventSource": "sts.amazonaws.com", "eventName": name,
        "userIdentity": identity, "requestParameters": {"roleArn": "arn:aws:iam::111122223333:role/deploy"}
        if name == "AssumeRole" else None, "responseElements": {"credentials": {"accessKeyId": key}},
    }  # fmt: skip


@pytest.mark.parametrize(("errors", "denied"), [(True, False), (False, True)])
def test_failures_in_sql_agree_with_the_decoded_record(lake, errors, denied):
    """`--errors` and `--denied` find the records whose outcome says so, and no others."""
    found = {row.record_id for row in find(lake, Filters(errors=errors, denied=denied), limit=0).entries}
    wanted = {Result.DENIED} if denied else {Result.DENIED, Result.FAILED}
    texts = map(json.loads, originals(lake, Filters(), limit=0))
    assert found == {event["eventID"] for event in texts if outcome(event).result in wanted}
    assert is_failed().sql
    assert is_denied().sql


CHANNELS = [
    {"userAgent": "aws-cli/2.1"},
    {"userAgent": "[aws-cli/2.1]", "userIdentity": {"type": "IAMUser"}},
    {"userAgent": None, "eventType": "AwsServiceEvent"},
    {"userAgent": "Mozilla/5.0", "eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin"},
    {"userAgent": "AWS Internal", "sourceIPAddress": "AWS Internal", "sessionCredentialFromConsole": "true"},
    {"userAgent": "x", "userIdentity": {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}},
    {"userAgent": "HashiCorp Terraform/1.2 aws-sdk-go/1.44"},
    {"userAgent": "x", "sourceIPAddress": "cloudformation.amazonaws.com"},
    {"userAgent": "x", "sourceIPAddress": "2001:db8::1"},
]


@pytest.mark.parametrize(
    "word", ["console", "cli", "service", "terraform", "infrastructure", "unknown", "SDK"]
)
def test_channels_are_found_whole(tmp_path, word):
    """`--channel` finds every record whose channel is named so, and no others."""
    made = [
        {"eventVersion": "1.09", "eventTime": "2024-05-01T10:00:00Z", "eventID": f"c{number}",
         "eventSource": "ec2.amazonaws.com", "eventName": "RunInstances", **facts}
        for number, facts in enumerate(CHANNELS)
    ]  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps({"Records": made}))
    ingest(tmp_path / "lake", [tmp_path / "a.json"], now=NOW)
    found = {row.record_id for row in find(open_lake(tmp_path / "lake"), Filters(channels=(word,))).entries}
    assert found == {event["eventID"] for event in made if word.lower() in str(channel(event)).lower()}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CreateBucket", Effect.CREATED),
        ("RunInstances", Effect.CREATED),
        ("PutBucketPolicy", Effect.PERMISSIONS),
        ("AttachRolePolicy", Effect.PERMISSIONS),
        ("UpdateAssumeRolePolicy", Effect.PERMISSIONS),
        ("PutLifecyclePolicy", Effect.CHANGED),
        ("UpdateAccountPasswordPolicy", Effect.CHANGED),
        ("TerminateInstances", Effect.DELETED),
        ("DeleteTrail", Effect.DELETED),
        ("StopLogging", Effect.CHANGED),
        ("BatchGetItem", Effect.READ),
        ("BatchDeleteImage", Effect.DELETED),
        ("AddPermission20150331v2", Effect.PERMISSIONS),
        ("ConsoleLogin", Effect.SIGNED_IN),
        ("AssumeRoleWithSAML", Effect.CREDENTIALS),
        ("Frobnicate", Effect.USED),
        ("", Effect.USED),
    ],
)
def test_effect_of_a_call(name, expected):
    """What a call does is told from its name."""
    assert effect(name) is expected
