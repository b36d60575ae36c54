"""The incident report as one HTML page that needs no network: style, script and pictures are inside."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from clew import __version__
from clew.findings import Severity
from clew.report import attack, timeline
from clew.report.escape import terminal
from clew.report.order import by_rule, worst_first
from clew.report.page import asset, digest, environment, prose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment, Template

    from clew.detect.investigation import Investigation
    from clew.findings import Finding
    from clew.lake.summary import Actor

# The story tells at most this many findings, worst first, then in the order of time.
_STORY = 24
# Where an explanation turns from what happened to when, how often and by what.
_FIGURES = re.compile(r" (?=[0-9][0-9,]* events (?:between|at) |One event at )")


@dataclass(frozen=True, slots=True)
class ActorGroup:
    """The findings of one actor, with what the lake knows about it."""

    name: str
    profile: Actor | None
    findings: tuple[Finding, ...]

    @property
    def source_ips(self) -> tuple[str, ...]:
        """Every address that the findings name."""
        return tuple(dict.fromkeys(ip for finding in self.findings for ip in finding.source_ips))

    @property
    def access_keys(self) -> tuple[str, ...]:
        """Every access key that the findings name."""
        return tuple(dict.fromkeys(key for finding in self.findings for key in finding.access_keys))


@dataclass(frozen=True, slots=True)
class TechniqueRow:
    """The findings of one ATT&CK technique."""

    technique: str
    name: str
    tactics: tuple[str, ...]
    findings: tuple[Finding, ...]


def render(investigation: Investigation) -> str:
    """The report as one self-contained HTML document."""
    style, script = asset("incident.css"), asset("incident.js")
    findings = worst_first(investigation.findings)
    told = by_rule(_telling(findings))[:_STORY]
    story = sorted(told, key=lambda group: (group[0].first_seen, group[0].id))
    return template().render(
        i=investigation,
        name=_name(investigation.source),
        version=__version__,
        style_hash=digest(style),
        script_hash=digest(script),
        brief=brief(investigation),
        counts=counts(findings),
        findings=findings,
        story=story,
        story_left=len(findings) - sum(map(len, story)),
        by_actor=by_actor(investigation),
        by_technique=by_technique(findings),
        svg=_picture(investigation),
    )


def counts(findings: Sequence[Finding]) -> list[tuple[str, int]]:
    """How many findings there are of each severity, worst first; absent ones left out below medium."""
    found = [(s.value, sum(f.severity is s for f in findings)) for s in reversed(Severity)]
    return [(name, count) for name, count in found if count or Severity(name).rank >= Severity.MEDIUM.rank]


def brief(investigation: Investigation) -> str:
    """The answer in two or three sentences."""
    findings = worst_first(investigation.findings)
    if not findings and investigation.first_event is None:
        return (
            "No rule had anything to judge: rules are about CloudTrail records, and among "
            f"{counted(investigation.events, 'event')} there is none. See the blind spots."
        )
    if not findings:
        return (
            f"None of {investigation.rules} rules fired on {counted(investigation.events, 'event')}. "
            "What the evidence could not show is listed under blind spots."
        )
    serious = [f for f in findings if f.severity.rank >= Severity.HIGH.rank]
    chosen = serious or findings
    actors = list(dict.fromkeys(f.actor for f in chosen))
    kind = "serious findings" if serious else "findings, none of them high or critical,"
    if len(chosen) == 1:
        kind = "serious finding" if serious else "finding, not high or critical,"
    named = _listed([actor_name(a) for a in actors], 3)
    first = min(f.first_seen for f in chosen)
    last = max(f.last_seen for f in chosen)
    return terminal(
        f"{len(chosen)} {kind} {'point' if len(chosen) > 1 else 'points'} at {named}, "
        f"between {_moment(first)} and {_until(last, first)}. "
        f"The worst: {findings[0].title[0].lower()}{findings[0].title[1:]}."
    )


def by_actor(investigation: Investigation) -> list[ActorGroup]:
    """Findings grouped by actor, the actor with the worst findings first."""
    groups: dict[str, list[Finding]] = defaultdict(list)
    for finding in worst_first(investigation.findings):
        groups[finding.actor].append(finding)
    made = [ActorGroup(name, investigation.actor(name), tuple(found)) for name, found in groups.items()]
    return sorted(made, key=_weight)


def _weight(group: ActorGroup) -> tuple[list[int], str]:
    ranks = [sum(f.severity is severity for f in group.findings) for severity in reversed(Severity)]
    return [-count for count in ranks], group.name


def by_technique(findings: Sequence[Finding]) -> list[TechniqueRow]:
    """Findings grouped by ATT&CK technique, in the order of the tactics."""
    groups: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        for technique in finding.technique:
            groups[technique].append(finding)
    rows = [
        TechniqueRow(
            technique,
            attack.technique_name(technique),
            tuple(attack.tactic_name(t) for t in _tactics(found)),
            tuple(found),
        )
        for technique, found in groups.items()
    ]
    order = {attack.tactic_name(tactic): index for index, tactic in enumerate(attack.TACTICS)}
    return sorted(rows, key=lambda row: (min((order[t] for t in row.tactics), default=99), row.technique))


def _tactics(findings: Sequence[Finding]) -> list[str]:
    common = set.intersection(*(set(f.tactics) for f in findings)) if findings else set()
    chosen = common or {tactic for f in findings for tactic in f.tactics}
    return [tactic for tactic in attack.TACTICS if tactic in chosen]


def _telling(findings: Sequence[Finding]) -> list[Finding]:
    return [f for f in findings if f.severity.rank >= Severity.MEDIUM.rank] or list(findings)


def _picture(investigation: Investigation) -> str:
    marks = [
        timeline.Mark(
            lane=attack.tactic_name(attack.leading_tactic(f.tactics)),
            start=f.first_seen,
            end=f.last_seen,
            severity=f.severity.value,
            title=f"{f.title}, {actor_name(f.actor)}, {_moment(f.first_seen)}",
            href=f"#f-{f.id}",
        )
        for f in _drawn(investigation.findings)
    ]
    used = {mark.lane for mark in marks}
    lanes = [name for name in map(attack.tactic_name, (*attack.TACTICS, "")) if name in used]
    bars = [timeline.Bar(s.start, s.reads, s.writes, s.errors) for s in investigation.activity]
    return timeline.render(marks, bars, lanes, investigation.step or timedelta(hours=1))


def _drawn(findings: Sequence[Finding]) -> list[Finding]:
    # Informational findings span the whole time wherever a rule watches ordinary changes: they would hide the rest.
    told = [f for f in findings if f.severity is not Severity.INFORMATIONAL]
    return worst_first(told or findings)


def _name(source: str) -> str:
    return terminal(PurePosixPath(source.rstrip("/")).name or source)


@cache
def template() -> Template:
    """The page without its contents; reading it takes 50 ms, which may pass before there is anything to report."""
    return _environment().get_template("incident.html.j2")


def _environment() -> Environment:
    from markupsafe import Markup

    made = environment(trimmed=False)
    # Style and script are ours, written to the page as they stand; everything else is escaped.
    made.globals.update(style=Markup(asset("incident.css")), script=Markup(asset("incident.js")))  # noqa: S704  # our own files
    made.filters.update(
        moment=_moment,
        clock=lambda t: _moment(t).removesuffix(" UTC"),
        counted=counted,
        iso=lambda t: t.astimezone(UTC).isoformat() if t else "",
        until=_until,
        listed=_listed,
        shorten=_shorten,
        prose=prose,
        lead=_lead,
        channels=_channels,
        tail=_tail,
        actor_name=actor_name,
        technique_name=attack.technique_name,
    )
    return made


def _moment(time: datetime | None) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if time else "unknown time"


def counted(number: int, noun: str) -> str:
    """So many of them, as people say it.

    >>> counted(1, "event"), counted(2900, "event")
    ('1 event', '2,900 events')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _until(end: datetime, start: datetime) -> str:
    end, start = end.astimezone(UTC), start.astimezone(UTC)
    return f"{end:%H:%M:%S} UTC" if end.date() == start.date() else _moment(end)


