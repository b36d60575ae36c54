"""Reading a query as Athena and CloudTrail Lake read it, and writing it as DuckDB reads it."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from sqlglot import errors, exp, parse
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.trino import Trino

from clew.errors import QueryError

if TYPE_CHECKING:
    from typing import Never

MAX_CHARACTERS = 100_000
# The parser writes notes about odd queries to stderr; ours are errors with a place.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
_SPECIAL_SYNTAX = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "SUBSTRING", "POSITION")
# Strings, quoted names and comments are passed over; what is left may be an event data store id.
_WORDS = re.compile(
    r"""('(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/)"""
    r"""|\b(arn:aws[\w-]*:cloudtrail:[\w-]*:\d*:eventdatastore/[\w-]+)"""
    r"""|(?<![\w-])([0-9A-Za-z]+(?:-[0-9A-Za-z]+){3,}|(?i:eds-id))(?![\w-])"""
    r"""|(<(?i:event[ _-]data[ _-]store[ _-]id|eds[ _-]?id)>|\$(?i:eds_id)\b)"""
    # The CloudTrail user guide has `< =` in "CloudTrail Lake queries".
    r"""|([<>][ ]=)""",
    re.DOTALL,
)
_SHORTEST_ID = 32
# The Kelvin sign and the dotted capital I: k and i to us, letters of their own to DuckDB, which folds ASCII only. A
# WITH relation named so hid a table of DuckDB's behind its name.
_ASCII_IN_LOWER_CASE = re.compile("[\u212a\u0130]")
_PLACEHOLDER = re.compile(r"eds[-_]?(?:id|\d)|event_data_store_id", re.IGNORECASE)


class ClewAthena(Trino):
    """Trino's grammar without sqlglot's own knowledge of functions.

    Every function stays the name that was written, so that the table of reviewed functions alone decides.
    """

    # INVARIANT: subscripts stay as written (1-based).
    INDEX_OFFSET = 0

    class Parser(Trino.Parser):  # type: ignore[valid-type, misc]  # sqlglot's metaclass makes it a class
        """Only the functions with a syntax of their own are known to the parser."""

        FUNCTIONS: dict[str, object] = {}  # noqa: RUF012  # declared so by sqlglot
        FUNCTION_PARSERS = {  # noqa: RUF012  # declared so by sqlglot
            name: parser for name, parser in Trino.Parser.FUNCTION_PARSERS.items() if name in _SPECIAL_SYNTAX
        }


class ClewDuckDB(DuckDB):
    """DuckDB's grammar without sqlglot's knowledge of functions: for looking at what will be run."""

    class Parser(DuckDB.Parser):  # type: ignore[valid-type, misc]  # sqlglot's metaclass makes it a class
        """No function is known to the parser."""

        FUNCTIONS: dict[str, object] = {}  # noqa: RUF012  # declared so by sqlglot
        FUNCTION_PARSERS = {  # noqa: RUF012  # declared so by sqlglot
            name: parser for name, parser in DuckDB.Parser.FUNCTION_PARSERS.items() if name in _SPECIAL_SYNTAX
        }

    class Generator(DuckDB.Generator):  # type: ignore[valid-type, misc]  # sqlglot's metaclass makes it a class
        """IGNORE NULLS stands inside the parentheses, whichever function it is."""

        TRANSFORMS = {  # noqa: RUF012  # declared so by sqlglot
            **DuckDB.Generator.TRANSFORMS,
            exp.IgnoreNulls: lambda self, node: f"{self.sql(node, 'this')} IGNORE NULLS",
            exp.RespectNulls: lambda self, node: f"{self.sql(node, 'this')} RESPECT NULLS",
        }


def is_data_store(name: str) -> bool:
    """Whether the name is an event data store's id or ARN, or the placeholder that AWS's samples use.

    >>> is_data_store("0233062b-51c6-4d18-8dec-a6a1ce8e8e8e"), is_data_store("users")
    (True, False)
    """
    if ":eventdatastore/" in name or _PLACEHOLDER.fullmatch(name):
        return True
    is_long = len(name) >= _SHORTEST_ID and name.count("-") >= 3  # noqa: PLR2004  # a UUID has four hyphens
    return is_long and bool(re.fullmatch(r"[0-9A-Za-z-]+", name)) and any(c.isdigit() for c in name)


