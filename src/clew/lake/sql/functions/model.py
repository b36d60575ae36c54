"""What a reviewed function is: Trino's name, how many arguments, how DuckDB says the same, and why that is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from clew.lake.sql.dialect import refuse
from clew.lake.sql.types import UNKNOWN, Type, mixes_zones

if TYPE_CHECKING:
    from datetime import datetime

MANY = 100


@dataclass(frozen=True, slots=True)
class Typed:
    """A DuckDB expression with the type that it has in Trino."""

    sql: exp.Expr
    type: Type = UNKNOWN


@dataclass(frozen=True, slots=True)
class Call:
    """A function call whose arguments are translated already.

    `modify` puts FILTER, OVER and IGNORE NULLS back around an aggregate; `node` is the call as written.
    """

    node: exp.Expr
    args: tuple[Typed, ...]
    now: datetime
    modify: Callable[[exp.Expr], exp.Expr]

    def sql(self, index: int) -> exp.Expr:
        """The DuckDB expression of an argument."""
        return self.args[index].sql

    def type(self, index: int) -> Type:
        """The type of an argument; unknown when it is not given."""
        return self.args[index].type if index < len(self.args) else UNKNOWN

    def element(self, index: int) -> Type:
        """The type of the elements of an array argument."""
        type_ = self.type(index)
        return type_.items[0] if type_.name == "array" else UNKNOWN

    def literal(self, index: int, what: str) -> str:
        """The text of a string literal; QueryError when the argument is anything else."""
        node = self.node.expressions[index]
        if not (isinstance(node, exp.Literal) and node.is_string):
            self.refuse(f"{what} must be a string literal")
        return str(node.this)

    def refuse(self, message: str) -> None:
        """Raise QueryError at the call, naming the function."""
        refuse(self.node, f"`{str(self.node.this).lower()}`: {message}")

    def all(self) -> tuple[exp.Expr, ...]:
        """The DuckDB expressions of all arguments."""
        return tuple(a.sql for a in self.args)


Result = Type | Callable[[Call], Type]
Parameters = Callable[[tuple[Type, ...]], tuple[Type, ...]]


def element_types(types: tuple[Type, ...]) -> tuple[Type, ...]:
    """The types of a lambda's parameters: an array's element, or a map's key and value."""
    first = types[0] if types else UNKNOWN
    return first.items


@dataclass(frozen=True, slots=True)
class Function:
    """A reviewed function.

    `note` says why the translation means the same; `aggregate` and `window` say where it may stand.
    """

    name: str
    least: int
    most: int
    build: Callable[[Call], Typed]
    note: str
    aggregate: bool = False
    window: bool = False
    parameters: Parameters = field(default=element_types)


def in_one_zone(node: exp.Expr, types: Iterable[Type]) -> None:
    """Raise QueryError where the values are times of different zones: DuckDB would take them for one."""
    if mixes_zones(types):
        refuse(node, "times of different zones cannot stand together; convert all of them alike")


def call(name: str, *args: exp.Expr) -> exp.Anonymous:
    """A call of a DuckDB function or of a macro of ours."""
    return exp.Anonymous(this=name, expressions=list(args))


def text(value: str) -> exp.Literal:
    """A string literal."""
    return exp.Literal.string(value)


def number(value: int) -> exp.Expr:
    """An integer literal."""
    return exp.Literal.number(value)


def cast(value: exp.Expr, to: str) -> exp.Cast:
    """A cast to a DuckDB type."""
    return exp.Cast(this=value, to=exp.DataType.build(to, dialect="duckdb"))


def is_null(value: exp.Expr) -> exp.Is:
    """The test for NULL."""
    return exp.Is(this=value, expression=exp.Null())


def when(condition: exp.Expr, then: exp.Expr, otherwise: exp.Expr | None = None) -> exp.Case:
    """A CASE of one condition."""
    return exp.Case(ifs=[exp.If(this=condition, true=then)], default=otherwise)


def _result(spec: Result, made: Call) -> Type:
    return spec if isinstance(spec, Type) else spec(made)


def same(name: str, result: Result, least: int, most: int | None = None, note: str = "the same") -> Function:
    """A scalar function that DuckDB has under the same name with the same meaning."""
    return renamed(name, name, result, least, most, note)


def renamed(
    name: str,
    target: str,
    result: Result,
    least: int,
    most: int | None = None,
    note: str = "the same, renamed",
) -> Function:
    """A scalar function that another DuckDB function, or a macro of ours, answers."""

    def build(made: Call) -> Typed:
        return Typed(call(target, *made.all()), _result(result, made))

    return Function(name, least, least if most is None else most, build, note)


def aggregate(
    name: str, target: str, result: Result, least: int, most: int | None = None, note: str = "the same"
) -> Function:
    """An aggregate that DuckDB has, perhaps under another name."""

    def build(made: Call) -> Typed:
        return Typed(made.modify(call(target, *made.all())), _result(result, made))

    return Function(name, least, least if most is None else most, build, note, aggregate=True, window=True)


def ranking(name: str, result: Result, least: int, most: int | None = None) -> Function:
    """A function that only means something over a window."""

    def build(made: Call) -> Typed:
        return Typed(made.modify(call(name, *made.all())), _result(result, made))

    return Function(name, least, least if most is None else most, build, "the same", window=True)


def argument(index: int) -> Callable[[Call], Type]:
    """The result has the type of that argument."""
    return lambda made: made.type(index)


def element(index: int) -> Callable[[Call], Type]:
    """The result has the type of that argument's elements."""
    return lambda made: made.element(index)
