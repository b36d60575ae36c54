"""Where a lake says that it lies. Iceberg keeps absolute paths, so a lake that was moved or copied names another place.

Questions are answered all the same (the light manifest is relative). Writing is refused: in a copy, it would write into
the original.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clew.errors import WorkspaceError
from clew.lake import manifest
from clew.lake.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator


def relative(location: str) -> str:
    """A path of Iceberg's without the place where the lake lay when it was written.

    >>> relative("/old/place/lake/cloudtrail/data/00.parquet")
    'cloudtrail/data/00.parquet'
    """
    found = max(_starts(location), default=None)
    if found is None:
        raise WorkspaceError(f"`{location}` is not the path of a file of a lake")
    return location[found:]


def _starts(location: str) -> Iterator[int]:
    for table in TABLES:
        for folder in ("data", "metadata"):
            at = location.rfind(f"/{table}/{folder}/")
            if at >= 0:
                yield at + 1


def require_lake(lake_path: Path) -> None:
    """Refuse a directory without a lake, before anything is made there; WorkspaceError says how to make one."""
    if not (lake_path / manifest.CATALOG_NAME).is_file():
        raise WorkspaceError(f"no lake in `{lake_path.parent}`; run `clew ingest PATH` first")


def moved_from(lake_path: Path) -> Path | None:
    """The directory in which the lake was written, None when that is where it still lies."""
    for location in manifest.pointers(lake_path).values():
        origin = Path(location[: -len(relative(location))])
        if not _is_same(origin, lake_path):
            return origin
    return None


def _is_same(one: Path, other: Path) -> bool:
    return one == other or (one.exists() and other.exists() and one.samefile(other))


def require_in_place(lake_path: Path) -> None:
    """Refuse a lake that was moved or copied; WorkspaceError says what to run."""
    origin = moved_from(lake_path)
    if origin is not None:
        raise WorkspaceError(
            f"{lake_path}: the lake was moved here from `{origin}`; run `clew lake relocate`"
        )
