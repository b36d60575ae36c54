"""Flow logs of a VPC, with the log group and the role that they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.errors import ChangeError
from clew.respond.actions.numbers import whole
from clew.respond.aspects.ec2 import VPC, VPC_FLOW_LOGS
from clew.respond.aspects.iam import ROLE, ROLE_POLICY
from clew.respond.aspects.logs import LOG_GROUP
from clew.respond.model import Action, Options, Place, State, Step, Target
from clew.snapshot.answers import GLOBAL

if TYPE_CHECKING:
    from clew.respond.model import Aspect, Value

_ROLE = "clew-vpc-flow-logs"
_POLICY = "write-flow-logs"
_SERVICE = "vpc-flow-logs.amazonaws.com"
_TRAFFIC = ("ALL", "REJECT", "ACCEPT")
# AWS: "PutRetentionPolicy", retentionInDays.
_DAYS = (1, 3653)


def _needs(target: Target, options: Options) -> tuple[tuple[Aspect, Place], ...]:
    role = _role(target, options)
    return (
        (VPC, target.place),
        (VPC_FLOW_LOGS, target.place),
        (LOG_GROUP, _group(target, options)),
        (ROLE, role),
        (ROLE_POLICY, role.within(_POLICY)),
    )


def _group(target: Target, options: Options) -> Place:
    place = target.place
    name = options.get("log-group", f"/clew/vpc-flow-logs/{place.name}")
    return Place(place.account, place.region, name, place.partition)


def _role(target: Target, options: Options) -> Place:
    return Place(target.place.account, GLOBAL, options.get("role", _ROLE), target.place.partition)


def _enable(target: Target, options: Options, state: State) -> tuple[Step, ...]:
    found = state.of(VPC_FLOW_LOGS, target.place)
    traffic = options.get("traffic", "ALL")
    if traffic not in _TRAFFIC:
        raise ChangeError(f"option `traffic`: expected one of {', '.join(_TRAFFIC)}, found `{traffic[:40]}`")
    if any(log.get("TrafficType") in {"ALL", traffic} for log in found):
        return ()
    group, role = _group(target, options), _role(target, options)
    log = {
        "TrafficType": traffic,
        "LogDestinationType": "cloud-watch-logs",
        "LogGroupName": group.name,
        "DeliverLogsPermissionArn": f"arn:{role.partition}:iam::{role.account}:role/{role.name}",
    }
    days = whole(options, "retention-days", 365, _DAYS)
    made = () if state.of(LOG_GROUP, group) else state.to(LOG_GROUP, group, {"retentionInDays": days})
    return (*made, *_role_steps(role, group, state), *state.to(VPC_FLOW_LOGS, target.place, [*found, log]))


def _role_steps(role: Place, group: Place, state: State) -> tuple[Step, ...]:
    """A role of its own is made; of one that is there only the trust is looked at."""
    found = state.of(ROLE, role)
    if found is not None and _SERVICE not in str(found["AssumeRolePolicyDocument"]):
        raise ChangeError(
            f"role `{role.name}` does not trust {_SERVICE}; name another with `--set role=NAME`"
        )
    if found is not None and role.name != _ROLE:
        return ()
    made = () if found else state.to(ROLE, role, {"Path": "/", "AssumeRolePolicyDocument": _trust(role)})
    policy = role.within(_POLICY)
    there = state.of(ROLE_POLICY, policy)
    return (*made, *(() if there else state.to(ROLE_POLICY, policy, _permissions(group))))


def _trust(role: Place) -> Value:
    """AWS: "IAM role for publishing flow logs to CloudWatch Logs": the service, and only for this account."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": _SERVICE},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": role.account}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _permissions(group: Place) -> Value:
    arn = f"arn:{group.partition}:logs:*:{group.account}:log-group:*"
    actions = [
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
    ]
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": arn}]}


ENABLE_FLOW_LOGS = Action(
    "enable-flow-logs",
    "Log the traffic of a VPC",
    "vpc",
    "logs are stored and paid for by their size",
    _needs,
    _enable,
    {
        "log-group": "the log group; /clew/vpc-flow-logs/VPC by default",
        "role": f"the name of the role that writes; {_ROLE} by default, which is made",
        "retention-days": "days for which a new log group keeps logs; 365 by default",
        "traffic": "ALL, REJECT or ACCEPT; ALL by default",
    },
)
