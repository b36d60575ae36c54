"""The package for Lambda: Clew and its base install without the command line's own packages, as one zip.

Compiled parts are left out: each package that is packed works without its own, so the zip runs on every architecture
and Python version of Lambda. The SDK is in Lambda's runtime already. The same inputs give the same bytes.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

import clew
from clew.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWN = "clew-aws"
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_OF_COMMAND_LINE = frozenset({"typer", "rich"})
_LEFT_OUT = frozenset({".pyc", ".pyi", ".so", ".pyd", ".dylib"})
# The zip format begins with this day; a fixed one makes the same inputs the same bytes.
_DAY = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Package:
    """A package as written. Units: sizes in bytes, packed and unpacked."""

    path: Path
    packed: int
    unpacked: int
    files: int
    sha256: str
    distributions: tuple[str, ...]


def build(path: Path) -> Package:
    """Write the package. Errors: `InputError` where it cannot be written, or Clew was not installed as a package."""
    found = _base()
    members = dict(sorted((*_of_clew(), *(each for one in found for each in _of(one)))))
    unpacked = 0
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, source in members.items():
                data = source.read_bytes()
                unpacked += len(data)
                entry = zipfile.ZipInfo(name, _DAY)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, _READABLE
                archive.writestr(entry, data)
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"`{path}` cannot be written: {error.strerror}") from error
    names = tuple(f"{one.metadata['Name']} {one.version}" for one in found)
    return Package(path, len(content), unpacked, len(members), hashlib.sha256(content).hexdigest(), names)


def _base() -> tuple[Distribution, ...]:
    """What the handlers need of the base install, directly or not."""
    try:
        own = distribution(_OWN)
    except PackageNotFoundError as error:
        raise InputError(f"`{_OWN}` is not installed, so what it needs is not known") from error
    found: dict[str, Distribution] = {}
    waiting = [name for name in _needs(own) if name not in _OF_COMMAND_LINE]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = distribution(name)
            waiting += _needs(found[name])
    return tuple(found[name] for name in sorted(found))


def _needs(one: Distribution) -> list[str]:
    """The packages that it asks for always; extras, and what only some systems need, stand behind a `;`."""
    required = (text for text in one.requires or () if ";" not in text)
    names = (found[0] for text in required if (found := _NAME.match(text)))
    return [re.sub(r"[-_.]+", "-", name).lower() for name in names]


def _of_clew() -> Iterator[tuple[str, Path]]:
    root = Path(clew.__file__).parent
    for source in root.rglob("*"):
        if source.is_file() and source.suffix not in _LEFT_OUT:
            yield f"clew/{source.relative_to(root).as_posix()}", source


def _of(one: Distribution) -> Iterator[tuple[str, Path]]:
    """The files of a distribution, its licence among them; nothing outside its folder, such as scripts."""
    for file in one.files or ():
        source = Path(str(one.locate_file(file)))
        is_inside = ".." not in file.parts and not file.is_absolute()
        if is_inside and source.is_file() and file.suffix not in _LEFT_OUT and file.name != "RECORD":
            yield file.as_posix(), source
