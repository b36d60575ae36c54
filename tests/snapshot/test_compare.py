"""What changed between two collections, and `clew snapshot` about files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from clew.cli.main import app
from clew.snapshot import file
from clew.snapshot.answers import GLOBAL, Answer, Answers, Call, Status
from clew.snapshot.compare import differences

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "111122223333"
NOW = "2026-01-02T03:04:05Z"


def answers(body: object, status: Status = Status.OK) -> Answers:
    """One answer of S3 with this body."""
    call = Call(ACCOUNT, GLOBAL, "s3", "GetBucketVersioning", (("Bucket", "pay"),))
    known = body if isinstance(body, dict) else None
    return Answers([Answer(call, NOW, status, known, "" if known else "AccessDenied")])


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({"Status": "Enabled"}, {"Status": "Suspended"}, [("Status", '"Enabled"', '"Suspended"')]),
        ({}, {"Status": "Enabled"}, [("Status", "", '"Enabled"')]),
        ({"L": [1, 2]}, {"L": [2, 1]}, []),
        ({"L": [1, 1]}, {"L": [1]}, [("L[1 2]", "1", "")]),
        (
            {"L": [{"Name": "a", "On": True}]},
            {"L": [{"Name": "a", "On": False}]},
            [("L[a].On", "true", "false")],
        ),
        ({"L": []}, {"L": [{"Name": "b"}]}, [("L[b]", "", '{"Name": "b"}')]),
    ],
)
def test_values_that_differ_are_named(old: Any, new: Any, changes: list[tuple[str, str, str]]) -> None:
    """Each value that differs is told with its place; the order in AWS's lists is no difference."""
    found = [c for d in differences(answers(old), answers(new)) for c in d.changes]
    assert [(c.place, c.old, c.new) for c in found] == changes


def test_refusal_is_a_difference_of_status() -> None:
    """An answer that is refused now is told as that, not as emptied values."""
    (found,) = differences(answers({"Status": "Enabled"}), answers(None, Status.DENIED))
    assert (found.old, found.new, found.changes) == (Status.OK, Status.DENIED, ())


def test_call_on_one_side_only_is_told() -> None:
    """A call that was not made before has no earlier status."""
    (found,) = differences(Answers([]), answers({}))
    assert (found.old, found.new) == (None, Status.OK)


def run(*words: str) -> Any:
    """The outcome of a command."""
    return CliRunner().invoke(app, ["snapshot", *words])


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """Two files: versioning is enabled in one, refused in the other."""
    for name, given in (("a", answers({"Status": "Enabled"})), ("b", answers(None, Status.DENIED))):
        file.write(tmp_path / name, given, tool_version="1", collected_at=NOW)
    return str(tmp_path / "a"), str(tmp_path / "b")


def test_show_counts_and_names_what_was_refused(files: tuple[str, str]) -> None:
    """The overview has counts by service and every refusal with its error."""
    text = run("show", files[1]).stdout
    assert "denied  s3:GetBucketVersioning: AccessDenied, 1 call, such as 111122223333 global pay" in text
    told = json.loads(run("show", files[1], "-o", "json").stdout)
    assert told["services"] == {"s3": {"denied": 1}}
    assert [each["error_code"] for each in told["not_read"]] == ["AccessDenied"]


def test_show_counts_the_operations_of_a_service(files: tuple[str, str]) -> None:
    """With `--service` each operation has its counts; a service that was not asked is an error."""
    shown = run("show", files[0], "--service", "s3").stdout
    assert shown.splitlines()[0].split() == ["operation", "ok", "denied", "failed", "absent"]
    assert [line.split() for line in shown.splitlines()[1:]] == [["GetBucketVersioning", "1", "-", "-", "-"]]
    outcome = run("show", files[0], "--service", "kms")
    assert "no call of `kms` is here; there are calls of s3" in str(outcome.exception)


def test_show_prints_answers(files: tuple[str, str]) -> None:
    """`--call` prints the answers as JSON, and says what was asked when the name is wrong."""
    assert json.loads(run("show", files[0], "--call", "s3:GetBucketVersioning").stdout)["body"] == {
        "Status": "Enabled"
    }
    assert "did you mean `s3:GetBucketVersioning`" in str(
        run("show", files[0], "--call", "s3:getbucketversioning").exception
    )


def test_verify_tells_a_whole_file(files: tuple[str, str]) -> None:
    """A whole file is told with its hash."""
    assert run("verify", files[0]).stdout.startswith("whole: 1 answer, SHA-256 ")


def test_diff_is_by_call(files: tuple[str, str]) -> None:
    """Two files that differ are told call by call, as lines and as JSON."""
    lines = run("diff", *files).stdout.splitlines()
    assert lines == [f"{ACCOUNT} global s3:GetBucketVersioning (Bucket=pay): ok → denied", "1 answer differs"]
    assert json.loads(run("diff", *files, "-o", "json").stdout)[0]["new"] == "denied"
    assert run("diff", files[0], files[0]).stdout == "no answer differs\n"
