"""A collected file as the state of accounts: what was refused stays open, and never reads as none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from clew.cli.main import app
from clew.snapshot import file
from clew.snapshot.answers import GLOBAL, Answer, Answers, Call, Status
from clew.snapshot.load import Inputs, load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT = "111122223333"
NOW = "2026-01-02T03:04:05Z"
USER = f"arn:aws:iam::{ACCOUNT}:user/ana"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/k-1"


def allow(principal: object, action: str, resource: str = "*") -> dict[str, Any]:
    """A policy with one statement."""
    who = {"Principal": principal} if principal else {}
    statement = {"Sid": "S", "Effect": "Allow", **who, "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


DETAILS = {
    "UserDetailList": [
        {
            "Arn": USER,
            "UserName": "ana",
            "UserPolicyList": [{"PolicyName": "P", "PolicyDocument": allow(None, "sns:*")}],
        }
    ],
    "GroupDetailList": [],
    "RoleDetailList": [],
    "Policies": [],
}
OWNER = {"Owner": {"ID": "me"}, "Grants": [{"Grantee": {"ID": "me"}, "Permission": "FULL_CONTROL"}]}
OWNED = {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}
BUCKET = {"Bucket": "pay"}
OPEN = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False
)
# What a complete collection of a small account says: (region, service, operation, parameters) → body, None for absent.
COMPLETE: dict[tuple[str, str, str, tuple[tuple[str, str], ...]], Any] = {
    (GLOBAL, "sts", "GetCallerIdentity", ()): {"Arn": USER},
    (GLOBAL, "iam", "GetAccountAuthorizationDetails", ()): DETAILS,
    (GLOBAL, "s3", "ListBuckets", ()): {"Buckets": [{"Name": "pay"}]},
    (GLOBAL, "s3", "GetBucketPolicy", (("Bucket", "pay"),)): {
        "Policy": json.dumps(allow("*", "s3:GetObject", "arn:aws:s3:::pay/*"))
    },
    (GLOBAL, "s3", "GetBucketAcl", (("Bucket", "pay"),)): OWNER,
    (GLOBAL, "s3", "GetBucketOwnershipControls", (("Bucket", "pay"),)): OWNED,
    (GLOBAL, "s3", "GetPublicAccessBlock", (("Bucket", "pay"),)): {"PublicAccessBlockConfiguration": OPEN},
    (GLOBAL, "s3control", "GetPublicAccessBlock", (("AccountId", ACCOUNT),)): None,
    ("eu-west-1", "kms", "ListKeys", ()): {"Keys": [{"KeyId": "k-1", "KeyArn": KEY}]},
    ("eu-west-1", "kms", "GetKeyPolicy", (("KeyId", "k-1"), ("PolicyName", "default"))): {
        "Policy": json.dumps(allow({"AWS": USER}, "kms:Decrypt"))
    },
    ("eu-west-1", "kms", "ListGrants", (("KeyId", "k-1"),)): {"Grants": []},
}


def recorded(denied: str = "") -> Iterator[Answer]:
    """The answers of a complete collection, with one call denied."""
    for (region, service, operation, parameters), body in COMPLETE.items():
        call = Call(ACCOUNT, region, service, operation, parameters)
        if f"{service}:{operation}" == denied:
            yield Answer(call, NOW, Status.DENIED, None, "AccessDenied", "no")
        else:
            yield Answer(call, NOW, Status.ABSENT if body is None else Status.OK, body)


def snapshot(path: Path, denied: str = "") -> str:
    """The name of a file with these answers."""
    file.write(path, Answers(recorded(denied)), tool_version="1", collected_at=NOW)
    return str(path)


def decision(name: str, action: str, resource: str, principal: str = USER) -> str:
    """The first words of the simulator's answer."""
    words = ("simulate", "-p", principal, "-a", action, "-r", resource, "--policies", name)
    outcome = CliRunner().invoke(app, words, catch_exceptions=False)
    return outcome.stdout.split("  ", 1)[0]


