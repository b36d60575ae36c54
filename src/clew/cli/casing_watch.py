"""Whether a closed case came back, by what the workspace holds of the time since: refused calls and findings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.cases.evidence import held
from clew.cases.model import Kept
from clew.cases.verifying import Seen
from clew.cli import casing_evidence, context
from clew.errors import ClewError
from clew.events.paths import text_at
from clew.findings import Status
from clew.store import documents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from clew.cli.casing import Opened
    from clew.findings import Finding


def since_closing(found: Opened, at: datetime) -> Seen:
    """What came back since the case was closed, what worked, or why nobody can tell."""
    closing = found.case.closing
    if closing is None:
        return Seen()
    calls = tuple(_calls(found, closing.at))
    again = tuple(words for is_refused, words in calls if is_refused)
    works = tuple(words for is_refused, words in calls if not is_refused)
    return Seen((*again, *_findings(found, closing.at, at)), works, _unseen(found, closing.at))


def _calls(found: Opened, since: datetime) -> Iterator[tuple[bool, str]]:
    """Whether the call was refused to the same caller again, or went through, in words."""
    lake = casing_evidence.lake()
    events = held(found.case, found.folder).events
    if lake is None or not events:
        return
    from clew.events.outcome import Result
    from clew.lake.history.filters import Filters
    from clew.lake.history.search import find

    for _, event in events:
        name, who = text_at(event, "eventName"), text_at(event, "userIdentity", "arn")
        entries = find(lake, Filters(event_names=(name,), since=since), limit=500).entries
        same = [each for each in entries if each.who.arn == who]
        for result, words in ((Result.DENIED, "was refused to"), (Result.SUCCESS, "went through for")):
            chosen = [each for each in same if each.outcome.result is result]
            if chosen:
                last = documents.moment(chosen[0].time)
                yield result is Result.DENIED, f"{name} {words} {who} {len(chosen)} times since, last {last}"


def _findings(found: Opened, since: datetime, at: datetime) -> Iterator[str]:
    for each in (piece for piece in found.case.evidence if piece.kind is Kept.FINDING):
        from clew.store.database import Database
        from clew.store.findings import kept_finding

        try:
            identity = documents.decode(json.loads((found.folder / each.file).read_text(encoding="utf-8"))).id
            with Database(context.workspace().state_path, create=False) as database:
                kept, _ = kept_finding(database, identity, at)
        except (ClewError, OSError, ValueError, KeyError, TypeError) as error:
            context.note(f"{each.id}: {error}")
            continue
        if _came_back(kept.finding, kept.last_detected, since):
            yield f"finding {identity} is active again: {kept.finding.title}"


def _came_back(finding: Finding, detected: datetime, since: datetime) -> bool:
    return finding.status is Status.ACTIVE and detected > since


def _unseen(found: Opened, since: datetime) -> str:
    """Why the records cannot tell; empty where they hold something of the time since."""
    lake = casing_evidence.lake()
    if lake is None:
        return "there is no lake to look in: ingest the CloudTrail of the time since, or attach new evidence"
    from clew.lake.history.filters import Filters
    from clew.lake.history.search import find

    if not find(lake, Filters(since=since), limit=1).entries:
        return "the lake holds no record of the time since the case was closed; ingest it, or attach new evidence"
    if not any(each.kind is Kept.EVENT for each in found.case.evidence):
        return "no record can show this fault; attach new evidence"
    return "the same call was not refused again in what the lake holds; that is no proof for what it does not hold"
