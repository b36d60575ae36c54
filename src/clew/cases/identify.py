"""What is seen, and since when, read from the evidence where nobody said it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from clew.audit.resources import moment
from clew.cases import folder as case_folder
from clew.cases.model import Kept, Seen
from clew.errors import InputError
from clew.events.paths import text_at
from clew.explain.operational.symptoms import Kind, of_error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from clew.cases.model import Case

# An error that somebody pasted is short; a log holds errors of others too.
_LONGEST_LINES = 20


def identified(case: Case, folder: Path) -> Case:
    """The case with symptoms and time from a refused call, else symptoms from a short text, where none were said."""
    for each in case.evidence:
        if each.kind is Kept.EVENT:
            event = _event(folder, case, each.id)
            case = _with_event(case, event) if text_at(event, "errorCode") else case
    if case.symptoms:
        return case
    texts = (_text(folder, case, each.id) for each in case.evidence if each.kind in {Kept.LOG, Kept.REFUSAL})
    found = next((told for text in texts if (told := of_error(text))), ())
    return replace(case, symptoms=tuple(Seen(each.kind, each.port, each.text) for each in found))


def _with_event(case: Case, event: Mapping[str, object]) -> Case:
    words = f"{text_at(event, 'errorCode')}: {text_at(event, 'errorMessage')}".rstrip(": ")
    known = {seen.kind for seen in case.symptoms}
    more = () if Kind.DENIED in known else (Seen(Kind.DENIED, 0, words[:300]),)
    since = case.since or moment(text_at(event, "eventTime"))
    return replace(case, symptoms=(*case.symptoms, *more), since=since)


def _event(folder: Path, case: Case, identity: str) -> Mapping[str, object]:
    try:
        value = json.loads(_bytes(folder, case, identity))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _text(folder: Path, case: Case, identity: str) -> str:
    text = _bytes(folder, case, identity).decode("utf-8", "replace")
    return text if text.count("\n") <= _LONGEST_LINES else ""


def _bytes(folder: Path, case: Case, identity: str) -> bytes:
    piece = case.piece(identity)
    try:
        return case_folder.piece(folder, piece) if piece else b""
    except InputError:
        return b""
