"""What each command of `clew case` does to a case."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clew.cases import denials, evidence, planning, testing, verifying
from clew.cases.model import (
    Case,
    Closing,
    Escalation,
    Hypotheses,
    Hypothesis,
    Lessons,
    Plan,
    Seen,
    Severity,
    Subject,
    Verdict,
    Verified,
)
from clew.cli import casing, casing_evidence, times
from clew.errors import UsageError
from clew.explain.operational.symptoms import Kind, of_error, of_title

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_OWN = re.compile(r"[^a-z0-9]+")
_IDENTITY = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_WATCH = "30d"


@dataclass(frozen=True, slots=True)
class Asked:
    """What `clew case open` was told."""

    title: str
    identity: str = ""
    folder: str = ""
    error: str = ""
    symptoms: tuple[str, ...] = ()
    instance: str = ""
    bucket: str = ""
    key: str = ""
    client: str = ""
    resources: tuple[str, ...] = ()
    since: str = ""
    severity: Severity = Severity.MEDIUM
    affected: str = ""
    by: str = ""
    changes: tuple[str, ...] = ()


def seen(title: str, error: str, symptoms: Sequence[str]) -> tuple[Seen, ...]:
    """The symptoms that were named, else those of the error, else those of the title."""
    named = tuple(_symptom(text) for text in symptoms)
    told = () if named else of_error(error) or of_title(title)
    return named or tuple(Seen(each.kind, each.port, each.text) for each in told)


def _symptom(text: str) -> Seen:
    """A symptom as options write it: `timed-out:22`."""
    kind, _, port = text.partition(":")
    if kind not in {each.value for each in Kind} or (port and not port.isdecimal()):
        known = ", ".join(each.value for each in Kind)
        raise UsageError(f"`{text[:80]}` is no symptom; expected one of {known}, with a port: timed-out:22")
    return Seen(Kind(kind), int(port or 0))


def client(text: str) -> str:
    """The address or range from which they come. Errors: `UsageError`."""
    try:
        return str(ipaddress.ip_network(text, strict=False)) if text else ""
    except ValueError as error:
        raise UsageError(
            f"`--from {text[:80]}` is no address; expected 203.0.113.9 or 203.0.113.0/24"
        ) from error


def key_name(text: str) -> str:
    """The name of a key pair, of a file of its private key too.

    >>> key_name("~/.ssh/deploy-2026.pem")
    'deploy-2026'
    """
    return re.sub(r"\.(?:pem|ppk)$", "", text.rsplit("/", 1)[-1])


def opened(asked: Asked, at: datetime) -> tuple[Case, Path]:
    """A new case and its folder."""
    identity = asked.identity or _free(casing.slug(asked.title, at), asked.folder)
    if not _IDENTITY.fullmatch(identity):
        raise UsageError(f"`--id {identity[:80]}` is no id; expected small letters, digits, - and .")
    case = Case(
        identity,
        asked.title,
        at,
        casing.who(asked.by),
        asked.severity,
        asked.affected,
        times.moment(asked.since, at) if asked.since else None,
        seen(asked.title, asked.error, asked.symptoms),
        Subject(
            asked.instance, asked.bucket, key_name(asked.key), client(asked.client), tuple(asked.resources)
        ),
        tuple(asked.changes),
    )
    return case, Path(asked.folder) if asked.folder else casing.home() / identity


def _free(identity: str, folder: str) -> str:
    """An id that no case has yet."""
    taken = set() if folder else {path.name for path in casing.folders()}
    numbers = (f"{identity}-{number}" for number in range(2, len(taken) + 3))
    return identity if identity not in taken else next(each for each in numbers if each not in taken)


def examine(found: casing.Opened, at: datetime) -> Case:
    """The case with its hypotheses tested on all evidence."""
    case = casing_evidence.with_changes(found.case, found.folder, at)
    held = evidence.held(case, found.folder)
    return replace(case, hypotheses=testing.tested(case, held, at))


@dataclass(frozen=True, slots=True)
class Brought:
    """A hypothesis that a person brings in."""

    says: str
    likelihood: int
    impact: int
    component: str
    by: str


def bring(case: Case, own: Brought, at: datetime) -> Case:
    """The case with one hypothesis more, which a person has to settle."""
    identity = f"own-{_OWN.sub('-', own.says.lower()).strip('-')[:40]}"
    made = Hypothesis(
        identity,
        own.says,
        own.component,
        own.likelihood,
        own.impact,
        Verdict.UNDETERMINED,
        "a person brought it in; nothing was tested",
        settle=f"look yourself, then `clew case hypotheses CASE --settle {identity} --verdict refuted --because TEXT`",
        by=casing.who(own.by),
    )
    before = case.hypotheses or Hypotheses(at)
    return replace(case, hypotheses=replace(before, of=(*before.of, made)))


def settle(case: Case, identity: str, verdict: Verdict, because: str, by: str) -> Case:
    """The case with a hypothesis settled by a person; the evidence keeps the last word where it says something."""
    held = case.hypotheses.of if case.hypotheses else ()
    if identity not in {each.id for each in held}:
        known = ", ".join(each.id for each in held) or "none; run `clew case hypotheses` first"
        raise UsageError(f"no hypothesis `{identity[:80]}`; there are {known}")
    if not because:
        raise UsageError("say why: `--because TEXT`")
    if case.hypotheses is None:
        return case
    settled = tuple(
        replace(each, verdict=verdict, because=because, settle="", by=casing.who(by))
        if each.id == identity
        else each
        for each in held
    )
    return replace(case, hypotheses=replace(case.hypotheses, of=settled))


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the plan has to keep to."""

    window: str = ""
    inform: tuple[str, ...] = ()
    trial: str = ""
    hypotheses: tuple[str, ...] = ()
    again: bool = False


