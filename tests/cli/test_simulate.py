"""`clew simulate`: the questions of tests/cases/simulate, and what no case can say."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from tests.case_files import read_case_file
from typer.testing import CliRunner

from clew.cli.main import app
from clew.cli.simulation_evidence import digest
from clew.errors import ClewError, InputError, PolicyError, UsageError

ROOT = Path(__file__).parent.parent.parent
CASES = ROOT / "tests" / "cases" / "simulate"
QUESTIONS = read_case_file(CASES / "questions.yaml")
EXAMPLES = read_case_file(CASES / "PO.yaml")
SENTENCES = read_case_file(CASES / "sentences.yaml")
SAMPLE = str(ROOT / "samples" / "account")
DRAFT = str(ROOT / "samples" / "policies" / "draft.json")
CARLOS = ("-p", "arn:aws:iam::111122223333:user/carlos")
LOGS = ("-a", "s3:PutObject", "-r", "arn:aws:s3:::carlos-logs/x", "--policies", SAMPLE)


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The accounts of accounts.yaml as the folder that a user would have."""
    document = read_case_file(CASES / "accounts.yaml")
    folder = tmp_path_factory.mktemp("accounts")
    for number, account in enumerate(document["accounts"]):
        (folder / f"account-{number}.json").write_text(json.dumps(account, indent=2))
    for name in ("resource-policies", "organization", "scps"):
        (folder / f"{name}.json").write_text(json.dumps(document[name], indent=2))
    return folder


def ask(*words: str) -> Any:
    """The outcome of `clew simulate` with these words."""
    return CliRunner().invoke(app, ["simulate", *words], catch_exceptions=True)


def answers(*words: str) -> list[dict[str, Any]]:
    """The answers as JSON."""
    return json.loads(ask(*words, "-o", "json").stdout)["answers"]


def error(*words: str) -> str:
    """The one line that refuses the question."""
    outcome = ask(*words)
    assert isinstance(outcome.exception, ClewError), outcome.output
    assert "\n" not in str(outcome.exception)
    return str(outcome.exception)


@pytest.mark.parametrize("case", QUESTIONS, ids=[case["id"] for case in QUESTIONS])
def test_question_is_answered(case: dict[str, Any], accounts: Path) -> None:
    """Each question has the answer that AWS's documentation gives, for the reason that it gives."""
    outcome = ask(*shlex.split(case["asks"]), "--policies", str(accounts), "-o", "json")
    found = json.loads(outcome.stdout)["answers"][0]
    assert found["decision"] == case["decision"]
    assert [each["sid"] for each in found["determined_by"] if each["sid"]] == case.get("by", [])
    assert found["blocked_by"] == case.get("blocked_by", [])
    assert found["allowed"] == case.get(
        "allowed", {"allow": True, "undetermined": None}.get(case["decision"], False)
    )
    assert case.get("missing", "") in " ".join(found["missing_policies"])
    assert bool(found["missing_policies"]) is ("missing" in case)
    assert case.get("shows", "") in " ".join(found["assumed"])
    assert case.get("hides", "\n") not in " ".join(found["assumed"])
    assert outcome.exit_code == (3 if case["decision"] == "undetermined" else 0)


@pytest.mark.parametrize("case", [c for c in EXAMPLES if "asks" in c], ids=lambda case: case["id"])
def test_example_is_answered(case: dict[str, Any], tmp_path: Path) -> None:
    """Each example of the source documents has the answer that AWS's present documentation gives."""
    draft = write(tmp_path / "draft.json", case["policy"])
    found = answers("--policy", draft, *shlex.split(case["asks"]))[0]
    assert found["decision"] == case["decision"]
    assert case.get("notes", "") in " ".join(found["notes"])


@pytest.mark.parametrize("case", [c for c in EXAMPLES if "live" in c], ids=lambda case: case["id"])
def test_console_permissions_hold_those_of_the_example(case: dict[str, Any]) -> None:
    """What the console's simulator takes for a user, a group or a role is in the printed policy."""
    document = json.loads(ask(*shlex.split(case["live"]), "--live-permissions").stdout)
    console = next(each for each in document["Statement"] if each["Sid"] == "SimulateInTheConsole")
    assert set(case["console"]) <= set(console["Action"])


