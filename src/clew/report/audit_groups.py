"""An audit grouped as people read it: one group for each check, worst first, with counts, root causes and resources."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from clew.audit.model import Verdict
from clew.findings import Severity, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from clew.audit.model import Check, Judgement
    from clew.audit.results import Audit, Judged
    from clew.findings import Finding

_MOST_CAUSES = 4
_OWN = "…"
# Names that are the same in every account, and words of the messages about them.
_EVERYWHERE = frozenset({"", "root", "account"})
# What differs between resources that fail for one reason: ARNs, ids, addresses, times, names in backticks, numbers.
_PARTICULAR = re.compile(
    r"arn:[\w-]+:[^\s,;`]+|\b[a-z]+-[0-9a-f]{8,17}\b|\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?(?: UTC|Z)?)?"
    r"|\b\d+ (?:days?|hours?)\b"
)
_WORDS = frozenset(
    {"auto_renew", "cache", "edition", "exclusions", "kinds", "level", "origins", "scope", "traffic", "unset"}
)
_ORDER = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.MANUAL)
_REGION_PART, _ARN_PARTS = 3, 6


@dataclass(frozen=True, slots=True)
class Item:
    """One judgement with the account that it is about, and the finding that came of it."""

    account: str
    judgement: Judgement
    finding: Finding | None = None
    is_new: bool = False

    @property
    def is_suppressed(self) -> bool:
        """Whether somebody accepted the finding."""
        return self.finding is not None and self.finding.status is Status.SUPPRESSED

    @property
    def region(self) -> str:
        """The region of the resource, empty for what has none."""
        parts = self.judgement.resource.split(":", _ARN_PARTS - 1)
        return parts[_REGION_PART] if len(parts) == _ARN_PARTS else ""

    def places(self, called: str, *, accounts: bool) -> tuple[str, ...]:
        """Account, where there are several, and region of the resource, as far as what it is called does not tell."""
        told = called.split()
        found = (self.account if accounts else "", self.region)
        return tuple(part for part in found if part and part not in told)


@dataclass(frozen=True)
class Group:
    """One check under one set of thresholds, with everything that it said.

    Shape: `controls` are pairs of framework and control; `items` stand failures first; `causes` are pairs of a reason
    and how many resources fail for it, most first, empty where there is one resource only. `asked` are the thresholds
    that have to be told.
    """

    check: Check
    thresholds: str
    controls: tuple[tuple[str, str], ...]
    items: tuple[Item, ...]
    causes: tuple[tuple[str, int], ...]
    fixed: int
    among_frameworks: bool = False
    asked: str = ""

    @cached_property
    def verdict(self) -> Verdict:
        """What the check says of everything; what is suppressed still fails."""
        return Verdict.of_all(item.judgement.verdict for item in self.items)

    def of(self, verdict: Verdict) -> tuple[Item, ...]:
        """The items of that verdict."""
        return tuple(item for item in self.items if item.judgement.verdict is verdict)

    @cached_property
    def failing(self) -> tuple[Item, ...]:
        """The failures that nobody has accepted."""
        return tuple(item for item in self.of(Verdict.FAIL) if not item.is_suppressed)

    @cached_property
    def one_reason(self) -> bool:
        """Whether several fail, and all for the same reason word by word, which then is said once."""
        return bool(self.causes) and len({item.judgement.message for item in self.failing}) == 1

    @property
    def judged(self) -> int:
        """How many resources the check applies to."""
        return len(self.items) - len(self.of(Verdict.NOT_APPLICABLE))

    @property
    def suppressed(self) -> int:
        """How many failures are suppressed."""
        return sum(item.is_suppressed for item in self.items)

    @property
    def new(self) -> int:
        """How many failures the run before did not have."""
        return sum(item.is_new for item in self.failing)

    @property
    def severity(self) -> Severity:
        """The severity of the worst failure, else of the check."""
        found = (item.judgement.severity or self.check.severity for item in self.failing)
        return max(found, key=lambda one: one.rank, default=self.check.severity)

    @property
    def label(self) -> str:
        """The control ids, with their framework where the audit has several."""
        return self._label(self.controls)

    @property
    def ids(self) -> str:
        """The check's id, and those of its controls that are called otherwise."""
        others = self._label(each for each in self.controls if each[1] != self.check.id)
        return f"{self.check.id} · {others}" if others else self.check.id

    def _label(self, controls: Iterable[tuple[str, str]]) -> str:
        return ", ".join(f"{f} {c}" if self.among_frameworks else c for f, c in controls)

    @property
    def title(self) -> str:
        """What is wrong where something fails, else what should be."""
        return self.titled(self.check.failure if self.failing else self.check.title)

    def titled(self, text: str) -> str:
        """The text with the thresholds that have to be told."""
        return f"{text} ({self.asked})" if self.asked else text


def groups(audit: Audit) -> tuple[Group, ...]:
    """The checks of the audit: failures first, of these the worst and most; then what is unknown, then the rest."""
    by_key: dict[tuple[str, str], list[Judged]] = {}
    for judged in audit.judged:
        by_key.setdefault((judged.check.id, judged.thresholds), []).append(judged)
    controls = _controls(audit)
    findings = {(f.rule, f.accounts, f.subject): f for f in audit.findings}
    asked = _asked(audit, by_key)
    found = (
        replace(_group(audit, key, judged, controls[key], findings), asked=asked[key])
        for key, judged in by_key.items()
    )
    return tuple(sorted(found, key=_worst_first))