QUESTIONS = {
    "s3": ("s3:GetObject", "arn:aws:s3:::pay/x"),
    "kms": ("kms:Decrypt", KEY),
    "sns": ("sns:Publish", f"arn:aws:sns:eu-west-1:{ACCOUNT}:t"),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_everything_collected_gives_an_answer(question: tuple[str, str], tmp_path: Path) -> None:
    """With nothing refused each of the three requests is allowed: by bucket policy, key policy, own policy."""
    assert decision(snapshot(tmp_path / "s"), *question) == "ALLOWED"


@pytest.mark.parametrize(
    "denied",
    ["s3:GetBucketPolicy", "s3:GetPublicAccessBlock", "s3control:GetPublicAccessBlock"],
)
def test_one_refusal_leaves_a_bucket_s_answer_open(denied: str, tmp_path: Path) -> None:
    """Without the policy or a setting that may override it nobody can say, and the simulator does not."""
    assert decision(snapshot(tmp_path / "s", denied), *QUESTIONS["s3"]) == "UNDETERMINED"


@pytest.mark.parametrize("denied", ["kms:GetKeyPolicy", "kms:ListGrants"])
def test_one_refusal_leaves_a_key_s_answer_open(denied: str, tmp_path: Path) -> None:
    """Without its policy or its grants nobody knows whom a key serves."""
    assert decision(snapshot(tmp_path / "s", denied), *QUESTIONS["kms"]) == "UNDETERMINED"


PLACE = f"eu-west-1:{ACCOUNT}"
TABLE = f"arn:aws:dynamodb:{PLACE}:table/t"
# What lists a resource and what tells its policy; the last call is the one that tells it, and where.
POLICIES: dict[str, tuple[str, str, list[tuple[str, dict[str, str], dict[str, Any]]]]] = {
    "table": (
        "dynamodb:GetItem",
        f"{TABLE}/index/i",
        [
            ("dynamodb:DescribeTable", {"TableName": "t"}, {"Table": {"TableArn": TABLE}}),
            ("dynamodb:GetResourcePolicy", {"ResourceArn": TABLE}, {"Policy": "P"}),
        ],
    ),
    "stream of a table": (
        "dynamodb:GetRecords",
        f"{TABLE}/stream/1",
        [
            (
                "dynamodb:DescribeTable",
                {"TableName": "t"},
                {"Table": {"LatestStreamArn": f"{TABLE}/stream/1"}},
            ),
            ("dynamodb:GetResourcePolicy", {"ResourceArn": f"{TABLE}/stream/1"}, {"Policy": "P"}),
        ],
    ),
    "stream": (
        "kinesis:GetRecords",
        f"arn:aws:kinesis:{PLACE}:stream/s",
        [
            (
                "kinesis:GetResourcePolicy",
                {"ResourceARN": f"arn:aws:kinesis:{PLACE}:stream/s"},
                {"Policy": "P"},
            )
        ],
    ),
    "file system": (
        "elasticfilesystem:ClientMount",
        f"arn:aws:elasticfilesystem:{PLACE}:file-system/fs-1",
        [
            (
                "efs:DescribeFileSystems",
                {},
                {
                    "FileSystems": [
                        {
                            "FileSystemId": "fs-1",
                            "FileSystemArn": f"arn:aws:elasticfilesystem:{PLACE}:file-system/fs-1",
                        }
                    ]
                },
            ),
            ("efs:DescribeFileSystemPolicy", {"FileSystemId": "fs-1"}, {"Policy": "P"}),
        ],
    ),
    "alias": (
        "lambda:InvokeFunction",
        f"arn:aws:lambda:{PLACE}:function:f:live",
        [
            ("lambda:ListFunctions", {}, {"Functions": [{"FunctionName": "f", "FunctionArn": "arn:aws:f"}]}),
            (
                "lambda:ListAliases",
                {"FunctionName": "f"},
                {"Aliases": [{"Name": "live", "AliasArn": f"arn:aws:lambda:{PLACE}:function:f:live"}]},
            ),
            ("lambda:GetPolicy", {"FunctionName": "f", "Qualifier": "live"}, {"Policy": "P"}),
        ],
    ),
    "version": (
        "lambda:InvokeFunction",
        f"arn:aws:lambda:{PLACE}:function:f:7",
        [
            ("lambda:ListFunctions", {}, {"Functions": [{"FunctionName": "f", "FunctionArn": "arn:aws:f"}]}),
            (
                "lambda:ListVersionsByFunction",
                {"FunctionName": "f"},
                {"Versions": [{"Version": "7", "FunctionArn": f"arn:aws:lambda:{PLACE}:function:f:7"}]},
            ),
            ("lambda:GetPolicy", {"FunctionName": "f", "Qualifier": "7"}, {"Policy": "P"}),
        ],
    ),
    "layer": (
        "lambda:GetLayerVersion",
        f"arn:aws:lambda:{PLACE}:layer:l:1",
        [
            (
                "lambda:ListLayerVersions",
                {"LayerName": "l"},
                {"LayerVersions": [{"Version": 1, "LayerVersionArn": f"arn:aws:lambda:{PLACE}:layer:l:1"}]},
            ),
            ("lambda:GetLayerVersionPolicy", {"LayerName": "l", "VersionNumber": "1"}, {"Policy": "P"}),
        ],
    ),
    "repository": (
        "ecr:BatchGetImage",
        f"arn:aws:ecr:{PLACE}:repository/r",
        [
            (
                "ecr:DescribeRepositories",
                {},
                {
                    "repositories": [
                        {"repositoryName": "r", "repositoryArn": f"arn:aws:ecr:{PLACE}:repository/r"}
                    ]
                },
            ),
            ("ecr:GetRepositoryPolicy", {"repositoryName": "r"}, {"policyText": "P"}),
        ],
    ),
}


@pytest.mark.parametrize("kind", POLICIES)
def test_policies_of_other_resources_decide_too(kind: str, tmp_path: Path) -> None:
    """What the policy of a table, a stream or a layer allows is allowed; refused, the answer stays open."""
    action, resource, calls = POLICIES[kind]
    policy = json.dumps(allow({"AWS": USER}, action))
    said = []
    for name, parameters, body in calls:
        service, _, operation = name.partition(":")
        call = Call(ACCOUNT, "eu-west-1", service, operation, tuple(sorted(parameters.items())))
        full = {key: policy if value == "P" else value for key, value in body.items()}
        said.append(Answer(call, NOW, Status.OK, full))
    refused = Answer(said[-1].call, NOW, Status.DENIED, None, "AccessDenied")
    for path, last, expected in (("a", said[-1], "ALLOWED"), ("b", refused, "UNDETERMINED")):
        answers = Answers([*recorded(), *said[:-1], last])
        file.write(tmp_path / path, answers, tool_version="1", collected_at=NOW)
        assert decision(str(tmp_path / path), action, resource) == expected


@pytest.mark.parametrize(
    "denied", ["s3:ListBuckets", "kms:ListKeys", "iam:GetAccountAuthorizationDetails", "s3:GetBucketPolicy"]
)
def test_what_was_refused_is_told(denied: str, tmp_path: Path) -> None:
    """What a refused call would have told is not known, and whoever loads the file hears of it."""
    notes = load(Inputs((snapshot(tmp_path / "s", denied),))).notes
    assert [denied in note and "AccessDenied" in note for note in notes] == [True]


def organization(denied: str = "") -> Iterator[Answer]:
    """The answers of a management account: a unit with a member, and a policy at the unit."""
    management, member = "999988887777", ACCOUNT
    arn = f"arn:aws:organizations::{management}"
    deny = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sns:*", "Resource": "*"}]}
    full = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    found: dict[tuple[str, tuple[tuple[str, str], ...]], Any] = {
        ("DescribeOrganization", ()): {"Organization": {"Id": "o-ex", "MasterAccountId": management}},
        ("ListRoots", ()): {"Roots": [{"Id": "r-1", "Arn": f"{arn}:root/o-ex/r-1"}]},
        ("ListOrganizationalUnitsForParent", (("ParentId", "r-1"),)): {
            "OrganizationalUnits": [{"Id": "ou-1", "Arn": f"{arn}:ou/o-ex/ou-1"}]
        },
        ("ListAccountsForParent", (("ParentId", "ou-1"),)): {
            "Accounts": [{"Id": member, "Arn": f"{arn}:account/o-ex/{member}"}]
        },
        ("ListPolicies", (("Filter", "SERVICE_CONTROL_POLICY"),)): {
            "Policies": [{"Id": "p-1", "Name": "NoTopics"}, {"Id": "p-2", "Name": "Full"}]
        },
        ("DescribePolicy", (("PolicyId", "p-1"),)): {"Policy": {"Content": json.dumps(deny)}},
        ("DescribePolicy", (("PolicyId", "p-2"),)): {"Policy": {"Content": json.dumps(full)}},
        ("ListTargetsForPolicy", (("PolicyId", "p-1"),)): {"Targets": [{"TargetId": "ou-1"}]},
        ("ListTargetsForPolicy", (("PolicyId", "p-2"),)): {
            "Targets": [{"TargetId": target} for target in ("r-1", "ou-1", member)]
        },
    }
    for (operation, parameters), body in found.items():
        call = Call(management, GLOBAL, "organizations", operation, parameters)
        refused = operation == denied
        yield Answer(call, NOW, Status.DENIED if refused else Status.OK, None if refused else body)


@pytest.mark.parametrize(
    ("denied", "expected"),
    [("", "EXPLICIT DENY"), ("DescribePolicy", "UNDETERMINED")],
)
def test_control_policies_reach_the_member(denied: str, expected: str, tmp_path: Path) -> None:
    """A policy of the unit decides for the account below it, and one that nobody could read leaves it open."""
    answers = Answers([*recorded(), *organization(denied)])
    file.write(tmp_path / "s", answers, tool_version="1", collected_at=NOW)
    assert decision(str(tmp_path / "s"), *QUESTIONS["sns"]) == expected


def test_damaged_file_is_refused(tmp_path: Path) -> None:
    """A snapshot with another content than its hash says is no input for a decision."""
    import gzip

    from clew.errors import InputError

    path = tmp_path / "s"
    text = gzip.decompress(snapshot(path).encode() and path.read_bytes())
    path.write_bytes(gzip.compress(text.replace(b"sns:*", b"iam:*")))
    with pytest.raises(InputError, match="damaged"):
        load(Inputs((str(path),)))
