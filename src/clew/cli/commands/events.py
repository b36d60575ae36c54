"""`clew events`: who did what, when, where from, how, on which resource and with what outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import typer

from clew.cli import context
from clew.cli import history_options as option


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(events)


def events(
    user: option.User = None,
    access_key: option.AccessKey = None,
    account: option.Account = None,
    resource: option.Resource = None,
    resource_type: option.ResourceType = None,
    event_name: option.EventName = None,
    event_source: option.EventSource = None,
    event_id: option.EventId = None,
    request_id: option.RequestId = None,
    error_code: option.ErrorCode = None,
    read_only: option.ReadOnly = False,
    write_only: option.WriteOnly = False,
    created: option.Created = False,
    changed: option.Changed = False,
    deleted: option.Deleted = False,
    errors: option.Errors = False,
    denied: option.Denied = False,
    last_root_login: option.LastRootLogin = False,
    ip: option.Ip = None,
    region: option.Region = None,
    channel: option.Channel = None,
    since: option.Since = None,
    until: option.Until = None,
    limit: option.Limit = 50,
    order: option.OrderOption = option.Order.NEWEST,
    output: option.OutputOption = None,
    raw: option.Raw = False,
) -> None:
    """Ask the event history: who, what, when, where from, how, on which resource, with what outcome.

    Filters of different kinds narrow together; the same filter twice widens. Nothing found names its blind spots.
    """
    from clew.cli import history, times
    from clew.lake.history.filters import Filters

    now, texts = datetime.now(UTC), history.texts
    wanted = Filters(users=texts(user), access_keys=texts(access_key), accounts=texts(account), errors=errors)
    wanted = replace(wanted, resources=texts(resource), resource_types=texts(resource_type), ips=texts(ip))
    wanted = replace(wanted, event_names=texts(event_name), event_sources=texts(event_source), denied=denied)
    wanted = replace(
        wanted, event_ids=texts(event_id), request_ids=texts(request_id), channels=texts(channel)
    )
    wanted = replace(
        wanted,
        regions=texts(region),
        error_codes=texts(error_code),
        effects=history.effects(created=created, changed=changed, deleted=deleted),
        read_only=history.read_only(read=read_only, write=write_only),
        since=times.moment(since, now) if since else None,
        until=times.end(until, now) if until else None,
    )
    history.check_window(wanted)
    shown = output or option.Output(context.config().output)
    asked = history.Asked(wanted, limit, newest_first=order is option.Order.NEWEST, output=shown)
    if last_root_login:
        history.answer_last_root_login(asked)
    elif raw:
        history.write_originals(asked)
    else:
        history.answer(asked)
