"""Reviewed functions on text, bytes, patterns and URLs (Trino documentation: string, regexp, binary, URL functions)."""

from __future__ import annotations

import functools
import re

from sqlglot import exp

from clew.lake.sql.functions import patterns
from clew.lake.sql.functions.model import MANY, Call, Function, Typed, call, renamed, same, text
from clew.lake.sql.types import BIGINT, BOOLEAN, UNKNOWN, VARBINARY, VARCHAR, array, mapping

# Trino trims white space, DuckDB's one-argument form only blanks.
_BLANKS = "\x20\t\n\x0b\x0c\r"

MACROS = {
    "clew_substr": "(s, i) AS CASE WHEN s IS NULL OR i IS NULL THEN NULL"
    " WHEN i = 0 OR i < -length(s) THEN '' ELSE substr(s, i) END",
    "clew_substr_n": "(s, i, n) AS CASE WHEN s IS NULL OR i IS NULL OR n IS NULL THEN NULL"
    " WHEN i = 0 OR i < -length(s) OR n <= 0 THEN '' ELSE substr(s, i, n) END",
    "clew_split_part": "(s, d, i) AS CASE WHEN clew_check(coalesce(i > 0, true), 'split_part index must be greater than"
    " zero') THEN list_extract(string_split(s, d), i) END",
    "clew_split": "(s, d) AS CASE WHEN clew_check(coalesce(d <> '', true), 'the delimiter of split may not be empty')"
    " THEN string_split(s, d) END",
    "clew_split_n": "(s, d, n) AS CASE WHEN len(string_split(s, d)) <= n THEN string_split(s, d)"
    " ELSE list_concat(string_split(s, d)[1:n - 1], [array_to_string(string_split(s, d)[n:], d)]) END",
    "clew_split_to_map": "(s, d, k) AS map_from_entries(list_transform(string_split(s, d), lambda clew_e:"
    " CASE WHEN clew_check(contains(clew_e, k), 'split_to_map: an entry without the key-value delimiter: ' || clew_e)"
    " THEN (split_part(clew_e, k, 1), substr(clew_e, length(split_part(clew_e, k, 1)) + length(k) + 1)) END))",
    "clew_regexp_extract": "(s, p, g) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END",
    "clew_regexp_position": "(s, p) AS CASE WHEN regexp_matches(s, p)"
    " THEN length(regexp_extract(s, '^([\\s\\S]*?)(?:' || p || ')', 1)) + 1"
    " WHEN s IS NOT NULL AND p IS NOT NULL THEN -1 END",
    "clew_strpos": "(s, d, n) AS CASE WHEN clew_check(coalesce(n <> 0, true), 'the instance of strpos may not be 0')"
    " THEN CASE WHEN len(string_split(s, d)) <= abs(n) THEN 0 WHEN n > 0 THEN"
    " length(array_to_string(string_split(s, d)[:n], d)) + 1"
    " ELSE length(array_to_string(string_split(s, d)[:n - 1], d)) + 1 END END",
    "clew_blanked": "(a) AS list_transform(a, lambda clew_e: nullif(clew_e, ''))",
    "clew_regexp_replace": "(s, p, r) AS regexp_replace(s, p, r, 'g')",
    "clew_regexp_count": "(s, p) AS len(regexp_extract_all(s, p))",
    **{
        f"clew_{name}": f"(s, n, p) AS {name}(s, CASE WHEN clew_check(coalesce(n BETWEEN 0 AND 100000, true),"
        f" '{name} makes 0 to 100000 characters') THEN CAST(n AS INTEGER) END, p)"
        for name in ("lpad", "rpad")
    },
    "clew_trim": f"(s) AS trim(s, '{_BLANKS}')",
    "clew_ltrim": f"(s) AS ltrim(s, '{_BLANKS}')",
    "clew_rtrim": f"(s) AS rtrim(s, '{_BLANKS}')",
    "clew_url_part": "(u, p) AS CASE WHEN regexp_matches(u, '^[^\\s<>\"{}|\\\\^`]*$')"
    " THEN regexp_extract(u, p, 1) END",
    "clew_url_text": "(u, p) AS url_decode(clew_url_part(u, p))",
    "clew_url_parameter": "(u, name) AS url_decode(replace(list_filter(list_transform(string_split("
    "regexp_extract(u, '^[^?#]*\\?([^#]*)', 1), '&'), lambda clew_e: CASE WHEN split_part(clew_e, '=', 1) = name THEN"
    " substr(clew_e, length(name) + 2) END), lambda clew_e: clew_e IS NOT NULL)[1], '+', ' '))",
    "clew_url_decode": "(s) AS url_decode(replace(s, '+', ' '))",
    "clew_url_encode": "(s) AS replace(replace(replace(url_encode(s), '%20', '+'), '%2A', '*'), '~', '%7E')",
    "clew_digest": "(h) AS unhex(h)",
}