@pytest.mark.parametrize("case", SENTENCES, ids=lambda case: case["asks"])
def test_answer_is_a_sentence(case: dict[str, str]) -> None:
    """The text answers in one sentence that names statement, file, line and policy, or what it depends on."""
    shown = " ".join(ask(*shlex.split(case["asks"]), "--policies", SAMPLE).stdout.split())
    assert case["says"].replace("ACCOUNT", SAMPLE) in shown


def test_line_of_a_statement_is_where_it_begins() -> None:
    """The line that is named is the one in which the statement opens."""
    statement = answers(*CARLOS, *LOGS)[0]["determined_by"][0]
    lines = Path(statement["file"]).read_text().splitlines()
    assert lines[statement["line"] - 1][statement["column"] - 1 :] == "{"
    assert "DenyS3Logs" in lines[statement["line"]]


def test_long_lists_are_cut(tmp_path: Path) -> None:
    """Of many statements the first are named and the others counted; colours are for terminals only."""
    statements = [{"Sid": f"S{n}", "Effect": "Deny", "Action": "s3:*", "Resource": "*"} for n in range(9)]
    policy = write(tmp_path / "p.json", {"Version": "2012-10-17", "Statement": statements})
    shown = " ".join(ask("--policy", policy, "-a", "s3:GetObject").stdout.split())
    assert "and 6 more; an explicit deny" in shown
    assert "and 5 more" in shown


def test_order_of_evaluation_is_for_those_who_ask() -> None:
    """What is the same for every decision stands in the explanation and in JSON, not in the plain answer."""
    plain, full = ask(*CARLOS, *LOGS).stdout, ask(*CARLOS, *LOGS, "--explain").stdout
    assert full.startswith(plain.rstrip())
    added = full.removeprefix(plain.rstrip()).splitlines()
    assert [line.split()[0] for line in added if line.startswith("  ") and line[2] != " "] == [
        "Rule",
        "Order",
    ]
    assert answers(*CARLOS, *LOGS)[0]["order"]


def test_owner_is_told_once(tmp_path: Path) -> None:
    """An owner that is assumed is told once, in words, and only of a resource that has a name."""
    policy = write(tmp_path / "p.json", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    shown = ask("--policy", policy, "-a", "s3:GetObject", "-r", "arn:aws:s3:::x/y").stdout
    assert "belongs to the same account as the user" in shown
    assert shown.count("Assumed") == 1
    assert "000000000000" not in shown
    assert "belongs to" not in ask("--policy", policy, "-a", "s3:GetObject").stdout


def test_many_statements_are_counted_in_a_table(tmp_path: Path) -> None:
    """A row over a policy of hundreds of statements names the first and counts the others."""
    statements = [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}] * 600
    policy = write(tmp_path / "p.json", {"Version": "2012-10-17", "Statement": statements})
    shown = ask("--policy", policy, "-a", "s3:*").stdout
    assert "and 597 more" in shown
    assert "statement 4" not in shown


def test_wrong_resource_is_noted() -> None:
    """A resource whose ARN is wrong, or is none, is answered with what is wrong about it."""
    wrong = ask(*CARLOS, "-a", "s3:GetObject", "-r", "arn:aws:s3::::x/y", "--policies", SAMPLE).stdout
    assert "did you mean `arn:aws:s3:::x/y`?" in " ".join(wrong.split())
    assert "an ARN begins with `arn:`" in ask("--policy", DRAFT, "-a", "s3:GetObject", "-r", "x").stdout


def test_matrix_of_many_resources_is_a_list() -> None:
    """With more resources than columns each pair has its row; --explain tells each of them."""
    words = [*CARLOS, "-a", "s3:GetObject", "--policies", SAMPLE]
    words += [word for n in range(6) for word in ("-r", f"arn:aws:s3:::carlos/{n}")]
    rows = [line.split() for line in ask(*words).stdout.splitlines() if line.startswith("  s3:")]
    assert rows == [["s3:GetObject", "allowed", f"arn:aws:s3:::carlos/{n}"] for n in range(6)]
    assert ask(*words, "--explain").stdout.count("ALLOWED  s3:GetObject") == 6


