"""`clew audit SNAPSHOT`: state of several accounts from one file, filters, thresholds and exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.audit.cases import MADE, call_of, row, written
from typer.testing import CliRunner

from clew.audit import tags, thresholds
from clew.audit.frameworks import load as framework
from clew.cli.main import app
from clew.errors import UsageError
from clew.snapshot import file
from clew.snapshot.answers import Answer, Answers, Call, Status
from clew.snapshot.credential_report import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

COLLECTED = "2026-03-11T06:00:00Z"
OTHER = "222233334444"


def answer(text: str, body: dict[str, object] | None, code: str = "", account: str = "") -> Answer:
    """An answer to a call as cases write it; refused where there is a code instead of a body."""
    call = call_of(text)
    if account:
        call = Call(account, call.region, call.service, call.operation, call.parameters)
    return Answer(call, COLLECTED, Status.OK if body is not None else Status.DENIED, body, code)


def report(**user: str) -> dict[str, object]:
    """An answer of `GetCredentialReport`: root, and one user with a password."""
    rows = [row(ROOT, {}), row("u", {"password_enabled": "true", **user})]
    return {"Content": written(rows).decode(), "GeneratedTime": "2026-03-11T05:00:00Z"}


def snapshot(path: Path, *answers: Answer, at: str = COLLECTED) -> str:
    """A snapshot file that holds these answers."""
    file.write(path, Answers(answers), tool_version="0", collected_at=at)
    return str(path)


def run(*arguments: str) -> Result:
    """`clew audit` with these arguments."""
    result = CliRunner().invoke(app, ["audit", *arguments])
    if isinstance(result.exception, UsageError):
        raise result.exception
    return result


def document(*arguments: str) -> dict[str, list[dict[str, object]]]:
    """The audit as JSON."""
    found: dict[str, list[dict[str, object]]] = json.loads(run(*arguments, "-o", "json").stdout)
    return found


def test_accounts_are_judged_each_by_their_own_answers(tmp_path: Path) -> None:
    """A user without MFA in one account is that account's finding; a refusal in the other leaves it unknown."""
    path = snapshot(
        tmp_path / "s.json.gz",
        answer("GetCredentialReport", report()),
        answer("GetCredentialReport", None, "AccessDenied", account=OTHER),
    )
    found = document(path, "--check", "iam-console-user-mfa")
    assert found["accounts"] == ["111122223333", OTHER]
    assert [(f["rule"], f["accounts"]) for f in found["findings"]] == [
        ("iam-console-user-mfa", ["111122223333"])
    ]
    [control] = found["controls"]
    assert (control["id"], control["verdict"]) == ("iam-console-user-mfa", "fail")
    assert (
        document(path, "-c", "iam-console-user-mfa", "--account", OTHER)["controls"][0]["verdict"]
        == "unknown"
    )


def test_ages_end_when_the_snapshot_was_collected(tmp_path: Path) -> None:
    """A key is as old as it was at the time of collection, whenever the audit is made."""
    key = {"access_key_1_active": "true", "access_key_1_last_rotated": "2025-12-12T06:00:00Z"}
    path = snapshot(tmp_path / "s.json.gz", answer("GetCredentialReport", report(**key)))
    assert document(path, "-c", "iam-access-key-age")["controls"][0]["verdict"] == "pass"
    less = ("--parameter", "iam-access-key-age.days=88")
    assert document(path, "-c", "iam-access-key-age", *less)["controls"][0]["verdict"] == "fail"
    named = ("--framework", "config-rules", "--parameter", "access-keys-rotated.maxAccessKeyAge=88")
    [control] = [c for c in document(path, *named)["controls"] if c["id"] == "access-keys-rotated"]
    assert control["verdict"] == "fail"
    assert MADE < "2025-12-12"


def test_account_without_anybody_is_known_to_be_empty(tmp_path: Path) -> None:
    """Authorization details that list nothing are an answer, not a gap."""
    lists = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    details: dict[str, object] = {name: [] for name in lists} | {"IsTruncated": False}
    path = snapshot(tmp_path / "s.json.gz", answer("GetAccountAuthorizationDetails", details))
    found = document(path, "-c", "iam-admin-policy", "-c", "iam-support-role")
    assert [control["verdict"] for control in found["controls"]] == ["not_applicable", "fail"]


