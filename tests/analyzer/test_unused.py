"""Access that nobody used: found with a recommendation, silent, too young, or not known."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.case_files import read_case_file

from clew.analyzer.unused import Given, run
from clew.analyzer.unused_activity import activity
from clew.analyzer.unused_advice import reduced
from clew.analyzer.unused_findings import cleared, finding
from clew.analyzer.unused_model import Judged, Kind, Unused, Window
from clew.aws import catalog
from clew.policy.parse import from_document
from clew.snapshot.answers import GLOBAL, Answer, Answers, Call, Status
from clew.snapshot.credential_report import COLUMNS, CredentialReport, read
from clew.snapshot.load import of_answers

_FILE = Path(__file__).resolve().parent.parent / "cases" / "analyzer" / "unused.yaml"
_CASES: dict[str, Any] = read_case_file(_FILE)
_OWNER = "111122223333"
_WINDOW = Window(datetime(2026, 3, 11, tzinfo=UTC), 90)


def _answer(service: str, operation: str, body: dict[str, Any], **parameters: str) -> Answer:
    call = Call(_OWNER, GLOBAL, service, operation, tuple(sorted(parameters.items())))
    return Answer(call, "2026-03-11T00:00:00Z", Status.OK, body)


def _roles(row: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for role in row.get("roles") or []:
        path = role.get("Path", "/")
        arn = f"arn:aws:iam::{_OWNER}:role{path}{role['RoleName']}"
        trust = {"Version": "2012-10-17", "Statement": []}
        found.append({"Path": path, "Arn": arn, "RoleId": "AROAX", "AssumeRolePolicyDocument": trust} | role)
    return found


def _report(row: dict[str, Any]) -> CredentialReport | None:
    if "report" in row and row["report"] is None:
        return None
    lines = [",".join(COLUMNS)]
    for line in row.get("report", []):
        cells = {"arn": f"arn:aws:iam::{_OWNER}:user/{line['user']}"} | line
        lines.append(",".join(cells.get(name, _default(name)) for name in COLUMNS))
    return read("\n".join(lines).encode(), "report.csv") if len(lines) > 1 else _EMPTY


def _default(name: str) -> str:
    if name == "user_creation_time":
        return "2025-01-01T00:00:00Z"
    return "false" if name.endswith(("active", "enabled")) else "N/A"


_EMPTY = CredentialReport("report.csv", _OWNER, ())


def _accessed(said: Any) -> dict[str, Any]:
    return said if isinstance(said, dict) else {"JobStatus": "COMPLETED", "ServicesLastAccessed": said}


def _given(row: dict[str, Any]) -> Given:
    details = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": _roles(row), "Policies": []}
    answers = Answers(
        [
            _answer("iam", "GetAccountAuthorizationDetails", details),
            *(
                _answer("iam", "GetServiceLastAccessedDetails", _accessed(said), Arn=arn)
                for arn, said in row.get("accessed", {}).items()
            ),
        ]
    )
    is_read = row.get("roles", []) is not None
    roles = {role["Arn"]: role for role in details["RoleDetailList"]} if is_read else None
    recorded = None
    if "events" in row:
        events = [{"eventTime": "2026-03-01T00:00:00Z", **each} for each in row["events"]]
        recorded = activity(events, frozenset(row.get("unseen", [])), tuple(row.get("lake", [])))
    return Given(_OWNER, of_answers("snapshot", answers), answers, roles, _report(row), recorded)


def _told(found: Unused) -> str:
    if found.kind is not Kind.PERMISSION:
        return f"{found.kind} {found.subject}"
    services, actions = ", ".join(found.services), ", ".join(found.actions)
    return f"{found.kind} {found.subject}: {f'services {services}'.strip()}; {f'actions {actions}'.strip()}"


@pytest.mark.parametrize("row", _CASES["rows"], ids=lambda row: row["name"])
def test_access_is_judged_as_its_case_says(row: dict[str, Any]) -> None:
    """Unused access is found with a recommendation, young access is left alone, and silence is not taken for proof."""
    case = {**_CASES["defaults"], **row}
    judged = run(_given(case), _WINDOW)
    found = [each for each in judged.unused if each.kind in case["about"]]
    assert [_told(each) for each in found] == case["unused"]
    assert all(each.recommendation and each.told for each in found)
    reasons = [each.why for each in judged.open if each.kind in case["about"]]
    wanted = case.get("open", [])
    assert len(reasons) == len(wanted)
    assert all(words in reason for words, reason in zip(wanted, reasons, strict=True))
    assert list(judged.young) == case.get("young", [])


def test_every_kind_has_a_case_that_fires() -> None:
    """Each kind of unused access is shown by a case."""
    told = {line.partition(" ")[0] for row in _CASES["rows"] for line in row["unused"]}
    assert told == {kind.value for kind in Kind}


def test_a_longer_window_than_roles_are_tracked_proves_nothing() -> None:
    """A role that was never used in 400 days may have been used before."""
    row = {"roles": [{"RoleName": "ci", "CreateDate": "2020-01-01T00:00:00Z", "RoleLastUsed": {}}]}
    judged = run(_given(row), Window(_WINDOW.until, 500))
    assert not judged.unused
    assert "400 days" in next(each.why for each in judged.open if each.kind is Kind.ROLE)
    used: dict[str, Any] = {"RoleName": "ci", "CreateDate": "2020-01-01T00:00:00Z"}
    used["RoleLastUsed"] = {"LastUsedDate": "2026-03-01T00:00:00Z"}
    used["RolePolicyList"] = [{"PolicyName": "Work", "PolicyDocument": _document(["sqs:SendMessage"])}]
    accessed = {f"arn:aws:iam::{_OWNER}:role/ci": [{"ServiceNamespace": "sqs"}]}
    judged = run(_given({"roles": [used], "accessed": accessed}), Window(_WINDOW.until, 500))
    assert "400 days" in next(each.why for each in judged.open if each.kind is Kind.PERMISSION)


def test_what_is_open_resolves_nothing() -> None:
    """A finding that was kept stays until its subject is judged again."""
    row = {
        "report": [{"user": "ana", "access_key_1_active": "true", "access_key_1_last_rotated": "2025-06-02"}]
    }
    row["report"][0]["access_key_1_last_rotated"] = "2025-06-02T07:00:00Z"
    judged = run(_given(row), _WINDOW)
    kept = finding(judged.unused[0], judged)
    later = Window(_WINDOW.until + timedelta(days=1), 90)
    unread = run(_given({"report": None}), later)
    assert not cleared(unread, [kept])
    used = {"report": [{**row["report"][0], "access_key_1_last_used_date": "2026-03-11T07:00:00Z"}]}
    assert cleared(run(_given(used), later), [kept]) == {(kept.rule, kept.subject)}


def test_tags_of_a_role_are_those_of_its_finding() -> None:
    """People suppress what is unused by tag."""
    role = {"RoleName": "ci", "CreateDate": "2025-01-01T00:00:00Z", "RoleLastUsed": {}}
    judged = run(_given({"roles": [role | {"Tags": [{"Key": "stage", "Value": "test"}]}]}), _WINDOW)
    assert finding(judged.unused[0], judged).tags == (("stage", "test"),)


def test_a_finding_says_what_and_since_when() -> None:
    """Title and explanation name the thing, the window and who told it."""
    row = {"roles": [{"RoleName": "ci", "CreateDate": "2025-01-01T00:00:00Z", "RoleLastUsed": {}}]}
    judged: Judged = run(_given(row), _WINDOW)
    told = finding(judged.unused[0], judged)
    assert told.title == "role arn:aws:iam::111122223333:role/ci not used in 90 days"
    assert json.dumps(told.explanation) == (
        '"never used, made 2025-01-01; told by RoleLastUsed of iam:GetAccountAuthorizationDetails"'
    )


def _document(actions: list[str]) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
    }


def test_each_policy_has_its_step() -> None:
    """A policy of which nothing was used is taken off; another is replaced by one that keeps what was used."""
    names = {"Old": ["sqs:*"], "Broad": ["*"], "Exact": ["s3:GetObject"]}
    role: dict[str, Any] = {"RoleName": "ci", "CreateDate": "2025-01-01T00:00:00Z"}
    role["RoleLastUsed"] = {"LastUsedDate": "2026-03-01T00:00:00Z"}
    role["RolePolicyList"] = [
        {"PolicyName": name, "PolicyDocument": _document(actions)} for name, actions in names.items()
    ]
    told = [{"ServiceNamespace": each} for each in ("sqs", "sns", "ec2")]
    told.append({"ServiceNamespace": "s3", "LastAuthenticated": "2026-03-01T00:00:00Z"})
    accessed = {f"arn:aws:iam::{_OWNER}:role/ci": told}
    found = next(
        each
        for each in run(_given({"roles": [role], "accessed": accessed}), _WINDOW).unused
        if each.kind is Kind.PERMISSION
    )
    assert [(step.existing, step.doing.value) for step in found.steps] == [
        ("Old", "DETACH_POLICY"),
        ("Broad", "CREATE_POLICY"),
    ]
    smaller = found.steps[1].policy
    assert smaller is not None
    actions = smaller.statements[0].actions or ()
    assert {"s3:*", "kms:*"} <= set(actions)
    assert not {"sqs:*", "sns:*", "ec2:*", "*"} & set(actions)


def test_what_identity_center_keeps_is_changed_there() -> None:
    """IAM refuses every change of such a role with UnmodifiableEntity, "only modifiable by AWS"."""
    role: dict[str, Any] = {"RoleName": "AWSReservedSSO_Admin_0123456789abcdef", "RoleLastUsed": {}}
    role |= {"Path": "/aws-reserved/sso.amazonaws.com/", "CreateDate": "2025-01-01T00:00:00Z"}
    role["RolePolicyList"] = [{"PolicyName": "AwsSSOInlinePolicy", "PolicyDocument": _document(["sqs:*"])}]
    (unused,) = run(_given({"roles": [role]}), _WINDOW).unused
    assert unused.recommendation.startswith("take back who has its permission set in IAM Identity Center")
    role["RoleLastUsed"] = {"LastUsedDate": "2026-03-01T00:00:00Z"}
    arn = f"arn:aws:iam::{_OWNER}:role{role['Path']}{role['RoleName']}"
    accessed = {arn: [{"ServiceNamespace": "sqs"}]}
    (unused,) = run(_given({"roles": [role], "accessed": accessed}), _WINDOW).unused
    assert unused.recommendation.startswith("in its permission set in IAM Identity Center take")


_UNUSED = st.sets(
    st.sampled_from(["sqs", "s3", "sqs:sendmessage", "s3:getobject", "s3:putobject", "sns:publish"])
)


@settings(max_examples=20)
@given(
    st.lists(
        st.sampled_from(["*", "s3:*", "s*:*", "s3:Get*", "sqs:SendMessage", "s3:PutObject", "sns:*"]),
        min_size=1,
    ),
    _UNUSED,
)
def test_a_smaller_policy_loses_only_what_is_unused(patterns: list[str], unused: set[str]) -> None:
    """Everything that was granted and is not known to be unused is still granted, and nothing else is."""
    aws = catalog.current()
    policy = from_document(_document(patterns))
    kept = reduced(policy, lambda name: name in unused or name.partition(":")[0] in unused)
    before = set(aws.names(aws.actions_matching(*patterns).mask))
    after = set(aws.names(aws.actions_matching(*(a for s in kept.statements for a in s.actions or ())).mask))
    assert after <= before
    lost = {name.lower() for name in before - after}
    assert all(name in unused or name.partition(":")[0] in unused for name in lost)


def test_every_silent_pattern_is_about_some_action() -> None:
    """No pattern of actions without a trace is misspelled: each matches an action of the catalogue."""
    lists = tomllib.loads(files("clew.analyzer").joinpath("unused_silent.toml").read_text(encoding="utf-8"))
    aws = catalog.current()
    assert not [each for listed in lists.values() for each in listed if not aws.actions_matching(each).mask]
