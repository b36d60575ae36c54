"""S3: access control lists, Object Ownership, who owns an object, and Block Public Access.

AWS S3 User Guide: "Access control list (ACL) overview", "Controlling ownership of objects and disabling ACLs", "How
Amazon S3 authorizes a request for an object operation", "Blocking public access to your Amazon S3 storage". Requests
through an access point are decided by the access point's policy as the resource policy of its ARN.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from clew.engine.gates import ACL, Placed
from clew.engine.principal import Kind, Manner
from clew.engine.services.s3_public import is_public
from clew.engine.verdicts import Gate
from clew.policy.model import Condition, Effect, Policy, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine.policies import Policies
    from clew.engine.principal import Caller

ENFORCED: Final = "BucketOwnerEnforced"
_NO_VARIABLES: Final = Policy(())
_GROUPS: Final = "http://acs.amazonaws.com/groups/"
_EVERYBODY: Final = f"{_GROUPS}global/AllUsers"
_AUTHENTICATED: Final = f"{_GROUPS}global/AuthenticatedUsers"
_LOG_DELIVERY: Final = f"{_GROUPS}s3/LogDelivery"
_LOGGING: Final = "logging.s3.amazonaws.com"
_PUBLIC_GROUPS: Final = frozenset({_EVERYBODY, _AUTHENTICATED})

# AWS: "Access control list (ACL) overview", Mapping of ACL permissions and access policy permissions.
_READ: Final = (
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:ListBucketMultipartUploads",
    "s3:GetObject",
    "s3:GetObjectVersion",
)
_WRITE: Final = ("s3:PutObject",)
_READ_ACP: Final = ("s3:GetBucketAcl", "s3:GetObjectAcl", "s3:GetObjectVersionAcl")
_WRITE_ACP: Final = ("s3:PutBucketAcl", "s3:PutObjectAcl", "s3:PutObjectVersionAcl")
_PERMISSIONS: Final = {
    "READ": _READ,
    "WRITE": _WRITE,
    "READ_ACP": _READ_ACP,
    "WRITE_ACP": _WRITE_ACP,
    "FULL_CONTROL": (*_READ, *_WRITE, *_READ_ACP, *_WRITE_ACP),
}
_ACL_WRITES: Final = (
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutObjectVersionAcl",
    "s3:PutBucketAcl",
    "s3:CreateBucket",
)
_PUBLIC_CANNED: Final = ("public-read", "public-read-write", "authenticated-read")
_GRANT_HEADERS: Final = ("full-control", "read", "read-acp", "write", "write-acp")
_BY_OBJECT_OWNER: Final = frozenset({"s3:putobjectacl", "s3:putobjectversionacl"})


class AclGrant(Placed):
    """One entry of an access control list as a statement that allows."""

    __slots__ = ("_grantee", "_owner_account", "_owner_id")

    def __init__(
        self, statement: Statement, grantee: str, owner_id: str | None, owner_account: str | None
    ) -> None:
        """`grantee` is a canonical id or a group's URI; the owner's id stands for the owner's account."""
        super().__init__(statement, _NO_VARIABLES, Gate.RESOURCE, "acl", source=ACL)
        self._grantee = grantee
        self._owner_id = owner_id
        self._owner_account = owner_account

    def manner(self, caller: Caller, *, bounded: bool, owner: str) -> Manner:
        """How the entry names the caller; accounts other than the owner's are known by their number only."""
        del bounded
        grantee = self._grantee
        if grantee == _EVERYBODY:
            return Manner.DIRECT
        if grantee == _AUTHENTICATED:
            return Manner.ACCOUNT if caller.is_person_of_account else Manner.NONE
        if grantee == _LOG_DELIVERY:
            return Manner.DIRECT if caller.text == _LOGGING else Manner.NONE
        if caller.kind is Kind.CANONICAL:
            return Manner.DIRECT if caller.text == grantee else Manner.NONE
        if not caller.is_person_of_account:
            return Manner.NONE
        is_owner = grantee == self._owner_id and caller.account == (self._owner_account or owner)
        return Manner.ACCOUNT if is_owner or grantee == caller.account else Manner.NONE