def read(text: str) -> exp.Query:
    """The one query of the text; QueryError, located, when it is anything else.

    Event data store ids are accepted without quotes, as in CloudTrail Lake.
    """
    if len(text) > MAX_CHARACTERS:
        raise QueryError(f"the query has {len(text)} characters; at most {MAX_CHARACTERS} are read")
    if "\0" in text:
        raise QueryError("the query contains a NUL character")
    parsed = _parsed(_WORDS.sub(_quoted_store, text), ClewAthena)
    # A comment behind the last semicolon is no statement.
    statements = [s for s in parsed if s is not None and not isinstance(s, exp.Semicolon)]
    if len(statements) != 1:
        raise QueryError(f"expected exactly one SELECT, found {len(statements)} statements")
    query = _query(statements[0])
    for name in query.find_all(exp.Identifier):
        # Ours: lambda parameters of macros, columns behind columns, the tables behind the views.
        if name.name.lower().startswith(("clew_", "raw_")):
            refuse(name, f"the name `{name.name}` is reserved")
        if _ASCII_IN_LOWER_CASE.search(name.name):
            refuse(name, f"the name `{name.name}` has a letter that reads as another in lower case")
    return query


def reread(text: str) -> exp.Query:
    """What we are about to give DuckDB, as a tree."""
    statements = [s for s in _parsed(text, ClewDuckDB) if s is not None]
    if len(statements) != 1:
        raise QueryError("the query cannot be run: its translation is not one statement")
    return _query(statements[0])


def _query(statement: exp.Expr) -> exp.Query:
    if isinstance(statement, exp.Values):
        return exp.Subquery(this=statement)
    if not isinstance(statement, exp.Query):
        word = statement.this if isinstance(statement, exp.Command) else statement.key
        raise QueryError(f"only SELECT can be run, found `{str(word).upper()}`")
    return statement


def write(query: exp.Expr, *, pretty: bool = False) -> str:
    """The tree as DuckDB's SQL; comments are dropped."""
    return query.sql(
        dialect=ClewDuckDB, comments=False, pretty=pretty, unsupported_level=errors.ErrorLevel.RAISE
    )


def refuse(node: exp.Expr, message: str) -> Never:
    """Raise QueryError with the place where the node was written, when it is known."""
    raise QueryError(f"{position(node)}{message}")


def position(node: exp.Expr) -> str:
    """`line:column: ` of the first word below the node; empty when it has none."""
    marks = [(n.meta["start"], n.meta) for n in node.walk() if "start" in n.meta]
    if not marks:
        return ""
    start, first = min(marks, key=lambda mark: mark[0])
    return f"{first['line']}:{first['col'] - (first['end'] - start)}: "


def _quoted_store(match: re.Match[str]) -> str:
    skipped, arn, name, placeholder, operator = match.groups()
    if operator is not None:
        return f"{operator[0]}="
    if placeholder is not None:
        return "event_data_store_id"
    if skipped is not None or not is_data_store(arn or name):
        return match.group(0)
    return f'"{arn or name}"'


def _parsed(text: str, dialect: type[ClewAthena | ClewDuckDB]) -> list[exp.Expr | None]:
    try:
        return list(parse(text, read=dialect))
    except errors.ParseError as error:
        raise QueryError(_located(error)) from None
    except errors.TokenError as error:
        raise QueryError(f"cannot be read as SQL: {' '.join(str(error).split())[:200]}") from None
    except RecursionError:
        raise QueryError("the query is nested too deeply") from None


def _located(error: errors.ParseError) -> str:
    first = error.errors[0] if error.errors else {}
    where = f"{first['line']}:{first['col']}: " if first.get("line") else ""
    what = str(first.get("description") or error).rstrip(".").lower()
    near = str(first.get("highlight") or "")
    return f"{where}{what}{f' near `{near[:60]}`' if near else ''}".replace("\n", " ")
