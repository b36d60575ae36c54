"""Where the cases of `clew case` are, and how a command changes one: lock, load, change, save, say what comes next."""

from __future__ import annotations

import getpass
import os
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from clew.cases import folder as case_folder
from clew.cases import steps
from clew.cli import context
from clew.errors import InputError, UsageError
from clew.report import case_markdown, case_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.cases.model import Case

README = "README.md"
_SLUG = re.compile(r"[^a-z0-9]+")
_ATTRIBUTES = b"# Evidence is proven by its bytes: they must never be changed on the way.\nevidence/* -text\n"


@dataclass(frozen=True, slots=True)
class Opened:
    """A case with its folder; `name` is how the command line calls it."""

    name: str
    folder: Path
    case: Case


def now() -> datetime:
    """The time, UTC, whole seconds: as the files write it."""
    return datetime.now(UTC).replace(microsecond=0)


def who(given: str) -> str:
    """Who acts: as given, else the user of this machine where that is known."""
    if given:
        return given
    try:
        return os.environ.get("CLEW_USER") or getpass.getuser()
    except (KeyError, OSError):
        return ""


def home() -> Path:
    """The folder in which cases are kept by default."""
    return context.workspace().path / "cases"


def slug(title: str, at: datetime) -> str:
    """The id of a case by its day and title.

    >>> slug("Deploys fail since Tuesday!", datetime(2026, 3, 10, tzinfo=UTC))
    '2026-03-10-deploys-fail-since-tuesday'
    """
    words = _SLUG.sub("-", title.lower()).strip("-")[:50].rstrip("-")
    return f"{at:%Y-%m-%d}-{words or 'case'}"


def place(name: str) -> tuple[str, Path]:
    """How the case of that name, or in that folder, is called, and its folder. Errors: `InputError`, `UsageError`."""
    given = Path(name)
    if case_folder.is_case(given):
        return name.rstrip("/"), given
    if "/" in name or name in {".", ".."}:
        raise InputError(f"`{name}` holds no {case_folder.CASE}; name the folder of a case, or its id")
    found = [path for path in folders() if path.name == name] or [
        path for path in folders() if name and path.name.startswith(name)
    ]
    if not found:
        raise UsageError(f"no case `{name[:80]}`; `clew case list` shows what there is")
    if len(found) > 1:
        raise UsageError(f"`{name[:80]}` begins {len(found)} ids of cases; give more of it")
    return found[0].name, found[0]


def folders() -> Iterator[Path]:
    """The folders of all cases that are kept by default, by their names."""
    base = home()
    if base.is_dir():
        yield from (path for path in sorted(base.iterdir()) if case_folder.is_case(path))


def load(name: str) -> Opened:
    """The case of that name."""
    called, folder = place(name)
    return Opened(called, folder, case_folder.load(folder))


def change(name: str, act: Callable[[Opened], Case]) -> Opened:
    """The case as `act` changed it, saved; nobody else changes it meanwhile."""
    called, folder = place(name)
    with case_folder.locked(folder):
        opened = Opened(called, folder, case_folder.load(folder))
        case = act(opened)
        keep(case, folder)
    return Opened(called, folder, case)


def keep(case: Case, folder: Path) -> None:
    """Write the case, and its report as the folder's first page."""
    case_folder.save(case, folder)
    report = case_markdown.render(case, case_folder.problems(case, folder))
    case_folder.put(folder / README, report.encode())


def create(case: Case, folder: Path) -> None:
    """Make the folder of a new case. Errors: `UsageError` where there already is something."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"`{folder}` is not empty; choose another with `--dir` or `--id`")
    case_folder.put(folder / ".gitattributes", _ATTRIBUTES)
    keep(case, folder)


def say(text: str) -> None:
    """Print what a command found."""
    sys.stdout.write(text)


def say_next(opened: Opened) -> None:
    """Print what comes next, with its command."""
    say(case_text.following(steps.next_step(opened.case, opened.name, now())))


def warn(opened: Opened) -> dict[str, str]:
    """What is wrong with the evidence, said on stderr as well."""
    found = case_folder.problems(opened.case, opened.folder)
    for problem in found.values():
        context.complain(f"{opened.name}: {problem}")
    return found
