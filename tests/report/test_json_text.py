"""Indented JSON is written as the library writes it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from clew.report.json_text import Lines, written

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(), inner) | st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=30,
)


@given(VALUES)
def test_text_is_that_of_the_library(value: object) -> None:
    """Byte for byte, whatever is nested in whatever, empty things and any text among it."""
    assert written(value) == json.dumps(value, indent=2)


@given(st.lists(VALUES))
def test_lines_are_the_same_list(value: list[object]) -> None:
    """A list with an item a line holds what the list holds, empty or not, and has a line for each item."""
    text = written({"a": Lines(iter(value))})
    assert json.loads(text) == json.loads(json.dumps({"a": value}))
    assert len(text.splitlines()) == (3 if not value else len(value) + 4)