def test_key_that_is_not_given_is_unknown() -> None:
    """A key that is not given leaves the answer open, and the answer says what it depends on."""
    words = ("-p", "arn:aws:iam::111122223333:user/ana", "-a", "ec2:StopInstances", "--policies", SAMPLE)
    words += ("-r", "arn:aws:ec2:eu-west-1:111122223333:instance/i-1")
    open_answer = ask(*words)
    assert open_answer.exit_code == 3
    assert "allowed if aws:SourceIp is in 192.0.2.0/24; implicit_deny otherwise" in " ".join(
        open_answer.stdout.split()
    )
    assert answers(*words, "-c", "aws:SourceIp=192.0.2.7")[0]["decision"] == "allow"
    assert answers(*words, "-c", "aws:SourceIp=198.51.100.7")[0]["decision"] == "implicit_deny"
    assert answers(*words, "--absent", "aws:SourceIp")[0]["decision"] == "implicit_deny"
    assert answers(*words, "--context-complete")[0]["decision"] == "implicit_deny"


def test_certain_keys_are_derived(tmp_path: Path) -> None:
    """Keys that follow from the request or from the files are not asked for."""
    keys = {
        "aws:username": "bob",
        "aws:userid": "AIDAEXAMPLEBOB000001",
        "aws:PrincipalArn": "arn:aws:iam::111122223333:user/team/bob",
        "aws:PrincipalAccount": "111122223333",
        "aws:PrincipalTag/team": "blue",
        "aws:PrincipalOrgID": "o-ex",
        "aws:ResourceOrgID": "o-ex",
        "aws:RequestedRegion": "eu-west-1",
        "aws:ResourceAccount": "111122223333",
    }
    statement = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}
    statement |= {"Condition": {"StringEquals": keys, "Null": {"aws:PrincipalTag/other": "true"}}}
    own = write(tmp_path / "own.json", {"Version": "2012-10-17", "Statement": statement})
    document = read_case_file(CASES / "accounts.yaml")
    account = write(tmp_path / "account.json", document["accounts"][0])
    organization = write(tmp_path / "organization.json", document["organization"])
    words = ("-p", "arn:aws:iam::111122223333:user/team/bob", "--policies", account, "--policy", own)
    words += ("--organization", organization, "-a", "sns:Publish")
    found = answers(*words, "-r", "arn:aws:sns:eu-west-1:111122223333:topic")[0]
    assert (found["decision"], found["missing_context"]) == ("allow", [])


def write(path: Path, document: object) -> str:
    """A JSON file, by its name."""
    path.write_text(json.dumps(document))
    return str(path)


@pytest.mark.parametrize("who", [(), ("-p", "arn:aws:iam::111122223333:user/ana")])
def test_a_perimeter_is_decided_by_the_address_alone(who: tuple[str, ...], tmp_path: Path) -> None:
    """Who comes from a public address comes through no endpoint, and is no service; both are certain of anybody."""
    perimeter = {
        "NotIpAddressIfExists": {"aws:SourceIp": "192.0.2.0/24"},
        "StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-1", "aws:SourceOrgID": "o-ex"},
    }
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": perimeter},
    ]
    draft = write(tmp_path / "draft.json", {"Version": "2012-10-17", "Statement": statements})
    asked = (*who, "--policy", draft, "-a", "ec2:StopInstances")
    found = {
        address: answers(*asked, "-c", f"aws:SourceIp={address}")[0]["decision"]
        for address in ("192.0.2.7", "203.0.113.9", "10.0.0.9")
    }
    assert found == {"192.0.2.7": "allow", "203.0.113.9": "explicit_deny", "10.0.0.9": "undetermined"}


def test_unattached_policy_needs_no_principal() -> None:
    """A draft can be asked about alone: a user of the resource's account, nobody in particular, asks."""
    words = (
        "--policy",
        DRAFT,
        "-a",
        "ec2:TerminateInstances",
        "-r",
        "arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
    )
    found = answers(*words)[0]
    assert found["principal"] is None
    assert found["decision"] == "explicit_deny"
    assert found["determined_by"][0]["line"] == 25


