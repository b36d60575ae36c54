"""Signs in the excerpts of logs: that memory ran out, a disk is full, a service is down or up, a key was refused.

An excerpt in which a sign is missing proves nothing: it is only a part of the log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.explain.links import Facts
    from clew.explain.operational.scene import Log

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


# Linux kernel, Java, Node.js, Python, and ECS ("Stopped tasks error codes").
OUT_OF_MEMORY = re.compile(
    r"out of memory:? kill|oom-kill|invoked oom-killer|memory cgroup out of memory|OutOfMemoryError|"
    r"JavaScript heap out of memory|cannot allocate memory|^\s*MemoryError\b",
    re.IGNORECASE,
)
DISK_FULL = re.compile(
    r"no space left on device|\bENOSPC\b|disk quota exceeded|\s(?:100|99)%\s+/", re.IGNORECASE
)
# EC2 user guide: "Troubleshoot Amazon EC2 Linux instances with failed status checks", errors of the system log.
PANIC = re.compile(
    r"kernel panic|VFS: (?:unable to mount root|cannot open root)|give root password for maintenance|"
    r"fsck died|request_module: runaway loop",
    re.IGNORECASE,
)
KEY_REFUSED = re.compile(
    r"permission denied \(?publickey|server refused our key|connection closed by authenticating user|"
    r"authentication refused: bad ownership|unprotected private key file",
    re.IGNORECASE,
)
_WEB_DOWN = re.compile(
    r"failed to start .{0,60}(?:apache|httpd|nginx|http server)|caught SIGTERM, shutting down|AH00016|\[emerg\]|"
    r"(?:httpd|apache2?|nginx)(?:\.service)?: (?:main process exited|failed with result)|"
    r"no listening sockets available",
    re.IGNORECASE,
)
_SSH_DOWN = re.compile(
    r"failed to start .{0,30}(?:openssh|ssh server)|sshd(?:\.service)?: (?:main process exited|failed with result)|"
    r"no hostkeys available",
    re.IGNORECASE,
)
_WEB_UP = re.compile(r"resuming normal operations|LISTEN\s.*[:\]](?:80|443)\s", re.IGNORECASE)
_SSH_UP = re.compile(r"server listening on .+ port \d+|accepted publickey for|LISTEN\s.*:22\s", re.IGNORECASE)
_WEB_UNITS = ("httpd", "apache2", "apache", "nginx", "caddy", "tomcat", "lighttpd")
_SSH_UNITS = ("sshd", "ssh")
# `systemctl status`: a line with the unit's name, later one with its state.
_UNIT = re.compile(r"^\s*[●○×*]?\s*([\w@.-]+)\.service - ")
_ACTIVE = re.compile(r"^\s*Active: (\w+)")
_REQUEST = re.compile(r"\[(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] \"")


def signs(logs: tuple[Log, ...], pattern: re.Pattern[str], about: str = "") -> tuple[Sign, ...]:
    """Every line with the sign in logs that are about the resource, or do not say, the newest log first."""
    return tuple(
        Sign(log.source, number, shown(line))
        for log in reversed(logs)
        if not about or log.about in {"", about}
        for number, line in enumerate(log.lines, start=1)
        if pattern.search(line)
    )


def web_server(logs: tuple[Log, ...], since: datetime | None) -> tuple[bool, Sign] | None:
    """Whether a web server is up by the last sign of the newest log that has one; None where none has.

    A request that it answered after `since` is such a sign.
    """
    return _service(logs, _WEB_DOWN, _WEB_UP, _WEB_UNITS, since)


def ssh_server(logs: tuple[Log, ...]) -> tuple[bool, Sign] | None:
    """Whether the SSH server is up, as `web_server`."""
    return _service(logs, _SSH_DOWN, _SSH_UP, _SSH_UNITS, None)


def _service(
    logs: tuple[Log, ...],
    down: re.Pattern[str],
    up: re.Pattern[str],
    units: tuple[str, ...],
    since: datetime | None,
) -> tuple[bool, Sign] | None:
    for log in reversed(logs):
        told = [*_units(log, units), *_lines(log, down, up, since)]
        if told:
            return max(told, key=lambda each: each[1].number)
    return None


def _units(log: Log, units: tuple[str, ...]) -> Iterator[tuple[bool, Sign]]:
    unit = ""
    for number, line in enumerate(log.lines, start=1):
        named = _UNIT.match(line)
        unit = named[1] if named else unit
        state = _ACTIVE.match(line)
        if state and unit.partition("@")[0] in units:
            yield state[1] == "active", Sign(log.source, number, shown(line))


def _lines(
    log: Log, down: re.Pattern[str], up: re.Pattern[str], since: datetime | None
) -> Iterator[tuple[bool, Sign]]:
    for number, line in enumerate(log.lines, start=1):
        is_down = bool(down.search(line))
        if is_down or up.search(line) or _answered(line, since):
            yield not is_down, Sign(log.source, number, shown(line))


def _answered(line: str, since: datetime | None) -> bool:
    """Whether the line is one of an access log, of a request after the fault was seen."""
    found = _REQUEST.search(line) if since else None
    if found is None or since is None:
        return False
    try:
        return datetime.strptime(found[1], "%d/%b/%Y:%H:%M:%S %z") >= since
    except ValueError:
        return False
