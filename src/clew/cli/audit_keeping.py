"""How an audit is kept in the workspace, and what changed since the run before."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from clew.cli import context
from clew.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.audit.results import Audit, Step
    from clew.findings import Finding
    from clew.store.database import Database
    from clew.store.findings import Outcome, Run

_STEPS = 12
_WARNED = 5


@dataclass
class _Change:
    """What the runs of all accounts together say, account by account."""

    findings: list[Finding] = field(default_factory=list)
    fixed: list[Finding] = field(default_factory=list)
    new: set[str] = field(default_factory=set)
    still: set[str] = field(default_factory=set)
    before: list[datetime] = field(default_factory=list)


def kept(audit: Audit, now: datetime) -> Audit:
    """The audit with the standing that its findings have in the workspace, and its trend.

    An audit of a state that is older than what was kept last changes nothing; without the extra `lake` there is no
    state to keep it in. Both are said.
    """
    try:
        from clew.store.database import Database
    except MissingExtraError as error:
        context.note(f"findings are not kept and not compared: {error}")
        return audit
    with Database(context.workspace().create().state_path) as database:
        late = _later(database, audit)
        if late is not None:
            context.note(
                f"a state of {late:%Y-%m-%d %H:%M} UTC was audited before; this older one is not kept"
            )
            return audit
        return _taken(database, audit, now)


def _taken(database: Database, audit: Audit, now: datetime) -> Audit:
    from clew.audit.results import Trend

    steps = _steps(database, audit)
    change = _Change()
    outcomes = [_account(database, audit, account, now, change) for account in audit.accounts]
    _warn(outcomes)
    since = max(change.before, default=None)
    trend = Trend(since, frozenset(change.new), frozenset(change.still), tuple(change.fixed), steps)
    return replace(audit, findings=tuple(change.findings), trend=trend)


def _account(database: Database, audit: Audit, account: str, now: datetime, change: _Change) -> Outcome:
    """Take in what the audit says of one account; what it does not find says nothing of another's."""
    from clew.store.findings import trend, upsert

    producer = f"audit:{account}"
    runs = trend(database, producer)
    asked_before = {rule for run in runs for rule in _texts(run, "rules")}
    change.before += [_as_of(run) or run.at for run in runs[-1:]]
    outcome = upsert(
        database,
        [finding for finding in audit.findings if finding.accounts == ((account,) if account else ())],
        now,
        producer=producer,
        covered=audit.settled_rules(account),
        cleared=audit.cleared(account),
        gap=None,
        detail=_detail(audit, account),
    )
    fresh = {*outcome.new, *outcome.reopened}
    change.findings += outcome.findings
    change.fixed += outcome.fixed
    # What a check says that was never asked before is neither new nor old.
    change.new |= {f.id for f in outcome.findings if f.id in fresh and f.rule in asked_before}
    change.still |= {f.id for f in outcome.findings if f.id not in fresh}
    return outcome


def _detail(audit: Audit, account: str) -> dict[str, object]:
    return {
        "as_of": audit.as_of.isoformat(),
        "question": _question(audit),
        "counts": {verdict.value: count for verdict, count in audit.counts.items()},
        "rules": sorted({each.check.id for each in audit.judged if each.account == account}),
    }


def _question(audit: Audit) -> str:
    """What was asked, so that only runs of the same question stand in one picture."""
    from clew.findings import finding_id

    asked = sorted(f"{each.check.id} {each.thresholds}" for each in audit.judged)
    return finding_id(*(each.id for each in audit.frameworks), *audit.accounts, *asked)


def _steps(database: Database, audit: Audit) -> tuple[Step, ...]:
    """The last runs of the same question, oldest first, this one at the end."""
    from clew.audit.results import Step
    from clew.store.findings import trend

    question = _question(audit)
    now = Step(audit.as_of, {verdict.value: count for verdict, count in audit.counts.items()})
    found: dict[datetime, Step] = {}
    for run in trend(database, f"audit:{audit.accounts[0]}"):
        as_of, counts = _as_of(run), run.detail.get("counts")
        if as_of and run.detail.get("question") == question and isinstance(counts, dict):
            found[as_of] = Step(as_of, counts)
    return tuple((found | {audit.as_of: now}).values())[-_STEPS:]


def _later(database: Database, audit: Audit) -> datetime | None:
    from clew.store.findings import trend

    times = (_as_of(run) for account in audit.accounts for run in trend(database, f"audit:{account}"))
    last = max((time for time in times if time is not None), default=None)
    return last if last is not None and last > audit.as_of else None


def _as_of(run: Run) -> datetime | None:
    text = run.detail.get("as_of")
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _texts(run: Run, name: str) -> list[str]:
    value = run.detail.get(name)
    return [str(each) for each in value] if isinstance(value, list) else []


def _warn(outcomes: Iterable[Outcome]) -> None:
    """Say once which suppressions hide nothing, and which have ended although they would."""
    from clew.store.suppression import Suppression

    found = tuple(outcomes)
    expired: dict[str, Suppression] = {s.id: s for each in found for s in each.expired_suppressions}
    for one in list(expired.values())[:_WARNED]:
        context.note(f"suppression `{one.id}` ({one.scope}) has expired: what it hid is active again")
    unused = [s for s in (found[-1].unused_suppressions if found else ()) if s.id not in expired]
    for one in unused[:_WARNED]:
        context.note(f"suppression `{one.id}` ({one.scope}) fits no finding")
