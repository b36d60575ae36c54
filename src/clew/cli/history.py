"""The answers of `clew events`: one question to the lake, then the rows in the form that was asked for."""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from clew.aws import arn as arns
from clew.cli import context, history_rows, history_table
from clew.cli.history_options import Output
from clew.cli.history_table import blind_spot_lines
from clew.errors import UsageError
from clew.lake.history.effects import Effect
from clew.lake.history.filters import event_sources
from clew.lake.history.search import find, last_root_sign_in, last_root_use, originals, suggestions
from clew.lake.reader import open_lake
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clew.lake.access_join import Request
    from clew.lake.coverage import BlindSpot, Question
    from clew.lake.history.filters import Filters
    from clew.lake.history.search import Page
    from clew.lake.reader import Lake


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the form of its answer."""

    wanted: Filters
    limit: int
    newest_first: bool
    output: Output


def texts(given: Sequence[str] | None) -> tuple[str, ...]:
    """The values of a repeatable option."""
    return tuple(given or ())


def read_only(*, read: bool, write: bool) -> bool | None:
    """Whether reads are asked for (True), other calls (False) or both (None)."""
    if read and write:
        raise UsageError("`--read-only` and `--write-only` exclude each other")
    return True if read else False if write else None


def check_window(wanted: Filters) -> None:
    """UsageError where no moment lies between `--since` and `--until`."""
    if wanted.since and wanted.until and wanted.since >= wanted.until:
        since, until = (
            f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" for moment in (wanted.since, wanted.until)
        )
        raise UsageError(f"`--until` ({until}) is not after `--since` ({since})")


def effects(*, created: bool, changed: bool, deleted: bool) -> tuple[Effect, ...]:
    """The effects that the options name; a change of permissions is a change."""
    chosen = {
        (Effect.CREATED,): created,
        (Effect.CHANGED, Effect.PERMISSIONS): changed,
        (Effect.DELETED,): deleted,
    }
    return tuple(effect for group, is_asked in chosen.items() if is_asked for effect in group)


def answer(asked: Asked) -> None:
    """Print the events that the filters let through, or what the lake cannot have seen."""
    lake = open_lake(context.workspace().lake_path)
    page = find(lake, asked.wanted, limit=asked.limit, newest_first=asked.newest_first)
    requests = _joined(lake, asked.wanted)
    is_found = bool(page.entries or any(joined.lines for joined in requests))
    spots = () if is_found else _blind_spots(lake, asked.wanted)
    if asked.output is Output.TABLE:
        hints = () if is_found else suggestions(lake, asked.wanted)
        _print_table(
            asked,
            page,
            requests,
            (*(f"did you mean {terminal(hint)}?" for hint in hints), *blind_spot_lines(spots)),
        )
    elif asked.output is Output.JSON:
        _print([history_rows.dumped(_document(page, requests, spots))])
    else:
        _print_rows(asked, page, spots)
    if asked.wanted.resources:
        _remember_words(lake)


def _remember_words(lake: Lake) -> None:
    """Make the next question for a resource quicker, when this one is answered."""
    sys.stdout.flush()
    from clew.lake.history.words import is_worth_keeping

    if not is_worth_keeping(lake):
        return
    from clew.lake.history.word_filters import remember

    context.note("keeping the words of this lake, once, so that the next question for a resource is quicker")
    remember(lake)


def _joined(lake: Lake, wanted: Filters) -> tuple[Request, ...]:
    """Both logs of each asked request, where the lake holds server access lines."""
    if not wanted.request_ids or not lake.files("s3_access"):
        return ()
    from clew.lake.access_join import join

    return tuple(joined for joined in (join(lake, name) for name in wanted.request_ids) if joined.lines)


def _blind_spots(lake: Lake, wanted: Filters, *, global_calls: bool = False) -> tuple[BlindSpot, ...]:
    from clew.lake.coverage import blind_spots

    return blind_spots(lake, question(wanted, global_calls=global_calls))


def question(wanted: Filters, *, global_calls: bool = False) -> Question:
    """The filters as far as they decide which evidence would hold the answer."""
    from clew.lake.coverage import Question

    sources = event_sources(wanted.event_sources)
    asks_for_root = any(name.strip("<>").lower() == "root" for name in wanted.users)
    is_global = not {"iam.amazonaws.com", "organizations.amazonaws.com"}.isdisjoint(sources)
    return Question(
        since=wanted.since,
        until=wanted.until,
        accounts=(*wanted.accounts, *_accounts_of(wanted.users)),
        regions=wanted.regions,
        event_sources=sources,
        event_names=wanted.event_names,
        resources=wanted.resources,
        reads=wanted.read_only is not False and not wanted.effects,
        global_calls=global_calls or asks_for_root or is_global,
        any_call=True,
    )


def _accounts_of(users: Iterable[str]) -> tuple[str, ...]:
    """The accounts in the users' ARNs: what those users did at home is in the trail there."""
    return tuple(arn.account for arn in map(arns.read, users) if arn and arn.account.isdigit())