def test_glob_asks_about_every_action() -> None:
    """A glob stands for every action of the catalogue that it matches, each told in the fewest words."""
    outcome = ask("--policy", DRAFT, "-a", "ec2:*", "-r", "*")
    assert outcome.exit_code == 3
    assert "ec2:Describe* (" in outcome.stdout
    assert "explicit deny  1 action: NeverTerminate" in outcome.stdout
    assert len(ask("--policy", DRAFT, "-a", "ec2:*", "-o", "jsonl").stdout.splitlines()) > 500


def test_glob_leaves_out_actions_on_other_resources() -> None:
    """Of a glob, actions that take no such resource are left out, and that is said."""
    outcome = ask("--policy", DRAFT, "-a", "s3:*", "-r", "arn:aws:s3:::bucket/key", "-o", "jsonl")
    actions = {json.loads(line)["action"] for line in outcome.stdout.splitlines()}
    assert {"s3:GetObject", "s3:PutObject"} <= actions
    assert actions.isdisjoint({"s3:CreateBucket", "s3:ListAllMyBuckets"})
    assert "take no resource such as `arn:aws:s3:::bucket/key`" in outcome.stderr


def test_matrix_tells_explicit_and_implicit_denials_apart() -> None:
    """Several actions on several resources make a matrix of words."""
    words = ("-a", "s3:PutObject", "-a", "sqs:SendMessage", "-r", "arn:aws:s3:::carlos/x")
    shown = ask(*CARLOS, *words, "-r", "arn:aws:s3:::carlos-logs/x", "--policies", SAMPLE).stdout
    rows = {
        line.split()[0]: line.split()[1:]
        for line in shown.splitlines()
        if line.startswith(("  s3:", "  sqs:"))
    }
    assert rows["s3:PutObject"] == ["allowed", "explicit", "deny"]
    assert rows["sqs:SendMessage"] == ["implicit", "deny", "implicit", "deny"]
    assert "\x1b" not in shown


def test_csv_and_json_lines_hold_one_row_for_each_request() -> None:
    """Every format holds the same decisions in the same order."""
    words = (
        *CARLOS,
        "-a",
        "s3:PutObject",
        "-a",
        "s3:GetObject",
        "-r",
        "arn:aws:s3:::carlos-logs/x",
        "--policies",
        SAMPLE,
    )
    rows = list(csv.DictReader(io.StringIO(ask(*words, "-o", "csv").stdout)))
    lines = [json.loads(line) for line in ask(*words, "-o", "jsonl").stdout.splitlines()]
    assert [row["decision"] for row in rows] == [line["decision"] for line in lines] == ["explicit_deny"] * 2
    assert lines == answers(*words)


@pytest.mark.parametrize(
    ("fail_on", "address", "code"),
    [
        (None, "192.0.2.7", 0),
        (None, "198.51.100.7", 0),
        ("denied", "192.0.2.7", 0),
        ("denied", "198.51.100.7", 1),
        ("allowed", "192.0.2.7", 1),
        ("allowed", "198.51.100.7", 0),
        ("denied", None, 3),
    ],
)
def test_exit_code(fail_on: str | None, address: str | None, code: int) -> None:
    """0 answered, 1 by --fail-on, 3 undetermined."""
    words = ["-p", "arn:aws:iam::111122223333:user/ana", "-a", "ec2:StopInstances", "--policies", SAMPLE]
    words += ["-r", "arn:aws:ec2:eu-west-1:111122223333:instance/i-1"]
    words += ["-c", f"aws:SourceIp={address}"] if address else []
    words += ["--fail-on", fail_on] if fail_on else []
    assert ask(*words).exit_code == code


def test_denied_in_any_case_is_denied() -> None:
    """Where only the kind of the denial is open, the request is denied, and --fail-on knows it."""
    words = ("-p", "arn:aws:iam::111122223333:role/PayrollReader", "-a", "s3:PutObject", "--policies", SAMPLE)
    words += ("-r", "arn:aws:s3:::anycompany-payroll/x")
    outcome = ask(*words)
    assert outcome.stdout.startswith("DENIED  ")
    assert outcome.exit_code == 3
    assert ask(*words, "--fail-on", "denied").exit_code == 1


