"""A row of `tests/cases/explain/scenarios.yaml` as account files and the event or text of a refusal.

Who asks is `principal`: `user` (ana), `role` (a session of ci), `stranger` (eve of another account), `outside` (a
session of the role `partner` of another account), `root`, `anonymous`, `federated` (a session that ana asked for), a
service by its name, or an identity provider by its ARN. `identity` is what they may do, `boundary` limits it; `trust`
is that of the role ci. `bucket`, `key` and `policy` are policies of the bucket logs and of the resource, `settings`
and `object` what else is known of the bucket and of the object, `grants` those of the key. `event` are members of the
record that differ from a GetObject of S3; without it the refusal is a text. `around` are records around it, written in
the same way.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from tests.case_files import read_case_file
from tests.engine.cases import policy
from tests.explain.accounts import authorization_details

from clew.explain.around import explained as explained_around
from clew.explain.explanation import Explanation, of_text
from clew.reach.predict import Predictor
from clew.snapshot import details, side
from clew.snapshot.model import Organization, Snapshot, Source

FILE: Final = Path(__file__).resolve().parent.parent / "cases" / "explain" / "scenarios.yaml"
CASES: Final[dict[str, Any]] = read_case_file(FILE)
ACCOUNT, OTHER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ci"
_ANA = f"arn:aws:iam::{ACCOUNT}:user/ana"
_PARTNER = f"arn:aws:iam::{OTHER}:role/partner"
_PRINCIPALS: Final = {
    "user": _ANA,
    "role": f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/build",
    "stranger": f"arn:aws:iam::{OTHER}:user/eve",
    "outside": f"arn:aws:sts::{OTHER}:assumed-role/partner/p",
    "root": f"arn:aws:iam::{ACCOUNT}:root",
    "federated": f"arn:aws:sts::{ACCOUNT}:federated-user/ana",
    "anonymous": "anonymous",
}
_HOLDERS: Final = {"role": ROLE, "outside": _PARTNER, "federated": _ANA, "user": _ANA}
_ORG = "arn:aws:organizations::999988887777"
_ROOT = f"{_ORG}:root/o-exampleorg1/r-ex01"
_OWN = ("identity", "boundary", "tags")


def principal(row: dict[str, Any]) -> str:
    """Who asks, as AWS's texts name them."""
    kind = row.get("principal", "user")
    return _PRINCIPALS.get(kind, kind)


def snapshot(row: dict[str, Any]) -> Snapshot:
    """The account of the row, and that of the stranger where one asks."""
    kind = row.get("principal", "user")
    holder = _HOLDERS.get(kind, principal(row))
    own = {key: row[key] for key in _OWN if key in row}
    roles = {ROLE: {"trust": row.get("trust", "Allow sts:AssumeRole to ec2.amazonaws.com")}}
    roles |= row.get("roles", {})
    users: dict[str, Any] = {}
    if ":role/" in holder:
        roles[holder] = {**roles.get(holder, {}), **own}
    elif ":user/" in holder:
        users[holder] = own
    collected = details.Collected()
    for number in dict.fromkeys((ACCOUNT, *(arn.split(":")[4] for arn in (*users, *roles)))):
        of_it = [
            {arn: each for arn, each in held.items() if arn.split(":")[4] == number}
            for held in (users, roles)
        ]
        content = authorization_details(*of_it)
        assert collected.add(Source(f"{number}.json", json.dumps(content)))
    return Snapshot(collected.accounts(), _resources(row), _organization(row))


def _resources(row: dict[str, Any]) -> dict[str, Any]:
    bucket = {"Account": ACCOUNT, "Policy": policy(row["bucket"]) if "bucket" in row else None}
    held: dict[str, Any] = {"arn:aws:s3:::logs": {**bucket, **row.get("settings", {})}}
    for name in ("lambda:eu-west-1:111122223333:function:resize", "sqs:eu-west-1:111122223333:jobs"):
        held[f"arn:aws:{name}"] = {"Account": ACCOUNT, "Policy": None}
    for name in ("key", "policy"):
        if name in row:
            held[row.get("holder", row["resource"])] = {"Account": ACCOUNT, "Policy": policy(row[name])}
    if "grants" in row:
        held[row["resource"]]["Grants"] = row["grants"]
    if "object" in row:
        held[row["resource"]] = row["object"]
    for arn, record in row.get("also", {}).items():
        held[arn] = {**record, "Policy": policy(record["Policy"])} if "Policy" in record else record
    return side.resources(Source("resources.json", json.dumps(held)))


