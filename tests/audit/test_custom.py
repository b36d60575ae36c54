"""People's own rules: the cases of `tests/cases/config/rules.yaml`, Python rules, evaluations and their history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from tests.case_files import read_case_file

from clew.audit import custom
from clew.audit.compliance import Evaluated, evaluate
from clew.audit.frameworks import load as framework
from clew.audit.model import State
from clew.errors import RuleError, UsageError
from clew.snapshot.answers import GLOBAL, Answer, Answers, Call, Status
from clew.snapshot.item_kinds import KINDS
from clew.store.compliance import Standing, history, record
from clew.store.database import Database

CASES = read_case_file(Path(__file__).parent.parent / "cases" / "config" / "rules.yaml")
ACCOUNT = "111122223333"
NOW = datetime(2026, 3, 11, tzinfo=UTC)
TIME = "2026-03-10T06:00:00Z"
RULE = {"id": "own", "title": "as it should be", "resource": "AWS::S3::Bucket"}


def ok(service: str, operation: str, body: dict | None, region: str = GLOBAL, **given: str) -> Answer:
    call = Call(ACCOUNT, region, service, operation, tuple(sorted(given.items())))
    return Answer(call, TIME, Status.OK if body is not None else Status.ABSENT, body)


def state(case: dict) -> State:
    """One bucket with these supplements; the rest is absent. One log group, no VPC, refused security groups."""
    listed = {"Name": "bucket", "Tags": [{"Key": k, "Value": v} for k, v in case.get("tags", {}).items()]}
    answers = [ok("s3", "ListBuckets", {"Buckets": [listed]})]
    for part in next(kind for kind in KINDS if kind.type == "AWS::S3::Bucket").supplements:
        given = case.get("bucket", {}).get(part.name)
        body = {part.members[0]: given} if part.members and given is not None else given
        answers.append(ok("s3", part.operation, body, Bucket="bucket"))
    answers.append(
        ok(
            "logs",
            "DescribeLogGroups",
            {"logGroups": [{"logGroupName": "g", "retentionInDays": 90}]},
            "eu-west-1",
        )
    )
    answers.append(ok("ec2", "DescribeVpcs", {"Vpcs": []}, "eu-west-1"))
    answers.append(Answer(Call(ACCOUNT, "eu-west-1", "ec2", "DescribeSecurityGroups"), TIME, Status.DENIED))
    told = {answer.call: answer for answer in answers}
    if "unread" in case:
        call = Call(ACCOUNT, GLOBAL, "s3", case["unread"], (("Bucket", "bucket"),))
        told[call] = Answer(call, TIME, Status.DENIED, None, "AccessDenied")
    return State(ACCOUNT, NOW, answers=Answers(told.values()))


def rules(folder: Path, text: str, name: str = "rules.yaml") -> tuple[custom.Rule, ...]:
    (folder / name).write_text(text, encoding="utf-8")
    return custom.load([str(folder)])


@pytest.mark.parametrize("case", CASES["rows"], ids=lambda case: case["name"])
def test_assertions(tmp_path: Path, case: dict) -> None:
    """A rule in YAML says of the bucket what AWS Config would, and the check made of it says the same."""
    text = yaml.safe_dump(
        RULE | {name: case[name] for name in ("resource", "when", "assert") if name in case}
    )
    found = rules(tmp_path, text)
    evaluations = evaluate([state(case)], found, []).evaluations
    assert [each.compliance for each in evaluations] == [case["expect"]]
    judgement = found[0].check.judge(state(case))[0]
    if "missing" in case:
        assert list(judgement.missing) == case["missing"]
    assert judgement.message.startswith(evaluations[0].annotation)


@pytest.mark.parametrize("case", CASES["errors"], ids=lambda case: case["name"])
def test_rules_that_cannot_be_read(tmp_path: Path, case: dict) -> None:
    """A fault in a rule is located."""
    with pytest.raises(RuleError) as error:
        rules(tmp_path, case["text"])
    assert str(error.value).startswith(f"{tmp_path / 'rules.yaml'}:{case['line']}: ")
    assert case["says"] in str(error.value)


PYTHON = """
from clew.audit.model import Judgement, Verdict, check
from clew.findings import Severity

@check("own-check", "as it should be", "not so", Severity.LOW)
def own(state):
    \"\"\"Finds. Something.\"\"\"
    {body}
