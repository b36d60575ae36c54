"""`clew suppress`: hide findings for a reason, by an owner, until a day."""

from __future__ import annotations

import getpass
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from clew.cli import context
from clew.errors import UsageError

if TYPE_CHECKING:
    from clew.store.suppression import Suppression


class Match(StrEnum):
    """How the parts of a suppression combine."""

    ALL = "all"
    ANY = "any"


FindingOption = Annotated[str, typer.Option("--finding", help="Only the finding of this id.")]
RuleOption = Annotated[str, typer.Option("--rule", help="Only findings of this rule or check: a glob.")]
ActorOption = Annotated[
    str, typer.Option("--actor", help="Only findings of this actor: a glob over the whole ARN.")
]
ResourceOption = Annotated[
    str, typer.Option("--resource", help="Only findings on this resource: a glob over the whole ARN.")
]
AccountOption = Annotated[str, typer.Option("--account", help="Only findings of this account.")]
TagOption = Annotated[
    list[str] | None,
    typer.Option("--tag", help="Only resources with this tag, KEY=GLOB, where tags are known (repeatable)."),
]
MatchOption = Annotated[
    Match, typer.Option("--match", help="Whether all that is named must fit, or any of it.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Hide findings, with reason, owner and expiry.")
    group.command("add")(add)
    group.command("list")(listing)
    group.command("remove")(remove)
    group.command("test")(preview)
    app.add_typer(group, name="suppress")


def add(
    reason: Annotated[str, typer.Option(help="Why these findings need not be seen.")],
    finding: FindingOption = "",
    rule: RuleOption = "",
    actor: ActorOption = "",
    resource: ResourceOption = "",
    account: AccountOption = "",
    tag: TagOption = None,
    match: MatchOption = Match.ALL,
    owner: Annotated[str | None, typer.Option(help="Who answers for it; you by default.")] = None,
    expires: Annotated[
        str | None, typer.Option(help="Until when: 2027-01-31, or a length of time such as 30d.")
    ] = None,
    no_expiry: Annotated[bool, typer.Option("--no-expiry", help="Until it is removed.")] = False,
) -> None:
    """Hide findings that fit everything that is named, until the expiry; then they are active again.

    `--match any` hides those that fit any part of it. `clew suppress test` shows beforehand which.
    """
    from clew.store.database import Database
    from clew.store.findings import add_suppression, kept_findings

    now = datetime.now(UTC)
    if (expires is None) is not no_expiry:
        raise UsageError("a suppression ends: give `--expires`, or say `--no-expiry`")
    wanted = replace(
        _wanted(finding, rule, actor, resource, account, tag, match, now),
        reason=reason,
        owner=owner or getpass.getuser(),
        expires_at=_expiry(expires, now) if expires else None,
    )
    with Database(context.workspace().create().state_path) as database:
        made = add_suppression(database, wanted, now)
        fitting = sum(made.fits(kept.finding) for kept in kept_findings(database, now))
    count = "1 finding" if fitting == 1 else f"{fitting} findings"
    typer.echo(f"{made.id} hides {count}: {context.printable(made.scope)}")
    if not fitting:
        context.note("it fits no finding yet; `clew findings list` shows what there is")


def listing() -> None:
    """List suppressions with their reason, owner, expiry, and how many findings each hides."""
    from clew.store.database import Database
    from clew.store.findings import kept_findings, suppressions

    now = datetime.now(UTC)
    with Database(context.workspace().state_path, create=False) as database:
        kept = [k.finding for k in kept_findings(database, now)]
        found = suppressions(database)
    for one in found:
        count = sum(one.fits(finding) for finding in kept)
        ends = f"until {one.expires_at:%Y-%m-%d %H:%M} UTC" if one.expires_at else "without expiry"
        state = "expired" if one.expired(now) else "unused" if not count else f"hides {count}"
        typer.echo(context.printable(f"{one.id}  {state}  {one.scope}  {one.owner}, {ends}: {one.reason}"))
    if not found:
        context.note("no suppressions")


def remove(suppression: Annotated[str, typer.Argument(help="The suppression's id.")]) -> None:
    """Take a suppression back: what it hid is active again."""
    from clew.store.database import Database
    from clew.store.findings import remove_suppression

    with Database(context.workspace().state_path, create=False) as database:
        removed = remove_suppression(database, suppression, datetime.now(UTC))
    typer.echo(f"{removed.id} removed: {context.printable(removed.scope)}")


def preview(
    suppression: Annotated[
        str | None, typer.Argument(help="A suppression that there is, by its id, instead of the options.")
    ] = None,
    finding: FindingOption = "",
    rule: RuleOption = "",
    actor: ActorOption = "",
    resource: ResourceOption = "",
    account: AccountOption = "",
    tag: TagOption = None,
    match: MatchOption = Match.ALL,
) -> None:
    """Show which findings a suppression would hide, or does, and hide none."""
    from clew.cli.detection import rendered
    from clew.store.database import Database
    from clew.store.findings import kept_findings, suppressions

    now = datetime.now(UTC)
    wanted = _wanted(finding, rule, actor, resource, account, tag, match, now)
    if bool(wanted.scope) is (suppression is not None):
        raise UsageError(
            "name a suppression, or else a finding, a rule, an actor, a resource, an account or a tag"
        )
    with Database(context.workspace().state_path, create=False) as database:
        if suppression is not None:
            wanted = _known(suppressions(database), suppression)
        fitting = [k.finding for k in kept_findings(database, now) if wanted.fits(k.finding)]
    typer.echo(rendered(fitting, "table"), nl=False)


def _known(found: tuple[Suppression, ...], identity: str) -> Suppression:
    for one in found:
        if one.id == identity:
            return one
    raise UsageError(f"no suppression `{identity[:80]}`; `clew suppress list` shows what there is")


def _wanted(
    finding: str,
    rule: str,
    actor: str,
    resource: str,
    account: str,
    tags: list[str] | None,
    match: Match,
    now: datetime,
) -> Suppression:
    from clew.store.suppression import Suppression

    return Suppression(
        id="",
        reason="",
        owner="",
        created_at=now,
        expires_at=None,
        finding=finding,
        rule=rule,
        actor=actor,
        resource=resource,
        account=account,
        tags=tuple(_tag(text) for text in tags or ()),
        combine=match.value,
    )


def _tag(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not (key and sign and value):
        raise UsageError(f"`{text[:200]}` is no tag; expected KEY=VALUE, the value a glob")
    return key, value


def _expiry(text: str, now: datetime) -> datetime:
    """The end that a date, or a length of time from now on, names."""
    from clew.cli import times

    try:
        return now + times.duration(text)
    except (UsageError, ValueError):
        return times.end(text, now)
