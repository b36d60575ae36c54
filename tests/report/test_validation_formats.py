"""Validated policies in every format: AWS's shape, SARIF, our JSON, and lines."""

from __future__ import annotations

import json

from clew.aws.catalog import current
from clew.policy.files import Wanted, validate_file
from clew.report.validation_formats import render

POLICY = """\
{
  "Version": "2012-10-17",
  "Statement": {
    "Effect": "Allow",
    "Action": ["iam:PassRole", "s3:GetObjcet"],
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:SecureTransport": "true"}}
  }
}
"""
CLEAN = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}}'
PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"


def validated(text, source="p.json"):
    return validate_file(text, source, Wanted(None, "", current(), None))


def test_the_shape_of_validate_policy():
    """Findings have AWS's members; positions count lines from 1, columns and offsets from 0, ends are exclusive."""
    answer = json.loads(render([validated(POLICY)], "aws"))
    found = {each["issueCode"]: each for each in answer["findings"]}
    assert set(found) == {"INVALID_ACTION", "PASS_ROLE_WITH_STAR_IN_RESOURCE", "TYPE_MISMATCH"}
    wrong = found["INVALID_ACTION"]
    assert set(wrong) == {"findingDetails", "findingType", "issueCode", "learnMoreLink", "locations"}
    assert wrong["findingType"] == "ERROR"
    assert wrong["learnMoreLink"] == f"{PAGE}#access-analyzer-reference-policy-checks-error-invalid-action"
    (place,) = wrong["locations"]
    assert place["path"] == [{"value": "Statement"}, {"value": "Action"}, {"index": 1}]
    start, end = place["span"]["start"], place["span"]["end"]
    assert (start["line"], start["column"]) == (5, 31)
    assert POLICY[start["offset"] : end["offset"]] == '"s3:GetObjcet"'
    assert POLICY.splitlines()[4][start["column"] : end["column"]] == '"s3:GetObjcet"'


def test_a_finding_about_a_key_has_the_place_of_the_key():
    """A finding about a condition key has the key at the end of its path, and its span; actions come first."""
    answer = json.loads(render([validated(POLICY)], "aws"))
    found = {each["issueCode"]: each["locations"] for each in answer["findings"]}
    (place,) = found["TYPE_MISMATCH"]
    assert place["path"][-1] == {"key": "aws:SecureTransport"}
    span = place["span"]
    assert POLICY[span["start"]["offset"] : span["end"]["offset"]] == '"aws:SecureTransport"'
    paths = [each["path"][1]["value"] for each in found["PASS_ROLE_WITH_STAR_IN_RESOURCE"]]
    assert paths == ["Action", "Resource"]


def test_a_finding_about_the_document_spans_it():
    """A document that is too long is told from its beginning to its end, with an empty path."""
    resources = [f"arn:aws:s3:::amzn-s3-demo-bucket/{n}/{'x' * 900}" for n in range(8)]
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resources}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    (finding,) = json.loads(render([validated(text)], "aws"))["findings"]
    assert finding["issueCode"] == "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA"
    (place,) = finding["locations"]
    assert place["path"] == []
    assert place["span"]["start"]["offset"] == 0
    assert place["span"]["end"]["offset"] == len(text)


def test_several_files_are_one_answer():
    """Several policies are listed with their file and path."""
    answer = json.loads(render([validated(POLICY), validated(CLEAN, "q.json")], "aws"))
    assert [each["file"] for each in answer["policies"]] == ["p.json", "q.json"]
    assert answer["policies"][1]["findings"] == []


def test_sarif_names_rules_levels_and_ranges():
    """SARIF 2.1.0 with one rule for each code, AWS's page as help, and exact ranges."""
    (run,) = json.loads(render([validated(POLICY)], "sarif"))["runs"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    levels = {result["ruleId"]: result["level"] for result in run["results"]}
    assert levels == {
        "INVALID_ACTION": "error",
        "PASS_ROLE_WITH_STAR_IN_RESOURCE": "warning",
        "TYPE_MISMATCH": "warning",
    }
    assert all(rule["helpUri"].startswith(PAGE) for rule in rules.values())
    region = next(each for each in run["results"] if each["ruleId"] == "INVALID_ACTION")["locations"][0]
    found = region["physicalLocation"]["region"]
    assert (found["startLine"], found["startColumn"], found["charLength"]) == (5, 32, 14)


def test_sarif_tells_apart_and_what_is_open():
    """Two problems of one place have fingerprints of their own; what a template leaves open is a notification."""
    twice = '{"Version": "2012-10-17",, "Statement": [],,}'
    resource = {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Ref": "Document"}}}
    files = [validated(twice), validated(json.dumps({"Resources": {"P": resource}}), "t.json")]
    (run,) = json.loads(render(files, "sarif"))["runs"]
    prints = [result["partialFingerprints"]["clewProblem/v1"] for result in run["results"]]
    assert len(prints) == len(set(prints)) > 1
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"] == "/Resources/P/Properties/PolicyDocument is left open; not validated"


def test_a_clean_policy_is_one_line():
    """A policy without problems is one line of text; problems are told statement by statement."""
    assert render([validated(CLEAN)], "text").splitlines() == [
        "p.json: no problems (an identity-based policy, by its looks; --kind names another)"
    ]
    lines = render([validated(POLICY), validated(CLEAN, "q.json")], "text").splitlines()
    assert lines[-1] == "2 files, 2 policies: 1 error, 1 security warning, 1 warning"


def test_names_of_attackers_are_escaped():
    """Control characters of a document do not reach the terminal."""
    text = json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow\x1b[2J", "Action": "s3:*", "Resource": "*"}}
    )
    assert "\x1b" not in render([validated(text)], "text")
