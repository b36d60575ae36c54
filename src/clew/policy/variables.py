"""Policy variables: `${aws:username}`, `${aws:userid, 'anonymous'}`, `${*}` and what stands between them.

Source: AWS, "IAM policy elements: Variables and tags". Variables exist in version 2012-10-17 only. What that page
leaves open is decided in docs/decisions/0007-iam-questions.md, Q20 and Q21.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

VERSION: Final = "2012-10-17"
"""The version of the policy language that has variables; in others `${...}` is plain text."""

MULTIVALUED: Final = frozenset(
    {
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
        "aws:vpceorgpaths",
    }
)
"""The global keys of several values, in lower case: "you can't use a multivalued context key as a policy variable".

Source: AWS, "Single-valued vs. multivalued context keys" and "AWS global condition context keys".
"""

# A name holds none of the characters that delimit, so that the search never looks at a character twice.
_VARIABLE: Final = re.compile(r"\$\{(?:([*?$])|([^${},']+)(?:, '([^']*)')?)\}")


@dataclass(frozen=True, slots=True)
class Variable:
    """A place that a context key's value takes: `key` as written, `default` for requests that do not have the key."""

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
    return "${" in text


def pieces(text: str) -> tuple[Piece, ...]:
    """The text cut at its variables; what only looks like a variable is plain text.

    >>> pieces("home/${aws:userid, 'anonymous'}/*")
    ('home/', Variable(key='aws:userid', default='anonymous'), '/*')
    >>> pieces("${*}x${aws:username")
    (Literal(text='*'), 'x${aws:username')
    """
    found: list[Piece] = []
    position = 0
    for variable in _VARIABLE.finditer(text):
        if variable.start() > position:
            found.append(text[position : variable.start()])
        character, key, default = variable.groups()
        found.append(Literal(character) if character else Variable(key, default))
        position = variable.end()
    if position < len(text) or not text:
        found.append(text[position:])
    return tuple(found)


def keys(text: str) -> tuple[str, ...]:
    """The context keys that take part in the text's variables, as written; those of several values never do.

    >>> keys("arn:aws:s3:::${aws:PrincipalTag/team, 'none'}/${aws:username}/${aws:TagKeys}")
    ('aws:PrincipalTag/team', 'aws:username')
    """
    if not has_variables(text):
        return ()
    named = (piece.key for piece in pieces(text) if isinstance(piece, Variable))
    return tuple(key for key in named if key.lower() not in MULTIVALUED)
