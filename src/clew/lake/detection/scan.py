"""The scan: which records each question is true of, from one pass over the columns for all questions together.

A question is a predicate with a number. Those that need certain event names are joined by name, so that most rows are
never looked at; the others are asked of every row. What the columns leave open is put to the closure, on the record.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from clew.events.predicate_tree import FACT, FALSE
from clew.lake.detection.combinations import Combinations
from clew.lake.detection.near import near
from clew.lake.detection.question import Question
from clew.lake.detection.typed import (
    Dictionary,
    Typed,
    as_event,
    asked_of,
    column,
    is_text,
    resolved,
    typed,
    value,
)
from clew.lake.predicate_sql import to_sql
from clew.lake.predicate_tests_sql import literal
from clew.lake.reader import quoted
from clew.lake.summary import ACTOR_SQL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from duckdb import DuckDBPyConnection

    from clew.events.predicate_tree import Node, Path
    from clew.lake.detection.combinations import Possible
    from clew.lake.detection.question import FactOfFields
    from clew.lake.reader import Lake

    Judge = Callable[[int, Sequence[str]], Iterable[int]]
    """Which records (by index) the closure of a question is true of."""
    Cell = str | float | None

_BATCH = 2_000
# So many keys are compared one by one.
_MOST_KEYS = 24
# The values of many columns together have to fit in memory; of more records each column is read by itself.
_MOST_AT_ONCE = 2_000_000
_EMPTY = "(SELECT *, 0::UBIGINT AS file_index, 0::BIGINT AS file_row_number FROM raw_cloudtrail)"
ACCOUNT_SQL = "coalesce(recipientaccountid, useridentity.accountid, '')"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with its condition; `within` is what its rows fulfil besides, where its keys have been narrowed."""

    question: Question
    tree: Node
    sql: Typed
    within: str = ""


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
        self._tables: dict[str, str] = {}
        files = lake.files("cloudtrail")
        self._files = [file.path for file in files]
        self._records = sum(file.rows for file in files)
        self.empty = not self._files
        self.source = _EMPTY if self.empty else _source(self._files)
        self._dictionary = Dictionary(self.connection, self.source, self.limit, facts)
        self._combinations = Combinations(self.connection, self.source, self.limit)
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
        return int(self.rows("SELECT coalesce(sum(events), 0)::BIGINT FROM combinations")[0][0])

    def first_time(self) -> int:
        """The time of the first event of all (epoch µs), 0 when there is none."""
        return int(self.rows("SELECT coalesce(min(first), 0) FROM combinations")[0][0])

    def marked(self) -> set[int]:
        """The questions that have marks."""
        return {question for (question,) in self.rows("SELECT DISTINCT question FROM marks")}

    def rows(self, query: str) -> list[tuple[int, ...]]:
        """The rows of a query that gives numbers."""
        return self.connection.execute(query).fetchall()

    def ask(self, questions: Sequence[Question], judge: Judge) -> None:
        """Put the questions; `judge` decides what the columns leave open."""
        if self.empty or not questions:
            return
        for path in self._combinations.texts:
            self._dictionary.hold(column(path), self._combinations.values(path))
        if self._records <= _MOST_AT_ONCE:
            self._dictionary.read(c for question in questions for c in asked_of(question.tree, self._facts))
        asked = [self._asked(question) for question in questions]
        odd = self._find_odd()
        self._ask([a for a in asked if a.tree != FALSE], judge, everything=odd)
        if odd:
            self._ask_of_odd(asked, judge)

    def _ask(self, asked: Sequence[_Asked], judge: Judge, *, everything: bool) -> None:
        trees = [(a.question.number, a.tree) for a in asked]
        answers = self._combinations.ask(trees, self._applies, self._dictionary)
        possible = {answer.question: answer for answer in answers}
        by_number = {a.question.number: a for a in asked}
        asked = [by_number[number] for number in possible]
        if not everything:
            asked = [a for a in asked if self._can_matter(a.question, possible)]
        coarse = {} if everything else self._coarse(asked, possible)
        # Light questions must not drag the request's text of their rows along, nor heavy ones the whole record's.
        self._join([*(a for a in asked if not self._weight(a)), *coarse.values()], possible)
        asked = [n for a in asked if (n := self._narrowed(a, coarse.get(a.question.number))) is not None]
        for weight in ("json", "eventjson"):
            self._join([a for a in asked if self._weight(a) == weight], possible)
        self._confirm([a.question.number for a in asked if not a.sql.exact], judge)

    def _can_matter(self, question: Question, possible: Mapping[int, Possible]) -> bool:
        """Whether the answers can come to anything, from what is known before any row is looked at.

        (A million events by 180 actors who make nine calls: nothing is to be marked where 40 different ones are asked
        for. Of 2,760,000 marks 1,100,000 are left, for 0.5 s less CPU.)
        """
        if question.serves and possible.keys().isdisjoint(question.serves):
            return False
        answer = possible[question.number]
        if answer.events < question.least.events:
            return False
        if not answer.wide or not question.least.values or len(question.value) != 1:
            return True
        most = self._most_values(question.value[0], question.number)
        return most is None or most >= question.least.values

    def _most_values(self, path: Path, question: int) -> int | None:
        """How many different values there can be at a path where a question is true; None when that is not known."""
        if path in self._combinations.paths:
            return self._combinations.values_of(path, question)
        if is_text(path):
            values = self._dictionary.values(column(path))
            return None if values is None else len(values)
        if path[:1] == (FACT,) and (table := self.text(path).partition(".")[0]) in self._tables:
            return self.rows(f"SELECT count(DISTINCT result) FROM {table}")[0][0]
        return None

    def _coarse(self, asked: Sequence[_Asked], possible: dict[int, Possible]) -> dict[int, _Asked]:
        """For questions that read text for their key or value only: the same question, with what else the key has.

        Where too few events lie close together for that, there are too few for the whole key, and no text is read.
        """
        found = {}
        for a in asked:
            question, least = a.question, a.question.least
            if not (least.span_us and least.events > 1 and possible[question.number].wide):
                continue
            if self._weight(a) != "json" or "json" in a.sql.upper or question.key is None:
                continue
            number = -1 - question.number
            # What a fact says of a row is known only where its table has been joined.
            key = tuple(p for p in question.key if p[:1] != (FACT,) and "json" not in self.text(p))
            self._combinations.ask_again(question.number, number)
            possible[number] = possible[question.number]
            found[question.number] = replace(a, question=Question(number, question.tree, key))
        return found

    def _narrowed(self, asked: _Asked, coarse: _Asked | None) -> _Asked | None:
        """The question, of those keys only that the coarse one found to be used enough; None where no key is."""
        if coarse is None:
            return asked
        least = asked.question.least
        full = near(str(coarse.question.number), least.span_us, "events", least.events)
        keys = [key for (key,) in self.rows(f"SELECT DISTINCT key FROM ({full})")]
        if len(keys) > _MOST_KEYS:
            return asked
        listed = ", ".join(f"{key}::UBIGINT" for key in keys)
        return replace(asked, within=f"{self._key(coarse.question)} IN ({listed})") if keys else None

    def _asked(self, question: Question) -> _Asked:
        tree = resolved(question.tree, self._dictionary)
        sql = typed(tree, self._applies, self._dictionary)
        if sql.upper == "true":
            # What no column narrows is looked for in the text of every record, in SQL as far as SQL can say it.
            sql = Typed(to_sql(question.tree, applies=self._applies).sql, "false")
        return _Asked(question, tree, sql)

    def _weight(self, asked: _Asked) -> str:
        """Which open-ended text the answer reads; that is most of the bytes of a row."""
        read = f"{asked.sql.upper} {self._columns([asked.question])}"
        return next((text for text in ("eventjson", "json") if text in read), "")

    def _join(self, asked: Sequence[_Asked], possible: Mapping[int, Possible]) -> None:
        """Mark the rows that make these questions true, looking only where the combination of columns lets them be."""
        if not asked:
            return
        columns = self._columns([a.question for a in asked])
        numbers = ", ".join(str(a.question.number) for a in asked)
        # In the condition of a CASE, unlike in its result, AND stops at the first part that fails. Questions with many
        # rows stand first, and a row goes no further than its own.
        cases = [
            f"WHEN question = {a.question.number} THEN CASE WHEN {a.sql.upper} THEN true ELSE false END"
            for a in asked
            if not possible[a.question.number].sure
        ]
        tested = f"(sure OR CASE {' '.join(cases)} ELSE false END)" if cases else "true"
        within = [f"WHEN question = {a.question.number} THEN {a.within}" for a in asked if a.within]
        tested += f" AND CASE {' '.join(within)} ELSE true END" if within else ""
        limit = self._passed(asked) if self._weight(asked[0]) else "true"
        self.connection.execute(
            f"INSERT INTO marks SELECT question, {columns} FROM {self._combinations.rows(limit)} e "
            f"JOIN (FROM pairs WHERE question IN ({numbers})) p ON e.h = p.h "
            f"{self._looked_up(columns)} WHERE {tested}"
        )

    def _passed(self, asked: Sequence[_Asked]) -> str:
        """The condition on rows that some question can be true of; "true" where that says little.

        The reader passes over the other columns of rows that fail it, where it is no list but a CASE. (Requests and
        answers of a million events: read for 19 questions about 250,000 of them 1.2 s without, 0.7 s with.)
        """
        plain = ", ".join(str(a.question.number) for a in asked if not a.within)
        choices = [self._combinations.named(plain)] if plain else []
        if "true" in choices:
            return "true"
        choices += [
            f"{self._combinations.named(str(a.question.number))} AND {a.within}" for a in asked if a.within
        ]
        return f"CASE {' '.join(f'WHEN {choice} THEN true' for choice in choices)} ELSE false END"

    def _looked_up(self, columns: str) -> str:
        """The joins with the tables of facts that the columns name."""
        return " ".join(
            f"LEFT JOIN {table} ON {table}.given = {given}"
            for table, given in self._tables.items()
            if f"{table}." in columns
        )

    def _columns(self, questions: Sequence[Question]) -> str:
        """What `marks` keeps of a row, for the question of the row."""
        keys: dict[str, list[int]] = {}
        values: dict[str, list[int]] = {}
        amounts: dict[str, list[int]] = {}
        for question in questions:
            keys.setdefault(self._key(question), []).append(question.number)
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

    def _key(self, question: Question) -> str:
        """The expression that groups the answers of a question."""
        paths = question.key
        key = f"{ACTOR_SQL}, {ACCOUNT_SQL}" if paths is None else ", ".join(map(self.text, paths)) or "0"
        return f"hash({key})"

    def text(self, path: Path) -> str:
        """The expression for the text at a path; NULL where only the record's text would have it."""
        if path[:1] != (FACT,):
            return value(path) or "NULL::VARCHAR"
        fact = self._facts.get(path[1]) if len(path) > 1 else None
        given = value(fact.fields[0]) if fact and len(fact.fields) == 1 else None
        if fact is None or given is None:
            return "NULL::VARCHAR"
        table = f"fact_{path[1]}"
        if table not in self._tables:
            self._tables[table] = given
            held = self._dictionary.values(given)
            if held is None:
                rows = self.connection.execute(
                    f"SELECT DISTINCT {given} FROM {self.source} WHERE {given} IS NOT NULL AND {self.limit}"
                ).fetchall()
                held = tuple(text for (text,) in rows)
            results = ((text, fact.function(as_event(fact.fields, (text,)))) for text in held)
            pairs = [(text, None if result is None else str(result)) for text, result in results]
            self.create(table, "given VARCHAR, result VARCHAR", pairs)
        return f"{table}.result"

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

    def _find_odd(self) -> bool:
        """Whether there are records with a list or an object where a text belongs; makes the table `odd` of them."""
        odd = self._dictionary.odd()
        if odd == "false":
            return False
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE odd AS SELECT file_index AS file, file_row_number AS number "
            f"FROM {self.source} WHERE {self.limit} AND {odd}"
        )
        return bool(self.rows("SELECT count(*) FROM odd")[0][0])

    def _ask_of_odd(self, asked: Sequence[_Asked], judge: Judge) -> None:
        """The odd records are put to the closure, for every question."""
        numbers = ", ".join(f"({a.question.number})" for a in asked)
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE doubtful AS SELECT question, file, number "
            f"FROM odd, (VALUES {numbers}) q(question)"
        )
        self._keep_confirmed("doubtful", judge)
        self.connection.execute("DELETE FROM marks WHERE (file, number) IN (FROM odd)")
        columns = self._columns([a.question for a in asked])
        self.connection.execute(
            f"INSERT INTO marks SELECT question, {columns} FROM {self.source} e {self._looked_up(columns)} "
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
