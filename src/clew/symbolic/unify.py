"""What a policy variable stands for when its pattern is to match a given text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clew.policy.variables import Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.policy.variables import Piece

_LONGEST = 512


def stretches(pieces: Sequence[Piece], key: str, text: str) -> Iterator[str]:
    """The stretches of the text that the variable would take: the shortest, then the longest.

    >>> from clew.policy.variables import pieces
    >>> list(stretches(pieces("home/${aws:username}/*"), "aws:username", "home/ana/x"))
    ['ana']
    """
    if len(text) > _LONGEST:
        return
    found: dict[str, None] = {}
    for lazy in ("?", ""):
        matched = re.fullmatch(_expression(pieces, key, lazy), text, re.DOTALL)
        if matched is not None:
            found[matched["value"]] = None
    yield from found


def _expression(pieces: Sequence[Piece], key: str, lazy: str) -> str:
    parts = []
    is_named = False
    for piece in pieces:
        if isinstance(piece, str):
            written = re.escape(piece).replace(r"\*", ".*").replace(r"\?", ".")
            parts.append(written)
        elif isinstance(piece, Literal):
            parts.append(re.escape(piece.text))
        elif piece.key.lower() == key:
            parts.append("(?P=value)" if is_named else f"(?P<value>.*{lazy})")
            is_named = True
        else:
            parts.append(f".*{lazy}")
    return "".join(parts)
