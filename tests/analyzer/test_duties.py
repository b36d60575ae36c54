"""Duties, versions and the review: who holds what, what a version changed, and what to look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.case_files import read_case_file

from clew.analyzer.duties import judge, read_rules
from clew.analyzer.duties_review import review
from clew.analyzer.versions import history
from clew.errors import InputError, UsageError
from clew.report import policy_text
from clew.snapshot.load import Inputs, load

if TYPE_CHECKING:
    from clew.snapshot.model import Snapshot

_FILE = Path(__file__).resolve().parent.parent / "cases" / "analyzer" / "duties.yaml"
_CASES: dict[str, Any] = read_case_file(_FILE)
_IAM = "arn:aws:iam::111122223333:"
_ARN = f"{_IAM}policy/Shared"


def _snapshot(folder: Path, **lists: list[dict[str, Any]]) -> Snapshot:
    file = folder / "account.json"
    file.write_text(json.dumps(lists, indent=1), encoding="utf-8")
    return load(Inputs(accounts=(str(file),)))


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def _user(statements: list[dict[str, Any]], **more: object) -> dict[str, Any]:
    inline = [{"PolicyName": "Own", "PolicyDocument": _document(statements)}]
    tags = [{"Key": "team", "Value": "developers"}]
    return {"UserName": "dev", "Arn": f"{_IAM}user/dev", "UserPolicyList": inline, "Tags": tags, **more}


@pytest.mark.parametrize("row", _CASES["rows"], ids=lambda row: row["name"])
def test_principals_stand_to_rules_as_their_case_says(row: dict[str, Any], tmp_path: Path) -> None:
    """Whoever holds every side fails with a request for each; what is not at hand stays unknown."""
    attached = [{"PolicyName": "X", "PolicyArn": "arn:aws:iam::aws:policy/NotAtHand"}]
    user = _user(row["statements"], AttachedManagedPolicies=attached if row.get("attached") else [])
    rules = read_rules(_CASES["rules"][row["rule"]], "rules.yaml")
    found = list(judge(_snapshot(tmp_path, UserDetailList=[user]), rules))
    assert [each.held.value for each in found] == ([row["held"]] if row["held"] else [])
    for each in found:
        assert bool(each.reason) is (each.held == "unknown")
        if each.held == "fail":
            assert len(each.evidence) == len(rules[0].sides)
            assert all("account.json:" in place for one in each.evidence for place in one.statements)
        assert policy_text.duties(found)
        assert json.loads(policy_text.duties_json(found))[0]["result"] == row["held"].upper()


@pytest.mark.parametrize("row", _CASES["bad"], ids=lambda row: row["name"])
def test_rules_that_are_none_are_told(row: dict[str, Any]) -> None:
    """A rule that cannot be read is an error with its place, never a rule that nobody breaks."""
    with pytest.raises(InputError) as error:
        read_rules(row["rules"], "rules.yaml")
    assert row["told"] in str(error.value)


def _versions(folder: Path, *actions: str, default: int) -> Snapshot:
    listed = [
        {
            "VersionId": f"v{number}",
            "IsDefaultVersion": number == default,
            "Document": _document([{"Effect": "Allow", "Action": action, "Resource": "*"}]),
        }
        for number, action in enumerate(actions, 1)
    ]
    listed.reverse()
    policy = {
        "PolicyName": "Shared",
        "Arn": _ARN,
        "DefaultVersionId": f"v{default}",
        "PolicyVersionList": listed,
    }
    return _snapshot(folder, Policies=[policy])


def test_history_tells_each_step_and_the_way_back(tmp_path: Path) -> None:
    """Each version is compared with the one before it, and going back with the default."""
    snapshot = _versions(tmp_path, "s3:Get*", "s3:*", "s3:GetObject", default=3)
    found = history(_ARN, snapshot.accounts["111122223333"].versions[_ARN])
    assert [(step.older.id, step.newer.id) for step in found.steps] == [("v1", "v2"), ("v2", "v3")]
    changes = [step.changes for step in found.steps]
    assert [(len(each.possible), len(each.impossible)) for each in changes if each] == [(1, 0), (0, 1)]
    assert found.rollback is not None
    assert found.command.endswith("--version-id v2")
    assert found.rollback.changes is not None
    assert found.rollback.changes.possible
    assert not found.is_full
    assert "v3 (default)" in policy_text.history(found)
    assert json.loads(policy_text.history_json(found))["rollback"]["to"] == "v2"


def test_history_knows_the_limit_and_where_not_to_go(tmp_path: Path) -> None:
    """Five versions are all that AWS keeps, and only another version can be gone back to."""
    snapshot = _versions(tmp_path, *(f"s3:Get{name}*" for name in "ABCDE"), default=1)
    versions = snapshot.accounts["111122223333"].versions[_ARN]
    found = history(_ARN, versions)
    assert found.is_full
    assert found.rollback is None
    assert "AWS refuses another" in policy_text.history(found)
    assert history(_ARN, versions, "v4").command.endswith("--version-id v4")
    for odd in ("v1", "v9"):
        with pytest.raises(UsageError):
            history(_ARN, versions, odd)


def test_review_names_what_to_look_at_and_nothing_else(tmp_path: Path) -> None:
    """Policies on users, inline ones and names of users are told; a variable and a part of a word are not."""
    statements = [
        {
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": ["arn:aws:s3:::home/dev/*", "arn:aws:s3:::devices/*"],
        },
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::home/${aws:username}/*"},
    ]
    attached = [{"PolicyName": "X", "PolicyArn": "arn:aws:iam::aws:policy/X"}]
    found = review(_snapshot(tmp_path, UserDetailList=[_user(statements, AttachedManagedPolicies=attached)]))
    assert [each.kind for each in found] == ["attached-to-user", "inline", "hard-coded-name"]
    assert "`arn:aws:s3:::home/${aws:username}/*` would do" in found[-1].text
    assert "3 remarks" in policy_text.review(found)
    assert len(json.loads(policy_text.review_json(found))) == len(found)
