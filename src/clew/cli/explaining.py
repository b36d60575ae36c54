"""How `clew explain` finds what to explain, and prints it."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.cli import context, state_files, times
from clew.cli.fix_forms import chosen, written
from clew.errors import InputError, UsageError
from clew.explain.asked_for import Told
from clew.explain.cause import CauseId
from clew.explain.explanation import of_event, of_text, proved
from clew.explain.given_records import records
from clew.reach.predict import Predictor
from clew.report import explanation_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clew.cli.fix_forms import Form
    from clew.explain.decoded_message import Decoded
    from clew.explain.explanation import Decode, Explanation
    from clew.lake.reader import Lake


# What a fix newly allows takes 0.1 to 0.3 s for each refusal, and its history as much.
_MOST_IN_FULL = 10
# Words of a refusal that tables break over lines between others.
_BROKEN = re.compile(r"is\s+not\s+auth|not\s+authorized", re.IGNORECASE)
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
    principal: str = ""
    resource: str = ""


@dataclass(frozen=True, slots=True)
class _Made:
    """An explanation, the record that it is of, and those around it."""

    explanation: Explanation
    record: Mapping[str, object] | None = None
    others: tuple[Mapping[str, object], ...] = ()


def answer(asked: Asked) -> int:
    """Explain what was asked about and print it; the exit code."""
    if sum(given is not None for given in (asked.text, asked.event, asked.since)) != 1:
        raise UsageError("give one of: the text of a refusal, `--event ID`, `--since TIME`")
    if asked.text is None and (asked.principal or asked.resource):
        raise UsageError(
            "`--principal` and `--resource` complete the text of a refusal; a record says both itself"
        )
    predictor = _predictor(asked.policies)
    lake = _lake(asked, predictor)
    made = tuple(_explanations(asked, predictor, lake))
    if asked.since is None:
        made = (*_in_full(made[:_MOST_IN_FULL], predictor, asked, lake), *made[_MOST_IN_FULL:])
    found = tuple(each.explanation for each in made)
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


def _in_full(
    made: Sequence[_Made], predictor: Predictor | None, asked: Asked, lake: Lake | None
) -> Iterator[_Made]:
    """The explanations joined with the lake, where there is one, and with what their fixes newly allow."""
    for each in made:
        found, used = each.explanation, predictor
        if lake is not None and predictor is not None:
            from clew.explain.history import joined

            found, used = joined(found, lake, predictor, each.record, each.others)
        is_told = asked.fix_as is None
        yield _Made(proved(found, used, every=asked.as_json) if is_told else found, each.record)


def _lake(asked: Asked, predictor: Predictor | None) -> Lake | None:
    """The lake that is asked, opened once; None where a text is explained without one."""
    from clew.lake.manifest import CATALOG_NAME

    path = context.workspace().lake_path
    if asked.text is not None and (predictor is None or not (path / CATALOG_NAME).is_file()):
        return None
    from clew.lake.reader import open_lake

    return open_lake(path).keeping()


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


def _explanations(asked: Asked, predictor: Predictor | None, lake: Lake | None) -> Iterator[_Made]:
    """Each explanation with the record behind it, where that is no text."""
    if asked.event is not None and lake is not None:
        yield from (_of_record(record, predictor, lake) for record in _records(asked, lake))
        return
    if asked.text is None and lake is not None:
        # Many refusals are told by their causes alone.
        found = _records(asked, lake)
        made = [_Made(of_event(each, predictor, with_fixes=False), each) for each in found]
        yield from _with_fixes_once(made, predictor) if asked.as_json else made
        return
    text = sys.stdin.read() if asked.text == "-" else asked.text or ""
    given = records(text)
    if given:
        yield from (_of_record(each, predictor, lake) for each in _refused(given))
        return
    decode = _decoder(asked) if asked.decode else None
    for each in _of_text(text, predictor, decode, Told(asked.principal, asked.resource)):
        recorded = _recorded(each, lake)
        yield _Made(each) if recorded is None else _of_record(recorded, predictor, lake)


def _recorded(each: Explanation, lake: Lake | None) -> Mapping[str, object] | None:
    """The call of which a text tells, where the lake has the one of its request id: a record tells more."""
    if lake is None or each.denial is None or not each.denial.request_id:
        return None
    from clew.lake.history.filters import Filters
    from clew.lake.history.search import originals

    found = [json.loads(text) for text in originals(lake, Filters(request_ids=(each.denial.request_id,)))]
    return next((record for record in found if record.get("errorCode")), None)


def _with_fixes_once(made: Sequence[_Made], predictor: Predictor | None) -> Iterator[_Made]:
    """The same with the fixes of the first of each cause: those of others are like them, and take 10 ms each."""
    seen: set[tuple[CauseId, str]] = set()
    for each in made:
        cause = each.explanation.cause
        is_first = (cause.id, cause.sentence) not in seen
        seen.add((cause.id, cause.sentence))
        is_new = is_first and each.record is not None
        yield _Made(of_event(each.record or {}, predictor), each.record) if is_new else each


def _of_record(record: Mapping[str, object], predictor: Predictor | None, lake: Lake | None) -> _Made:
    """One recorded call, with what the lake, if there is one, has around it."""
    if lake is None:
        return _Made(of_event(record, predictor), record)
    from clew.cli.surroundings import around
    from clew.explain.around import explained

    others = around(lake, record)
    return _Made(explained(record, others, predictor), record, tuple(others))


def _decoder(asked: Asked) -> Decode:
    """Asks STS what an encoded message says; what it refuses is noted, and the message stays encoded."""
    from clew.collect.decode import decoder
    from clew.collect.session import Account
    from clew.explain.decoded_message import read

    asking = decoder(Account(asked.profile))

    def decode(token: str) -> Decoded | None:
        try:
            return read(asking(token))
        except InputError as error:
            context.note(f"the encoded message stays encoded: {error}")
            return None

    return decode


def _of_text(
    text: str, predictor: Predictor | None, decode: Decode | None, told: Told
) -> tuple[Explanation, ...]:
    """Any text with refusals in it."""
    try:
        found = of_text(text, predictor, decode, told)
    except ValueError as error:
        raise InputError(str(error)) from error
    if found:
        return found
    if _BROKEN.search(text):
        raise InputError(
            "a refusal in the text is broken in columns, as in a table; give it as it was written, "
            "from `aws cloudformation describe-stack-events` or the log"
        )
    raise InputError(
        "no refusal is found in the text; expected an access-denied message or a CloudTrail record"
    )


def _refused(found: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Those that were refused, or the only one. Errors: `InputError` where none of several was."""
    refused = [each for each in found if each.get("errorCode")]
    if not refused and len(found) > 1:
        raise InputError(f"none of the {len(found)} records is of a call that failed")
    return refused or list(found)


def _records(asked: Asked, lake: Lake) -> Iterator[Mapping[str, object]]:
    """The refused calls of the lake that were asked about."""
    from clew.lake.history.filters import Filters
    from clew.lake.history.search import originals

    if asked.event is not None:
        wanted = Filters(event_ids=(asked.event.strip(),))
    else:
        wanted = Filters(denied=True, since=times.moment(asked.since or "now", datetime.now(UTC)))
    texts = list(originals(lake, wanted, limit=0))
    if not texts and asked.event is not None:
        raise InputError(f"no event `{asked.event}` is in the lake")
    yield from (json.loads(text) for text in texts)
