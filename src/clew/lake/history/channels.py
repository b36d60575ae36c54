"""Which records were made through a channel: user agents narrow them down, the decoded record decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.events.channel import channel
from clew.lake.history.conditions import Condition, is_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import duckdb

# An address decides nothing about the channel, a service's name does; so addresses count as one value here.
_FACTS = """
    SELECT DISTINCT useragent, useridentity.invokedby, useridentity.type, eventtype, sessioncredentialfromconsole,
        CASE WHEN regexp_matches(sourceipaddress, '[g-zG-Z]') THEN sourceipaddress END,
        CASE WHEN eventsource = 'signin.amazonaws.com' THEN eventsource END,
        CASE WHEN eventsource = 'signin.amazonaws.com' THEN eventname END
    FROM raw_cloudtrail
"""


def is_channel(event: Mapping[str, object], words: Iterable[str]) -> bool:
    """Whether one of the words occurs in the name of the channel (`CLI (2.13.5)`), in any case."""
    name = str(channel(event)).lower()
    return any(word.lower() in name for word in words)


def may_be_channel(connection: duckdb.DuckDBPyConnection, words: tuple[str, ...]) -> Condition:
    """A condition that holds for every record of such a channel (and for others with the same user agent)."""
    agents = {
        str(row[0] or "") for row in connection.execute(_FACTS).fetchall() if is_channel(_event(row), words)
    }
    return is_in("coalesce(useragent, '')", sorted(agents)) if agents else Condition("false")


def _event(row: tuple[object, ...]) -> Mapping[str, object]:
    """The parts of a record that tell its channel."""
    agent, invoked_by, kind, event_type, from_console, source, event_source, name = row
    return {
        "userAgent": agent,
        "userIdentity": {"invokedBy": invoked_by, "type": kind},
        "eventType": event_type,
        "sessionCredentialFromConsole": from_console,
        "sourceIPAddress": source,
        "eventSource": event_source,
        "eventName": name,
    }
