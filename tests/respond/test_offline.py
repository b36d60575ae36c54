"""Plans of a snapshot: the same as those of AWS itself, and none where the snapshot does not say."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from clew.audit.checks import CHECKS
from clew.audit.frameworks import of_checks
from clew.audit.run import run
from clew.audit.state import of_snapshot
from clew.errors import ChangeError, InputError, UsageError
from clew.respond.actions import ACTIONS
from clew.respond.aspects import ASPECTS, policies
from clew.respond.model import Aspect, Place
from clew.respond.offline import SOURCES, Recorded
from clew.respond.rules import RULES
from clew.snapshot import file
from clew.snapshot.answers import GLOBAL, Answer, Answers, Call, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "snapshots" / "2026-03-11T060000Z.json.gz"
OWN = "123456789012"
REGION = "us-east-1"
NOW = datetime(2026, 3, 11, tzinfo=UTC)
# What the sample lacks for a plan, by the kind of resource that an action takes.
NEEDED = {"enable-access-logging": ("target-bucket=trail-logs-111122223333",)}
BLOCK = ("--action", "block-public-access", "--resource", "arn:aws:s3:::payroll-reports")


@pytest.fixture
def home(_own_home: Path) -> Path:
    """Where the workspace of this test lies."""
    return _own_home


def plan_of(text: str) -> str:
    """The fingerprint that a preview shows."""
    found = re.search(r"^plan (\w+)", text, re.MULTILINE)
    assert found, text
    return found[1]


def test_every_setting_has_a_source() -> None:
    """Each aspect is read from a snapshot, but access keys and the policies that explanations edit."""
    edited = {each.name for each in vars(policies).values() if isinstance(each, Aspect)}
    assert ASPECTS.keys() - SOURCES.keys() == {"access-keys", *edited}


def test_failures_of_the_sample_are_planned_without_aws(fix: Callable[..., Any]) -> None:
    """What an audit of a snapshot finds is planned with the same file, each with the calls and the way back."""
    states, _ = of_snapshot(file.read(SAMPLE), str(SAMPLE))
    audit = run(states, [of_checks(CHECKS[rule] for rule in RULES if rule in CHECKS)], now=NOW)
    seen = set()
    for finding in audit.findings:
        action = ACTIONS[RULES[finding.rule].action]
        if action.kind in {"trail", "user"} and f":{action.kind}/" not in finding.resources[0]:
            continue
        words = [word for option in NEEDED.get(action.id, ()) for word in ("--set", option)]
        words += ["--set", "bucket=trail-logs-111122223333"] if action.id == "record-configuration" else []
        asked = ("--check", finding.rule, "--resource", finding.resources[0], *words)
        if action.id in seen:
            continue
        seen.add(action.id)
        if action.kind == "user":
            with pytest.raises(ChangeError, match="collecting does not read them"):
                fix(*asked, "--snapshot", str(SAMPLE))
            continue
        told = fix(*asked, "--snapshot", str(SAMPLE)).stdout
        assert "as of 2026-03-11 06:00 UTC" in told
        assert "call: aws " in told, asked
        assert "read from AWS again before that" in told
    assert len(seen) > 10


def recorded(answers: Mapping[Call, dict[str, Any] | None], code: str = "") -> Recorded:
    """A snapshot of these answers; None stands for AWS's word that there is none."""
    told = (
        Answer(
            call, "", Status.OK if body is not None else Status.ABSENT, body, "" if body is not None else code
        )
        for call, body in answers.items()
    )
    return Recorded(Answers(told), "s.json.gz", NOW)


def test_plan_offline_is_the_plan_that_is_approved(aws: str, fix: Callable[..., Any], tmp_path: Path) -> None:
    """The fingerprint of a plan made of a snapshot is the one that `--apply --approved` takes."""
    assert aws
    ec2 = boto3.client("ec2")
    group = ec2.create_security_group(GroupName="web", Description="web")["GroupId"]
    ranges = [{"CidrIp": "0.0.0.0/0", "Description": "everybody"}, {"CidrIp": "10.0.0.0/8"}]
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": ranges}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    said = ec2.describe_security_groups()
    said.pop("ResponseMetadata")
    call = Call(OWN, REGION, "ec2", "DescribeSecurityGroups")
    path = tmp_path / "s.json.gz"
    file.write(
        path,
        Answers([Answer(call, "", Status.OK, said)]),
        tool_version="0",
        collected_at="2026-03-11T00:00:00Z",
    )
    arn = f"arn:aws:ec2:{REGION}:{OWN}:security-group/{group}"
    asked = ("--action", "close-world-ingress", "--resource", arn)
    approved = plan_of(fix(*asked, "--snapshot", str(path)).stdout)
    assert approved == plan_of(fix(*asked).stdout)
    assert fix(*asked, "--apply", "--approved", approved).exit_code == 0


def test_without_credentials_the_newest_snapshot_is_taken(
    fix: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    """Who has no credentials gets the plan of the workspace's newest snapshot, and is told why; never a change."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(InputError, match="NoCredentialsError"):
        fix(*BLOCK)
    folder = home / "default" / "snapshots"
    folder.mkdir(parents=True)
    (folder / SAMPLE.name).write_bytes(SAMPLE.read_bytes())
    result = fix(*BLOCK)
    assert "planned with the newest snapshot instead" in result.stderr
    assert "call: aws s3api put-public-access-block" in result.stdout
    with pytest.raises(InputError, match="NoCredentialsError"):
        fix(*BLOCK, "--apply")


def test_snapshot_never_changes_anything(fix: Callable[..., Any]) -> None:
    """A change is never made of an old state."""
    with pytest.raises(UsageError, match="`--snapshot` plans only"):
        fix(*BLOCK, "--apply", "--snapshot", str(SAMPLE))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, r"does not hold `s3:GetPublicAccessBlock \(Bucket=pay\)` of 123456789012$"),
        (Answer(Call("", "", "", ""), "", Status.DENIED, None, "AccessDenied"), "denied: AccessDenied"),
        (Answer(Call("", "", "", ""), "", Status.ABSENT, None, "NoSuchBucket"), "`pay` was not there"),
    ],
)
def test_what_the_snapshot_does_not_say_stops_the_plan(answer: Answer | None, message: str) -> None:
    """A call that was refused, never made, or about nothing is no setting that is off."""
    call = Call(OWN, GLOBAL, "s3", "GetPublicAccessBlock", (("Bucket", "pay"),))
    held = [Answer(call, "", answer.status, None, answer.error_code)] if answer else []
    with pytest.raises(ChangeError, match=message):
        Recorded(Answers(held), "s.json.gz", NOW).look(
            ASPECTS["bucket-public-access-block"], Place(OWN, GLOBAL, "pay")
        )


def test_owner_of_a_bucket_is_the_account_that_lists_it() -> None:
    """A bucket's ARN names no account: of several it is the one whose list holds it, or the user says which."""
    other = "444455556666"
    listed = {
        Call(OWN, GLOBAL, "s3", "ListBuckets"): {"Buckets": [{"Name": "pay"}]},
        Call(other, GLOBAL, "s3", "ListBuckets"): {"Buckets": []},
    }
    found = recorded(listed)
    assert found.owner("arn:aws:s3:::pay") == OWN
    assert found.owner("arn:aws:s3:::pay", other) == other
    with pytest.raises(UsageError, match="which account"):
        found.owner("arn:aws:s3:::nobodys")
