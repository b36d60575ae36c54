"""Answers of `clew simulate` kept as audit evidence: dated, with the question, and the hash of every input."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from clew import __version__
from clew.aws.catalog import current
from clew.errors import InputError
from clew.report import decision_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from clew.cli.simulation_inputs import Question
    from clew.report.decision import Answer


def save(name: str, posed: Question, answers: Sequence[Answer], now: datetime) -> None:
    """Write the evidence to a new file; a file that exists is never overwritten. Errors: `InputError`."""
    text = json.dumps(evidence(posed, answers, now), indent=2)
    try:
        with Path(name).open("x", encoding="utf-8") as stream:
            stream.write(f"{text}\n")
    except FileExistsError as error:
        raise InputError(f"`{name}` exists already; evidence is never overwritten") from error
    except OSError as error:
        raise InputError(f"`{name}` cannot be written: {(error.strerror or str(error)).lower()}") from error


def evidence(posed: Question, answers: Sequence[Answer], now: datetime) -> dict[str, object]:
    """What was asked, of which inputs, when, and what was answered; `sha256` is that of everything else in it.

    The hash is that of the JSON text with sorted keys and without white space, so that anyone can recompute it.
    """
    body: dict[str, object] = {
        "evidence": "clew simulate",
        "clew": __version__,
        "catalog": str(current().source),
        "created": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "question": {
            "principal": posed.principal,
            "requests": [{"action": action, "resource": resource} for action, resource in posed.pairs],
            "resource_account": posed.resource_account,
            "context": {key: _shown(value) for key, value in posed.carried.values.items()},
            "absent": list(posed.carried.absent),
            "context_complete": posed.complete,
            "only": list(posed.choice.only),
            "without": list(posed.choice.without),
        },
        "inputs": [
            {"file": source.file, "sha256": source.sha256, "size_bytes": source.size_bytes}
            for source in posed.files
        ],
        "answers": [decision_json.to_dict(answer) for answer in answers],
    }
    return {**body, "sha256": digest(body)}


def digest(body: Mapping[str, object]) -> str:
    """The SHA-256 of the JSON with sorted keys and without white space.

    >>> digest({})
    '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
    """
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _shown(value: str | tuple[str, ...]) -> str | list[str]:
    return value if isinstance(value, str) else list(value)
