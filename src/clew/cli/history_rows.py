"""Rows of the event history as JSON and CSV: the stable keys that other programs may rely on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.report.escape import spreadsheet, terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from clew.lake.access_join import Request
    from clew.lake.coverage import BlindSpot
    from clew.lake.history.entries import Entry
    from clew.lake.principals import Session


def iso(moment: datetime) -> str:
    """The moment as ISO 8601 in UTC: `2023-07-10T11:42:18Z`, with a fraction only where there is one."""
    return moment.isoformat().replace("+00:00", "Z")


def row(entry: Entry) -> dict[str, object]:
    """One event as a JSON object; every key is always there, what the record does not say is "" or null."""
    who = entry.who
    return {
        "time": iso(entry.time),
        "event_id": entry.event_id,
        "record_id": entry.record_id,
        "event_source": entry.event_source,
        "event_name": entry.event_name,
        "effect": str(entry.effect),
        "category": str(entry.category),
        "read_only": entry.read_only,
        "outcome": str(entry.outcome.result),
        "error_code": entry.outcome.code,
        "error_message": entry.outcome.message,
        "who": who.name,
        "identity_type": who.type,
        "user_name": entry.user_name,
        "arn": who.arn,
        "principal_id": who.principal_id,
        "identity_account": who.account,
        "session_name": who.session_name,
        "issuer_arn": who.issuer_arn,
        "source_identity": who.source_identity,
        "access_key": who.access_key,
        "mfa": str(who.mfa),
        "via": [_session(session) for session in entry.via],
        "channel": str(entry.channel.kind),
        "channel_detail": entry.channel.detail,
        "source_ip": entry.source_ip,
        "user_agent": entry.user_agent,
        "vpc_endpoint": entry.vpc_endpoint,
        "account": entry.account,
        "region": entry.region,
        "resources": [{"id": found.id, "type": found.type, "arn": found.arn} for found in entry.resources],
        "request_id": entry.request_id,
        "contradictions": [str(found) for found in entry.contradictions],
        "conflict": entry.is_conflict,
        "source": {
            "sha256": entry.origin.source,
            "path": entry.origin.path,
            "record_number": entry.origin.record_number,
        },
    }


def _session(session: Session) -> dict[str, object]:
    return {
        "event_name": session.event_name,
        "event_id": session.event_id,
        "role": session.role,
        "session_name": session.session_name,
        "issued_to": session.holder,
        "issued_to_access_key": session.holder_key,
        "access_key": session.access_key,
    }


def blind_spot(spot: BlindSpot) -> dict[str, str]:
    """A blind spot as a JSON object."""
    return {"code": spot.code, "what": spot.what, "why": spot.why, "settle": spot.settle}


def request(joined: Request) -> dict[str, object]:
    """One request in both logs as a JSON object: the access lines, the facts compared, the pre-signature."""
    signed = joined.presigned
    return {
        "request_id": joined.request_id,
        "access_lines": [
            {
                "time": iso(line.time),
                "record_id": line.record_id,
                "line": line.line,
                "fields": dict(line.fields),
            }
            for line in joined.lines
        ],
        "event_ids": [entry.event_id or entry.record_id for entry in joined.entries],
        "facts": [
            {"fact": f.fact, "access_log": f.access_log, "cloudtrail": f.cloudtrail, "agree": f.agree}
            for f in joined.facts
        ],
        "presigned": signed
        and {
            "signed_at": signed.signed_at and iso(signed.signed_at),
            "expires_seconds": signed.expires_seconds,
            "access_key": signed.access_key,
            "signed_headers": list(signed.signed_headers),
        },
    }


def dumped(value: object) -> str:
    """The value as JSON on one line, in ASCII, so that nothing in it can drive a terminal."""
    return json.dumps(value, ensure_ascii=True)


def csv_lines(rows: Iterable[Mapping[str, object]]) -> Iterator[list[str]]:
    """The rows as cells, header first; lists are joined by `; `, and no cell is run by a spreadsheet as a formula."""
    header: list[str] = []
    for number, found in enumerate(rows):
        flat = _flat(found)
        if number == 0:
            header = list(flat)
            yield header
        yield [spreadsheet(terminal(flat[name])) for name in header]


def _flat(found: Mapping[str, object]) -> dict[str, str]:
    flat = {key: _cell(value) for key, value in found.items() if key != "source"}
    source = found.get("source")
    inner = source if isinstance(source, dict) else {}
    return flat | {f"source_{key}": _cell(value) for key, value in inner.items()}


def _cell(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(_cell(item) for item in value)
    if isinstance(value, dict):
        named = value.get("arn") or value.get("id") or value.get("role") or value.get("event_name")
        return str(named or "")
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