def test_account_has_the_partition_of_its_regions(tmp_path: Path) -> None:
    """Without a credential report the regions that were asked tell in which partition the account is."""
    body: dict[str, object] = {"SummaryMap": {"AccountMFAEnabled": 0}}
    path = tmp_path / "s.json.gz"
    file.write(
        path,
        Answers([answer("GetAccountSummary", body), answer("ec2:DescribeVpcs@cn-north-1", {"Vpcs": []})]),
        tool_version="0",
        collected_at=COLLECTED,
    )
    found = document(str(path), "-c", "iam-root-mfa")
    assert found["findings"][0]["resources"] == ["arn:aws-cn:iam::111122223333:root"]


def test_frameworks_can_be_asked_together(tmp_path: Path) -> None:
    """Each framework has its own controls; a check that two ask under one threshold gives its finding once."""
    path = snapshot(tmp_path / "s.json.gz", answer("GetCredentialReport", report()))
    found = document(path, "-f", "cis-1.2", "-f", "cis-7.0")
    assert len(found["controls"]) == 49 + 70
    rules = [f["rule"] for f in found["findings"]]
    assert rules.count("iam-console-user-mfa") == 1
    [finding] = [f for f in found["findings"] if f["rule"] == "iam-console-user-mfa"]
    assert finding["references"][:2] == [
        "CIS AWS Foundations Benchmark 1.2.0, control 1.2",
        "CIS AWS Foundations Benchmark 7.0.0, control 2.10",
    ]


def test_another_threshold_is_another_question(tmp_path: Path) -> None:
    """The findings of a check under two thresholds live on their own, so that neither resolves the other's."""
    used = {"password_last_used": "2025-11-01T00:00:00Z", "password_last_changed": MADE}
    path = snapshot(tmp_path / "s.json.gz", answer("GetCredentialReport", report(**used)))
    found = document(path, "-f", "cis-1.2", "-f", "cis-7.0")["findings"]
    unused = [f for f in found if f["rule"] == "iam-credentials-unused"]
    assert len({f["id"] for f in unused}) == 2
    assert {tuple(f["resources"]) for f in unused} == {("arn:aws:iam::111122223333:user/u",)}


def test_parameters_have_the_names_of_aws_config() -> None:
    """A rule's own parameter leads to that of a check, and one entry of a list leaves the others as they are."""
    rules = [framework("config-rules")]
    told = [f"restricted-common-ports.blockedPort{n}={port}" for n, port in ((1, 22), (3, 23))]
    told += ["iam-password-policy.MinimumPasswordLength=16"]
    assert thresholds.read(told, rules) == {
        "ec2-security-group-common-ports": {"ports": "22,21,23,3306,4333"},
        "iam-password-policy-length": {"characters": 16},
    }
    for wrong, said in (("blockedPort1=ssh", "a whole number"), ("blockedPort6=1", "it has blockedPort1")):
        with pytest.raises(UsageError, match=said):
            thresholds.read([f"restricted-common-ports.{wrong}"], rules)
    with pytest.raises(UsageError, match="an entry from 1 to 5"):
        thresholds.read(["ec2-security-group-common-ports.ports.9=1"], rules)


def test_exit_codes(tmp_path: Path) -> None:
    """1 for findings at the gate, 3 where something is unknown, unless that is allowed; findings come first."""
    path = snapshot(tmp_path / "s.json.gz", answer("GetCredentialReport", report()))
    mfa, policy = ("-c", "iam-console-user-mfa"), ("-c", "iam-password-policy-length")
    assert run(path, *mfa).exit_code == 0
    assert run(path, *mfa, "--fail-on", "high").exit_code == 1
    assert run(path, *policy).exit_code == 3
    assert run(path, *policy, "--allow-unknown").exit_code == 0
    assert run(path, *mfa, *policy, "--fail-on", "high").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--account", "999999999999"), "holds no account `999999999999`"),
        (("--framework", "cis-9"), "no framework `cis-9`"),
        (("--check", "nothing"), "no check `nothing`"),
        (("--service", "moon"), "no check of `moon`"),
        (("--status", "bad"), "`bad` is no status"),
        (("-o", "docx"), "`docx` is no format"),
        (("-o", "csv,json", "--out", "x"), "`--out` is one file"),
        (("-c", "iam-root-mfa", "--severity", "low"), "no check"),
        (("credential-report", "x"), "`--snapshot` stands before `credential-report`"),
    ],
)
def test_wrong_options_are_one_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """What does not fit is said with what there is."""
    path = snapshot(tmp_path / "s.json.gz", answer("GetCredentialReport", report()))
    with pytest.raises(UsageError, match=said):
        run(path, *arguments)


