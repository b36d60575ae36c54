"""Facts about ports, shares and public switches that a call opens."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

from clew.detect.facts.fields import (
    account,
    integer,
    is_false,
    items,
    mappings,
    request,
    text_at,
    texts,
    value_at,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

WORLD = frozenset({"0.0.0.0/0", "::/0"})
# A wider range is the internet cut in pieces: AWS itself counts one as public where a bucket policy names it.
# AWS: "Blocking public access to your Amazon S3 storage", The meaning of "public".
NARROWEST_WORLD = {4: 7, 6: 31}
LAST_PORT = 65535

# Remote administration and data stores: ports that no one opens to the world with good reason.
ADMIN_PORTS = (
    20, 21, 22, 23, 135, 139, 445, 1433, 1521, 2375, 2376, 3306, 3389, 4333, 5432, 5500, 5601, 5900, 5985, 5986, 6379,
    6443, 8020, 9042, 9200, 9300, 10250, 11211, 27017, 27018,
)  # fmt: skip
ALL_PROTOCOLS = frozenset({"-1", "all"})
TCP = frozenset({"tcp", "6", "udp", "17"})

PUBLIC_GROUPS = ("groups/global/AllUsers", "groups/global/AuthenticatedUsers")
PUBLIC_CANNED = frozenset({"public-read", "public-read-write", "authenticated-read"})
BLOCK_SWITCHES = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def security_group_world_ports(event: Mapping[str, object]) -> list[str]:
    """The ports that the call opens to the whole internet, as `22`, `8000-8100` or `all`; empty when none.

    **Finds** ingress rules from 0.0.0.0/0, ::/0 or a range wider than /8 (/32), in every shape that EC2 records.
    **Why it matters** everything that listens there is reachable by every scanner.
    **False positives** web servers and load balancers that serve the public.
    **Fix** revoke the rule, or narrow it to known addresses or another security group.
    **References** AWS: "Security group rules".
    """
    return sorted({_port_label(rule) for rule in _ingress(event) if _from_world(rule)})


def security_group_world_admin_ports(event: Mapping[str, object]) -> list[int]:
    """The administration and database ports that the call opens to the whole internet; empty when none.

    **Finds** such ports within any ingress range whose source is 0.0.0.0/0, ::/0 or wider than /8 (/32).
    **Why it matters** these services fall to password guessing and known exploits within hours.
    **False positives** none that should stay: use Session Manager or a bastion.
    **Fix** revoke the rule.
    **References** AWS: "Security group rules for different use cases".
    """
    spans = [_span(rule) for rule in _ingress(event) if _from_world(rule)]
    return [port for port in ADMIN_PORTS if any(low <= port <= high for low, high in spans)]


def _ingress(event: Mapping[str, object]) -> list[Mapping[str, object]]:
    parameters = request(event)
    nested = mappings(parameters.get("ipPermissions"))
    changed = [rule for member in _updates(parameters) for rule in mappings(member.get("SecurityGroupRule"))]
    return [*nested, parameters, *changed]


def _updates(parameters: Mapping[str, object]) -> list[Mapping[str, object]]:
    # ModifySecurityGroupRules is recorded in the XML spelling of its request.
    return mappings(value_at(parameters, "ModifySecurityGroupRulesRequest", "SecurityGroupRule"))


def _from_world(rule: Mapping[str, object]) -> bool:
    ranges = [*mappings(rule.get("ipRanges")), *mappings(rule.get("ipv6Ranges")), rule]
    fields = ("cidrIp", "cidrIpv6", "CidrIpv4", "CidrIpv6")
    return any(_is_world(each.get(field)) for each in ranges for field in fields)


def _is_world(cidr: object) -> bool:
    try:
        network = ip_network(cidr, strict=False) if isinstance(cidr, str) else None
    except ValueError:
        return False
    return network is not None and network.prefixlen <= NARROWEST_WORLD[network.version]


def _span(rule: Mapping[str, object]) -> tuple[int, int]:
    protocol = str(_first(rule, "ipProtocol", "IpProtocol")).lower()
    low = integer(_first(rule, "fromPort", "FromPort"))
    high = integer(_first(rule, "toPort", "ToPort"))
    if protocol in ALL_PROTOCOLS:
        return 0, LAST_PORT
    if protocol not in TCP:
        return -1, -1
    if low is None or low < 0:
        return 0, LAST_PORT
    return low, low if high is None or high < low else high


def _first(rule: Mapping[str, object], *names: str) -> object:
    return next((rule[name] for name in names if rule.get(name) is not None), None)


def _port_label(rule: Mapping[str, object]) -> str:
    low, high = _span(rule)
    if low < 0:
        return str(_first(rule, "ipProtocol", "IpProtocol"))[:20]
    if (low, high) == (0, LAST_PORT):
        return "all"
    return str(low) if low == high else f"{low}-{high}"


def network_acl_opened(event: Mapping[str, object]) -> bool:
    """Whether the network ACL entry lets all traffic of the whole internet in.

    **Finds** an ingress allow entry for every protocol from 0.0.0.0/0 or ::/0.
    **Why it matters** the subnet's second line of defence no longer filters anything.
    **False positives** the default ACL's own entry when it is created again.
    **Fix** delete the entry or narrow it.
    **References** AWS: "Control subnet traffic with network access control lists".
    """
    entry = request(event)
    cidrs = {text_at(entry, "cidrBlock"), text_at(entry, "ipv6CidrBlock")}
    everything = str(entry.get("aclProtocol", entry.get("protocol"))) == "-1"
    ingress = is_false(entry.get("egress")) or "egress" not in entry
    return bool(cidrs & WORLD) and everything and ingress and text_at(entry, "ruleAction") == "allow"


def acl_public(event: Mapping[str, object]) -> bool:
    """Whether the ACL that was put grants anything to everyone, or to every AWS account.

    **Finds** the groups AllUsers and AuthenticatedUsers in grants or grant headers, and the public canned ACLs.
    **Why it matters** the content is readable or writable by strangers.
    **False positives** websites that are served straight from a bucket.
    **Fix** set Block Public Access and disable ACLs (object ownership: bucket owner enforced).
    **References** AWS: "Access control list (ACL) overview", Who is a grantee.
    """
    return any(
        any(group in text for group in PUBLIC_GROUPS)
        or ("acl" in name.lower() and text.lower() in PUBLIC_CANNED)
        for name, text in texts(request(event))
    )


def public_access_block_weakened(event: Mapping[str, object]) -> bool:
    """Whether Block Public Access is left with a switch off or missing, or was deleted.

    **Finds** a configuration that does not set all four switches, and deletions.
    **Why it matters** it is the last guard between a careless policy or ACL and the public.
    **False positives** buckets that serve a public website by decision.
    **Fix** put the configuration back with all four switches on.
    **References** AWS: "Blocking public access to your Amazon S3 storage".
    """
    if text_at(event, "eventName").startswith("Delete"):
        return True
    written = request(event).get("PublicAccessBlockConfiguration")
    switches = written if isinstance(written, dict) else {}
    return any(str(switches.get(name)).lower() != "true" for name in BLOCK_SWITCHES)


_GRANTEES = ("group", "userId", "organizationArn", "organizationalUnitArn")
# The last is Redshift's.
_ADDED = (
    "valuesToAdd", "accountIdsToAdd", "userIds", "userGroups", "userGroup", "accountsToAdd", "accountWithRestoreAccess",
)  # fmt: skip


def _shared_with(event: Mapping[str, object]) -> list[str]:
    parameters = request(event)
    added: list[str] = []
    for permission in ("createVolumePermission", "launchPermission", "loadPermission"):
        for grant in mappings(value_at(parameters, permission, "add")):
            added += [str(grant[key]) for key in _GRANTEES if key in grant]
    for field in _ADDED:
        added += [str(each) for each in items(parameters.get(field))]
    return added if text_at(parameters, "operationType") != "remove" else []


def shared_publicly(event: Mapping[str, object]) -> bool:
    """Whether a snapshot, image or document is shared with every AWS account.

    **Finds** the group `all` among those that the call adds.
    **Why it matters** anyone can copy the disk, database or script, without leaving a trace in this account.
    **False positives** vendors that publish images on purpose.
    **Fix** remove the permission, then treat the content as read by others.
    **References** AWS: "Share an Amazon EBS snapshot with other AWS accounts".
    """
    return any(value.lower() == "all" for value in _shared_with(event))


def shared_with_accounts(event: Mapping[str, object]) -> list[str]:
    """The other accounts and organisations that a snapshot, image or document is newly shared with; empty when none.

    **Finds** account numbers and organisation ARNs that the call adds, the record's own account left out.
    **Why it matters** the receiver copies the data where no log of this account sees it.
    **False positives** backup and build accounts of the same company.
    **Fix** remove the permission and check `CopySnapshot` in the receiving account if it is yours.
    **References** AWS: "Share an Amazon EBS snapshot with other AWS accounts".
    """
    own = account(event)
    return sorted({value for value in _shared_with(event) if value.lower() != "all" and value != own})


def lambda_permission_public(event: Mapping[str, object]) -> bool:
    """Whether the permission lets anyone invoke the function or use the layer.

    **Finds** principal `*` without a source account, source ARN or organisation that narrows it.
    **Why it matters** strangers run the code with the function's role, at the owner's cost.
    **False positives** function URLs that are public by decision.
    **Fix** remove the statement, or add `--source-account`, `--source-arn` or `--principal-org-id`.
    **References** AWS: "Using resource-based policies for Lambda".
    """
    parameters = request(event)
    narrowed = ("sourceArn", "sourceAccount", "principalOrgID", "organizationId", "eventSourceToken")
    return parameters.get("principal") == "*" and not any(parameters.get(field) for field in narrowed)


def lambda_permission_external(event: Mapping[str, object]) -> bool:
    """Whether the permission admits a different account.

    **Finds** a principal that is an account number or an ARN of an account other than the record's own.
    **Why it matters** the function, and what its role may do, answers to outsiders.
    **False positives** shared services of the same company.
    **Fix** remove the statement.
    **References** AWS: "Granting Lambda function access to other accounts".
    """
    principal = text_at(event, "requestParameters", "principal")
    parts = principal.split(":")
    stranger = parts[4] if principal.startswith("arn:") and len(parts) > 5 else principal  # noqa: PLR2004  # an ARN has six parts
    return stranger.isdigit() and stranger != account(event)


# Where a call names what it is about, one or many.
NAMED: Mapping[str, str] = {"TerminateInstances": "instancesSet", "GetParameters": "names"}


def resources_named(event: Mapping[str, object]) -> int:
    """How many resources the call names; 0 for calls that this says nothing about.

    **Finds** the instances of TerminateInstances and the parameters of GetParameters.
    **Why it matters** one call can do what many do, and counting calls would miss it.
    **False positives** none: this only counts.
    **Fix** nothing.
    **References** AWS: "TerminateInstances" (EC2), "GetParameters" (Systems Manager).
    """
    field = NAMED.get(text_at(event, "eventName"))
    return len(items(request(event).get(field))) if field else 0
