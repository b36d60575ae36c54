"""Who holds the lake's write lock, asked without taking it for longer than the question."""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

from clew.lake import lock

if TYPE_CHECKING:
    from pathlib import Path


def holder(lake_path: Path) -> str | None:
    """The process id of the writer as text, None when nobody writes."""
    try:
        file = (lake_path / lock.FILE_NAME).open("rb")
    except FileNotFoundError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read(32).decode("ascii", "replace").strip() or "unknown"
        return None
