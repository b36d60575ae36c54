"""Who made a call: names of one principal, and the sessions that lead back to it.

A session is followed by the access key that was issued for it: AssumeRole (also with SAML or a web identity),
GetSessionToken, GetFederationToken and their kin return `credentials.accessKeyId`, and later calls carry that key.
Chains (a session that assumes the next role) are followed to their end.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.lake.history.conditions import Condition, all_of, among, any_of, equals, is_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    import duckdb

    from clew.lake.history.conditions import Window

ISSUING_EVENTS = (
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "GetSessionToken",
    "GetFederationToken",
    "GetCredentialsForIdentity",
    "GetRoleCredentials",
)
"""Calls that return temporary credentials. AWS: "Requesting temporary security credentials" and service references."""

# The longest life of temporary credentials (GetSessionToken, GetFederationToken; roles: 12 hours), and one chain.
LONGEST_SESSION_HOURS = 48
# A role's session lasts one hour unless asked otherwise, and twelve at most.
_SESSION_HOURS = (1, 12, LONGEST_SESSION_HOURS)
# The longest way from the first of a chain of sessions to the last call of its last: 36 hours of GetSessionToken or
# GetFederationToken, 12 of a role's first session, and one of each further role, of which `_MAX_CHAIN` are followed.
LONGEST_CHAIN_HOURS = 72
_HOUR_MICROS = 3_600_000_000
_MAX_CHAIN = 12
_MAX_KEYS = 20_000
_IDENTITY = "useridentity"
_SESSION = "useridentity.sessioncontext"
CALLER = (
    "coalesce(useridentity.username, useridentity.arn, useridentity.invokedby, useridentity.principalid, '')"
)
"""SQL: the caller in few words, for lists that need no more."""

_ISSUED_KEY = (
    "coalesce(json_extract_string(responseelements, '$.credentials.accessKeyId'),"
    " json_extract_string(responseelements, '$.roleCredentials.accessKeyId'),"
    " json_extract_string(responseelements, '$.credentials.AccessKeyId'))"
)
_ROLE_ARN = re.compile(r"arn:([^:]+):iam::(\d*):role/(?:.*/)?([^/]+)")
_USER_ARN = re.compile(r"arn:[^:]+:iam::(\d*):user/(?:.*/)?([^/]+)")


@dataclass(frozen=True, slots=True)
class Session:
    """Temporary credentials as they were issued: to whom, by which call, for which role.

    Units: `issued_at` is epoch microseconds. `holder_key` is the access key that asked; it may be a session's own.
    """

    access_key: str
    event_name: str
    event_id: str
    issued_at: int
    role: str
    session_name: str
    holder: str
    holder_key: str

    @property
    def label(self) -> str:
        """How the session is named in a row: `role EC2-dev`, or the call that issued it."""
        return f"role {self.role}" if self.role else self.event_name


def is_principal(name: str) -> Condition:
    """The record's identity is called so: user name, ARN, role name, session name, principal id, source identity.

    `root` is the root user. Each field counts by itself, so a record that contradicts itself is found by either name.
    """
    conditions = [
        equals(f"{_IDENTITY}.username", name),
        equals(f"{_IDENTITY}.principalid", name),
        Condition(f"starts_with({_IDENTITY}.principalid, ?)", (f"{name}:",)),
        Condition(f"suffix({_IDENTITY}.principalid, ?)", (f":{name}",)),
        equals(f"{_SESSION}.sessionissuer.username", name),
        equals(f"{_SESSION}.sessionissuer.principalid", name),
        equals(f"{_SESSION}.sourceidentity", name),
        equals(f"{_IDENTITY}.onbehalfof.userid", name),
        equals(f"{_IDENTITY}.invokedby", name),
        # Another account's caller, whose name only its own trail has.
        all_of(
            [
                equals(f"{_IDENTITY}.type", "AWSAccount"),
                equals(f"{_IDENTITY}.accountid", name.removeprefix("account ")),
            ]
        ),
    ]
    conditions += _by_arn(name) if name.startswith("arn:") else _by_arn_part(name)
    if name.strip("<>").lower() == "root":
        conditions.append(equals(f"{_IDENTITY}.type", "Root"))
    return any_of(conditions)


def _by_arn_part(name: str) -> list[Condition]:
    return [
        Condition(f"suffix({_IDENTITY}.arn, ?)", (f"/{name}",)),
        Condition(f"suffix({_IDENTITY}.arn, ?)", (f":{name}",)),
        Condition(f"contains({_IDENTITY}.arn, ?)", (f":assumed-role/{name}/",)),
    ]


def _by_arn(name: str) -> list[Condition]:
    wanted = name.replace(" ", "")
    # Logs pasted through other tools carry spaces inside ARNs; the identity is the same.
    conditions = [
        Condition(f"replace({_IDENTITY}.arn, ' ', '') = ?", (wanted,)),
        Condition(f"replace({_SESSION}.sessionissuer.arn, ' ', '') = ?", (wanted,)),
    ]
    role = _ROLE_ARN.fullmatch(wanted)
    if role:
        prefix = f"arn:{role[1]}:sts::{role[2]}:assumed-role/{role[3]}/"
        conditions.append(Condition(f"starts_with(replace({_IDENTITY}.arn, ' ', ''), ?)", (prefix,)))
    user = _USER_ARN.fullmatch(wanted)
    if user:
        account = f"coalesce({_IDENTITY}.accountid, ?) = ?"
        by_name = Condition(f"{_IDENTITY}.username = ? AND {_IDENTITY}.type = 'IAMUser'", (user[2],))
        conditions.append(all_of([by_name, Condition(account, (user[1], user[1]))]))
    return conditions


def sessions_from(
    connection: duckdb.DuckDBPyConnection, roots: Condition, window: Window
) -> Mapping[str, tuple[Session, ...]]:
    """Every session that the identities under `roots` opened in the window, directly or through another, by its key.

    Shape: the value is the chain from the first session to the one that holds the key.
    """
    chains: dict[str, tuple[Session, ...]] = {}
    callers = roots
    for _ in range(_MAX_CHAIN):
        found = _issued(connection, callers, window)
        fresh = [session for session in found if session.access_key not in chains]
        for session in fresh:
            chains[session.access_key] = (*chains.get(session.holder_key, ()), session)
        if not fresh or len(chains) > _MAX_KEYS:
            break
        callers = is_in(f"{_IDENTITY}.accesskeyid", [session.access_key for session in fresh])
    return chains


def issuers(
    connection: duckdb.DuckDBPyConnection,
    keys: Iterable[str],
    used: tuple[int, int],
    window: Callable[[int, int], Window],
) -> Mapping[str, Session]:
    """The call that issued each of the temporary access keys, as far as the lake holds it; chains are followed back.

    `used` are the first and last time at which the keys were used (epoch microseconds); `window` gives what lies from
    one time to before another.
    """
    known: dict[str, Session] = {}
    wanted = set(keys)
    for _ in range(_MAX_CHAIN):
        wanted = {key for key in wanted - known.keys() if key.startswith("ASIA")}
        if not wanted:
            break
        issued = _issuers_of(connection, wanted, used, window)
        known |= issued
        wanted = {session.holder_key for session in issued.values()}
        times = [session.issued_at for session in issued.values()]
        used = min(times, default=0), max(times, default=0)
    return known


def _issuers_of(
    connection: duckdb.DuckDBPyConnection,
    keys: AbstractSet[str],
    used: tuple[int, int],
    window: Callable[[int, int], Window],
) -> Mapping[str, Session]:
    """The first call that issued each of the keys, of the hours before they were used: of few first."""
    known: dict[str, Session] = {}
    first, end = used[0], used[1] + 1
    for hours in _SESSION_HOURS:
        begin = first - hours * _HOUR_MICROS
        mentions = "|".join(re.escape(key) for key in sorted(keys - known.keys()))
        mentioning = Condition("regexp_matches(responseelements, ?)", (mentions,))
        found = _issued(connection, mentioning, window(begin, end))
        issued = {session.access_key: session for session in reversed(found)}
        known |= {key: session for key, session in issued.items() if key in keys}
        if len(known) == len(keys):
            break
        end = begin
    return known


def chain(key: str, known: Mapping[str, Session]) -> tuple[Session, ...]:
    """The sessions from the first to the one that holds the key; empty when nothing is known of it."""
    links: list[Session] = []
    while key in known and len(links) < _MAX_CHAIN and known[key] not in links:
        links.insert(0, known[key])
        key = known[key].holder_key
    return tuple(links)


_IS_ISSUING = all_of([among("eventname", ISSUING_EVENTS), Condition("errorcode IS NULL")])


def _issued(connection: duckdb.DuckDBPyConnection, condition: Condition, window: Window) -> list[Session]:
    """The sessions that the matching calls issued, in order of time."""
    issuing = all_of([_IS_ISSUING, window.condition, condition])
    if len(window.part.files) <= _FEW_FILES:
        query = f"SELECT {_OF_SESSION} FROM ({window.part.query}) WHERE {issuing.sql}"
        rows = connection.execute(query, issuing.parameters).fetchall()
    else:
        rows = window.part.rows_at(connection, _OF_SESSION, _places(connection, issuing, window))
    found = [_session(row) for row in rows if row[0]]
    return sorted(found, key=lambda session: (session.issued_at, session.event_id))


_FEW_FILES = 2


def _places(
    connection: duckdb.DuckDBPyConnection, issuing: Condition, window: Window
) -> Mapping[str, Sequence[int]]:
    """Where the calls stand: mostly there is none, and the long columns of every other such call stay unread.

    (Whether a call has an answer is asked second: 33 ms of a million events' 86, for 90,000 answers are unpacked to
    know it.)
    """
    places: defaultdict[str, list[int]] = defaultdict(list)
    for path, place in connection.execute(
        f"SELECT filename, file_row_number FROM ({window.part.query}) WHERE {issuing.sql}", issuing.parameters
    ).fetchall():
        places[path].append(place)
    return places


_OF_SESSION = f"""
    {_ISSUED_KEY}, eventname, record_id, epoch_us(eventtime),
    coalesce(json_extract_string(requestparameters, '$.roleArn'), ''),
    coalesce(json_extract_string(requestparameters, '$.roleSessionName'),
        json_extract_string(requestparameters, '$.name'), ''),
    {CALLER},
    coalesce({_IDENTITY}.accesskeyid, '')
"""


def _session(row: Sequence[object]) -> Session:
    key, event_name, event_id, issued_at, role_arn, session_name, holder, holder_key = row
    role = str(role_arn).rpartition("/")[2]
    when = issued_at if isinstance(issued_at, int) else 0
    return Session(
        str(key), str(event_name), str(event_id), when, role, str(session_name), str(holder), str(holder_key)
    )
