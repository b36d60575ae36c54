"""An audit as plain text: one block for each check that fails, worst first; what is unknown; the rest in short."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from clew.audit.credentials import day
from clew.audit.model import NOT_ASKED, Verdict
from clew.audit.resources import listing
from clew.findings import Severity, Status
from clew.report.audit_groups import groups
from clew.report.credential_text import heading, name, wrapped
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clew.audit.results import Audit, Trend, Unread
    from clew.report.audit_groups import Group, Item

_STYLE = {
    Severity.CRITICAL: "1;35",
    Severity.HIGH: "1;31",
    Severity.MEDIUM: "33",
    Severity.LOW: "36",
    Severity.INFORMATIONAL: "2",
}
_WIDTH = 100
_INDENT = " " * 10
_UNREAD = 20
_CHECKS = 6


def render(
    audit: Audit, *, color: bool = False, show: int = 5, verdicts: frozenset[str] = frozenset()
) -> str:
    """The audit as text, ending with a line break; of each check `show` resources are listed, 0 lists all."""
    grouped = groups(audit)
    several = len(audit.accounts) > 1
    writing = _Writing(color=color, show=show, accounts=several)
    failed = [group for group in grouped if group.failing]
    unknown = [group for group in grouped if group.of(Verdict.UNKNOWN)]
    blocks = {
        "head": "\n".join(_head(audit)),
        "fail": _block("Failed, worst first", (line for g in failed for line in writing.failed(g))),
        "unknown": _block(
            "Unknown", (*_unasked(grouped), *(line for g in unknown for line in writing.unknown(g)))
        ),
        "fixed": _block("Fixed since", writing.fixed(audit.trend) if audit.trend else ()),
        "pass": _block("Passed", _named(grouped, Verdict.PASS)),
        "not_applicable": _block("Not applicable", _named(grouped, Verdict.NOT_APPLICABLE)),
        "manual": _block("Manual", _manual(audit)),
        "unread": _block("Not read", _unread(audit.unread)),
        "tally": tally(audit),
    }
    shown = {"head", "fixed", "unread", "tally", *(verdicts or set(Verdict))}
    return "\n\n".join(block for title, block in blocks.items() if block and title in shown) + "\n"


def _head(audit: Audit) -> Iterator[str]:
    several = "s" if len(audit.accounts) > 1 else ""
    yield from _lines(f"Audit of account{several} {audit.account or 'unknown'}")
    yield from _lines(f"{audit.title}, as of {day(audit.as_of)}")
    if audit.origin is not None:
        origin = audit.origin
        refused = sum(each.calls for each in audit.unread)
        unread = f"{refused:,} not answered" if refused else "all answered"
        places = f"{len(origin.regions)} region{'' if len(origin.regions) == 1 else 's'}"
        yield from _lines(f"Snapshot {origin.file}: {places}, {origin.calls:,} calls, {unread}")
    if audit.trend is not None and audit.trend.since is not None:
        yield from _lines(f"Since {day(audit.trend.since)}: {changed(audit.trend, audit)}")
    for problem in audit.problems if audit.origin is None else ():
        yield from _lines(f"Problem: {problem}")


def changed(trend: Trend, audit: Audit) -> str:
    """What changed since the run before, in words."""
    active = {f.id for f in audit.findings if f.status is Status.ACTIVE}
    return f"{len(trend.new & active)} new, {len(trend.fixed)} fixed, {len(trend.still & active)} still there"


def _lines(text: str) -> list[str]:
    return textwrap.wrap(terminal(text), _WIDTH, break_on_hyphens=False)


def _block(title: str, lines: Iterable[str]) -> str:
    text = "\n".join(lines)
    return heading(title) + text if text else ""


class _Writing:
    """How blocks of checks are written: with colours, how many resources, with or without accounts."""

    def __init__(self, *, color: bool, show: int, accounts: bool) -> None:
        self._color, self._show, self._accounts = color, show, accounts

    def failed(self, group: Group) -> Iterator[str]:
        """A check that fails: severity, what is wrong, how many; why; where."""
        word = f"{group.severity.value.upper():<9}"
        shown = f"\x1b[{_STYLE[group.severity]}m{word}\x1b[0m" if self._color else word
        yield f"{shown} {terminal(group.title)}"
        yield from _wrapped(" · ".join(_counted(group)))
        for text, count in group.causes:
            yield from _wrapped(f"{count:,} × {text}")
        if group.one_reason:
            yield from self._names(group.failing)
        else:
            yield from self._items(group.failing)

    def unknown(self, group: Group) -> Iterator[str]:
        """A check that could not know something, and the calls that would tell."""
        items = [item for item in group.of(Verdict.UNKNOWN) if not _regions(item)]
        if not items:
            return
        yield f"{'UNKNOWN':<9} {terminal(group.check.title)} · {group.label}"
        yield from self._items(items)
        told = " ".join(item.judgement.message for item in items)
        untold = dict.fromkeys(call for item in items for call in item.judgement.missing if call not in told)
        if untold:
            yield from _wrapped(f"to know: {', '.join(untold)}")

    def fixed(self, trend: Trend) -> Iterator[str]:
        """The findings that are gone."""
        limit = self._show or len(trend.fixed)
        for finding in trend.fixed[:limit]:
            yield from _wrapped(f"{finding.title}: {name(finding.resources[0])}")
        if len(trend.fixed) > limit:
            yield from _wrapped(f"and {len(trend.fixed) - limit:,} more")

    def _names(self, items: Sequence[Item]) -> Iterator[str]:
        """Resources that all fail for the same reason, on one line."""
        limit = self._show or len(items)
        names = [f"{'new: ' if item.is_new else ''}{self._name(item)}" for item in items[:limit]]
        more = f" and {len(items) - limit:,} more" if len(items) > limit else ""
        yield from _wrapped(f"{', '.join(names)}{more}")

    def _items(self, items: Sequence[Item]) -> Iterator[str]:
        limit = self._show or len(items)
        for item in items[:limit]:
            new = "new: " if item.is_new else ""
            yield from _wrapped(f"{new}{self._name(item)}: {item.judgement.message}")
        if len(items) > limit:
            yield from _wrapped(f"and {len(items) - limit:,} more")

    def _name(self, item: Item) -> str:
        called = name(item.judgement.resource)
        places = item.places(called, accounts=self._accounts)
        where = f" ({', '.join(places)})" if places else ""
        return f"{called}{where}"


def _unasked(grouped: Sequence[Group]) -> Iterator[str]:
    """The regions that were not asked, once for all checks that they leave unknown."""
    left: dict[tuple[str, str], dict[str, None]] = {}
    for group in grouped:
        for item in group.of(Verdict.UNKNOWN):
            if _regions(item):
                left.setdefault((item.account, _regions(item)), {})[group.label] = None
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (account, regions), labels in left.items():
        alike.setdefault((regions, tuple(labels)), []).append(account)
    for (regions, labels_), accounts in alike.items():
        count = regions.count(",") + 1
        told = "1 enabled region was" if count == 1 else f"{count} enabled regions were"
        where = listing(account for account in accounts if account)
        yield f"{'UNKNOWN':<9} {told} not asked{f' in {where}' if where else ''}"
        yield from _wrapped(regions)
        yield from _wrapped(f"leaves unknown: {', '.join(labels_)}")


def _regions(item: Item) -> str:
    """The regions that were not asked, where the judgement is about them."""
    return dict(item.judgement.evidence).get(NOT_ASKED, "")


def _counted(group: Group) -> Iterator[str]:
    yield f"{len(group.failing):,} of {group.judged:,}"
    unknown = len(group.of(Verdict.UNKNOWN))
    for count, word in (
        (unknown, "unknown"),
        (group.suppressed, "suppressed"),
        (group.new, "new"),
        (group.fixed, "fixed"),
    ):
        if count:
            yield f"{count:,} {word}"
    yield group.ids


def _named(grouped: Sequence[Group], verdict: Verdict) -> Iterator[str]:
    for group in grouped:
        if group.verdict is verdict or (
            verdict is Verdict.PASS and group.verdict is Verdict.FAIL and not group.failing
        ):
            yield from _wrapped(f"{group.label}  {group.check.title}{_extent(group, verdict)}")


def _extent(group: Group, verdict: Verdict) -> str:
    if group.suppressed:
        return f" ({group.suppressed:,} suppressed)"
    count = len(group.of(verdict))
    return f" ({count:,})" if count > 1 else ""


def _manual(audit: Audit) -> Iterator[str]:
    """The controls that nobody but a person can answer, and those that Clew cannot answer yet."""
    manual = [result for result in audit.results if not result.judged]
    for result in manual:
        if not result.control.planned:
            yield from _wrapped(f"{result.control.id}  {result.control.title}: {result.control.manual}")
    for result in audit.results:
        if result.judged and result.verdict is Verdict.MANUAL:
            why = result.judged[0].judgements[0].message
            yield from _wrapped(f"{result.control.id}  {result.control.title}: {why}")
    planned = [result.control.id for result in manual if result.control.planned]
    if planned:
        yield from _wrapped(f"Not checked by Clew yet: {', '.join(planned)}")


def _unread(unread: Sequence[Unread]) -> Iterator[str]:
    """The calls that were refused or failed, each kind with the checks that it leaves unknown; the others counted."""
    needed = [each for each in unread if each.checks]
    for each in needed[:_UNREAD]:
        calls = "1 call" if each.calls == 1 else f"{each.calls:,} calls"
        yield from _wrapped(f"{each.status}  {each.operation}: {each.code}, {calls}, such as {each.example}")
        yield from (f"  {line}" for line in _wrapped(_left_unknown(each.checks)))
    if len(needed) > _UNREAD:
        yield from _wrapped(f"and {len(needed) - _UNREAD} more kinds")
    rest = len(unread) - len(needed)
    if rest:
        kinds = "1 kind" if rest == 1 else f"{rest} kinds"
        yield from _wrapped(
            f"{kinds} of calls that no check of this audit needs; `clew snapshot show FILE` tells"
        )


def _left_unknown(checks: tuple[str, ...]) -> str:
    more = f" and {len(checks) - _CHECKS} more" if len(checks) > _CHECKS else ""
    return f"leaves unknown: {', '.join(checks[:_CHECKS])}{more}"


def tally(audit: Audit) -> str:
    """How many controls have which verdict, in one line."""
    counts = [
        f"{count} {verdict.value.replace('_', ' ')}" for verdict, count in audit.counts.items() if count
    ]
    suppressed = sum(finding.status is Status.SUPPRESSED for finding in audit.findings)
    hidden = f"; {suppressed} of {len(audit.findings)} findings suppressed" if suppressed else ""
    controls = "1 control" if len(audit.results) == 1 else f"{len(audit.results)} controls"
    return f"{controls}: {', '.join(counts)}{hidden}"


def _wrapped(text: str) -> list[str]:
    return wrapped(text, _INDENT)
