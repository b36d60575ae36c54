"""From the bytes of a source file to its text."""

from __future__ import annotations

import codecs
import re

from clew.events.record import Reason, Rejected, excerpt

_UNREADABLE = re.compile("[\udc80-\udcff]")
# The longer marks first: UTF-32's little-endian mark begins with UTF-16's.
_UTF32_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF16_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# CloudWatch Logs puts its own time before each message that it exports to S3; `aws logs tail` the stream's name too.
# AWS: "Export log data to Amazon S3", "aws logs tail".
_STAMP = re.compile(
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)? (?:\S+ (?=\{)|eni-\S+ (?=\d))?",
    re.MULTILINE | re.ASCII,
)
# Only gzip is unpacked, as AWS packs logs with nothing else.
_PACKED = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
}
_TAR, _TAR_AT = b"ustar", 257
_MARKUP = re.compile(r"\s*<(?:!doctype|html|\?xml|error|[a-z]+[\s>/])", re.IGNORECASE)


def read_text(data: bytes) -> str | Rejected:
    """The text of the bytes: UTF-8, with or without a mark, or UTF-16 with one; a refusal for what is no log.

    Bytes that are not UTF-8 stand in the text as lone surrogates, so that only the records that hold them are refused.
    The times that CloudWatch Logs puts before the lines are taken off.
    """
    packing = next((what for magic, what in _PACKED.items() if data.startswith(magic)), "")
    packing = "a tar archive" if data[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR else packing
    if packing:
        return Rejected(None, Reason.UNKNOWN_FORMAT, f"{packing}; unpack it first")
    if data.startswith(_UTF32_MARKS):
        return Rejected(None, Reason.WRONG_ENCODING, "UTF-32 text; expected UTF-8")
    text = _utf16(data)
    text = _utf8(data) if text is None else text
    if isinstance(text, Rejected):
        return text
    if not text.strip():
        return Rejected(None, Reason.EMPTY, "nothing but white space" if data else "the file is empty")
    if _MARKUP.match(text):
        detail = "an HTML or XML page, probably an error message saved instead of the log"
        return Rejected(None, Reason.MARKUP, detail, excerpt(text))
    return _STAMP.sub("", text) if _STAMP.match(text) else text


def _utf16(data: bytes) -> str | Rejected | None:
    encoding = _UTF16_MARKS.get(data[:2])
    if encoding is None:
        return None
    try:
        return data[2:].decode(encoding)
    except UnicodeDecodeError as error:
        return Rejected(None, Reason.WRONG_ENCODING, f"not valid UTF-16 at byte {error.start + 2}")


def _utf8(data: bytes) -> str | Rejected:
    body = data.removeprefix(codecs.BOM_UTF8)
    # NULs near the beginning mean UTF-16 without its mark, or no text at all.
    if b"\0" in body[:64]:
        return Rejected(
            None, Reason.WRONG_ENCODING, "NUL bytes: UTF-16 without a byte order mark, or no text"
        )
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("utf-8", "surrogateescape")


def is_damaged(characters: str) -> bool:
    """Whether the text holds bytes that were not UTF-8."""
    return not characters.isascii() and _UNREADABLE.search(characters) is not None