def _organization(row: dict[str, Any]) -> Organization:
    account = f"{_ORG}:account/o-exampleorg1/{ACCOUNT}"
    tree = {"ManagementAccount": "999988887777", "Accounts": {account: [_ROOT]}}
    organization = side.with_tree(Organization(), Source("organization.json", json.dumps(tree)))
    own: list[Any] = [
        {"Name": f"s{n}", "Content": policy(level)} for n, level in enumerate(row.get("scps", []))
    ]
    if "rcps" in row:
        levels = [{"Name": f"r{n}", "Content": policy(level)} for n, level in enumerate(row["rcps"])]
        full = {"Name": "full", "Content": policy("Allow * on * to *")}
        rcps = Source("rcps.json", json.dumps({_ROOT: [full], account: [full, *levels]}))
        organization = side.with_rcps(organization, rcps)
    scps = {_ROOT: ["FullAWSAccess"], account: own or ["FullAWSAccess"]}
    return side.with_scps(organization, Source("scps.json", json.dumps(scps)))


def text(row: dict[str, Any]) -> str:
    """What AWS says of the refusal."""
    if "text" in row:
        return str(row["text"])
    asked = f'perform: {row["action"]} on resource: "{row["resource"]}"'
    return f"User: {principal(row)} is not authorized to {asked} {row['message']}".strip()


def event(row: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The record of the refusal: a GetObject of S3 by the principal, but for what is given."""
    bucket, _, key = row["resource"].rpartition(":")[2].partition("/")
    return {
        "eventID": "e-1",
        "eventTime": "2026-03-11T02:24:10Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "awsRegion": "eu-west-1",
        "recipientAccountId": ACCOUNT,
        "sourceIPAddress": "203.0.113.9",
        "userIdentity": _identity(row),
        "requestParameters": {"bucketName": bucket, "key": key},
        "errorCode": "AccessDenied",
        "errorMessage": text(row),
        **given,
    }


def _identity(row: dict[str, Any]) -> dict[str, Any]:
    who = principal(row)
    if who == "anonymous":
        return {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}
    if ":assumed-role/" in who:
        number, name = who.split(":")[4], who.split("/")[1]
        issuer = {
            "type": "Role",
            "arn": f"arn:aws:iam::{number}:role/{name}",
            "accountId": number,
            "userName": name,
        }
        attributes = {"mfaAuthenticated": "false", "creationDate": "2026-03-11T02:00:00Z"}
        context = {"sessionIssuer": issuer, "attributes": attributes}
        known = {"principalId": f"AROAEXAMPLE:{who.rpartition('/')[2]}", "accessKeyId": "ASIAEXAMPLE"}
        return {"type": "AssumedRole", "arn": who, "accountId": number, **known, "sessionContext": context}
    known = {"accessKeyId": "AKIAEXAMPLE", "userName": who.rpartition("/")[2]}
    return {"type": "IAMUser", "arn": who, "accountId": who.split(":")[4], **known}


def explained(given: dict[str, Any]) -> tuple[dict[str, Any], Explanation]:
    """The row with the defaults of its file, and what is found; each row is explained once."""
    if given["name"] not in _FOUND:
        _FOUND[given["name"]] = _explained({**CASES["defaults"], **given})
    return _FOUND[given["name"]]


_FOUND: dict[str, tuple[dict[str, Any], Explanation]] = {}


def _explained(row: dict[str, Any]) -> tuple[dict[str, Any], Explanation]:
    predictor = Predictor(snapshot(row))
    if "event" in row:
        others = [event(row, each) for each in row.get("around", ())]
        return row, explained_around(event(row, row["event"]), others, predictor)
    (found,) = of_text(text(row), predictor)
    return row, found
