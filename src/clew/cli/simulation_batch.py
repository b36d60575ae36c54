"""`clew simulate --batch`: JSON lines in, one JSON line each out, in order; no line stops the next."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from clew.cli import context
from clew.cli.streams import opened
from clew.engine.batch import evaluate_line, failed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

MAX_LINE_BYTES = 16 * 1024 * 1024
"""A longer line is answered with an error: a request with every policy that AWS allows is far below 1 MB."""


def print_batch(source: str, *, unknown_context: bool, derive_context: bool) -> int:
    """Print the answer to each line of the file, or of standard input for `-`; the exit code.

    A blank line is answered too, so that line n of the answers is about line n of the input.
    """
    partial = False
    write, flush = sys.stdout.write, sys.stdout.flush
    with opened(source) as stream:
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
