"""Which statements and branches of `src/clew` the tests reach: `python -m pytest -p tools.reached`, workers or not.

Every module of ours is compiled with a mark before each statement and at the start of each branch. Nothing is traced,
so a run takes hardly longer than without (`docs/decisions/0022-reached-code.md`). What processes reach that a test
starts itself is not counted. The modules below `SHORT_OF` per cent are printed; `build/reached.txt` has all.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import CodeType, ModuleType

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "clew"
LISTING = ROOT / "build" / "reached.txt"
SHORT_OF = 80
# No class mangles a name that ends so, and nobody else writes one.
NAME = "__reached__"
Branching = ast.If | ast.For | ast.AsyncFor | ast.While


@dataclass
class Marks:
    """The marks of one module, in order: where they stand, and whether they were passed."""

    lines: list[int] = field(default_factory=list)
    # A statement has a positive line; a branch that holds none has its parent's, as a negative.
    branches: list[int] = field(default_factory=list)
    passed: list[int] = field(default_factory=list)

    def add(self, other: Marks) -> None:
        """Count what another process passed as well."""
        self.passed = [mine | theirs for mine, theirs in zip(self.passed, other.passed, strict=True)]

    def unreached(self) -> list[int]:
        """The lines of the statements that nothing reached, in order."""
        pairs = zip(self.lines, self.passed, strict=True)
        return sorted({line for line, passed in pairs if line > 0 and not passed})

    def count(self) -> Count:
        """How many there are, and how many were reached."""
        statements = [passed for line, passed in zip(self.lines, self.passed, strict=True) if line > 0]
        reached = sum(self.passed[number] for number in self.branches)
        return Count(len(statements), sum(statements), len(self.branches), reached)


@dataclass(frozen=True)
class Count:
    """Statements and branches, all and reached."""

    statements: int = 0
    reached: int = 0
    branches: int = 0
    branches_reached: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.statements + other.statements,
            self.reached + other.reached,
            self.branches + other.branches,
            self.branches_reached + other.branches_reached,
        )

    def __str__(self) -> str:
        return (
            f"{self.percent:5.1f} %   {self.reached:6,} of {self.statements:6,} statements   "
            f"{self.branches_reached:6,} of {self.branches:6,} branches"
        )

    @property
    def percent(self) -> float:
        """Of statements and branches together."""
        whole = self.statements + self.branches
        return 100 * (self.reached + self.branches_reached) / whole if whole else 100.0


def marked(source: str | bytes, name: str) -> tuple[CodeType, Marks]:
    """The module's code, which expects the list `passed` of the marks as its global `NAME`."""
    tree = ast.parse(source, name)
    marks = Marks()
    tree.body = _Marker(marks).block(tree.body)
    marks.passed = [0] * len(marks.lines)
    return compile(tree, name, "exec", dont_inherit=True), marks


class _Marker:
    def __init__(self, marks: Marks) -> None:
        self._marks = marks

    def block(self, body: Iterable[ast.stmt]) -> list[ast.stmt]:
        """The statements, each with its mark before it."""
        made: list[ast.stmt] = []
        for statement in body:
            if not _is_silent(statement):
                made.append(self._mark(statement.lineno))
            made.append(statement)
            self._within(statement)
        return made

    def _mark(self, line: int) -> ast.stmt:
        number = len(self._marks.lines)
        self._marks.lines.append(line)
        at = _at(abs(line))
        place = ast.Subscript(ast.Name(NAME, ast.Load(), **at), ast.Constant(number, **at), ast.Store(), **at)
        return ast.Assign([place], ast.Constant(1, **at), **at)

    def _branch(self, body: Iterable[ast.stmt], line: int) -> list[ast.stmt]:
        first = len(self._marks.lines)
        self._marks.branches.append(first)
        made = self.block(body)
        return made if len(self._marks.lines) > first else [self._mark(-line), *made]

    def _within(self, statement: ast.stmt) -> None:
        match statement:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                pass  # for type checkers alone
            case ast.If() | ast.For() | ast.AsyncFor() | ast.While():
                statement.body = self._branch(statement.body, statement.lineno)
                if statement.orelse or not _is_endless(statement):
                    statement.orelse = self._branch(statement.orelse, statement.lineno)
            case ast.Match():
                self._cases(statement)
            case ast.Try() | ast.TryStar():
                for part in (statement, *statement.handlers):
                    part.body = self.block(part.body)
                statement.orelse = self.block(statement.orelse)
                statement.finalbody = self.block(statement.finalbody)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.With() | ast.AsyncWith():
                statement.body = self.block(statement.body)

    def _cases(self, statement: ast.Match) -> None:
        for case in statement.cases:
            case.body = self._branch(case.body, statement.lineno)
        if not _takes_all(statement.cases[-1]):
            nothing = ast.MatchAs(**_at(statement.lineno))
            statement.cases.append(ast.match_case(nothing, None, self._branch([], statement.lineno)))


