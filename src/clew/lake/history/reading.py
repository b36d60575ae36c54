"""Read records in order of time: the data files of one stretch of time after another, a chunk of records at a time.

Times come first and texts second: DuckDB 2.0 would otherwise carry every candidate's text through the sort (measured on
1,000,000 events: out of memory at 512 MB; this way 10 to 40 ms). Its own remedy, late materialisation, fails on filters
over parts of a struct (an internal error: "Vector::Reference used on vector of different type"), so it is switched off.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from clew.lake.history.conditions import TRUE, Condition, Window, all_of, any_of
from clew.lake.history.entries import Origin, Stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import duckdb

    from clew.lake.manifest import DataFile
    from clew.lake.reader import Lake

_LARGEST_CHUNK = 10_000
_DAY_MICROS = 86_400_000_000
_FIRST_PART_MICROS = _DAY_MICROS // 4
# What the first day does not fill is mostly rare. A million events of a week, what one key did: 107 ms by twos, 95 so.
_GROWTH = 8
# So many records more are looked at, so that those of one time mostly come together.
_TIES = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reading:
    """A DuckDB over a lake, the CloudTrail data files in which to look, and the order; to be closed, as by `with`."""

    lake: Lake
    files: Sequence[DataFile]
    connection: duckdb.DuckDBPyConnection
    newest_first: bool = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def window(self, first: int, end: int) -> Window:
        """From the one time to before the other (epoch microseconds), over all files of the lake."""
        return self._window(self.lake.files("cloudtrail"), first, end)

    def _window(self, files: Iterable[DataFile], first: int, end: int) -> Window:
        condition = Condition(
            "eventtime >= make_timestamptz(?) AND eventtime < make_timestamptz(?)", (first, end)
        )
        return Window(self.lake.part("cloudtrail", reaching(files, first, end)), first, end, condition)

    def windows(self, *, is_dear: bool = False) -> Iterator[Window]:
        """The days in growing groups, in the order of reading: a page is mostly full after the first day or two.

        Where the question is dear, because it reads open-ended texts, the first day comes in two parts. (A bucket of
        which many of a million events tell: 119 CPU ms for the first day, 80 for six hours of it.)
        """
        days = sorted({file.day for file in self.files if file.day}, reverse=self.newest_first)
        start, size = 0, 1
        while start < len(days):
            group = sorted(days[start : start + size])
            begin, end = _micros(group[0]), _micros(group[-1]) + _DAY_MICROS
            if is_dear and start == 0:
                edge = end - _FIRST_PART_MICROS if self.newest_first else begin + _FIRST_PART_MICROS
                yield self._window(self.files, *((edge, end) if self.newest_first else (begin, edge)))
                begin, end = (begin, edge) if self.newest_first else (edge, end)
            yield self._window(self.files, begin, end)
            start, size = start + size, size * _GROWTH

    def chunks(self, window: Window, condition: Condition, first: int) -> Iterator[Sequence[Stored]]:
        """The window's records that fulfil the condition, in order; `first` is how many are expected to be read."""
        size, after = max(first, 1), TRUE
        while True:
            chunk = self._chunk(window, all_of([condition, after]), size)
            if chunk:
                yield chunk
            if len(chunk) < size:
                break
            after = _beyond(chunk[-1], newest_first=self.newest_first)
            size = min(size * _GROWTH, _LARGEST_CHUNK)

    def _chunk(self, window: Window, condition: Condition, size: int) -> Sequence[Stored]:
        places: defaultdict[str, list[int]] = defaultdict(list)
        for _, path, number in self._places(window, all_of([window.condition, condition]), size):
            places[path].append(number)
        columns = (
            "epoch_us(eventtime), record_id, source, record_number, eventjson, coalesce(conflict, false)"
        )
        rows = window.part.rows_at(self.connection, columns, places)
        found = [Stored(row[0], row[1], row[4], row[5], Origin(row[2], "", row[3])) for row in rows]
        sign = -1 if self.newest_first else 1
        return sorted(found, key=lambda stored: (sign * stored.micros, *_identity(stored)))[:size]

    def _places(self, window: Window, condition: Condition, size: int) -> Sequence[tuple[int, str, int]]:
        """Time, file and row number of the first `size` records, and of all that have the time of the last of them."""
        order = "DESC" if self.newest_first else "ASC"
        limit = size + _TIES
        while True:
            rows = self.connection.execute(
                f"SELECT epoch_us(eventtime), filename, file_row_number FROM ({window.part.query}) "
                f"WHERE {condition.sql} ORDER BY eventtime {order} LIMIT {limit}",
                condition.parameters,
            ).fetchall()
            last = rows[:size][-1][0] if rows else None
            if len(rows) < limit or rows[-1][0] != last:
                return [*rows[:size], *(row for row in rows[size:] if row[0] == last)]
            limit *= _GROWTH

    def paths(self, sources: Iterable[str]) -> Mapping[str, str]:
        """Where the files of these names (SHA-256) were found."""
        wanted = sorted(set(sources))
        if not wanted:
            return {}
        rows = self.connection.execute(
            f"SELECT source, min(path) FROM raw_sources WHERE source IN ({', '.join('?' * len(wanted))}) "
            "GROUP BY source",
            wanted,
        ).fetchall()
        return {str(source): str(path) for source, path in rows}


def read(lake: Lake, files: Iterable[DataFile], *, newest_first: bool = True) -> Reading:
    """A reading of these CloudTrail data files, as the lake's manifest lists them."""
    connection = lake.connect(tables=("cloudtrail", "sources"))
    connection.execute("SET disabled_optimizers = 'late_materialization'")
    # Or the arms of a union are read one after the other; rows are put in order here.
    connection.execute("SET preserve_insertion_order = false")
    return Reading(lake, lake.found(files), connection, newest_first)


def reaching(files: Iterable[DataFile], first: int | None, end: int | None) -> list[DataFile]:
    """The files that may hold a record from the one time to before the other."""
    return [
        file
        for file in files
        if (end is None or file.min_time is None or file.min_time < end)
        and (first is None or file.max_time is None or file.max_time >= first)
    ]


def _micros(day: str) -> int:
    return (datetime.fromisoformat(day).replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


def _identity(stored: Stored) -> tuple[str, str, int]:
    return stored.record_id, stored.origin.source, stored.origin.record_number


def _beyond(last: Stored, *, newest_first: bool) -> Condition:
    """What comes after the record in the order of reading."""
    operator = "<" if newest_first else ">"
    later = Condition(f"eventtime {operator} make_timestamptz(?)", (last.micros,))
    same = Condition(
        "eventtime = make_timestamptz(?) AND (record_id, source, record_number) > (?, ?, ?)",
        (last.micros, *_identity(last)),
    )
    # The first condition prunes files and row groups; the second is exact.
    return all_of(
        [Condition(f"eventtime {operator}= make_timestamptz(?)", (last.micros,)), any_of([later, same])]
    )
