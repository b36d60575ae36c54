"""Reviewed functions on JSON (Trino documentation: JSON functions and operators)."""

from __future__ import annotations

import json
import re

from clew.lake.sql.functions.model import Call, Function, Typed, call, cast, renamed, text
from clew.lake.sql.types import BIGINT, BOOLEAN, JSON, VARCHAR

# $.name, $.name-with-dashes, $["any name"], $['any name'], $[0]
_STEP = re.compile(
    r"""\.([^.\[\]"'*\s]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\['((?:[^'\\]|\\.)*)'\]|\."([^"]*)\""""
)

MACROS = {
    # TRY: a text that is not JSON gives NULL in Trino, an error in DuckDB. It stands around each call: around IN over
    # constants it does not hold (DuckDB 2.0), and so it is faster too.
    "clew_json_extract": "(x, p) AS TRY(json_extract(x, p))",
    "clew_json_type": "(x, p) AS TRY(json_type(x, p))",
    "clew_is_nested": "(t) AS t = 'OBJECT' OR t = 'ARRAY'",
    # Only what looks like an object or array is typed: a string may begin so as well.
    "clew_json_scalar": "(x, p) AS CASE WHEN TRY(json_extract_string(x, p))[1] = '{' OR"
    " TRY(json_extract_string(x, p))[1] = '[' THEN CASE WHEN NOT clew_is_nested(clew_json_type(x, p)) THEN"
    " TRY(json_extract_string(x, p)) END ELSE TRY(json_extract_string(x, p)) END",
    "clew_json_array_length": "(x) AS CASE WHEN clew_json_type(x, '$') = 'ARRAY' THEN"
    " CAST(TRY(json_array_length(x)) AS BIGINT) END",
    "clew_json_array_contains": "(x, v) AS CASE WHEN clew_json_type(x, '$') = 'ARRAY' THEN"
    " list_contains(TRY(json_extract(x, '$[*]')), to_json(v)) END",
    "clew_json_array_get": "(x, i) AS CASE WHEN clew_json_type(x, '$') = 'ARRAY' THEN TRY(json_extract(x, '$[' ||"
    " CASE WHEN i < 0 THEN '#' || i ELSE CAST(i AS VARCHAR) END || ']')) END",
    "clew_json_size": "(x, p) AS CASE clew_json_type(x, p) WHEN 'OBJECT' THEN len(TRY(json_keys(x, p)))"
    " WHEN 'ARRAY' THEN TRY(json_array_length(x, p)) ELSE CASE WHEN clew_json_type(x, p) IS NOT NULL THEN 0 END END",
    "clew_json_text": "(x) AS CASE WHEN clew_check(coalesce(NOT clew_is_nested(json_type(x)), true),"
    " 'cannot cast a JSON object or array to varchar; use json_format') THEN json_extract_string(x, '$') END",
    "clew_is_json_scalar": "(x) AS NOT clew_is_nested(json_type(x))",
}


def path(made: Call, index: int) -> str:
    """The JSON path of a literal argument as DuckDB writes it; QueryError for what Clew does not read."""
    written = made.literal(index, "the JSON path")
    if not written.startswith("$"):
        made.refuse(f"the JSON path `{written}` does not start with `$`")
    steps, position = ["$"], 1
    while position < len(written):
        match = _STEP.match(written, position)
        if match is None:
            made.refuse(f'the JSON path `{written}` is not supported; use `$`, `.name`, `["name"]` and `[0]`')
            break
        steps.append(_step(match))
        position = match.end()
    return "".join(steps)


def _step(match: re.Match[str]) -> str:
    name, index, double, single, dotted = match.groups()
    if index is not None:
        return f"[{int(index)}]"
    key = next(part for part in (name, double, single, dotted) if part is not None)
    plain = re.sub(r"\\(.)", r"\1", key)
    return f".{json.dumps(plain, ensure_ascii=False)}"


def _with_path(macro: str, made: Call) -> Typed:
    result = {"clew_json_extract": JSON, "clew_json_scalar": VARCHAR}.get(macro, BIGINT)
    return Typed(call(macro, made.sql(0), text(path(made, 1))), result)


def _parse(made: Call) -> Typed:
    return Typed(call("json", made.sql(0)), JSON)


def _format(made: Call) -> Typed:
    if made.type(0) == VARCHAR:
        made.refuse("expects JSON, found varchar; use `json_parse` first")
    return Typed(cast(made.sql(0), "VARCHAR"), VARCHAR)


FUNCTIONS = (
    Function(
        "json_extract", 2, 2, lambda c: _with_path("clew_json_extract", c), "text that is not JSON gives NULL"
    ),
    Function(
        "json_extract_scalar",
        2,
        2,
        lambda c: _with_path("clew_json_scalar", c),
        "an object or array gives NULL, not its text",
    ),
    Function(
        "json_size",
        2,
        2,
        lambda c: _with_path("clew_json_size", c),
        "0 for a scalar, NULL for a missing path",
    ),
    Function("json_parse", 1, 1, _parse, "an error when the text is not JSON"),
    Function("json_format", 1, 1, _format, "the JSON as text"),
    renamed(
        "json_array_length",
        "clew_json_array_length",
        BIGINT,
        1,
        note="NULL for what is no array; DuckDB says 0",
    ),
    renamed("json_array_contains", "clew_json_array_contains", BOOLEAN, 2, note="compares as JSON values"),
    renamed("json_array_get", "clew_json_array_get", JSON, 2, note="from 0, from the end when negative"),
    renamed("is_json_scalar", "clew_is_json_scalar", BOOLEAN, 1),
)
