"""Predicates over the typed columns alone: what can be decided without reading the records' text.

The text of records is nine tenths of the lake and costs a second for a million events; a column costs hundredths. So a
predicate becomes two expressions over columns: `upper` is true wherever the predicate is, `lower` nowhere where it is
not. Where they are the same the columns decide; elsewhere the closure has to look at the record.

A question about a text column is answered once for each distinct value, by the closure itself, and becomes a list of
values (measured on a million events: thirty words looked for in `useragent` 9 s as SQL text functions, 0.02 s so).

Read as they are documented: a text column that is NULL stands for a key that is null or absent, a number in place of a
text for its text. Values that are lists or objects in place of a text are found by `Dictionary.odd`, and such records
are left to the closure.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from clew.events.predicate import compile_predicate
from clew.events.predicate_tree import FACT, FALSE, TRUE, And, Leaf, Node, Not, Or, Path, Value
from clew.events.predicate_values import fold, number_of
from clew.lake import schema
from clew.lake.predicate_sql import to_sql
from clew.lake.predicate_tests_sql import column_test, folded, literal, text_test

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from duckdb import DuckDBPyConnection

    from clew.lake.detection.question import FactOfFields

_WORDS = frozenset({"equals", "contains", "startswith", "endswith", "glob", "regex", "cidr"})
_LITERAL = frozenset({"equals", "contains", "startswith", "endswith"})
# What JSON writes as it is, or as \\u and a number.
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_ .:-]+", re.ASCII)
_MOST_VALUES = 20_000
# A longer list is joined: compared one by one, six hundred values cost 1.4 s for a million events.
_MOST_LISTED = 24
_MOST_COMBINATIONS = 64


@dataclass(frozen=True, slots=True)
class Typed:
    """The two expressions, never NULL."""

    upper: str
    lower: str

    @property
    def exact(self) -> bool:
        """Whether the columns decide."""
        return self.upper == self.lower


_UNKNOWN = Typed("true", "false")
_NO_NAMES: Mapping[Node, str] = {}


@dataclass(slots=True)
class Dictionary:
    """The distinct values of text columns in a relation, read when they are first asked for."""

    connection: DuckDBPyConnection
    source: str
    limit: str
    facts: Mapping[str, FactOfFields] = field(default_factory=dict)
    _held: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    _lists: dict[tuple[str, ...], str] = field(default_factory=dict)

    def hold(self, column: str, values: tuple[str, ...]) -> None:
        """Take the distinct values as known."""
        self._held[column] = values

    def read(self, columns: Iterable[str]) -> None:
        """Read the distinct values of these columns in one scan, as far as they are not known.

        (A million events, nine columns: 0.08 to 0.12 s of CPU; in scans of their own twice that.)
        """
        wanted = [column for column in dict.fromkeys(columns) if column not in self._held]
        if not wanted:
            return
        names = [f"c{number}" for number in range(len(wanted))]
        listed = ", ".join(names)
        named = ", ".join(f"{column} AS {name}" for column, name in zip(wanted, names, strict=True))
        rows = self.connection.execute(
            f"SELECT g, CASE WHEN count(v) <= {_MOST_VALUES} THEN list(v) FILTER (v IS NOT NULL) ELSE NULL END, "
            f"count(v) FROM (SELECT GROUPING_ID({listed}) AS g, coalesce({listed}, NULL) AS v "
            f"FROM (SELECT {named} FROM {self.source} WHERE {self.limit}) "
            f"GROUP BY GROUPING SETS ({', '.join(f'({name})' for name in names)})) GROUP BY g"
        ).fetchall()
        # Of the bits of a group, the first column's is the highest; the one that is grouped by is 0.
        found = {
            group: None if count > _MOST_VALUES else tuple(values or ()) for group, values, count in rows
        }
        every = (1 << len(wanted)) - 1
        for place, column in enumerate(wanted):
            self._held[column] = found.get(every ^ 1 << (len(wanted) - 1 - place), ())

    def values(self, column: str) -> tuple[str, ...] | None:
        """The distinct values; None when there are too many to list."""
        if column not in self._held:
            rows = self.connection.execute(
                f"SELECT DISTINCT {column} FROM {self.source} WHERE {column} IS NOT NULL AND {self.limit} "
                f"LIMIT {_MOST_VALUES + 1}"
            ).fetchall()
            self._held[column] = None if len(rows) > _MOST_VALUES else tuple(value for (value,) in rows)
        return self._held[column]

    def one_of(self, column: str, values: tuple[str, ...]) -> str:
        """The condition that the column holds one of the values, never NULL."""
        if len(values) <= _MOST_LISTED:
            return f"coalesce({column} IN ({_listed(values)}), false)"
        if values not in self._lists:
            self._lists[values] = name = f"list_{len(self._lists)}"
            rows = ", ".join(f"({literal(value)})" for value in values)
            self.connection.execute(f"CREATE TEMP TABLE {name} AS FROM (VALUES {rows}) v(value)")
        return f"coalesce({column} IN (SELECT value FROM {self._lists[values]}), false)"

    def answered(self, leaf: Leaf) -> Node:
        """A question about a fact of a few fields as the combinations of their values that answer it."""
        fact = self.facts.get(leaf.path[1]) if len(leaf.path) == 2 else None  # noqa: PLR2004  # `clew`, name
        if fact is None or not all(path in _columns() for path in fact.fields):
            return leaf
        rows = self._rows(tuple(_columns()[path] for path in fact.fields))
        if rows is None:
            return leaf
        test = compile_predicate(leaf, {leaf.path[1]: fact.function})
        found = [row for row in rows if test(as_event(fact.fields, row))]
        if len(found) > _MOST_COMBINATIONS:
            return leaf
        return _or([_and([_holds(p, v) for p, v in zip(fact.fields, row, strict=True)]) for row in found])

    def _rows(self, columns: tuple[str, ...]) -> Sequence[tuple[str | None, ...]] | None:
        """The combinations of values of these columns; None when there are too many to list."""
        if len(columns) == 1 and columns[0] in _text_columns().values():
            values = self.values(columns[0])
            return None if values is None else [(None,), *((value,) for value in values)]
        rows = self.connection.execute(
            f"SELECT DISTINCT {', '.join(columns)} FROM {self.source} WHERE {self.limit} LIMIT {_MOST_VALUES + 1}"
        ).fetchall()
        return None if len(rows) > _MOST_VALUES else rows

    def odd(self) -> str:
        """True of the rows in which a column asked for so far holds JSON of a list or an object."""
        tests = []
        for column, values in self._held.items():
            if values is None:
                tests.append(f"({column}[1] IN ('[', '{{') AND json_valid({column}))")
            elif found := [value for value in values if _is_structure(value)]:
                tests.append(f"{column} IN ({_listed(found)})")
        return f"coalesce({' OR '.join(tests)}, false)" if tests else "false"


def asked_of(tree: Node, facts: Mapping[str, FactOfFields]) -> Iterator[str]:
    """The text columns whose distinct values `resolved` asks for."""
    match tree:
        case And(children) | Or(children):
            for child in children:
                yield from asked_of(child, facts)
        case Not(child):
            yield from asked_of(child, facts)
        case Leaf(path, op) if path in _text_columns() and op in _WORDS and tree.quantifier != "deep":
            yield _text_columns()[path]
        case Leaf((kind, name)) if kind == FACT and name in facts and len(facts[name].fields) == 1:
            yield from (_text_columns()[path] for path in facts[name].fields if path in _text_columns())


def resolved(tree: Node, dictionary: Dictionary) -> Node:
    """The predicate with each question about a text column replaced by the values that answer it; never more true."""
    match tree:
        case And(children):
            return _and([resolved(child, dictionary) for child in children])
        case Or(children) if _is_missing(tree) is None:
            return _or([resolved(child, dictionary) for child in children])
        case Not(child):
            inner = resolved(child, dictionary)
            return FALSE if inner == TRUE else TRUE if inner == FALSE else Not(inner)
        case Leaf(path, op) if path in _text_columns() and op in _WORDS and tree.quantifier != "deep":
            return _answered(tree, dictionary.values(_text_columns()[path]))
        case Leaf(path) if path[:1] == (FACT,):
            return dictionary.answered(tree)
        case _:
            return tree


def typed(
    tree: Node, applies: Mapping[str, Node], dictionary: Dictionary, named: Mapping[Node, str] = _NO_NAMES
) -> Typed:
    """The resolved predicate over columns.

    `applies` says for a fact where it can matter at all, `named` gives the columns that hold some answers already.
    """
    if tree in named:
        return _same(named[tree])
    missing = _is_missing(tree)
    if missing is not None:
        return _same(f"({_columns()[missing]} IS NULL)")
    match tree:
        case And(children):
            return _joined([typed(child, applies, dictionary, named) for child in children], "AND")
        case Or(children):
            return _joined([typed(child, applies, dictionary, named) for child in children], "OR")
        case Not(child):
            inner = typed(child, applies, dictionary, named)
            return Typed(f"(NOT {inner.lower})", f"(NOT {inner.upper})")
        case Leaf(path) if path[:1] == (FACT,):
            domain = applies.get(path[1]) if len(path) > 1 else None
            return Typed(typed(domain, applies, dictionary).upper if domain is not None else "true", "false")
        case Leaf():
            return _leaf(tree, dictionary)
        case _:
            return _below_json(tree)


def _leaf(leaf: Leaf, dictionary: Dictionary) -> Typed:
    """A leaf on a column; one on anything else is left to `_below_json`."""
    column, text = _columns().get(leaf.path), _text_columns().get(leaf.path)
    match leaf:
        case Leaf(op="has_value") if column is not None:
            return _same(f"({column} IS NOT NULL)")
        case Leaf(op="type_is", values=values) if text is not None and "string" in values:
            return _same(f"({text} IS NOT NULL)")
        case Leaf(op="equals", values=values, case_sensitive=True) if text is not None and _all_texts(values):
            return _same(dictionary.one_of(text, tuple(map(str, values))))
        case Leaf(op=op) if text is not None and op in _WORDS and leaf.quantifier != "deep":
            test = column_test(leaf, text)
            return _UNKNOWN if test is None else _same(f"coalesce({test}, false)")
        case Leaf(op="equals", values=values, loose=True) if column is not None and _truths(values):
            return _same(f"coalesce({column} IN ({', '.join(_truths(values))}), false)")
        case _:
            return _below_json(leaf)


def _all_texts(values: tuple[Value, ...]) -> bool:
    return all(isinstance(value, str) for value in values)


def light_tests(tree: Node, known: AbstractSet[Path], dictionary: Dictionary) -> Iterator[tuple[Node, str]]:
    """The parts of a resolved predicate that columns other than the known ones decide, without open-ended text."""
    match tree:
        case Or(children) if (missing := _is_missing(tree)) is not None:
            if missing not in known:
                yield tree, typed(tree, {}, dictionary).upper
        case And(children) | Or(children):
            for child in children:
                yield from light_tests(child, known, dictionary)
        case Not(child):
            yield from light_tests(child, known, dictionary)
        case Leaf(path) if path not in known and path[:1] != (FACT,):
            test = typed(tree, {}, dictionary)
            if test.exact and "json" not in test.upper:
                yield tree, test.upper


def column(path: Path) -> str:
    """The expression for a path that has a column of its own."""
    return _columns()[path]


def is_text(path: Path) -> bool:
    """Whether a column of text holds the path."""
    return path in _text_columns()


def value(path: Path) -> str | None:
    """The value at a path as text, NULL where it is missing; None for a path that only the record's text holds."""
    if path in _text_columns():
        return _text_columns()[path]
    if path in _columns():
        return f"{_columns()[path]}::VARCHAR"
    column = _json_columns().get(path[:1])
    if column is None:
        return None
    return f"json_extract_string({column}, {literal(_json_path(path[1:]))})"