def test_several_values_of_a_key(tmp_path: Path) -> None:
    """A repeated key or a JSON list has several values; a file may hold the keys, null means absent."""
    statement = {"Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "*"}
    statement |= {"Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}}
    statement["Condition"] |= {"Null": {"aws:SourceVpce": "true"}}
    policy = write(tmp_path / "p.json", {"Version": "2012-10-17", "Statement": statement})
    words = ("--policy", policy, "-a", "ec2:CreateTags")
    absent = ("--absent", "aws:SourceVpce")
    assert answers(*words, *absent, "-c", "aws:TagKeys=a", "-c", "aws:TagKeys=b")[0]["decision"] == "allow"
    assert answers(*words, *absent, "-c", 'aws:TagKeys=["a","c"]')[0]["decision"] == "implicit_deny"
    keys = write(tmp_path / "keys.json", {"aws:TagKeys": ["a"], "aws:SourceVpce": None})
    assert answers(*words, "--context-file", keys)[0]["decision"] == "allow"
    entry = {"ContextKeyName": "aws:TagKeys", "ContextKeyValues": ["c"], "ContextKeyType": "stringList"}
    entries = write(tmp_path / "entries.json", [entry])
    assert answers(*words, *absent, "--context-file", entries)[0]["decision"] == "implicit_deny"


def test_decoded_message_is_the_request(tmp_path: Path) -> None:
    """A decoded EC2 authorization message gives principal, action, resource and context of the refused request."""
    instance = "arn:aws:ec2:eu-west-1:111122223333:instance/i-1"
    context = {
        "principal": {"id": "AIDAEXAMPLEANA000001", "arn": "arn:aws:iam::111122223333:user/ana"},
        "action": "ec2:StopInstances",
        "resource": instance,
        "conditions": {
            "items": [
                {"key": "aws:Service", "values": {"items": [{"value": "ec2"}]}},
                {"key": "aws:SourceIp", "values": {"items": [{"value": "192.0.2.7"}]}},
            ]
        },
    }
    for action in ("ec2:StopInstances", "StopInstances"):
        message = {"allowed": False, "explicitDeny": False, "context": {**context, "action": action}}
        file = write(tmp_path / "message.json", {"DecodedMessage": json.dumps(message)})
        found = answers("--decoded-message", file, "--policies", SAMPLE)[0]
        assert (found["action"], found["resource"], found["decision"]) == (
            "ec2:StopInstances",
            instance,
            "allow",
        )


def test_own_policies_stand_in_for_the_attached(tmp_path: Path) -> None:
    """A boundary, resource policy or SCP of the question takes the place of the account's."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    wide = write(tmp_path / "wide.json", {"Version": "2012-10-17", "Statement": everything})
    words = ("-p", "arn:aws:iam::111122223333:role/PayrollReader", "-a", "s3:PutObject", "--policies", SAMPLE)
    words += ("-r", "arn:aws:s3:::anycompany-payroll/x", "-c", "aws:SecureTransport=true")
    assert answers(*words)[0]["blocked_by"] == ["boundary"]
    assert answers(*words, "--boundary", wide)[0]["decision"] == "allow"
    deny = {"Version": "2012-10-17", "Statement": {**everything, "Sid": "No", "Effect": "Deny"}}
    level = write(tmp_path / "level.json", ["FullAWSAccess", deny])
    found = answers(*words, "--boundary", wide, "--scp", level)[0]
    assert [each["sid"] for each in found["determined_by"]] == ["No"]
    alone = ask(*words, "--boundary", wide, "--scp", write(tmp_path / "deny.json", deny))
    assert "allow nothing" in alone.stderr


def test_evidence_holds_question_answers_and_hashes(tmp_path: Path) -> None:
    """Saved evidence can be checked: each input by its hash, and the evidence by its own."""
    file = tmp_path / "evidence.json"
    assert ask(*CARLOS, *LOGS, "--save", str(file)).exit_code == 0
    saved = json.loads(file.read_text())
    own = saved.pop("sha256")
    assert own == digest(saved)
    hashes = {entry["file"]: entry["sha256"] for entry in saved["inputs"]}
    account = Path(SAMPLE) / "account.json"
    assert hashes[str(account)] == hashlib.sha256(account.read_bytes()).hexdigest()
    assert saved["answers"][0]["decision"] == "explicit_deny"
    assert "exists already" in error(*CARLOS, *LOGS, "--save", str(file))


def test_live_permissions_are_a_policy_for_the_question() -> None:
    """What a live run takes is printed as a policy, no wider than the question."""
    document = json.loads(ask(*CARLOS, *LOGS, "--live-permissions").stdout)
    by_sid = {statement["Sid"]: statement for statement in document["Statement"]}
    assert by_sid["SimulateWithTheApi"]["Resource"] == CARLOS[1]
    assert "iam:SimulatePrincipalPolicy" in by_sid["SimulateWithTheApi"]["Action"]
    assert "iam:ListGroupsForUser" in by_sid["SimulateInTheConsole"]["Action"]
    assert "s3:GetBucketPolicy" in by_sid["CollectTheResourcePolicies"]["Action"]
    custom = json.loads(ask("--policy", DRAFT, "-a", "ec2:*", "--live-permissions").stdout)
    assert "iam:SimulateCustomPolicy" in custom["Statement"][0]["Action"]


@pytest.mark.parametrize("principal", ["user/carls", "role/PayrolReader"])
def test_unknown_principal_names_the_near_ones(principal: str) -> None:
    """A misspelt principal is an error that names who may have been meant."""
    message = error("-p", f"arn:aws:iam::111122223333:{principal}", *LOGS)
    assert (
        f"`arn:aws:iam::111122223333:{principal}` is not among the principals of account 111122223333"
        in message
    )
    assert "did you mean" in message


@pytest.mark.parametrize(
    ("words", "expected", "kind"),
    [
        ([*CARLOS, "--policies", SAMPLE], "which action?", UsageError),
        (["-a", "s3:GetObject"], "which policies?", UsageError),
        (["-a", "s3:GetObject", "--policies", SAMPLE], "which principal", UsageError),
        (["-a", "s4:*", "--policy", DRAFT], "no action of AWS fits `s4:*`", UsageError),
        (["-a", "GetObject", "--policy", DRAFT], "`GetObject` is no action", UsageError),
        (["-a", "s3:GetObject", "--policy", DRAFT, "-c", "aws:SourceIp"], "expected KEY=VALUE", UsageError),
        (["-a", "s3:GetObject", "--policy", DRAFT, "-c", "k=[1"], "must be a JSON list", UsageError),
        (["-a", "s3:GetObject", "--policy", "nowhere.json"], "`nowhere.json` cannot be read", InputError),
        (
            [*CARLOS, *LOGS, "--only", "Nothing"],
            "no attached policy is called `Nothing`; there are",
            UsageError,
        ),
        (["-a", "s3:GetObject", "--policy", DRAFT, "--unknown-context"], "belong to `--batch`", UsageError),
        (
            ["-a", "s3:GetObject", "--resource-policy", DRAFT],
            "which principal? give `--principal ARN`",
            UsageError,
        ),
        (["--batch", "x", "--save", "y"], "`--save` does not go with `--batch`", UsageError),
        (
            ["-a", "s3:GetObject", "--policy", DRAFT, "-c", 'k=[{"a": 1}]'],
            "expected a list of texts",
            UsageError,
        ),
        (["-a", "s3:GetObject", "-p", "bob", "--policy", DRAFT], "principal `bob` is neither", InputError),
    ],
)
def test_wrong_question_is_refused_in_one_line(
    words: list[str], expected: str, kind: type[ClewError]
) -> None:
    """What does not fit together is refused with what to do."""
    assert expected in error(*words)
    assert isinstance(ask(*words).exception, kind)


def test_malformed_policy_is_located(tmp_path: Path) -> None:
    """A malformed policy of the question is refused with file and line."""
    file = tmp_path / "bad.json"
    file.write_text(
        '{\n"Version": "2012-10-17",\n"Statement": [\n{"Effect": "allow", "Action": "*", "Resource": "*"}]}'
    )
    message = error("--policy", str(file), "-a", "s3:GetObject")
    assert message.startswith(f"{file}:4 ")
    assert message.endswith(f"; `clew validate --fix {file}` offers a corrected document")


def test_file_that_is_no_policy_is_not_offered_a_correction(tmp_path: Path) -> None:
    """Where there is nothing to correct, none is promised, and a file is named once."""
    file = tmp_path / "five.json"
    file.write_text("5")
    message = error("--policy", str(file), "-a", "s3:GetObject")
    assert "--fix" not in message
    file.write_text(f"[{' ' * 2_000_000}]")
    assert error("--policy", str(file), "-a", "s3:GetObject").startswith(f"{file} /: a text of 2,000,002 ")
    assert isinstance(ask("--policy", str(file), "-a", "s3:GetObject").exception, PolicyError)
    file.write_text('{"Statement": [\n{"Effect": "Allow" "Action": "*"}]}')
    assert error("--policy", str(file), "-a", "s3:GetObject").startswith(f"{file}:2")


@pytest.mark.parametrize(
    ("option", "text", "expected"),
    [
        ("--context-file", "7", "expected an object of context keys, or a list of context entries"),
        ("--context-file", '{"k": {"a": 1}}', "`k`: expected text, a number, a boolean, or a list of them"),
        ("--context-file", '[{"ContextKeyName": "k"}]', "expected entries with `ContextKeyName`"),
        ("--context-file", "{\n", ":2: not JSON"),
        ("--context-file", "[" * 100_000, "nested too deeply"),
        ("--decoded-message", "{}", "expected the output of `aws sts decode-authorization-message`"),
        ("--decoded-message", '{"DecodedMessage": "{"}', "`DecodedMessage` is not JSON"),
        (
            "--decoded-message",
            '{"context": {"conditions": {"items": [{"values": {"items": [{"value": "x"}]}}]}}}',
            "a condition of the message has no `key`",
        ),
        ("--scp", '["NoSuchPolicy"]', "expected a policy, a list of policies, or `FullAWSAccess`"),
        ("--scp", "{", "expected `}`"),
    ],
)
def test_file_of_the_question_is_refused_with_its_name(
    tmp_path: Path, option: str, text: str, expected: str
) -> None:
    """A context file, a message or a level that does not have its form is refused, named and located."""
    file = tmp_path / "file.json"
    file.write_text(text)
    message = error("--policy", DRAFT, "-a", "s3:GetObject", option, str(file))
    assert expected in message
    assert message.startswith(str(file))


def test_misspelt_key_or_action_is_told() -> None:
    """A key or action that AWS does not have is still asked about, and the likely one is named."""
    outcome = ask("--policy", DRAFT, "-a", "s3:GetObjct", "-c", "aws:SourceIpp=192.0.2.7")
    assert "did you mean `s3:GetObject`?" in outcome.stderr
    assert "did you mean `aws:SourceIp`?" in outcome.stderr


def test_hostile_names_cannot_drive_the_terminal(tmp_path: Path) -> None:
    """Names and Sids out of files are shown with their control characters made visible."""
    evil = "\x1b]0;owned\x07\u202e"
    statement = {"Sid": evil, "Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    user = {"UserName": evil, "Arn": "arn:aws:iam::111122223333:user/x", "GroupList": [evil]}
    user["UserPolicyList"] = [{"PolicyName": evil, "PolicyDocument": {"Statement": [statement]}}]
    account = write(tmp_path / "account.json", {"UserDetailList": [user]})
    words = ("-p", "arn:aws:iam::111122223333:user/x", "--policies", account, "-r", f"arn:aws:s3:::b/{evil}")
    for shown in (
        ask(*words, "-a", "s3:GetObject").output,
        ask(*words, "-a", "s3:GetObject", "-a", "s3:PutObject").output,
        ask(*words, "-a", "s3:*").output,
        ask(*words, "-a", "s3:GetObject", "-o", "csv").output,
    ):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "\x07" not in shown
