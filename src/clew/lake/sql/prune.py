"""Which interval of time a query can be about, so that only those files are read.

AWS's tables tell time as text or as partitions; the lake sorts by a timestamp. A condition that bounds the text bounds
the timestamp as well, so the relation is narrowed beforehand by its macro over an interval. A condition is dropped only
when the interval says exactly the same; every other one stays and narrowing only saves work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlglot import exp

from clew.lake.sql.expressions import translate
from clew.lake.sql.functions.model import Typed, call, cast, text
from clew.lake.sql.functions.times import instant
from clew.lake.sql.types import DATE, INSTANT, is_time
from clew.lake.sql.views import VIEWS, View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.lake.sql.scope import Context

_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)
_FLIPPED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.EQ: exp.EQ,
}
_TEXT_TO_TIME = frozenset({"from_iso8601_timestamp", "date_parse", "parse_datetime"})
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_NEVER, _ALWAYS = "-infinity", "infinity"


@dataclass(frozen=True, slots=True)
class Bounds:
    """An interval of time that a condition implies: from `since` (inclusive) to `before` (exclusive).

    `is_exact`: the interval says all that the condition says.
    """

    since: exp.Expr | None = None
    before: exp.Expr | None = None
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class _Relation:
    """A view in the FROM clause, under the name that the query gives it."""

    alias: str
    view: View
    node: exp.Table
    columns: frozenset[str]  # of the other relations: an unqualified name must be ours alone


def apply(node: exp.Select, made: exp.Select, context: Context) -> exp.Expr | None:
    """The WHERE condition that remains when the relations in `made` were narrowed to an interval of time."""
    where = node.args.get("where")
    if where is None:
        return None
    conditions = list(_conjuncts(where.this))
    may_drop = not any(join.args.get("side") for join in made.args.get("joins") or [])
    for relation in _relations(made, context):
        bounds = [(c, _bounds(c, relation, context)) for c in conditions]
        found = [b for _, b in bounds if b is not None]
        found += _partitions(conditions, relation)
        if found:
            _narrow(relation, found)
        if may_drop:
            conditions = [c for c, b in bounds if b is None or not b.is_exact]
    return exp.and_(*conditions, copy=False) if conditions else None


def _conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(node, exp.And):
        yield from _conjuncts(node.this)
        yield from _conjuncts(node.expression)
    elif isinstance(node, exp.Paren) and isinstance(node.this, exp.And):
        yield from _conjuncts(node.this)
    else:
        yield node


def _relations(made: exp.Select, context: Context) -> Iterator[_Relation]:
    if made.args.get("from_") is None:
        return
    written = [made.args["from_"].this, *(join.this for join in made.args.get("joins") or [])]
    for node in written:
        is_table = isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier)
        if (
            not is_table
            or node.this.quoted
            or node.name not in VIEWS
            or node.args["alias"].args.get("columns")
        ):
            continue  # a WITH relation is written in quotes, one of our views is not
        alias = node.alias.lower()
        others = {name for a, columns in context.scope.sources if a != alias for name, _ in columns}
        yield _Relation(alias, VIEWS[node.name], node, frozenset(others))


def _narrow(relation: _Relation, found: list[Bounds]) -> None:
    since = [b.since for b in found if b.since is not None]
    before = [b.before for b in found if b.before is not None]
    limits = (_outermost("greatest", since, _NEVER), _outermost("least", before, _ALWAYS))
    relation.node.set("this", call(relation.view.within, *limits))


def _outermost(name: str, limits: list[exp.Expr], default: str) -> exp.Expr:
    if not limits:
        return cast(text(default), "TIMESTAMPTZ")
    return limits[0] if len(limits) == 1 else call(name, *limits)


# --- one condition ---------------------------------------------------------------------------------------------------


def _bounds(node: exp.Expr, relation: _Relation, context: Context) -> Bounds | None:
    if isinstance(node, exp.Between):
        low = _compared(exp.GTE, node.this, node.args["low"], relation, context)
        high = _compared(exp.LTE, node.this, node.args["high"], relation, context)
        return _both(low, high)
    if isinstance(node, exp.Like):
        return _like(node, relation)
    kind = type(node)
    if kind not in _FLIPPED:
        return None
    straight = _compared(kind, node.this, node.expression, relation, context)
    return straight or _compared(_FLIPPED[kind], node.expression, node.this, relation, context)


def _both(low: Bounds | None, high: Bounds | None) -> Bounds | None:
    """What two conditions imply together; exact only when both are there and exact."""
    if low is None or high is None:
        found = low or high
        return found and replace(found, is_exact=False)
    return Bounds(low.since, high.before, low.is_exact and high.is_exact)


def _compared(
    kind: type[exp.Expr], left: exp.Expr, right: exp.Expr, relation: _Relation, context: Context
) -> Bounds | None:
    name = _own(left, relation)
    if name == relation.view.day and _literal(right) is not None:
        return _day_bounds(kind, _date(_literal(right), "%Y/%m/%d"))
    if name == "eventtime" and relation.view.time_text == "eventtime" and _literal(right) is not None:
        return _iso_bounds(kind, _literal(right) or "")
    whole_days = _is_day_of(left)
    inner = left if whole_days is None else whole_days
    is_time_column = _own(inner, relation) in {relation.view.time, relation.view.date} - {""}
    if not is_time_column and not _is_text_made_time(inner, relation):
        return None
    slack = _DAY if whole_days is not None or _own(inner, relation) == relation.view.date else _SECOND
    return _constant_bounds(kind, right, slack, context)


def _own(node: exp.Expr, relation: _Relation) -> str:
    """The name of the relation's column that the node is; empty when it is something else."""
    if not isinstance(node, exp.Column) or node.args.get("db") or not isinstance(node.this, exp.Identifier):
        return ""
    name = node.name.lower()
    is_ours = node.table.lower() == relation.alias if node.table else name not in relation.columns
    return name if is_ours and name in relation.view.columns else ""


