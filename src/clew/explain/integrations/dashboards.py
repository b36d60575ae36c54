"""Somebody sees dashboards, metrics, alarms and logs: which of the reading actions is missing.

CloudWatch user guide: "Amazon CloudWatch permissions reference"; CloudWatch Logs user guide: "Using identity-based
policies (IAM policies) for CloudWatch Logs", Permissions required to use the CloudWatch Logs console.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.resources import partition
from clew.explain.doctor import Doctor, Patient
from clew.explain.links import Link, Verdict
from clew.explain.log_groups import may_use

if TYPE_CHECKING:
    from collections.abc import Iterator

_READS: Final = (
    ("list-dashboards", "cloudwatch:ListDashboards"),
    ("list-metrics", "cloudwatch:ListMetrics"),
    ("see-metrics", "cloudwatch:GetMetricData"),
    ("see-metric-statistics", "cloudwatch:GetMetricStatistics"),
    ("see-alarms", "cloudwatch:DescribeAlarms"),
    ("see-alarm-history", "cloudwatch:DescribeAlarmHistory"),
    ("list-log-groups", "logs:DescribeLogGroups"),
)
_OF_ONE: Final = (
    ("see-dashboard", "cloudwatch:GetDashboard", "dashboard"),
    ("list-log-streams", "logs:DescribeLogStreams", "log-group"),
    ("see-log-events", "logs:GetLogEvents", "log-group"),
    ("search-log-events", "logs:FilterLogEvents", "log-group"),
)
"""What is asked of one dashboard or one log group, and the option that says which."""


def _links(patient: Patient) -> Iterator[Link]:
    who = patient.given["principal"]
    for name, action in _READS:
        yield patient.permitted(name, who, action, "*")
    for name, action, option in _OF_ONE:
        yield _of_one(patient, name, action, option)


def _of_one(patient: Patient, name: str, action: str, option: str) -> Link:
    """The link for the one that was told; else for all, which nobody needs who may see some."""
    told, who = patient.given.get(option, ""), patient.given["principal"]
    if told and option == "log-group":
        return may_use(patient, name, who, action, _place(patient, option, told))
    found = patient.permitted(name, who, action, _place(patient, option, told) if told else "*")
    if told or found.verdict is not Verdict.BROKEN:
        return found
    says = f"`{action}` is not allowed on everything; on which it must be is not told"
    return Link(name, Verdict.UNKNOWN, says, found.evidence, settle=f"give `--{option}`, its ARN or name")


def _place(patient: Patient, option: str, told: str) -> str:
    """The ARN of a dashboard; a log group is told by its ARN, since its name does not say its region."""
    if told.startswith("arn:"):
        arn = told.removesuffix(":*")
        return f"{arn}:log-stream:" if option == "log-group" else arn
    if option == "dashboard":
        return f"arn:{partition(patient.state)}:cloudwatch::{patient.state.account}:dashboard/{told}"
    _, found = patient.find("log-group", "logs:DescribeLogGroups", "logGroups", told, "logGroupName")
    region = found.region if found is not None else "us-east-1"
    return (
        f"arn:{partition(patient.state)}:logs:{region}:{patient.state.account}:log-group:{told}:log-stream:"
    )


DOCTOR = Doctor(
    "dashboards",
    "Somebody sees dashboards, metrics, alarms and logs",
    _links,
    needs=("principal",),
    may=("dashboard", "log-group"),
    looks="which reading action of CloudWatch and its logs is missing",
)