"""


def test_rules_in_python(tmp_path: Path) -> None:
    """A function with @check is a rule, asked periodically unless its file says otherwise."""
    body = "yield Judgement(Verdict.PASS, state.account_arn, 'fine')"
    found = rules(tmp_path, PYTHON.format(body=body), "own.py")
    assert [(rule.check.id, rule.trigger) for rule in found] == [("own-check", "periodic")]
    assert evaluate([state({})], found, [], triggers=["change"]).evaluations == ()
    told = evaluate([state({})], found, [], triggers=["periodic"]).evaluations
    assert [(each.compliance, each.resource_type) for each in told] == [("COMPLIANT", "AWS::::Account")]


def test_a_rule_that_fails_is_no_pass(tmp_path: Path) -> None:
    """An error while a rule judges makes the answer unknown, with its line."""
    found = rules(tmp_path, PYTHON.format(body="yield state.nothing"), "own.py")
    told = evaluate([state({})], found, []).evaluations[0]
    assert told.compliance == "INSUFFICIENT_DATA"
    assert f"{tmp_path / 'own.py'}:8: AttributeError" in told.annotation


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("x = 1\ny = (\n", 2, "SyntaxError"),
        ("import nowhere_at_all\n", 1, "nowhere_at_all"),
        ("\n1 / 0\n", 2, "ZeroDivisionError"),
    ],
)
def test_python_files_that_cannot_be_run(tmp_path: Path, text: str, line: int, says: str) -> None:
    """A fault in a Python file is located."""
    with pytest.raises(RuleError) as error:
        rules(tmp_path, text, "own.py")
    assert str(error.value).startswith(f"{tmp_path / 'own.py'}:{line}: ")
    assert says in str(error.value)


def test_an_id_that_stands_twice(tmp_path: Path) -> None:
    """Two rules of one id are refused, whatever files they stand in."""
    text = yaml.safe_dump(RULE | {"assert": {"path": "name", "exists": True}})
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RuleError, match="stands in"):
        rules(tmp_path, text, "b.yaml")


def test_a_folder_without_rules(tmp_path: Path) -> None:
    """An empty folder is an error, not an evaluation of nothing."""
    with pytest.raises(UsageError, match="holds no rules"):
        custom.load([str(tmp_path)])


def test_only_changed_resources_are_told(tmp_path: Path) -> None:
    """On changes a rule is told of what changed alone."""
    text = yaml.safe_dump(RULE | {"assert": {"path": "name", "exists": True}})
    found = rules(tmp_path, text)
    assert evaluate([state({})], found, [], changed={"arn:aws:s3:::other"}).evaluations == ()
    assert len(evaluate([state({})], found, [], changed={"arn:aws:s3:::bucket"}).evaluations) == 1


def test_managed_rules_have_the_names_of_aws() -> None:
    """A framework's controls are evaluated under their own ids, one evaluation for each resource."""
    told = evaluate([state({})], [], [framework("config-rules")])
    keys = [(each.rule, each.resource) for each in told.evaluations]
    assert len(keys) == len(set(keys))
    assert ("iam-password-policy", f"arn:aws:iam::{ACCOUNT}:account") in keys


def standing(compliance: str, resource: str = "arn:aws:s3:::b", rule: str = "r") -> Standing:
    return Standing(ACCOUNT, rule, resource, "AWS::S3::Bucket", compliance, "why", NOW)


def test_history_holds_changes_of_state_alone(tmp_path: Path) -> None:
    """The same answer again adds nothing; a change is returned with what was before."""
    with Database(tmp_path / "state.db") as database:
        first = record(database, [standing("COMPLIANT")], now=NOW)
        assert [(one.old, one.new.compliance) for one in first] == [(None, "COMPLIANT")]
        assert record(database, [standing("COMPLIANT")], now=NOW) == ()
        again = record(database, [standing("NON_COMPLIANT")], now=NOW)
        assert [(one.old and one.old.compliance, one.new.compliance) for one in again] == [
            ("COMPLIANT", "NON_COMPLIANT")
        ]
        assert [each.compliance for each in history(database, resource="arn:aws:s3:::b")] == [
            "COMPLIANT",
            "NON_COMPLIANT",
        ]


def test_what_a_settled_rule_no_longer_names_is_gone(tmp_path: Path) -> None:
    """A resource goes where the rule was asked about all and left nothing open, and stays where it was not."""
    later = NOW + timedelta(days=1)
    with Database(tmp_path / "state.db") as database:
        record(database, [standing("COMPLIANT")], now=NOW)
        assert record(database, [], now=later) == ()
        gone = record(database, [], settled=[(ACCOUNT, "r")], now=later)
        assert [(one.new.compliance, one.new.at) for one in gone] == [("NOT_APPLICABLE", later)]


def test_a_resource_that_is_known_to_be_gone(tmp_path: Path) -> None:
    """An item that says deleted ends the resource's compliance under every rule."""
    with Database(tmp_path / "state.db") as database:
        record(database, [standing("COMPLIANT"), standing("COMPLIANT", rule="s")], now=NOW)
        assert len(record(database, [], gone=["arn:aws:s3:::b"], now=NOW)) == 2


def test_settled_rules_are_those_without_unknown(tmp_path: Path) -> None:
    """A rule that could not know something settles nothing."""
    text = yaml.safe_dump(RULE | {"assert": {"path": "BucketPolicy", "exists": False}})
    found = rules(tmp_path, text)
    told: list[Evaluated] = [
        evaluate([state(case)], found, []) for case in ({}, {"unread": "GetBucketPolicy"})
    ]
    assert [bool(each.settled) for each in told] == [True, False]