def test_options_of_the_group_are_not_lost(tmp_path: Path) -> None:
    """An option before a command that would not heed it is refused."""
    with pytest.raises(UsageError, match="`--fail-on` stands before `checks`"):
        run("--fail-on", "high", "checks")
    del tmp_path


def test_newest_snapshot_of_the_workspace_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a name the audit takes what `clew collect` kept last, and says so when there is none."""
    monkeypatch.setenv("CLEW_WORKSPACE", str(tmp_path))
    with pytest.raises(UsageError, match="run `clew collect`"):
        run()
    folder = tmp_path / "snapshots"
    folder.mkdir()
    snapshot(folder / "2026-03-10T060000Z.json.gz", answer("GetCredentialReport", report()))
    snapshot(folder / "2026-03-11T060000Z.json.gz", answer("GetCredentialReport", report(mfa_active="true")))
    assert document("-c", "iam-console-user-mfa")["controls"][0]["verdict"] == "pass"


def test_several_formats_are_files_beside_each_other(tmp_path: Path) -> None:
    """Formats with commas are written into the folder, one file each."""
    path = snapshot(tmp_path / "s.json.gz", answer("GetCredentialReport", report()))
    run(path, "-o", "csv,sarif,html", "--output-dir", str(tmp_path / "out"))
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == [
        f"audit-2026-03-11T060000Z.{suffix}" for suffix in ("csv", "html", "sarif")
    ]


def test_checks_and_frameworks_are_listed() -> None:
    """What can be asked for is printed with the controls that ask it."""
    assert "iam-root-mfa" in run("checks", "--service", "iam").stdout
    assert "cis-1.2 1.13" in run("--list-checks", "-c", "iam-root-mfa").stdout
    assert "cis-7.0" in run("--list-frameworks").stdout


def test_own_checks_are_audited_like_others(tmp_path: Path) -> None:
    """Checks of a folder stand alone or beside a benchmark; they narrow, list and count as Clew's own do."""
    text = "{id: own-log, title: kept, resource: AWS::Logs::LogGroup, assert: {path: retentionInDays, at_least: 365}}"
    (tmp_path / "own.yaml").write_text(text)
    groups: dict[str, object] = {"logGroups": [{"logGroupName": "g", "retentionInDays": 90}]}
    path = snapshot(tmp_path / "s.json.gz", answer("logs:DescribeLogGroups@eu-west-1", groups))
    mine = ("--rules", str(tmp_path))
    assert [f["rule"] for f in document(path, *mine)["findings"]] == ["own-log"]
    assert len(document(path, *mine, "-f", "cis-1.2")["frameworks"]) == 2
    assert [f["rule"] for f in document(path, *mine, "-f", "all", "-c", "own-log")["findings"]] == ["own-log"]
    assert "own-log" in run("--list-checks", *mine).stdout
    said = run(path, *mine, "-c", "own-log").stdout
    assert "1 of 1 · own-log\n" in said
    with pytest.raises(UsageError, match="did you mean `own-log`"):
        run(path, *mine, "-c", "own-logs")


