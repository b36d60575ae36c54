"""An audit as one HTML page that needs no network: style, script, pictures and every failing resource are inside."""

from __future__ import annotations

import base64
import gzip
import json
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from clew import __version__
from clew.audit.credentials import day
from clew.audit.model import Verdict
from clew.audit.views import told
from clew.findings import Severity, Status
from clew.report import audit_pictures
from clew.report.audit_groups import groups
from clew.report.credential_text import age, name, users
from clew.report.escape import terminal
from clew.report.page import asset, digest, environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Template
    from markupsafe import Markup

    from clew.audit.results import Audit
    from clew.report.audit_groups import Group

_LISTED = 5
_MOST_USERS = 2_000
_LEVEL = 6


def render(audit: Audit) -> str:
    """The audit as one self-contained HTML document."""
    style, script = asset("incident.css") + asset("audit.css"), asset("audit.js")
    grouped = groups(audit)
    failed = [(index, group) for index, group in enumerate(grouped) if group.failing]
    unknown = [(i, g, found) for i, g in enumerate(grouped) if (found := g.of(Verdict.UNKNOWN))]
    active = Counter(f.severity for f in audit.findings if f.status is Status.ACTIVE)
    report = audit.report if audit.origin is None else None
    people = users(audit)
    trend = audit_pictures.trend(audit.trend.steps) if audit.trend else ""
    return _template().render(
        a=audit,
        accounts=len(audit.accounts),
        age=age(report, audit.now) if report else "",
        data=_data(grouped),
        failed=failed,
        frameworks=[
            (f, list(each)) for f, each in groupby(audit.results, key=lambda result: result.framework)
        ],
        problems=(
            *audit.problems,
            *(text for each in audit.reports for text in (*each.problems, *each.notes)),
        ),
        script=_safe(script),
        script_hash=digest(script),
        services=_safe(audit_pictures.services(grouped)),
        severities=[(s.value, active[s]) for s in reversed(Severity)],
        show=_LISTED,
        style=_safe(style),
        style_hash=digest(style),
        suppressed=sum(f.status is Status.SUPPRESSED for f in audit.findings),
        trend=_safe(trend),
        unknown=unknown,
        unread_calls=sum(each.calls for each in audit.unread),
        users=people if len(people) <= _MOST_USERS else [],
        version=__version__,
    )


def _template() -> Template:
    made = environment()
    made.filters.update(resource=name, day=day, word=told)
    return made.get_template("audit.html.j2")


def _data(grouped: Sequence[Group]) -> str:
    """What the list shows, compressed: tables of texts and, for each resource, places in them.

    Shape of a row: check, account, region, verdict (0 fail, 1 unknown, 2 suppressed), whether it is new, resource,
    message, evidence, missing calls, suppression.
    """
    accounts, regions, messages = _Table(), _Table(), _Table()
    rows = []
    for index, group in enumerate(grouped):
        for item in group.items:
            one = item.judgement
            if one.verdict not in {Verdict.FAIL, Verdict.UNKNOWN}:
                continue
            verdict = 1 if one.verdict is Verdict.UNKNOWN else 2 if item.is_suppressed else 0
            facts = terminal(" | ".join(f"{key}={value}" for key, value in one.evidence))
            rows.append(
                [
                    *(index, accounts.place(item.account), regions.place(item.region), verdict),
                    *(int(item.is_new), terminal(one.resource), messages.place(terminal(one.message)), facts),
                    terminal(", ".join(one.missing)),
                    terminal(item.finding.suppression if item.finding else ""),
                ]
            )
    checks = [
        {
            "id": group.check.id,
            "title": group.titled(group.check.failure),
            "severity": group.check.severity.value,
            "controls": group.label,
            "fix": group.check.text["Fix"],
        }
        for group in grouped
    ]
    found = {
        "checks": checks,
        "accounts": accounts.texts,
        "regions": regions.texts,
        "messages": messages.texts,
        "rows": rows,
    }
    packed = gzip.compress(json.dumps(found, separators=(",", ":")).encode(), _LEVEL, mtime=0)
    return base64.b64encode(packed).decode()


class _Table:
    """Texts that are written once and named by their place."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        return self._places.setdefault(text, len(self._places))

    @property
    def texts(self) -> list[str]:
        return [terminal(text) for text in self._places]


def _safe(text: str) -> Markup:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704  # our own style, script and pictures, whose texts are escaped
