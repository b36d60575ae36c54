"""`clew explain`: why was it refused, which statement did it, and what would be the smallest fix."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from clew.cli import state_files

_TEXT = "message"


class Output(StrEnum):
    """The forms in which an explanation is printed."""

    TEXT = "text"
    JSON = "json"


class FixAs(StrEnum):
    """The forms in which a fix is printed alone."""

    DIFF = "diff"
    JSON_PATCH = "json-patch"
    CLI = "cli"
    UNDO = "undo"
    CLOUDFORMATION = "cloudformation"
    TERRAFORM = "terraform"
    PLAN = "plan"


class _MessageFirst(TyperGroup):
    """A group of commands in which whatever is no command's name is the message to explain."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the first command before arguments that name none."""
        names = {*self.commands, *ctx.help_option_names}
        if args and args[0] not in names:
            args = [_TEXT, *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        cls=_MessageFirst,
        no_args_is_help=True,
        help="""Why was it refused, and what is the smallest fix?

        `clew explain TEXT`, `clew explain -`, `clew explain --event ID` and `clew explain --since TIME` explain
        refusals: `clew explain message -h` lists their options.""",
    )
    group.command(_TEXT)(message)
    group.command("assume-role")(assume_role)
    # Each integration has options of its own, which its module names: they are read there.
    own_options = {"allow_extra_args": True, "ignore_unknown_options": True}
    group.command("integration", context_settings=own_options)(integration)
    app.add_typer(group, name="explain")


def message(
    text: Annotated[
        str | None,
        typer.Argument(help="The text of the refusal, or anything that holds it; `-` reads standard input."),
    ] = None,
    event: Annotated[
        str | None, typer.Option(help="The refused call with this event id, from the lake.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="Every refusal in the lake from this time on (2026-03-10, 7d ago), by cause."),
    ] = None,
    policies: Annotated[
        list[str] | None,
        typer.Option(help=state_files.HELP),
    ] = None,
    principal: Annotated[
        str, typer.Option(help="Who asked, where the text does not say: an ARN, as of get-caller-identity.")
    ] = "",
    resource: Annotated[
        str, typer.Option(help="The ARN of what was asked for, where the text does not say.")
    ] = "",
    decode: Annotated[
        bool, typer.Option("--decode", help="Ask STS what an encoded authorization message says.")
    ] = False,
    profile: Annotated[str | None, typer.Option(help="AWS profile for `--decode`.")] = None,
    fix_as: Annotated[
        FixAs | None,
        typer.Option(
            help="Print the fix alone: diff, json-patch, cli, undo, cloudformation, terraform; plan for clew fix."
        ),
    ] = None,
    fix: Annotated[int, typer.Option(help="With --fix-as: which of the fixes.")] = 1,
    output: Annotated[Output, typer.Option("--output", "-o", help="text or json.")] = Output.TEXT,
) -> None:
    """Explain a refusal: from its text, from a recorded call, or all refusals of some time.

    The cause in one sentence, gate by gate, and the smallest fix; what is not known is said, with what would settle it.

    Exit codes: 0 the cause is known, 2 no refusal was found, 3 it is open.
    """
    from clew.cli.explaining import Asked, answer
    from clew.cli.fix_forms import Form

    asked = Asked(
        text,
        event,
        since,
        tuple(policies or ()),
        as_json=output is Output.JSON,
        decode=decode,
        profile=profile,
        fix_as=None if fix_as is None else Form(fix_as.value),
        fix=fix,
        principal=principal,
        resource=resource,
    )
    raise typer.Exit(answer(asked))


def assume_role(
    caller: Annotated[
        str, typer.Option("--from", help="Who assumes: a user, role, session, identity provider or service.")
    ],
    role: Annotated[str, typer.Option("--to", help="The ARN of the role.")],
    policies: Annotated[list[str] | None, typer.Option(help=state_files.HELP)] = None,
    context: Annotated[
        list[str] | None, typer.Option(help="What is known of the call: KEY=VALUE (repeatable).")
    ] = None,
    action: Annotated[
        str, typer.Option(help="The call that was made; else the one that fits the caller.")
    ] = "",
    duration: Annotated[str, typer.Option(help="How long the session should last: 12h.")] = "",
    at: Annotated[str, typer.Option(help="When the call was made; else now.")] = "",
    output: Annotated[Output, typer.Option("--output", "-o", help="text or json.")] = Output.TEXT,
) -> None:
    """Why can this caller not assume that role? Every hypothesis in order, each tested on the policies.

    Exit codes: 0 every hypothesis is refuted, 1 one is confirmed, 2 the question is malformed, 3 one is open.
    """
    from clew.cli.doctoring import answer_assume_role

    code = answer_assume_role(
        caller,
        role,
        policies=policies or (),
        keys=context or (),
        action=action,
        duration=duration,
        at=at,
        as_json=output is Output.JSON,
    )
    raise typer.Exit(code)


def integration(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="Which: lambda-logs, cloudtrail-delivery, ….", show_default=False)
    ] = None,
    policies: Annotated[list[str] | None, typer.Option(help=state_files.HELP)] = None,
    account: Annotated[str, typer.Option(help="The account, where the files hold several.")] = "",
    output: Annotated[Output, typer.Option("--output", "-o", help="text or json.")] = Output.TEXT,
) -> None:
    """Which link of an integration is broken? Each in order, on what was collected, with evidence and fix.

    Without a name: every integration, what it looks at, and the options that it takes: `--function`, `--bucket`, ….

    Exit codes: 0 every link holds, 1 one is broken, 2 the question is malformed, 3 one is not known.
    """
    from clew.cli.doctoring import answer_integration, list_integrations

    if name is None:
        raise typer.Exit(list_integrations(as_json=output is Output.JSON))
    code = answer_integration(
        name, ctx.args, account=account, policies=policies or (), as_json=output is Output.JSON
    )
    raise typer.Exit(code)