def _answered(leaf: Leaf, values: Iterable[str] | None) -> Node:
    if values is None:
        return leaf
    test = compile_predicate(replace(leaf, path=("value",)))
    found = tuple(sorted(value for value in values if test({"value": value})))
    if not found:
        return FALSE
    return Leaf(leaf.path, "equals", found, case_sensitive=True)


def _is_missing(tree: Node) -> Path | None:
    """The path of a predicate that says `null or absent` of a column, which is what NULL in it means."""
    match tree:
        case Or((Leaf(path, "is_null"), Not(Leaf(other, "exists")))) if path == other and path in _columns():
            return path
        case _:
            return None


def _holds(path: Path, value: str | None) -> Node:
    if value is None:
        return Or((Leaf(path, "is_null"), Not(Leaf(path, "exists"))))
    return Leaf(path, "equals", (value,), case_sensitive=True)


def as_event(paths: tuple[Path, ...], values: tuple[str | None, ...]) -> dict[str, object]:
    """A record that holds just these values."""
    event: dict[str, object] = {}
    for path, value in zip(paths, values, strict=True):
        inner = event
        for key in path[:-1]:
            below = inner.setdefault(key, {})
            inner = below if isinstance(below, dict) else {}
        if value is not None:
            inner[path[-1]] = value
    return event


