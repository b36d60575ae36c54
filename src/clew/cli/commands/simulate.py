"""`clew simulate`: may this principal do that, and why: one request, a matrix, or a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from clew.cli import simulation_options as option
from clew.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)


def simulate(
    principal: option.Principal = None,
    action: option.Action = None,
    resource: option.Resource = None,
    resource_account: option.ResourceAccount = None,
    policies: option.Policies = None,
    resource_policies: option.ResourcePolicies = None,
    scps: option.Scps = None,
    rcps: option.Rcps = None,
    organization: option.Organization = None,
    only: option.Only = None,
    without: option.Without = None,
    policy: option.Policy = None,
    boundary: option.Boundary = None,
    resource_policy: option.ResourcePolicy = None,
    session_policy: option.SessionPolicy = None,
    endpoint_policy: option.EndpointPolicy = None,
    scp: option.Scp = None,
    rcp: option.Rcp = None,
    context: option.ContextValue = None,
    context_file: option.ContextFile = None,
    decoded_message: option.DecodedMessage = None,
    absent: option.Absent = None,
    context_complete: option.ContextComplete = False,
    output: option.OutputOption = None,
    explain: option.Explain = False,
    fail_on: option.FailOnOption = None,
    save: option.Save = None,
    live_permissions: option.LivePermissions = False,
    batch: option.Batch = None,
    unknown_context: option.UnknownContext = False,
    derive_context: option.DeriveContext = False,
) -> None:
    """Decide whether a request would be allowed, and say which statements settle it.

    Policies come from account files, from files of your own, or both. One action on one resource is explained; several
    give a matrix. Context keys that you do not give are unknown, and the answer says what it depends on.

    Exit codes: 0 answered, 1 by --fail-on, 2 wrong input, 3 some answer is undetermined (batch: or an error).
    """
    options = locals()
    if batch is not None:
        _alone(options)
        from clew.cli.simulation_batch import print_batch

        raise typer.Exit(print_batch(batch, unknown_context=unknown_context, derive_context=derive_context))
    if unknown_context or derive_context:
        raise UsageError("`--unknown-context` and `--derive-context` belong to `--batch`")
    from clew.cli import simulation
    from clew.cli.simulation_inputs import Asked

    asked = Asked.of(options)
    if live_permissions:
        raise typer.Exit(simulation.print_live_permissions(asked))
    form = simulation.Form(output=output, explain=explain, fail_on=fail_on, save=save)
    raise typer.Exit(simulation.answer(asked, form))


_WITH_BATCH = frozenset({"batch", "unknown_context", "derive_context"})


def _alone(options: Mapping[str, object]) -> None:
    """Refuse what a batch would ignore: each line brings its own request and policies."""
    other = next((name for name, value in options.items() if value and name not in _WITH_BATCH), None)
    if other is not None and not (other == "output" and options[other] == option.Output.JSONL):
        raise UsageError(
            f"`--{other.replace('_', '-')}` does not go with `--batch`: each line says it for itself"
        )
