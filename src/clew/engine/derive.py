"""Context keys that follow from the request itself, and only where there is no doubt.

AWS: "AWS global condition context keys"; "IAM policy elements: Variables and tags", principal key values.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from clew.aws.partitions import is_region
from clew.engine.authorize import resource_account
from clew.engine.conditions import addresses
from clew.engine.principal import Caller, Kind, parse_principal
from clew.engine.request import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine.request import Context

_TYPES: Final = {
    Kind.USER: "User",
    Kind.ROLE: "AssumedRole",
    Kind.SESSION: "AssumedRole",
    Kind.FEDERATED_USER: "FederatedUser",
    Kind.ROOT: "Account",
    Kind.ANONYMOUS: "Anonymous",
}
_REGION_FIELD: Final = 3

_OF_SERVICES: Final = (
    "aws:SourceArn",
    "aws:SourceAccount",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
)
"""Keys that are there only when a service principal calls directly."""

_OF_ROLE_SESSIONS: Final = (
    "aws:SourceIdentity",
    "aws:FederatedProvider",
    "aws:Ec2InstanceSourceVpc",
    "aws:Ec2InstanceSourcePrivateIPv4",
    "ec2:SourceInstanceARN",
    "lambda:SourceFunctionArn",
)
_OF_ENDPOINTS: Final = (
    "aws:SourceVpce",
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:VpcSourceIp",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "aws:VpceOrgPaths",
)
_BESIDE: Final = {
    "aws:multifactorauthpresent": ("aws:MultiFactorAuthAge",),
    "aws:viaawsservice": ("aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast"),
}
_ENDPOINT_KEYS: Final = tuple(map(str.lower, _OF_ENDPOINTS))
_PRIVATE: Final = addresses.within(
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"]
)
_OF_MEMBERS: Final = ("aws:PrincipalOrgID", "aws:PrincipalOrgPaths")
_OF_SIGNED: Final = (
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:MultiFactorAuthPresent",
    "aws:MultiFactorAuthAge",
    "aws:TokenIssueTime",
)


def derived(request: Request) -> Request:
    """The request with what follows with certainty: keys that are there, and keys that such a caller never has.

    What the request gives stays as it is. A session's ARN leaves out the role's path, so of its
    `aws:PrincipalArn` only the beginning and the end are.

    >>> context = derived(Request("arn:aws:iam::111122223333:user/team/ana", "s3:GetObject", "*")).context
    >>> context.get("aws:username"), context.get("aws:principalaccount"), context.get("aws:principaltype")
    ('ana', '111122223333', 'User')
    """
    caller = parse_principal(request.principal)
    values = {**dict(_of_caller(caller)), **dict(_of_resource(request, caller))}
    absent = (*_never_of(caller), *_excluded(request.context))
    context = request.context.with_defaults(values, absent=absent)
    if caller.kind is Kind.SESSION:
        role = f"arn:{caller.partition}:iam::{caller.account}:role/"
        context = context.with_ends("aws:PrincipalArn", role, caller.name)
    return Request(request.principal, request.action, request.resource, request.resource_account, context)


def never_of_somebody(context: Context) -> tuple[str, ...]:
    """The keys that no request of a user or role carries, whoever it is, beside what the context gives."""
    return (*_OF_SERVICES, *_excluded(context))


def _excluded(context: Context) -> tuple[str, ...]:
    return (*_not_on_this_way(context), *_not_beside(context))


def _not_on_this_way(context: Context) -> tuple[str, ...]:
    """The keys of the way that the request does not take: through a VPC endpoint, or from a public address.

    AWS: aws:SourceIp is there "except when the requester uses a VPC endpoint to make the request".
    """
    if any(isinstance(context.get(key), str) for key in _ENDPOINT_KEYS):
        return ("aws:SourceIp",)
    address = context.get("aws:sourceip")
    return _OF_ENDPOINTS if isinstance(address, str) and _is_public(address) else ()


def _not_beside(context: Context) -> Iterator[str]:
    """The keys that are there only where another is `true`.

    AWS: aws:MultiFactorAuthAge: "If MFA was not used, this key is not present"; aws:CalledVia: "also not present when
    the principal makes the call directly".
    """
    for key, others in _BESIDE.items():
        value = context.get(key)
        if isinstance(value, str) and value.lower() == "false":
            yield from others


@lru_cache(maxsize=1024)
def _is_public(address: str) -> bool:
    """Whether requests can come from there without an endpoint; a private address may have been meant for one."""
    return addresses.read(address) is not None and not _PRIVATE(address)


def _never_of(caller: Caller) -> tuple[str, ...]:
    """The keys that requests of such a caller do not carry, by the "Availability" of each."""
    match caller.kind:
        case Kind.USER:
            return (*_OF_SERVICES, *_OF_ROLE_SESSIONS)
        case Kind.ROLE | Kind.SESSION | Kind.FEDERATED_USER | Kind.ROOT:
            return (*_OF_SERVICES, "aws:username")
        case Kind.ANONYMOUS:
            return (*_OF_SERVICES, *_OF_ROLE_SESSIONS, *_OF_MEMBERS, *_OF_SIGNED, "aws:username")
        case Kind.SERVICE if not caller.text.startswith("arn:"):
            return (*_OF_ROLE_SESSIONS, *_OF_MEMBERS, "aws:username")
        case _:
            return ()


def _of_caller(caller: Caller) -> Iterator[tuple[str, str]]:
    kind = caller.kind
    if kind in _TYPES:
        yield "aws:PrincipalType", _TYPES[kind]
    if caller.is_person_of_account:
        yield "aws:PrincipalAccount", caller.account
        yield "aws:PrincipalIsAWSService", "false"
    if kind in {Kind.USER, Kind.ROLE, Kind.FEDERATED_USER, Kind.ROOT} and caller.text.startswith("arn:"):
        yield "aws:PrincipalArn", caller.text
    if kind is Kind.USER:
        yield "aws:username", caller.text.rpartition("/")[2]
    elif kind is Kind.ROOT:
        yield "aws:userid", caller.account
    elif kind is Kind.FEDERATED_USER:
        yield "aws:userid", f"{caller.account}:{caller.text.partition('/')[2]}"
    elif kind is Kind.ANONYMOUS:
        yield "aws:userid", "anonymous"
    elif kind is Kind.SERVICE and not caller.text.startswith("arn:"):
        yield "aws:PrincipalIsAWSService", "true"
        yield "aws:PrincipalServiceName", caller.text


def _of_resource(request: Request, caller: Caller) -> Iterator[tuple[str, str]]:
    owner, assumed = resource_account(request, caller, request.action.lower())
    if owner and not assumed and request.resource != "*":
        yield "aws:ResourceAccount", owner
    fields = request.resource.split(":")
    if len(fields) > _REGION_FIELD and is_region(fields[_REGION_FIELD]):
        yield "aws:RequestedRegion", fields[_REGION_FIELD]
