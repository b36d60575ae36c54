"""A directory for files in passing: made for one run, removed at its end, swept when a run was killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from clew.errors import WorkspaceError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "fetch-"


@contextmanager
def scratch_directory(parent: Path) -> Iterator[Path]:
    """A new directory under `parent`, removed at the end; leftovers of processes that are gone are removed first."""
    try:
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for leftover in leftovers(parent):
            shutil.rmtree(leftover, ignore_errors=True)
        path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
    except OSError as error:
        raise WorkspaceError(f"{parent}: cannot be written: {error.strerror}") from error
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def leftovers(parent: Path) -> tuple[Path, ...]:
    """Scratch directories under `parent` whose process is gone."""
    if not parent.is_dir():
        return ()
    return tuple(path for path in sorted(parent.glob(f"{_PREFIX}*")) if not _is_alive(path))


def _is_alive(path: Path) -> bool:
    pid = path.name.removeprefix(_PREFIX).partition("-")[0]
    if not pid.isdecimal():
        return True
    with suppress(ProcessLookupError, OverflowError):
        try:
            os.kill(int(pid), 0)
        except PermissionError:
            return True
        return True
    return False
