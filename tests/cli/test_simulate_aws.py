"""`clew simulate --output aws`: the JSON of IAM's own simulation API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator
from typer.testing import CliRunner

from clew.cli.main import app

ROOT = Path(__file__).parent.parent.parent
SAMPLE = str(ROOT / "samples" / "account")
CARLOS = ("-p", "arn:aws:iam::111122223333:user/carlos", "--policies", SAMPLE)


@pytest.fixture(scope="module")
def shape() -> Any:
    """The shape of SimulatePolicyResponse as AWS publishes it."""
    return Session().get_service_model("iam").operation_model("SimulatePrincipalPolicy").output_shape


def response(*words: str) -> dict[str, Any]:
    """The response to a question."""
    outcome = CliRunner().invoke(app, ["simulate", *words, "-o", "aws"], catch_exceptions=False)
    return json.loads(outcome.stdout)


QUESTIONS = [
    (*CARLOS, "-a", "s3:PutObject", "-r", "arn:aws:s3:::carlos-logs/x", "-r", "arn:aws:s3:::carlos/x"),
    (*CARLOS, "-a", "s3:ListAllMyBuckets", "-a", "ec2:StopInstances"),
    ("-p", "arn:aws:iam::111122223333:role/PayrollReader", "--policies", SAMPLE, "-a", "s3:*", "-r", "*"),
    ("--policy", str(ROOT / "samples" / "policies" / "draft.json"), "-a", "ec2:*Instances"),
]


@pytest.mark.parametrize("words", QUESTIONS)
def test_response_has_the_shape_that_aws_publishes(words: tuple[str, ...], shape: Any) -> None:
    """Every member is one of AWS's, of its type, and those that AWS requires are there."""
    found = response(*words)
    report = ParamValidator().validate(found, shape)
    assert not report.has_errors(), report.generate_report()
    decisions = {"allowed", "explicitDeny", "implicitDeny"}
    for result in found["EvaluationResults"]:
        assert result["EvalDecision"] in decisions
        for specific in result.get("ResourceSpecificResults", ()):
            assert specific["EvalResourceDecision"] in decisions


def test_one_result_for_each_action_with_the_most_restrictive_decision() -> None:
    """The result of an action tells the most restrictive decision, and each resource its own."""
    result = response(*QUESTIONS[0])["EvaluationResults"][0]
    assert result["EvalDecision"] == "explicitDeny"
    assert result["EvalResourceName"] == "arn:${Partition}:s3:::${BucketName}/${ObjectName}"
    assert [each["EvalResourceDecision"] for each in result["ResourceSpecificResults"]] == [
        "explicitDeny",
        "allowed",
    ]
    assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": True}


def test_matched_statement_is_cut_out_by_its_positions() -> None:
    """Start and end enclose the statement in the policy's own document."""
    statement = response(*QUESTIONS[0])["EvaluationResults"][0]["MatchedStatements"][0]
    assert (statement["SourcePolicyId"], statement["SourcePolicyType"]) == (
        "user_carlos_CarlosBuckets",
        "user",
    )
    text = (Path(SAMPLE) / "account.json").read_text()
    document = text[text.index("{", text.index('"PolicyDocument"')) :].splitlines()
    start, end = statement["StartPosition"], statement["EndPosition"]
    inside = "\n".join(document[start["Line"] - 1 : end["Line"]])[start["Column"] - 1 :]
    assert json.JSONDecoder().raw_decode(inside)[0]["Sid"] == "DenyS3Logs"
    assert document[end["Line"] - 1][end["Column"] - 2] == "}"


def test_missing_keys_are_absent_and_named() -> None:
    """Where Clew says undetermined, IAM's answer is that of absent keys, and the keys are named."""
    result = response(*QUESTIONS[3])["EvaluationResults"]
    stop = next(each for each in result if each["EvalActionName"] == "ec2:StopInstances")
    assert (stop["EvalDecision"], stop["MissingContextValues"]) == ("implicitDeny", ["aws:RequestedRegion"])
    assert "ResourceSpecificResults" not in stop


def test_cross_account_details_tell_both_sides(tmp_path: Path) -> None:
    """Across accounts each side has its own decision; within one account there is none to tell."""
    policy = tmp_path / "p.json"
    policy.write_text(
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'
    )
    other = tmp_path / "bucket.json"
    other.write_text(
        '{"Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:PutObject"}}'
    )
    words = ("-p", "arn:aws:iam::111122223333:user/x", "--policy", str(policy), "-a", "s3:GetObject")
    words += ("-r", "arn:aws:s3:::b/k", "--resource-policy", str(other), "--resource-account")
    across = response(*words, "444455556666")["EvaluationResults"][0]
    assert across["EvalDecisionDetails"] == {"IAM Policy": "allowed", "Resource Policy": "implicitDeny"}
    assert response(*words, "111122223333")["EvaluationResults"][0]["EvalDecisionDetails"] == {}
