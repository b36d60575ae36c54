"""The combinations of the columns with few values: which of them each question can be true of.

A million events are a few hundred combinations of event name, source, error code and the like. Each question is put to
those first, with everything else left open: then rows are joined, by a hash, with only the questions that their
combination can answer, and need no test at all where the combination decides. (A million events: 0.07 s to find the
combinations; the questions, put to each row instead, took ten times as long as all that is done now.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from clew.events.predicate_tree import FACT, FALSE, And, Leaf, Node, Not, Or, Path
from clew.lake.detection.typed import column, is_text, typed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duckdb import DuckDBPyConnection

    from clew.lake.detection.typed import Dictionary

_MOST = 20_000
_STRUCT = "userIdentity"
_COMMON: tuple[Path, ...] = (("eventName",), ("eventSource",), ("errorCode",), ("userIdentity", "type"))
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
    (("eventName",),),
    (),
)
_OPEN = Leaf((FACT, ""), "exists")


@dataclass(frozen=True, slots=True)
class Combinations:
    """The table `combinations` of a connection, with a hash `h`, the number of events and the first time of each.

    Shape: `paths` are the fields that are combined, `hashed` is the hash as an expression over a row of the source.
    """

    connection: DuckDBPyConnection
    paths: tuple[Path, ...]
    hashed: str

    @classmethod
    def of(cls, connection: DuckDBPyConnection, source: str, limit: str) -> Self:
        """The combinations of as many columns as leave them few."""
        for paths in _CHOICES:
            found = cls(connection, paths, f"hash({', '.join(['0', *map(column, paths)])})")
            found.fill(source, limit)
            count, hashes = connection.execute(
                "SELECT count(*), count(DISTINCT h) FROM combinations"
            ).fetchall()[0]
            # Two combinations of one hash would mix up their questions.
            if count == hashes <= _MOST:
                break
        return found

    def fill(self, source: str, limit: str) -> None:
        """Make, or make again, the table."""
        plain = [column(path) for path in self.paths if path[0] != _STRUCT]
        parts = [f"'{path[1]}': {column(path)}" for path in self.paths if path[0] == _STRUCT]
        shown = [*plain, *([f"{{{', '.join(parts)}}} AS useridentity"] if parts else [])]
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE combinations AS SELECT {', '.join([*shown, ''])}{self.hashed} AS h, "
            f"count(*) AS events, min(epoch_us(eventtime)) AS first FROM {source} WHERE {limit} "
            f"GROUP BY ALL LIMIT {_MOST + 1}"
        )

    @property
    def texts(self) -> tuple[Path, ...]:
        """The fields among them that hold text."""
        return tuple(path for path in self.paths if is_text(path))

    def values(self, path: Path) -> tuple[str, ...]:
        """The distinct values of a column that is combined."""
        name = column(path)
        rows = self.connection.execute(
            f"SELECT DISTINCT {name} AS v FROM combinations WHERE {name} IS NOT NULL ORDER BY v"
        ).fetchall()
        return tuple(text for (text,) in rows)

    def ask(
        self, trees: Sequence[tuple[int, Node]], applies: Mapping[str, Node], dictionary: Dictionary
    ) -> None:
        """Make `pairs`: the hashes of combinations with the questions that they leave open, or are `sure` to answer."""
        known = frozenset(self.paths)
        domains = {name: _coarse(domain, known) for name, domain in applies.items()}
        answers = []
        for number, tree in trees:
            asked = typed(_coarse(tree, known), domains, dictionary)
            answers.append(f"CASE WHEN {asked.upper} THEN {{'q': {number}, 'sure': {asked.lower}}} END")
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE pairs AS SELECT h, a.q::INTEGER AS question, a.sure AS sure FROM "
            f"(SELECT h, unnest([{', '.join(answers)}]) AS a FROM combinations) WHERE a IS NOT NULL"
            if answers
            else "CREATE OR REPLACE TEMP TABLE pairs (h UBIGINT, question INTEGER, sure BOOLEAN)"
        )


def _coarse(tree: Node, known: frozenset[Path]) -> Node:
    """The tree with everything left open that other fields decide."""
    match tree:
        case And(children):
            return And(tuple(_coarse(child, known) for child in children))
        case Or(children):
            return Or(tuple(_coarse(child, known) for child in children)) if children else FALSE
        case Not(child):
            return Not(_coarse(child, known))
        case Leaf(path) if path in known or path[:1] == (FACT,):
            return tree
        case _:
            return _OPEN
