"""Whole numbers among the options of an action."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.errors import ChangeError

if TYPE_CHECKING:
    from clew.respond.model import Options


def whole(options: Options, name: str, default: int, limits: tuple[int, int]) -> int:
    """The option as a whole number within the limits. Errors: `ChangeError`.

    >>> whole({"min-length": "16"}, "min-length", 14, (6, 128))
    16
    """
    text = options.get(name, str(default))
    lowest, highest = limits
    if not (text.isascii() and text.isdecimal()) or not lowest <= int(text) <= highest:
        raise ChangeError(
            f"option `{name}`: expected a whole number from {lowest} to {highest}, found `{text[:40]}`"
        )
    return int(text)
