"""Patterns match as a slow, literal matcher says, and never take more than linear time."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.aws import glob
from clew.policy import pattern

PATTERNS = st.text("ab*?", max_size=8)
TEXTS = st.text("ab*?", max_size=10)


def naive(wanted: str, text: str) -> bool:
    """The definition of a pattern, tried in every way."""

    @cache
    def fits(i: int, j: int) -> bool:
        if i == len(wanted):
            return j == len(text)
        if wanted[i] == "*":
            return fits(i + 1, j) or (j < len(text) and fits(i, j + 1))
        return j < len(text) and wanted[i] in ("?", text[j]) and fits(i + 1, j + 1)

    return fits(0, 0)


@given(PATTERNS, TEXTS)
def test_a_pattern_matches_what_its_definition_says(wanted: str, text: str) -> None:
    """Fast paths, the matcher with `?` and the matcher of the catalogue agree with the definition."""
    expected = naive(wanted, text)
    assert pattern.any_of([wanted])(text) is expected
    assert pattern.of_runs([(wanted, True)])(text) is expected
    assert glob.matches(wanted, text) is expected


@given(st.lists(PATTERNS, max_size=5), TEXTS)
def test_a_list_matches_when_one_of_it_does(wanted: list[str], text: str) -> None:
    """A list of patterns is their union, however it is grouped inside."""
    assert pattern.any_of(wanted)(text) is any(naive(each, text) for each in wanted)


@given(st.lists(st.tuples(st.text("ab*?", max_size=4), st.booleans()), max_size=4), TEXTS)
def test_literal_stretches_stand_for_themselves(runs: list[tuple[str, bool]], text: str) -> None:
    """A `*` or `?` in a literal stretch matches itself only."""
    marked = "".join(part if wild else part.replace("*", "S").replace("?", "Q") for part, wild in runs)

    @cache
    def fits(i: int, j: int) -> bool:
        if i == len(marked):
            return j == len(text)
        if marked[i] == "*":
            return fits(i + 1, j) or (j < len(text) and fits(i, j + 1))
        allowed = {"S": "*", "Q": "?"}.get(marked[i], marked[i])
        return j < len(text) and (marked[i] == "?" or allowed == text[j]) and fits(i + 1, j + 1)

    assert pattern.of_runs(runs)(text) is fits(0, 0)


def test_no_pattern_matches_nothing() -> None:
    """An empty list matches no text, not even the empty one."""
    assert pattern.any_of([]) is pattern.nothing
    assert not pattern.nothing("")


def test_a_lone_star_matches_everything() -> None:
    """Any number of stars and nothing else is the pattern of everything, and is known as such."""
    assert pattern.any_of(["x", "*"]) is pattern.everything
    assert pattern.of_runs([("**", True)]) is pattern.everything


def test_a_line_break_is_a_character() -> None:
    """Wildcards stand for line breaks too."""
    assert pattern.any_of(["a*c"])("a\n\nc")
    assert pattern.any_of(["a?c"])("a\nc")


@pytest.mark.parametrize(
    "hostile",
    ["*a" * 2_000 + "b", "*a?" * 2_000 + "b", "?" * 200_000, "*" * 200_000, "*?" * 20_000, "a?*" * 5_000,
     "*" + "a?" * 6_000 + "b*", "*" + "".join(map(chr, range(300, 20_000))) + "?*"],
    ids=range(8),
)  # fmt: skip
def test_pathological_patterns_take_linear_time(hostile: str) -> None:
    """Patterns made to backtrack are settled in one pass over a long text."""
    text = "a" * 50_000
    assert pattern.any_of([hostile])(text) is (
        set(hostile) == {"*"} or hostile in {"*?" * 20_000, "a?*" * 5_000}
    )


def test_a_long_piece_with_a_wildcard_is_compared_to_its_end() -> None:
    """A piece longer than what is sought at once still has to match as a whole."""
    piece = "b?" + "c" * 20_000
    assert pattern.any_of([f"*{piece}d*"])(f"a{piece}{piece}d")
    assert not pattern.any_of([f"*{piece}d*"])(f"a{piece}e")


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "*", "?", ""]), st.booleans()), max_size=6), TEXTS)
def test_many_runs_match_as_few_do(runs: list[tuple[str, bool]], text: str) -> None:
    """A pattern that is put together late matches the same texts."""
    assert pattern.of_runs([*runs, *[("", True)] * 100])(text) is pattern.of_runs(runs)(text)


def test_a_long_pattern_is_not_put_together_for_a_short_text() -> None:
    """Two thousand times a long value makes no pattern of two hundred million characters."""
    runs = [("a" * 100_000, False)] * 2_000
    assert not pattern.of_runs(runs)("a" * 100_000)
