"""The combinations of the columns with few values: which of them each question can be true of.

A million events are a few hundred combinations of event name, source, error code and the like. Each question is put to
those first, with everything else left open: then rows are joined, by a hash, with only the questions that their
combination can answer, and need no test at all where the combination decides. (A million events: 0.07 s to find the
combinations; the questions, put to each row instead, took ten times as long as all that is done now.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from clew.events.predicate_tree import FACT, And, Leaf, Node, Not, Or, Path
from clew.lake.detection.typed import column, is_text, light_tests, typed
from clew.lake.predicate_tests_sql import literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duckdb import DuckDBPyConnection

    from clew.lake.detection.typed import Dictionary

_MOST = 20_000
# A question about so many events is worth a test of its own in the combinations.
_WIDE = 20_000
_MOST_TESTS = 32
_STRUCT = "userIdentity"
_NAME: Path = ("eventName",)
_COMMON: tuple[Path, ...] = (_NAME, ("eventSource",), ("errorCode",), ("userIdentity", "type"))
# Tried in this order; whoever forges events can make any column hold as many values as there are events.
_CHOICES: tuple[tuple[Path, ...], ...] = (
    (
        *_COMMON,
        ("userIdentity", "invokedBy"),
        ("eventType",),
        ("eventCategory",),
        ("readOnly",),
        ("managementEvent",),
    ),
    _COMMON,
    (_NAME,),
    (),
)
_OPEN = Leaf((FACT, ""), "exists")


class Possible(NamedTuple):
    """A question that may be true of so many events, of which so many are `open`; it is `sure` where none can be."""

    question: int
    events: int
    open: int
    sure: bool

    @property
    def wide(self) -> bool:
        """Whether it is worth a question to the lake whether this one needs to be asked."""
        return self.events >= _WIDE


@dataclass(slots=True)
class Combinations:
    """The table `combinations` of a connection, with a hash `h`, the number of events and the first time of each.

    Shape: `paths` are the fields that are combined, `tests` what else is, by the name of its column.
    """

    connection: DuckDBPyConnection
    source: str
    limit: str
    paths: tuple[Path, ...] = ()
    tests: dict[Node, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for paths in _CHOICES:
            self.paths = paths
            if self._fill():
                break

    def rows(self, limit: str = "true") -> str:
        """The rows of the source, each with the hash of its combination."""
        tested = "".join(f", {sql} AS {name}" for name, sql in self.tests.values())
        hashed = ", ".join(("0", *map(column, self.paths), *(name for name, _ in self.tests.values())))
        return (
            f"(SELECT *, file_index, file_row_number, hash({hashed}) AS h FROM (SELECT *, file_index, "
            f"file_row_number{tested} FROM {self.source} WHERE {self.limit} AND {limit}))"
        )

    def named(self, numbers: str) -> str:
        """The condition that an event has a name with which these questions can be true; "true" if that says little."""
        if _NAME not in self.paths:
            return "true"
        name = column(_NAME)
        rows = self.connection.execute(
            f"SELECT DISTINCT {name} FROM combinations JOIN pairs USING (h) WHERE question IN ({numbers})"
        ).fetchall()
        names = [text for (text,) in rows]
        if None in names:
            return "true"
        return f"{name} IN ({', '.join(map(literal, names))})"

    def ask_again(self, question: int, number: int) -> None:
        """Let `pairs` hold the question under another number too."""
        self.connection.execute(
            f"INSERT INTO pairs SELECT h, {number}, sure FROM pairs WHERE question = {question}"
        )

    @property
    def texts(self) -> tuple[Path, ...]:
        """The fields among them that hold text."""
        return tuple(path for path in self.paths if is_text(path))

    def values_of(self, path: Path, question: int) -> int:
        """How many values a column that is combined has where a question may be true."""
        rows = self.connection.execute(
            f"SELECT count(DISTINCT {column(path)}) FROM combinations JOIN pairs USING (h) WHERE question = {question}"
        ).fetchall()
        return int(rows[0][0])

    def values(self, path: Path) -> tuple[str, ...]:
        """The distinct values of a column that is combined."""
        name = column(path)
        rows = self.connection.execute(
            f"SELECT DISTINCT {name} AS v FROM combinations WHERE {name} IS NOT NULL ORDER BY v"
        ).fetchall()
        return tuple(text for (text,) in rows)

    def ask(
        self, trees: Sequence[tuple[int, Node]], applies: Mapping[str, Node], dictionary: Dictionary
    ) -> list[Possible]:
        """The questions that some combination leaves open or answers, most events first.

        Makes `pairs`: the hashes of combinations with these questions.
        """
        answers = self._ask(trees, applies, dictionary)
        known = frozenset(self.paths)
        wide = {answer.question for answer in answers if answer.open >= _WIDE}
        tests = {
            test: sql
            for number, tree in trees
            if number in wide
            for test, sql in light_tests(tree, known, dictionary)
        }
        if tests and self._refine(tests):
            answers = self._ask(trees, applies, dictionary)
        return answers

    def _refine(self, tests: Mapping[Node, str]) -> bool:
        """Combine the answers of these tests too: computed once for a row, not once for each question about it."""
        for test, sql in list(tests.items())[:_MOST_TESTS]:
            self.tests[test] = (f"test_{len(self.tests)}", sql)
        if self._fill():
            return True
        self.tests.clear()
        self._fill()
        return False

    def _fill(self) -> bool:
        """Make, or make again, the table; False when there are too many combinations to be of use."""
        shown = [column(path) for path in self.paths if path[0] != _STRUCT]
        parts = [f"'{path[1]}': {column(path)}" for path in self.paths if path[0] == _STRUCT]
        shown += [f"{{{', '.join(parts)}}} AS useridentity"] if parts else []
        shown += [name for name, _ in self.tests.values()]
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE combinations AS SELECT {', '.join([*shown, 'h'])}, count(*) AS events, "
            f"min(epoch_us(eventtime)) AS first FROM {self.rows()} GROUP BY ALL LIMIT {_MOST + 1}"
        )
        count, hashes = self.connection.execute(
            "SELECT count(*), count(DISTINCT h) FROM combinations"
        ).fetchall()[0]
        # Two combinations of one hash would mix up their questions.
        return bool(count == hashes <= _MOST)

    def _ask(
        self, trees: Sequence[tuple[int, Node]], applies: Mapping[str, Node], dictionary: Dictionary
    ) -> list[Possible]:
        known, named = frozenset(self.paths), {test: name for test, (name, _) in self.tests.items()}
        domains = {name: _coarse(domain, known, {}) for name, domain in applies.items()}
        answers = []
        for number, tree in trees:
            asked = typed(_coarse(tree, known, named), domains, dictionary, named)
            answers.append(f"CASE WHEN {asked.upper} THEN {{'q': {number}, 'sure': {asked.lower}}} END")
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE pairs AS SELECT h, a.q::INTEGER AS question, a.sure AS sure FROM "
            f"(SELECT h, unnest([{', '.join(answers)}]) AS a FROM combinations) WHERE a IS NOT NULL"
            if answers
            else "CREATE OR REPLACE TEMP TABLE pairs (h UBIGINT, question INTEGER, sure BOOLEAN)"
        )
        rows = self.connection.execute(
            "SELECT question, sum(events)::BIGINT, coalesce(sum(events) FILTER (NOT sure), 0)::BIGINT, bool_and(sure) "
            "FROM pairs JOIN combinations USING (h) GROUP BY question ORDER BY sum(events) DESC, question"
        ).fetchall()
        return [Possible(*row) for row in rows]


def _coarse(tree: Node, known: frozenset[Path], named: Mapping[Node, str]) -> Node:
    """The tree with everything left open that is not combined."""
    if tree in named:
        return tree
    match tree:
        case And(children):
            return And(tuple(_coarse(child, known, named) for child in children))
        case Or(children):
            return Or(tuple(_coarse(child, known, named) for child in children))
        case Not(child):
            return Not(_coarse(child, known, named))
        case Leaf(path) if path in known or path[:1] == (FACT,):
            return tree
        case _:
            return _OPEN
