"""What people see of a fault, read from what they say of it: the words of an error, or of a title.

A connection that times out was lost on the way; one that is refused reached a machine on which nobody listens. So they
speak for different hypotheses. EC2 user guide: "Troubleshoot issues connecting to your Amazon EC2 Linux instance".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from clew.explain.denial_text import read as denials

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(StrEnum):
    """What kind of fault is seen."""

    TIMED_OUT = "timed-out"
    REFUSED = "refused"
    KEY_REFUSED = "key-refused"
    SERVER_ERROR = "server-error"
    DENIED = "denied"
    OUT_OF_MEMORY = "out-of-memory"
    STORAGE_FULL = "storage-full"
    DOWNTIME = "downtime"
    SLOW = "slow"
    BREACH = "breach"
    COST = "cost"


WORDS = {
    Kind.TIMED_OUT: "the connection times out",
    Kind.REFUSED: "the connection is refused",
    Kind.KEY_REFUSED: "the server refuses the key",
    Kind.SERVER_ERROR: "the server answers with an error",
    Kind.DENIED: "access is denied",
    Kind.OUT_OF_MEMORY: "memory runs out",
    Kind.STORAGE_FULL: "storage fills up",
    Kind.DOWNTIME: "it is down",
    Kind.SLOW: "it is slow",
    Kind.BREACH: "data or credentials are in the wrong hands",
    Kind.COST: "it costs more than it should",
}


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that is seen; `port` is 0 where none is named, `text` the words that it was read from."""

    kind: Kind
    port: int = 0
    text: str = ""

    @property
    def words(self) -> str:
        """The symptom in words."""
        return f"{WORDS[self.kind]} on port {self.port}" if self.port else WORDS[self.kind]


# What ssh, PuTTY, curl and browsers print.
_ERRORS = (
    (
        Kind.KEY_REFUSED,
        r"permission denied \(?publickey|server refused our key|no supported authentication methods",
    ),
    (Kind.TIMED_OUT, r"timed ?out|ERR_CONNECTION_TIMED_OUT|no route to host|connection timeout"),
    (Kind.REFUSED, r"connection refused|ERR_CONNECTION_REFUSED|actively refused|couldn't connect to server"),
    (
        Kind.SERVER_ERROR,
        r"\b50[0234] (?:bad gateway|service unavailable|gateway time-?out|internal server error)|HTTP/[\d.]+ 50[0-4]\b",
    ),
)
# What people write in a title.
_TITLES = (
    (Kind.OUT_OF_MEMORY, r"out of memory|\boom\b|memory (?:is )?exhausted|runs? out of memory"),
    (
        Kind.STORAGE_FULL,
        r"(?:storage|disk|volume|bucket)\b.{0,30}\b(?:full|fills?|limit|grows?)|no space left",
    ),
    (Kind.BREACH, r"breach|leak|compromis|stolen|exfiltrat|intrusion|hacked"),
    (Kind.COST, r"\b(?:cost|bill|budget|spend|spending|overrun|invoice)\b|\bcosts\b"),
    (Kind.DENIED, r"access ?denied|not authorized|unauthori[sz]ed|\bforbidden\b|\bdenied\b"),
    (Kind.SLOW, r"\bslow\b|latency|sluggish"),
    (Kind.DOWNTIME, r"\bdown\b|downtime|outage|unavailable|not loading|unreachable|cannot (?:be )?reach"),
)
_PORT = re.compile(r"(?:port |:)(\d{2,5})\b", re.IGNORECASE)
_SCHEMES = (("https://", 443), ("http://", 80), ("ssh", 22))


def of_error(text: str) -> tuple[Symptom, ...]:
    """The symptoms that an error text tells of, one for each kind and port, in its order.

    >>> [symptom.words for symptom in of_error("ssh: connect to host web port 22: Connection timed out")]
    ['the connection times out on port 22']
    """
    if denials(text):
        return (Symptom(Kind.DENIED, 0, _line(text)),)
    found = (symptom for line in text.splitlines() for symptom in _of_line(line))
    return tuple({(each.kind, each.port): each for each in found}.values())


def _of_line(line: str) -> Iterator[Symptom]:
    for kind, pattern in _ERRORS:
        if re.search(pattern, line, re.IGNORECASE):
            yield Symptom(kind, 22 if kind is Kind.KEY_REFUSED else _port(line), _line(line))
            return


def _port(line: str) -> int:
    named = next((int(found) for found in _PORT.findall(line) if int(found) < 1 << 16), 0)
    lowered = line.lower()
    return named or next((port for scheme, port in _SCHEMES if scheme in lowered), 0)


def of_title(title: str) -> tuple[Symptom, ...]:
    """The symptom that a title speaks of; none where it does not say.

    >>> of_title("Storage is full every month")[0].kind.value
    'storage-full'
    """
    told = of_error(title)
    for kind, pattern in () if told else _TITLES:
        if re.search(pattern, title, re.IGNORECASE):
            return (Symptom(kind, 0, title),)
    return told


def _line(text: str) -> str:
    return " ".join(text.split())[:300]