def _print_table(asked: Asked, page: Page, requests: Iterable[Request], notes: Iterable[str]) -> None:
    if page.entries:
        _print(history_table.lines(page.entries))
        _print(history_table.hints(page.entries, is_more=page.is_more, limit=asked.limit))
    else:
        _print(["no event found"])
    for joined in requests:
        _print(["", *history_table.request_lines(joined)])
    _print(notes)


def _document(page: Page, requests: Iterable[Request], spots: Iterable[BlindSpot]) -> dict[str, object]:
    return {
        "events": [history_rows.row(entry) for entry in page.entries],
        "more": page.is_more,
        "requests": [history_rows.request(joined) for joined in requests],
        "blind_spots": [history_rows.blind_spot(spot) for spot in spots],
    }


def _print_rows(asked: Asked, page: Page, spots: Iterable[BlindSpot]) -> None:
    rows = (history_rows.row(entry) for entry in page.entries)
    if asked.output is Output.CSV:
        csv.writer(sys.stdout, lineterminator="\n").writerows(history_rows.csv_lines(rows))
    else:
        _print(history_rows.dumped(row) for row in rows)
    notes = history_table.hints(page.entries, is_more=page.is_more, limit=asked.limit)
    for line in (*notes, *blind_spot_lines(spots)):
        context.note(line)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")


def write_originals(asked: Asked) -> None:
    """Write each original record, byte for byte; on a terminal, characters that could drive it are shown as escapes."""
    lake = open_lake(context.workspace().lake_path)
    records = originals(lake, asked.wanted, limit=asked.limit, newest_first=asked.newest_first)
    is_terminal = sys.stdout.isatty()
    is_found = False
    for text in records:
        is_found = True
        if is_terminal:
            sys.stdout.write("\n".join(map(terminal, text.split("\n"))) + "\n")
        else:
            sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.flush()
    if not is_found:
        context.note("no event found")
        for line in blind_spot_lines(_blind_spots(lake, asked.wanted)):
            context.note(line)


def answer_last_root_login(asked: Asked) -> None:
    """Print the root user's last successful console sign-in, else his last call and what the lake cannot have seen."""
    lake = open_lake(context.workspace().lake_path)
    sign_in = last_root_sign_in(lake, asked.wanted)
    last_use = last_root_use(lake, asked.wanted)
    spots = () if sign_in else _blind_spots(lake, asked.wanted, global_calls=True)
    if asked.output is not Output.TABLE:
        document = {
            "last_root_sign_in": history_rows.row(sign_in) if sign_in else None,
            "last_root_use": history_rows.row(last_use) if last_use else None,
            "blind_spots": [history_rows.blind_spot(spot) for spot in spots],
        }
        _print([history_rows.dumped(document)])
        return
    if sign_in:
        _print(["the root user's last sign-in to the console:", *history_table.lines([sign_in])])
    else:
        _print(["no root sign-in found"])
    if last_use and (sign_in is None or last_use.time > sign_in.time):
        _print(["the root user's last call:", *history_table.lines([last_use])])
    elif last_use is None:
        _print(["no call of the root user found either"])
    _print(blind_spot_lines(spots))
