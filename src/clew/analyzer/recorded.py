"""A recorded call as the requests that AWS decided: who, which action, on what, and the context that the record proves.

CloudTrail does not record the whole request context: what a record does not prove stays unknown, never absent.
AWS: "AWS global condition context keys"; "CloudTrail record contents"; "CloudTrail userIdentity element".
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.analyzer.activity import Unmapped, Use, actions
from clew.analyzer.touched import touched
from clew.aws.services import is_service_host
from clew.engine.derive import derived
from clew.engine.request import Context, Request
from clew.events import identity
from clew.events.paths import at, text_at
from clew.events.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.engine.request import ContextValue

    Event = Mapping[str, object]

# Request parameters that are context keys of their action. AWS: the service authorization reference of each service.
_PARAMETERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "sts:AssumeRole": (
        ("externalId", "sts:ExternalId"),
        ("roleSessionName", "sts:RoleSessionName"),
        ("sourceIdentity", "sts:SourceIdentity"),
    ),
    "s3:ListBucket": (("prefix", "s3:prefix"), ("delimiter", "s3:delimiter"), ("max-keys", "s3:max-keys")),
    "s3:PutObject": (
        ("x-amz-acl", "s3:x-amz-acl"),
        ("x-amz-server-side-encryption", "s3:x-amz-server-side-encryption"),
        ("x-amz-storage-class", "s3:x-amz-storage-class"),
    ),
    "s3:PutBucketAcl": (("x-amz-acl", "s3:x-amz-acl"),),
    "s3:PutObjectAcl": (("x-amz-acl", "s3:x-amz-acl"),),
    "iam:AttachUserPolicy": (("policyArn", "iam:PolicyARN"),),
    "iam:AttachRolePolicy": (("policyArn", "iam:PolicyARN"),),
    "iam:AttachGroupPolicy": (("policyArn", "iam:PolicyARN"),),
    "iam:CreateServiceLinkedRole": (("aWSServiceName", "iam:AWSServiceName"),),
}


@dataclass(frozen=True, slots=True)
class Unasked:
    """A call that cannot be put as a request, and why: the record does not say who asked."""

    reason: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request of a recorded call; not `told` when the record does not show the resource, which is then `*`."""

    request: Request
    use: Use
    told: bool


def requests(event: Event) -> tuple[Recorded, ...] | Unmapped | Unasked:
    """The requests that a call put to AWS, one for each action and resource; empty where none needed permission."""
    uses = actions(event)
    if isinstance(uses, Unmapped):
        return uses
    caller = caller_of(event)
    if isinstance(caller, Unasked):
        return caller
    return tuple(recorded for use in uses for recorded in _of_use(event, caller, use))


def _of_use(event: Event, caller: str, use: Use) -> Iterator[Recorded]:
    about = touched(event, use.action)
    owner = text_at(event, "recipientAccountId") or None
    context = context_of(event, use.action)
    for resource in about.arns or ("*",):
        request = Request(caller, use.action, resource, owner, context)
        yield Recorded(derived(request), use, told=about.told)


def caller_of(event: Event) -> str | Unasked:
    """The principal as policies know it: an ARN, a service, `*` for nobody in particular.

    >>> caller_of({"userIdentity": {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}})
    'ec2.amazonaws.com'
    """
    who = identity.principal(event)
    match who.type:
        case "AWSService":
            return who.invoked_by or Unasked("the record does not name the service")
        case "SAMLUser" | "WebIdentityUser":
            return who.identity_provider or Unasked("the record does not name the identity provider")
        case "AWSAccount" if who.account.lower() == "anonymous" or who.principal_id.lower() == "anonymous":
            return "*"
        case "AWSAccount" | "Unknown" if not who.arn:
            return Unasked("the record names no principal, only an account")
    return who.arn or Unasked("the record names no principal")


def context_of(event: Event, action: str) -> Context:
    """The context keys that the record proves, present or absent; every other key is unknown."""
    values: dict[str, ContextValue] = {}
    absent: list[str] = []
    for part in (_time, _origin, _person, _session):
        for key, value in part(event):
            if value is None:
                absent.append(key)
            else:
                values[key] = value
    for key, value in _of_parameters(event, action):
        if value is None:
            absent.append(key)
        else:
            values[key] = value
    return Context(values, unknown=None, absent=absent)


