"""`clew notify`: tell people what changed, and how the week was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from clew.cli import context

if TYPE_CHECKING:
    from clew.report.notification import Notification

To = Annotated[
    list[str] | None,
    typer.Option(
        "--to",
        help="ARN of a topic, queue, stream, function, bus or alarm; mailto:…, https://…, slack:…; none: print it.",
    ),
]
Profile = Annotated[str | None, typer.Option(help="AWS profile for SNS (else the SDK's own).")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True, help="Tell people what changed: by SNS, mail, webhook or Slack."
    )
    group.command("changes")(changes)
    group.command("summary")(summary)
    group.command("test")(trial)
    app.add_typer(group, name="notify")


def changes(
    since: Annotated[str, typer.Option(help="From when on, such as 1h, 1d or a time.")] = "1d",
    to: To = None,
    profile: Profile = None,
) -> None:
    """Send the findings that are new, returned, grew or were resolved; nothing where nothing changed.

    Exit codes: 0 sent or nothing to send, 2 wrong input, 3 a destination was not reached.
    """
    from clew.cli import notifying, times

    places = notifying.destinations(to or ())
    message = notifying.changes_message(times.moment(since, datetime.now(UTC)))
    if message is None:
        context.note("nothing changed; nothing is sent")
        return
    if not places:
        _show(message)
    raise typer.Exit(notifying.deliver(places, message, profile=profile))


def summary(
    since: Annotated[str, typer.Option(help="From when on, such as 7d.")] = "7d",
    to: To = None,
    profile: Profile = None,
) -> None:
    """Send the summary of a week: how many findings came and went, what is open, what to begin with.

    Exit codes: 0 sent, 2 wrong input, 3 a destination was not reached.
    """
    from clew.cli import notifying, times

    places = notifying.destinations(to or ())
    message = notifying.summary_message(times.moment(since, datetime.now(UTC)))
    if not places:
        _show(message)
    raise typer.Exit(notifying.deliver(places, message, profile=profile))


def trial(to: To = None, profile: Profile = None) -> None:
    """Send a message that says only that it arrived."""
    from clew.cli import notifying
    from clew.errors import UsageError
    from clew.report.notification import of_test

    if not to:
        raise UsageError("where to? give `--to`")
    message = of_test(datetime.now(UTC))
    raise typer.Exit(notifying.deliver(notifying.destinations(to), message, profile=profile))


def _show(message: Notification) -> None:
    """The message as it would be sent, its lines escaped already."""
    typer.echo(f"Subject: {context.printable(message.subject)}\n\n{message.text}", nl=False)
