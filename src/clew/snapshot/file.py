"""The snapshot file: recorded answers as one compressed file that describes itself.

JSON lines in gzip. The first line says what the file is: format and its version, the program's version, time of
collection, accounts, regions, the number of answers, the SHA-256 of all that follows, and that of itself without its
last member. Each other line is one answer, in the order of the calls. The same answers give the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tempfile
import zlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from sys import intern
from typing import TYPE_CHECKING

from clew.errors import InputError
from clew.snapshot.answers import Answer, Answers, Call, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "clew-snapshot"
VERSION = 1
_GZIP = b"\x1f\x8b"
_FIRST = b'{"format":"clew-snapshot"'
# Level 6 of gzip: level 9 saves 2 % of the size for three times the time.
_LEVEL = 6
_MODE = 0o600
_SEAL = "seal"
_STATUSES = {status.value: status for status in Status}


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of the file. Units: `collected_at` is UTC, ISO 8601: when collecting began.

    `seal` is the SHA-256 of the other members, since ages are counted from `collected_at`; empty in older files.
    """

    version: int
    tool_version: str
    collected_at: str
    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    answers: int
    sha256: str
    seal: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A snapshot file as read."""

    header: Header
    answers: Answers


def write(path: Path, answers: Answers, *, tool_version: str, collected_at: str) -> Header:
    """Write the file in one step: it is there whole, or as it was before. Errors: `InputError`."""
    body = "".join(f"{_text(_line(answer))}\n" for answer in answers).encode()
    header = Header(
        version=VERSION,
        tool_version=tool_version,
        collected_at=collected_at,
        accounts=answers.accounts,
        regions=answers.regions,
        answers=len(answers),
        sha256=hashlib.sha256(body).hexdigest(),
    )
    members = {"format": FORMAT, **asdict(header)}
    header = replace(header, seal=_seal(members))
    first = f"{_text(members | {_SEAL: header.seal})}\n".encode()
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=packed, mtime=0) as stream:
        stream.write(first + body)
    _replace(path, packed.getvalue())
    return header


def _seal(members: Mapping[str, object]) -> str:
    """The SHA-256 of the members of a first line, in their order, without the seal itself."""
    sealed = _text({name: value for name, value in members.items() if name != _SEAL})
    return hashlib.sha256(sealed.encode()).hexdigest()


def _replace(path: Path, data: bytes) -> None:
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(_MODE)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(f"`{path}` cannot be written: {(error.strerror or str(error)).lower()}") from error


def _text(value: Mapping[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def heading(answer: Answer) -> dict[str, object]:
    """What was asked, when, and how it ended, as an object of JSON; without the body and the error."""
    call = answer.call
    return {
        "account": call.account,
        "region": call.region,
        "service": call.service,
        "operation": call.operation,
        "parameters": dict(call.parameters),
        "collected_at": answer.collected_at,
        "status": answer.status.value,
    }


def _line(answer: Answer) -> Mapping[str, object]:
    line = heading(answer)
    if answer.body is not None:
        line["body"] = answer.body
    if answer.error_code or answer.error_message:
        line |= {"error_code": answer.error_code, "error_message": answer.error_message}
    return line | ({"source": answer.source} if answer.source else {})


def is_snapshot(data: bytes) -> bool:
    """Whether these bytes, packed or not, begin as a snapshot file does."""
    if data[:2] != _GZIP:
        return data.startswith(_FIRST)
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, len(_FIRST)) == _FIRST
    except zlib.error:
        return False


def read(path: Path) -> Recorded:
    """The header and the answers of a file. Errors: `InputError`, located: damaged, newer, or no snapshot."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}") from error
    return parse(data, str(path))


def parse(data: bytes, name: str) -> Recorded:
    """As `read`, of the bytes of a file of that name."""
    if not is_snapshot(data):
        raise InputError(f"`{name}` is no snapshot of `clew collect`")
    try:
        text = gzip.decompress(data) if data[:2] == _GZIP else data
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"`{name}` is damaged: {str(error).lower()}; collect again") from error
    # The answers are never copied as a whole: those of 100,000 resources are 100 MB.
    lines = io.BytesIO(text)
    header = _header(lines.readline(), name)
    start = lines.tell()
    if hashlib.sha256(memoryview(text)[start:]).hexdigest() != header.sha256:
        raise InputError(f"`{name}` is damaged: its content does not fit the hash in its first line")
    found = text.count(b"\n", start) + (len(text) > start and not text.endswith(b"\n"))
    if found != header.answers:
        raise InputError(f"`{name}` is damaged: {header.answers} answers expected, {found} found")
    return Recorded(header, Answers(_answer(line, name, n) for n, line in enumerate(lines, start=2)))


def _header(line: bytes, name: str) -> Header:
    try:
        given = json.loads(line)
        version = given["version"]
        if version == VERSION:
            seal = str(given.get(_SEAL, ""))
            if seal and seal != _seal(given):
                raise InputError(f"`{name}` is damaged: its first line does not fit the hash in it")
            return Header(
                version=version,
                tool_version=str(given["tool_version"]),
                collected_at=str(given["collected_at"]),
                accounts=tuple(given["accounts"]),
                regions=tuple(given["regions"]),
                answers=int(given["answers"]),
                sha256=str(given["sha256"]),
                seal=seal,
            )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{name}:1: the first line is no header of a snapshot") from error
    if not isinstance(version, int):
        raise InputError(f"{name}:1: the first line is no header of a snapshot")
    advice = "install a newer Clew" if version > VERSION else "collect again"
    raise InputError(
        f"{name}:1: version {version} of the format; this Clew reads version {VERSION}; {advice}"
    )


def _answer(line: bytes, name: str, number: int) -> Answer:
    try:
        given = json.loads(line)
        # Each of 350,000 answers says these anew; kept once they take 100 MB less.
        call = Call(
            intern(given["account"]),
            intern(given["region"]),
            intern(given["service"]),
            intern(given["operation"]),
            tuple(sorted(given["parameters"].items())),
        )
        return Answer(
            call,
            intern(given["collected_at"]),
            _STATUSES[given["status"]],
            given.get("body"),
            given.get("error_code", ""),
            given.get("error_message", ""),
            given.get("source", ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{name}:{number}: expected an answer of AWS with its call, time and status"
        ) from error
