"""How `clew fix` finds what to change, plans, applies, verifies and takes back."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.cli import context, fix_text
from clew.errors import InputError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from clew.findings import Finding
    from clew.respond.carry_out import Done
    from clew.respond.model import Action, Change, Options, State, Target
    from clew.respond.session import Door, Session
    from clew.store.journal import Journal

_LIST, _ACTIONS = "list", "actions"


@dataclass(frozen=True, slots=True)
class Asked:
    """What to change, as the user named it; parts that were not given are empty."""

    finding: str
    check: str
    action: str
    resource: str
    settings: tuple[str, ...]
    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Manner:
    """What to do with it, how to print, and the snapshot to plan with instead of asking AWS."""

    apply: bool
    approved: str
    irreversible: bool
    undo: str
    force: bool
    output: str
    snapshot: Path | None = None

    @property
    def writes(self) -> bool:
        """Whether something is changed."""
        return self.apply or bool(self.undo)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to change, with the parts of the finding filled in."""

    finding: str
    rule: str
    action: Action
    resource: str
    account: str
    region: str
    options: Options


def carry_out(asked: Asked, manner: Manner, *, profile: str | None, role: str | None, only_plan: bool) -> int:
    """Do what was asked; the exit code."""
    if only_plan and manner.writes:
        raise UsageError("`--plan` does nothing, so it does not go with `--apply` or `--undo`")
    if manner.snapshot and manner.writes:
        raise UsageError("`--snapshot` plans only; `--apply` and `--undo` read AWS as it is")
    if asked.finding == _ACTIONS:
        return _say(fix_text.actions())
    if asked.finding == _LIST:
        return _list()
    wanted = None if manner.undo else _wanted(asked)
    if wanted and manner.snapshot:
        return _offline(wanted, manner, manner.snapshot)
    try:
        entrance = door_of(asked, profile, role)
    except (InputError, MissingExtraError) as error:
        if wanted is None or manner.writes or profile or role:
            raise
        return _without_credentials(wanted, manner, error)
    if wanted is None:
        return _undo(manner, entrance)
    change, session = _planned(wanted, entrance)
    basis = fix_text.Basis(session.caller)
    return apply(change, session, manner) if manner.apply else preview(change, basis, manner)


def door_of(asked: Asked, profile: str | None, role: str | None) -> Door:
    """The way into AWS with these credentials. Errors: `InputError` without any."""
    from clew.collect.asking import Clock
    from clew.respond.session import Credentials, door

    clock = Clock(lambda: datetime.now(UTC), time.sleep)
    return door(Credentials(profile, role), clock, asked.region or None)


def _without_credentials(wanted: Wanted, manner: Manner, error: Exception) -> int:
    """Plan with the newest snapshot of the workspace, and say why; without one the error stands."""
    from clew.cli.state_files import newest_snapshot

    try:
        path = newest_snapshot()
    except UsageError:
        raise error from None
    context.note(f"AWS cannot be asked ({error}); planned with the newest snapshot instead")
    return _offline(wanted, manner, path)


def _offline(wanted: Wanted, manner: Manner, path: Path) -> int:
    from clew.audit.state import collected_at
    from clew.respond.offline import Recorded
    from clew.snapshot import file

    found = file.read(path)
    recorded = Recorded(found.answers, str(path), collected_at(found, str(path)))
    account = recorded.owner(wanted.resource, wanted.account)
    target = _target(wanted, account, recorded.partition)
    change = _change(wanted, target, recorded.state(wanted.action.needs(target, wanted.options)))
    basis = fix_text.Basis(file=str(path), as_of=f"{recorded.collected_at:%Y-%m-%d %H:%M} UTC")
    return preview(change, basis, manner)


def _say(lines: Iterator[str]) -> int:
    for line in lines:
        sys.stdout.write(f"{context.printable(line)}\n")
    return context.EXIT_CLEAN


def _list() -> int:
    with _journal(create=False) as journal:
        return _say(fix_text.listing(journal.all()))


def _wanted(asked: Asked) -> Wanted:
    from clew.respond.actions import named
    from clew.respond.rules import RULES

    found = _finding(asked.finding) if asked.finding else None
    rule = asked.check or (found.rule if found else "")
    remedy = RULES.get(rule)
    if not asked.action and remedy is None:
        if not rule:
            raise UsageError(
                "fix what? name a finding, or `--check` and `--resource`; see `clew findings list`"
            )
        raise UsageError(f"no action remedies `{rule[:80]}`; `clew fix actions` shows what there is")
    action = named(asked.action or (remedy.action if remedy else ""))
    implied = dict(remedy.options) if remedy and remedy.action == action.id else {}
    resource = asked.resource or next(iter(found.resources if found else ()), "")
    if not resource:
        raise UsageError("which resource? give `--resource ARN`")
    return Wanted(
        found.id if found else "",
        rule,
        action,
        resource,
        asked.account or next(iter(found.accounts if found else ()), ""),
        asked.region or next(iter(found.regions if found else ()), ""),
        implied | _options(asked.settings),
    )


