"""Patterns of actions, resources and values: any of a list of texts with `*` and `?`, tested in linear time.

Compiling is cheap, since a policy is often compiled for one request: most patterns are plain text, or text and one
`*` at the end, and need neither tokens nor regular expressions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from clew.aws import glob

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Matcher = Callable[[str], bool]
"""A function that says whether a whole text matches."""

Run = tuple[str, bool]
"""A stretch of a pattern's text, and whether its `*` and `?` are wildcards."""

_ESCAPE: Final = "\\"


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
            others.append(glob.matcher(pattern))
        elif star < 0:
            exact.append(pattern)
        elif star < len(pattern) - 1:
            others.append(_between(pattern.split("*")))
        elif star:
            prefixes.append(pattern[:-1])
        else:
            return everything
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
    if any(wild and "?" in text for text, wild in runs):
        return glob.matcher("".join(_escaped(run) for run in runs), escape=_ESCAPE)
    parts = [""]
    for text, wild in runs:
        first, *rest = text.split("*") if wild else [text]
        parts[-1] += first
        parts += rest
    return _between(parts)


def _escaped(run: Run) -> str:
    text, wild = run
    text = text.replace(_ESCAPE, _ESCAPE * 2)
    return text if wild else text.replace("*", r"\*").replace("?", r"\?")


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
