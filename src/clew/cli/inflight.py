"""How `clew detect --events` reads lines and prints answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.cli import context
from clew.cli.streams import opened
from clew.detect.inflight import answers, lines_of, matcher, reads_other_fields

if TYPE_CHECKING:
    from clew.detect.catalog import Catalog
    from clew.findings import Severity


def print_answers(
    source: str, catalog: Catalog, *, silent: bool, min_severity: Severity, threshold: Severity | None
) -> int:
    """Print one answer for each line of the file or of standard input; the exit code."""
    chosen = [rule for rule in catalog.rules if rule.severity.rank >= min_severity.rank]
    failing = {rule.id for rule in chosen if threshold is not None and rule.severity.rank >= threshold.rank}
    failed = partial = False
    with opened(source) as stream:
        matching = matcher(chosen, silent=silent)
        for answer in answers(lines_of(stream), matching, any_object=reads_other_fields(chosen)):
            # A program that feeds line after line waits for each answer.
            print(json.dumps(answer.document()), flush=source == "-")
            partial = partial or bool(answer.error)
            failed = failed or not failing.isdisjoint(answer.rules)
    if failed:
        return context.EXIT_FINDINGS
    return context.EXIT_PARTIAL if partial else context.EXIT_CLEAN