_HOST = r"^[^:/?#]+://(?:[^@/?#]*@)?(\[[^\]]*\]|[^:/?#]*)"
_PORT = r"^[^:/?#]+://(?:[^@/?#]*@)?(?:\[[^\]]*\]|[^:/?#]*):(\d+)"
_PATH = r"^(?:[^:/?#]+:)?(?://[^/?#]*)?([^?#]*)"


def _substr(made: Call) -> Typed:
    name = "clew_substr" if len(made.args) == 2 else "clew_substr_n"  # noqa: PLR2004  # text and start
    return Typed(call(name, *made.all()), VARCHAR)


def _replace(made: Call) -> Typed:
    if isinstance(made.sql(1), exp.Literal) and not made.sql(1).name:
        made.refuse("what is searched for may not be empty")
    removed = (text(""),) if len(made.args) == 2 else ()  # noqa: PLR2004  # no replacement given
    return Typed(call("replace", *made.all(), *removed), VARCHAR)


def _split(made: Call) -> Typed:
    name = "clew_split" if len(made.args) == 2 else "clew_split_n"  # noqa: PLR2004  # no limit given
    return Typed(call(name, *made.all()), array(VARCHAR))


def _concat(made: Call) -> Typed:
    wrong = [
        a.type for a in made.args if a.type not in {VARCHAR, VARBINARY, UNKNOWN} and a.type.name != "array"
    ]
    if wrong:
        made.refuse(f"expects varchar or arrays, found {wrong[0]}; use `CAST(… AS varchar)`")
    joined = functools.reduce(
        lambda left, right: exp.DPipe(this=left, expression=right, safe=False), made.all()
    )
    return Typed(exp.Paren(this=joined), made.type(0) if made.type(0).name == "array" else VARCHAR)


def _concat_ws(made: Call) -> Typed:
    if made.type(1).name == "array" and len(made.args) == 2:  # noqa: PLR2004  # separator and array
        return Typed(call("clew_join", made.sql(1), made.sql(0)), VARCHAR)
    wrong = [a.type for a in made.args if a.type not in {VARCHAR, UNKNOWN}]
    if wrong:
        made.refuse(f"expects varchar, found {wrong[0]}; use `CAST(… AS varchar)`")
    return Typed(call("concat_ws", *made.all()), VARCHAR)


def _reverse(made: Call) -> Typed:
    name = "list_reverse" if made.type(0).name == "array" else "reverse"
    return Typed(call(name, *made.all()), made.type(0))


def _regexp_extract(made: Call) -> Typed:
    if len(made.args) == 2:  # noqa: PLR2004  # the whole match
        return Typed(call("clew_regexp_extract", *made.all(), exp.Literal.number(0)), VARCHAR)
    found = call("clew_regexp_extract", *made.all())
    return Typed(call("nullif", found, text("")) if _is_never_empty(made) else found, VARCHAR)


def _regexp_extract_all(made: Call) -> Typed:
    found = call("regexp_extract_all", *made.all())
    is_grouped = len(made.args) == 3 and _is_never_empty(made)  # noqa: PLR2004  # a group is asked for
    return Typed(call("clew_blanked", found) if is_grouped else found, array(VARCHAR))


def _is_never_empty(made: Call) -> bool:
    """Whether the group matches at least one character: then '' is a group that took no part, NULL in Trino."""
    pattern, group = made.node.expressions[1:3]
    if not (isinstance(pattern, exp.Literal) and isinstance(group, exp.Literal) and group.name.isdigit()):
        return False
    number, count = int(group.name), patterns.group_count(pattern.name)
    if count is not None and number > count:
        made.refuse(f"there is no group {number} in the pattern, it has {count}")
    return number > 0 and patterns.is_never_empty(pattern.name, number)


def _strpos(made: Call) -> Typed:
    name = "strpos" if len(made.args) == 2 else "clew_strpos"  # noqa: PLR2004  # no instance given
    return Typed(call(name, *made.all()), BIGINT)


def _regexp_replace(made: Call) -> Typed:
    if len(made.args) == 2:  # noqa: PLR2004  # no replacement: remove
        return Typed(call("clew_regexp_replace", *made.all(), text("")), VARCHAR)
    if isinstance(made.node.expressions[2], exp.Lambda):
        made.refuse("a lambda as replacement is not supported")
    replacement = made.literal(2, "the replacement")
    if "${" in replacement:
        made.refuse("named groups in the replacement are not supported")
    # Trino refers to a group as $1 and writes a dollar sign as \$; RE2 refers to it as \1 and doubles a backslash.
    escaped = re.sub(r"\\(.)|\$(\d)|\\", _reference, replacement)
    return Typed(call("clew_regexp_replace", made.sql(0), made.sql(1), text(escaped)), VARCHAR)


def _reference(match: re.Match[str]) -> str:
    character, group = match.groups()
    if group is not None:
        return f"\\{group}"
    return "\\\\" if character in {None, "\\"} else str(character)