def _time(event: Event) -> Iterator[tuple[str, ContextValue | None]]:
    written = text_at(event, "eventTime")
    moment = parse_time(written)
    if moment is not None:
        yield "aws:CurrentTime", written
        yield "aws:EpochTime", str(int(moment.timestamp()))
    region = text_at(event, "awsRegion")
    if region:
        yield "aws:RequestedRegion", region


def _origin(event: Event) -> Iterator[tuple[str, ContextValue | None]]:
    """Where the call came from. Through an endpoint `aws:SourceIp` is absent; a call by a service proves neither."""
    source = text_at(event, "sourceIPAddress")
    endpoint = text_at(event, "vpcEndpointId")
    address = _address(source)
    if endpoint:
        yield "aws:SourceVpce", endpoint
        yield "aws:SourceIp", None
        if address is not None:
            yield "aws:VpcSourceIp", source
    elif address is not None:
        yield "aws:SourceIp", source
        if address.is_global:
            yield from ((key, None) for key in ("aws:SourceVpce", "aws:SourceVpc", "aws:VpcSourceIp"))
    if at(event, "tlsDetails") is not None:
        yield "aws:SecureTransport", "true"
    by_service = is_service_host(text_at(event, "userIdentity", "invokedBy")) or is_service_host(source)
    if by_service:
        yield "aws:ViaAWSService", "true"
    elif address is not None:
        yield "aws:ViaAWSService", "false"
        yield "aws:CalledVia", None
    agent = text_at(event, "userAgent")
    if agent and not agent.startswith("["):
        yield "aws:UserAgent", agent


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _person(event: Event) -> Iterator[tuple[str, ContextValue | None]]:
    who = identity.principal(event)
    if who.principal_id:
        yield "aws:userid", who.principal_id
    if who.type == "IAMUser" and who.arn:
        yield "aws:username", who.arn.rpartition("/")[2]
    if who.type == "AssumedRole":
        yield "aws:username", None
        if who.issuer_arn:
            yield "aws:PrincipalArn", who.issuer_arn
    if who.source_identity:
        yield "aws:SourceIdentity", who.source_identity
    if who.type == "WebIdentityUser":
        yield from _token(event)


_PROVIDER = ":oidc-provider/"


def _token(event: Event) -> Iterator[tuple[str, ContextValue | None]]:
    """Subject and audience of the token of an OIDC provider: `principalId` is provider, application and user.

    AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
    """
    provider, subject = (text_at(event, "userIdentity", name) for name in ("identityProvider", "userName"))
    _, is_arn, issuer = provider.partition(_PROVIDER)
    if not is_arn or not subject:
        return
    yield f"{issuer}:sub", subject
    whole = text_at(event, "userIdentity", "principalId")
    begin, end = f"{provider}:", f":{subject}"
    if whole.startswith(begin) and whole.endswith(end) and len(whole) > len(begin) + len(end):
        yield f"{issuer}:aud", whole[len(begin) : -len(end)]


def _session(event: Event) -> Iterator[tuple[str, ContextValue | None]]:
    """What credentials of a session carry; a user's own long-term key carries none of it."""
    attributes = at(event, "userIdentity", "sessionContext", "attributes")
    if isinstance(attributes, dict):
        said = str(attributes.get("mfaAuthenticated", "")).lower()
        if said in {"true", "false"}:
            yield "aws:MultiFactorAuthPresent", said
        if said == "false":
            yield "aws:MultiFactorAuthAge", None
        made = str(attributes.get("creationDate") or "")
        if made:
            yield "aws:TokenIssueTime", made
    elif text_at(event, "userIdentity", "accessKeyId").startswith("AKIA"):
        for key in ("aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:TokenIssueTime"):
            yield key, None


def _of_parameters(event: Event, action: str) -> Iterator[tuple[str, ContextValue | None]]:
    """Keys that the request's own parameters are; where the record shows the others, one that is missing is absent."""
    shown = isinstance(at(event, "requestParameters"), dict)
    for parameter, key in _PARAMETERS.get(action, ()):
        value = at(event, "requestParameters", parameter)
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            yield key, str(value)
        elif value is None and shown:
            yield key, None
    pairs = at(event, "requestParameters", "encryptionContext") if action.startswith("kms:") else None
    for name, value in pairs.items() if isinstance(pairs, dict) else ():
        yield f"kms:EncryptionContext:{name}", str(value)
