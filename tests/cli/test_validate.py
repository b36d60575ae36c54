"""`clew validate` and `clew arn`: what is printed where, exit codes, hostile files."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from clew.cli.main import app
from clew.errors import ClewError

GOOD = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}}'
BAD = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "DENY", "Action": "s3:GetObject",'
    ' "Resource": "arn:aws:s3:::b"},]}'
)
WARNED = '{"Statement": {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}}'


@pytest.fixture
def write(tmp_path):
    """A function that writes a policy file and returns its path."""

    def written(content, name="policy.json"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return written


def run(*words, text=None):
    return CliRunner().invoke(app, list(words), input=text)


def test_a_right_document(write):
    """A document without problems says so and ends with 0."""
    done = run("validate", write(GOOD))
    assert done.exit_code == 0
    assert done.stdout.endswith(
        "policy.json: no problems (an identity-based policy, by its looks; --kind names another)\n"
    )


def test_problems_are_printed_with_file_and_line(write):
    """Each problem is a line that begins with file, line and path and ends with its weight and code; the exit is 1."""
    path = write(BAD)
    done = run("validate", path)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0] == (
        f"{path}:1 /Statement/0/Effect: unknown effect `DENY`; expected `Allow` or `Deny`; did you mean `Deny`?"
        " (ERROR INVALID_EFFECT)"
    )
    assert len(lines) == 4
    assert lines[-1].startswith(f"{path}: 3 errors")
    assert "--fix" in done.stderr


def test_fix_prints_a_document_that_is_right(write):
    """--fix prints the corrected document alone on stdout, its changes on stderr, and ends with 0 when it is right."""
    done = run("validate", "--fix", write(BAD))
    assert done.exit_code == 0
    assert json.loads(done.stdout)["Statement"] == [
        {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
    ]
    assert "`DENY` → `Deny`" in done.stderr
    again = run("validate", write(done.stdout, "fixed.json"))
    assert again.exit_code == 0


def test_fix_of_a_right_document_prints_it(write):
    """--fix prints a document that needs no correction as it is."""
    done = run("validate", "--fix", write(GOOD))
    assert (done.exit_code, json.loads(done.stdout)) == (0, json.loads(GOOD))


def test_fix_leaves_what_only_the_user_knows(write):
    """An account that is no account is not made up: --fix says that it is still wrong and ends with 1."""
    text = GOOD.replace(
        '"Action": "s3:ListAllMyBuckets", "Resource": "*"',
        '"Action": "sts:AssumeRole", "Resource": "arn:aws:iam::ACCOUNT:role/r"',
    )
    done = run("validate", "--fix", write(text))
    assert done.exit_code == 1
    assert "arn:aws:iam::ACCOUNT:role/r" in done.stdout
    assert "still wrong" in done.stderr


def test_fix_takes_one_file(write):
    """--fix refuses several files, since it prints one document."""
    with pytest.raises(ClewError, match="--fix prints one document"):
        CliRunner().invoke(
            app, ["validate", "--fix", write(GOOD), write(BAD, "b.json")], catch_exceptions=False
        )


def test_fail_on(write):
    """--fail-on chooses from which weight on the exit is 1."""
    path = write(WARNED)
    codes = {
        word: run("validate", "--fail-on", word, path).exit_code for word in ("error", "warning", "never")
    }
    assert codes == {"error": 0, "warning": 1, "never": 0}
    assert run("validate", "--fail-on", "never", write(BAD)).exit_code == 0


def test_kind(write):
    """--kind says what the policy is; a Principal in an identity policy is then an error."""
    text = GOOD.replace('"Effect"', '"Principal": "*", "Effect"')
    assert run("validate", write(text)).exit_code == 0
    done = run("validate", "--kind", "identity", write(text))
    assert done.exit_code == 1
    assert "UNSUPPORTED_PRINCIPAL" in done.stdout


def test_json(write):
    """JSON holds every file with its problems, their places, the corrected document and its changes."""
    path = write(BAD)
    done = run("validate", "--output", "json", path, write(GOOD, "good.json"))
    bad, good = json.loads(done.stdout)["files"]
    assert done.exit_code == 1
    assert (bad["file"], bad["kind"], bad["kind_guessed"], bad["readable"]) == (path, "identity", True, False)
    assert [problem["issue_code"] for problem in bad["problems"]] == [
        "INVALID_EFFECT",
        "MISMATCHED_RESOURCE_FOR_ACTION",
        "JSON_SYNTAX_ERROR",
    ]
    assert bad["problems"][0]["path"] == ["Statement", 0, "Effect"]
    assert bad["problems"][0]["start"] == {"line": 1, "column": 52, "offset": 51}
    assert json.loads(bad["corrected"])["Statement"][0]["Effect"] == "Deny"
    assert bad["left"] == []
    assert (good["problems"], good["corrected"]) == ([], None)


def test_standard_input():
    """`-` reads the document from standard input."""
    done = run("validate", "-", text=BAD)
    assert done.exit_code == 1
    assert done.stdout.startswith("stdin:1 /Statement/0/Effect")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xc3\x28", "byte 0 is no UTF-8"), (None, "no such file"), (b"\xff", "byte 0 is no UTF-8")],
)
def test_unreadable_files_end_with_2(write, content, said):
    """A file that cannot be read is one line on stderr and exit 2; the other files are still judged."""
    path = write(content, "x.json") if content is not None else "nowhere.json"
    done = run("validate", path, write(BAD))
    assert done.exit_code == 2
    assert said in done.stderr
    assert "INVALID_EFFECT" in done.stdout


def test_utf16(write):
    """A document in UTF-16, as PowerShell writes it, is read."""
    assert run("validate", write(GOOD.encode("utf-16"))).exit_code == 0


def test_hostile_text_is_escaped(write):
    """Escape sequences and direction marks of a document never reach the terminal, in no form of output."""
    evil = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {"Effect": "\x1b[2J\u202e", "Action": "\x07:x", "Resource": "\x1b]0;t\x07"},
        }
    )
    for words in ((), ("--fix",), ("--output", "json")):
        done = run("validate", *words, write(evil))
        assert done.exit_code == 1
        assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout + done.stderr)


def test_arn():
    """`clew arn` names each fault with its code and offers the ARN that was meant; exit 1, and 0 for a right one."""
    done = run("arn", "arn : aws : s3 ::: examplebucket", "--action", "s3:GetObject")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "white space in the ARN (INVALID_ARN_PREFIX)",
        "`s3:GetObject` works on accesspointobject, object; this names bucket (MISMATCHED_RESOURCE_FOR_ACTION)",
        "did you mean `arn:aws:s3:::examplebucket/*`?",
    ]
    right = run("arn", "arn:aws:s3:::examplebucket/*", "--action", "s3:GetObject")
    assert (right.exit_code, right.stdout) == (0, "`arn:aws:s3:::examplebucket/*` is well-formed\n")


def test_arn_as_json():
    """`clew arn --output json` holds the faults and the correction."""
    done = run("arn", "arn:aws:s3::b", "--output", "json")
    (diagnosis,) = json.loads(done.stdout)["diagnoses"]
    assert (diagnosis["issue_code"], diagnosis["corrected"]) == ("MISSING_ARN_FIELD", "arn:aws:s3:::b")


def test_arn_with_an_unknown_action():
    """An action that AWS does not know is an input error with the nearest that it does."""
    with pytest.raises(ClewError, match="did you mean `s3:GetObject`"):
        CliRunner().invoke(app, ["arn", "arn:aws:s3:::b", "-a", "s3:GetObjcet"], catch_exceptions=False)
