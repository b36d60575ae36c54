"""What Amazon S3 adds to the common law: ACLs, owners of objects, Block Public Access."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spec.context import Missing
from spec.grants import Source
from spec.kleene import Truth, any_of
from spec.principals import Kind, Manner
from spec.public import is_public

if TYPE_CHECKING:
    from collections.abc import Callable

    from spec.request import Request

GROUPS = "http://acs.amazonaws.com/groups/"
ALL_USERS = GROUPS + "global/AllUsers"
AUTHENTICATED_USERS = GROUPS + "global/AuthenticatedUsers"
LOG_DELIVERY = GROUPS + "s3/LogDelivery"
PUBLIC_GROUPS = frozenset({ALL_USERS, AUTHENTICATED_USERS})
PUBLIC_CANNED_ACLS = frozenset({"public-read", "public-read-write", "authenticated-read"})

READ = frozenset(
    {"listbucket", "listbucketversions", "listbucketmultipartuploads", "getobject", "getobjectversion"}
)
WRITE = frozenset({"putobject"})
READ_ACP = frozenset({"getbucketacl", "getobjectacl", "getobjectversionacl"})
WRITE_ACP = frozenset({"putbucketacl", "putobjectacl", "putobjectversionacl"})
PERMISSIONS = {
    "READ": READ,
    "WRITE": WRITE,
    "READ_ACP": READ_ACP,
    "WRITE_ACP": WRITE_ACP,
    "FULL_CONTROL": READ | WRITE | READ_ACP | WRITE_ACP,
}
SETTING_AN_ACL = frozenset(
    {"putobject", "putobjectacl", "putobjectversionacl", "putbucketacl", "createbucket"}
)
BUCKET_POLICY = frozenset({"getbucketpolicy", "putbucketpolicy", "deletebucketpolicy"})
ACL_KEYS = ("read", "write", "read-acp", "write-acp", "full-control")


def escapes_bucket_policy(request: Request) -> bool:
    """Rules 47 and 49: the bucket policy cannot keep the root user of the bucket's account from the bucket policy.

    Amazon S3 API reference, "GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy", section "Permissions".
    0007 Q46.
    """
    is_own_root = request.caller.kind is Kind.ROOT and request.caller.account == request.resource_account
    return is_own_root and request.service == "s3" and request.operation in BUCKET_POLICY


def acls_disabled(request: Request) -> bool:
    """Rule 47: with the bucket owner enforced setting ACLs are dead.

    Amazon S3 user guide, "Controlling ownership of objects and disabling ACLs for your bucket". 0007 Q38.
    """
    return request.object_ownership == "BucketOwnerEnforced"


def acl(request: Request) -> tuple[Source, ...]:
    """Rule 47: what the ACL grants, before Block Public Access.

    Amazon S3 user guide, "Access control list (ACL) overview", sections "Who is a grantee?" and "Mapping of ACL
    permissions and access policy permissions". 0007 Q38.
    """
    if request.service != "s3" or acls_disabled(request):
        return ()
    return tuple(
        Source("acl", "acl", place, None, _permits(grant, request), _grantee(grant, request))
        for place, grant in enumerate(_grants(request))
    )


def _grants(request: Request) -> list[dict[str, Any]]:
    return [grant for grant in request.acl.get("Grants") or [] if isinstance(grant, dict)]


def _permits(grant: dict[str, Any], request: Request) -> bool:
    return request.operation in PERMISSIONS.get(str(grant.get("Permission")), frozenset())


def _grantee(grant: dict[str, Any], request: Request) -> frozenset[Manner]:
    grantee = grant.get("Grantee") or {}
    manner = _of_group(grantee.get("URI"), request) or _of_canonical_id(grantee.get("ID"), request)
    return frozenset({manner}) if manner else frozenset()


def _of_group(uri: object, request: Request) -> Manner | None:
    """The predefined groups. Amazon S3 user guide, "ACL overview", section "Amazon S3 predefined groups"."""
    if uri == ALL_USERS:
        return Manner.DIRECT
    if uri == AUTHENTICATED_USERS and request.caller.has_account:
        return Manner.ACCOUNT
    if uri == LOG_DELIVERY and request.caller.text == "logging.s3.amazonaws.com":
        return Manner.DIRECT
    return None


def _of_canonical_id(canonical_id: object, request: Request) -> Manner | None:
    """An account, by its canonical user id; the owner's is known from `Owner`, or written as account number."""
    caller = request.caller
    if canonical_id is None:
        return None
    if caller.kind is Kind.CANONICAL:
        return Manner.DIRECT if canonical_id == caller.text else None
    if not caller.has_account:
        return None
    owner = (request.acl.get("Owner") or {}).get("ID")
    is_owner = canonical_id == owner and caller.account == (request.object_owner or request.resource_account)
    return Manner.ACCOUNT if is_owner or canonical_id == caller.account else None


