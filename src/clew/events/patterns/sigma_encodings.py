"""Sigma's value modifiers that rewrite text: Base64, UTF-16 and the dashes of command lines."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

from clew.aws import glob
from clew.errors import RuleError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DASHES: Final = "-/–—―"
_DASH = re.compile(rf"(?<!\w)[{DASHES}](?=\w)")
# Which characters of the encoded text depend on the bytes before (by offset) and after (by remainder of the length).
_HEAD = (0, 2, 3)
_TAIL = (None, -3, -2)


def dashes(text: str) -> list[str]:
    """The text with the dashes that begin its words in every spelling.

    >>> dashes("-enc")
    ['-enc', '/enc', '–enc', '—enc', '―enc']
    """
    return list(dict.fromkeys(_DASH.sub(dash, text) for dash in DASHES)) if _DASH.search(text) else [text]


def encoded(text: str, encodings: tuple[str, ...]) -> list[str]:
    """The text after each encoding in turn.

    Errors: RuleError when a wildcard would be encoded.

    >>> encoded("key", ("base64",)), encoded("key", ("wide", "base64"))
    (['a2V5'], ['awBlAHkA'])
    """
    if not encodings:
        return [text]
    parts = glob.tokens(text, escape="\\")
    if any(not part for part in parts):
        raise RuleError(f"`{text}` has a wildcard, which `{encodings[0]}` cannot encode")
    forms = ["".join(part for part in parts if part).encode()]
    for name in encodings:
        forms = [form for data in forms for form in ENCODINGS[name](data)]
    try:
        return [re.sub(r"([*?\\])", r"\\\1", form.decode()) for form in forms]
    except UnicodeDecodeError as error:
        raise RuleError(
            f"`{encodings[-1]}` makes bytes that are no text; add `base64` or `base64offset`"
        ) from error


def _base64(data: bytes) -> list[bytes]:
    return [base64.b64encode(data)]


def _base64_offsets(data: bytes) -> list[bytes]:
    """The part of the encoded text that is the same whatever stands before and after, for each of three alignments."""
    return [
        base64.b64encode(b" " * offset + data)[_HEAD[offset] : _TAIL[(len(data) + offset) % 3]]
        for offset in range(3)
    ]


def _utf16(codec: str) -> Callable[[bytes], list[bytes]]:
    return lambda data: [data.decode().encode(codec)]


ENCODINGS: Final[Mapping[str, Callable[[bytes], list[bytes]]]] = {
    "base64": _base64,
    "base64offset": _base64_offsets,
    "wide": _utf16("utf-16-le"),
    "utf16le": _utf16("utf-16-le"),
    "utf16be": _utf16("utf-16-be"),
    "utf16": _utf16("utf-16"),
}
"""Modifier → what it makes of the bytes of a value."""
