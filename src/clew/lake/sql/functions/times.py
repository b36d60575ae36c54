"""Reviewed functions on dates and times (Trino documentation: date and time functions)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from clew.lake.sql.functions.model import Call, Function, Typed, call, cast, number, text
from clew.lake.sql.types import (
    BIGINT,
    DATE,
    DOUBLE,
    INSTANT,
    INTERVAL,
    TIMESTAMP,
    VARCHAR,
    Type,
    is_time,
    is_zoned,
    zoned,
)

if TYPE_CHECKING:
    from datetime import datetime

MACROS = {
    "clew_whole_units": "(u, a, b) AS CAST(date_sub(u, a, b) AS BIGINT)",
    "clew_instant": "(t) AS CAST(t AS TIMESTAMPTZ)",
    "clew_interval_text": "(i) AS CASE WHEN date_part('year', i) <> 0 OR date_part('month', i) <> 0 THEN"
    " clew_months_text(date_part('year', i) * 12 + date_part('month', i)) ELSE clew_milliseconds_text(epoch_ms(i)) END",
    "clew_months_text": "(m) AS CASE WHEN m < 0 THEN '-' ELSE '' END || abs(m) // 12 || '-' || abs(m) % 12",
    "clew_milliseconds_text": "(m) AS CASE WHEN m < 0 THEN '-' ELSE '' END || abs(m) // 86400000 || ' ' ||"
    " format('{:02d}:{:02d}:{:02d}.{:03d}', abs(m) // 3600000 % 24, abs(m) // 60000 % 60, abs(m) // 1000 % 60,"
    " abs(m) % 1000)",
    # Joda's Z reads `Z` too.
    "clew_offset": "(s) AS CASE WHEN ends_with(s, 'Z') THEN s[:-2] || '+0000' ELSE s END",
}
UNITS = {
    **{u: f"to_{u}s" for u in ("millisecond", "second", "minute", "hour", "day", "week", "month", "year")},
    "quarter": "to_quarters",
}
# MySQL's directives (date_parse, date_format) and Joda's letters (parse_datetime, format_datetime) in strftime's words.
_MYSQL = {
    "a": "%a",
    "b": "%b",
    "c": "%-m",
    "d": "%d",
    "e": "%-d",
    "f": "%f",
    "H": "%H",
    "h": "%I",
    "I": "%I",
    "i": "%M",
    "j": "%j",
    "k": "%-H",
    "l": "%-I",
    "M": "%B",
    "m": "%m",
    "p": "%p",
    "r": "%I:%M:%S %p",
    "S": "%S",
    "s": "%S",
    "T": "%H:%M:%S",
    "v": "%V",
    "W": "%A",
    "x": "%G",
    "Y": "%Y",
    "y": "%y",
    "%": "%%",
}
_JODA = {
    "yyyy": "%Y",
    "y": "%Y",
    "yy": "%y",
    "YYYY": "%Y",
    "xxxx": "%G",
    "ww": "%V",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dd": "%d",
    "d": "%-d",
    "D": "%-j",
    "DDD": "%j",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "m": "%-M",
    "ss": "%S",
    "s": "%-S",
    "SSS": "%g",
    "SSSSSS": "%f",
    "a": "%p",
    "EEEE": "%A",
    "EEE": "%a",
    "E": "%a",
    "e": "%u",
    "Z": "%z",
    "ZZ": "%:z",
}
_JODA_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
_EXTRACT = {
    **{u: u for u in ("year", "quarter", "month", "week", "day", "hour", "minute", "second")},
    "day_of_month": "day",
    "day_of_week": "isodow",
    "dow": "isodow",
    "day_of_year": "dayofyear",
    "doy": "dayofyear",
    "year_of_week": "isoyear",
    "yow": "isoyear",
    "week_of_year": "week",
}


def interval(count: exp.Expr, unit: str) -> exp.Expr:
    """So many units of time."""
    return call(UNITS[unit], count)


def instant(moment: datetime) -> exp.Expr:
    """The moment as a literal."""
    return cast(text(moment.isoformat(sep=" ")), "TIMESTAMPTZ")


def part(made: Call, name: str, value: exp.Expr) -> Typed:
    """The calendar field of that name; QueryError when there is none."""
    if name == "millisecond":
        return Typed(
            exp.Paren(this=exp.Mod(this=call("millisecond", value), expression=number(1000))), BIGINT
        )
    if name not in _EXTRACT:
        made.refuse(f"unknown field `{name}`")
    return Typed(call(_EXTRACT[name], value), BIGINT)


_DAY_UNITS = frozenset({"day", "week", "month", "quarter", "year"})


def _no_zone(made: Call, *indexes: int) -> None:
    if any(is_zoned(made.type(i)) for i in indexes):
        made.refuse("a time converted to another zone cannot be used here; convert afterwards")


def _date_unit(made: Call, index: int) -> str:
    """The unit, which must be one of a date's where the argument is a date."""
    unit = _unit(made)
    if made.type(index) == DATE and unit not in _DAY_UNITS:
        made.refuse(f"`{unit}` is no unit of a date; CAST it to timestamp")
    return unit