def _digest(name: str) -> Function:
    def build(made: Call) -> Typed:
        return Typed(call("clew_digest", call(name, *made.all())), VARBINARY)

    return Function(name, 1, 1, build, "Trino returns bytes, DuckDB their hexadecimal text")


def _url(name: str, pattern: str, macro: str) -> Function:
    def build(made: Call) -> Typed:
        return Typed(call(macro, made.sql(0), text(pattern)), VARCHAR)

    return Function(
        name,
        1,
        1,
        build,
        "RFC 3986 parts by pattern, decoded; '' for a missing part, NULL for what is no URL",
    )


def _url_port(made: Call) -> Typed:
    found = call("nullif", call("clew_url_part", made.sql(0), text(_PORT)), text(""))
    return Typed(exp.Cast(this=found, to=exp.DataType.build("BIGINT")), BIGINT)


FUNCTIONS = (
    *(same(n, VARCHAR, 1) for n in ("lower", "upper")),
    same("length", BIGINT, 1, note="characters of text, bytes of binary, in both"),
    renamed("trim", "clew_trim", VARCHAR, 1, note="all white space, not blanks alone"),
    renamed("ltrim", "clew_ltrim", VARCHAR, 1, note="all white space, not blanks alone"),
    renamed("rtrim", "clew_rtrim", VARCHAR, 1, note="all white space, not blanks alone"),
    Function("substr", 2, 3, _substr, "position 0 or before the start gives '', not the whole text"),
    Function("substring", 2, 3, _substr, "as substr"),
    Function("replace", 2, 3, _replace, "two arguments remove"),
    Function("reverse", 1, 1, _reverse, "text and arrays have separate functions in DuckDB"),
    Function("concat", 1, MANY, _concat, "NULL makes NULL; DuckDB's concat skips it"),
    Function("concat_ws", 2, MANY, _concat_ws, "NULLs are skipped in both"),
    *(renamed(n, f"clew_{n}", VARCHAR, 3, note="to at most 100,000 characters") for n in ("lpad", "rpad")),
    same("translate", VARCHAR, 3),
    renamed("chr", "chr", VARCHAR, 1),
    renamed("codepoint", "unicode", BIGINT, 1),
    same("starts_with", BOOLEAN, 2),
    Function("strpos", 2, 3, _strpos, "the first or n-th match, from the end where n is negative"),
    Function("split", 2, 3, _split, "the limit keeps the rest in the last element"),
    renamed("split_part", "clew_split_part", VARCHAR, 3, note="NULL beyond the last part, an error below 1"),
    renamed("split_to_map", "clew_split_to_map", mapping(VARCHAR, VARCHAR), 3),
    renamed("levenshtein_distance", "levenshtein", BIGINT, 2),
    renamed("hamming_distance", "hamming", BIGINT, 2),
    renamed("regexp_like", "regexp_matches", BOOLEAN, 2, note="a match anywhere; RE2 syntax, no look-around"),
    Function("regexp_extract", 2, 3, _regexp_extract, "NULL without a match, not ''"),
    Function("regexp_extract_all", 2, 3, _regexp_extract_all, "a group that took no part is NULL"),
    renamed("regexp_position", "clew_regexp_position", BIGINT, 2, note="-1 without a match"),
    Function("regexp_replace", 2, 3, _regexp_replace, "every match, groups as $1"),
    renamed("regexp_split", "string_split_regex", array(VARCHAR), 2),
    renamed("regexp_count", "clew_regexp_count", BIGINT, 2),
    renamed("to_utf8", "encode", VARBINARY, 1),
    renamed("from_utf8", "decode", VARCHAR, 1),
    renamed("to_hex", "hex", VARCHAR, 1),
    renamed("from_hex", "unhex", VARBINARY, 1),
    renamed("to_base64", "to_base64", VARCHAR, 1),
    renamed("from_base64", "from_base64", VARBINARY, 1),
    *(_digest(n) for n in ("md5", "sha1", "sha256")),
    renamed("url_decode", "clew_url_decode", VARCHAR, 1, note="a plus sign is a blank"),
    renamed("url_encode", "clew_url_encode", VARCHAR, 1, note="a blank becomes a plus sign; `.-*_` stay"),
    _url("url_extract_protocol", r"^([A-Za-z][A-Za-z0-9+.-]*):", "clew_url_part"),
    _url("url_extract_host", _HOST, "clew_url_part"),
    _url("url_extract_path", _PATH, "clew_url_text"),
    _url("url_extract_query", r"^[^?#]*\?([^#]*)", "clew_url_text"),
    _url("url_extract_fragment", r"^[^#]*#(.*)$", "clew_url_text"),
    Function("url_extract_port", 1, 1, _url_port, "NULL when the URL names none"),
    renamed(
        "url_extract_parameter", "clew_url_parameter", VARCHAR, 2, note="the first of that name, decoded"
    ),
)
