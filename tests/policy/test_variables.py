"""Policy variables are found where AWS documents them, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.policy.variables import Literal, Variable, has_variables, keys, pieces


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", ("plain",)),
        ("", ("",)),
        ("${aws:username}", (Variable("aws:username"),)),
        ("a/${aws:PrincipalTag/team}/b", ("a/", Variable("aws:PrincipalTag/team"), "/b")),
        ("${aws:userid, 'anonymous'}", (Variable("aws:userid", "anonymous"),)),
        ("${aws:userid, ''}", (Variable("aws:userid", ""),)),
        ("${aws:userid, 'a}b*'}", (Variable("aws:userid", "a}b*"),)),
        ("${*}${?}${$}", (Literal("*"), Literal("?"), Literal("$"))),
        ("${aws:username}${aws:username}", (Variable("aws:username"), Variable("aws:username"))),
    ],
)
def test_documented_forms_are_read(text: str, expected: tuple[object, ...]) -> None:
    """A variable, a default and the three special characters are each read as documented."""
    assert pieces(text) == expected


@pytest.mark.parametrize(
    "text",
    ["${}", "${aws:username", "$aws:username", "{aws:username}", "$ {aws:username}", "${aws:userid,'x'}",
     "${aws:userid, anonymous}", "${aws:userid, 'x}", '${aws:userid, "x"}', "${'x'}", "${,}"],
)  # fmt: skip
def test_what_only_looks_like_a_variable_is_text(text: str) -> None:
    """Unclosed, empty or misquoted forms stay in the text as they are."""
    assert pieces(text) == (text,)


def test_the_inner_of_two_nested_variables_is_read() -> None:
    """Variables do not nest: the outer one is text around the inner one."""
    assert pieces("${a/${aws:username}}") == ("${a/", Variable("aws:username"), "}")


def test_named_keys_keep_their_order_and_spelling() -> None:
    """The keys of a text are those of its variables, in order, as written."""
    assert keys("${AWS:UserName}-${*}-${aws:PrincipalTag/Team, 'x'}") == (
        "AWS:UserName",
        "aws:PrincipalTag/Team",
    )
    assert keys("none") == ()


@given(st.text("${}*?',: ab", max_size=60))
def test_cutting_loses_no_character(text: str) -> None:
    """The plain pieces are stretches of the text, in order, and variables stand between them."""
    position = 0
    for piece in pieces(text):
        written = piece if isinstance(piece, str) else "${"
        position = text.index(written, position) + len(written)
    assert has_variables(text) or pieces(text) == (text,)


@pytest.mark.parametrize("unit", ["${", "${a", "${a, '", "${a, 'x'", "${a}", "$", "${${}"])
def test_hostile_nesting_is_read_in_linear_time(unit: str) -> None:
    """A megabyte of openings is cut in one pass."""
    text = unit * 200_000
    assert sum(len(piece) for piece in pieces(text) if isinstance(piece, str)) <= len(text)
