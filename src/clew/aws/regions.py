"""The Regions that AWS has, as of a day; `partitions` recognises Regions by their spelling alone."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date

_FILE: Final = tomllib.loads((Path(__file__).parent / "data" / "regions.toml").read_text(encoding="utf-8"))

UPDATED: Final[date] = _FILE["updated"]
"""The day on which the list was made (`tools/regions.py`, from botocore's endpoints)."""

REGIONS: Final = frozenset(name for names in _FILE["partitions"].values() for name in names.split())
"""Every Region of every partition.

>>> "eu-central-2" in REGIONS, "us-east-3" in REGIONS
(True, False)
"""
