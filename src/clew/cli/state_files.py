"""The files that tell the state of accounts: those given, else the newest snapshot of the workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clew.cli import context
from clew.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.snapshot.model import Snapshot


HELP = "Snapshot, account file or folder with the policies (repeatable); the newest snapshot by default."


def newest_snapshot() -> Path:
    """The newest snapshot that `clew collect` kept in the workspace. Errors: `UsageError` where there is none."""
    found = _kept()
    if not found:
        folder = context.workspace().snapshots_path
        raise UsageError(f"no snapshot in `{folder}`; run `clew collect`, or name a file of it")
    return found[-1]


def chosen(given: Sequence[str] | None) -> tuple[str, ...]:
    """The files given, else the newest snapshot, which is noted. Errors: `UsageError` where there is neither."""
    found = chosen_if_any(given)
    if not found:
        folder = context.workspace().snapshots_path
        raise UsageError(
            "no policies are given; name a snapshot, an account file or a folder, "
            f"or run `clew collect` (no snapshot in `{folder}`)"
        )
    return found


def chosen_if_any(given: Sequence[str] | None) -> tuple[str, ...]:
    """The files given, else the newest snapshot, which is noted; empty where there is neither."""
    if given:
        return tuple(given)
    found = _kept()
    if not found:
        return ()
    context.note(f"policies of the newest snapshot, `{found[-1].name}`")
    return (str(found[-1]),)


def snapshot(files: Sequence[str]) -> Snapshot:
    """The state that the files tell; what they leave out is noted. Errors: `InputError`."""
    from clew.snapshot.load import Inputs, load

    found = load(Inputs(accounts=tuple(files)))
    for note in found.notes:
        context.note(note)
    return found


def _kept() -> list[Path]:
    """The snapshots of the workspace; their names begin with the time, so that the order of names is that of time."""
    folder = context.workspace().snapshots_path
    return sorted(folder.glob("*.json.gz")) if folder.is_dir() else []