def _is_structure(text: str) -> bool:
    if not text.startswith(("[", "{")):
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _truths(values: tuple[Value, ...]) -> list[str]:
    """The values as SQL truths, none when one of them is no truth."""
    words = [str(value).lower() for value in values]
    return words if set(words) <= {"true", "false"} else []


def _listed(values: Iterable[str]) -> str:
    return ", ".join(map(literal, values))


def _same(sql: str) -> Typed:
    return Typed(sql, sql)


def _and(children: list[Node]) -> Node:
    kept = tuple(child for child in children if child != TRUE)
    if FALSE in kept:
        return FALSE
    return kept[0] if len(kept) == 1 else And(kept)


def _or(children: list[Node]) -> Node:
    kept = tuple(child for child in children if child != FALSE)
    if TRUE in kept:
        return TRUE
    return kept[0] if len(kept) == 1 else Or(kept)


def _joined(parts: list[Typed], word: str) -> Typed:
    if not parts:
        return _same("true" if word == "AND" else "false")
    sides = ([part.upper for part in parts], [part.lower for part in parts])
    upper, lower = (f"({f' {word} '.join(side)})" for side in sides)
    return Typed(upper, lower)


def _below_json(tree: Node) -> Typed:
    """A leaf below a JSON column, where the translation needs neither the record's text nor an approximation."""
    translated = to_sql(tree)
    if not translated.exact or "eventjson" in translated.sql:
        return _UNKNOWN
    column = _json_columns().get(tree.path[:1]) if isinstance(tree, Leaf) else None
    if column is None or not isinstance(tree, Leaf) or len(tree.path) == 1 or tree.quantifier == "deep":
        return _same(translated.sql)
    return _same(_shortened(tree, column, translated.sql))


