"""One writer at a time: an exclusive lock on the workspace, released by the system when the process ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from clew.errors import WorkspaceError, WorkspaceLockedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME = "lock"


@contextmanager
def exclusive(lake_path: Path) -> Iterator[None]:
    """Hold the lake's write lock; WorkspaceLockedError names the process that holds it."""
    descriptor = _open(lake_path)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise WorkspaceLockedError(
                f"{lake_path}: another Clew process (pid {holder}) is writing; try again when it is done"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _open(lake_path: Path) -> int:
    try:
        lake_path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.open(lake_path / FILE_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise WorkspaceError(f"{lake_path}: cannot lock the lake: {error.strerror}") from error
