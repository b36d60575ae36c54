"""`clew who-can` and `clew what-can`: what is strange about a question is said beside its answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from clew.cli.main import app
from clew.errors import UsageError

if TYPE_CHECKING:
    from click.testing import Result

_ACCOUNT = str(Path(__file__).resolve().parent.parent.parent / "samples" / "account")


def _run(*words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--policies", _ACCOUNT])


@pytest.mark.parametrize(
    ("action", "resource", "said"),
    [
        ("s3:GetObjec", "arn:aws:s3:::logs/a", "did you mean `s3:GetObject`?"),
        ("s3:GetObject", "arn:aws:s3:::logs", "works on resources of type"),
        ("iam:ListUsers", "arn:aws:iam::111122223333:user/ana", "leave the resource out"),
        ("s3:GetObject", "arn:aws:sqs:eu-west-1:111122223333:q", "none that the service s3 knows"),
    ],
)
def test_a_strange_question_is_said_to_be_one(action: str, resource: str, said: str) -> None:
    """A misspelled action, or a resource that the action does not work on, is no quiet "nobody"."""
    done = _run("who-can", action, resource)
    assert done.exit_code == 0
    assert said in done.stderr


def test_an_action_is_told_as_aws_spells_it() -> None:
    """Case does not matter in a question."""
    done = _run("who-can", "S3:getobject", "arn:aws:s3:::logs/a")
    assert (done.stdout.splitlines()[0], done.stderr) == ("s3:GetObject on arn:aws:s3:::logs/a", "")


@pytest.mark.parametrize("words", [("s3:*",), ("s3:GetObject", "logs/a")])
def test_what_is_no_question_is_refused(words: tuple[str, ...]) -> None:
    """A pattern of actions, or what is no ARN, is no question about somebody."""
    assert isinstance(_run("who-can", *words).exception, UsageError)
