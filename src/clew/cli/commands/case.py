"""`clew case`: follow a fault in seven steps, in a folder that can be committed."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clew.cli import context

if TYPE_CHECKING:
    from clew.cases.model import Case
    from clew.cli.casing import Opened


class Output(StrEnum):
    """The forms in which a case is shown."""

    TEXT = "text"
    JSON = "json"


class Format(StrEnum):
    """The forms in which a case is exported."""

    MARKDOWN = "markdown"
    HTML = "html"
    PDF = "pdf"
    JSON = "json"
    TICKET = "ticket"


class Severity(StrEnum):
    """How much the fault hurts."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Verdict(StrEnum):
    """What a person says of a hypothesis."""

    TRUE = "true"
    REFUTED = "refuted"


Named = Annotated[str, typer.Argument(help="The case: its id, the beginning of it, or its folder.")]
By = Annotated[str, typer.Option(help="Who acts; else the user of this machine.")]
Files = Annotated[list[str] | None, typer.Argument(help="Files, or folders of files.")]
Events = Annotated[
    list[str] | None, typer.Option("--event", help="An event of the lake, by its id (repeatable).")
]
Findings = Annotated[
    list[str] | None, typer.Option("--finding", help="A kept finding, by its id (repeatable).")
]
Live = Annotated[
    bool, typer.Option("--live", help="Read what AWS says of the case's instance and bucket now.")
]
Region = Annotated[str, typer.Option(help="With --live: the region.")]
Profile = Annotated[str, typer.Option(help="With --live: the AWS profile (else the SDK's own).")]
Text = Annotated[Output, typer.Option("--output", "-o", help="text or json.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True, help="Follow a fault in seven steps, with evidence, to its cause."
    )
    commands = (
        ("open", opening), ("list", listing), ("show", show), ("attach", attach), ("hypotheses", hypotheses),
        ("plan", plan), ("approve", approve), ("done", done), ("verify", verify), ("close", close),
        ("watch", watch), ("escalate", escalate), ("export", export),
    )  # fmt: skip
    for name, command in commands:
        group.command(name)(command)
    app.add_typer(group, name="case")


def opening(
    title: Annotated[str, typer.Argument(help="What is wrong, in a few words.")],
    files: Files = None,
    error: Annotated[str, typer.Option(help="The error as you got it.")] = "",
    symptom: Annotated[
        list[str] | None,
        typer.Option(help="What is seen, where neither title nor error says it: timed-out:22 (repeatable)."),
    ] = None,
    event: Events = None,
    finding: Findings = None,
    instance: Annotated[str, typer.Option(help="The instance that it is about.")] = "",
    bucket: Annotated[str, typer.Option(help="The bucket that it is about.")] = "",
    key: Annotated[
        str, typer.Option(help="The key pair that they use, or the file of its private key.")
    ] = "",
    client: Annotated[str, typer.Option("--from", help="The address from which they come.")] = "",
    resource: Annotated[
        list[str] | None, typer.Option(help="Another resource that it is about, by id or ARN (repeatable).")
    ] = None,
    since: Annotated[str, typer.Option(help="When it was first seen: 2026-03-10T09:00Z, 2d ago.")] = "",
    severity: Annotated[Severity, typer.Option(help="How much it hurts.")] = Severity.MEDIUM,
    affected: Annotated[str, typer.Option(help="Who feels it.")] = "",
    change: Annotated[
        list[str] | None, typer.Option(help="What changed before, as far as you know (repeatable).")
    ] = None,
    by: By = "",
    identity: Annotated[str, typer.Option("--id", help="The case's id; else made of day and title.")] = "",
    folder: Annotated[str, typer.Option("--dir", help="The case's folder; else in the workspace.")] = "",
) -> None:
    """Open a case: what is seen, since when, on what; evidence at once, or later with `clew case attach`.

    What changed before is looked for in the lake.
    """
    from clew.cases.model import Severity as Weight
    from clew.cli import casing, casing_acts, casing_evidence

    at = casing.now()
    asked = casing_acts.Asked(
        title, identity, folder, error, tuple(symptom or ()), instance, bucket, key, client, tuple(resource or ()),
        since, Weight(severity.value), affected, by, tuple(change or ()),
    )  # fmt: skip
    made, place = casing_acts.opened(asked, at)
    found = (
        *casing_evidence.of_files(files or (), ""),
        *casing_evidence.of_events(event or ()),
        *casing_evidence.of_findings(finding or (), at),
    )
    casing.create(made, place)
    name = folder or made.id

    def act(opened: Opened) -> Case:
        case = casing_evidence.attach_all(opened.case, place, iter(found), at)
        return casing_evidence.with_changes(case, place, at)

    opened = casing.change(str(place), act)
    seen = ", ".join(each.symptom.words for each in opened.case.symptoms)
    casing.say(f"opened {made.id} in {context.printable(str(place))}\n")
    casing.say(f"  what is seen: {context.printable(seen) or 'not said; give --error or --symptom'}\n")
    casing.say_next(casing.Opened(name, place, opened.case))


def listing(output: Text = Output.TEXT) -> None:
    """List the cases of the workspace, open ones first, each with its answer so far."""
    import json

    from clew.cases import folder, steps
    from clew.cli import casing
    from clew.errors import InputError

    rows = []
    for path in casing.folders():
        try:
            case = folder.load(path)
        except InputError as error:
            context.complain(str(error))
            continue
        state = "open" if case.closing is None else "closed"
        rows.append((state, case.id, case.severity.value, case.title, steps.conclusion(case)))
    rows.sort(key=lambda row: (row[0] != "open", row[1]))
    if output is Output.JSON:
        names = ("state", "id", "severity", "title", "conclusion")
        casing.say(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2) + "\n")
        return
    for state, name, severity, title, conclusion in rows:
        casing.say(context.printable(f"{state:<7}{severity:<9}{name}  {title}") + "\n")
        casing.say(context.printable(f"                {conclusion}") + "\n")
    if not rows:
        casing.say('no case yet; `clew case open "what is wrong"` opens one\n')


