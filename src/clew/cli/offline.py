"""`clew collect --from-files`: exports, templates and plans into a snapshot file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.cli import context
from clew.errors import InputError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

_ACCOUNT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Given:
    """The folders and files, and where templates and plans will be deployed."""

    paths: tuple[str, ...]
    accounts: tuple[str, ...]
    regions: tuple[str, ...]


def check(given: Given, *, asked: bool) -> None:
    """Complain about options that make no sense without AWS."""
    if asked:
        raise UsageError(
            "`--from-files` asks no AWS; leave out --profile, --role, --organization, --print-policy, "
            "and what chooses calls: --only, --check, --framework and --last-accessed"
        )
    if len(given.accounts) > 1 or len(given.regions) > 1:
        raise UsageError("with `--from-files` give one account and one region: where it will be deployed")
    for account in given.accounts:
        if len(account) != _ACCOUNT_DIGITS or not account.isdecimal():
            raise UsageError(f"`{account}` is no account id; an id has 12 digits")


def collect(given: Given, path: Path, time: str) -> int:
    """Write the snapshot and say what came of it; the exit code."""
    from clew import __version__
    from clew.snapshot import file
    from clew.snapshot.offline import folder

    if not path.parent.is_dir():
        raise InputError(f"`{path.parent}` is no folder; the snapshot cannot be written there")
    read = folder.read(
        given.paths,
        time=time,
        account=given.accounts[0] if given.accounts else "",
        region=given.regions[0] if given.regions else "",
    )
    file.write(path, read.answers, tool_version=__version__, collected_at=time)
    open_ones = sum(not answer.status.is_known for answer in read.answers)
    for kind, count in sorted(read.kinds.items()):
        print(f"{kind:<24}{count:>5}")
    print(f"{'answers':<24}{len(read.answers):>5}, {open_ones} of them left open by the files")
    print(f"{'snapshot':<24}{context.printable(str(path))}")
    for note in read.notes:
        context.note(note)
    if not len(read.answers):
        raise InputError("nothing in these files tells of a resource")
    return context.EXIT_PARTIAL if open_ones else context.EXIT_CLEAN
