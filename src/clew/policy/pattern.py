"""Patterns of actions, resources and values: any of a list of texts with `*` and `?`, tested in linear time.

Compiling is cheap, since a policy is often compiled for one request: most patterns are plain text, or text and one
`*` at the end, and need neither tokens nor regular expressions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Matcher = Callable[[str], bool]
"""A function that says whether a whole text matches."""

Run = tuple[str, bool]
"""A stretch of a pattern's text, and whether its `*` and `?` are wildcards."""


_SOUGHT: Final = 16_384
"""How much of a piece with `?` is sought at once; what is longer is compared where its beginning was found."""


_FEW: Final = 64


def everything(_text: str) -> bool:
    """True of every text."""
    return True


def nothing(_text: str) -> bool:
    """False of every text."""
    return False


def any_of(patterns: Iterable[str]) -> Matcher:
    """A function that says whether a whole text matches one of the patterns, case-sensitively.

    >>> match = any_of(["s3:ListBucket", "s3:Get*", "ec2:Describe?pcs"])
    >>> [match(text) for text in ("s3:GetObject", "s3:PutObject", "ec2:DescribeVpcs")]
    [True, False, True]
    """
    exact: list[str] = []
    prefixes: list[str] = []
    others: list[Matcher] = []
    for pattern in patterns:
        star = pattern.find("*")
        if "?" in pattern:
            others.append(of_runs([(pattern, True)]))
        elif star < 0:
            exact.append(pattern)
        elif 0 < star == len(pattern) - 1:
            prefixes.append(pattern[:-1])
        else:
            match = _between(pattern.split("*"))
            if match is everything:
                return everything
            others.append(match)
    return _union(exact, tuple(prefixes), others)


def _union(exact: list[str], prefixes: tuple[str, ...], others: list[Matcher]) -> Matcher:
    """One test for the three groups, the simplest that will do: this is what a decision spends its time in."""
    if not others and not prefixes:
        return _equal(exact)
    if not others and not exact:
        return lambda text: text.startswith(prefixes)
    if len(others) == 1 and not exact and not prefixes:
        return others[0]
    texts = frozenset(exact)

    def match(text: str) -> bool:
        if text in texts or text.startswith(prefixes):
            return True
        return any(other(text) for other in others)

    return match


def _equal(texts: list[str]) -> Matcher:
    if len(texts) == 1:
        return texts[0].__eq__
    return frozenset(texts).__contains__ if texts else nothing


def of_runs(runs: Sequence[Run]) -> Matcher:
    """The matcher of one pattern in which some stretches are to be taken literally.

    >>> of_runs([("home/", True), ("a*b", False), ("/*", True)])("home/a*b/x")
    True
    >>> of_runs([("home/", True), ("a*b", False), ("/*", True)])("home/aXb/x")
    False
    """
    if len(runs) > _FEW:
        return _deferred(runs)
    parts = [""]
    for text, wild in runs:
        if not wild:
            parts[-1] += text
        elif "?" in text:
            return _between_pieces([_piece(part) for part in _cut(runs)])
        else:
            first, *rest = text.split("*")
            parts[-1] += first
            parts += rest
    return _between(parts)


def _deferred(runs: Sequence[Run]) -> Matcher:
    """The matcher of many runs, put together for texts that are long enough only.

    A variable that is named a thousand times makes a pattern a thousand times as long as the value of its key.
    """
    shortest = sum(len(text) - (text.count("*") if wild else 0) for text, wild in runs)
    return lambda text: len(text) >= shortest and _between_pieces([_piece(part) for part in _cut(runs)])(text)


def _cut(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs between each two `*`."""
    parts: list[list[Run]] = [[]]
    for text, wild in runs:
        first, *rest = text.split("*") if wild else [text]
        parts[-1].append((first, wild))
        parts += [[(each, True)] for each in rest]
    return parts


def _between(parts: Sequence[str]) -> Matcher:
    """The matcher of the literal parts with a `*` between each two."""
    first, last = parts[0], parts[-1]
    if len(parts) == 1:
        return first.__eq__
    middle = [part for part in parts[1:-1] if part]
    if not middle and not last:
        return everything if not first else lambda text: text.startswith(first)
    shortest = len(first) + len(last)

    def match(text: str) -> bool:
        if len(text) < shortest or not text.startswith(first) or not text.endswith(last):
            return False
        position, end = len(first), len(text) - len(last)
        for part in middle:
            # INVARIANT: the leftmost place leaves the most text for what follows, so no other place need be tried.
            position = text.find(part, position, end)
            if position < 0:
                return False
            position += len(part)
        return True

    return match


class _Piece(NamedTuple):
    """What stands between two `*` and holds a `?`.

    length: how many characters it takes. literals: its texts, each at its place.
    masks: for each character, the places (as bits) of the first `_SOUGHT` that it may take; free: those of `?`.
    """

    length: int
    literals: tuple[tuple[int, str], ...]
    masks: dict[str, int]
    free: int


def _piece(runs: Sequence[Run]) -> _Piece:
    literals = []
    length = 0
    for text, wild in runs:
        for number, literal in enumerate(text.split("?") if wild else [text]):
            length += 1 if number else 0
            if literal:
                literals.append((length, literal))
            length += len(literal)
    return _Piece(length, tuple(literals), *_places(literals, min(length, _SOUGHT)))


def _places(literals: Sequence[tuple[int, str]], length: int) -> tuple[dict[str, int], int]:
    masks: dict[str, int] = {}
    free = (1 << length) - 1
    for offset, literal in literals:
        for place, char in enumerate(literal[: max(0, length - offset)], offset):
            masks[char] = masks.get(char, 0) | 1 << place
            free ^= 1 << place
    return {char: places | free for char, places in masks.items()}, free


def _stands_at(piece: _Piece, text: str, start: int) -> bool:
    return all(text.startswith(literal, start + offset) for offset, literal in piece.literals)


def _find(piece: _Piece, text: str, start: int, end: int) -> int:
    """The first place of the piece in that stretch of the text; -1 when there is none.

    Source: Baeza-Yates and Gonnet, "A new approach to text searching" (shift-and): every place is tried at once, so
    that `a?a?a?…` over `aaaa…` costs one step for each character.
    """
    sought = min(piece.length, _SOUGHT)
    last, state = 1 << sought - 1, 0
    for index in range(start, end):
        state = (state << 1 | 1) & piece.masks.get(text[index], piece.free)
        if state & last:
            begin = index - sought + 1
            if begin + piece.length <= end and (sought == piece.length or _stands_at(piece, text, begin)):
                return begin
    return -1


def _between_pieces(pieces: Sequence[_Piece]) -> Matcher:
    """As `_between`, for patterns that hold a `?`.

    `glob.matcher` would do, but it compiles a regular expression for each piece, which takes 100 µs: this takes 8.
    """
    first, *middle = pieces
    last = middle.pop() if middle else None
    middle = [piece for piece in middle if piece.length]
    shortest = first.length + (last.length if last else 0)

    def match(text: str) -> bool:
        end = len(text) - (last.length if last else 0)
        if len(text) < shortest or not _stands_at(first, text, 0):
            return False
        if last is None:
            return len(text) == shortest
        position = first.length
        for piece in middle:
            position = _find(piece, text, position, end)
            if position < 0:
                return False
            position += piece.length
        return _stands_at(last, text, end)

    return match
