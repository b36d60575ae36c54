"""Which policies apply to a request: from account state, and from policies that the question brings itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.aws.glob import matcher
from clew.engine.policies import Policies
from clew.engine.principal import parse_principal
from clew.errors import UsageError
from clew.policy.variables import Variable, pieces
from clew.reach import guardrails
from clew.reach.attached import Attachment, Held, Missing, held
from clew.reach.guardrails import Guardrails
from clew.reach.identity import NOBODY, PRINCIPAL_TAG, Identity, group_identity, identity
from clew.reach.resource_policy import ResourceSide, has_resource_policies, resource_side
from clew.snapshot.model import Resource, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clew.engine.principal import Caller
    from clew.engine.request import ContextValue
    from clew.snapshot.model import Document, Organization

SOMEBODY = "somebody"
"""The name of a user who stands in for no user in particular."""

NO_ACCOUNT = "000000000000"

ACL_HEADERS = (
    "s3:x-amz-acl",
    *(f"s3:x-amz-grant-{name}" for name in ("full-control", "read", "read-acp", "write", "write-acp")),
)
"""The request headers that set an access control list."""

# Calls that may, but hardly ever do, set an access control list; those that do nothing else are left open.
_MAY_SET_ACL = frozenset({"s3:putobject", "s3:createbucket"})

EXCLUDABLE = ("boundary", "resource-policy", "scps", "rcps")
"""The words that leave out a whole gate."""


@dataclass(frozen=True, slots=True)
class Given:
    """The policies that a question brings itself.

    `identity` and `session` and `endpoint` are added; each of the others, where given, stands in the place of what the
    account's files say. `scps` and `rcps` are levels, root first.
    """

    identity: tuple[Document, ...] = ()
    session: tuple[Document, ...] = ()
    endpoint: tuple[Document, ...] = ()
    boundaries: tuple[Document, ...] = ()
    resource: Document | None = None
    scps: tuple[tuple[Document, ...], ...] = ()
    rcps: tuple[tuple[Document, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of the attached policies take part: by name, ARN or a pattern with `*`; or a gate by its word."""

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """The policies of one request, and for each the place where it is attached.

    `attachments` are keyed as a decision names its policies: `identity_policies/0`, `resource_policy`, `scps/1/0`.
    `missing` are documents that take part and are not at hand, `assumed` what was taken for granted, `context` the keys
    that the files make certain and `absent` those of the policies that they make certainly absent, `excluded` what was
    chosen not to take part. `principal` is who asks; `is_stand_in` when that is nobody in particular: a user of a
    group, or of the resource's account where the question names no principal.
    """

    principal: str
    policies: Policies
    attachments: Mapping[str, Attachment]
    missing: tuple[Missing, ...] = ()
    assumed: tuple[str, ...] = ()
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    resource_account: str | None = None
    excluded: tuple[str, ...] = ()
    is_stand_in: bool = False


@dataclass(frozen=True, slots=True)
class _Sides:
    """What was found, before the choice."""

    identity: Identity
    resource: ResourceSide
    scps: Guardrails
    rcps: Guardrails
    given: Given


def applied(
    snapshot: Snapshot,
    principal: str | None,
    action: str,
    resource: str,
    *,
    resource_account: str | None = None,
    given: Given | None = None,
    choice: Choice | None = None,
    given_keys: Iterable[str] = (),
) -> Applied:
    """Every policy that takes part when the principal asks for the action on the resource.

    The principal may also be a group: then a user asks who has nothing but its policies. Without a principal a user of
    the resource's account asks who has nothing but the given policies. `given_keys` are the context keys that the
    question gives: nothing is assumed of them.

    Errors: `InputError` when the account at hand has no such principal, `PolicyError` for a given document that is
    malformed, `UsageError` when the choice names a policy that is not there.
    """
    side = resource_side(snapshot, action, resource)
    owner = resource_account or _owner(side.resource, resource)
    is_stand_in = principal is None or _is_group(principal)
    caller = parse_principal(_stand_in(principal, resource, owner) if is_stand_in else principal or "")
    if owner and caller.account and owner != caller.account and not has_resource_policies(resource):
        side = replace(side, assumed=(_shared_otherwise(resource, owner),) if side.assumed else ())
    sides = _Sides(
        _identity(snapshot, principal, caller),
        side,
        _scps(snapshot, caller),
        _rcps(snapshot, owner or caller.account),
        given or Given(),
    )
    chosen = choice or Choice()
    gates = _gates(sides, chosen)
    organization = dict(_organization_keys(snapshot.organization, caller.account, owner))
    unset = _unset_headers(gates, side.resource, action, given_keys)
    no_acl = f"the request carries none of {', '.join(unset)}"
    return Applied(
        principal=caller.text,
        policies=_policies(gates, side if "resource-policy" not in chosen.without else ResourceSide()),
        attachments=MappingProxyType(dict(_named(gates))),
        missing=tuple(missing for gate in gates.all for missing in gate.missing),
        assumed=(*_assumed(snapshot, sides, gates), *((no_acl,) if unset else ())),
        context={**sides.identity.context, **organization},
        absent=(*_absent(sides.identity, gates), *unset),
        resource_account=owner,
        excluded=gates.excluded,
        is_stand_in=is_stand_in,
    )


