"""Write `src/clew/aws/data/regions.toml`, the Regions of every partition, from botocore's endpoints.

Botocore is no dependency of the base install, so what validation needs of it is packaged.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import botocore

from clew.aws.partitions import is_region

FILE = Path(__file__).resolve().parent.parent / "src" / "clew" / "aws" / "data" / "regions.toml"
DATA = Path(botocore.__file__).with_name("data")


def regions() -> dict[str, list[str]]:
    """The Regions of each partition, in order."""
    found: dict[str, set[str]] = {}
    for name, key in (("endpoints.json", "partition"), ("partitions.json", "id")):
        for partition in json.loads((DATA / name).read_text(encoding="utf-8"))["partitions"]:
            found.setdefault(partition[key], set()).update(filter(is_region, partition["regions"]))
    return {partition: sorted(names) for partition, names in sorted(found.items()) if names}


def text(updated: str) -> str:
    """The file: where it comes from, of which day it is, and one line for each partition."""
    lines = [
        f'source = "botocore {botocore.__version__}, endpoints.json and partitions.json"',
        f"updated = {updated}",
    ]
    lines += ["", "[partitions]"]
    lines += [f'{partition} = "{" ".join(names)}"' for partition, names in regions().items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004  # the program and the day
        sys.exit("usage: python tools/regions.py YYYY-MM-DD, today")
    FILE.write_text(text(sys.argv[1]), encoding="utf-8")
