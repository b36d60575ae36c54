"""What to look for in the event history, and how each filter becomes a condition on typed columns.

Filters of different kinds are combined with AND; several values of one kind with OR.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.aws.glob import matcher
from clew.aws.services import service_label, service_name
from clew.errors import UsageError
from clew.events.resources import ID_TYPES, KEY_TYPES
from clew.lake.history import effects, resources
from clew.lake.history.conditions import Condition, all_of, among, any_of, is_in
from clew.lake.history.outcomes import is_denied, is_failed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import duckdb

    from clew.lake.history.effects import Effect


@dataclass(frozen=True, slots=True)
class Filters:
    """What a row must be.

    Units: `since` is included, `until` is not; both UTC. `read_only` None asks for both.
    """

    resources: tuple[str, ...] = ()
    resource_types: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    event_names: tuple[str, ...] = ()
    event_sources: tuple[str, ...] = ()
    access_keys: tuple[str, ...] = ()
    event_ids: tuple[str, ...] = ()
    request_ids: tuple[str, ...] = ()
    error_codes: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    read_only: bool | None = None
    errors: bool = False
    denied: bool = False
    since: datetime | None = None
    until: datetime | None = None


# Words of users for services whose event source is named otherwise; `service_name` knows the full names.
_LOOKS_NUMERIC = re.compile(r"[\d.]+|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*")
SOURCE_ALIASES = {
    "alb": ("elasticloadbalancing",),
    "cognito": ("cognito-idp", "cognito-identity", "cognito-sync"),
    "console": ("signin",),
    "efs": ("elasticfilesystem",),
    "elb": ("elasticloadbalancing",),
    "elbv2": ("elasticloadbalancing",),
    "emr": ("elasticmapreduce",),
    "eventbridge": ("events", "scheduler", "pipes", "schemas"),
    "identitycenter": ("sso", "sso-directory", "sso-oauth", "identitystore"),
    "opensearch": ("es",),
    "parameterstore": ("ssm",),
}


def where(connection: duckdb.DuckDBPyConnection, wanted: Filters) -> Condition:
    """The condition of every filter but the user's and the channel's; some only narrow down what `search` decides."""
    parts = [
        window(wanted.since, wanted.until),
        *_exact(wanted),
        *_named(connection, wanted),
        *_kinds(wanted),
        *(() if wanted.read_only is None else (may_read(read_only=wanted.read_only),)),
    ]
    return all_of(part for part in parts if part.sql != "true")


def window(since: datetime | None, until: datetime | None) -> Condition:
    """The record's time lies in the window."""
    parts = []
    if since is not None:
        parts.append(Condition("eventtime >= make_timestamptz(?)", (micros(since),)))
    if until is not None:
        parts.append(Condition("eventtime < make_timestamptz(?)", (micros(until),)))
    return all_of(parts)


def micros(moment: datetime) -> int:
    """The moment in epoch microseconds."""
    return round(moment.timestamp() * 1_000_000)


def _exact(wanted: Filters) -> Iterable[Condition]:
    columns = (
        ("useridentity.accesskeyid", wanted.access_keys),
        ("record_id", wanted.event_ids),  # the eventID; a hash of the content where a record has none
        ("requestid", wanted.request_ids),
        ("errorcode", tuple(spelling for code in wanted.error_codes for spelling in _spellings(code))),
        ("awsregion", wanted.regions),
    )
    yield from (is_in(column, values) for column, values in columns if values)
    if wanted.accounts:
        in_arn = "trim(split_part(useridentity.arn, ':', 5))"
        columns_of_account = ("recipientaccountid", "useridentity.accountid", in_arn)
        yield any_of(is_in(column, wanted.accounts) for column in columns_of_account)


def _spellings(code: str) -> tuple[str, ...]:
    """The code with and without the word that EC2 puts before it (AWS: "Error codes for the Amazon EC2 API")."""
    bare = code.removeprefix("Client.").removeprefix("Server.")
    return (bare, f"Client.{bare}", f"Server.{bare}")


def _named(connection: duckdb.DuckDBPyConnection, wanted: Filters) -> Iterable[Condition]:
    if wanted.event_names:
        present = distinct(connection, "eventname")
        yield among("eventname", sorted(n for n in present if _fits_any(n, wanted.event_names)))
    if wanted.event_sources:
        present = distinct(connection, "eventsource")
        yield among("eventsource", sorted(n for n in present if _is_source(n, wanted.event_sources)))
    if wanted.ips:
        yield any_of(_from_network(connection, ip) for ip in wanted.ips)
    if wanted.effects:
        yield _has_effect(connection, wanted.effects)


def _kinds(wanted: Filters) -> Iterable[Condition]:
    if wanted.errors:
        yield is_failed()
    if wanted.denied:
        yield is_denied()
    if wanted.resource_types:
        yield any_of(_may_have_type(kind) for kind in wanted.resource_types)
    if wanted.resources:
        yield any_of(resources.prefilter(resources.term(text)) for text in wanted.resources)


def distinct(connection: duckdb.DuckDBPyConnection, column: str) -> frozenset[str]:
    """The values of the column that occur."""
    rows = connection.execute(
        f"SELECT DISTINCT {column} FROM raw_cloudtrail WHERE {column} IS NOT NULL"
    ).fetchall()
    return frozenset(str(row[0]) for row in rows)


