"""Rows that CloudTrail Lake and Athena hand out: lower-case columns, query results, CSV; spelled as events again.

AWS: "Supported SQL schemas for event data stores", "GetQueryResults", "Download your saved query results" (CSV).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from clew.events.json_walk import Refused, Value
from clew.events.record import Reason, excerpt
from clew.events.text import is_damaged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TOP: Final = (
    "eventVersion userIdentity eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode "
    "errorMessage requestParameters responseElements additionalEventData requestID eventID readOnly resources "
    "eventType apiVersion managementEvent recipientAccountId sharedEventID annotation vpcEndpointId "
    "vpcEndpointAccountId serviceEventDetails addendum edgeDeviceDetails insightDetails eventCategory tlsDetails "
    "sessionCredentialFromConsole"
)
_INNER: Final = (
    "type principalId arn accountId accessKeyId userName sessionContext attributes creationDate mfaAuthenticated "
    "sessionIssuer webIdFederationData federatedProvider sourceIdentity ec2RoleDelivery ec2IssuedInVpc onBehalfOf "
    "userId identityStoreArn inScopeOf sourceArn sourceAccount issuerType credentialsIssuedTo invokedBy "
    "identityProvider credentialId tlsVersion cipherSuite clientProvidedHostHeader reason updatedFields "
    "originalRequestID originalEventID"
)
_COLUMN_NAMES: Final = {name.lower(): name for name in _TOP.split()}
_INNER_NAMES: Final = {name.lower(): name for name in _INNER.split()}
# `resources` alone spells its ARN in capitals.
_RESOURCE_NAMES: Final = {"arn": "ARN", "accountid": "accountId", "type": "type", "arnprefix": "ARNPrefix"}

TOP_LEVEL_KEYS: Final = frozenset(_TOP.split())
"""The keys that AWS documents at the top of a record."""

COLUMNS: Final = frozenset(
    {"eventversion", "eventtime", "eventname", "eventid", "useridentity", "eventsource"}
)
"""Lower-case columns by which a row is told."""

_KNOWN_PARTS: Final = frozenset({"userIdentity", "tlsDetails", "addendum"})
_BOOLEANS: Final = frozenset({"readOnly", "managementEvent"})
_TRUTH: Final = {"true": True, "false": False}
_CSV_HEAD = re.compile(
    r'event name,event time,|[^\n"{\[:]*"?(?:\b|(?=@))(?:eventid|eventname|eventtime|eventjson|eventversion|@message)\b'
    r'"?\s*(?:,|\r?\n)',
    re.IGNORECASE,
)
_CSV_CELL = re.compile(r'(?:"((?:[^"]++|"")*+)"|([^,\r\n]*+))(,|\r?\n|\Z)')


def spelled(row: Mapping[str, object]) -> dict[str, object]:
    """The row as an event: names as in a record, JSON text decoded, empty columns left out.

    >>> spelled({"eventname": "StopLogging", "useridentity": {"accountid": "111122223333"}, "readonly": "false"})
    {'eventName': 'StopLogging', 'userIdentity': {'accountId': '111122223333'}, 'readOnly': False}
    """
    event: dict[str, object] = {}
    for column, value in row.items():
        name = _COLUMN_NAMES.get(column.lower(), column)
        if value is not None and value != "":
            event[name] = _cell(name, value)
    return event


def _cell(name: str, value: object) -> object:
    if isinstance(value, str):
        value = _TRUTH.get(value, value) if name in _BOOLEANS else _decoded(value)
    if name == "resources" and isinstance(value, list):
        return [_renamed(item, _RESOURCE_NAMES) for item in value]
    return _renamed(value, _INNER_NAMES) if name in _KNOWN_PARTS else value


def _decoded(text: str) -> object:
    """JSON text as what it says; any other text as it stands, as Lake's own `{name=value}` form."""
    if not text.startswith(("{", "[")):
        return text
    try:
        decoded: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return decoded


def _renamed(value: object, names: Mapping[str, str]) -> object:
    if not isinstance(value, dict):
        return value
    return {
        names.get(key.lower(), key): _renamed(part, names) for key, part in value.items() if part is not None
    }


def query_rows(results: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """The rows of GetQueryResults output, each made from its list of one-column objects."""
    rows = results.get("QueryResultRows")
    for row in rows if isinstance(rows, list) else []:
        cells = row if isinstance(row, list) else [row]
        yield {key: value for cell in cells if isinstance(cell, dict) for key, value in cell.items()}


def is_csv(text: str) -> bool:
    r"""Whether the text is a CSV file whose header names columns of an event.

    >>> is_csv("eventID,eventName\n1,StopLogging\n"), is_csv('"eventVersion": "1.08",')
    (True, False)
    """
    return _CSV_HEAD.match(text.lstrip()[:2_000]) is not None


def csv_rows(text: str) -> Iterator[Value | Refused]:
    """One event for each row of a CSV file with a header: its `eventJson` where it has one, else its columns."""
    rows = _csv(text.lstrip())
    header = next(rows, [])
    for cells in rows:
        if len(cells) != len(header):
            detail = f"{len(cells)} columns; the header has {len(header)}"
            yield Refused(Reason.MALFORMED_LINE, detail, excerpt(",".join(cells)))
            continue
        if any(map(is_damaged, (*header, *cells))):
            yield Refused(Reason.WRONG_ENCODING, "holds bytes that are not UTF-8", excerpt(",".join(cells)))
            continue
        row: dict[str, object] = dict(zip(header, cells, strict=True))
        yield Value(row, json.dumps(row))


def _csv(text: str) -> Iterator[list[str]]:
    cells: list[str] = []
    position = 0
    while position < len(text) and (cell := _CSV_CELL.match(text, position)):
        cells.append(cell[2] if cell[1] is None else cell[1].replace('""', '"'))
        position = cell.end()
        if cell[3] != ",":
            yield cells
            cells = []
    if position < len(text):
        yield [text[position:]]
