"""Suppressions: what is hidden, why, by whom and until when.

A suppression names a finding, a rule, an actor, a resource, an account, tags, or several of these: **all** that it
names must fit, or, where it says so, **any**. Rule, actor, resource and the values of tags are globs over the whole
text (`*` any characters, `?` one), and case matters. After its expiry it hides nothing: the findings are active again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from clew.findings import Finding


ALL, ANY = "all", "any"
"""How the parts of a suppression combine."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """One decision to hide findings; the parts that are empty do not limit it.

    Units: times are UTC. `expires_at` is None only where the owner asked for no expiry.
    Shape: `tags` are pairs of a key and a glob over its value; each pair is a part of its own.
    """

    id: str
    reason: str
    owner: str
    created_at: datetime
    expires_at: datetime | None
    finding: str = ""
    rule: str = ""
    actor: str = ""
    resource: str = ""
    account: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    combine: str = ALL

    def expired(self, now: datetime) -> bool:
        """Whether it hides nothing any more."""
        return self.expires_at is not None and self.expires_at <= now

    def fits(self, finding: Finding) -> bool:
        """Whether all that it names fits the finding, or any, as it says; expired or not."""
        combined = any if self.combine == ANY else all
        return combined(self._fitting(finding))

    def _fitting(self, finding: Finding) -> Iterator[bool]:
        """Whether the finding fits, for each part that is named."""
        if self.finding:
            yield finding.id == self.finding
        if self.rule:
            yield glob(self.rule, finding.rule)
        if self.actor:
            yield glob(self.actor, finding.actor)
        if self.resource:
            yield any(glob(self.resource, resource) for resource in finding.resources)
        if self.account:
            yield self.account in finding.accounts
        tags = dict(finding.tags)
        for key, value in self.tags:
            yield key in tags and glob(value, tags[key])

    @property
    def scope(self) -> str:
        """What it names, in words: `rule root-used and actor *:root`."""
        named = (
            ("finding", self.finding),
            ("rule", self.rule),
            ("actor", self.actor),
            ("resource", self.resource),
            ("account", self.account),
            *(("tag", f"{key}={value}") for key, value in self.tags),
        )
        word = " or " if self.combine == ANY else " and "
        return word.join(f"{name} {value}" for name, value in named if value)


def glob(pattern: str, text: str) -> bool:
    """Whether the whole text fits: `*` stands for any characters, `?` for one, the rest for itself.

    >>> glob("arn:aws:iam::*:user/ci-?", "arn:aws:iam::111122223333:user/ci-1"), glob("ci", "ci-1")
    (True, False)
    """
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in re.sub(r"\*+", "*", pattern))
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def check(suppression: Suppression, now: datetime) -> Suppression:
    """The suppression, when it may be kept; UsageError says what it lacks."""
    if not suppression.scope:
        raise UsageError(
            "a suppression must name a finding, a rule, an actor, a resource, an account or a tag"
        )
    for name in ("reason", "owner"):
        if not getattr(suppression, name).strip():
            raise UsageError(f"a suppression needs a {name}; give `--{name}`")
    if suppression.expired(now):
        raise UsageError(f"the expiry `{suppression.expires_at:%Y-%m-%d %H:%M} UTC` has passed already")
    return suppression


def effective(suppressions: Sequence[Suppression], finding: Finding, now: datetime) -> Suppression | None:
    """The suppression that hides the finding now: the oldest that fits, if any."""
    return next((s for s in suppressions if not s.expired(now) and s.fits(finding)), None)


def unused(
    suppressions: Iterable[Suppression], findings: Sequence[Finding], now: datetime
) -> tuple[Suppression, ...]:
    """The suppressions in force that fit none of the findings."""
    return tuple(s for s in suppressions if not s.expired(now) and not any(s.fits(f) for f in findings))
