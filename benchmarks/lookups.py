"""Measure the catalogue of AWS's actions: size, opening, first and later look-ups, each in fresh processes.

Usage: python benchmarks/lookups.py [--processes 9]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.aws.catalog import Catalog

REPEATS = 100_000
MASK = "s3:Get*"


def once(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    started = perf_counter()
    work()
    return (perf_counter() - started) * 1e3


def again(work: Callable[[], object]) -> float:
    """Milliseconds of one call among many."""
    return once(lambda: [work() for _ in range(REPEATS)]) / REPEATS


def measure() -> dict[str, float]:
    """Every figure of one process, in milliseconds, and the size."""
    started = perf_counter()
    from clew.aws import catalog

    found = {"import of clew.aws.catalog": (perf_counter() - started) * 1e3}
    found["open"] = once(catalog.current)
    aws = catalog.current()
    found["first is_wildcard_only"] = once(lambda: aws.is_wildcard_only("s3:GetObject"))
    found["is_wildcard_only"] = again(lambda: aws.is_wildcard_only("s3:GetObject"))
    found["first action of S3"] = once(lambda: aws.action("s3:GetObject"))
    found["first action of EC2, the largest"] = once(lambda: aws.action("ec2:RunInstances"))
    found["action"] = again(lambda: aws.action("s3:getobject"))
    found["first mask, with the order"] = once(lambda: aws.mask(MASK))
    found["new mask with a literal beginning"] = once(lambda: aws.mask("iam:*"))
    found["new mask with a leading star"] = once(lambda: aws.mask("*:*tag*"))
    found["mask asked before"] = again(lambda: aws.mask(MASK))
    found["nearest action in EC2"] = once(lambda: aws.nearest_action("ec2:DescribInstnces"))
    found["everything"] = once(lambda: _everything(catalog.Catalog.open(catalog.BUILT_IN)))
    found["size in kB"] = aws.path.stat().st_size / 1000
    return found


def _everything(aws: Catalog) -> None:
    for service in aws.services():
        aws.actions(service.prefix)
        aws.resource_types(service.prefix)
        aws.condition_keys(service.prefix)


def main() -> None:
    """Print the median of every figure."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--processes", type=int, default=9)
    arguments.add_argument("--one", action="store_true", help="One process, as JSON.")
    given = arguments.parse_args()
    if given.one:
        print(json.dumps(measure()))
        return
    command = [sys.executable, __file__, "--one"]
    runs = [
        json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        for _ in range(given.processes)
    ]
    for name in runs[0]:
        middle = statistics.median(run[name] for run in runs)
        shown = f"{middle:9.2f} ms" if middle >= 0.01 else f"{middle * 1e3:9.2f} µs"
        print(f"{name:<36}{shown if 'size' not in name else f'{middle:9.0f}'}")


if __name__ == "__main__":
    main()
