"""The last look at a query before DuckDB sees it, and the locks under which it runs.

The translation builds only what it knows; this module does not trust it. It reads the SQL that is about to run, with
DuckDB's grammar, and allows: one SELECT, our views and macros, the query's own WITH relations, and the DuckDB functions
that our translation emits. Then DuckDB's own settings close the files, the settings and the extensions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
from sqlglot import exp

from clew.errors import QueryError
from clew.lake.sql.dialect import reread
from clew.lake.sql.functions import MACROS
from clew.lake.sql.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterable

# Everything that the tables of functions may emit. None of these reads files, settings, the environment or SQL text.
_EMITTED = """
    abs any_value arg_max arg_max_null arg_min arg_min_null array_agg avg bit_and bit_or bool_and bool_or
    cardinality cbrt ceil chr coalesce concat_ws corr count count_if cume_dist date_trunc day dayofyear decode
    dense_rank encode epoch epoch_ms exp first_value flatten floor from_base64 generate_series greatest grouping
    hamming hex histogram hour isfinite isinf isnan isodow isoyear json json_extract_string lag last_day
    last_value lead least length levenshtein list_extract list_filter list_reduce list_reverse list_sort
    list_transform list_zip ln log log10 log2 lower lpad ltrim map map_concat map_entries map_from_entries
    map_keys map_values max md5 millisecond min minute month nth_value ntile nullif percent_rank pi pow
    quantile_disc quarter range rank regexp_extract_all regexp_matches replace reverse round row row_number rpad
    rtrim second sha1 sha256 sign sqrt starts_with stddev stddev_pop stddev_samp strftime string_agg
    string_split string_split_regex strpos strptime struct_extract substr sum timezone to_base64 to_days
    to_hours to_json to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp to_weeks to_years
    translate trim trunc try unhex unicode unnest upper var_pop var_samp variance week xor year
"""
DUCKDB_FUNCTIONS = frozenset(_EMITTED.split())
# The grammar that our translation writes; a query of any other shape is not ours.
_SHAPES = """
    Add Alias All And Anonymous Any Array Between BitwiseAnd BitwiseLeftShift BitwiseOr BitwiseRightShift
    Boolean Bracket CTE Case Cast Column ColumnDef Cube DPipe DataType DataTypeParam Distinct Dot EQ Escape
    Except Exists Filter From GT GTE Group GroupingSets Having Identifier If IgnoreNulls In Intersect Is Join
    LT LTE Lambda Like Limit Literal Map Mod Mul NEQ Neg Not Null NullSafeEQ NullSafeNEQ Offset Or Order
    Ordered Paren PropertyEQ RespectNulls Rollup Select Star Struct Sub Subquery Table TableAlias Trim TryCast
    Tuple Union Values Var Where Window WindowSpec With
"""
SHAPES = frozenset(_SHAPES.split())
_SETTINGS = (
    # What does not fit in memory is spilled beside the lake: a query must not fill the disk.
    "SET max_temp_directory_size = '4GB'",
    "SET enable_external_access = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET lock_configuration = true",
)


def check(sql: str) -> None:
    """Raise QueryError unless the SQL is one SELECT over nothing but our views, macros and reviewed functions."""
    tree = reread(sql)
    own = {_folded(cte.alias) for cte in tree.find_all(exp.CTE)}
    for node in tree.walk():
        if type(node).__name__ not in SHAPES:
            raise QueryError(f"the query cannot be run: `{node.key.upper()}` is not allowed")
        if isinstance(node, exp.Table):
            _check_table(node, own)
        elif isinstance(node, exp.Anonymous):
            _check_function(node)
    _check_statement(sql)


def _folded(name: str) -> str:
    """The name as DuckDB compares it: only ASCII letters have a lower case."""
    return "".join(c.lower() if c.isascii() else c for c in name)


def _check_table(node: exp.Table, own: set[str]) -> None:
    if isinstance(node.this, exp.Anonymous):
        if _folded(node.this.name) not in {view.within for view in VIEWS.values()}:
            raise QueryError(f"the query cannot be run: the table function `{node.this.name}` is not allowed")
        return
    if node.db or node.catalog or _folded(node.name) not in {*VIEWS, *own}:
        raise QueryError(f"the query cannot be run: the table `{node.sql()}` is not allowed")


def _check_function(node: exp.Anonymous) -> None:
    name = _folded(node.name)
    is_view = isinstance(node.parent, exp.Table)
    if not is_view and name not in DUCKDB_FUNCTIONS and name not in MACROS:
        raise QueryError(f"the query cannot be run: the function `{name}` is not allowed")


def _check_statement(sql: str) -> None:
    """DuckDB's own parser must see the same: exactly one SELECT."""
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(f"the query cannot be run: {str(error).splitlines()[0]}") from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise QueryError("the query cannot be run: its translation is not exactly one SELECT")


def lock(connection: duckdb.DuckDBPyConnection, paths: Iterable[str]) -> None:
    """Close the connection to every file but these, to extensions, and to any change of its settings."""
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    connection.execute(f"SET allowed_paths = [{listed}]")
    for setting in _SETTINGS:
        connection.execute(setting)
