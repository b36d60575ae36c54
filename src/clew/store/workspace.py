"""Where Clew keeps what it knows: one directory with the lake and the state.

Precedence: `--workspace`, then `CLEW_WORKSPACE`, then `workspace` in the configuration file, then the workspace
of the last `clew investigate PATH`, then `default` in the user's data directory.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from clew.errors import WorkspaceError

CURRENT = "current"
# Origins by which the user named a workspace, so that an investigation joins it.
EXPLICIT = frozenset({"--workspace", "CLEW_WORKSPACE", "configuration file"})


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace directory; `origin` says which setting chose it."""

    path: Path
    origin: str = "--workspace"

    @property
    def lake_path(self) -> Path:
        """The directory of the lake (Iceberg tables and their catalogue)."""
        return self.path / "lake"

    @property
    def state_path(self) -> Path:
        """The SQLite file of state that changes: findings, suppressions."""
        return self.path / "state.db"

    @property
    def reports_path(self) -> Path:
        """The directory in which reports are written by default."""
        return self.path / "reports"

    @property
    def snapshots_path(self) -> Path:
        """The directory in which `clew collect` keeps snapshots by default; their names are the times they began."""
        return self.path / "snapshots"

    @property
    def scratch_path(self) -> Path:
        """The directory of files in passing, such as objects of S3 on their way into the lake."""
        return self.path / "scratch"

    def create(self) -> Workspace:
        """This workspace, with its directory made; WorkspaceError when that is not possible."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise WorkspaceError(f"cannot create workspace `{self.path}`: {error.strerror}") from error
        return self


def data_directory() -> Path:
    """The user's data directory for Clew: `CLEW_HOME`, else the platform's convention."""
    home = os.environ.get("CLEW_HOME")
    if home:
        return Path(home)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "clew"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "clew"


def locate(explicit: str | None, configured: str | None) -> Workspace:
    """The workspace that the settings choose, by the precedence of this module."""
    chosen = (
        (explicit, "--workspace"),
        (os.environ.get("CLEW_WORKSPACE"), "CLEW_WORKSPACE"),
        (configured, "configuration file"),
        (_current(), "last investigation"),
    )
    for path, origin in chosen:
        if path:
            return Workspace(Path(path).expanduser().absolute(), origin)
    return Workspace(data_directory() / "default", "default")


def for_source(source: str) -> Workspace:
    """The private workspace of one investigated PATH: a directory, file, glob or `s3://` prefix."""
    resolved = source if source.startswith("s3://") else str(Path(source).expanduser().resolve())
    digest = hashlib.sha256(resolved.encode()).hexdigest()[:12]
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in Path(resolved).name)[:40] or "root"
    return Workspace(data_directory() / "investigations" / f"{name}-{digest}", "investigated path")


def make_current(workspace: Workspace) -> None:
    """Let later commands use this workspace when nothing else names one."""
    directory = data_directory()
    temporary = directory / f".{CURRENT}.{os.getpid()}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        temporary.write_text(f"{workspace.path}\n", encoding="utf-8")
        temporary.replace(directory / CURRENT)
    except OSError as error:
        raise WorkspaceError(f"cannot write `{directory / CURRENT}`: {error.strerror}") from error


def current_pointer() -> Path | None:
    """Where the last investigation's workspace is said to be, None when there was none; it may be gone since."""
    pointer = data_directory() / CURRENT
    try:
        text = pointer.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise WorkspaceError(f"cannot read `{pointer}`: {error}; delete it") from error
    return Path(text) if text else None


def _current() -> str | None:
    path = current_pointer()
    return str(path) if path is not None and path.is_dir() else None
