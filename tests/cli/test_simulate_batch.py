"""`clew simulate --batch`: one answer for each line, in order, whatever the lines hold."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from clew.cli import simulation_batch
from clew.cli.main import app
from clew.cli.simulation_batch import answer, lines
from clew.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

KEYS = {"id", "decision", "blocked_by", "determined_by", "missing_context", "residual", "error"}


def line(name: object, effect: str = "Allow", **context: object) -> str:
    """One request with one identity policy."""
    statement = {"Sid": "S", "Effect": effect, "Action": "s3:*", "Resource": "*"}
    statement |= {"Condition": {"Bool": {"aws:SecureTransport": "true"}}} if context else {}
    request = {
        "principal": "arn:aws:iam::111122223333:user/ana",
        "action": "s3:GetObject",
        "resource": "arn:aws:s3:::b/k",
    }
    return json.dumps(
        {
            "id": name,
            "request": {
                **request,
                "context": {key.replace("_", ":"): value for key, value in context.items()},
            },
            "identity_policies": [{"Version": "2012-10-17", "Statement": [statement]}],
        }
    )


def run(folder: Path, text: str | bytes, *words: str) -> tuple[list[dict[str, Any]], int]:
    """The answers to the lines of a file, and the exit code."""
    path = folder / "lines.jsonl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    outcome = CliRunner().invoke(app, ["simulate", "--batch", str(path), *words], catch_exceptions=False)
    return [json.loads(each) for each in outcome.stdout.splitlines()], outcome.exit_code


def test_each_line_is_answered_in_order(tmp_path: Path) -> None:
    """Line n of the answers is about line n of the input, with its id."""
    found, code = run(tmp_path, "\n".join([line("a"), line(7, "Deny"), line(None)]) + "\n")
    assert [(each["id"], each["decision"]) for each in found] == [
        ("a", "allow"),
        (7, "explicit_deny"),
        (None, "allow"),
    ]
    assert code == 0
    assert found[1]["determined_by"] == [
        {"gate": "identity", "policy": "identity_policies/0", "statement": 0, "sid": "S", "effect": "Deny"}
    ]


def test_line_that_cannot_be_evaluated_has_an_error_and_stops_nothing(tmp_path: Path) -> None:
    """Malformed, blank and undecodable lines are answered with an error, and the lines after them as ever."""
    bad = [
        b"{",
        b"",
        b"[]",
        b"\xff\xfe",
        b"7",
        b'{"id": "x"}',
        b"[" * 50_000,
        b'{"id": 1, "request": {"principal": 5}}',
    ]
    found, code = run(tmp_path, b"\n".join([*bad, line("good").encode()]))
    assert [each["decision"] for each in found] == [None] * len(bad) + ["allow"]
    assert all(each["error"] and set(each) >= KEYS for each in found[:-1])
    assert found[5]["id"] == "x"
    assert code == 3


def test_context_is_taken_as_given_unless_unknown_is_asked_for(tmp_path: Path) -> None:
    """A key that a line does not give is absent; with --unknown-context it is unknown, and the exit code says so."""
    text = line("a", aws_username="ana")
    assert run(tmp_path, text)[0][0]["decision"] == "implicit_deny"
    assert run(tmp_path, text)[1] == 0
    found, code = run(tmp_path, text, "--unknown-context")
    assert found[0]["decision"] == "undetermined"
    assert found[0]["missing_context"] == ["aws:SecureTransport"]
    assert found[0]["residual"]["text"] == "allowed if aws:SecureTransport is true; implicit_deny otherwise"
    assert code == 3


def test_no_key_is_derived_unless_asked_for(tmp_path: Path) -> None:
    """Keys that follow from the principal are added only with --derive-context."""
    document = json.loads(line("a"))
    condition = {"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:user/ana"}}
    document["identity_policies"][0]["Statement"][0]["Condition"] = condition
    assert run(tmp_path, json.dumps(document))[0][0]["decision"] == "implicit_deny"
    assert run(tmp_path, json.dumps(document), "--derive-context")[0][0]["decision"] == "allow"


def test_packed_file_is_unpacked(tmp_path: Path) -> None:
    """A gzip file is read as what it holds, and a damaged one is refused."""
    packed = gzip.compress(f"{line('a')}\n{line('b')}".encode())
    assert [each["id"] for each in run(tmp_path, packed)[0]] == ["a", "b"]
    with pytest.raises(InputError, match="damaged gzip"):
        run(tmp_path, packed[:-12])


def test_file_that_is_not_there_is_refused() -> None:
    """A missing file is refused in one line."""
    with pytest.raises(InputError, match="`nowhere` cannot be read: no such file or directory"):
        CliRunner().invoke(app, ["simulate", "--batch", "nowhere"], catch_exceptions=False)


def test_long_line_is_answered_without_being_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a line that is longer than any request no more is kept than it takes to know that."""
    kept = list(lines(io.BytesIO(b"x" * 1000 + b"\nshort\r\n" + b"y" * 200), limit=100))
    assert kept == [b"x" * 101, b"short", b"y" * 101]
    monkeypatch.setattr(simulation_batch, "MAX_LINE_BYTES", 100)
    assert "longer than" in str(answer(kept[0], unknown_context=False, derive_context=False)["error"])


def test_each_line_is_answered_before_the_next_is_sent() -> None:
    """A program may write one line, read its answer, and only then write the next."""
    command = [sys.executable, "-m", "clew", "simulate", "--batch", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for name in ("a", "b"):
            process.stdin.write(f"{line(name)}\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == name
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def test_hostile_text_stays_inert(tmp_path: Path) -> None:
    """Control characters of a line come back as JSON escapes, and an answer is always one line."""
    document = json.loads(line("\x1b]0;owned\x07\u202e\u2028"))
    document["identity_policies"][0]["Statement"][0]["Sid"] = "\x1b[31m\n"
    path = tmp_path / "lines.jsonl"
    path.write_text(json.dumps(document))
    shown = CliRunner().invoke(app, ["simulate", "--batch", str(path)]).stdout
    assert shown.isascii()
    assert len(shown.splitlines()) == 1
    assert json.loads(shown)["id"] == document["id"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.data())
def test_any_line_is_answered(data: st.DataObject) -> None:
    """Whatever JSON stands at any place of a line, the answer is a decision or an error about the line itself."""
    document = json.loads(line("a", aws_username="ana"))
    place = document
    while isinstance(place, dict | list) and place:
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        if data.draw(st.booleans()) or not isinstance(place[key], dict | list):
            place[key] = data.draw(JSON)
            break
        place = place[key]
    found = answer(json.dumps(document).encode(), unknown_context=False, derive_context=True)
    assert found["decision"] in {None, "allow", "implicit_deny", "explicit_deny", "undetermined"}
    assert not str(found.get("error") or "").startswith("internal error")
    assert bool(found.get("error")) is (found["decision"] is None)
