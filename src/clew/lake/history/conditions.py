"""Pieces of a WHERE clause with their parameters, so that no text of a user or an attacker becomes SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.lake.reader import Part


@dataclass(frozen=True, slots=True)
class Condition:
    """An SQL condition and the values of its `?` placeholders, in order."""

    sql: str
    parameters: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time: the data files that reach into it, and the condition on a record's time.

    Units: epoch microseconds; `end` is not included.
    """

    part: Part
    first: int
    end: int
    condition: Condition


TRUE = Condition("true")
FALSE = Condition("false")


def is_in(expression: str, values: Iterable[object]) -> Condition:
    """The expression equals one of the values; FALSE when there is none.

    >>> is_in("eventname", ["A", "B"])
    Condition(sql='eventname IN (?, ?)', parameters=('A', 'B'))
    """
    listed = tuple(values)
    if not listed:
        return FALSE
    return Condition(f"{expression} IN ({', '.join('?' * len(listed))})", listed)


def among(column: str, values: Iterable[object]) -> Condition:
    """As `is_in`, decided while the column is read: of a row that fails nothing else is read.

    Of a list DuckDB takes only the least and the greatest value into the scan, a CASE it takes whole. (Requests and
    answers of the calls that issue credentials, in a million events: 386 CPU ms as a list, 172 so.)
    """
    listed = is_in(column, values)
    if len(listed.parameters) <= 1:
        return listed  # an equality, which is taken whole
    whole = Condition(f"CASE WHEN {listed.sql} THEN true ELSE false END", listed.parameters)
    return all_of([listed, whole])


def equals(expression: str, value: object) -> Condition:
    """The expression equals the value."""
    return Condition(f"{expression} = ?", (value,))


_MOST_TIMES = 200


def at_times(micros: Iterable[int]) -> Condition:
    """The record's time is one of these (epoch microseconds); where they are many, it lies between first and last."""
    distinct = sorted(set(micros))
    if len(distinct) <= _MOST_TIMES:
        return Condition(
            f"eventtime IN ({', '.join(['make_timestamptz(?)'] * len(distinct))})", tuple(distinct)
        )
    return between(distinct[0], distinct[-1])


def between(first: int, last: int) -> Condition:
    """The record's time lies between the two (epoch microseconds), both included."""
    return Condition("eventtime BETWEEN make_timestamptz(?) AND make_timestamptz(?)", (first, last))


def all_of(conditions: Iterable[Condition]) -> Condition:
    """Every one of the conditions; TRUE when there is none."""
    return _joined(conditions, " AND ", TRUE)


def any_of(conditions: Iterable[Condition]) -> Condition:
    """At least one of the conditions; FALSE when there is none."""
    return _joined(conditions, " OR ", FALSE)


def _joined(conditions: Iterable[Condition], word: str, empty: Condition) -> Condition:
    listed = tuple(conditions)
    if not listed:
        return empty
    if len(listed) == 1:
        return listed[0]
    sql = word.join(condition.sql for condition in listed)
    return Condition(f"({sql})", tuple(value for condition in listed for value in condition.parameters))
