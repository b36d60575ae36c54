"""What is sent: a subject, a text, and a document for programs; and subjects that are one plain line."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

# AWS: "Publish", Subject: ASCII, less than 100 characters, no line breaks or control characters.
SUBJECT_LIMIT = 99


class Message(Protocol):
    """A message in all its forms; `text` has escaped already what attackers may have written."""

    @property
    def subject(self) -> str:
        """One line for a list of mails."""

    @property
    def text(self) -> str:
        """The message for people, lines of plain text."""

    @property
    def document(self) -> Mapping[str, object]:
        """The same for programs, as JSON."""


def subject_line(text: str) -> str:
    r"""The text as SNS and mail headers take it: printable ASCII on one line, at most 99 characters.

    >>> subject_line("Zürich: 2 new\r\nBcc: me")
    'Zurich: 2 new Bcc: me'
    """
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(
        c if c.isascii() and c.isprintable() else " " for c in plain if not unicodedata.combining(c)
    )
    line = " ".join(kept.split())
    return line if len(line) <= SUBJECT_LIMIT else f"{line[: SUBJECT_LIMIT - 3].rstrip()}..."
