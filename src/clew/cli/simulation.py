"""How `clew simulate` answers: each request decided, then printed in the form that was asked for."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.cli import context
from clew.cli.simulation_inputs import hints, question
from clew.cli.simulation_options import FailOn, Output
from clew.engine import Context, Effect, Request, prepare
from clew.engine.derive import derived, never_of_somebody
from clew.reach.applied import NO_ACCOUNT, applied, is_about_action
from clew.report.decision import Answer
from clew.report.decision_text import explanation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clew.cli.simulation_inputs import Asked, Question
    from clew.engine import Prepared
    from clew.reach.applied import Applied

# More pairs than this are told by what settles them, not line by line.
_TABLE_ROWS = 40


@dataclass(frozen=True, slots=True)
class Form:
    """How the answers are given."""

    output: Output | None
    explain: bool
    fail_on: FailOn | None
    save: str | None


def answer(asked: Asked, form: Form) -> int:
    """Decide every request of the question and print the answers; the exit code."""
    posed = question(asked)
    answers = decided(posed)
    _print(answers, form)
    if form.save is not None:
        from clew.cli.simulation_evidence import save

        save(form.save, posed, answers, datetime.now(UTC))
    return _code(answers, form.fail_on)


def _code(answers: Sequence[Answer], fail_on: FailOn | None) -> int:
    """1 when an answer is what must not be; a request that is denied in any case is denied."""
    must_not_be = {None: None, FailOn.ALLOWED: True, FailOn.DENIED: False}[fail_on]
    if must_not_be is not None and any(each.decision.allowed is must_not_be for each in answers):
        return context.EXIT_FINDINGS
    is_open = any(each.decision.effect is Effect.UNDETERMINED for each in answers)
    return context.EXIT_PARTIAL if is_open else context.EXIT_CLEAN


def decided(posed: Question) -> list[Answer]:
    """The answer to each request of the question, in order."""
    ready: dict[tuple[str, str], tuple[Applied, Prepared]] = {}
    answers = []
    for action, resource in posed.pairs:
        key = (resource, action.lower() if is_about_action(action) else "")
        if key not in ready:
            found = _applied(posed, action, resource)
            ready[key] = found, prepare(found.policies)
        found, prepared = ready[key]
        request = _request(posed, found, action, resource)
        answers.append(Answer(request, found, prepared.authorize(request), hints(action, resource)))
    return answers


def _applied(posed: Question, action: str, resource: str) -> Applied:
    return applied(
        posed.snapshot,
        posed.principal,
        action,
        resource,
        resource_account=posed.resource_account,
        given=posed.given,
        choice=posed.choice,
        given_keys=(*posed.carried.values, *posed.carried.absent),
    )


def _request(posed: Question, found: Applied, action: str, resource: str) -> Request:
    """The request in its context: what was given, what the files make certain, and what follows from the request."""
    given = posed.carried.values
    named = {key.lower() for key in (*given, *posed.carried.absent)}
    values = {key: value for key, value in found.context.items() if key.lower() not in named}
    unknown = [missing.key for missing in found.missing] if posed.complete else None
    bare = Request(
        found.principal,
        action,
        resource,
        found.resource_account,
        Context({**values, **given}, unknown=unknown, absent=(*found.absent, *posed.carried.absent)),
    )
    full = derived(bare)
    if not found.is_stand_in:
        return full
    # Nobody in particular asks: who it is stays open, only the account is known.
    about = {
        key: value
        for key, value in (
            (
                "aws:PrincipalAccount",
                None if NO_ACCOUNT in bare.principal else full.context.get("aws:principalaccount"),
            ),
            ("aws:ResourceAccount", full.context.get("aws:resourceaccount")),
            ("aws:RequestedRegion", full.context.get("aws:requestedregion")),
            ("aws:PrincipalIsAWSService", "false"),
        )
        if isinstance(value, str)
    }
    context = bare.context.with_defaults(about, absent=never_of_somebody(bare.context))
    return Request(bare.principal, action, resource, bare.resource_account, context)


def _print(answers: Sequence[Answer], form: Form) -> None:
    chosen = form.output or _configured()
    match chosen:
        case Output.JSON | Output.JSONL | Output.CSV | Output.AWS:
            _print_data(answers, chosen)
        case Output.TABLE:
            _print_table(answers)
        case Output.TEXT if form.explain or len(answers) == 1:
            sys.stdout.write("\n".join(_explained(answers, full=form.explain)))
        case Output.TEXT if len(answers) <= _TABLE_ROWS:
            _print_table(answers)
        case Output.TEXT:
            from clew.report.decision_table import groups

            sys.stdout.write(groups(answers, width=_width(), color=context.use_color()))


def _configured() -> Output:
    """The configured form, where decisions have it: a table is told as text."""
    word = context.config().output
    return Output(word) if word in {"json", "jsonl", "csv"} else Output.TEXT


def _explained(answers: Iterable[Answer], *, full: bool) -> Iterable[str]:
    return (explanation(each, width=_width(), color=context.use_color(), full=full) for each in answers)


def _print_table(answers: Sequence[Answer]) -> None:
    from clew.report.decision_table import table

    sys.stdout.write(table(answers, width=_width(), color=context.use_color()))


def _width() -> int:
    from clew.cli.detection import width

    return width()


def _print_data(answers: Sequence[Answer], form: Output) -> None:
    from clew.report import decision_aws, decision_json

    if form is Output.JSON:
        print(json.dumps({"answers": [decision_json.to_dict(each) for each in answers]}, indent=2))
    elif form is Output.JSONL:
        for each in answers:
            print(json.dumps(decision_json.to_dict(each)))
    elif form is Output.CSV:
        csv.writer(sys.stdout, lineterminator="\n").writerows(decision_json.csv_rows(answers))
    else:
        print(json.dumps(decision_aws.response(answers), indent=4))
        if any(each.decision.effect is Effect.UNDETERMINED for each in answers):
            context.note(
                "IAM's answers know no `undetermined`: keys that are not given are taken as absent there; "
                "`MissingContextValues` names them, and the exit code is 3"
            )


def print_live_permissions(asked: Asked) -> int:
    """Print the policy that asking the same question of live AWS takes; the exit code."""
    from clew.cli.simulation_live import live_policy

    print(json.dumps(live_policy(asked), indent=4))
    return context.EXIT_CLEAN
