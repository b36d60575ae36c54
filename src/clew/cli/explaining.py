"""How `clew explain` finds what to explain, and prints it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.cli import context, state_files, times
from clew.cli.fix_forms import chosen, written
from clew.errors import InputError, UsageError
from clew.explain.cause import CauseId
from clew.explain.explanation import of_event, of_text, proved
from clew.reach.predict import Predictor
from clew.report import explanation_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clew.cli.fix_forms import Form
    from clew.explain.decoded_message import Decoded
    from clew.explain.explanation import Decode, Explanation
    from clew.lake.reader import Lake


_OPEN = frozenset({CauseId.DEPENDS, CauseId.POLICIES_ALLOW, CauseId.UNKNOWN, CauseId.MESSAGE_ONLY})


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of one invocation."""

    text: str | None
    event: str | None
    since: str | None
    policies: tuple[str, ...]
    as_json: bool
    decode: bool = False
    profile: str | None = None
    fix_as: Form | None = None
    fix: int = 1


def answer(asked: Asked) -> int:
    """Explain what was asked about and print it; the exit code."""
    if sum(given is not None for given in (asked.text, asked.event, asked.since)) != 1:
        raise UsageError("give one of: the text of a refusal, `--event ID`, `--since TIME`")
    predictor = _predictor(asked.policies)
    found = tuple(_explanations(asked, predictor))
    if asked.since is None:
        found = tuple(_in_full(each, predictor, asked) for each in found)
    if asked.fix_as is not None:
        return _fix_alone(found, asked.fix_as, asked.fix)
    if asked.as_json:
        documents = [explanation_text.document(each) for each in found]
        sys.stdout.write(json.dumps({"explanations": documents}, indent=2) + "\n")
    elif asked.since is not None:
        sys.stdout.write(explanation_text.grouped(found))
    else:
        sys.stdout.write(explanation_text.render(found, color=context.use_color()))
    return _code(found)


def _in_full(each: Explanation, predictor: Predictor | None, asked: Asked) -> Explanation:
    """The explanation joined with the lake, where there is one, and with what its fixes newly allow."""
    from clew.explain.history import joined

    lake = _lake_or_none()
    if lake is not None:
        event = next(_records(replace(asked, event=each.event_id)), None) if asked.event else None
        each, predictor = joined(each, lake, predictor, event)
    return each if asked.fix_as is not None else proved(each, predictor, every=asked.as_json)


def _lake_or_none() -> Lake | None:
    from clew.lake.manifest import CATALOG_NAME
    from clew.lake.reader import open_lake

    path = context.workspace().lake_path
    return open_lake(path) if (path / CATALOG_NAME).is_file() else None


def _fix_alone(found: Sequence[Explanation], form: Form, number: int) -> int:
    fix = chosen(found, number)
    request = found[0].request
    if request is not None:
        for line in written(fix, form, request):
            sys.stdout.write(f"{context.printable(line)}\n")
    return context.EXIT_CLEAN


def _code(found: Sequence[Explanation]) -> int:
    return context.EXIT_PARTIAL if any(each.cause.id in _OPEN for each in found) else context.EXIT_CLEAN


def _predictor(policies: tuple[str, ...]) -> Predictor | None:
    files = state_files.chosen_if_any(policies)
    return Predictor(state_files.snapshot(files)) if files else None


def _explanations(asked: Asked, predictor: Predictor | None) -> Iterator[Explanation]:
    if asked.text is not None:
        text = sys.stdin.read() if asked.text == "-" else asked.text
        yield from _of_text(text, predictor, _decoder(asked) if asked.decode else None)
    else:
        for record in _records(asked):
            yield (
                _of_record(record, predictor)
                if asked.event is not None
                else of_event(record, predictor, with_fixes=asked.as_json)
            )


def _of_record(record: Mapping[str, object], predictor: Predictor | None) -> Explanation:
    """One recorded call, with what the lake has around it."""
    from clew.cli.surroundings import around
    from clew.explain.around import explained
    from clew.lake.reader import open_lake

    return explained(record, around(open_lake(context.workspace().lake_path), record), predictor)


def _decoder(asked: Asked) -> Decode:
    """Asks STS what an encoded message says; what it refuses is noted, and the message stays encoded."""
    from clew.collect.decode import decoded_message
    from clew.collect.session import Account
    from clew.explain.decoded_message import read

    def decode(token: str) -> Decoded | None:
        try:
            return read(decoded_message(Account(asked.profile), token))
        except InputError as error:
            context.note(f"the encoded message stays encoded: {error}")
            return None

    return decode


def _of_text(text: str, predictor: Predictor | None, decode: Decode | None) -> tuple[Explanation, ...]:
    """A recorded event, or any text with refusals in it."""
    record = _record(text)
    if record is not None:
        return (of_event(record, predictor),)
    try:
        found = of_text(text, predictor, decode)
    except ValueError as error:
        raise InputError(str(error)) from error
    if not found:
        raise InputError(
            "no refusal is found in the text; expected an access-denied message or a CloudTrail record"
        )
    return found


def _record(text: str) -> Mapping[str, object] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and "eventName" in value else None


def _records(asked: Asked) -> Iterator[Mapping[str, object]]:
    """The refused calls of the lake that were asked about."""
    from clew.lake.history.filters import Filters
    from clew.lake.history.search import originals
    from clew.lake.reader import open_lake

    if asked.event is not None:
        wanted = Filters(event_ids=(asked.event.strip(),))
    else:
        wanted = Filters(denied=True, since=times.moment(asked.since or "now", datetime.now(UTC)))
    texts = list(originals(open_lake(context.workspace().lake_path), wanted, limit=0))
    if not texts and asked.event is not None:
        raise InputError(f"no event `{asked.event}` is in the lake")
    yield from (json.loads(text) for text in texts)
