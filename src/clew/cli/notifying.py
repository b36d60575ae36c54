"""How commands tell people what changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.cli import context
from clew.errors import DeliveryError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.notify.destination import Destination
    from clew.report.notification import Notification
    from clew.store.changes import Changes


def destinations(targets: Sequence[str]) -> tuple[Destination, ...]:
    """The destinations, read before anything else is done. Errors: `UsageError`."""
    from clew.notify.destination import destination

    return tuple(destination(target) for target in targets)


def after(code: int, to: Sequence[Destination], began: datetime) -> int:
    """Tell what a command that began then changed in the workspace, if anything; its exit code, or that of telling."""
    message = changes_message(began) if to else None
    told = context.EXIT_CLEAN if message is None else deliver(to, message)
    return code or told


def changes_message(since: datetime) -> Notification | None:
    """The message about what changed since; None where nothing did."""
    from clew.report.notification import of_changes

    now = datetime.now(UTC)
    return of_changes(_changes(since, now), since=since, now=now)


def summary_message(since: datetime) -> Notification:
    """The summary from that moment on."""
    from clew.report.notification import summary

    now = datetime.now(UTC)
    return summary(_changes(since, now), since=since, now=now)


def _changes(since: datetime, now: datetime) -> Changes:
    from clew.store.changes import changes
    from clew.store.database import Database

    with Database(context.workspace().state_path, create=False) as database:
        return changes(database, since, now)


def deliver(to: Sequence[Destination], message: Notification, *, profile: str | None = None) -> int:
    """Send to each destination; one that fails does not keep it from the others. The exit code: 3 where one failed."""
    problems = list(_problems(to, message, profile))
    for problem in problems:
        context.complain(problem)
    return context.EXIT_PARTIAL if problems else context.EXIT_CLEAN


def _problems(to: Sequence[Destination], message: Notification, profile: str | None) -> Iterator[str]:
    from clew.notify.send import send

    for destination in to:
        try:
            send(destination, message, profile=profile)
        except (DeliveryError, InputError) as error:
            yield str(error)
        else:
            context.note(f"sent to {destination.shown}")
