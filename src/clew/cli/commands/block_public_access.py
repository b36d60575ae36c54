"""`clew block-public-access`: keep the public out of a bucket, by one of the actions of `clew fix`."""

from __future__ import annotations

from typing import Annotated

import typer

_ACTION = "block-public-access"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(_ACTION)(block_public_access)


def block_public_access(
    bucket: Annotated[str, typer.Argument(help="The bucket's name, or its ARN.")] = "",
    profile: Annotated[str | None, typer.Option(help="AWS profile (else the SDK's own).")] = None,
    role: Annotated[
        str | None, typer.Option(help="Role to assume where the bucket is in another account, by its name.")
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="The bucket's account; the caller's by default.")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what would be done, and do nothing (default).")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Make the change.")] = False,
    approved: Annotated[
        str | None, typer.Option(help="With --apply: only if the plan still has this fingerprint.")
    ] = None,
    undo: Annotated[
        str | None, typer.Option(help="Take a change back, by its id from `clew fix list`.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="With --undo: also where something was changed since.")
    ] = False,
) -> None:
    """Turn on all four settings of Block Public Access of a bucket: plan, apply, verify, undo.

    The same as `clew fix --action block-public-access`. Exit codes: 0 done as planned, 2 wrong input or nothing was
    done, 3 something was refused or is not as wanted.
    """
    from clew.cli import fixing
    from clew.errors import UsageError

    if bool(bucket) == bool(undo):
        raise UsageError("name a bucket, or a change to --undo")
    resource = bucket if bucket.startswith("arn:") or not bucket else f"arn:aws:s3:::{bucket}"
    asked = fixing.Asked("", "", "" if undo else _ACTION, resource, (), account or "", "")
    manner = fixing.Manner(
        apply, approved or "", irreversible=False, undo=undo or "", force=force, output="text"
    )
    raise typer.Exit(fixing.carry_out(asked, manner, profile=profile, role=role, only_plan=plan))
