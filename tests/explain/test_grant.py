"""The smallest policy for a task: what the case says, proven by the engine, valid, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.case_files import read_case_file
from tests.engine.cases import policy
from tests.explain import scenario
from typer.testing import CliRunner

from clew.aws import catalog
from clew.cli.commands import grant as grant_command
from clew.errors import UsageError
from clew.explain import grant_tasks
from clew.explain.grant import Grant, grant
from clew.reach.predict import Predictor
from clew.report import grant_text

_FILE = Path(__file__).resolve().parent.parent / "cases" / "explain" / "grants.yaml"
ROWS: list[dict[str, Any]] = read_case_file(_FILE)["rows"]
ACCOUNT = "111122223333"


def _granted(row: dict[str, Any]) -> Grant:
    given = {"action": "s3:GetObject", "resource": "arn:aws:s3:::logs/a", **row.get("given", {})}
    who = scenario.principal(given)
    if ":assumed-role/" in who:
        who = f"arn:aws:iam::{who.split(':')[4]}:role/{who.split('/')[1]}"
    task = grant_tasks.named(row["task"])
    setting = grant_tasks.Setting(who.split(":")[4], who, "eu-west-1")
    return grant(
        task, grant_tasks.filled(task, row.get("set", {}), setting), who, Predictor(scenario.snapshot(given))
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_the_policy_of_a_task_is_the_smallest(row: dict[str, Any]) -> None:
    """The policy, the other side and the proof are those of the case; nothing else is newly allowed; it is valid."""
    found = _granted(row)
    bare = [{name: each[name] for name in each if name != "Sid"} for each in found.document["Statement"]]
    assert bare == policy(row["policy"])["Statement"]
    assert [edit.where.kind.value for edit in found.others] == row.get("others", [])
    assert found.allowed is row.get("allowed", True), [proof.why for proof in found.proofs]
    assert [each.partition(":")[0] for each in found.problems] == row.get("problems", [])
    assert found.gain is not None
    assert (found.gain.nothing_else, found.gain.why_unknown) == (True, "")
    assert all(proof.before is not True for proof in found.proofs)
    text = "\n".join(grant_text.lines(found, found.proofs[0].request.principal))
    assert f"inline policy Clew{''.join(word.title() for word in row['task'].split('-'))}" in text
    assert "the other side must allow it too" in text or not found.others
    json.dumps(grant_text.document(found, ""))


def test_every_task_has_a_case() -> None:
    """No task goes untested, and there are more than a dozen."""
    assert {row["task"] for row in ROWS} == set(grant_tasks.tasks())
    assert len(grant_tasks.tasks()) > 12


# AWS: Amazon CloudWatch API reference, DescribeAlarms: composite alarms are told only to who may see `*`.
_OF_ALL = {"cloudwatch:DescribeAlarms"}


def test_every_action_of_a_task_is_one_of_aws() -> None:
    """The catalogue knows each action; what works on no resource is asked of every one."""
    known = catalog.current()
    for task in grant_tasks.tasks().values():
        for need in task.needs:
            for action in need.actions:
                found = known.action(action)
                assert found is not None, action
                if known.is_wildcard_only(action):
                    assert need.resources == ("*",), action
                elif need.resources == ("*",):
                    assert action in _OF_ALL or not any(each.required for each in found.resources), action


@pytest.mark.parametrize(
    ("task", "values", "principal", "says"),
    [
        ("add-user-to-groups", {}, "", "did you mean `add-user-to-group`"),
        ("add-user-to-group", {}, "arn:aws:iam::111122223333:user/a", "needs `--set group=…`"),
        ("add-user-to-group", {"groups": "x"}, "", "has no parameter `groups`; it has group"),
        ("add-user-to-group", {"group": "x"}, "", "which account?"),
        ("publish-to-topic", {"topic": "x"}, "arn:aws:iam::111122223333:user/a", "which region?"),
        ("change-own-password", {}, "arn:aws:iam::111122223333:role/a", "with the ARN of a user"),
    ],
)
def test_what_a_task_lacks_is_named(task: str, values: dict[str, str], principal: str, says: str) -> None:
    """A task that is not there, and a value that is missing or unknown, are said with what there is."""
    account = principal.split(":")[4] if principal else ""
    with pytest.raises(UsageError, match=says.replace("?", r"\?")):
        grant_tasks.filled(grant_tasks.named(task), values, grant_tasks.Setting(account, principal))


def _run(*words: str) -> Any:
    app = typer.Typer()
    grant_command.register(app)
    return CliRunner().invoke(app, words)


def test_a_task_without_an_account_is_proven_by_the_policy_alone() -> None:
    """Nobody's policies are at hand: the policy is stated, and that other policies are not known is said."""
    found = _run("read-credential-report")
    assert (found.exit_code, "--to ARN" in found.stdout) == (0, True)
    assert "not known: the policies that apply beside it" in found.stdout
    listed = _run("list").stdout
    assert "add-user-to-group: Add users to one group" in listed
    assert "--set key=…: the KMS key, where objects are encrypted with one (may be left out)" in listed


def test_the_change_is_printed_in_other_forms() -> None:
    """The command attaches the policy under a name that says the task."""
    to = ("--to", f"arn:aws:iam::{ACCOUNT}:user/ana", "--policies", "samples/account")
    command = _run("add-user-to-group", *to, "--set", "group=Operators", "--as", "cli").stdout
    assert command.startswith("aws iam put-user-policy --user-name ana --policy-name ClewAddUserToGroup")
    told = json.loads(_run("add-user-to-group", *to, "--set", "group=Operators", "-o", "json").stdout)
    assert told["policy"]["Statement"][0]["Action"] == "iam:AddUserToGroup"
