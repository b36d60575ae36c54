"""`clew doctor`: what is installed, which settings apply, where the workspace is, and what is wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clew import __version__
from clew.cli import context
from clew.errors import ClewError

if TYPE_CHECKING:
    from clew.store.workspace import Workspace

LOW_DISK_BYTES = 1 << 30
# The packages of each extra; `clew-aws[all]` is their union.
EXTRAS = {
    "lake": ("duckdb", "pyarrow", "pyiceberg", "sqlalchemy", "sqlglot", "isal", "numpy"),
    "aws": ("boto3",),
}


class Output(StrEnum):
    """How the answer is written."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Check:
    """One fact about the installation; `problem` says what is wrong and what to do, empty when nothing is."""

    group: str
    name: str
    value: str
    problem: str = ""


def register(app: typer.Typer) -> None:
    """Add `clew doctor`."""
    app.command("doctor")(doctor)


def doctor(
    output: Annotated[Output, typer.Option(help="How to write the answer.")] = Output.TABLE,
) -> None:
    """Say what is installed, which settings apply, where the workspace is, and what is wrong.

    Exit codes: 0 nothing is wrong, 3 something is.
    """
    import json

    checks = tuple(examine())
    problems = [check for check in checks if check.problem]
    if output is Output.JSON:
        facts = [asdict(check) for check in checks]
        typer.echo(json.dumps({"version": __version__, "problems": len(problems), "checks": facts}, indent=2))
    else:
        for line in _lines(checks):
            typer.echo(context.printable(line))
    if problems:
        raise typer.Exit(context.EXIT_PARTIAL)


