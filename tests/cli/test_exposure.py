"""`clew exposure` and `clew block-public-access`: what is printed, kept and refused."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from clew.cli.main import app
from clew.errors import ClewError

if TYPE_CHECKING:
    from click.testing import Result

_ROOT = Path(__file__).resolve().parent.parent.parent
_ACCOUNT = str(_ROOT / "samples" / "exposure-account")
_SNAPSHOT = str(_ROOT / "samples" / "snapshots" / "2026-03-11T060000Z.json.gz")
_BUCKET = "arn:aws:s3:::fleet-schedules"


def _run(*words: str) -> Result:
    return CliRunner().invoke(app, ["exposure", *words])


def test_json_tells_findings_with_their_places() -> None:
    """Each finding names its principal, what it can do, and the file and line of the statement."""
    done = _run("--policies", _ACCOUNT, "--output", "json", "--no-keep")
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    by_resource = {each["resource"]: each for each in told["findings"]}
    public = by_resource["arn:aws:s3:::fleet-brochures"]
    assert (public["public"], public["access_levels"]) == (True, ["Read"])
    assert public["sources"][0]["place"].endswith("resource-policies.json:7")


def test_aws_shape_is_that_of_access_analyzer() -> None:
    """The finding has the members that GetFindingV2 gives."""
    done = _run("--policies", _ACCOUNT, "--output", "aws", "--no-keep")
    found = json.loads(done.stdout)["findings"]
    role = next(each for each in found if each["resourceType"] == "AWS::IAM::Role")
    details = role["findingDetails"][0]["externalAccessDetails"]
    assert role["findingType"] == "ExternalAccess"
    assert details["principal"] == {"AWS": "arn:aws:iam::444455556666:root"}
    assert details["condition"] == {"sts:ExternalId": "airline-7"}
    assert details["sources"] == [{"type": "POLICY"}]


def test_csv_has_a_row_for_what_is_not_known() -> None:
    """A bucket whose policy was refused is a row, and the exit code says that something is missing."""
    done = _run("--policies", _SNAPSHOT, "--output", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert done.exit_code == 3
    unknown = [row["Resource"] for row in rows if row["Status"] == "UNKNOWN"]
    assert unknown == ["arn:aws:s3:::partner-share"]


def test_fail_on_stops_at_active_findings_only() -> None:
    """An archived finding does not fail a pipeline, an active one does."""
    runner = CliRunner()
    assert _run("--policies", _ACCOUNT, "--fail-on", "high").exit_code == 1
    hidden = runner.invoke(
        app,
        [
            *("suppress", "add", "--rule", "external-access", "--resource", "arn:aws:s3:::fleet-brochures"),
            *("--reason", "brochures are for everybody", "--owner", "ana", "--no-expiry"),
        ],
    )
    assert hidden.exit_code == 0
    assert _run("--policies", _ACCOUNT, "--fail-on", "high").exit_code == 0


def test_preview_tells_what_is_new_and_what_is_gone(tmp_path: Path) -> None:
    """A policy that lets in less is told to expose nothing new."""
    draft = tmp_path / "draft.json"
    draft.write_text('{"Version": "2012-10-17", "Statement": []}')
    done = _run("--policies", _ACCOUNT, "--preview", str(draft), "--resource", _BUCKET)
    assert done.exit_code == 0
    assert done.stdout.startswith("This policy exposes nothing new.")
    assert "No longer exposed:" in done.stdout


def test_preview_of_a_resource_that_is_yet_to_be_made(tmp_path: Path) -> None:
    """A new queue is judged by its policy alone; of a new bucket it stays open whether the public is blocked."""
    wide = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    draft = tmp_path / "draft.json"
    draft.write_text(json.dumps({"Version": "2012-10-17", "Statement": [wide]}))
    words = ("--policies", _ACCOUNT, "--preview", str(draft), "--new", "--resource")
    queue = _run(*words, "arn:aws:sqs:eu-west-1:111122223333:jobs")
    assert (queue.exit_code, "everybody (public)" in queue.stdout) == (0, True)
    bucket = _run(*words, "arn:aws:s3:::fleet-new")
    assert (bucket.exit_code, "not known to be blocked" in bucket.stdout) == (3, True)
    for arn in (
        _BUCKET,
        "arn:aws:sqs:eu-west-1:444455556666:jobs",
        "arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-1",
    ):
        assert isinstance(_run(*words, arn).exception, ClewError)


def test_a_policy_about_something_else_is_said_to_be_that(tmp_path: Path) -> None:
    """That a policy exposes nothing because it is about another bucket is no reason to be at ease."""
    wide = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::another/*"}
    draft = tmp_path / "draft.json"
    draft.write_text(json.dumps({"Version": "2012-10-17", "Statement": [wide]}))
    done = _run("--policies", _ACCOUNT, "--preview", str(draft), "--resource", _BUCKET)
    assert f"no statement of the policy is about {_BUCKET}" in done.stderr


def test_accounts_of_several_files_are_judged_once_each() -> None:
    """Several snapshots are one report; of an account that two hold, the later state counts, and that is said."""
    earlier = _SNAPSHOT.replace("2026-03-11", "2026-03-10")
    done = _run("--policies", _SNAPSHOT, "--policies", earlier, "--output", "json", "--no-keep")
    assert json.loads(done.stdout)["accounts"] == ["111122223333"]
    assert "the latest, of 2026-03-11 06:00 UTC, is used" in done.stderr


def test_files_as_aws_prints_them_are_one_account(tmp_path: Path) -> None:
    """AWS's own policies are nobody's account, and a resource of another kind is named as not looked at."""
    admin = {"PolicyName": "A", "Arn": "arn:aws:iam::aws:policy/A", "PolicyVersionList": []}
    details = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": [admin]}
    user = {"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana"}
    (tmp_path / "account.json").write_text(json.dumps({**details, "UserDetailList": [user]}))
    wide = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    vault = "arn:aws:mediastore:eu-west-1:111122223333:container/c"
    policy = {"Version": "2012-10-17", "Statement": [wide]}
    (tmp_path / "resource-policies.json").write_text(json.dumps({vault: {"Policy": policy}}))
    done = _run("--policies", str(tmp_path), "--no-keep")
    assert done.stdout.count("Account ") == 1
    assert f"{vault}: resources of `mediastore` are not looked at" in " ".join(done.stdout.split())


def test_wrong_input_is_said_in_one_line() -> None:
    """A preview without a resource, or of one that is not there, is refused."""
    assert isinstance(_run("--preview", "draft.json").exception, ClewError)
    draft = str(_ROOT / "samples" / "policies" / "schedules-next.json")
    unknown = _run("--policies", _ACCOUNT, "--preview", draft, "--resource", "arn:aws:s3:::nowhere")
    assert "no resource `arn:aws:s3:::nowhere`" in str(unknown.exception)


def test_blocking_needs_a_bucket() -> None:
    """Without a bucket, or with one and a change to take back, nothing is asked of AWS."""
    done = CliRunner().invoke(app, ["block-public-access"])
    assert isinstance(done.exception, ClewError)
    done = CliRunner().invoke(app, ["block-public-access", "payroll", "--undo", "r-1"])
    assert isinstance(done.exception, ClewError)


def test_an_api_is_judged_under_either_of_its_names(tmp_path: Path) -> None:
    """The policy of an API that stands under the ARN by which it is managed is judged as that of the API."""
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": "execute-api:/*",
    }
    for name in ("apigateway:eu-west-1::/restapis/a1", "execute-api:eu-west-1:111122223333:a1"):
        held = {f"arn:aws:{name}": {"Version": "2012-10-17", "Statement": [statement]}}
        folder = tmp_path / name.partition(":")[0]
        folder.mkdir()
        shutil.copy(Path(_ACCOUNT) / "account.json", folder)
        (folder / "resource-policies.json").write_text(json.dumps(held))
        done = _run("--policies", str(folder), "--no-keep")
        assert "arn:aws:execute-api:eu-west-1:111122223333:a1" in done.stdout
