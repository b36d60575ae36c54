"""`clew who-can` and `clew what-can`: access over all principals of the accounts at hand."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from clew.cli import state_files


class Output(StrEnum):
    """The forms in which access is printed."""

    TEXT = "text"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("who-can")(who_can)
    app.command("what-can")(what_can)


_POLICIES = state_files.HELP
_CONTEXT = "A context key that is given, KEY=VALUE (repeatable); all others stay open."


def who_can(
    action: Annotated[str, typer.Argument(help="The action, such as s3:GetObject.")],
    resource: Annotated[str, typer.Argument(help="The resource's ARN, or *.")] = "*",
    policies: Annotated[list[str] | None, typer.Option(help=_POLICIES)] = None,
    context: Annotated[list[str] | None, typer.Option(help=_CONTEXT)] = None,
    resource_account: Annotated[
        str | None, typer.Option(help="The account of a resource whose ARN does not name it.")
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="text or json.")] = Output.TEXT,
) -> None:
    """List who can do an action on a resource, over all users, roles, roots and the anonymous caller.

    What depends on the request's context is told as a condition; outsiders that the resource's policy names are listed.
    """
    from clew.cli.access import print_who

    print_who(
        action,
        resource,
        tuple(policies or ()),
        tuple(context or ()),
        resource_account,
        as_json=output is Output.JSON,
    )


def what_can(
    principal: Annotated[str, typer.Argument(help="The user's or role's ARN.")],
    policies: Annotated[list[str] | None, typer.Option(help=_POLICIES)] = None,
    context: Annotated[list[str] | None, typer.Option(help=_CONTEXT)] = None,
    full: Annotated[bool, typer.Option("--full", help="List every action.")] = False,
    output: Annotated[Output, typer.Option("--output", "-o", help="text or json.")] = Output.TEXT,
) -> None:
    """List what a principal can do, resource by resource, as its policies write them.

    Resource policies that name the principal are not looked through: ask `clew who-can` about a resource.
    """
    from clew.cli.access import print_what

    print_what(
        principal, tuple(policies or ()), tuple(context or ()), full=full, as_json=output is Output.JSON
    )
