"""How `clew detect --events` reads lines and prints answers."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from clew.cli import context
from clew.detect.inflight import answers, lines_of, matcher, reads_other_fields
from clew.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from clew.detect.catalog import Catalog
    from clew.findings import Severity

_GZIP = b"\x1f\x8b"


def print_answers(
    source: str, catalog: Catalog, *, silent: bool, min_severity: Severity, threshold: Severity | None
) -> int:
    """Print one answer for each line of the file or of standard input; the exit code."""
    chosen = [rule for rule in catalog.rules if rule.severity.rank >= min_severity.rank]
    failing = {rule.id for rule in chosen if threshold is not None and rule.severity.rank >= threshold.rank}
    failed = partial = False
    with _opened(source) as stream:
        matching = matcher(chosen, silent=silent)
        for answer in answers(lines_of(stream), matching, any_object=reads_other_fields(chosen)):
            # A program that feeds line after line waits for each answer.
            print(json.dumps(answer.document()), flush=source == "-")
            partial = partial or bool(answer.error)
            failed = failed or not failing.isdisjoint(answer.rules)
    if failed:
        return context.EXIT_FINDINGS
    return context.EXIT_PARTIAL if partial else context.EXIT_CLEAN


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
            raise InputError(f"`{source}` cannot be read: {reason}") from error
