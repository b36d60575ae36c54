"""Files of operational evidence: what AWS's command line prints, its errors, snapshots, records, and logs.

The shapes are those of the API reference of each service, in which the command line prints them. What a file is about
stands in its name behind the command, `get-metric-statistics.i-0abc.json`, or is said when it is attached.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from clew.explain.operational.scene import Log
from clew.snapshot import file as snapshot_file
from clew.snapshot.answers import Answer, Call, Status
from clew.snapshot.model import Source
from clew.snapshot.offline import cli_outputs

if TYPE_CHECKING:
    from collections.abc import Mapping

# Members that only one operation prints, beyond those that `cli_outputs` knows.
_MEMBERS = {
    "InstanceStatuses": ("ec2", "DescribeInstanceStatus"),
    "KeyPairs": ("ec2", "DescribeKeyPairs"),
    "Addresses": ("ec2", "DescribeAddresses"),
    "Datapoints": ("cloudwatch", "GetMetricStatistics"),
    "MetricDataResults": ("cloudwatch", "GetMetricData"),
    "CompositeAlarms": ("cloudwatch", "DescribeAlarms"),
    "TargetHealthDescriptions": ("elbv2", "DescribeTargetHealth"),
    "Budgets": ("budgets", "DescribeBudgets"),
    "ResultsByTime": ("ce", "GetCostAndUsage"),
    "InstancePatchStates": ("ssm", "DescribeInstancePatchStates"),
    "Rules": ("s3", "GetBucketLifecycleConfiguration"),
}
_OPERATIONS = {operation: service for service, operation in _MEMBERS.values()} | {
    each.operation: each.service for each in cli_outputs.COMMANDS.values()
}
_OPERATIONS |= {"GetConsoleOutput": "ec2", "DescribeEvents": "health", "ListFindings": "inspector2"}
# How the command line tells an error that AWS gave.
_REFUSED = re.compile(r"An error occurred \((\w+)\) when calling the (\w+) operation(?: \([^)]*\))?: ?(.*)")
_ABSENT = frozenset({"NoSuchLifecycleConfiguration", "NoSuchBucketPolicy", "NoSuchTagSet"})
_DENIED = re.compile(r"AccessDenied|UnauthorizedOperation|SubscriptionRequired|NotAuthorized")
_NAME = re.compile(r"(?:[a-z0-9]+[._ ])?(?:get|list|describe|filter)-[a-z0-9-]+[._](?P<of>.+)")
_BASE64 = re.compile(r"[A-Za-z0-9+/\r\n]+={0,2}\s*")


@dataclass(frozen=True, slots=True)
class Read:
    """What a file holds: `kind` says what it is; `event` is a record of CloudTrail."""

    kind: str
    says: str
    answers: tuple[Answer, ...] = ()
    logs: tuple[Log, ...] = ()
    event: Mapping[str, object] | None = None
    recorded: snapshot_file.Recorded | None = None


def read(source: str, name: str, data: bytes, about: str = "") -> Read:
    """What the bytes of a file of that name hold; `source` is the id under which it is evidence.

    Errors: `InputError` for a snapshot that is damaged.
    """
    if snapshot_file.is_snapshot(data):
        recorded = snapshot_file.parse(data, name)
        answers = tuple(replace(answer, source=source) for answer in recorded.answers)
        says = f"snapshot of {', '.join(recorded.header.accounts)}, collected {recorded.header.collected_at}"
        return Read("snapshot", says, answers, recorded=recorded)
    text = data.decode("utf-8-sig", "replace")
    of = about or _of(name)
    value = _json(text)
    if isinstance(value, dict):
        return _of_object(source, name, text, value, of)
    refusals = tuple(_refusals(source, text, of))
    if refusals:
        calls = ", ".join(dict.fromkeys(f"{each.call.operation}: {each.error_code}" for each in refusals))
        return Read("refusal", f"AWS refused {calls}", refusals)
    lines = tuple(text.splitlines())
    says = f"{len(lines):,} lines of text" if len(lines) != 1 else "one line of text"
    return Read("log", says, logs=(Log(source, lines, of),))


def _of(name: str) -> str:
    found = _NAME.fullmatch(PurePath(name).name.rpartition(".")[0])
    return found["of"] if found else ""


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _of_object(source: str, name: str, text: str, value: Mapping[str, object], of: str) -> Read:
    if "eventName" in value and "eventSource" in value:
        return Read(
            "event", f"{value['eventName']} at {value.get('eventTime', 'no known time')}", event=value
        )
    if {"InstanceId", "Output"} <= value.keys():
        lines = tuple(_decoded(str(value["Output"])).splitlines())
        of = str(value["InstanceId"])
        return Read("log", f"console output of {of}", logs=(Log(source, lines, of),))
    entries = value.get("events")
    if isinstance(entries, list) and any(isinstance(each, dict) and "message" in each for each in entries):
        lines = tuple(str(each.get("message", "")) for each in entries if isinstance(each, dict))
        return Read("log", f"{len(lines):,} events of a log group", logs=(Log(source, lines, of),))
    service, operation = _operation(name, text, value)
    if not operation:
        return Read("file", "a file that is kept and not read")
    answer = Answer(_call(service, operation, of), _collected(value), Status.OK, value, source=source)
    return Read("answer", f"{service}:{operation}{f' of {of}' if of else ''}", (answer,))


def _operation(name: str, text: str, value: Mapping[str, object]) -> tuple[str, str]:
    entries = value.get("events")
    if isinstance(entries, list) and (not entries or "eventTypeCode" in str(entries[0])):
        return "health", "DescribeEvents"
    found = value.get("findings")
    if isinstance(found, list) and (not found or "findingArn" in str(found[0])):
        return "inspector2", "ListFindings"
    told = next((call for member, call in _MEMBERS.items() if member in value), None)
    if told:
        return told
    command = cli_outputs.command(Source(name, text))
    return (command.service, command.operation) if command else ("", "")


def _call(service: str, operation: str, of: str) -> Call:
    return Call("", "", service, operation, (("of", of),) if of else ())


def _collected(value: Mapping[str, object]) -> str:
    """When AWS gave the answer: its output does not say, save the header of an HTTP response that was kept."""
    metadata = value.get("ResponseMetadata")
    headers = metadata.get("HTTPHeaders") if isinstance(metadata, dict) else None
    return str(headers.get("date", "")) if isinstance(headers, dict) else ""


def _decoded(output: str) -> str:
    """The console's output; the API gives it in base64, the command line decodes it."""
    if not _BASE64.fullmatch(output):
        return output
    try:
        return base64.b64decode(output, validate=False).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return output


def _refusals(source: str, text: str, of: str) -> list[Answer]:
    found = []
    for code, operation, message in _REFUSED.findall(text):
        absent = code in _ABSENT
        denied = Status.DENIED if _DENIED.search(code) else Status.FAILED
        call = _call(_OPERATIONS.get(operation, ""), operation, of)
        status = Status.ABSENT if absent else denied
        found.append(Answer(call, "", status, None, code, message.strip()[:300], source))
    return found