class _Place(TypedDict):
    lineno: int
    end_lineno: int
    col_offset: int
    end_col_offset: int


def _at(line: int) -> _Place:
    return {"lineno": line, "end_lineno": line, "col_offset": 0, "end_col_offset": 0}


def _is_silent(statement: ast.stmt) -> bool:
    """Whether nothing runs there, or nothing may stand before it: docstrings, `...`, `global`, future imports."""
    match statement:
        case (
            ast.Global()
            | ast.Nonlocal()
            | ast.ImportFrom(module="__future__")
            | ast.Expr(value=ast.Constant())
        ):
            return True
    return False


def _is_endless(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.While) and isinstance(statement.test, ast.Constant)


def _takes_all(case: ast.match_case) -> bool:
    pattern = case.pattern
    while isinstance(pattern, ast.MatchOr):
        pattern = pattern.patterns[-1]
    return case.guard is None and isinstance(pattern, ast.MatchAs) and pattern.pattern is None


MARKS: dict[str, Marks] = {}


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        code, MARKS[self.path] = marked(self.get_data(self.path), self.path)
        setattr(module, NAME, MARKS[self.path].passed)
        exec(code, module.__dict__)  # noqa: S102  # our own module, as the import system would


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != SOURCE.name:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if (
            spec is not None
            and type(spec.loader) is SourceFileLoader
            and SOURCE in Path(spec.loader.path).parents
        ):
            spec.loader = _Loader(fullname, spec.loader.path)
        return spec


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Mark what is imported from now on; tests import nothing of ours earlier."""
    sys.meta_path.insert(0, _Finder())


class Node(Protocol):
    """A worker that has ended."""

    workeroutput: dict[str, Any]


class Reporter(Protocol):
    """What pytest prints with."""

    def section(self, title: str) -> None:
        """A line across the screen."""

    def write_line(self, line: str) -> None:
        """One line."""


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand a worker's marks to the process that reports."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["reached"] = [(path, each.lines, each.branches, each.passed) for path, each in MARKS.items()]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Node) -> None:
    """Take over the marks of a worker; one that died has none, and what it alone reached counts as unreached."""
    for path, *lists in getattr(node, "workeroutput", {}).get("reached", ()):
        theirs = Marks(*lists)
        if path in MARKS:
            MARKS[path].add(theirs)
        else:
            MARKS[path] = theirs


def pytest_terminal_summary(terminalreporter: Reporter) -> None:
    """Print the modules that fall short and the total; modules that nothing imported count as well."""
    for path in map(str, SOURCE.rglob("*.py")):
        if path not in MARKS:
            MARKS[path] = marked(Path(path).read_bytes(), path)[1]
    counts = {Path(path).relative_to(ROOT).as_posix(): MARKS[path].count() for path in sorted(MARKS)}
    total = sum(counts.values(), Count())
    LISTING.parent.mkdir(exist_ok=True)
    LISTING.write_text("\n".join(_listing()) + "\n", encoding="utf-8")
    terminalreporter.section(f"reached of src/clew; modules below {SHORT_OF} %")
    for name, count in counts.items():
        if count.percent < SHORT_OF:
            terminalreporter.write_line(f"{count}   {name}")
    terminalreporter.write_line(f"{total}   TOTAL")


def _listing() -> Iterator[str]:
    for path, marks in sorted(MARKS.items()):
        name = Path(path).relative_to(ROOT).as_posix()
        yield f"{marks.count()}   {name}   {', '.join(ranges(marks.unreached()))}".rstrip()


def ranges(lines: Sequence[int]) -> list[str]:
    """The lines, those that follow one another as one range.

    >>> ranges([3, 4, 5, 9])
    ['3-5', '9']
    """
    runs = groupby(enumerate(lines), lambda pair: pair[1] - pair[0])
    ends = [(run[0][1], run[-1][1]) for run in (list(group) for _, group in runs)]
    return [str(first) if first == last else f"{first}-{last}" for first, last in ends]