def _unit(made: Call) -> str:
    unit = made.literal(0, "the unit").lower()
    if unit not in UNITS:
        made.refuse(f"unknown unit `{unit}`; expected {', '.join(UNITS)}")
    return unit


def like(value: exp.Expr, type_: Type) -> Typed:
    """The value as a date where Trino keeps a date and DuckDB makes a timestamp."""
    return Typed(cast(value, "DATE") if type_ == DATE else value, type_)


def _field(name: str) -> Function:
    def build(made: Call) -> Typed:
        if made.type(0) == VARCHAR:
            made.refuse("expects a date or time, found varchar")
        return part(made, name, made.sql(0))

    note = "Monday is 1, Sunday 7" if name in {"dow", "day_of_week"} else "the same"
    return Function(name, 1, 1, build, note)


def _now(made: Call) -> Typed:
    return Typed(instant(made.now), INSTANT)


def _date_add(made: Call) -> Typed:
    if made.type(2) == VARCHAR:
        made.refuse("expects a date or time, found varchar")
    _no_zone(made, 2)
    count = cast(made.sql(1), "BIGINT")
    total = exp.Paren(this=exp.Add(this=made.sql(2), expression=interval(count, _date_unit(made, 2))))
    return like(total, made.type(2))


def _date_diff(made: Call) -> Typed:
    if VARCHAR in {made.type(1), made.type(2)}:
        made.refuse("expects dates or times, found varchar")
    _no_zone(made, 1, 2)
    unit, pair = _unit(made), (made.sql(1), made.sql(2))
    if made.type(1).name != made.type(2).name:
        pair = (cast(pair[0], "TIMESTAMPTZ"), cast(pair[1], "TIMESTAMPTZ"))
    elif made.type(1) == DATE:
        pair = (cast(pair[0], "TIMESTAMP"), cast(pair[1], "TIMESTAMP"))
    return Typed(call("clew_whole_units", text(unit), *pair), BIGINT)


def _date_trunc(made: Call) -> Typed:
    if made.type(1) == VARCHAR:
        made.refuse("expects a date or time, found varchar")
    return like(call("date_trunc", text(_date_unit(made, 1)), made.sql(1)), made.type(1))


def _mysql(made: Call, index: int) -> str:
    def directive(match: re.Match[str]) -> str:
        if match.group(1) not in _MYSQL:
            made.refuse(f"the format `%{match.group(1)}` is not supported")
        return _MYSQL[match.group(1)]

    return re.sub(r"%(.)", directive, made.literal(index, "the format"))


