"""A function's logs reach CloudWatch Logs.

AWS Lambda developer guide: "Sending Lambda function logs to CloudWatch Logs".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.resources import partition
from clew.explain.doctor import Doctor, Patient
from clew.explain.log_groups import may_use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.explain.links import Link


def _links(patient: Patient) -> Iterator[Link]:
    name = patient.given["function"]
    link, found = patient.find(
        "function", "lambda:ListFunctions", "Functions", name, "FunctionName", "FunctionArn"
    )
    yield link
    if found is None:
        return
    role = found.text("Role")
    yield patient.trusted("role-trust", role, "lambda.amazonaws.com")
    group = found.text("LoggingConfig.LogGroup") or f"/aws/lambda/{found.text('FunctionName')}"
    place = f"arn:{partition(patient.state)}:logs:{found.region}:{patient.state.account}:log-group:{group}"
    there, _ = patient.find("log-group", "logs:DescribeLogGroups", "logGroups", group, "logGroupName")
    if there.verdict != "holds":
        # Lambda makes the group itself, where the role lets it.
        yield may_use(patient, "create-group", role, "logs:CreateLogGroup", f"{place}:log-stream:")
    else:
        yield there
    for link_name, action in (("create-stream", "logs:CreateLogStream"), ("put-events", "logs:PutLogEvents")):
        yield may_use(patient, link_name, role, action, f"{place}:log-stream:2026/03/11/[$LATEST]0")


DOCTOR = Doctor(
    "lambda-logs",
    "Lambda writes the logs of a function",
    _links,
    needs=("function",),
    looks="the role's trust, the log group, creating streams, putting events, resource policies of CloudWatch Logs",
)
