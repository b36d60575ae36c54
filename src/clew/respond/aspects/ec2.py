"""Rules of security groups, and flow logs of VPCs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.collect.reads import Read
from clew.errors import ChangeError
from clew.respond.model import Aspect, Place, Value, Write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_OWN_NAMES = frozenset({"SecurityGroupRuleId", "SecurityGroupRuleArn", "GroupId", "GroupOwnerId"})
_FLOW_LOG = (
    "TrafficType",
    "LogDestinationType",
    "LogGroupName",
    "LogDestination",
    "DeliverLogsPermissionArn",
    "LogFormat",
    "MaxAggregationInterval",
)
_TO_LOGS = "cloud-watch-logs"
_NEW = "ID-OF-THE-NEW-FLOW-LOG"
"""What a preview has for an id that AWS gives later."""


def _key(value: Value) -> str:
    return json.dumps(value, sort_keys=True)


def _rules(body: Mapping[str, Value], place: Place) -> Value:
    """The rules of the group without the ids that AWS gives them, in a fixed order."""
    found = [rule for rule in body["SecurityGroupRules"] if rule.get("GroupId", place.name) == place.name]
    # An empty description or list of tags is none.
    kept = ({n: v for n, v in rule.items() if n not in _OWN_NAMES and v not in ("", [])} for rule in found)
    return sorted(kept, key=_key)


def _change_rules(place: Place, current: Value, wanted: Value) -> tuple[Write, ...]:
    moves = _moves(current, wanted)
    return tuple(
        _authorized(place, rules) if is_added else _revoked(place, rules) for is_added, rules in moves
    )


def _rule_hops(current: Value, wanted: Value) -> tuple[Value, ...]:
    found, hops = list(current), []
    for is_added, rules in _moves(current, wanted):
        found = [*found, *rules] if is_added else [rule for rule in found if rule not in rules]
        hops.append(found)
    return tuple(hops)


def _moves(current: Value, wanted: Value) -> tuple[tuple[bool, list[Value]], ...]:
    """Whether to allow or to revoke, and which rules, for each call in turn.

    What is missing is allowed first, then what is too much is revoked: nothing is cut off in between. Only a rule that
    differs in its description or tags alone must go first, since EC2 holds each source once.
    """
    old, new = {_key(rule) for rule in current}, {_key(rule) for rule in wanted}
    missing = [rule for rule in wanted if _key(rule) not in old]
    extra = [rule for rule in current if _key(rule) not in new]
    sources = {_source(rule) for rule in missing}
    again = [rule for rule in extra if _source(rule) in sources]
    rest = [rule for rule in extra if rule not in again]
    return (
        *((False, found) for found in _grouped(again, _way)),
        *((True, found) for found in _grouped(missing, _way_and_tags)),
        *((False, found) for found in _grouped(rest, _way)),
    )


def _source(rule: Value) -> str:
    return _key({n: v for n, v in rule.items() if n not in {"Description", "Tags"}})


def _way(rule: Value) -> str:
    return str(rule["IsEgress"])


def _way_and_tags(rule: Value) -> str:
    """Tags are given to all rules of a call alike."""
    return _way(rule) + _key(rule.get("Tags") or [])


def _grouped(rules: Iterable[Value], by: Callable[[Value], str]) -> Iterable[list[Value]]:
    groups: dict[str, list[Value]] = {}
    for rule in rules:
        groups.setdefault(by(rule), []).append(rule)
    return groups.values()


def _authorized(place: Place, rules: list[Value]) -> Write:
    operation = f"AuthorizeSecurityGroup{_direction(rules[0])}"
    given = {"GroupId": place.name, "IpPermissions": [_permission(rule) for rule in rules]}
    tags = rules[0].get("Tags")
    if tags:
        given["TagSpecifications"] = [{"ResourceType": "security-group-rule", "Tags": tags}]
    return Write("ec2", operation, given, (f"ec2:{operation}", *(["ec2:CreateTags"] if tags else [])))


def _revoked(place: Place, rules: list[Value]) -> Write:
    operation = f"RevokeSecurityGroup{_direction(rules[0])}"
    permissions = [_permission(rule, described=False) for rule in rules]
    given = {"GroupId": place.name, "IpPermissions": permissions}
    return Write("ec2", operation, given, (f"ec2:{operation}",))


def _direction(rule: Value) -> str:
    return "Egress" if rule["IsEgress"] else "Ingress"


def _permission(rule: Value, *, described: bool = True) -> Value:
    """The rule as it is asked for; a rule about all protocols has no ports."""
    ports = {} if rule["IpProtocol"] == "-1" else {n: rule[n] for n in ("FromPort", "ToPort") if n in rule}
    text = {"Description": rule["Description"]} if described and rule.get("Description") else {}
    if "CidrIpv4" in rule:
        source = {"IpRanges": [{"CidrIp": rule["CidrIpv4"], **text}]}
    elif "CidrIpv6" in rule:
        source = {"Ipv6Ranges": [{"CidrIpv6": rule["CidrIpv6"], **text}]}
    elif "PrefixListId" in rule:
        source = {"PrefixListIds": [{"PrefixListId": rule["PrefixListId"], **text}]}
    else:
        group = rule["ReferencedGroupInfo"]
        named = {n: group[n] for n in ("GroupId", "UserId", "VpcPeeringConnectionId") if group.get(n)}
        source = {"UserIdGroupPairs": [{**named, **text}]}
    return {"IpProtocol": rule["IpProtocol"], **ports, **source}


def _flow_logs(body: Mapping[str, Value], place: Place) -> Value:
    found = [log for log in body["FlowLogs"] if log.get("ResourceId") == place.name]
    kept = [
        {"FlowLogId": log["FlowLogId"], **{n: log[n] for n in _FLOW_LOG if log.get(n) is not None}}
        for log in found
    ]
    return sorted(kept, key=lambda log: str(log["FlowLogId"]))


def _change_flow_logs(place: Place, current: Value, wanted: Value) -> tuple[Write, ...]:
    old, new = list(map(_flow_log_key, current)), list(map(_flow_log_key, wanted))
    gone = [log.get("FlowLogId", _NEW) for log, key in zip(current, old, strict=True) if key not in new]
    made = [_created(place, log) for log, key in zip(wanted, new, strict=True) if key not in old]
    deleted = [Write("ec2", "DeleteFlowLogs", {"FlowLogIds": gone}, ("ec2:DeleteFlowLogs",))]
    return (*made, *(deleted if gone else ()))


def _created(place: Place, log: Value) -> Write:
    given = {n: v for n, v in log.items() if n != "FlowLogId"}
    # AWS: "CreateFlowLogs": a log group is named by its name or its ARN, not both.
    if given.get("LogGroupName"):
        given.pop("LogDestination", None)
    parameters = {"ResourceIds": [place.name], "ResourceType": "VPC", **given}
    return Write(
        "ec2", "CreateFlowLogs", parameters, ("ec2:CreateFlowLogs", "iam:PassRole", "logs:CreateLogDelivery")
    )


def _flow_log_key(log: Value) -> str:
    """What tells flow logs apart: what is logged and where to; AWS fills in the rest."""
    where = log.get("LogGroupName") or log.get("LogDestination")
    return _key([log.get("TrafficType"), log.get("LogDestinationType", _TO_LOGS), where])


def _flow_log_keys(logs: Value) -> Value:
    return sorted(map(_flow_log_key, logs))


def _unchanged(place: Place, _: Value, __: Value) -> tuple[Write, ...]:
    raise ChangeError(f"`{place}` itself is not changed")


def _group(body: Mapping[str, Value], _: Place) -> Value:
    return {"GroupName": body["SecurityGroups"][0]["GroupName"]}


SECURITY_GROUP = Aspect(
    "security-group",
    Read("ec2", "DescribeSecurityGroups", absent=("InvalidGroup.NotFound", "InvalidGroupId.NotFound")),
    lambda place: {"GroupIds": [place.name]},
    _group,
    _unchanged,
)
VPC = Aspect(
    "vpc",
    Read("ec2", "DescribeVpcs", absent=("InvalidVpcID.NotFound",)),
    lambda place: {"VpcIds": [place.name]},
    lambda body, _: {"VpcId": body["Vpcs"][0]["VpcId"]},
    _unchanged,
)
SECURITY_GROUP_RULES = Aspect(
    "security-group-rules",
    Read("ec2", "DescribeSecurityGroupRules"),
    lambda place: {"Filters": [{"Name": "group-id", "Values": [place.name]}]},
    _rules,
    _change_rules,
    hops=_rule_hops,
    canonical=lambda rules: sorted(rules, key=_key),
)
VPC_FLOW_LOGS = Aspect(
    "vpc-flow-logs",
    Read("ec2", "DescribeFlowLogs"),
    lambda place: {"Filters": [{"Name": "resource-id", "Values": [place.name]}]},
    _flow_logs,
    _change_flow_logs,
    canonical=_flow_log_keys,
)