def _shared_otherwise(resource: str, owner: str) -> str:
    return (
        f"resources such as {resource} have no policies: what {owner} shares by AWS RAM, or by permissions of "
        "snapshots and images, is not looked at"
    )


def _is_group(principal: str) -> bool:
    return principal.startswith("arn:") and principal.split(":", 5)[-1].startswith("group/")


def _stand_in(group: str | None, resource: str, owner: str | None) -> str:
    """A user of the group's account, or of the resource's."""
    fields = (group or resource).split(":", 5)
    partition = fields[1] if len(fields) > 1 else "aws"
    account = fields[4] if group else owner or NO_ACCOUNT
    return f"arn:{partition}:iam::{account}:user/{SOMEBODY}"


def _identity(snapshot: Snapshot, principal: str | None, caller: Caller) -> Identity:
    if principal is None:
        return NOBODY
    return group_identity(snapshot, principal) if _is_group(principal) else identity(snapshot, caller)


def _owner(resource: Resource | None, arn: str) -> str | None:
    if resource is not None and resource.account:
        return resource.account
    parts = arn.split(":", 5)
    return parts[4] or None if len(parts) > 5 else None  # noqa: PLR2004  # an ARN has six parts


def _organization_keys(
    organization: Organization, principal_account: str, resource_account: str | None
) -> Iterable[tuple[str, ContextValue]]:
    """The keys about the organisation, of accounts that are known to be in it."""
    for side, account in (("Principal", principal_account), ("Resource", resource_account or "")):
        if organization.id and account in {*organization.paths, organization.management_account}:
            yield f"aws:{side}OrgID", organization.id
        if organization.id and account in organization.paths:
            yield f"aws:{side}OrgPaths", ("/".join((organization.id, *organization.paths[account], "")),)


def _absent(found: Identity, gates: _Gates) -> Iterable[str]:
    """The principal's tags that the policies name and that the user does not have."""
    if not found.has_all_tags:
        return
    having = {key.lower() for key in found.context}
    prefix = PRINCIPAL_TAG.lower()
    for key in _named_keys(gates):
        if key.lower().startswith(prefix) and key.lower() not in having:
            yield key


def _unset_headers(
    gates: _Gates, resource: Resource | None, action: str, given_keys: Iterable[str]
) -> tuple[str, ...]:
    """The headers by which a request would set a public ACL, where nothing but Block Public Access asks for them.

    Without this, no write to a bucket of today, on which the setting is on, could be answered.
    """
    settings = (resource.block_public_access if resource else None) or {}
    if not settings.get("BlockPublicAcls") or action.lower() not in _MAY_SET_ACL:
        return ()
    named = {key.lower() for key in (*_named_keys(gates), *given_keys)}
    return tuple(key for key in ACL_HEADERS if key not in named)


def is_about_action(action: str) -> bool:
    """Whether which policies apply, and how, depends on the action, not on the resource alone."""
    return action.lower().startswith("sts:") or action.lower() in _MAY_SET_ACL


def _named_keys(gates: _Gates) -> Iterable[str]:
    """Every context key that a policy names, in a condition or as a variable."""
    for gate in gates.all:
        for policy in gate.policies:
            for statement in policy.statements:
                texts = [*(statement.resources or ()), *(statement.not_resources or ())]
                for condition in statement.conditions:
                    yield condition.key
                    texts += condition.values
                for text in texts:
                    yield from (piece.key for piece in pieces(text) if isinstance(piece, Variable))


def _scps(snapshot: Snapshot, caller: Caller) -> Guardrails:
    organization = snapshot.organization
    if caller.account and caller.account == organization.management_account and organization.scps is not None:
        # AWS: "Service control policies": they do not affect users or roles in the management account.
        return Guardrails(assumed=(f"{caller.account} is the management account: SCPs do not apply to it",))
    return guardrails.scps(organization, caller.account)


def _rcps(snapshot: Snapshot, owner: str) -> Guardrails:
    organization = snapshot.organization
    if owner and owner == organization.management_account and organization.rcps is not None:
        # AWS: "Resource control policies": they do not affect resources in the management account.
        return Guardrails(assumed=(f"{owner} is the management account: RCPs do not apply to its resources",))
    return guardrails.rcps(organization, owner)


@dataclass(frozen=True, slots=True)
class _Gates:
    """The policies that take part, gate by gate."""

    identity: Held
    resource: Held
    boundaries: Held
    session: Held
    scps: tuple[Held, ...]
    rcps: tuple[Held, ...]
    endpoint: Held
    excluded: tuple[str, ...]

    @property
    def all(self) -> Iterable[Held]:
        """Every gate, levels one by one."""
        single = (self.identity, self.resource, self.boundaries, self.session)
        return (*single, *self.scps, *self.rcps, self.endpoint)