def has_foreign_object(request: Request) -> bool:
    """Rule 47: the bucket policy does not allow anything on an object of another owner; its owner's ACL does.

    Amazon S3 user guide, "How Amazon S3 authorizes a request for an object operation", note under "Object context".
    0007 Q39.
    """
    if request.service != "s3" or acls_disabled(request):
        return False
    of_object = request.operation.startswith("getobject") or request.operation in WRITE_ACP - {"putbucketacl"}
    return of_object and request.object_owner not in {None, request.resource_account}


def owner_account(request: Request) -> str | None:
    """The account whose consent counts: the bucket's, or that of the object's owner (0007 Q39)."""
    return request.object_owner if has_foreign_object(request) else request.resource_account


def is_public_acl(request: Request) -> bool:
    """Rule 47: an ACL is public when it grants anything to AllUsers or AuthenticatedUsers.

    Amazon S3 user guide, "Blocking public access to your Amazon S3 storage", section "The meaning of "public"", "ACLs".
    """
    return any((grant.get("Grantee") or {}).get("URI") in PUBLIC_GROUPS for grant in _grants(request))


def ignores_acl(request: Request) -> bool:
    """Rule 47: IgnorePublicAcls ignores a public ACL as a whole.

    Amazon S3 user guide, "Blocking public access to your Amazon S3 storage", section "Block public access settings".
    0007 Q40.
    """
    return "IgnorePublicAcls" in request.block_public_access and is_public_acl(request)


def restricts_bucket(request: Request) -> bool:
    """Rule 47: RestrictPublicBuckets leaves a bucket with a public policy to services and to its own account.

    Amazon S3 user guide, "Blocking public access to your Amazon S3 storage", sections "Block public access settings"
    and "How Amazon S3 evaluates a bucket policy that contains both public and non-public access grants". 0007 Q40.
    """
    policy = request.resource_policy
    if (
        request.service != "s3"
        or policy is None
        or "RestrictPublicBuckets" not in request.block_public_access
    ):
        return False
    own = request.caller.has_account and request.caller.account == request.resource_account
    return not own and request.caller.kind is not Kind.SERVICE and is_public(policy)


def refuses_public_acl(request: Request) -> Truth:
    """Rule 47: BlockPublicAcls refuses a call that would set a public ACL.

    Amazon S3 user guide, "Blocking public access to your Amazon S3 storage", section "Block public access settings".
    0007 Q40.
    """
    setting = "BlockPublicAcls" in request.block_public_access
    if not setting or request.service != "s3" or request.operation not in SETTING_AN_ACL:
        return False
    canned = _some_value(request, "s3:x-amz-acl", lambda value: value in PUBLIC_CANNED_ACLS)
    granted = [_some_value(request, f"s3:x-amz-grant-{key}", _names_public_group) for key in ACL_KEYS]
    return any_of([canned, *granted])


def _names_public_group(value: str) -> bool:
    return any(group in value for group in PUBLIC_GROUPS)


def _some_value(request: Request, key: str, holds: Callable[[str], bool]) -> Truth:
    found = request.context.lookup(key)
    if isinstance(found, Missing):
        return None if found is Missing.UNKNOWN else False
    return any(holds(value) for value in ([found] if isinstance(found, str) else found))


def notes(request: Request) -> tuple[str, ...]:
    """What Block Public Access may do that a request does not show (0007 Q40)."""
    hidden = "BlockPublicPolicy" in request.block_public_access and request.operation == "putbucketpolicy"
    return (
        ("BlockPublicPolicy refuses the call when the new policy is public; not decided",) if hidden else ()
    )
