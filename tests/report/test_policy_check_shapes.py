"""What `--output aws` of `clew check` and `clew validate` writes has the members that Access Analyzer's API has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from typer.testing import CliRunner

from clew.cli.main import app

if TYPE_CHECKING:
    from pathlib import Path

_READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
_OPEN = {"Sid": "Open", "Principal": "*", **_READ}
_CHECKS = {
    "CheckNoNewAccess": ([_READ], ["no-new-access", "--reference", "other.json"]),
    "CheckAccessNotGranted": ([_READ], ["access-not-granted", "--action", "s3:GetObject"]),
    "CheckNoPublicAccess": ([_OPEN], ["no-public-access", "--resource-type", "AWS::S3::Bucket"]),
}
# Findings about an index, a key, a part of a text, and a document.
_FAULTY = {
    "Statement": [
        {
            **_READ,
            "Action": ["s3:GetObject", "s3:GetObjekt"],
            "Condition": {"IpAdress": {"aws:SourceIp": "x"}},
        },
        {**_READ, "Effect": "allow", "Condition": {"StringEquals": {"aws:sourceip": "${aws:username"}}},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"},
    ]
}


def _fits(value: Any, shape: Any) -> None:
    match shape.type_name:
        case "structure":
            assert value.keys() <= shape.members.keys()
            assert set(shape.required_members) <= value.keys()
            assert not getattr(shape, "is_tagged_union", False) or len(value) == 1
            for name, inner in value.items():
                _fits(inner, shape.members[name])
        case "list":
            for inner in value:
                _fits(inner, shape.member)
        case "integer":
            assert isinstance(value, int)
        case _:
            assert isinstance(value, str)
            assert not getattr(shape, "enum", None) or value in shape.enum


def _shape(name: str) -> Any:
    return botocore.session.get_session().get_service_model("accessanalyzer").shape_for(name)


def _written(folder: Path, name: str, statements: object) -> str:
    file = folder / name
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": statements}), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("operation", _CHECKS)
def test_a_check_has_the_shape_of_aws(operation: str, tmp_path: Path) -> None:
    """A failure and its reasons fit the response of the API's operation."""
    statements, (check, *options) = _CHECKS[operation]
    policy, other = _written(tmp_path, "policy.json", statements), _written(tmp_path, "other.json", [])
    words = [other if each == "other.json" else each for each in options]
    found = CliRunner().invoke(app, ["check", check, policy, *words, "--output", "aws"])
    response = json.loads(found.output)
    _fits(response, _shape(f"{operation}Response"))
    assert response["result"] == "FAIL"
    assert response["reasons"]


def test_validation_has_the_shape_of_aws(tmp_path: Path) -> None:
    """Findings of every weight, with places of every kind, fit the response of ValidatePolicy."""
    file = _written(tmp_path, "policy.json", _FAULTY["Statement"])
    findings = json.loads(CliRunner().invoke(app, ["validate", file, "--output", "aws"]).output)["findings"]
    for each in findings:
        _fits(each, _shape("ValidatePolicyFinding"))
    kinds = {next(iter(step)) for each in findings for place in each["locations"] for step in place["path"]}
    assert {"value", "index", "key"} <= kinds
    assert {each["findingType"] for each in findings} >= {"ERROR", "SECURITY_WARNING"}
