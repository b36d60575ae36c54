"""Which files an ingest reads: folders in any layout, single files, globs; and which it leaves alone, and says so."""

from __future__ import annotations

import codecs
import glob
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clew.errors import InputError
from clew.lake.ingest.messages import InputFile, Missing
from clew.lake.ingest.unpack import GZIP
from clew.lake.manifest import CATALOG_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LOG_ENDINGS = (
    *(
        ".json",
        ".jsonl",
        ".ndjson",
        ".json.gz",
        ".jsonl.gz",
        ".ndjson.gz",
        ".gz",
        ".log",
        ".txt",
        ".csv",
        ".parquet",
    ),
)
# AWS: "Amazon S3 server access log format": keys end in YYYY-mm-DD-HH-MM-SS-UniqueString, without an extension.
_ACCESS_LOG = re.compile(r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-[0-9A-F]{16}$")
_HIDDEN = ("_", ".")
# How logs and packed files begin, whatever they are called: JSON, gzip, Parquet; zip, xz, bzip2, zstd (quarantined).
_LOG_HEADS = (b"{", b"[", GZIP, b"PAR1", b"PK\x03\x04", b"\xfd7zXZ", b"BZh", b"\x28\xb5\x2f\xfd")
_HEAD_BYTES = 64
# The moment in a CloudTrail or flow log file's name: 20230710T1220Z; in an access log's: 2019-02-06-00-00-38.
_MOMENT = re.compile(r"(?<!\d)(\d{4})-?([01]\d)-?([0-3]\d)[T-]([0-2]\d)-?([0-5]\d)")


_Found = InputFile | Missing | str
"""What a path turns out to be: a file to read, one that cannot be read, or the name of one that holds no logs."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files to read, and the files of the folders that are no log files by their names."""

    files: tuple[InputFile, ...]
    ignored: tuple[str, ...]
    missing: tuple[Missing, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What reports call the files, those that could not be fetched among them."""
        return (*(file.name for file in self.files), *(file.name for file in self.missing))


def discover(paths: Iterable[Path | str | InputFile | Missing]) -> Inputs:
    """The files that the paths stand for, each once, in the order of the moments in their names.

    In that order a data file holds one stretch of time across accounts and regions, so that questions about a time read
    few files. A file of a folder is a log by its name or by how it begins; a file named itself is read whatever it is.
    Errors: InputError for a path that does not exist.
    """
    files: dict[str, InputFile] = {}
    missing: dict[str, Missing] = {}
    ignored: list[str] = []
    for path in paths:
        for found in [path] if isinstance(path, Missing | InputFile) else _expanded(str(path)):
            if isinstance(found, str):
                ignored.append(found)
            elif isinstance(found, Missing):
                missing[found.name] = found
            else:
                files.setdefault(found.name, found)
    ordered = sorted(files.values(), key=lambda file: (_moment(file.name), file.name))
    return Inputs(tuple(ordered), tuple(sorted(set(ignored))), tuple(missing.values()))


def _expanded(path: str) -> Iterator[_Found]:
    given = Path(path).expanduser()
    try:
        is_folder, is_there = given.is_dir(), given.exists()
    except OSError as error:
        raise InputError(f"`{path}`: cannot be read: {error.strerror}") from error
    if is_folder:
        yield from _folder(str(given))
    elif is_there:
        yield input_file(str(given))
    else:
        matches = sorted(glob.glob(str(given), recursive=True)) if glob.has_magic(str(given)) else []  # noqa: PTH207 - Path.glob takes no absolute pattern
        if not matches:
            raise InputError(f"`{path}` does not exist")
        for match in matches:
            yield from _entry(match, is_named=True)


def _folder(path: str) -> Iterator[_Found]:
    """Every file below a folder; as Spark and Hive do, names that begin with `_` or `.` are passed over.

    Errors: InputError when the folder itself cannot be read; one below it is Missing.
    """
    folders = [path]
    visited: set[tuple[int, int]] = set()
    while folders:
        try:
            folder = folders.pop()
            status = os.stat(folder)  # noqa: PTH116 - as below, no Path for each of very many
            if (place := (status.st_dev, status.st_ino)) in visited:
                continue  # a symbolic link to a folder that is read anyway
            visited.add(place)
            entries = list(os.scandir(folder))
        except OSError as error:
            if folder == path:
                raise InputError(f"`{error.filename}`: cannot be read: {error.strerror}") from error
            yield Missing(_readable(folder), error.strerror or "cannot be read")
            continue
        if _is_lake(folder, entries):
            yield _readable(folder)
            continue
        # Resolved once for all files of a folder: a file at a time it takes longer than reading a small one.
        real = os.path.realpath(folder)
        for entry in entries:
            if entry.name.startswith(_HIDDEN):
                yield _readable(entry.path)
            elif _is_folder(entry):
                folders.append(entry.path)
            else:
                yield from _entry(entry.path, real="" if entry.is_symlink() else f"{real}/{entry.name}")


def _is_lake(folder: str, entries: Iterable[os.DirEntry[str]]) -> bool:
    """Whether the folder is a lake of Clew's: one that lies among the logs must not be read into itself."""
    return folder.endswith("/lake") and any(entry.name == CATALOG_NAME for entry in entries)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a symbolic link to itself
        return False


def _entry(path: str, *, is_named: bool = False, real: str = "") -> Iterator[_Found]:
    """What stands under a name that a folder or a glob offers: nothing there may stop or block the rest.

    `real` is the path without symbolic links, where it is known.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - one stat for each of very many files
    except OSError as error:
        yield Missing(_readable(path), error.strerror or "cannot be read")
        return
    if stat.S_ISDIR(status.st_mode):
        yield from _folder(path)
    elif not stat.S_ISREG(status.st_mode):
        yield Missing(_readable(path), "no regular file but a pipe, socket or device")
    elif is_named or is_log_name(path.rpartition("/")[2]) or _begins_as_log(path):
        yield _stated(path, status, _readable(real) if real else None)
    else:
        yield _readable(path)


def _begins_as_log(path: str) -> bool:
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - as in unpack
            head = stream.read(_HEAD_BYTES)
    except OSError:
        return True  # reading it again says why it cannot be read
    return head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(_LOG_HEADS)


def is_log_name(name: str) -> bool:
    """Whether a file of that name may hold logs.

    >>> is_log_name("x.json.gz"), is_log_name("2019-02-06-00-00-38-0123456789ABCDEF"), is_log_name("LICENSE")
    (True, True, False)
    """
    return name.lower().endswith(_LOG_ENDINGS) or _ACCESS_LOG.search(name) is not None


def input_file(path: str, name: str | None = None) -> InputFile:
    """The file at the path, reported under another name when it has one (an `s3://` URI).

    Errors: InputError when it cannot be looked at.
    """
    try:
        return _stated(path, os.stat(path), name)  # noqa: PTH116 - one stat for each of very many files
    except OSError as error:
        raise InputError(f"`{path}`: cannot be read: {error.strerror}") from error


def _stated(path: str, status: os.stat_result, name: str | None = None) -> InputFile:
    return InputFile(path, name or _readable(os.path.realpath(path)), status.st_size, status.st_mtime_ns)


def _readable(path: str) -> str:
    r"""The path in characters that can be stored: bytes that are not UTF-8 show as `\xff`."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")


def _moment(name: str) -> str:
    match = _MOMENT.search(name.rpartition("/")[2])
    return "".join(match.groups()) if match else ""