def place_acl(policies: Policies) -> Iterator[Placed]:
    """The entries of the access control list, unless Object Ownership has switched lists off."""
    acl = policies.acl
    if acl is None or policies.object_ownership == ENFORCED:
        return
    owner_id = _text(_mapping(acl.get("Owner")).get("ID"))
    placed = [
        AclGrant(_statement(permission, index), grantee, owner_id, policies.object_owner)
        for index, permission, grantee in _entries(acl)
    ]
    is_public = any(grantee in _PUBLIC_GROUPS for _, _, grantee in _entries(acl))
    for entry in placed:
        # AWS: IgnorePublicAcls makes S3 ignore all public ACLs, and a list with one public entry is public.
        entry.ignored = is_public and bool((policies.block_public_access or {}).get("IgnorePublicAcls"))
    yield from placed


def _entries(acl: Mapping[str, object]) -> Iterator[tuple[int, str, str]]:
    """Place, permission and grantee of each entry that can be read."""
    written = acl.get("Grants")
    for index, entry in enumerate(written if isinstance(written, list | tuple) else ()):
        grantee = _mapping(_mapping(entry).get("Grantee"))
        name = _text(grantee.get("URI")) or _text(grantee.get("ID"))
        permission = _text(_mapping(entry).get("Permission"))
        if name is not None and permission in _PERMISSIONS:
            yield index, permission, name


def _statement(permission: str, index: int) -> Statement:
    return Statement(Effect.ALLOW, principals=(), actions=_PERMISSIONS[permission], index=index)


def place_acl_block(policies: Policies) -> Iterator[Placed]:
    """BlockPublicAcls as a statement: a write of an access control list passes when the list is not public."""
    if not (policies.block_public_access or {}).get("BlockPublicAcls"):
        return
    public_groups = tuple(f"*{group}*" for group in sorted(_PUBLIC_GROUPS))
    conditions = (
        Condition("ForAllValues:StringNotEquals", "s3:x-amz-acl", _PUBLIC_CANNED),
        *(
            Condition("ForAllValues:StringNotLike", f"s3:x-amz-grant-{name}", public_groups)
            for name in _GRANT_HEADERS
        ),
    )
    statement = Statement(Effect.ALLOW, actions=_ACL_WRITES, conditions=conditions)
    yield Placed(statement, _NO_VARIABLES, Gate.BLOCK_PUBLIC_ACCESS, "block_public_access")


def is_restricted(policies: Policies) -> bool:
    """Whether RestrictPublicBuckets keeps other accounts away: it does where the bucket policy is public."""
    settings, policy = policies.block_public_access, policies.resource
    return (
        bool(settings and settings.get("RestrictPublicBuckets")) and policy is not None and is_public(policy)
    )


def is_spared(caller: Caller, bucket_account: str) -> bool:
    """Whether RestrictPublicBuckets leaves the caller alone: services and the bucket owner's account."""
    if caller.kind is Kind.SERVICE:
        # A CloudFront origin access identity has no account, but is no service principal either.
        return not caller.text.startswith("arn:")
    return caller.is_person_of_account and caller.account == bucket_account


def is_ruled_by_object_owner(action: str, policies: Policies, bucket_account: str) -> bool:
    """Whether the action (in lower case) is on an object that another account owns, so that its Allows count alone."""
    if policies.object_owner is None or policies.object_ownership == ENFORCED:
        return False
    about_object = action.startswith("s3:getobject") or action in _BY_OBJECT_OWNER
    return about_object and policies.object_owner != bucket_account


def facts(action: str, resource: str, policies: Policies, owner: str, bucket_account: str) -> Iterator[str]:
    """What a reader of a decision on S3 should know."""
    settings = policies.block_public_access or {}
    if policies.acl is not None and policies.object_ownership == ENFORCED:
        yield "Object Ownership is BucketOwnerEnforced: access control lists have no effect"
    elif any(entry.ignored for entry in place_acl(policies)):
        yield "IgnorePublicAcls: the access control list is public and has no effect"
    if owner != bucket_account:
        yield f"the object belongs to account {owner}: of the bucket policy only denials count"
    if settings.get("BlockPublicPolicy") and action in _POLICY_WRITES:
        yield "BlockPublicPolicy: the request does not show whether the new policy is public, so that is not decided"
    if ":accesspoint/" in resource:
        yield "access point: the bucket's own policy must allow the request too, or delegate to access points"


_POLICY_WRITES: Final = frozenset({"s3:putbucketpolicy", "s3:putaccesspointpolicy"})


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
