"""Globs, one token at a time."""

from __future__ import annotations

from enum import Enum


class Wildcard(Enum):
    """The two wildcards of the policy language."""

    ANY_TEXT = "*"
    ANY_CHARACTER = "?"


Token = str | Wildcard
"""One literal character, or a wildcard."""

Pattern = tuple[Token, ...]


def written(text: str) -> Pattern:
    """The pattern as a policy writes it: `*` and `?` are wildcards, all else stands for itself."""
    return tuple(Wildcard(letter) if letter in "*?" else letter for letter in text)


def matches(pattern: Pattern, text: str) -> bool:
    """Rule 23: `*` stands for any text, none too, across `/` and `:`; `?` for exactly one character.

    IAM user guide, "IAM JSON policy elements: Resource", section "Using wildcards in resource ARNs". 0007 Q17.

    >>> matches(written("arn:aws:s3:::b/*/x"), "arn:aws:s3:::b/1/2/x"), matches(written("a?"), "a")
    (True, False)
    """
    places = {0}
    for token in pattern:
        places = _after(token, places, text)
    return len(text) in places


def _after(token: Token, places: set[int], text: str) -> set[int]:
    """Where the text may go on after `token`, when it may have gone on at `places` before."""
    if token is Wildcard.ANY_TEXT:
        return set(range(min(places), len(text) + 1)) if places else set()
    inside = {place for place in places if place < len(text)}
    if token is Wildcard.ANY_CHARACTER:
        return {place + 1 for place in inside}
    return {place + 1 for place in inside if text[place] == token}


def matches_everything(pattern: Pattern) -> bool:
    """Whether the pattern is made of nothing but `*`, and at least one."""
    return bool(pattern) and all(token is Wildcard.ANY_TEXT for token in pattern)


def cut_at_colons(pattern: Pattern, parts: int) -> tuple[Pattern, ...]:
    """The pattern cut at its first colons into at most `parts` pieces; the last piece keeps its colons."""
    pieces: list[list[Token]] = [[]]
    for symbol in pattern:
        if symbol == ":" and len(pieces) < parts:
            pieces.append([])
        else:
            pieces[-1].append(symbol)
    return tuple(tuple(piece) for piece in pieces)