def examine() -> Iterator[Check]:
    """Every check, in the order in which they are shown."""
    import platform

    yield Check("program", "clew", __version__)
    yield Check("program", "python", f"{platform.python_version()} ({sys.executable})")
    yield Check("program", "system", f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors")
    yield Check("program", "colours", _colours())
    yield from (_extra(name, packages) for name, packages in EXTRAS.items())
    yield from _settings()
    chosen, problem = _workspace()
    yield problem or Check("workspace", "path", f"{chosen.path} (chosen by: {chosen.origin})")
    yield from _current_pointer()
    yield from (check(chosen) for check in (_writable, _private, _disk, _scratch, _lake, _lock, _state))


def _colours() -> str:
    if "NO_COLOR" in os.environ:
        return "off (NO_COLOR is set)"
    if context.options().no_color:
        return "off (--no-color)"
    return "on" if context.use_color() else "off (standard output is not a terminal)"


def _extra(name: str, packages: tuple[str, ...]) -> Check:
    versions = {package: _version(package) for package in packages}
    missing = [package for package, version in versions.items() if version is None]
    if len(missing) == len(packages):
        return Check("extras", name, f"not installed (pip install 'clew-aws[{name}]')")
    installed = ", ".join(f"{package} {version}" for package, version in versions.items() if version)
    advice = f"{', '.join(missing)} missing; run `pip install 'clew-aws[{name}]'`" if missing else ""
    return Check("extras", name, installed, advice)


def _version(package: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _settings() -> Iterator[Check]:
    from clew.store import config as store_config

    explicit = context.options().config
    try:
        file = store_config.load(explicit).path
        yield Check("settings", "file", str(file) if file else "none")
        for setting in store_config.settings(explicit):
            yield Check("settings", setting.name, f"{_shown(setting.value)} ({setting.origin})")
    except ClewError as error:
        yield Check("settings", "file", "not usable", f"{error}; correct it, until then most commands stop")
    for name in store_config.unknown_variables():
        yield Check("settings", name, "set", f"`{name}` is not a variable of Clew; check the spelling")


def _shown(value: str | int | tuple[str, ...] | None) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return "none" if value is None else str(value)


def _workspace() -> tuple[Workspace, Check | None]:
    from clew.store.workspace import Workspace, data_directory

    try:
        return context.workspace(), None
    except ClewError as error:
        named = context.options().workspace
        fallback = data_directory() / "default"
        chosen = Workspace(Path(named).expanduser().absolute() if named else fallback, "assumed")
        return chosen, Check("workspace", "path", f"{chosen.path} (assumed)", str(error))


def _current_pointer() -> Iterator[Check]:
    from clew.store.workspace import current_pointer

    try:
        pointer = current_pointer()
    except ClewError:
        return
    gone = pointer is not None and not pointer.is_dir()
    problem = f"`{pointer}` is gone; run `clew investigate PATH` again or name --workspace" if gone else ""
    yield Check("workspace", "last investigation", str(pointer or "none"), problem)


def _writable(workspace: Workspace) -> Check:
    place = _nearest(workspace.path)
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return Check("workspace", "writable", "yes" if place == workspace.path else "yes (not made yet)")
    advice = f"`{place}` is not a directory that you may write; choose another with --workspace"
    return Check("workspace", "writable", "no", advice)


def _nearest(path: Path) -> Path:
    return next(place for place in (path, *path.parents) if place.exists())


def _private(workspace: Workspace) -> Check:
    if not workspace.path.is_dir():
        return Check("workspace", "private", "not made yet")
    if workspace.path.stat().st_mode & 0o007:
        # The user may have meant it: the lake itself is closed, reports and findings are as open as the directory.
        return Check(
            "workspace", "private", f"no, others may read reports (chmod 700 {workspace.path} closes it)"
        )
    return Check("workspace", "private", "yes")


def _disk(workspace: Workspace) -> Check:
    import shutil

    free = shutil.disk_usage(_nearest(workspace.path)).free
    advice = "too little to ingest; free some, or choose another disk with --workspace"
    return Check("workspace", "disk", f"{free / 1e9:.1f} GB free", advice if free < LOW_DISK_BYTES else "")


def _scratch(workspace: Workspace) -> Check:
    from clew.collect.scratch import leftovers

    found = leftovers(workspace.scratch_path)
    left = f"{len(found)} leftovers of killed runs (the next ingest of s3:// removes them)"
    return Check("workspace", "scratch", left if found else "clean")


def _lake(workspace: Workspace) -> Check:
    from clew.lake.manifest import CATALOG_NAME

    path = workspace.lake_path
    if not (path / CATALOG_NAME).is_file():
        return Check("workspace", "lake", "none yet (run `clew ingest PATH`)")
    try:
        from clew.lake import reader, schema

        lake = reader.open_lake(path)
        counts = {table: sum(file.rows for file in lake.files(table)) for table in schema.TABLES}
    except ModuleNotFoundError as error:
        return Check(
            "workspace", "lake", "present", f"`{error.name}` is missing; run `pip install 'clew-aws[lake]'`"
        )
    except ClewError as error:
        return Check("workspace", "lake", "not readable", str(error))
    return Check(
        "workspace",
        "lake",
        ", ".join(f"{table} {rows:,}" for table, rows in counts.items() if rows) or "empty",
    )


def _lock(workspace: Workspace) -> Check:
    if not workspace.lake_path.is_dir():
        return Check("workspace", "lock", "free")
    from clew.lake.maintenance.lock_holder import holder

    pid = holder(workspace.lake_path)
    return Check("workspace", "lock", "free" if pid is None else f"held by process {pid}: it is writing")


def _state(workspace: Workspace) -> Check:
    import sqlite3

    path = workspace.state_path
    if not path.exists():
        return Check("workspace", "state", "none yet")
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            (answer,) = connection.execute("PRAGMA quick_check").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        return Check(
            "workspace", "state", "damaged", f"{path}: {error}; restore it from a backup or move it away"
        )
    problem = "" if answer == "ok" else f"{path}: {answer}; restore it from a backup or move it away"
    return Check("workspace", "state", "ok" if answer == "ok" else "damaged", problem)


def _lines(checks: tuple[Check, ...]) -> Iterator[str]:
    width = max(len(check.name) for check in checks)
    group = ""
    for check in checks:
        if check.group != group:
            group = check.group
            yield group
        yield f"  {check.name:<{width}}  {check.value}"
        if check.problem:
            yield f"  {'':<{width}}  ! {check.problem}"
    problems = sum(bool(check.problem) for check in checks)
    yield f"{problems} problem{'s' * (problems != 1)} found" if problems else "nothing is wrong"
