"""`clew explain --decode` asks STS over HTTP, in AWS's wire format; a refusal leaves the message encoded."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from tests.respond.recorded_server import Recorded, query, query_error, serve
from typer.testing import CliRunner

from clew.cli.main import app

if TYPE_CHECKING:
    import pytest

_SAMPLES = Path(__file__).resolve().parent.parent.parent / "samples"
_ENCODED = "4GIOHlTkIaWHQD0Q0m6XSnuUMCm-abcdefghijklmn"
_REFUSAL = (
    "An error occurred (UnauthorizedOperation) when calling the StartInstances operation: You are not authorized to "
    f"perform this operation. Encoded authorization failure message: {_ENCODED}"
)


def _explained(
    answer: Recorded, monkeypatch: pytest.MonkeyPatch, text: str = _REFUSAL
) -> tuple[str, str, list[tuple[str, str]]]:
    with serve({"DecodeAuthorizationMessage": answer}) as told:
        for name, value in {
            "AWS_ENDPOINT_URL": told.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }.items():
            monkeypatch.setenv(name, value)
        done = CliRunner().invoke(app, ["explain", "--decode", "--policies", str(_SAMPLES / "account"), text])
        return done.stdout, done.stderr, told.asked


def test_decoded_message_tells_the_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message goes to STS as it was printed, and its context decides the condition."""
    inner = json.loads((_SAMPLES / "decoded-message.json").read_text())["DecodedMessage"]
    answer = query("DecodeAuthorizationMessage", f"<DecodedMessage>{escape(inner)}</DecodedMessage>")
    out, _, asked = _explained(answer, monkeypatch)
    assert f"EncodedMessage={_ENCODED}" in next(body for name, body in asked if name.startswith("Decode"))
    assert "`aws:SourceIp` was `198.51.100.7`" in " ".join(out.split())


def test_refused_decoding_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may not decode learns that, and gets what the message alone tells."""
    out, err, _ = _explained(query_error("AccessDenied", "no"), monkeypatch)
    assert "stays encoded: sts:DecodeAuthorizationMessage: AccessDenied: no" in err
    assert "aws sts decode-authorization-message" in out


def test_credentials_are_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a log with several encoded messages each is decoded once, by one session."""
    log = "\n\n".join(f"{_REFUSAL}{number}" for number in (1, 2, 3, 1))
    _, _, asked = _explained(query_error("AccessDenied", "no"), monkeypatch, log)
    assert [name for name, _ in asked] == ["GetCallerIdentity", *["DecodeAuthorizationMessage"] * 3]
