"""What a hypothesis is tested on: answers of AWS, excerpts of logs and findings, and what the question is about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING

from clew.audit.resources import items, text
from clew.explain.links import Facts, Link, Verdict

if TYPE_CHECKING:
    import ipaddress
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from clew.audit.model import State
    from clew.findings import Finding
    from clew.snapshot.answers import Answer

SEEN = "seen in"
"""The fact that names the evidence in which something was seen."""


class Component(StrEnum):
    """Where a fault may lie, from the outside in."""

    PROVIDER = "AWS itself"
    NETWORK = "the network"
    INSTANCE = "the instance"
    ACCESS = "who gets in"
    APPLICATION = "the application"
    STORAGE = "storage"
    MANAGEMENT = "how it is run"


@dataclass(frozen=True, slots=True)
class Log:
    """An excerpt of a log; `about` is what it is from where that is known. Shape: its lines as they stand.

    `lowered` is its text in small letters, made once: it is looked through for the words of every sign.
    """

    source: str
    lines: tuple[str, ...]
    about: str = ""
    lowered: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lowered", "\n".join(self.lines).lower())


@dataclass(frozen=True, slots=True)
class About:
    """What the question is about; empty where it does not say.

    `client` is where somebody comes from, `key` the name of the key pair he uses. `since` is when the fault was first
    seen, or when it was mended; what is older than `window` says nothing. Units: UTC.
    """

    instance: str = ""
    bucket: str = ""
    key: str = ""
    client: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None
    ports: tuple[int, ...] = ()
    since: datetime | None = None
    window: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A thing that an answer lists, with that answer."""

    data: Mapping[str, object]
    answer: Answer

    def text(self, path: str) -> str:
        """A member of it as text; empty where AWS left it out."""
        return text(self.data, path)

    def number(self, path: str) -> float:
        """A member of it as a number; 0 where AWS left it out, or it is none."""
        return number(self.data, path)

    @property
    def seen(self) -> Facts:
        """Which evidence says so, and when it was made."""
        return seen(self.answer)


def number(item: object, path: str) -> float:
    """The value at a path as a number; 0 where it is none.

    >>> number({"Size": 8}, "Size"), number({"Size": "8.5"}, "Size"), number({"Size": []}, "Size")
    (8.0, 8.5, 0.0)
    """
    try:
        found = float(text(item, path))
    except ValueError:
        return 0.0
    return found if isfinite(found) else 0.0


def seen(answer: Answer) -> Facts:
    """Which evidence gives an answer, and of when it is, where that is known."""
    at = f", of {answer.collected_at}" if answer.collected_at else ""
    return ((SEEN, f"{answer.source}{at}"),)


@dataclass(frozen=True, slots=True)
class Scene:
    """All evidence at hand; answers, logs and findings stand in the order in which they were attached."""

    about: About
    answers: tuple[Answer, ...] = ()
    logs: tuple[Log, ...] = ()
    findings: tuple[tuple[str, Finding], ...] = ()
    states: tuple[tuple[str, State], ...] = ()

    def each(self, call: str) -> Iterator[Answer]:
        """Every known answer to `service:Operation`, the newest first."""
        service, _, operation = call.partition(":")
        for answer in reversed(self.answers):
            if answer.call.service == service and answer.call.operation == operation:
                yield answer

    def listed(self, call: str, path: str) -> Iterator[Found]:
        """Every object at `path` of the answers, those of the newest first; nothing is said of what was refused."""
        for answer in self.each(call):
            yield from (Found(item, answer) for item in items(answer.body, path))

    def find(self, call: str, path: str, member: str, wanted: str) -> Found | None:
        """The object whose member is `wanted`, as it was seen last."""
        return next((each for each in self.listed(call, path) if each.text(member) == wanted), None)

    @property
    def instance(self) -> Found | None:
        """The instance that the question is about; the only one at hand where it does not say."""
        found = self.listed("ec2:DescribeInstances", "Reservations.Instances")
        if self.about.instance:
            return next((each for each in found if each.text("InstanceId") == self.about.instance), None)
        by_name = {each.text("InstanceId"): each for each in reversed(tuple(found))}
        return next(iter(by_name.values())) if len(by_name) == 1 else None

    @property
    def instance_id(self) -> str:
        """The id of that instance; empty where it is not known."""
        return self.about.instance or (found.text("InstanceId") if (found := self.instance) else "")

    @property
    def which_instance(self) -> Link:
        """The test that nobody can make, since the instance is not at hand, or nobody says which of several it is."""
        names = {
            each.text("InstanceId") for each in self.listed("ec2:DescribeInstances", "Reservations.Instances")
        }
        if names and not self.about.instance:
            return unknown(f"{len(names)} instances are at hand", "say which it is about: `--instance ID`")
        name = self.about.instance or "INSTANCE"
        return self.open("ec2:DescribeInstances", f"aws ec2 describe-instances --instance-ids {name}")

    def given(self, call: str) -> bool:
        """Whether any answer to the call is known."""
        return any(answer.status.is_known for answer in self.each(call))

    def open(self, call: str, settle: str) -> Link:
        """The test that nobody can make for lack of an answer, and the command that gives it."""
        refused = next((answer for answer in self.each(call) if not answer.status.is_known), None)
        if refused is None:
            return unknown("nothing that was attached says so", settle)
        why = refused.error_code or refused.status.value
        return unknown(f"`{call}` was refused: {why}", settle, seen(refused))


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Something that may be at fault, and how it is tested; `impact` is 1 (little stops) to 5 (all stops).

    `source` names AWS's page. A test says `broken` where the hypothesis is true, `holds` where it is refuted.
    """

    id: str
    says: str
    component: Component
    impact: int
    test: Callable[[Scene], Link]
    source: str

    def tested(self, scene: Scene) -> Link:
        """What the evidence says of it."""
        return replace(self.test(scene), id=self.id)


def true(says: str, evidence: Facts, fix: str = "") -> Link:
    """The hypothesis is true: what is so, the facts, and what mends it."""
    return Link("", Verdict.BROKEN, says, evidence, fix)


def refuted(says: str, evidence: Facts = ()) -> Link:
    """The hypothesis is refuted: what is so instead."""
    return Link("", Verdict.HOLDS, says, evidence)


def unknown(says: str, settle: str, evidence: Facts = ()) -> Link:
    """Nobody can tell: what is missing, and what would settle it."""
    return Link("", Verdict.UNKNOWN, says, evidence, settle=settle)
