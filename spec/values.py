"""Texts as quantities: numbers, moments, addresses, bytes. `None` stands for a text that cannot be read."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction

NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
EPOCH = re.compile(r"[0-9]+(\.[0-9]+)?")
YEAR = re.compile(r"[0-9]{4}")
DATE = re.compile(
    r"(?P<year>[0-9]{4})(-(?P<month>[0-9]{2})(-(?P<day>[0-9]{2})"
    r"(T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})(?P<fraction>\.[0-9]+)?)?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2}))?)?)?"
)
ADDRESS = re.compile(r"[0-9A-Fa-f:.]+(/[0-9]{1,3})?")
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def number(text: str) -> Fraction | None:
    """Rule 36: an integer or a decimal number, exactly (0007 Q26).

    >>> number("10") == number("10.0"), number("1e1")
    (True, None)
    """
    return Fraction(text) if NUMBER.fullmatch(text) else None


def moment(text: str) -> Fraction | None:
    """Rule 35: seconds since 1970 (UTC) of an epoch number or of a W3C date, no wildcards (0007 Q27).

    >>> moment("1970-01-02"), moment("86400"), moment("1970-01-02T01:00+01:00")
    (Fraction(86400, 1), Fraction(86400, 1), Fraction(86400, 1))
    """
    if EPOCH.fullmatch(text) and not YEAR.fullmatch(text):
        return Fraction(text)
    found = DATE.fullmatch(text)
    return _seconds(found) if found else None


def _seconds(found: re.Match[str]) -> Fraction | None:
    named = ("year", "month", "day", "hour", "minute", "second")
    defaults = (1, 1, 1, 0, 0, 0)
    parts = [int(found[name] or default) for name, default in zip(named, defaults, strict=True)]
    zone = _zone(found["zone"])
    if zone is None:
        return None
    try:
        local = datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]  # six numbers, checked by the pattern
    except ValueError:
        return None
    whole = (local - BEGINNING) // timedelta(seconds=1) - zone
    return Fraction(whole) + Fraction(found["fraction"] or 0)


def _zone(text: str | None) -> int | None:
    """Seconds east of UTC."""
    if text is None or text == "Z":
        return 0
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours > 23 or minutes > 59:  # noqa: PLR2004 - the clock
        return None
    return (hours * 3600 + minutes * 60) * (-1 if text[0] == "-" else 1)


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Rule 35: an address range in CIDR form; a bare address is a range of one (0007 Q29)."""
    if not ADDRESS.fullmatch(text):
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def octets(text: str) -> bytes | None:
    """The bytes that base64 text stands for (0007 Q30)."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def truth_word(text: str) -> bool | None:
    """The words `true` and `false`, in any case of letters (0007 Q28)."""
    return {"true": True, "false": False}.get(text.lower())
