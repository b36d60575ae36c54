"""Files of lines, and standard input, opened alike by the commands that answer line by line."""

from __future__ import annotations

import gzip
import sys
import zlib
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from clew.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_GZIP = b"\x1f\x8b"


@contextmanager
def opened(source: str) -> Iterator[BinaryIO]:
    """The file, unpacked where it is gzip, or for `-` standard input as it comes.

    Errors: `InputError` when the file cannot be read or unpacked, also while its lines are read.
    """
    if source == "-":
        yield sys.stdin.buffer
        return
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(Path(source).open("rb"))
            packed = stream.peek(len(_GZIP))[: len(_GZIP)] == _GZIP
            # mypy: a GzipFile has all that is used of a BinaryIO.
            yield cast("BinaryIO", stack.enter_context(gzip.open(stream))) if packed else stream
        except (OSError, EOFError, zlib.error) as error:
            if isinstance(error, BrokenPipeError):
                raise
            reason = (isinstance(error, OSError) and error.strerror) or f"damaged gzip: {error}"
            raise InputError(f"`{source}` cannot be read: {reason.lower()}") from error