def test_tags_belong_to_the_resource_that_says_its_own_name() -> None:
    """A subnet's tags are not those of the VPC that it names; IAM, EC2 and calls about one resource are read."""
    pairs = [{"Key": "team", "Value": "web"}]
    found = tags.of(
        Answers(
            [
                answer(
                    "ec2:DescribeSubnets@eu-west-1",
                    {"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "Tags": pairs}]},
                ),
                answer(
                    "GetAccountAuthorizationDetails",
                    {"UserDetailList": [{"Arn": "arn:aws:iam::1:user/u", "Tags": pairs}]},
                ),
                answer("s3:GetBucketTagging(Bucket=b)", {"TagSet": pairs}),
            ]
        ),
        "111122223333",
    )
    assert set(found) == {"subnet-1", "arn:aws:iam::1:user/u", "b"}
    assert tags.named(found, "arn:aws:s3:::b") == (("team", "web"),)
    assert tags.named(found, "arn:aws:ec2:eu-west-1:1:subnet/subnet-1") == (("team", "web"),)
    assert tags.named(found, "arn:aws:ec2:eu-west-1:1:vpc/vpc-1") == ()


def test_trend_says_what_is_new_fixed_and_still_there(tmp_path: Path) -> None:
    """The second audit compares with the first; what is asked for the first time is neither new nor old."""
    mfa = ("-c", "iam-console-user-mfa")
    first = snapshot(tmp_path / "1.gz", answer("GetCredentialReport", report()), at="2026-03-10T06:00:00Z")
    better = snapshot(tmp_path / "2.gz", answer("GetCredentialReport", report(mfa_active="true")))
    worse = snapshot(tmp_path / "3.gz", answer("GetCredentialReport", report()), at="2026-03-12T06:00:00Z")
    assert document(first, *mfa)["trend"] == {"since": None, "new": [], "still": [], "fixed": []} | {
        "steps": [{"as_of": "2026-03-10T06:00:00Z", "fail": 1, "pass": 0, "unknown": 0}]
    }
    fixed = document(better, *mfa)["trend"]
    assert (fixed["since"], fixed["new"], len(fixed["fixed"])) == ("2026-03-10T06:00:00Z", [], 1)
    back = document(worse, *mfa)["trend"]
    assert (len(back["new"]), back["still"], back["fixed"]) == (1, [], [])
    assert [step["fail"] for step in back["steps"]] == [1, 0, 1]
    assert len(document(worse, *mfa)["trend"]["still"]) == 1
    assert document(worse, *mfa, "--no-trend")["trend"] is None


def test_older_state_changes_nothing(tmp_path: Path) -> None:
    """An audit of what was collected before the last audited state is printed and not kept."""
    mfa = ("-c", "iam-console-user-mfa")
    newer = snapshot(tmp_path / "2.gz", answer("GetCredentialReport", report(mfa_active="true")))
    older = snapshot(tmp_path / "1.gz", answer("GetCredentialReport", report()), at="2026-03-10T06:00:00Z")
    run(newer, *mfa)
    result = run(older, *mfa)
    assert "this older one is not kept" in result.stderr
    assert CliRunner().invoke(app, ["findings", "list", "-o", "json"]).stdout == "[]\n"


def test_suppression_is_tested_before_it_is_made(tmp_path: Path) -> None:
    """`clew suppress test` lists what would be hidden; expired and unused suppressions are told by the audit."""
    runner, mfa = CliRunner(), ("-c", "iam-console-user-mfa")
    path = snapshot(tmp_path / "s.gz", answer("GetCredentialReport", report()))
    run(path, *mfa)
    shown = runner.invoke(app, ["suppress", "test", "--resource", "arn:aws:iam::*:user/u"]).stdout
    assert "iam-console-user-mfa" in shown
    wrong = ["--rule", "nothing", "--account", "111122223333"]
    assert "iam-console-user-mfa" not in runner.invoke(app, ["suppress", "test", *wrong]).stdout
    assert "iam-console-user-mfa" in runner.invoke(app, ["suppress", "test", *wrong, "--match", "any"]).stdout
    add = ["suppress", "add", "--reason", "known", "--expires", "9d"]
    made = runner.invoke(app, [*add, "--account", "111122223333"]).stdout.split()[0]
    assert "iam-console-user-mfa" in runner.invoke(app, ["suppress", "test", made]).stdout
    assert run(path, *mfa, "--fail-on", "low").exit_code == 0
    runner.invoke(app, [*add, "--rule", "gone"])
    assert "(rule gone) fits no finding" in run(path, *mfa).stderr
