"""`clew simulate --batch`: JSON lines in, one JSON line each out, in order; no line stops the next."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from clew.cli import context
from clew.engine.batch import evaluate_line, failed
from clew.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_GZIP = b"\x1f\x8b"
MAX_LINE_BYTES = 16 * 1024 * 1024
"""A longer line is answered with an error: a request with every policy that AWS allows is far below 1 MB."""


def print_batch(source: str, *, unknown_context: bool, derive_context: bool) -> int:
    """Print the answer to each line of the file, or of standard input for `-`; the exit code.

    A blank line is answered too, so that line n of the answers is about line n of the input.
    """
    partial = False
    write, flush = sys.stdout.write, sys.stdout.flush
    with _opened(source) as stream:
        for line in lines(stream):
            found = answer(line, unknown_context=unknown_context, derive_context=derive_context)
            write(f"{json.dumps(found)}\n")
            if source == "-":
                # A program that feeds line after line waits for each answer.
                flush()
            partial = partial or found["decision"] in {None, "undetermined"}
    return context.EXIT_PARTIAL if partial else context.EXIT_CLEAN


def answer(line: bytes, *, unknown_context: bool, derive_context: bool) -> dict[str, object]:
    """The answer to one line; whatever is wrong with it stands in `error`."""
    if len(line) > MAX_LINE_BYTES:
        return failed(None, f"the line is longer than {MAX_LINE_BYTES:,} bytes")
    if not line.strip():
        return failed(None, "the line is blank")
    try:
        return evaluate_line(line, unknown_context=unknown_context, derive_context=derive_context)
    except Exception as error:
        # One odd line must not cost the answers to all the others.
        return failed(None, f"internal error: {type(error).__name__}: {error}")


def lines(stream: BinaryIO, limit: int = MAX_LINE_BYTES) -> Iterator[bytes]:
    """The lines of a stream, without their ends, in constant memory: of a longer line `limit` + 1 bytes are kept."""
    while line := stream.readline(limit + 1):
        end = line
        while len(end) > limit and not end.endswith(b"\n"):
            end = stream.readline(limit + 1) or b"\n"
        yield line.rstrip(b"\r\n")


@contextmanager
def _opened(source: str) -> Iterator[BinaryIO]:
    """The file, unpacked where it is gzip, or standard input as it comes."""
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
