"""The pictures of an audit as inline SVG: checks by service, and the controls over the last runs."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING

from clew.audit.model import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clew.audit.results import Step
    from clew.report.audit_groups import Group

_SHOWN = ("fail", "unknown", "pass", "none")
_WIDTH = 560
_NAME, _BAR, _ROW, _GAP = 118, 15, 24, 60
_HEIGHT, _FOOT, _LEFT = 190, 24, 34
# Ids of checks begin with the SDK's name of a service; where its name is not that in capitals it stands here.
SERVICE_NAMES = {
    "accessanalyzer": "Access Analyzer",
    "account": "Account",
    "apigateway": "API Gateway",
    "cloudfront": "CloudFront",
    "cloudtrail": "CloudTrail",
    "cloudwatch": "CloudWatch",
    "cognito": "Cognito",
    "config": "AWS Config",
    "ec2": "EC2 and VPC",
    "guardduty": "GuardDuty",
    "inspector": "Inspector",
    "kinesis": "Kinesis",
    "lambda": "Lambda",
    "logs": "CloudWatch Logs",
    "macie": "Macie",
    "organizations": "Organizations",
    "resource": "Resource policies",
    "secretsmanager": "Secrets Manager",
    "securityhub": "Security Hub",
    "shield": "Shield",
    "ssm": "Systems Manager",
    "sso": "Identity Center",
    "trustedadvisor": "Trusted Advisor",
}


def by_service(grouped: Sequence[Group]) -> list[tuple[str, Mapping[str, int]]]:
    """How many checks of each service fail, are unknown, pass, or do not apply; most failures first."""
    found: dict[str, Counter[str]] = {}
    for group in grouped:
        found.setdefault(group.check.service, Counter())[_kind(group)] += 1
    return sorted(found.items(), key=lambda item: (-item[1]["fail"], -item[1]["unknown"], item[0]))


def _kind(group: Group) -> str:
    if group.failing:
        return "fail"
    match group.verdict:
        case Verdict.UNKNOWN:
            return "unknown"
        case Verdict.PASS | Verdict.FAIL:
            return "pass"
        case _:
            return "none"


def services(grouped: Sequence[Group]) -> str:
    """A bar for each service: its checks by verdict."""
    counted = by_service(grouped)
    most = max((sum(counts.values()) for _, counts in counted), default=1)
    unit = (_WIDTH - _NAME - _GAP) / most
    parts = [_bar(service, counts, row * _ROW, unit) for row, (service, counts) in enumerate(counted)]
    return _svg(len(counted) * _ROW + 4, "checks by service and verdict", parts)


def _bar(service: str, counts: Mapping[str, int], top: int, unit: float) -> str:
    parts = [f'<text x="0" y="{top + 12}">{escape(SERVICE_NAMES.get(service, service.upper()))}</text>']
    left = float(_NAME)
    for kind in _SHOWN:
        width = counts[kind] * unit
        if width:
            label = f"{counts[kind]} {'not applicable' if kind == 'none' else kind}"
            parts.append(
                f'<rect class="{kind}" x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="2">'
                f"<title>{escape(service)}: {label}</title></rect>"
            )
        left += width
    total = sum(counts.values())
    told = f"{counts['fail']} of {total}" if counts["fail"] else f"{total}"
    parts.append(f'<text class="num" x="{left + 6:.1f}" y="{top + 12}">{told}</text>')
    return "".join(parts)


def trend(steps: Sequence[Step]) -> str:
    """A column for each of the last runs: its controls by verdict; empty where there is only one run."""
    if len(steps) < 2:  # noqa: PLR2004  # one run is no trend
        return ""
    most = max(sum(_counts(step).values()) for step in steps) or 1
    across = (_WIDTH - _LEFT) / max(len(steps), 4)
    parts = [_grid(most)]
    parts += [_column(step, _LEFT + index * across, across, most) for index, step in enumerate(steps)]
    return _svg(_HEIGHT + _FOOT, "controls by verdict over the last runs", parts)


def _counts(step: Step) -> dict[str, int]:
    return {kind: step.counts.get(kind, 0) for kind in ("pass", "unknown", "fail")}


def _grid(most: int) -> str:
    lines = []
    for part in (0, 0.5, 1):
        y = _HEIGHT - part * (_HEIGHT - 14)
        lines.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text class="num" x="0" y="{y + 4:.1f}">{round(part * most)}</text>')
    return "".join(lines)


def _column(step: Step, left: float, across: float, most: int) -> str:
    width = min(across * 0.62, 56)
    x, bottom = left + (across - width) / 2, float(_HEIGHT)
    parts = []
    for kind, count in _counts(step).items():
        height = count / most * (_HEIGHT - 14)
        if count:
            bottom -= height
            parts.append(
                f'<rect class="{kind}" x="{x:.1f}" y="{bottom:.1f}" width="{width:.1f}" height="{height:.1f}">'
                f"<title>{step.as_of:%Y-%m-%d %H:%M}: {count} {kind}</title></rect>"
            )
    middle = left + across / 2
    parts.append(
        f'<text x="{middle:.1f}" y="{_HEIGHT + 16}" text-anchor="middle" class="num">{step.as_of:%d %b}</text>'
    )
    failing = step.counts.get("fail", 0)
    parts.append(
        f'<text x="{middle:.1f}" y="{bottom - 4:.1f}" text-anchor="middle" class="num">{failing}</text>'
    )
    return "".join(parts)


def _svg(height: int, label: str, parts: Sequence[str]) -> str:
    return f'<svg class="chart" role="img" aria-label="{label}" viewBox="0 0 {_WIDTH} {height}">{"".join(parts)}</svg>'