def show(case: Named, output: Text = Output.TEXT) -> None:
    """Show a case: the answer so far, the seven steps, and what comes next.

    Exit codes: 0 all evidence is what was attached, 2 a file of the case is damaged, 3 evidence was changed.
    """
    import json

    from clew.cli import casing
    from clew.report import case_json, case_text

    opened = casing.load(case)
    problems = casing.warn(opened)
    if output is Output.JSON:
        document = case_json.document(opened.case, problems, opened.name, casing.now())
        casing.say(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    else:
        casing.say(case_text.overview(opened.case, problems, color=context.use_color()))
        casing.say_next(opened)
    if problems:
        raise typer.Exit(context.EXIT_PARTIAL)


def attach(
    case: Named,
    files: Files = None,
    about: Annotated[
        str, typer.Option(help="What the files are about, where their names do not say: i-0abc, a bucket.")
    ] = "",
    event: Events = None,
    finding: Findings = None,
    before: Annotated[
        bool, typer.Option("--before", help="What is attached was made before the plan was carried out.")
    ] = False,
    live: Live = False,
    region: Region = "",
    profile: Profile = "",
    error: Annotated[str, typer.Option(help="Another error as you got it.")] = "",
    symptom: Annotated[
        list[str] | None, typer.Option(help="What else is seen: refused:80 (repeatable).")
    ] = None,
    instance: Annotated[str, typer.Option(help="The instance that it is about.")] = "",
    bucket: Annotated[str, typer.Option(help="The bucket that it is about.")] = "",
    key: Annotated[str, typer.Option(help="The key pair that they use.")] = "",
    client: Annotated[str, typer.Option("--from", help="The address from which they come.")] = "",
    change: Annotated[list[str] | None, typer.Option(help="What changed before (repeatable).")] = None,
) -> None:
    """Attach evidence by id and SHA-256: outputs of the AWS CLI, logs, snapshots, events, findings, explanations.

    Files are copied into the case's folder. What a file is about stands in its name, as in
    `get-metric-statistics.i-0abc.json`, or is said with --about.
    """
    from clew.cli import casing, casing_evidence
    from clew.cli.casing_facts import Told, told

    at = casing.now()
    said = Told(error, tuple(symptom or ()), instance, bucket, key, client, tuple(change or ()))

    def act(opened: Opened) -> Case:
        held = told(opened.case, said)
        found = (
            *casing_evidence.of_files(files or (), about),
            *casing_evidence.of_events(event or ()),
            *casing_evidence.of_findings(finding or (), at),
            *(casing_evidence.live(held, region, profile, at) if live else ()),
        )
        after = casing_evidence.after_change(held) and not before
        held = casing_evidence.attach_all(held, opened.folder, iter(found), at, after=after)
        return casing_evidence.with_changes(held, opened.folder, at)

    casing.say_next(casing.change(case, act))


def hypotheses(
    case: Named,
    add: Annotated[str, typer.Option(help="Bring in a hypothesis of your own.")] = "",
    likelihood: Annotated[int, typer.Option(min=1, max=5, help="With --add: how likely, 1 to 5.")] = 3,
    impact: Annotated[int, typer.Option(min=1, max=5, help="With --add: how much stops, 1 to 5.")] = 3,
    component: Annotated[str, typer.Option(help="With --add: where it would lie.")] = "the application",
    settle: Annotated[str, typer.Option(help="Settle a hypothesis yourself, by its id.")] = "",
    verdict: Annotated[Verdict, typer.Option(help="With --settle: what you found.")] = Verdict.REFUTED,
    because: Annotated[str, typer.Option(help="With --settle: why.")] = "",
    by: By = "",
    output: Text = Output.TEXT,
) -> None:
    """Rank the hypotheses by likelihood × impact, and test each on the evidence: true, refuted or undetermined.

    Exit codes: 0 every hypothesis is refuted, 1 one is true, 3 none is, but some are open.
    """
    import json

    from clew.cases import fields
    from clew.cases.model import Verdict as Found
    from clew.cli import casing, casing_acts
    from clew.report import case_text

    at = casing.now()

    def act(opened: Opened) -> Case:
        found = casing_acts.examine(opened, at)
        if add:
            found = casing_acts.bring(found, casing_acts.Brought(add, likelihood, impact, component, by), at)
        return casing_acts.settle(found, settle, Found(verdict.value), because, by) if settle else found

    opened = casing.change(case, act)
    casing.warn(opened)
    if output is Output.JSON:
        held = fields.plain(opened.case.hypotheses) if opened.case.hypotheses else {}
        casing.say(json.dumps(held, indent=2, ensure_ascii=False) + "\n")
    else:
        casing.say(case_text.hypotheses(opened.case, color=context.use_color()))
        casing.say_next(opened)
    if opened.case.true:
        raise typer.Exit(context.EXIT_FINDINGS)
    if opened.case.of(Found.UNDETERMINED):
        raise typer.Exit(context.EXIT_PARTIAL)


def plan(
    case: Named,
    window: Annotated[str, typer.Option(help="When it is done: a maintenance window, in your words.")] = "",
    inform: Annotated[list[str] | None, typer.Option(help="Whom to tell (repeatable).")] = None,
    trial: Annotated[str, typer.Option(help="On what it is tried first.")] = "",
    hypothesis: Annotated[
        list[str] | None, typer.Option("--for", help="Plan for this hypothesis all the same (repeatable).")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Make the steps anew.")] = False,
) -> None:
    """Plan what mends the hypotheses that are true: each step with risk, backup, way back, trial and how to verify.

    The plan is `plan.yaml` in the case's folder, there to be edited; nothing is done to AWS.
    """
    from clew.cli import casing, casing_acts
    from clew.report import case_text

    at = casing.now()
    wishes = casing_acts.Wishes(window, tuple(inform or ()), trial, tuple(hypothesis or ()), again)
    opened = casing.change(case, lambda opened: casing_acts.plan(opened, wishes, at))
    casing.say(case_text.plan(opened.case))
    casing.say_next(opened)


def approve(
    case: Named,
    by: Annotated[str, typer.Option(help="Who approves.")],
    note: Annotated[str, typer.Option(help="On what condition.")] = "",
) -> None:
    """Approve the plan as it is now; an approval is void when the plan is changed."""
    from clew.cases import planning
    from clew.cli import casing, casing_acts

    at = casing.now()
    opened = casing.change(case, lambda opened: casing_acts.approve(opened.case, by, note, at))
    if opened.case.plan is not None:
        casing.say(f"approved by {context.printable(by)}: plan {planning.digest(opened.case.plan)[:16]}\n")
    casing.say_next(opened)


def done(
    case: Named,
    step: Annotated[int, typer.Argument(help="The number of the step.")],
    by: By = "",
    note: Annotated[str, typer.Option(help="What was seen.")] = "",
    urgent: Annotated[str, typer.Option(help="Why it could not wait for an approval.")] = "",
) -> None:
    """Say that a step of the plan was carried out."""
    from clew.cli import casing, casing_acts

    at = casing.now()
    casing.say_next(
        casing.change(case, lambda opened: casing_acts.done(opened.case, step, by, note, urgent, at))
    )


def verify(
    case: Named,
    files: Files = None,
    about: Annotated[str, typer.Option(help="What the files are about.")] = "",
    event: Events = None,
    live: Live = False,
    region: Region = "",
    profile: Profile = "",
    confirmed_by: Annotated[
        str, typer.Option(help="Who saw that it works, where no evidence can show it.")
    ] = "",
    because: Annotated[str, typer.Option(help="With --confirmed-by: what was seen to work.")] = "",
) -> None:
    """Test again what was true, on evidence of after the change alone: a refused request is decided anew.

    Exit codes: 0 mended, 1 not mended, 3 not known.
    """
    from clew.cases import verifying
    from clew.cases.model import Verdict as Found
    from clew.cli import casing, casing_acts, casing_evidence
    from clew.report import case_text

    at = casing.now()

    def act(opened: Opened) -> Case:
        held, folder = opened.case, opened.folder
        found = (
            *casing_evidence.of_files(files or (), about),
            *casing_evidence.of_events(event or ()),
            *casing_evidence.findings_again(held, folder, at),
            *(casing_evidence.live(held, region, profile, at) if live else ()),
        )
        if held.implemented_at is not None:
            held = casing_evidence.attach_all(held, folder, iter(found), at, after=True)
        return casing_acts.verify(casing.Opened(opened.name, folder, held), confirmed_by, because, at)

    opened = casing.change(case, act)
    casing.warn(opened)
    latest = verifying.latest(opened.case)
    casing.say(case_text.verified(latest))
    casing.say_next(opened)
    codes = {Found.TRUE: context.EXIT_FINDINGS, Found.REFUTED: context.EXIT_CLEAN}
    raise typer.Exit(codes.get(verifying.verdict(latest), context.EXIT_PARTIAL))


def close(
    case: Named,
    by: By = "",
    cause: Annotated[str, typer.Option(help="The root cause; else what was true.")] = "",
    prevention: Annotated[str, typer.Option(help="What keeps it from coming back.")] = "",
    effectiveness: Annotated[str, typer.Option(help="Lesson: did it solve the problem, wholly?")] = "",
    time: Annotated[str, typer.Option(help="Lesson: how long did it take, and what took longest?")] = "",
    cost: Annotated[str, typer.Option(help="Lesson: what did it cost?")] = "",
    quality: Annotated[str, typer.Option(help="Lesson: how good and lasting is the solution?")] = "",
    safety: Annotated[str, typer.Option(help="Lesson: what risks did it bring or take away?")] = "",
    unresolved: Annotated[str, typer.Option(help="Close without a verified solution, for this reason.")] = "",
    watch: Annotated[
        str, typer.Option(help="How long to look whether it comes back; 0d not at all.")
    ] = "30d",
) -> None:
    """Close a case: root cause, prevention, and the lessons; then it is watched for some time."""
    from clew.cases.model import Lessons
    from clew.cli import casing, casing_acts

    at = casing.now()
    ended = casing_acts.Ended(
        by, cause, prevention, unresolved, watch, Lessons(effectiveness, time, cost, quality, safety)
    )
    casing.say_next(casing.change(case, lambda opened: casing_acts.close(opened.case, ended, at)))


def watch(
    case: Named,
    files: Files = None,
    about: Annotated[str, typer.Option(help="What the files are about.")] = "",
    event: Events = None,
    live: Live = False,
    region: Region = "",
    profile: Profile = "",
) -> None:
    """Look whether a closed case came back: in the lake, among the findings, on new evidence.

    Exit codes: 0 it did not come back, 1 it came back, 3 nobody can tell.
    """
    from clew.cases.model import Verdict as Found
    from clew.cli import casing, casing_acts, casing_evidence, casing_watch

    at = casing.now()

    def act(opened: Opened) -> Case:
        found = (
            *casing_evidence.of_files(files or (), about),
            *casing_evidence.of_events(event or ()),
            *(casing_evidence.live(opened.case, region, profile, at) if live else ()),
        )
        held = casing_evidence.attach_all(opened.case, opened.folder, iter(found), at, after=True)
        now = casing.Opened(opened.name, opened.folder, held)
        return casing_acts.watch(now, casing_watch.since_closing(now, at), at)

    opened = casing.change(case, act)
    casing.warn(opened)
    last = opened.case.watched[-1]
    words = {
        Found.TRUE: "it came back",
        Found.REFUTED: "it did not come back",
        Found.UNDETERMINED: "not known",
    }
    casing.say(context.printable(f"{words[last.verdict]}: {last.because}") + "\n")
    casing.say_next(opened)
    codes = {Found.TRUE: context.EXIT_FINDINGS, Found.REFUTED: context.EXIT_CLEAN}
    raise typer.Exit(codes.get(last.verdict, context.EXIT_PARTIAL))


def escalate(
    case: Named,
    to: Annotated[str, typer.Option(help="To whom: AWS Support, a colleague, a community.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    by: By = "",
) -> None:
    """Hand a case to somebody else; `clew case export` writes what to hand over."""
    from clew.cli import casing, casing_acts

    at = casing.now()
    opened = casing.change(case, lambda opened: casing_acts.escalate(opened.case, to, reason, by, at))
    casing.say(f"handed to {context.printable(to)}; what to hand over:\n")
    casing.say(f"      clew case export {context.printable(opened.name)} --output ticket\n")
    casing.say_next(opened)


def export(
    case: Named,
    form: Annotated[
        Format, typer.Option("--output", "-o", "--format", "-f", help="markdown, html, pdf, json or ticket.")
    ] = Format.MARKDOWN,
    out: Annotated[Path | None, typer.Option("--out", help="The file; else standard output.")] = None,
) -> None:
    """Write the report of a case: as Markdown, as one HTML page, as PDF, as JSON, or as a ticket.

    Exit codes: 0 all evidence is what was attached, 3 evidence was changed: the report says which.
    """
    from clew.cli import casing
    from clew.cli.casing_export import exported, written

    opened = casing.load(case)
    problems = casing.warn(opened)
    data = exported(opened, problems, form.value)
    written(data, out, is_binary=form is Format.PDF)
    if out is not None:
        casing.say(f"wrote {context.printable(str(out))}\n")
        casing.say_next(opened)
    if problems:
        raise typer.Exit(context.EXIT_PARTIAL)
