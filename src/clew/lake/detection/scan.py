"""The scan: which records each question is true of, from one pass over the columns for all questions together.

A question is a predicate with a number. Those that need certain event names are joined by name, so that most rows are
never looked at; the others are asked of every row. What the columns leave open is put to the closure, on the record.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from clew.events.predicate import required_values
from clew.events.predicate_tree import FACT, FALSE
from clew.events.predicate_values import fold
from clew.lake.detection.typed import Dictionary, Typed, as_event, resolved, typed, value
from clew.lake.predicate_sql import to_sql
from clew.lake.predicate_tests_sql import literal
from clew.lake.reader import quoted
from clew.lake.summary import ACTOR_SQL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from duckdb import DuckDBPyConnection

    from clew.events.predicate_tree import Node, Path
    from clew.lake.detection.question import FactOfFields, Question
    from clew.lake.reader import Lake

    Judge = Callable[[int, Sequence[str]], Iterable[int]]
    """Which records (by index) the closure of a question is true of."""
    Cell = str | float | None

_BATCH = 2_000
_NAME: Path = ("eventName",)
ACCOUNT_SQL = "coalesce(recipientaccountid, useridentity.accountid, '')"


@dataclass(frozen=True, slots=True)
class _Asked:
    question: Question
    tree: Node
    sql: Typed
    names: frozenset[str] | None


class Scan:
    """The answers to questions, in the temporary table `marks` of a connection of its own.

    Shape of `marks`: question, t and start (epoch microseconds), key and value (hashes), amount (the value as a
    number), file and number (the row in the lake).
    """

    def __init__(
        self,
        lake: Lake,
        *,
        applies: Mapping[str, Node],
        facts: Mapping[str, FactOfFields],
        period: tuple[int | None, int | None] = (None, None),
        memory_limit_mb: int = 512,
    ) -> None:
        """Open the lake for questions.

        `applies` says for a fact where it can matter at all, `facts` names those that a few fields decide; `period`
        keeps events from its first moment until before its second (epoch µs).
        """
        self.connection: DuckDBPyConnection = lake.connect(memory_limit_mb=memory_limit_mb)
        self._applies = applies
        self._facts = facts
        self.limit = _limit(period)
        self._tables: set[str] = set()
        self._files = [file.path for file in lake.files("cloudtrail")]
        self.empty = not self._files
        self.source = "raw_cloudtrail" if self.empty else _source(self._files)
        self._dictionary = Dictionary(self.connection, self.source, self.limit, facts)
        self.connection.execute(
            "CREATE TEMP TABLE marks (question INTEGER, t BIGINT, start BIGINT, key UBIGINT, value UBIGINT, "
            "amount DOUBLE, file UBIGINT, number BIGINT)"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def events(self) -> int:
        """How many events there are to ask about."""
        return int(self.rows(f"SELECT count(*) FROM {self.source} WHERE {self.limit}")[0][0])

    def rows(self, query: str) -> list[tuple[int, ...]]:
        """The rows of a query that gives numbers."""
        return self.connection.execute(query).fetchall()

    def ask(self, questions: Sequence[Question], judge: Judge) -> None:
        """Put the questions; `judge` decides what the columns leave open."""
        if self.empty or not questions:
            return
        asked = [self._asked(question) for question in questions]
        self._ask([a for a in asked if a.tree != FALSE], judge)
        self._ask_of_odd(asked, judge)

    def _ask(self, asked: Sequence[_Asked], judge: Judge) -> None:
        unnamed = [a for a in asked if a.names is None]
        self._by_name([a for a in asked if a.names is not None])
        self._of_any([(a, a.sql.upper) for a in unnamed if a.sql.upper != "true"])
        # What no column narrows is looked for in the text of every record, in SQL as far as SQL can say it.
        blind = [a for a in unnamed if a.sql.upper == "true"]
        self._of_any([(a, to_sql(a.question.tree, applies=self._applies).sql) for a in blind])
        self._confirm([a.question.number for a in asked if not a.sql.exact], judge)

    def _asked(self, question: Question) -> _Asked:
        tree = resolved(question.tree, self._dictionary)
        return _Asked(
            question, tree, typed(tree, self._applies, self._dictionary), required_values(tree, _NAME)
        )

    def _by_name(self, asked: Sequence[_Asked]) -> None:
        """Join rows with the questions that their event name can answer."""
        spelled: dict[str, list[str]] = {}
        for name in self._dictionary.values("eventname") or ():
            spelled.setdefault(fold(name), []).append(name)
        pairs = [
            (name, a.question.number)
            for a in asked
            for wanted in sorted(a.names or ())
            for name in spelled.get(wanted, ())
        ]
        # Names that only light questions want must not drag the request's text of their rows along.
        for heavy in (False, True):
            self._join([a for a in asked if self._is_heavy(a) is heavy], pairs)

    def _is_heavy(self, asked: _Asked) -> bool:
        """Whether the answer reads open-ended text, which is most of the bytes of a row."""
        return "json" in f"{asked.sql.upper} {self._columns([asked.question])}"

    def _join(self, asked: Sequence[_Asked], pairs: Sequence[tuple[str, int]]) -> None:
        numbers = {a.question.number for a in asked}
        wanted = [pair for pair in pairs if pair[1] in numbers]
        if not wanted:
            return
        self.create("wanted", "name VARCHAR, question INTEGER", wanted)
        present = {number for _, number in wanted}
        some = [a for a in asked if a.question.number in present]
        # In the condition of a CASE, unlike in its result, AND stops at the first part that fails.
        cases = " ".join(f"WHEN question = {a.question.number} AND {a.sql.upper} THEN true" for a in some)
        self.connection.execute(
            f"INSERT INTO marks SELECT question, {self._columns([a.question for a in some])} FROM {self.source} e "
            f"JOIN wanted ON e.eventname = wanted.name WHERE {self.limit} AND CASE {cases} ELSE false END"
        )

    def _of_any(self, asked: Sequence[tuple[_Asked, str]]) -> None:
        """Ask every row."""
        if not asked:
            return
        any_of = " OR ".join(f"({sql})" for _, sql in asked)
        each = ", ".join(f"CASE WHEN {sql} THEN {a.question.number} END" for a, sql in asked)
        self.connection.execute(
            f"INSERT INTO marks SELECT question, {self._columns([a.question for a, _ in asked])} "
            f"FROM (SELECT *, file_index, file_row_number, unnest([{each}]) AS question "
            f"FROM {self.source} WHERE {self.limit} AND ({any_of})) WHERE question IS NOT NULL"
        )

    def _columns(self, questions: Sequence[Question]) -> str:
        """What `marks` keeps of a row, for the question of the row."""
        keys: dict[str, list[int]] = {}
        values: dict[str, list[int]] = {}
        amounts: dict[str, list[int]] = {}
        for question in questions:
            paths = question.key
            key = f"{ACTOR_SQL}, {ACCOUNT_SQL}" if paths is None else ", ".join(map(self.text, paths)) or "0"
            keys.setdefault(f"hash({key})", []).append(question.number)
            if question.amount and question.value:
                amount = f"try_cast({self.text(question.value[0])} AS DOUBLE)"
                amounts.setdefault(amount, []).append(question.number)
            elif question.value:
                value_sql = ", ".join(self.text(path) for path in question.value)
                null = " OR ".join(f"{self.text(path)} IS NULL" for path in question.value)
                values.setdefault(f"CASE WHEN {null} THEN NULL ELSE hash({value_sql}) END", []).append(
                    question.number
                )
        return ", ".join(
            (
                "epoch_us(eventtime), epoch_us(eventtime)",
                _case(keys, "UBIGINT"),
                _case(values, "UBIGINT"),
                _case(amounts, "DOUBLE"),
                "file_index, file_row_number",
            )
        )

    def text(self, path: Path) -> str:
        """The expression for the text at a path; NULL where only the record's text would have it."""
        if path[:1] != (FACT,):
            return value(path) or "NULL::VARCHAR"
        fact = self._facts.get(path[1]) if len(path) > 1 else None
        column = value(fact.fields[0]) if fact and len(fact.fields) == 1 else None
        if fact is None or column is None:
            return "NULL::VARCHAR"
        if path[1] not in self._tables:
            self._tables.add(path[1])
            held = self.connection.execute(
                f"SELECT DISTINCT {column} FROM {self.source} WHERE {column} IS NOT NULL AND {self.limit}"
            ).fetchall()
            results = ((text, fact.function(as_event(fact.fields, (text,)))) for (text,) in held)
            pairs = [(text, None if result is None else str(result)) for text, result in results]
            self.create(f"fact_{path[1]}", "given VARCHAR, result VARCHAR", pairs)
        return f"map_extract_value((SELECT map(list(given), list(result)) FROM fact_{path[1]}), {column})"

    def create(self, table: str, columns: str, rows: Iterable[tuple[Cell, ...]]) -> None:
        """Make, or make again, a temporary table of these rows."""
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({columns})")
        waiting = iter(rows)
        # Literals, many rows at a time: a statement for each row costs a hundred times as much.
        while batch := list(itertools.islice(waiting, _BATCH)):
            cells = ", ".join(f"({', '.join(map(_literal, row))})" for row in batch)
            self.connection.execute(f"INSERT INTO {table} VALUES {cells}")

    def records(self, table: str, columns: str) -> Iterator[tuple[tuple[int, ...], str, str, int]]:
        """For each row of a table with file and number: its columns, the record's text, source and record number.

        Only the files that hold such a row are opened: unpacking the text of a file is what costs here.
        """
        needed = [file for (file,) in self.rows(f"SELECT DISTINCT file FROM {table} ORDER BY file")]
        if not needed:
            return
        self.create(
            "opened", "file UBIGINT, place UBIGINT", ((file, place) for place, file in enumerate(needed))
        )
        cursor = self.connection.execute(
            f"SELECT {columns}, e.eventjson, e.source, e.record_number "
            f"FROM {_source([self._files[file] for file in needed])} e JOIN opened o ON e.file_index = o.place "
            f"JOIN {table} d ON d.file = o.file AND e.file_row_number = d.number"
        )
        while rows := cursor.fetchmany(_BATCH):
            for row in rows:
                yield row[:-3], row[-3], row[-2], row[-1]

    def _confirm(self, questions: Sequence[int], judge: Judge) -> None:
        """Take away the marks of these questions that the closure does not confirm."""
        if not questions:
            return
        listed = ", ".join(map(str, questions))
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE doubtful AS SELECT question, file, number FROM marks "
            f"WHERE question IN ({listed})"
        )
        self._keep_confirmed("doubtful", judge)
        self.connection.execute(
            f"DELETE FROM marks WHERE question IN ({listed}) AND (question, file, number) NOT IN (FROM confirmed)"
        )

    def _keep_confirmed(self, table: str, judge: Judge) -> None:
        """Put the rows of a table of (question, file, number) that the closure confirms into `confirmed`."""
        confirmed: list[tuple[int, ...]] = []
        if self.rows(f"SELECT count(*) FROM {table}")[0][0]:
            rows = self.records(table, "d.question, d.file, d.number")
            while batch := list(itertools.islice(rows, _BATCH)):
                by_question: dict[int, list[tuple[tuple[int, ...], str]]] = {}
                for reference, text, _, _ in batch:
                    by_question.setdefault(reference[0], []).append((reference, text))
                for question, found in by_question.items():
                    confirmed += [found[i][0] for i in judge(question, [text for _, text in found])]
        self.create("confirmed", "question INTEGER, file UBIGINT, number BIGINT", confirmed)

    def _ask_of_odd(self, asked: Sequence[_Asked], judge: Judge) -> None:
        """Records with a list or an object where a text belongs are put to the closure, for every question."""
        odd = self._dictionary.odd()
        if odd == "false":
            return
        numbers = ", ".join(f"({a.question.number})" for a in asked)
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE doubtful AS SELECT question, file_index AS file, file_row_number AS number "
            f"FROM {self.source}, (VALUES {numbers}) q(question) WHERE {self.limit} AND {odd}"
        )
        self._keep_confirmed("doubtful", judge)
        self.connection.execute(
            "DELETE FROM marks WHERE (file, number) IN (SELECT file, number FROM doubtful)"
        )
        self.connection.execute(
            f"INSERT INTO marks SELECT question, {self._columns([a.question for a in asked])} FROM {self.source} e "
            "JOIN confirmed c ON e.file_index = c.file AND e.file_row_number = c.number"
        )


def _source(files: Sequence[str]) -> str:
    return f"read_parquet([{', '.join(map(quoted, files))}], hive_partitioning = false)"


def _case(expressions: Mapping[str, Sequence[int]], type_: str) -> str:
    """The expression that belongs to the question of the row, NULL where there is none."""
    if not expressions:
        return f"NULL::{type_}"
    cases = " ".join(
        f"WHEN question IN ({', '.join(map(str, numbers))}) THEN {sql}"
        for sql, numbers in expressions.items()
    )
    return f"CASE {cases} END"


def _limit(period: tuple[int | None, int | None]) -> str:
    since, until = period
    parts = [f"eventtime >= make_timestamptz({since})"] if since is not None else []
    parts += [f"eventtime < make_timestamptz({until})"] if until is not None else []
    return " AND ".join(parts) or "true"


def _literal(item: Cell) -> str:
    if item is None:
        return "NULL"
    return literal(item) if isinstance(item, str) else repr(item)
