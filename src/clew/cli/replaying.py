"""How `clew replay` reads calls and policies, and prints the comparison."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.cli import context, state_files, times
from clew.cli.streams import opened
from clew.errors import InputError, UsageError
from clew.events.paths import text_at
from clew.events.times import parse_time
from clew.explain.replay import Comparison, replay_all
from clew.lake.manifest import CATALOG_NAME
from clew.reach.predict import Predictor
from clew.report import replay_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from clew.explain.replay import Replay
    from clew.explain.replay_times import Then


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of one invocation."""

    policies: tuple[str, ...]
    events: str | None
    users: tuple[str, ...]
    event_names: tuple[str, ...]
    since: str | None
    until: str | None
    as_json: bool


def answer(asked: Asked) -> int:
    """Replay the calls, print what came of it; the exit code."""
    predictor = _predictor(asked)
    found = replay_all(_lines(asked) if asked.events else _stored(asked), predictor, _times(predictor))
    if asked.as_json:
        sys.stdout.write(json.dumps(replay_text.document(found), indent=2) + "\n")
    else:
        sys.stdout.write(replay_text.render(found))
    return _code(found)


def _code(found: Replay) -> int:
    if found.comparisons.get(Comparison.DISAGREES):
        return context.EXIT_FINDINGS
    return context.EXIT_CLEAN if found.comparisons.get(Comparison.AGREES) else context.EXIT_PARTIAL


def _predictor(asked: Asked) -> Predictor | None:
    files = state_files.chosen_if_any(asked.policies)
    if not files:
        context.note("no policies are given: every prediction is unknown; name a snapshot with `--policies`")
        return None
    return Predictor(state_files.snapshot(files))


def _times(predictor: Predictor | None) -> Callable[[Mapping[str, object]], Then] | None:
    """What predicts a call by the policies of its time, where the workspace's lake holds configuration items."""
    if predictor is None or not (context.workspace().lake_path / CATALOG_NAME).is_file():
        return None
    from clew.explain.replay_times import Then, Times
    from clew.lake.reader import open_lake

    times = Times(open_lake(context.workspace().lake_path), predictor.snapshot)
    if not times.items:
        return None
    context.note(f"policies as of the time of each call, from {times.items:,} configuration items")

    def at(event: Mapping[str, object]) -> Then:
        time = parse_time(text_at(event, "eventTime"))
        return Then(predictor, {}) if time is None else times.at(time)

    return at


def _stored(asked: Asked) -> Iterator[Mapping[str, object]]:
    """The calls in the lake."""
    from clew.lake.history.filters import Filters
    from clew.lake.history.search import originals
    from clew.lake.reader import open_lake

    now = datetime.now(UTC)
    wanted = Filters(
        users=asked.users,
        event_names=asked.event_names,
        since=times.moment(asked.since, now) if asked.since else None,
        until=times.end(asked.until, now) if asked.until else None,
    )
    texts = originals(open_lake(context.workspace().lake_path), wanted, limit=0, newest_first=False)
    yield from (json.loads(text) for text in texts)


def _lines(asked: Asked) -> Iterator[Mapping[str, object]]:
    """The calls of a file of JSON lines."""
    if asked.users or asked.event_names or asked.since or asked.until:
        raise UsageError(
            "`--events` takes every record; `--user`, `--event-name`, `--since`, `--until` ask the lake"
        )
    with opened(asked.events or "-") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                event = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InputError(f"{asked.events}:{number}: not JSON: {str(error).lower()}") from error
            if not isinstance(event, dict):
                raise InputError(f"{asked.events}:{number}: expected one CloudTrail record on each line")
            yield event