def _joda(made: Call, index: int) -> str:
    def token(match: re.Match[str]) -> str:
        quoted, letter = match.group(1), match.group(2)
        if quoted is not None:
            return quoted.replace("''", "'").replace("%", "%%") or "'"
        if letter is None:
            return match.group(0).replace("%", "%%")
        if match.group(0) not in _JODA:
            made.refuse(f"the format `{match.group(0)}` is not supported")
        return _JODA[match.group(0)]

    return _JODA_TOKEN.sub(token, made.literal(index, "the format"))


def _parsed(pattern: str, made: Call, type_: Type) -> Typed:
    # %-d and its like are for writing; reading accepts both widths.
    pattern = pattern.replace("%:z", "%z")
    value = call("clew_offset", made.sql(0)) if pattern.endswith("%z") else made.sql(0)
    read = call("strptime", value, text(pattern.replace("%-", "%")))
    return Typed(cast(read, "TIMESTAMPTZ" if type_ == INSTANT else "TIMESTAMP"), type_)


def _date_format(made: Call) -> Typed:
    if made.type(0) == VARCHAR:
        made.refuse("expects a date or time, found varchar")
    return Typed(call("strftime", made.sql(0), text(_mysql(made, 1))), VARCHAR)


def _format_datetime(made: Call) -> Typed:
    pattern = _joda(made, 1)
    if is_zoned(made.type(0)) and re.search("%:?z", pattern):
        made.refuse("the zone of a converted time cannot be written")
    # DuckDB writes +00; Joda's Z writes +0000 and ZZ +00:00. Our times are in UTC.
    written = pattern.replace("%z", "+0000").replace("%:z", "+00:00")
    return Typed(call("strftime", made.sql(0), text(written)), VARCHAR)


def _to_iso8601(made: Call) -> Typed:
    _no_zone(made, 0)
    return Typed(call("strftime", made.sql(0), text(iso_pattern(made.type(0), "T", "Z"))), VARCHAR)


def iso_pattern(type_: Type, between: str, zone: str) -> str:
    """How Trino writes a date or time of that type: as many digits of the second as its precision."""
    if type_ == DATE:
        return "%Y-%m-%d"
    fraction = {0: "", 3: ".%g", 6: ".%f"}.get(type_.scale, ".%g")
    suffix = zone if type_.name == INSTANT.name else f" {type_.names[0]}" if is_zoned(type_) else ""
    return f"%Y-%m-%d{between}%H:%M:%S{fraction}{suffix.replace('%', '%%')}"


def _from_unixtime(made: Call) -> Typed:
    moment = Typed(call("to_timestamp", made.sql(0)), INSTANT)
    return moment if len(made.args) == 1 else at_zone(moment, made.literal(1, "the time zone"))


def _to_milliseconds(made: Call) -> Typed:
    if made.type(0) != INTERVAL:
        made.refuse(f"expects an interval, found {made.type(0)}")
    return Typed(call("epoch_ms", made.sql(0)), BIGINT)


def _to_unixtime(made: Call) -> Typed:
    _no_zone(made, 0)
    return Typed(cast(call("epoch", made.sql(0)), "DOUBLE"), DOUBLE)


def at_zone(value: Typed, zone: str) -> Typed:
    """The time as clocks in that zone read it."""
    if zone.upper() in {"UTC", "Z", "GMT", "ETC/UTC", "+00:00"}:
        return Typed(cast(value.sql, "TIMESTAMPTZ"), INSTANT)
    if (minutes := _fixed_minutes(zone)) is not None:
        in_utc = call("timezone", text("UTC"), cast(value.sql, "TIMESTAMPTZ"))
        moved = exp.Add(this=in_utc, expression=interval(number(minutes), "minute"))
        return Typed(exp.Paren(this=moved), zoned(zone))
    return Typed(call("timezone", text(zone), cast(value.sql, "TIMESTAMPTZ")), zoned(zone))