def _finding(start: str) -> Finding:
    from clew.store.database import Database
    from clew.store.findings import kept_finding

    with Database(context.workspace().state_path, create=False) as database:
        return kept_finding(database, start, datetime.now(UTC))[0].finding


def _options(settings: tuple[str, ...]) -> Options:
    found = {}
    for text in settings:
        name, separator, value = text.partition("=")
        if not (name and separator):
            raise UsageError(f"`{text[:80]}` is no option; expected NAME=VALUE")
        found[name] = value
    return found


def _planned(wanted: Wanted, entrance: Door) -> tuple[Change, Session]:
    found = _target(wanted, wanted.account or entrance.own.account, entrance.partition)
    session = entrance.into(found.place.account)
    return _change(wanted, found, session.state(wanted.action.needs(found, wanted.options))), session


def _target(wanted: Wanted, account: str, partition: str) -> Target:
    from clew.respond.model import check_options
    from clew.respond.targets import target

    found = target(
        wanted.action.kind, wanted.resource, account=account, region=wanted.region, partition=partition
    )
    check_options(wanted.action, wanted.options)
    return found


def _change(wanted: Wanted, target: Target, state: State) -> Change:
    from clew.respond.model import plan

    return plan(wanted.action, target, wanted.options, state, finding=wanted.finding, rule=wanted.rule)


def preview(change: Change, basis: fix_text.Basis, manner: Manner) -> int:
    """Print the plan in the form that was asked for; the exit code."""
    from clew.respond import templates

    match manner.output:
        case "json":
            return _say(fix_text.as_json(change, basis))
        case "cli":
            return _say(fix_text.commands(change))
        case "cloudformation":
            return _say(fix_text.template(templates.cloudformation(change.steps)))
        case "terraform":
            return _say(iter(templates.terraform(change.steps).splitlines()))
    return _say(fix_text.preview(change, basis))


def apply(
    change: Change,
    session: Session,
    manner: Manner,
    verified: Callable[[Change, Session], bool] | None = None,
) -> int:
    """Make the change, verify it and say how to take it back; the exit code."""
    from clew.respond import carry_out

    _say(fix_text.preview(change, fix_text.Basis(session.caller), applying=True))
    if not change.steps:
        return context.EXIT_CLEAN
    _check_approval(change, manner)
    with _journal() as journal:
        done = carry_out.apply(change, session, journal)
    _told(done)
    _say(iter([f"To take it back: clew fix --undo {done.fix}"]))
    is_remedied = (verified or _verified)(change, session)
    return context.EXIT_PARTIAL if done.problems or not is_remedied else context.EXIT_CLEAN


def _check_approval(change: Change, manner: Manner) -> None:
    if manner.approved and manner.approved != change.fingerprint:
        raise UsageError(
            f"the plan is now `{change.fingerprint}`, approved was `{manner.approved[:40]}`; nothing was changed"
        )
    reasons = [step.why_irreversible for step in change.steps if step.why_irreversible]
    if reasons and not manner.irreversible:
        raise UsageError(f"{reasons[0]}; nothing was changed; give `--irreversible` to do it all the same")


def _verified(change: Change, session: Session) -> bool:
    """Say what the check that found it says now; False where it still fails."""
    from clew.audit.checks import CHECKS
    from clew.audit.model import Verdict
    from clew.respond.verify import judged

    check = CHECKS.get(change.rule)
    if check is None:
        return True
    found = judged(check, change, session)
    lines = [f"check {check.id}: {j.verdict.value}: {j.message}" for j in found]
    _say(
        iter(lines or [f"check {check.id} says nothing of {change.target.arn} from what can be read at once"])
    )
    return all(judgement.verdict is not Verdict.FAIL for judgement in found)


def _undo(manner: Manner, entrance: Door) -> int:
    from clew.respond.carry_out import undo

    with _journal(create=False) as journal:
        fix = journal.of(manner.undo)
        session = entrance.into(fix.account)
        done = undo(fix, session, journal, force=manner.force)
    _told(done)
    return context.EXIT_PARTIAL if done.problems else context.EXIT_CLEAN


def _told(done: Done) -> None:
    _say(fix_text.done(done))
    for problem in done.problems:
        context.complain(problem)


@contextmanager
def _journal(*, create: bool = True) -> Iterator[Journal]:
    from clew.store.database import Database
    from clew.store.journal import Journal

    workspace = context.workspace()
    path = (workspace.create() if create else workspace).state_path
    with Database(path, create=create, durable=True) as database:
        yield Journal(database)