def _listed(values: Sequence[str], limit: int) -> str:
    shown = ", ".join(terminal(value) for value in values[:limit]) or "none"
    return f"{shown} and {len(values) - limit} more" if len(values) > limit else shown


def _lead(text: str) -> str:
    """What happened, without the figures that the finding itself repeats."""
    return _shorten(_FIGURES.split(text, maxsplit=1)[0], 420)


def _channels(user_agents: Sequence[str]) -> tuple[str, ...]:
    """Through what the user agents say the calls came, each once."""
    from clew.events.channel import channel

    found = [channel({"userAgent": agent}) for agent in user_agents]
    shown = [f"{c.kind.value} ({c.detail})" if c.detail else c.kind.value for c in found]
    return tuple(dict.fromkeys(shown))


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def _tail(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"…{text[-limit:]}"


def actor_name(actor: str) -> str:
    """The part of an actor's ARN that people say.

    >>> actor_name("arn:aws:iam::111122223333:user/ops/Mary")
    'Mary'
    >>> actor_name("arn:aws:sts::111122223333:assumed-role/admin/mary@corp")
    'admin (mary@corp)'
    >>> actor_name("arn:aws:iam::111122223333:root")
    'root of 111122223333'
    """
    parts = actor.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":  # noqa: PLR2004  # an ARN has six parts
        return actor
    account, resource = parts[4].strip(), parts[5]
    if resource == "root":
        return f"root of {account}"
    path = resource.split("/")
    if path[0] == "assumed-role" and len(path) > 2:  # noqa: PLR2004  # role and session
        return f"{path[1]} ({'/'.join(path[2:])})"
    return path[-1]
