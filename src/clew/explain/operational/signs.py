"""Signs in the excerpts of logs: that memory ran out, a disk is full, a service is down or up, a key was refused.

An excerpt in which a sign is missing proves nothing: it is only a part of the log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.explain.links import Facts
    from clew.explain.operational.scene import About, Log

_LONGEST = 200


def shown(line: str) -> str:
    """The line as it is shown: without blanks around it, cut, and without secrets.

    >>> shown("GET /login?password=hunter2&next=/ HTTP/1.1")
    'GET /login?password=[redacted]&next=/ HTTP/1.1'
    """
    return _SECRET.sub(r"\1\2[redacted]", line.strip()[: 5 * _LONGEST])[:_LONGEST]


# A line is shown in reports: what stands behind such a word is not.
_SECRET = re.compile(
    r"""(?i)\b(password|passwd|pwd|secret|[a-z_]*secret_access_key|token|api[_-]?key|authorization|cookie)"""
    r"""(["']?\s*[=:]\s*)(?:(?:bearer|basic)\s+)?[^\s&"',;]+"""
)


@dataclass(frozen=True, slots=True)
class Sign:
    """One line that says something, without the secrets in it; `number` counts from 1."""

    source: str
    number: int
    line: str

    @property
    def facts(self) -> Facts:
        """The line, and where it stands."""
        return (("line", self.line), ("seen in", f"{self.source}, line {self.number}"))


@dataclass(frozen=True, slots=True)
class Words:
    """What a sign looks like: in small letters words of which each such line holds one, and the expression itself.

    A log of 40 MB in which no word occurs is passed over in 0.1 s; the expression alone takes 2 s.
    """

    words: tuple[str, ...]
    expression: re.Pattern[str]

    def may_be_in(self, log: Log) -> bool:
        """Whether the log can hold such a line."""
        return any(word in log.lowered for word in self.words)


def _words(words: str, expression: str) -> Words:
    return Words(tuple(words.split("|")), re.compile(expression, re.IGNORECASE))


# Linux kernel, Java, Node.js, Python, and ECS ("Stopped tasks error codes").
OUT_OF_MEMORY = _words(
    "out of memory|oom-kill|outofmemoryerror|cannot allocate memory|memoryerror",
    r"out of memory:? kill|oom-kill|invoked oom-killer|memory cgroup out of memory|OutOfMemoryError|"
    r"JavaScript heap out of memory|cannot allocate memory|^\s*MemoryError\b",
)
DISK_FULL = _words(
    "no space left|enospc|disk quota|100% |99% ",
    r"no space left on device|\bENOSPC\b|disk quota exceeded|\s(?:100|99)%\s+/",
)
# EC2 user guide: "Troubleshoot Amazon EC2 Linux instances with failed status checks", errors of the system log.
PANIC = _words(
    "kernel panic|vfs: |give root password|fsck died|runaway loop",
    r"kernel panic|VFS: (?:unable to mount root|cannot open root)|give root password for maintenance|"
    r"fsck died|request_module: runaway loop",
)
KEY_REFUSED = _words(
    "permission denied|refused our key|authenticating user|authentication refused|unprotected private key",
    r"permission denied \(?publickey|server refused our key|connection closed by authenticating user|"
    r"authentication refused: bad ownership|unprotected private key file",
)
_WEB_DOWN = _words(
    "failed to start|sigterm|ah00016|[emerg]|httpd|apache|nginx|no listening sockets",
    r"failed to start .{0,60}(?:apache|httpd|nginx|http server)|caught SIGTERM, shutting down|AH00016|\[emerg\]|"
    r"(?:httpd|apache2?|nginx)(?:\.service)?: (?:main process exited|failed with result)|"
    r"no listening sockets available",
)
_SSH_DOWN = _words(
    "failed to start|sshd|no hostkeys",
    r"failed to start .{0,30}(?:openssh|ssh server)|sshd(?:\.service)?: (?:main process exited|failed with result)|"
    r"no hostkeys available",
)
_WEB_UP = _words("resuming normal|listen", r"resuming normal operations|LISTEN\s.*[:\]](?:80|443)\s")
_SSH_UP = _words(
    "server listening|accepted publickey|listen",
    r"server listening on .+ port \d+|accepted publickey for|LISTEN\s.*:22\s",
)
_WEB_UNITS = ("httpd", "apache2", "apache", "nginx", "caddy", "tomcat", "lighttpd")
_SSH_UNITS = ("sshd", "ssh")
# `systemctl status`: a line with the unit's name, later one with its state.
_UNIT = re.compile(r"^\s*[●○×*]?\s*([\w@.-]+)\.service - ")
_ACTIVE = re.compile(r"^\s*Active: (\w+)")
_REQUEST = re.compile(r"\[(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] \"")


def signs(
    logs: tuple[Log, ...], sign: Words, about: str = "", window: datetime | None = None
) -> tuple[Sign, ...]:
    """Every line with the sign in logs that are about the resource, or do not say, the newest log first.

    Lines that are older than `window` are left out; those that do not say when they were written are not.
    """
    return tuple(
        Sign(log.source, number, shown(line))
        for log in reversed(logs)
        if (not about or log.about in {"", about}) and sign.may_be_in(log)
        for number, line in enumerate(log.lines, start=1)
        if sign.expression.search(line) and not is_old(line, window)
    )


def web_server(logs: tuple[Log, ...], about: About) -> tuple[bool, Sign] | None:
    """Whether a web server is up by the last sign of the newest log that has one; None where none has.

    A request that it answered since the fault was seen is such a sign.
    """
    return _service(logs, _WEB_DOWN, _WEB_UP, _WEB_UNITS, about)


def ssh_server(logs: tuple[Log, ...], about: About) -> tuple[bool, Sign] | None:
    """Whether the SSH server is up, as `web_server`."""
    return _service(logs, _SSH_DOWN, _SSH_UP, _SSH_UNITS, about)


def _service(
    logs: tuple[Log, ...], down: Words, up: Words, units: tuple[str, ...], about: About
) -> tuple[bool, Sign] | None:
    for log in reversed(logs):
        last = _last_line(log, down, up, about)
        told: list[tuple[bool, Sign]] = [*_units(log, units), *((last,) if last else ())]
        if told:
            return max(told, key=lambda each: each[1].number)
    return None


def _units(log: Log, units: tuple[str, ...]) -> Iterator[tuple[bool, Sign]]:
    unit = ""
    for number, line in enumerate(log.lines if "active: " in log.lowered else (), start=1):
        named = _UNIT.match(line)
        unit = named[1] if named else unit
        state = _ACTIVE.match(line)
        if state and unit.partition("@")[0] in units:
            yield state[1] == "active", Sign(log.source, number, shown(line))


def _last_line(log: Log, down: Words, up: Words, about: About) -> tuple[bool, Sign] | None:
    """The last line that tells of the service."""
    held = [sign for sign in (down, up) if sign.may_be_in(log)]
    if not held and about.since is None:
        return None
    for place in range(len(log.lines) - 1, -1, -1):
        line = log.lines[place]
        found = next((sign for sign in held if sign.expression.search(line)), None)
        if (found and not is_old(line, about.window)) or _answered(line, about.since):
            return bool(found is not down), Sign(log.source, place + 1, shown(line))
    return None


# How logs write times: ISO 8601, syslog (without a year), Apache's error log.
_ISO = re.compile(r"\b(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:Z|[+-]\d\d:?\d\d)?)")
_SYSLOG = re.compile(r"^(\w{3}) +(\d{1,2}) (\d\d:\d\d:\d\d) ")
_ERROR_LOG = re.compile(r"^\[\w{3} (\w{3}) +(\d{1,2}) (\d\d:\d\d:\d\d)(?:\.\d+)? (\d{4})\]")
# Logs seldom say in which zone their times are: they are read as UTC, and this is wider than any zone is off.
_SLACK = timedelta(hours=14)


def is_old(line: str, window: datetime | None) -> bool:
    """Whether a line says that it was written before `window`, whatever the zone of its clock.

    >>> noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    >>> is_old("Jan  9 09:04:51 web kernel: Out of memory", noon), is_old("kernel: Out of memory", noon)
    (True, False)
    """
    written = _time(line, window) if window else None
    return written is not None and window is not None and written < window - _SLACK


def _time(line: str, window: datetime) -> datetime | None:
    if found := _ISO.search(line):
        return _read(found[1].replace(" ", "T"), "")
    if found := _ERROR_LOG.match(line):
        return _read(f"{found[4]} {found[1]} {found[2]} {found[3]} +0000", "%Y %b %d %H:%M:%S")
    if found := _SYSLOG.match(line):
        years = (window.year + 1, window.year, window.year - 1)
        times = (
            _read(f"{year} {found[1]} {found[2]} {found[3]} +0000", "%Y %b %d %H:%M:%S") for year in years
        )
        # Without a year it is the one that comes nearest.
        return min((each for each in times if each), key=lambda time: abs(time - window), default=None)
    return None


def _read(text: str, form: str) -> datetime | None:
    try:
        found = datetime.strptime(text, f"{form} %z") if form else datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _answered(line: str, since: datetime | None) -> bool:
    """Whether the line is one of an access log, of a request after the fault was seen."""
    found = _REQUEST.search(line) if since else None
    time = _request_time(found[1]) if found else None
    return time is not None and since is not None and time >= since


@lru_cache(maxsize=4096)
def _request_time(text: str) -> datetime | None:
    # Cached: a busy server writes hundreds of lines in a second, and to read a time takes 10 µs.
    return _read(text, "%d/%b/%Y:%H:%M:%S")
