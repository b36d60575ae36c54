"""`clew check`: does a policy grant new, certain or public access; exact, with a request that shows it."""

from __future__ import annotations

from typing import Annotated

import typer

from clew.cli.checking_options import Kind, Output
from clew.errors import UsageError

Policy = Annotated[str | None, typer.Argument(metavar="POLICY", help="A policy document; `-` reads stdin.")]
KindOption = Annotated[
    Kind | None, typer.Option("--type", help="What the policy is; by default it is looked at for principals.")
]
OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="text, json, or aws: as IAM Access Analyzer answers.")
]
Batch = Annotated[
    str | None, typer.Option(help="JSON lines in, one JSON line each out; `-` reads stdin.", metavar="FILE")
]

app = typer.Typer(help=__doc__, no_args_is_help=True)


def register(root: typer.Typer) -> None:
    """Add the group of commands."""
    root.add_typer(
        app, name="check", help="Prove what a policy does not grant, or show a request that it does."
    )


@app.command("no-new-access")
def no_new_access(
    policy: Policy = None,
    reference: Annotated[str | None, typer.Option(help="The policy that it must not go beyond.")] = None,
    kind: KindOption = None,
    typed: Annotated[
        bool,
        typer.Option("--typed", help="Only actions on resources that they work on; AWS does not ask for it."),
    ] = False,
    output: OutputOption = Output.TEXT,
    batch: Batch = None,
) -> None:
    """Does the policy allow anything that the reference does not?

    Batch lines are {id, policy_type: identity|resource, new, existing}.
    Exit codes: 0 nothing new, 1 new access, 2 wrong input, 3 not decided.
    """
    from clew.cli import checking
    from clew.symbolic.checks import no_new_access

    if batch is not None:
        others = {"POLICY": policy, "--reference": reference, "--type": kind, "--typed": typed}
        raise typer.Exit(checking.print_batch("no-new-access", batch, others))
    if policy is None or reference is None:
        raise UsageError("give a policy and a --reference, or a --batch")
    (new, existing), found = checking.policies([policy, reference], kind)
    raise typer.Exit(checking.show(no_new_access(checking.exact(new), existing, found, typed=typed), output))


@app.command("access-not-granted")
def access_not_granted(
    policy: Policy = None,
    action: Annotated[
        list[str] | None, typer.Option("--action", "-a", help="An action (repeatable).")
    ] = None,
    resource: Annotated[
        list[str] | None, typer.Option("--resource", "-r", help="A resource ARN (repeatable).")
    ] = None,
    kind: KindOption = None,
    output: OutputOption = Output.TEXT,
    batch: Batch = None,
) -> None:
    """Does the policy allow any of these actions on any of these resources?

    Actions alone: on any resource. Resources alone: any action. Batch lines are {id, policy, access: [{actions,
    resources}]}. Exit codes: 0 none is allowed, 1 some is, 2 wrong input, 3 not decided.
    """
    from clew.cli import checking
    from clew.symbolic.checks import access_not_granted

    if batch is not None:
        others = {"POLICY": policy, "--action": action, "--resource": resource, "--type": kind}
        raise typer.Exit(checking.print_batch("access-not-granted", batch, others))
    if policy is None:
        raise UsageError("give a policy, or a --batch")
    access = checking.access(action, resource)
    (found,), of_kind = checking.policies([policy], kind)
    raise typer.Exit(checking.show(access_not_granted(checking.exact(found), access, of_kind), output))


@app.command("no-public-access")
def no_public_access(
    policy: Policy = None,
    resource_type: Annotated[
        str | None, typer.Option(help="What the policy is attached to, such as AWS::S3::Bucket.")
    ] = None,
    output: OutputOption = Output.TEXT,
    batch: Batch = None,
) -> None:
    """Does the resource policy let strangers in?

    Batch lines are {id, policy, resource_type}. Exit codes: 0 not public, 1 public, 2 wrong input, 3 not decided.
    """
    from clew.cli import checking
    from clew.symbolic.checks import no_public_access
    from clew.symbolic.public import SERVICES

    if batch is not None:
        others = {"POLICY": policy, "--resource-type": resource_type}
        raise typer.Exit(checking.print_batch("no-public-access", batch, others))
    if policy is None or resource_type is None:
        raise UsageError("give a policy and its --resource-type, or a --batch")
    if resource_type not in SERVICES:
        raise UsageError(f"`{resource_type}` is none of {', '.join(sorted(SERVICES))}")
    (found,), _ = checking.policies([policy], Kind.RESOURCE)
    raise typer.Exit(checking.show(no_public_access(checking.exact(found), resource_type), output))


@app.command("implies")
def implies(
    left: Annotated[str | None, typer.Argument(metavar="LEFT", help="A policy document.")] = None,
    right: Annotated[str | None, typer.Argument(metavar="RIGHT", help="Another one.")] = None,
    kind: KindOption = None,
    output: OutputOption = Output.TEXT,
    batch: Batch = None,
) -> None:
    """Does RIGHT allow all that LEFT allows?

    Batch lines are {id, left, right}. Exit codes: 0 it does, 1 it does not, 2 wrong input, 3 not decided.
    """
    from clew.cli import checking
    from clew.symbolic.checks import implied

    if batch is not None:
        raise typer.Exit(
            checking.print_batch("implies", batch, {"LEFT": left, "RIGHT": right, "--type": kind})
        )
    if left is None or right is None:
        raise UsageError("give two policies, or a --batch")
    (one, two), found = checking.policies([left, right], kind)
    raise typer.Exit(checking.show(implied(checking.exact(one), checking.exact(two), found), output))
