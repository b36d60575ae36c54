"""Somebody sees dashboards, metrics, alarms and logs: which of the reading actions is missing.

CloudWatch user guide: "Permissions required to use the CloudWatch console"; each row is one thing that it shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.explain.doctor import Doctor, Patient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.explain.links import Link

_READS: Final = (
    ("list-dashboards", "cloudwatch:ListDashboards"),
    ("see-dashboard", "cloudwatch:GetDashboard"),
    ("list-metrics", "cloudwatch:ListMetrics"),
    ("see-metrics", "cloudwatch:GetMetricData"),
    ("see-alarms", "cloudwatch:DescribeAlarms"),
    ("list-log-groups", "logs:DescribeLogGroups"),
)


def _links(patient: Patient) -> Iterator[Link]:
    for name, action in _READS:
        yield patient.permitted(name, patient.given["principal"], action, "*")


DOCTOR = Doctor(
    "dashboards",
    "Somebody sees dashboards, metrics, alarms and logs",
    _links,
    needs=("principal",),
    looks="which reading action of CloudWatch and its logs is missing",
)
