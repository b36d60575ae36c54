"""Exposure as text: what is open, worst first, with where it is written; then what is not known, or not looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.analyzer.exposure_findings import conditions, who
from clew.findings import Status
from clew.report.escape import terminal
from clew.report.wrapping import facts, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.analyzer.exposure_model import Exposure, Report
    from clew.findings import Finding
    from clew.report.exposure_json import Pair

_SHOWN_ACTIONS: Final = 6
_LABEL: Final = {Status.ACTIVE: "", Status.SUPPRESSED: " (archived)", Status.RESOLVED: " (resolved)"}
_PREVIEW: Final = {True: "Newly exposed by this policy:", False: "This policy exposes nothing new."}
_ZONES: Final = {"account": "the account", "organization": "the organisation"}


def render(
    reports: Sequence[Report],
    pairs: Sequence[Pair],
    resolved: Sequence[Finding],
    *,
    width: int = 100,
    preview: bool = False,
) -> str:
    """The report of all accounts, ending with a line break; of a `preview` what would be new and what gone."""
    lines = [_PREVIEW[bool(pairs)]] if preview else list(_head(reports, pairs))
    for pair in pairs:
        lines += ["", *_told(*pair, width=width)]
    if resolved:
        lines += ["", "No longer exposed:" if preview else "Resolved since the run before:"]
        lines += [f"  {each.id}  {terminal(each.title)}" for each in resolved]
    unknown = [each for report in reports for each in report.unknown]
    if unknown:
        lines += ["", "Not known:"]
    for each in unknown:
        about = each.resource or f"every {each.type}"
        lines += wrapped(f"{about}: {each.why}", indent="  - ", further="    ", width=width)
    notes = [note for report in reports for note in report.notes]
    if notes:
        lines += ["", "Not looked at:"]
    for note in notes:
        lines += wrapped(note, indent="  - ", further="    ", width=width)
    return "\n".join(lines) + "\n"


def _head(reports: Sequence[Report], pairs: Sequence[Pair]) -> Iterator[str]:
    for report in reports:
        mine = [pair for pair in pairs if pair[0].account == report.account]
        active = [pair for pair in mine if pair[1].status is Status.ACTIVE]
        public = sum(found.is_public for found, _ in active)
        zone = _ZONES[report.zone.kind]
        yield f"Account {report.account}: {len(report.targets):,} resources, seen from outside {zone}"
        counted = [f"{len(active)} active", f"{public} public", f"{len(mine) - len(active)} archived"]
        yield f"{', '.join(counted)}, {len(report.unknown)} not known"


def _told(found: Exposure, kept: Finding, *, width: int) -> Iterator[str]:
    label = kept.severity.value.upper()
    yield f"{label:<9} {terminal(found.resource)}{_LABEL[kept.status]}"
    shown = ", ".join(found.actions[:_SHOWN_ACTIONS])
    more = len(found.actions) - _SHOWN_ACTIONS
    rows = [
        ("who", f"{who(found)}{' (public)' if found.is_public else ''}"),
        ("can", f"{', '.join(found.levels)}: {shown}{f' and {more} more' if more > 0 else ''}"),
        ("only if", conditions(found.conditions)),
        ("through", f"{found.through} {found.about}".strip()),
        ("but", "a Deny or a condition may take it back; undecided counts as open" if found.may else ""),
        ("but", found.dormant),
        ("written", "; ".join(f"{each.said}, {each.place}" for each in found.proofs)),
        ("archived", kept.suppression),
        ("finding", kept.id),
    ]
    yield from facts(rows, width)