def _literal(node: exp.Expr | None) -> str | None:
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None


def _is_day_of(node: exp.Expr) -> exp.Expr | None:
    """What the node takes the day of; None when it does not."""
    if isinstance(node, exp.Anonymous) and node.name.lower() == "date" and len(node.expressions) == 1:
        first: exp.Expr = node.expressions[0]
        return first
    if isinstance(node, exp.Cast) and node.args["to"].this == exp.DataType.Type.DATE:
        inner: exp.Expr = node.this
        return inner
    return None


def _is_text_made_time(node: exp.Expr, relation: _Relation) -> bool:
    is_call = (
        isinstance(node, exp.Anonymous) and node.name.lower() in _TEXT_TO_TIME and bool(node.expressions)
    )
    return is_call and _own(node.expressions[0], relation) == relation.view.time_text != ""


# --- the interval it implies -----------------------------------------------------------------------------------------


def _iso_bounds(kind: type[exp.Expr], written: str) -> Bounds | None:
    """Bounds of a text that is a time in ISO 8601: its order as text is its order in time."""
    moment = _moment(written)
    if moment is None:
        day = _date(written[:10], "%Y-%m-%d")
        return _day_bounds(kind, day) if kind is not exp.EQ else None
    # The text has whole seconds: a record of 10:00:00.4 reads 10:00:00.
    after, at = instant(moment + _SECOND), instant(moment)
    exact: dict[type[exp.Expr], Bounds] = {
        exp.GTE: Bounds(since=at, is_exact=True),
        exp.GT: Bounds(since=after, is_exact=True),
        exp.LT: Bounds(before=at, is_exact=True),
        exp.LTE: Bounds(before=after, is_exact=True),
        exp.EQ: Bounds(at, after, is_exact=True),
    }
    return exact[kind]


def _moment(written: str) -> datetime | None:
    if not _ISO.fullmatch(written):
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return moment if moment.year < date.max.year else None


def _date(written: str | None, pattern: str) -> date | None:
    try:
        day = datetime.strptime(written or "", pattern).replace(tzinfo=UTC).date()
    except ValueError:
        return None
    # '2023/7/1' parses too, but is not in order as text.
    return day if day.strftime(pattern) == written and date.min < day < date.max - 2 * _DAY else None


def _day_bounds(kind: type[exp.Expr], day: date | None) -> Bounds | None:
    """Bounds by whole days, one day wider than need be where the condition says `>`."""
    if day is None:
        return None
    since, before = _midnight(day), _midnight(day + _DAY)
    if kind in {exp.GT, exp.GTE}:
        return Bounds(since=since)
    return Bounds(before=before) if kind in {exp.LT, exp.LTE} else Bounds(since, before)


def _midnight(day: date) -> exp.Expr:
    return instant(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _constant_bounds(
    kind: type[exp.Expr], node: exp.Expr, slack: timedelta, context: Context
) -> Bounds | None:
    """Bounds of a time compared with an expression that has no column in it, widened by the slack."""
    if any(isinstance(part, (exp.Column, exp.Query, exp.Lambda)) for part in node.walk()):
        return None
    value = translate(node, context)
    if isinstance(node, exp.Literal) and node.is_string:
        value = Typed(cast(value.sql, "TIMESTAMP"), INSTANT)
    if not is_time(value.type):
        return None
    since = cast(value.sql, "TIMESTAMPTZ")
    width = _DAY if value.type == DATE else slack
    seconds = exp.Literal.number(int(max(width, slack).total_seconds()))
    before = exp.Paren(this=exp.Add(this=since.copy(), expression=call("to_seconds", seconds)))
    if kind in {exp.GT, exp.GTE}:
        return Bounds(since=since)
    return Bounds(before=before) if kind in {exp.LT, exp.LTE} else Bounds(since, before)


def _like(node: exp.Like, relation: _Relation) -> Bounds | None:
    pattern = _literal(node.expression)
    is_on_time = _own(node.this, relation) == "eventtime" == relation.view.time_text
    if pattern is None or not is_on_time or node.args.get("negate"):
        return None
    return _day_bounds(exp.EQ, _date(re.split("[%_]", pattern)[0][:10], "%Y-%m-%d"))


# --- year, month and day as partitions --------------------------------------------------------------------------------


def _partitions(conditions: list[exp.Expr], relation: _Relation) -> list[Bounds]:
    given: dict[str, str] = {}
    for node in conditions:
        if isinstance(node, exp.EQ) and (value := _literal(node.expression)) is not None:
            given[_own(node.this, relation)] = value
    if not re.fullmatch(r"[12]\d{3}", given.get("year", "")):
        return []
    year, month = int(given["year"]), given.get("month", "")
    if not re.fullmatch(r"0[1-9]|1[0-2]", month):
        return [Bounds(_midnight(date(year, 1, 1)), _midnight(date(year + 1, 1, 1)))]
    if re.fullmatch(r"\d\d", given.get("day", "")) and (
        day := _date(f"{year}-{month}-{given['day']}", "%Y-%m-%d")
    ):
        return [Bounds(_midnight(day), _midnight(day + _DAY))]
    following = date(year + int(month) // 12, int(month) % 12 + 1, 1)
    return [Bounds(_midnight(date(year, int(month), 1)), _midnight(following))]
