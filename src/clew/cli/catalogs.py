"""Which catalogue the commands ask: `CLEW_CATALOG`, else what `clew catalog update` stored, else the built-in one."""

from __future__ import annotations

import os
from pathlib import Path

from clew.aws import catalog_choice
from clew.store.workspace import data_directory

VARIABLE = "CLEW_CATALOG"


def refreshed_path() -> Path:
    """Where `clew catalog update` stores the catalogue it made."""
    return data_directory() / "catalog.bin"


def choose() -> None:
    """Let this invocation's catalogue apply; nothing is read yet."""
    named = os.environ.get(VARIABLE)
    refreshed = refreshed_path()
    if named:
        catalog_choice.use(Path(named).expanduser())
    elif refreshed.is_file():
        catalog_choice.use(refreshed, unless_older=True)
    else:
        catalog_choice.use(None)
