"""Policy variables: `${aws:username}`, `${aws:userid, 'anonymous'}`, `${*}` and what stands between them.

Source: AWS, "IAM policy elements: Variables and tags". Variables exist in version 2012-10-17 only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

VERSION: Final = "2012-10-17"
"""The version of the policy language that has variables; in others `${...}` is plain text."""

OPENING: Final = "${"
_SPECIAL: Final = "*?$"


@dataclass(frozen=True, slots=True)
class Variable:
    """A place that a context key's value takes: `key` as written, `default` when the key has no usable value."""

    key: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Literal:
    """One of the characters `*`, `?`, `$`, meant as itself: `${*}`, `${?}`, `${$}`."""

    text: str


Piece = str | Variable | Literal
"""Text as written (where `*` and `?` may be wildcards), a variable, or a literal character."""


def has_variables(text: str) -> bool:
    """Whether the text may hold a variable.

    >>> has_variables("arn:aws:s3:::home/${aws:username}")
    True
    """
    return OPENING in text


def pieces(text: str) -> tuple[Piece, ...]:
    """The text cut at its variables.

    A `${` that is never closed is plain text. What is no proper name or default becomes a key that no context has,
    so that the variable cannot be resolved. A variable within a variable is none: the first `}` closes.

    >>> pieces("home/${aws:userid, 'anonymous'}/*")
    ('home/', Variable(key='aws:userid', default='anonymous'), '/*')
    >>> pieces("${*}x${aws:username")
    (Literal(text='*'), 'x${aws:username')
    """
    found: list[Piece] = []
    position = 0
    while (start := text.find(OPENING, position)) >= 0:
        variable, end = _variable(text, start + len(OPENING))
        if variable is None:
            break
        if start > position:
            found.append(text[position:start])
        found.append(variable)
        position = end
    if position < len(text):
        found.append(text[position:])
    return tuple(found)


def _variable(text: str, start: int) -> tuple[Piece | None, int]:
    """The variable whose name begins at `start` and the place after it; None when nothing closes it."""
    end = text.find("}", start)
    if end < 0:
        return None, start
    name = text[start:end]
    if len(name) == 1 and name in _SPECIAL:
        return Literal(name), end + 1
    comma = name.find(",")
    if comma >= 0:
        quoted = _default(text, start + comma + 1)
        if quoted is not None:
            default, after = quoted
            return Variable(name[:comma].strip(), default), after
    return Variable(name), end + 1


def _default(text: str, start: int) -> tuple[str, int] | None:
    """The quoted text at `start` and the place after the brace that follows it, None when there is no such thing."""
    opening = start
    while text.startswith(" ", opening):
        opening += 1
    closing = text.find("'", opening + 1) if text.startswith("'", opening) else -1
    if closing < 0:
        return None
    brace = closing + 1
    while text.startswith(" ", brace):
        brace += 1
    return (text[opening + 1 : closing], brace + 1) if text.startswith("}", brace) else None