def plan(found: casing.Opened, wishes: Wishes, at: datetime) -> Case:
    """The case with a plan for what is true; what is there already is kept unless it is to be made again."""
    case = found.case
    wanted = {
        name: value
        for name, value in (("window", wishes.window), ("inform", wishes.inform), ("trial", wishes.trial))
        if value
    }
    if case.plan is not None and not wishes.again and not wishes.hypotheses:
        return replace(case, plan=replace(case.plan, **wanted))  # type: ignore[arg-type]  # texts and a tuple of texts
    if case.plan is not None and any(step.done_at for step in case.plan.steps):
        raise UsageError("a step of the plan was carried out already; it is not made again")
    chosen = _chosen(case, wishes.hypotheses)
    held = evidence.held(case, found.folder)
    told = denials.explained(case, held)
    steps = planning.steps(case, chosen, told[0] if told else None)
    made = Plan(at, tuple(replace(step, title=held.told(step.title)) for step in steps))
    kept = case.plan or made
    base = replace(made, window=kept.window, inform=kept.inform, trial=kept.trial)
    return replace(case, plan=replace(base, **wanted))  # type: ignore[arg-type]  # as above


def _chosen(case: Case, named: tuple[str, ...]) -> tuple[Hypothesis, ...]:
    held = {each.id: each for each in (case.hypotheses.of if case.hypotheses else ())}
    for name in named:
        if name not in held:
            raise UsageError(f"no hypothesis `{name[:80]}`; there are {', '.join(held) or 'none'}")
    chosen = tuple(held[name] for name in named) or case.true
    if not chosen:
        raise UsageError(
            "no hypothesis is shown to be true, so there is nothing to mend; settle one first, "
            "or plan for one all the same with `--for ID`"
        )
    return chosen


def approve(case: Case, by: str, note: str, at: datetime) -> Case:
    """The case with its plan approved as it is now."""
    if case.plan is None:
        raise UsageError("there is no plan to approve; run `clew case plan` first")
    return replace(case, plan=planning.approved(case.plan, by, note, at))


