"""The cases of the detections, as data: events that make a rule fire and events that leave it silent.

Case files are short. An event of a case is merged, field by field, from the defaults below, the file's `base`, and the
case's own fields; null takes a field away. `who` names one of the identities below. `after` is the number of seconds
since the first event of the case. `repeat` writes an event several times, `every` so many seconds, with `{n}` in its
texts standing for the number of the copy.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.case_files import read_case_file

CASES = Path(__file__).parent.parent / "cases" / "detect"
START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ACCOUNT = "111122223333"

READS = ("Get", "List", "Describe", "Head", "Lookup", "BatchGet", "Search", "Query", "Scan")


def _session(role, session, **context):
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}",
        "accountId": ACCOUNT,
        "accessKeyId": "ASIAEXAMPLE000000001",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAEXAMPLE",
                "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
                "accountId": ACCOUNT,
                "userName": role,
            },
            "attributes": {"creationDate": "2026-03-02T09:00:00Z", "mfaAuthenticated": "false"},
            **context,
        },
    }


IDENTITIES = {
    "alice": {
        "type": "IAMUser",
        "principalId": "AIDAEXAMPLE000000001",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/alice",
        "accountId": ACCOUNT,
        "accessKeyId": "AKIAEXAMPLE000000001",
        "userName": "alice",
    },
    "bob": {
        "type": "IAMUser",
        "principalId": "AIDAEXAMPLE000000002",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/bob",
        "accountId": ACCOUNT,
        "accessKeyId": "AKIAEXAMPLE000000002",
        "userName": "bob",
    },
    "root": {
        "type": "Root",
        "principalId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:root",
        "accountId": ACCOUNT,
    },
    "session": _session("AdminSSO", "carol@acme.example"),
    "instance": _session("app-web", "i-0abc1234def567890", ec2RoleDelivery="2.0"),
    "function": _session("api-lambda", "fn-billing"),
    "service": {"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"},
    "stranger": {"type": "AWSAccount", "principalId": "AIDASTRANGER", "accountId": "999988887777"},
    "anonymous": {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"},
}

DEFAULTS = {
    "eventVersion": "1.11",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "203.0.113.10",
    "userAgent": "aws-cli/2.15.30 md/Botocore#2.4.5 ua/2.0 os/linux lang/python#3.11.8",
    "requestParameters": None,
    "responseElements": None,
    "eventType": "AwsApiCall",
    "managementEvent": True,
    "recipientAccountId": ACCOUNT,
    "eventCategory": "Management",
}


@dataclass(frozen=True)
class Case:
    """One case: its rule, whether the rule fires, and the events in full."""

    rule: str
    name: str
    fires: bool
    events: tuple[dict, ...]

    def __str__(self):
        return f"{self.rule}: {self.name}"


def load_cases(path):
    """The cases of one file."""
    document = read_case_file(path)
    base = document.get("base", {})
    return [
        Case(document["rule"], case["name"], side == "fires", tuple(_events(base, case["events"])))
        for side in ("fires", "silent")
        for case in document[side]
    ]


def all_cases():
    """The cases of every file, in order of their rules."""
    return [case for path in sorted(CASES.glob("*.yaml")) for case in load_cases(path)]


def _events(base, written):
    for number, short in enumerate(written):
        for copy_number in range(short.get("repeat", 1)):
            offset = short.get("after", 0) + copy_number * short.get("every", 1)
            yield _event(
                merged(base, short), START + timedelta(seconds=offset), f"{number}-{copy_number}", copy_number
            )


def _event(short, time, key, number):
    fields = {name: value for name, value in short.items() if name not in {"who", "after", "repeat", "every"}}
    identity = IDENTITIES[short.get("who", "alice")]
    event = merged(
        {
            **copy.deepcopy(DEFAULTS),
            "userIdentity": copy.deepcopy(identity),
            "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventID": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{key}{fields!r}")),
            "readOnly": str(fields.get("eventName", "")).startswith(READS),
        },
        fields,
    )
    return _numbered(event, number)


def merged(base, over):
    """The fields of both, those of `over` winning; null removes a field."""
    result = {key: value for key, value in base.items() if key not in over or over[key] is not None}
    for key, value in over.items():
        if value is None:
            continue
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else copy.deepcopy(value)
    return result


def _numbered(value, number):
    if isinstance(value, str):
        return value.replace("{n}", str(number))
    if isinstance(value, dict):
        return {key: _numbered(inner, number) for key, inner in value.items()}
    return [_numbered(inner, number) for inner in value] if isinstance(value, list) else value


@pytest.fixture(scope="session")
def detection_cases():
    """Every case of every detection."""
    return all_cases()