def _asked(audit: Audit, by_key: Mapping[tuple[str, str], Sequence[Judged]]) -> dict[tuple[str, str], str]:
    """The thresholds to tell: all where somebody gave them or a check stands there under several, else the telling."""
    given = {
        (judged.check.id, judged.thresholds)
        for result in audit.results
        for judged in result.judged
        if dict(judged.parameters) != dict(result.control.parameters.get(judged.check.id, {}))
    }
    often = Counter(check for check, _ in by_key)
    return {
        key: key[1] if key in given or often[key[0]] > 1 else _telling(judged[0])
        for key, judged in by_key.items()
    }


def _telling(judged: Judged) -> str:
    """The thresholds but those that only say which question the control asks, as its title does."""
    own = judged.check.defaults
    found = judged.parameters.items()
    return ", ".join(f"{name}={value}" for name, value in found if own[name] != value and name not in _WORDS)


def _worst_first(group: Group) -> tuple[int, int, int, str]:
    place = _ORDER.index(group.verdict)
    accepted = group.verdict is Verdict.FAIL and not group.failing
    return place + accepted, -group.severity.rank, -len(group.failing), group.check.id


def _controls(audit: Audit) -> dict[tuple[str, str], tuple[tuple[str, str], ...]]:
    found: dict[tuple[str, str], dict[tuple[str, str], None]] = {}
    for result in audit.results:
        for judged in result.judged:
            place = found.setdefault((judged.check.id, judged.thresholds), {})
            place[result.framework.id, result.control.id] = None
    return {key: tuple(places) for key, places in found.items()}


def _group(
    audit: Audit,
    key: tuple[str, str],
    judged: Sequence[Judged],
    controls: tuple[tuple[str, str], ...],
    findings: dict[tuple[str, tuple[str, ...], str], Finding],
) -> Group:
    new = audit.trend.new if audit.trend else frozenset()
    items = tuple(sorted(_items(judged, findings, new), key=_failures_first))
    failed = [
        item.judgement for item in items if item.judgement.verdict is Verdict.FAIL and not item.is_suppressed
    ]
    fixed = sum(_asks(finding, key) for finding in audit.trend.fixed) if audit.trend else 0
    several = len(audit.frameworks) > 1
    return Group(judged[0].check, key[1], controls, items, causes(failed), fixed, several)


def _asks(finding: Finding, key: tuple[str, str]) -> bool:
    return finding.rule == key[0] and finding.subject.endswith(
        f" ({key[1]})" if key[1] else finding.resources[0]
    )


def _items(
    judged: Sequence[Judged], findings: dict[tuple[str, tuple[str, ...], str], Finding], new: frozenset[str]
) -> Iterator[Item]:
    for each in judged:
        accounts = (each.account,) if each.account else ()
        for judgement in each.judgements:
            found = None
            if judgement.verdict is Verdict.FAIL:
                found = findings.get((each.check.id, accounts, each.subject(judgement.resource)))
            yield Item(each.account, judgement, found, found is not None and found.id in new)


def _failures_first(item: Item) -> tuple[int, bool, int, bool, str, str]:
    severity = item.judgement.severity
    rank = -severity.rank if severity else 0
    place = _ORDER.index(item.judgement.verdict)
    return place, item.is_suppressed, rank, not item.is_new, item.account, item.judgement.resource


def causes(judgements: Iterable[Judgement]) -> tuple[tuple[str, int], ...]:
    """The reasons of several judgements, most frequent first, without what is particular to each resource.

    Empty where each has a reason of its own: that would say nothing that the list does not.
    """
    told = [cause(judgement) for judgement in judgements]
    counted = Counter(told).most_common()
    if len(told) < 2 or len(counted) == len(told):  # noqa: PLR2004  # one resource is its own reason
        return ()
    rest = sum(count for _, count in counted[_MOST_CAUSES:])
    return (*counted[:_MOST_CAUSES], *([("other reasons", rest)] if rest else []))


def cause(judgement: Judgement) -> str:
    """The message without the resource's own name, times and ids.

    >>> from clew.audit.model import Judgement
    >>> cause(Judgement(Verdict.FAIL, "arn:aws:iam::1:user/u", "`u` has a key of 2025-01-02, 70 days old"))
    '`…` has a key of …, … old'
    """
    own = judgement.resource.rpartition(":")[2].rpartition("/")[2]
    text = judgement.message.replace(judgement.resource, _OWN)
    return _PARTICULAR.sub(_OWN, text if own in _EVERYWHERE else _without(text, own))


def _without(text: str, own: str) -> str:
    """The text without the name where it stands alone.

    By hand: a pattern for each name took 70 % of a report about 100,000 findings (benchmarks/audit.py).

    >>> _without("pay, pay-roll and `pay`", "pay")
    '…, pay-roll and `…`'
    """
    pieces, place = [], 0
    while (found := text.find(own, place)) >= 0:
        end = found + len(own)
        alone = not (_in_word(text[found - 1 : found]) or _in_word(text[end : end + 1]))
        pieces += [text[place:found], _OWN if alone else own]
        place = end
    return "".join(pieces) + text[place:] if pieces else text


def _in_word(character: str) -> bool:
    return character.isalnum() or (character != "" and character in "_-")