def _fixed_minutes(zone: str) -> int | None:
    """The minutes ahead of UTC of a zone such as `+05:30`; None for a named one. DuckDB knows named ones only."""
    found = re.fullmatch(r"([+-])(\d\d):(\d\d)", zone)
    return None if found is None else int(found[1] + "1") * (int(found[2]) * 60 + int(found[3]))


def _at_timezone(made: Call) -> Typed:
    _no_zone(made, 0)
    return at_zone(made.args[0], made.literal(1, "the time zone"))


def _with_timezone(made: Call) -> Typed:
    zone, clock = made.literal(1, "the time zone"), cast(made.sql(0), "TIMESTAMP")
    if (minutes := _fixed_minutes(zone)) is not None:
        moved = exp.Paren(this=exp.Sub(this=clock, expression=interval(number(minutes), "minute")))
        return Typed(call("timezone", text("UTC"), moved), INSTANT)
    return Typed(call("timezone", text(zone), clock), INSTANT)


def _date(made: Call) -> Typed:
    return Typed(cast(made.sql(0), "DATE"), DATE)


def _last_day(made: Call) -> Typed:
    return Typed(call("last_day", made.sql(0)), DATE)


def _from_iso_timestamp(made: Call) -> Typed:
    return Typed(cast(made.sql(0), "TIMESTAMPTZ"), INSTANT)


def arithmetic(left: Type, right: Type) -> Type | None:
    """The type of date arithmetic: None when it is none."""
    if INTERVAL in {left, right}:
        return next((t for t in (left, right) if is_time(t)), INTERVAL)
    return INTERVAL if is_time(left) and is_time(right) else None


FUNCTIONS = (
    Function("now", 0, 0, _now, "the moment at which the command started, the same all through the query"),
    *(
        _field(n)
        for n in ("year", "quarter", "month", "week", "week_of_year", "day", "day_of_month", "day_of_week")
    ),
    *(
        _field(n)
        for n in (
            "dow",
            "day_of_year",
            "doy",
            "year_of_week",
            "yow",
            "hour",
            "minute",
            "second",
            "millisecond",
        )
    ),
    Function("date", 1, 1, _date, "a cast to date"),
    Function("date_add", 3, 3, _date_add, "a date stays a date; the end of a month is kept"),
    Function("date_diff", 3, 3, _date_diff, "whole units passed, not boundaries crossed"),
    Function("date_trunc", 2, 2, _date_trunc, "a date stays a date; weeks begin on Monday in both"),
    Function("date_parse", 2, 2, lambda c: _parsed(_mysql(c, 1), c, TIMESTAMP), "MySQL's directives"),
    Function("date_format", 2, 2, _date_format, "MySQL's directives"),
    Function("parse_datetime", 2, 2, lambda c: _parsed(_joda(c, 1), c, INSTANT), "Joda's letters"),
    Function("format_datetime", 2, 2, _format_datetime, "Joda's letters"),
    Function("from_iso8601_timestamp", 1, 1, _from_iso_timestamp, "UTC where no zone is written"),
    Function("from_iso8601_date", 1, 1, _date, "an ISO 8601 calendar date"),
    Function("to_iso8601", 1, 1, _to_iso8601, "as many digits of the second as the type has"),
    Function("from_unixtime", 1, 2, _from_unixtime, "in UTC, or as clocks in the zone read"),
    Function("to_milliseconds", 1, 1, _to_milliseconds, "of an interval of days or less"),
    Function("current_timezone", 0, 0, lambda _: Typed(text("UTC"), VARCHAR), "UTC always"),
    Function("to_unixtime", 1, 1, _to_unixtime, "seconds with fraction"),
    Function("at_timezone", 2, 2, _at_timezone, "the clock reading; comparing it is refused"),
    Function("with_timezone", 2, 2, _with_timezone, "the instant at which clocks there read so"),
    Function("last_day_of_month", 1, 1, _last_day, "the same, renamed"),
)
