r"""Predicates as SQL over `raw_cloudtrail`: the same answer as the closures of `events.predicate`, row by row.

A leaf reads a typed column only where that loses nothing. A text column holds what was a JSON string, or the JSON text
of a value of another type (`WORDS_ONLY` columns: nothing); it is NULL where the record has null or nothing, and so are
all parts of a struct that is no object. So a leaf that unfolds nothing (`one`) is judged on the column, and where the
column cannot tell types apart on `eventjson`. Conditions below `requestParameters` and its like read that column's
JSON. All else reads `eventjson`.

What SQL cannot say (some expressions of `regex`, IPv6 networks, derived facts, half a surrogate pair, which DuckDB's
JSON reader refuses) becomes an approximation that leaves out no row: `SqlPredicate.exact` says whether the closure
has to confirm. Of a key that stands twice in one object the first value counts, here as in `events.json_text`.
"""

from __future__ import annotations

import functools
import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from clew.events.predicate_tree import FACT, FALSE, WHOLE, And, Element, Leaf, Node, Not, Or, Path, SameValue
from clew.events.predicate_values import accepted
from clew.lake import schema
from clew.lake.predicate_tests_sql import (
    NOT_NUMBERS,
    asks_of_strings_only,
    column_test,
    folded,
    json_test,
    literal,
    may_be_other_type,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UNREADABLE = "NOT json_valid(eventjson)"
"""True of the rows whose JSON DuckDB cannot read: whatever matches there has to be confirmed by the closure."""

WORDS_ONLY: Final[frozenset[Path]] = frozenset(
    {
        *(
            (key,)
            for key in ("eventName", "eventSource", "awsRegion", "errorCode", "eventType", "eventCategory")
        ),
        *(("eventID",), ("userIdentity", "type"), ("userIdentity", "arn")),
    }
)
"""What ingest stores as strings or not at all: a value of another type is NULL in these columns."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_ .:-]+", re.ASCII)
_NO_FACTS: Mapping[str, Node] = {}


@dataclass(frozen=True, slots=True)
class SqlPredicate:
    """A boolean expression, never NULL; when it is not `exact` it is true of more rows than the tree."""

    sql: str
    exact: bool


@dataclass(slots=True)
class _Writer:
    """Writes one tree; keeps the names of lambda parameters apart."""

    applies: Mapping[str, Node]
    readable: str
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def name(self) -> str:
        return f"v{next(self.numbers)}"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where paths begin and what an approximation must be: a superset in a positive place, a subset in a negative one.

    `root` is the JSON expression that paths start from, "" for the row itself.
    """

    positive: bool = True
    root: str = ""

    @property
    def guess(self) -> str:
        return "true" if self.positive else "false"

    def inverted(self) -> _Place:
        return _Place(not self.positive, self.root)


def to_sql(
    tree: Node, *, applies: Mapping[str, Node] = _NO_FACTS, readable: str = "json_valid(eventjson)"
) -> SqlPredicate:
    """The tree over the columns of `raw_cloudtrail`.

    `applies` gives, for a derived fact, a predicate that is true of every event for which a leaf on it can be true; a
    fact that is not in it may be true of any. `readable` is the expression that says whether `eventjson` is JSON.

    >>> to_sql(Leaf(("requestParameters", "attribute"), "exists")).exact
    True
    """
    return _node(tree, _Place(), _Writer(applies, readable))


def _node(tree: Node, place: _Place, writer: _Writer) -> SqlPredicate:
    match tree:
        case And(children):
            return _joined([_node(child, place, writer) for child in children], "AND")
        case Or(children):
            return _joined([_node(child, place, writer) for child in children], "OR")
        case Not(child):
            inner = _node(child, place.inverted(), writer)
            return SqlPredicate(f"(NOT {inner.sql})", inner.exact)
        case Element(path, child, None):
            return _element(path, child, place, writer)
        case Element(path):
            # One place of an array is the closure's to look at.
            there = f"({_possible(path, place, writer)})" if place.positive else "false"
            return SqlPredicate(there, exact=False)
        case SameValue():
            return _same_value(tree, place, writer)
        case Leaf():
            return _leaf(tree, place, writer)


def _joined(parts: list[SqlPredicate], word: str) -> SqlPredicate:
    if not parts:
        return SqlPredicate("true" if word == "AND" else "false", exact=True)
    return SqlPredicate(
        f"({f' {word} '.join(part.sql for part in parts)})", all(part.exact for part in parts)
    )


def _leaf(leaf: Leaf, place: _Place, writer: _Writer) -> SqlPredicate:
    if _is_fact(leaf.path, place):
        return _fact(leaf.path, place, writer)
    asked = json_test(leaf, "x")
    if asked is None:
        return SqlPredicate(
            f"({_possible(leaf.path, place, writer)})" if place.positive else "false", exact=False
        )
    if asked == "false":
        return SqlPredicate("false", exact=True)
    if (
        not place.root
        and leaf.op == "equals"
        and leaf.quantifier == "one"
        and leaf.path in _boolean_columns()
    ):
        return _over_boolean(leaf, _boolean_columns()[leaf.path], place, writer)
    column = None if place.root else _column(leaf)
    if column is None:
        return _over_json(leaf, place, writer)
    return _over_column(leaf, column, place, writer)


def _is_fact(path: Path, place: _Place) -> bool:
    return not place.root and path[:1] == (FACT,)


def _fact(path: Path, place: _Place, writer: _Writer) -> SqlPredicate:
    """Where the fact applies, or nowhere in a negative place: the closure decides."""
    if not place.positive:
        return SqlPredicate("false", exact=False)
    domain = writer.applies.get(path[1]) if len(path) > 1 else FALSE
    return SqlPredicate("true" if domain is None else _node(domain, place, writer).sql, exact=False)


def _possible(path: Path, place: _Place, writer: _Writer) -> str:
    """A cheap condition that holds wherever the path leads to something."""
    return _over_json(Leaf(path, "exists"), place, writer).sql if path else "true"


def _over_column(leaf: Leaf, column: str, place: _Place, writer: _Writer) -> SqlPredicate:
    """The leaf on a column, and on the record where the column cannot tell which type the value had."""
    tested = column_test(leaf, column) or "false"
    if leaf.op == "type_is":
        tested = f"({column} IS NOT NULL AND {tested})"  # the test speaks of a string that is there
    if leaf.path in WORDS_ONLY:
        if asks_of_strings_only(leaf):
            return SqlPredicate(f"coalesce({tested}, false)", exact=True)
        return _where_doubtful(f"({column} IS NULL)", tested, leaf, place, writer)
    if leaf.op == "has_value":
        return SqlPredicate(f"({column} IS NOT NULL)", exact=True)
    if not may_be_other_type(leaf):
        return SqlPredicate(f"coalesce({tested}, false)", exact=True)
    # What begins like JSON of another type may be such; true, false and numbers are known by all their characters.
    other = f"""coalesce({column}[1] IN ('[', '{{') OR {column} IN ('true', 'false')
        OR regexp_full_match({column}, '-?[0-9][-+0-9.eE]*'), false)"""
    if asks_of_strings_only(leaf) and leaf.op != "type_is":
        choice = _where_doubtful(other, "true", leaf, place, writer).sql
        return SqlPredicate(f"(CASE WHEN {tested} THEN {choice} ELSE false END)", exact=True)
    return _where_doubtful(other, tested, leaf, place, writer)


def _where_doubtful(doubt: str, tested: str, leaf: Leaf, place: _Place, writer: _Writer) -> SqlPredicate:
    """The leaf on the record where the doubt is true, else the test."""
    choice = _over_json(leaf, place, writer).sql
    return SqlPredicate(f"(CASE WHEN {doubt} THEN {choice} ELSE coalesce({tested}, false) END)", exact=True)


def _over_boolean(leaf: Leaf, column: str, place: _Place, writer: _Writer) -> SqlPredicate:
    """The leaf on a column that holds a JSON true or false, and NULL for anything else."""
    wanted = ", ".join(str(value).lower() for value in sorted(accepted(leaf).booleans))
    tested = f"{column} IN ({wanted})" if wanted else "false"
    return _where_doubtful(f"({column} IS NULL)", tested, leaf, place, writer)


def _over_json(leaf: Leaf, place: _Place, writer: _Writer) -> SqlPredicate:
    """The leaf on JSON text: some value that the path reaches does."""
    base, path, unfold = _base(leaf.path, place, deep=leaf.quantifier == "deep", op=leaf.op)
    value = writer.name()
    asked = json_test(leaf, value) or "false"
    if leaf.quantifier == "one":
        values = f"[{functools.reduce(_member, path, base)}]"
    else:
        values = _values(base, path, writer, unfold_base=unfold, whole=leaf.op in WHOLE)
    if leaf.quantifier == "deep":
        values = _descendants(values, writer)
    found = (
        f"coalesce(len(list_filter({values}, lambda {value}: {value} IS NOT NULL AND {asked})) > 0, false)"
    )
    return _guarded(SqlPredicate(found, exact=True), base, leaf.path, place, writer)


def _guarded(found: SqlPredicate, base: str, path: Path, place: _Place, writer: _Writer) -> SqlPredicate:
    """The expression where there is JSON to look at that could hold the path's last key."""
    if base != "eventjson":
        return SqlPredicate(f"(CASE WHEN {base} IS NULL THEN false ELSE {found.sql} END)", found.exact)
    near = _mentions(path[-1]) if path else "true"
    choices = f"WHEN NOT {near} THEN false WHEN {writer.readable} THEN {found.sql} ELSE {place.guess}"
    return SqlPredicate(f"(CASE {choices} END)", found.exact)


def _mentions(key: str) -> str:
    """A cheap look first: a key that is not in the text is not in the record, unless it is spelled with escapes."""
    if not _PLAIN_KEY.fullmatch(key):
        return "true"
    quoted = literal(f'"{key}"')
    return f"(contains(eventjson, {quoted}) OR contains(eventjson, '\\u'))"


def _base(path: Path, place: _Place, *, deep: bool, op: str) -> tuple[str, Path, bool]:
    """The JSON expression to start from, the rest of the path, and whether an array there is to be unfolded."""
    if place.root:
        return place.root, path, False
    column = _json_columns().get(path[:1])
    # A JSON column is NULL for null and for absent alike: ask it for what lies below, or for text within, only.
    if column and (len(path) > 1 or (deep and op in {"contains", "startswith", "endswith", "glob", "regex"})):
        return column, path[1:], True
    return "eventjson", path, False


def _values(base: str, path: Path, writer: _Writer, *, unfold_base: bool, whole: bool) -> str:
    """A list of the JSON values that the path reaches, NULL for what is missing; arrays are unfolded."""
    values = _unfolded(base) if unfold_base and (path or not whole) else f"[{base}]"
    for index, key in enumerate(path):
        last = index == len(path) - 1
        item = writer.name()
        if last and whole:
            values = f"list_transform({values}, lambda {item}: {_member(item, key)})"
        else:
            values = f"flatten(list_transform({values}, lambda {item}: {_unfolded_at(item, key)}))"
    return values


def _unfolded(value: str) -> str:
    return f"CASE json_type({value}) WHEN 'ARRAY' THEN json_extract({value}, '$[*]') ELSE [{value}::JSON] END"


def _unfolded_at(value: str, key: str) -> str:
    if not _PLAIN_KEY.fullmatch(key):
        return _unfolded(_member(value, key))
    one = f"[{_member(value, key)}]"
    return f"""CASE json_type({value}, '$."{key}"')
        WHEN 'ARRAY' THEN json_extract({value}, '$."{key}"[*]') ELSE {one} END"""


def _member(value: str, key: str) -> str:
    r"""What an object holds under a key; NULL for anything else.

    >>> _member("x", "arn")
    'json_extract(x, \'$."arn"\')'
    """
    if _PLAIN_KEY.fullmatch(key):
        return f"""json_extract({value}, '$."{key}"')"""
    # DuckDB's paths know no empty key and read "*" as a wildcard; its pointers do not, but they index lists too.
    pointer = literal("/" + key.replace("~", "~0").replace("/", "~1"))
    return f"CASE json_type({value}) WHEN 'OBJECT' THEN json_extract({value}, {pointer}) END"


def _descendants(values: str, writer: _Writer) -> str:
    """The scalars among the values and everything below them."""
    item, scalar = writer.name(), writer.name()
    below = f"list_prepend({item}::JSON, json_extract({item}, '$..*'))"
    everything = f"flatten(list_transform({values}, lambda {item}: {below}))"
    return f"list_filter({everything}, lambda {scalar}: json_type({scalar}) NOT IN ('OBJECT', 'ARRAY'))"


def _element(path: Path, child: Node, place: _Place, writer: _Writer) -> SqlPredicate:
    if _is_fact(path, place):
        return _fact(path, place, writer)
    base, rest, unfold = _base(path, place, deep=False, op="equals")
    item = writer.name()
    inner = _node(child, _Place(place.positive, item), writer)
    values = _values(base, rest, writer, unfold_base=unfold, whole=False)
    found = (
        f"coalesce(len(list_filter({values}, lambda {item}: {item} IS NOT NULL AND {inner.sql})) > 0, false)"
    )
    return _guarded(SqlPredicate(found, inner.exact), base, path, place, writer)


def _same_value(node: SameValue, place: _Place, writer: _Writer) -> SqlPredicate:
    """Two lists of comparable keys that share one, where it is equality; else both fields are there."""
    if _is_fact(node.path, place) or _is_fact(node.other, place):
        return SqlPredicate(place.guess, exact=False)
    if node.op != "equals":
        both = f"({_possible(node.path, place, writer)} AND {_possible(node.other, place, writer)})"
        return SqlPredicate(both if place.positive else "false", exact=False)
    left, right = (_keys(path, node, place, writer) for path in (node.path, node.other))
    found = f"coalesce(list_has_any({left}, {right}), false)"
    if not place.root and "eventjson" in found:
        found = f"(CASE WHEN {writer.readable} THEN {found} ELSE {place.guess} END)"
    return SqlPredicate(found, exact=True)


def _keys(path: Path, node: SameValue, place: _Place, writer: _Writer) -> str:
    """The scalars at the path as texts that are equal exactly when the values are."""
    base, rest, unfold = _base(path, place, deep=False, op="equals")
    values = _values(base, rest, writer, unfold_base=unfold, whole=False)
    item = writer.name()
    text = f"({item} ->> '$')"
    spelled = text if node.case_sensitive else folded(text, ascii_only=False)
    key = f"""CASE WHEN json_type({item}) = 'VARCHAR' THEN 's' || {spelled}
        WHEN json_type({item}) = 'BOOLEAN' THEN 'b' || {text}
        WHEN json_type({item}) NOT IN {NOT_NUMBERS} THEN 'n' || (try_cast({text} AS DOUBLE) + 0.0)::VARCHAR END"""
    return f"list_filter(list_transform({values}, lambda {item}: {key}), lambda k: k IS NOT NULL)"


def _column(leaf: Leaf) -> str | None:
    """The column that can answer the leaf: a text column, or one of any kind for whether there is a value."""
    # NULL in a column is null or absent: a question that tells them apart needs the record.
    if leaf.op in {"exists", "is_null"} or leaf.quantifier == "deep" or _asks_for_null(leaf):
        return None
    if leaf.op == "has_value" and len(leaf.path) == 1:
        return (_text_columns() | _json_columns()).get(leaf.path)
    return _text_columns().get(leaf.path) if leaf.quantifier == "one" else None


def _asks_for_null(leaf: Leaf) -> bool:
    return (leaf.op == "equals" and None in leaf.values) or (leaf.op == "type_is" and "null" in leaf.values)


@functools.cache
def _text_columns() -> dict[Path, str]:
    return dict(_columns_of(schema.CLOUDTRAIL.columns, schema.TEXT))


@functools.cache
def _boolean_columns() -> dict[Path, str]:
    return dict(_columns_of(schema.CLOUDTRAIL.columns, schema.BOOLEAN))


@functools.cache
def _json_columns() -> dict[Path, str]:
    return dict(_columns_of(schema.CLOUDTRAIL.columns, schema.JSON))


def _columns_of(columns: tuple[schema.Column, ...], wanted: str) -> Iterator[tuple[Path, str]]:
    """The columns and parts of structs of a type, by the path of what they hold."""
    for column in columns:
        if isinstance(column.type, schema.Struct):
            for path, name in _columns_of(column.type.fields, wanted):
                yield (column.key, *path), f"{column.name}.{name}"
        elif column.key and column.type == wanted:
            yield (column.key,), column.name