def _shortened(leaf: Leaf, column: str, full: str) -> str:
    """The leaf with two short cuts before the full expression, which unfolds arrays with lambdas.

    A key that the text does not mention is not there, and then no leaf is true. A string found straight along the path
    is the only value: an array on the way would have hidden it. (60,000 requests: 0.6 s without, 0.1 s with.)
    """
    key = leaf.path[-1]
    if not key.isascii() or not key.isprintable() or {'"', "\\", "/"} & set(key):
        return full
    # Without the quote before it, for `contains` goes from one first character to the next. (A key that stands nowhere:
    # 225,000 requests 6 ms instead of 12, additional data 24 instead of 42; the words of a leaf there 88 and 178.)
    ending = literal(key + '"')
    mentioned = f"(contains({column}, {ending}) OR contains({column}, '\\u'))"
    place = literal(_json_path(leaf.path[1:]))
    once = _folded_once(leaf)
    test = text_test(once, "word") if leaf.op in _WORDS else None
    given = f"json_extract_string({column}, {place})"
    # The lambda names the string, so that it is taken out and folded once and not for each word that is looked for.
    plain = all(str(value).isascii() for value in once.values)
    word = given if once is leaf else folded(given, ascii_only=plain)
    found = f"list_transform([{word}], lambda word: {test})[1]"
    straight = f"WHEN json_type({column}, {place}) = 'VARCHAR' THEN coalesce({found}, false)" if test else ""
    absent = f"{column} IS NULL OR NOT {mentioned} OR NOT {_worded(leaf, column)}"
    return f"(CASE WHEN {absent} THEN false {straight} ELSE {full} END)"


def _worded(leaf: Leaf, column: str) -> str:
    """A condition that holds wherever one of the leaf's words stands in the text, in any letters, or could be escaped.

    Looked for together and before any JSON is read: 60,000 requests and ten words 0.02 s, instead of 0.3 s.
    """
    words = [value for value in leaf.values if isinstance(value, str)]
    plain = all(_PLAIN_WORD.fullmatch(word) and number_of(word) is None for word in words)
    if leaf.op not in _LITERAL or not words or len(words) < len(leaf.values) or not plain:
        return "true"
    pattern = "|".join(re.escape(word) for word in (*sorted(words), "\\u"))
    return f"regexp_matches({column}, {literal(f'(?i){pattern}')})"


def _folded_once(leaf: Leaf) -> Leaf:
    """The leaf to ask of a text that is folded already; the leaf itself where that would ask something else."""
    if leaf.case_sensitive or leaf.op not in _LITERAL:
        return leaf
    texts = tuple(fold(value) for value in leaf.values if isinstance(value, str))
    return replace(leaf, values=texts, case_sensitive=True) if len(texts) == len(leaf.values) else leaf


def _json_path(path: Path) -> str:
    return "$" + "".join('."' + key.replace("\\", "\\\\").replace('"', '\\"') + '"' for key in path)


@cache
def _columns() -> dict[Path, str]:
    """Every column and part of a struct, by the path of what it holds."""
    return dict(_named(schema.CLOUDTRAIL.columns))


@cache
def _text_columns() -> dict[Path, str]:
    return dict(_named(schema.CLOUDTRAIL.columns, schema.TEXT))


@cache
def _json_columns() -> dict[Path, str]:
    return dict(_named(schema.CLOUDTRAIL.columns, schema.JSON))


def _named(columns: tuple[schema.Column, ...], wanted: str = "") -> Iterator[tuple[Path, str]]:
    for column in columns:
        if isinstance(column.type, schema.Struct):
            for path, name in _named(column.type.fields, wanted):
                yield (column.key, *path), f"{column.name}.{name}"
        elif column.key and not isinstance(column.type, schema.ListOf) and wanted in {"", column.type}:
            yield (column.key,), column.name
