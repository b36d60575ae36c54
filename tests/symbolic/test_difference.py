"""What became possible and impossible: few changes, each with a request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.symbolic.cases import policy
from typer.testing import CliRunner

from clew.cli.main import app
from clew.report import diff_text
from clew.symbolic.difference import difference

if TYPE_CHECKING:
    from pathlib import Path

READ = {"Sid": "Read", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"}
WRITE = {
    "Sid": "Write",
    "Action": ["s3:Get*", "s3:Put*"],
    "Resource": ["arn:aws:s3:::b/*", "arn:aws:s3:::c/*"],
}


def test_the_same_policy_has_no_difference() -> None:
    """Another order of statements changes nothing."""
    found = difference(policy([READ, {"Action": "sqs:*"}]), policy([{"Action": "sqs:*"}, READ]))
    assert (found.possible, found.impossible, found.undecided) == ((), (), ())
    assert diff_text.text(found) == "the two policies allow the same\n"


def test_a_change_names_the_actions_and_resources_that_matter() -> None:
    """Of a statement's lists only what is new is told."""
    (change,) = difference(policy({**WRITE, "Resource": "arn:aws:s3:::b/*"}), policy({**WRITE})).possible
    assert change.resources == ("arn:aws:s3:::c/*",)
    (change,) = difference(policy(READ), policy({**WRITE, "Resource": "arn:aws:s3:::b/*"})).possible
    assert change.actions == ("s3:Put*",)


def test_a_statement_that_others_cover_is_not_told() -> None:
    """Few, general changes: the narrower of two statements is left out."""
    found = difference(policy({"Action": "sqs:*"}), policy([READ, {"Sid": "All", "Action": "s3:*"}]))
    assert [change.statement.sid for change in found.possible] == ["All"]
    assert [change.statement.index for change in found.impossible] == [0]


def test_a_denial_that_is_gone_is_named() -> None:
    """What the other policy denied is told with the statement that did."""
    found = difference(policy([READ, {"Effect": "Deny", "Action": "s3:GetObject"}]), policy(READ))
    assert [denial.index for denial in found.possible[0].denied_by] == [1]


def test_the_command_tells_and_fails_when_asked_to(tmp_path: Path) -> None:
    """`clew diff` ends with 1 only when something became possible and --fail-on asks for it."""
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps({"Statement": [{"Effect": "Allow", **READ}]}), encoding="utf-8")
    new.write_text(json.dumps({"Statement": [{"Effect": "Allow", **WRITE}]}), encoding="utf-8")
    run = CliRunner().invoke
    assert run(app, ["diff", str(old), str(new)]).exit_code == 0
    assert run(app, ["diff", str(old), str(new), "--fail-on", "new-access"]).exit_code == 1
    assert run(app, ["diff", str(new), str(old), "--fail-on", "new-access"]).exit_code == 0
    found = json.loads(run(app, ["diff", str(old), str(new), "-o", "json"]).output)
    assert found["became_possible"][0]["statementId"] == "Write"
    assert not found["became_impossible"]


def test_the_checks_end_with_their_results(tmp_path: Path) -> None:
    """`clew check` ends with 0, 1 or 2, and prints AWS's shape when asked to."""
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps({"Statement": [{"Effect": "Allow", **READ}]}), encoding="utf-8")
    new.write_text(json.dumps({"Statement": [{"Effect": "Allow", **WRITE}]}), encoding="utf-8")
    run = CliRunner().invoke
    words = ["check", "no-new-access", str(new), "--reference", str(old), "-o", "aws"]
    found = run(app, words)
    assert found.exit_code == 1
    assert json.loads(found.output)["reasons"] == [
        {
            "description": "New access in the statement with sid: Write.",
            "statementIndex": 0,
            "statementId": "Write",
        }
    ]
    assert run(app, ["check", "no-new-access", str(old), "--reference", str(new)]).exit_code == 0
    assert run(app, ["check", "access-not-granted", str(old), "--action", "sqs:*"]).exit_code == 0
    assert (
        run(app, ["check", "access-not-granted", str(old), "--resource", "arn:aws:s3:::b/x"]).exit_code == 1
    )
    assert run(app, ["check", "implies", str(old), str(new)]).exit_code == 0
    lines = tmp_path / "lines.jsonl"
    lines.write_text('{"id": 1}\n', encoding="utf-8")
    assert run(app, ["check", "implies", "--batch", str(lines)]).exit_code == 3
