"""Laws of the texts in predicates: globs against their plain definition, and regular expressions of both engines."""

from __future__ import annotations

import re

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.aws import glob
from clew.errors import RuleError
from clew.events.predicate_regex import compile_regex

TEXTS = st.text("ab*?\\\n", max_size=8)
PIECES = st.sampled_from(
    [
        *(
            "a",
            "b",
            "k",
            "S",
            ".",
            "^",
            "$",
            "|",
            "(",
            ")",
            "(?:",
            "[ab]",
            "[^a]",
            "[a-k]",
            r"[\d.]",
            "*",
            "+",
            "?",
        ),
        *(
            "{1,2}",
            "{2}",
            "*?",
            r"\d",
            r"\w",
            r"\s",
            r"\S",
            r"\b",
            r"\.",
            r"\-",
            r"\/",
            r"\n",
            "-",
            "/",
            "é",
            "\n",
        ),
        *("(?=a)", r"\Z", "{", "]"),
    ]
)


def matches(pattern, text):
    """The definition of a glob, letter by letter."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(matches(pattern[1:], text[index:]) for index in range(len(text) + 1))
    return bool(text) and pattern[0] in {"?", text[0]} and matches(pattern[1:], text[1:])


@given(pattern=st.text("ab*?\n", max_size=8), text=TEXTS)
def test_a_glob_matches_by_its_definition(pattern, text):
    """The matcher agrees with the letter-by-letter definition."""
    assert glob.matches(pattern, text) is matches(pattern, text)


@given(text=TEXTS)
def test_an_escaped_text_matches_itself_alone(text):
    """With every wildcard escaped a pattern matches its own text, and its tokens are that text."""
    escaped = re.sub(r"([*?\\])", r"\\\1", text)
    assert glob.matcher(escaped, escape="\\")(text)
    assert "".join(part or "!" for part in glob.tokens(escaped, escape="\\")) == text


def test_a_glob_of_many_stars_is_quick():
    """A pattern made to backtrack costs no more than its length times the text's."""
    assert not glob.matches("*a" * 500 + "b", "a" * 20_000)


@pytest.fixture(scope="module")
def database():
    """One in-memory database."""
    connection = duckdb.connect()
    yield connection
    connection.close()


@given(
    pattern=st.lists(PIECES, max_size=6).map("".join),
    flags=st.sampled_from(["", "(?i)", "(?m)", "(?s)", "(?ims)"]),
    texts=st.lists(st.text("abkKsS\u212a\u017f1. -/\n\r\té_\v", max_size=5), min_size=1, max_size=20),
)
def test_both_engines_read_an_expression_alike(database, pattern, flags, texts):
    """An expression that is given to RE2 finds the same texts as in Python."""
    try:
        regex = compile_regex(flags + pattern)
    except RuleError:
        return
    if regex.re2 is None:
        return
    text = "translate(t, '\u212a\u017f', '\u00df\u00df')" if regex.ignores_case else "t"
    rows = database.execute(
        f"SELECT regexp_matches({text}, $1) FROM (SELECT unnest($2::VARCHAR[]) AS t)", [regex.re2, texts]
    ).fetchall()
    assert [row[0] for row in rows] == [regex.python.search(text) is not None for text in texts]


@given(
    pattern=st.lists(PIECES, max_size=4).map("".join).filter(lambda text: "$" not in text),
    around=st.tuples(*[st.sampled_from(["", ".*", ".*?", ".**"])] * 2),
    flags=st.sampled_from(["", "(?i)", "(?m)", "(?s)"]),
    texts=st.lists(st.text("abkKsS1. -/\n\té_", max_size=5), min_size=1, max_size=20),
)
def test_what_an_expression_is_looked_for_without_changes_nothing(pattern, around, flags, texts):
    """An expression that begins or ends with anything at all finds the texts that Python finds with the whole of it."""
    whole = flags + around[0] + pattern + around[1]
    try:
        expected = re.compile(whole, re.ASCII)
    except re.error:
        with pytest.raises(RuleError):
            compile_regex(whole)
        return
    regex = compile_regex(whole).python
    assert [bool(regex.search(text)) for text in texts] == [bool(expected.search(text)) for text in texts]
