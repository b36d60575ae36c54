"""`clew collect --from-files`: what it prints, writes and refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from clew.cli.main import app
from clew.snapshot import file
from clew.snapshot.answers import Status

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """
Parameters: {Who: {Type: String}}
Resources:
  B: {Type: AWS::S3::Bucket}
  P:
    Type: AWS::S3::BucketPolicy
    Properties: {Bucket: !Ref B, PolicyDocument: {Statement: [{Principal: !Ref Who}]}}
"""


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["collect", *arguments])
    return result.exit_code, result.output + str(result.exception or "")


def test_a_template_becomes_a_snapshot_file(tmp_path: Path) -> None:
    """The file holds the answers with their sources, and exit code 3 says that something is open."""
    (tmp_path / "t.yaml").write_text(TEMPLATE, encoding="utf-8")
    path = tmp_path / "out.json.gz"
    code, output = run("--from-files", str(tmp_path / "t.yaml"), "--account", "111122223333", "-o", str(path))
    assert code == 3, output
    answers = file.read(path).answers
    policy = answers.get("111122223333", "global", "s3", "GetBucketPolicy", Bucket="B")
    assert policy.status is Status.FAILED
    assert policy.source.endswith("t.yaml:5")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--profile", "p"], "asks no AWS"),
        (["--account", "1"], "is no account id"),
        (["--account", "111122223333,444455556666"], "one account"),
    ],
)
def test_options_that_make_no_sense_with_files(tmp_path: Path, options: list[str], complaint: str) -> None:
    """Options about asking AWS, and several places of deployment, are refused."""
    (tmp_path / "t.yaml").write_text(TEMPLATE, encoding="utf-8")
    _, output = run("--from-files", str(tmp_path), *options)
    assert complaint in output


def test_a_folder_without_files(tmp_path: Path) -> None:
    """An empty folder is an error, not an empty snapshot."""
    assert "holds no .json" in run("--from-files", str(tmp_path))[1]