def done(case: Case, number: int, by: str, note: str, urgent: str, at: datetime) -> Case:
    """The case with a step carried out; without approval only for a reason, which is kept."""
    if case.plan is None:
        raise UsageError("there is no plan; run `clew case plan` first")
    if not planning.is_approved(case.plan) and not urgent:
        state = "was changed since it was approved" if case.plan.approvals else "was not approved"
        raise UsageError(f"the plan {state}; have it approved, or say why it cannot wait: `--urgent REASON`")
    said = f"without approval: {urgent}{f'; {note}' if note else ''}" if urgent else note
    return replace(case, plan=planning.done(case.plan, number, casing.who(by), said, at))


def verify(found: casing.Opened, confirmed_by: str, because: str, at: datetime) -> Case:
    """The case with what evidence of after the change says; what it leaves open a person may confirm."""
    case = found.case
    if case.plan is None:
        raise UsageError("nothing was planned, so there is nothing to verify; run `clew case plan` first")
    if not case.plan.steps:
        raise UsageError("the plan has no steps; make it again with `clew case plan CASE --again`")
    if case.implemented_at is None:
        left = [str(step.id) for step in case.plan.steps if step.done_at is None]
        raise UsageError(f"steps {', '.join(left)} were not carried out; `clew case done` says when they are")
    before, after = evidence.held(case, found.folder), evidence.held(case, found.folder, after=True)
    told = verifying.verified(case, before, after, at)
    if confirmed_by:
        if not because:
            raise UsageError("say what was seen to work: `--because TEXT`")
        told = tuple(_confirmed(each, confirmed_by, because) for each in told)
    return replace(case, verified=(*case.verified, *told))


def _confirmed(each: Verified, by: str, because: str) -> Verified:
    if each.verdict is not Verdict.UNDETERMINED:
        return each
    return replace(each, verdict=Verdict.REFUTED, because=f"{because} (confirmed by {by})", settle="")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a case ends, as it was told."""

    by: str
    cause: str = ""
    prevention: str = ""
    unresolved: str = ""
    watch: str = _WATCH
    lessons: Lessons = field(default_factory=Lessons)


def close(case: Case, ended: Ended, at: datetime) -> Case:
    """The case closed: only where the solution was verified, or with the reason why it is not."""
    if case.closing is not None:
        raise UsageError(f"the case was closed at {case.closing.at:%Y-%m-%d} by {case.closing.by}")
    is_verified = case.verified and verifying.verdict(verifying.latest(case)) is Verdict.REFUTED
    if not is_verified and not ended.unresolved:
        raise UsageError(
            "the solution is not verified; run `clew case verify`, or say why not: `--unresolved REASON`"
        )
    cause = ended.cause or "; ".join(f"{each.says}: {each.because}" for each in verifying.planned(case))
    if not cause:
        raise UsageError("no cause was found; say what is known of it: `--cause TEXT`")
    until = at + times.duration(ended.watch) if ended.watch != "0d" else None
    closing = Closing(
        at, casing.who(ended.by), cause, ended.prevention, ended.unresolved, until, ended.lessons
    )
    return replace(case, closing=closing)


def watch(found: casing.Opened, seen: verifying.Seen, at: datetime) -> Case:
    """The case looked at again after it was closed."""
    case = found.case
    if case.closing is None:
        raise UsageError("the case is open; `clew case show` says what comes next")
    newer = {each.id for each in case.evidence if each.at >= case.closing.at}
    before, after = evidence.held(case, found.folder), evidence.held(case, found.folder, after=True)
    told = verifying.verified(case, before, after, at) if case.plan else ()
    told = tuple(each for each in told if newer & set(each.evidence))
    return replace(case, watched=(*case.watched, verifying.watched(told, seen, at)))


def escalate(case: Case, to: str, reason: str, by: str, at: datetime) -> Case:
    """The case handed to somebody else."""
    return replace(case, escalations=(*case.escalations, Escalation(at, to, reason, casing.who(by))))