def _gates(sides: _Sides, choice: Choice) -> _Gates:
    given, without = sides.given, set(choice.without)
    attached, excluded = _chosen(sides.identity.attachments, choice)
    boundaries = _custom(given.boundaries, "--boundary") or sides.identity.boundaries
    resource = _custom((given.resource,) if given.resource else (), "--resource-policy", "resource") or (
        (sides.resource.attachment,) if sides.resource.attachment else ()
    )
    levels = tuple(_custom(level, "--scp") for level in given.scps) or sides.scps.levels
    rcp_levels = tuple(_custom(level, "--rcp") for level in given.rcps) or sides.rcps.levels
    return _Gates(
        identity=held((*attached, *_custom(given.identity, "--policy"))),
        resource=held(() if "resource-policy" in without else resource, with_principal=True),
        boundaries=held(() if "boundary" in without else boundaries),
        session=held(_custom(given.session, "--session-policy")),
        scps=() if "scps" in without else tuple(held(level) for level in levels),
        rcps=() if "rcps" in without else tuple(held(level, with_principal=True) for level in rcp_levels),
        endpoint=held(_custom(given.endpoint, "--endpoint-policy"), with_principal=True),
        excluded=(*excluded, *(word for word in EXCLUDABLE if word in without)),
    )


def _custom(documents: Sequence[Document], option: str, kind: str = "none") -> tuple[Attachment, ...]:
    return tuple(
        Attachment(document, option, kind, document.name, number)
        for number, document in enumerate(documents, 1)
    )


def _chosen(
    attachments: tuple[Attachment, ...], choice: Choice
) -> tuple[tuple[Attachment, ...], tuple[str, ...]]:
    """The attached policies that take part, and the names of the others."""
    without = [text for text in choice.without if text not in EXCLUDABLE]
    for text in (*choice.only, *without):
        if not any(_is_named(attachment, text) for attachment in attachments):
            names = ", ".join(f"`{attachment.name}`" for attachment in attachments) or "none"
            raise UsageError(f"no attached policy is called `{text[:200]}`; there are {names}")
    kept = tuple(
        attachment
        for attachment in attachments
        if (not choice.only or any(_is_named(attachment, text) for text in choice.only))
        and not any(_is_named(attachment, text) for text in without)
    )
    return kept, tuple(attachment.name for attachment in attachments if attachment not in kept)


def _is_named(attachment: Attachment, text: str) -> bool:
    fits = matcher(text)
    return fits(attachment.name) or fits(attachment.arn or attachment.name)


def _policies(gates: _Gates, side: ResourceSide) -> Policies:
    known = side.resource or Resource("")
    return Policies(
        identity=gates.identity.policies,
        resource=gates.resource.policies[0] if gates.resource.policies else None,
        boundaries=gates.boundaries.policies,
        session=gates.session.policies,
        scps=tuple(level.policies for level in gates.scps),
        rcps=tuple(level.policies for level in gates.rcps),
        endpoint=gates.endpoint.policies,
        block_public_access=known.block_public_access,
        grants=known.grants,
        acl=known.acl,
        object_ownership=known.object_ownership,
        object_owner=side.object_owner,
        rcp_services_only=True,
    )


def _named(gates: _Gates) -> Iterable[tuple[str, Attachment]]:
    """Each policy under the name that a decision gives it."""
    for name, gate in (
        ("identity_policies", gates.identity),
        ("permissions_boundaries", gates.boundaries),
        ("session_policies", gates.session),
        ("vpc_endpoint_policies", gates.endpoint),
    ):
        yield from ((f"{name}/{n}", attachment) for n, attachment in enumerate(gate.attachments))
    if gates.resource.attachments:
        yield "resource_policy", gates.resource.attachments[0]
    for name, levels in (("scps", gates.scps), ("rcps", gates.rcps)):
        for number, level in enumerate(levels):
            yield from ((f"{name}/{number}/{n}", each) for n, each in enumerate(level.attachments))


def _assumed(snapshot: Snapshot, sides: _Sides, gates: _Gates) -> Iterable[str]:
    """What was taken for granted, so that a reader can tell a fact from a default."""
    if not gates.resource.attachments and "resource-policy" not in gates.excluded:
        yield from sides.resource.assumed
    if not sides.given.scps and "scps" not in gates.excluded:
        yield from sides.scps.assumed
        if snapshot.accounts and snapshot.organization.scps is None:
            yield "no SCPs are given: taken as none"
    if not sides.given.rcps and "rcps" not in gates.excluded:
        yield from sides.rcps.assumed
        if snapshot.accounts and snapshot.organization.rcps is None:
            yield "no RCPs are given: taken as none"
    if gates.excluded:
        yield f"left out as asked: {', '.join(gates.excluded)}"
