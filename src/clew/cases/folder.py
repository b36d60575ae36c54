"""The folder of a case: `case.yaml`, `evidence.yaml`, `hypotheses.yaml`, `plan.yaml`, and the files in `evidence/`.

Each file is written in one step, and only where it changed. While a command changes a case it holds the folder's lock,
so that two never write over each other.
"""

from __future__ import annotations

import fcntl
import hashlib
import ipaddress
import os
import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TypeVar

from clew.cases import fields
from clew.cases.model import Case, Evidence, Hypotheses, Plan
from clew.errors import InputError, WorkspaceError

if TYPE_CHECKING:
    from collections.abc import Iterator

CASE, EVIDENCE, HYPOTHESES, PLAN = "case.yaml", "evidence.yaml", "hypotheses.yaml", "plan.yaml"
FILES = "evidence"
_APART = frozenset({"evidence", "hypotheses", "plan"})
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 60
_Value = TypeVar("_Value")
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


@dataclass(frozen=True, slots=True)
class _Pieces:
    """What `evidence.yaml` holds."""

    evidence: tuple[Evidence, ...] = ()


def is_case(folder: Path) -> bool:
    """Whether the folder is that of a case."""
    return (folder / CASE).is_file()


def load(folder: Path) -> Case:
    """The case in the folder. Errors: `InputError`, located, where a file is missing, damaged or not a case's."""
    case = fields.load(Case, _read(folder / CASE), _name(folder, CASE))
    if not _ID.fullmatch(case.id):
        raise InputError(
            f"{_name(folder, CASE)}:1: `id` is `{case.id[:80]}`; expected small letters, digits, - and ."
        )
    try:
        ipaddress.ip_network(case.about.client or "0.0.0.0")  # noqa: S104  # no address to listen on
    except ValueError as error:
        said = case.about.client[:80]
        raise InputError(
            f"{_name(folder, CASE)}:1: `client` is `{said}`; expected an address or a range"
        ) from error
    pieces = _part(_Pieces, folder, EVIDENCE)
    ids = [each.id for each in pieces.evidence] if pieces else []
    twice = next((each for each in ids if ids.count(each) > 1), None)
    if twice:
        raise InputError(f"{_name(folder, EVIDENCE)}:1: the id `{twice[:80]}` stands there twice")
    return replace(
        case,
        evidence=pieces.evidence if pieces else (),
        hypotheses=_part(Hypotheses, folder, HYPOTHESES),
        plan=_part(Plan, folder, PLAN),
    )


def _part(kind: type[_Value], folder: Path, name: str) -> _Value | None:
    path = folder / name
    return fields.load(kind, _read(path), _name(folder, name)) if path.exists() else None


def _name(folder: Path, name: str) -> str:
    return str(folder / name)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        advice = "name the folder of a case, or open one with `clew case open`"
        raise InputError(f"`{path.parent}` holds no {path.name}; {advice}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: it is not UTF-8 text") from error
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}") from error


def save(case: Case, folder: Path) -> None:
    """Write what changed of the case. Errors: `WorkspaceError`."""
    parts = {
        EVIDENCE: _Pieces(case.evidence) if case.evidence else None,
        HYPOTHESES: case.hypotheses,
        PLAN: case.plan,
        CASE: case,
    }
    for name, value in parts.items():
        if value is not None:
            put(folder / name, fields.dump(value, _APART if name == CASE else frozenset()).encode())


def put(path: Path, data: bytes) -> None:
    """Write the file in one step, unless it already holds that. Errors: `WorkspaceError`."""
    try:
        if path.is_file() and path.read_bytes() == data:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WorkspaceError(
            f"`{path}` cannot be written: {(error.strerror or str(error)).lower()}"
        ) from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder while it is changed. Errors: `WorkspaceError` where another command holds it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise InputError(f"`{folder}` cannot be read: {(error.strerror or str(error)).lower()}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise WorkspaceError(
            f"another clew is writing to `{folder}`; run it again when it is done"
        ) from error
    finally:
        os.close(descriptor)


def file_name(identity: str, name: str) -> str:
    """The name of an evidence's file in the folder: safe wherever the case is checked out.

    >>> file_name("e1", "/var/log/../httpd error.log")
    'evidence/e1-httpd-error.log'
    """
    safe = _UNSAFE.sub("-", PurePath(name).name).strip(".-") or "file"
    return f"{FILES}/{identity}-{safe[-_LONGEST:]}"


def piece(folder: Path, evidence: Evidence) -> bytes:
    """The bytes of a piece of evidence, which must be those that were attached.

    Errors: `InputError` where the file is gone, is not in the folder, or holds something else.
    """
    place = (folder / evidence.file).resolve()
    if not evidence.file.startswith(f"{FILES}/") or not place.is_relative_to((folder / FILES).resolve()):
        raise InputError(f"{evidence.id}: `{evidence.file[:200]}` is not in the case's `{FILES}` folder")
    try:
        data = place.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"{evidence.id}: `{evidence.file}` cannot be read: {reason}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != evidence.sha256:
        raise InputError(
            f"{evidence.id}: `{evidence.file}` is not what was attached; "
            f"expected sha256 {evidence.sha256[:16]}…, found {found[:16]}…"
        )
    return data


def problems(case: Case, folder: Path) -> dict[str, str]:
    """What is wrong with pieces of evidence, by their ids; empty where all are as they were attached."""
    found = {}
    for each in case.evidence:
        try:
            piece(folder, each)
        except InputError as error:
            found[each.id] = str(error)
    return found