def _fits_any(name: str, patterns: Iterable[str]) -> bool:
    return any(matcher(pattern.lower())(name.lower()) for pattern in patterns)


def _is_source(source: str, wanted: Iterable[str]) -> bool:
    """Whether a word of the user stands for the event source: its name, first label, service or an alias.

    >>> _is_source("monitoring.amazonaws.com", ["CloudWatch"]), _is_source("logs.amazonaws.com", ["cloudwatch"])
    (True, False)
    """
    label = service_label(source)
    names = {source.lower(), label.lower(), _plain(service_name(source))}
    aliases = {word for word, labels in SOURCE_ALIASES.items() if label in labels}
    return any(word.lower() in names or _plain(word) in names | aliases for word in wanted)


def event_sources(wanted: Iterable[str]) -> tuple[str, ...]:
    """The event sources that the user's words stand for, without a look at what the lake holds.

    >>> event_sources(["s3", "elb", "iam.amazonaws.com"])
    ('s3.amazonaws.com', 'elasticloadbalancing.amazonaws.com', 'iam.amazonaws.com')
    """
    named = (
        [word.lower()]
        if "." in word
        else [f"{label}.amazonaws.com" for label in SOURCE_ALIASES.get(_plain(word), [word])]
        for word in wanted
    )
    return tuple(source.lower() for sources in named for source in sources)


def _plain(word: str) -> str:
    return "".join(character for character in word.lower() if character.isalnum())


def _from_network(connection: duckdb.DuckDBPyConnection, wanted: str) -> Condition:
    """The record's source lies in the network; any other word is compared as it stands (`ec2.amazonaws.com`)."""
    try:
        network = ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        if "/" in wanted or _LOOKS_NUMERIC.fullmatch(wanted):
            raise UsageError(
                f"`{wanted}` is no address or network; expected one such as 192.0.2.7 or 192.0.2.0/24"
            ) from None
        return is_in("sourceipaddress", [wanted])
    if network.version == 4 and network.prefixlen == network.max_prefixlen:  # noqa: PLR2004 - IP version 4
        return is_in("sourceipaddress", [str(network.network_address)])
    present = distinct(connection, "sourceipaddress")
    return among("sourceipaddress", sorted(text for text in present if _lies_in(text, network)))


def _lies_in(text: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address in network


def _has_effect(connection: duckdb.DuckDBPyConnection, wanted: Iterable[Effect]) -> Condition:
    chosen = frozenset(wanted)
    rows = connection.execute(
        "SELECT DISTINCT eventname, readonly FROM raw_cloudtrail WHERE eventname IS NOT NULL"
    ).fetchall()
    names: dict[bool | None, list[str]] = {}
    for name, read_only in rows:
        if effects.effect(name, read_only=read_only) in chosen:
            names.setdefault(read_only, []).append(name)
    return any_of(
        all_of([_is_truth("readonly", key), is_in("eventname", group)]) for key, group in names.items()
    )


def _is_truth(column: str, value: bool | None) -> Condition:
    return Condition(f"{column} IS NULL") if value is None else Condition(f"{column} = {str(value).lower()}")


def may_read(*, read_only: bool) -> Condition:
    """The record says that it is (or is not) a read, or does not say: then its name decides (`effects.is_read`)."""
    return Condition(f"(readonly = {str(read_only).lower()} OR readonly IS NULL)")


_OPEN_COLUMNS = (
    "requestparameters",
    "responseelements",
    "serviceeventdetails",
    "additionaleventdata",
    "insightdetails",
)


def _may_have_type(kind: str) -> Condition:
    """The record may name a resource of the type: it lists one, or has a key or an id that tells the type."""
    wanted = kind.lower()
    keys = {key.rpartition(":")[2] for key, type_ in KEY_TYPES.items() if type_.lower() == wanted}
    if wanted == "aws::s3::object":
        keys = {"bucketname"}
    hints = [f'"{key}"' for key in sorted(keys)]
    hints += [f'"{prefix}-' for prefix, type_ in ID_TYPES.items() if type_.lower() == wanted]
    listed = Condition("len(list_filter(resources, lambda r: lower(r.type) = ?)) > 0", (wanted,))
    endpoint = Condition("vpcendpointid IS NOT NULL") if wanted == "aws::ec2::vpcendpoint" else None
    mentions = [
        Condition(f"contains(lower({column}), ?)", (hint,)) for column in _OPEN_COLUMNS for hint in hints
    ]
    return any_of([listed, *mentions, *([endpoint] if endpoint else [])])


def nearest(word: str, present: Iterable[str]) -> tuple[str, ...]:
    """Words that occur and look like the one asked for, at most three.

    >>> nearest("deletetrial", ["DeleteTrail", "GetObject"])
    ('DeleteTrail',)
    """
    by_lower = {name.lower(): name for name in present}
    if word in by_lower.values():
        return ()  # it is there, and something else kept it from being found
    close = difflib.get_close_matches(word.lower().strip("*"), list(by_lower), n=3, cutoff=0.7)
    return tuple(by_lower[name] for name in close)
