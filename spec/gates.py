"""The gates: one verdict for each kind of policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spec import es, kms, s3
from spec.kleene import Truth, all_of, any_of
from spec.matching import Match, match
from spec.principals import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spec.documents import Document
    from spec.request import Request

GATES = ("identity", "resource", "boundary", "session", "scp", "rcp", "endpoint")
UNAUTHENTICATED = frozenset({"assumerolewithsaml", "assumerolewithwebidentity"})

Verdict = Literal["allow", "implicit_deny", "explicit_deny", "unknown", "absent"]


@dataclass(frozen=True)
class Gate:
    """What one kind of policy says of the request.

    `present` is false when no policy of the kind applies; then `allows` says what its absence means.
    """

    present: bool
    allows: Truth
    denies: Truth = False
    statements: tuple[Match, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The gate's own verdict."""
        if not self.present:
            return "absent"
        if self.denies is True:
            return "explicit_deny"
        if self.denies is None or self.allows is None:
            return "unknown"
        return "allow" if self.allows else "implicit_deny"


NO_GATE = Gate(present=False, allows=True)
NOTHING = Gate(present=False, allows=False)


def identity(request: Request) -> Gate:
    """Rules 42 and 49: identity policies of users, roles and their sessions; the root user has full access.

    IAM user guide, "How AWS enforcement code logic evaluates requests to allow or deny access", first summary;
    "Policy evaluation for requests within a single account". 0007 Q4.
    """
    if not is_authenticated(request):
        return NOTHING
    if request.caller.kind is Kind.ROOT:
        return NO_GATE
    return union(request.identity, request) if request.caller.has_identity else NOTHING


def resource(request: Request) -> Gate:
    """Rules 1 to 7 and 40: the policy of the resource, whoever calls.

    IAM user guide, "Identity-based policies and resource-based policies"; "The confused deputy problem". 0007 Q35, Q44,
    Q46, Q51.
    """
    unruled = kms.manages_alias(request) or kms.retires_grant(request) or es.configures_domain(request)
    if request.resource_policy is None or unruled:
        return NOTHING
    gate = union((request.resource_policy,), request)
    return without_denies(gate) if s3.escapes_bucket_policy(request) else gate


def boundary(request: Request) -> Gate:
    """Rule 49: a permissions boundary limits users and roles, not the root user, and grants nothing.

    IAM user guide, "Permissions boundaries for IAM entities", section "Evaluating effective permissions with
    boundaries". 0007 Q4.
    """
    if not request.boundaries or not is_authenticated(request) or not request.caller.has_identity:
        return NO_GATE
    return union(request.boundaries, request)


def session(request: Request) -> Gate:
    """Rule 42: a session policy narrows; a federated user without one may do nothing by identity policies.

    IAM user guide, "How AWS enforcement code logic evaluates requests", section on session policies; "Permissions for
    GetFederationToken". 0007 Q4.
    """
    if not is_authenticated(request) or not request.caller.has_account:
        return NO_GATE
    if request.session:
        return union(request.session, request)
    return Gate(present=True, allows=False) if request.caller.kind is Kind.FEDERATED_USER else NO_GATE


def scp(request: Request) -> Gate:
    """Rules 18, 19 and 21: every level of the organisation must allow; root users too; who is exempt.

    AWS Organizations user guide, "Service control policies (SCPs)", section "SCP effects on permissions" and "Tasks
    and entities not restricted by SCPs"; "SCP evaluation". 0007 Q4, Q14.
    """
    caller = request.caller
    exempt = request.management_account or caller.is_service_linked_role
    if not request.scps or exempt or not is_authenticated(request) or not caller.has_account:
        return NO_GATE
    return intersection(request.scps, request)


def rcp(request: Request) -> Gate:
    """Rule 20: RCPs follow the resource, cover every caller, and only ever deny (RCPFullAWSAccess stays attached).

    AWS Organizations user guide, "Resource control policies (RCPs)", section "Resources and entities not restricted by
    RCPs"; "RCP evaluation". AWS KMS developer guide, "Resource control policies in AWS KMS" (kms:RetireGrant).
    """
    exempt = request.management_account or request.caller.is_service_linked_role
    if not request.rcps or exempt or kms.retires_grant(request):
        return NO_GATE
    gate = union((document for level in request.rcps for document in level), request)
    return Gate(present=True, allows=True, denies=gate.denies, statements=gate.statements)


def endpoint(request: Request) -> Gate:
    """Rule 46: the policy of the VPC endpoint that the call went through limits and never grants.

    AWS PrivateLink guide, "Control access to VPC endpoints using endpoint policies". 0007 Q42.
    """
    return union(request.endpoint, request) if request.endpoint else NO_GATE


def is_authenticated(request: Request) -> bool:
    """Rule 44: AssumeRoleWithSAML and AssumeRoleWithWebIdentity are called without AWS credentials.

    AWS STS API reference, "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity".
    """
    return not (request.service == "sts" and request.operation in UNAUTHENTICATED)


def union(documents: Iterable[Document], request: Request) -> Gate:
    """Rule 52: any matching Deny denies, else any matching Allow allows; order does not matter.

    IAM user guide, "The difference between explicit and implicit denies".
    """
    found = tuple(
        match(statement, document, request) for document in documents for statement in document.statements
    )
    return Gate(
        present=True,
        allows=any_of(one.applies for one in found if not one.is_deny),
        denies=any_of(one.applies for one in found if one.is_deny),
        statements=found,
    )


def without_denies(gate: Gate) -> Gate:
    """The gate as if its Denies were not written."""
    allows = tuple(one for one in gate.statements if not one.is_deny)
    return Gate(gate.present, gate.allows, denies=False, statements=allows)


def intersection(levels: Iterable[Iterable[Document]], request: Request) -> Gate:
    """Rule 18: each level must allow; a level without policies allows nothing.

    AWS Organizations user guide, "SCP evaluation", section "How SCPs work with Allow". 0007 Q14.
    """
    gates = [union(level, request) for level in levels]
    return Gate(
        present=True,
        allows=all_of(gate.allows for gate in gates),
        denies=any_of(gate.denies for gate in gates),
        statements=tuple(one for gate in gates for one in gate.statements),
    )
