"""Who calls, and in which manner a `Principal` element names the caller."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from spec.context import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spec.documents import Entry

ACCOUNT = re.compile(r"[0-9]{12}")
CANONICAL_ID = re.compile(r"[0-9a-f]{64}")
HOST_NAME = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
CALLER_ARN = re.compile(
    r"arn:(?P<partition>[a-z0-9-]+):(?P<service>iam|sts)::(?P<account>[0-9]{12}|cloudfront):(?P<resource>.+)"
)
SERVICE_ROLE_PATH, SERVICE_ROLE_NAME = "aws-service-role/", "AWSServiceRoleFor"


class Kind(Enum):
    """What kind of caller this is."""

    USER = "user"
    ROLE = "role"
    SESSION = "session"
    FEDERATED_USER = "federated user"
    ROOT = "root"
    SERVICE = "service"
    PROVIDER = "identity provider"
    CLOUDFRONT = "CloudFront identity"
    CANONICAL = "canonical id"
    ANONYMOUS = "anonymous"


WITH_IDENTITY = frozenset({Kind.USER, Kind.ROLE, Kind.SESSION, Kind.FEDERATED_USER})
WITH_ACCOUNT = WITH_IDENTITY | {Kind.ROOT}


class Manner(Enum):
    """How a Principal entry names the caller; the first that fits is the strongest (0007 Q5)."""

    DIRECT = "direct"
    ROLE = "role"
    USER_OF_SESSION = "user_of_session"
    ACCOUNT = "account"


@dataclass(frozen=True)
class Caller:
    """The principal of the request, taken apart.

    `name` is the last part of a user's or role's path; of a session, the name of its role.
    """

    text: str
    kind: Kind
    partition: str | None = None
    account: str | None = None
    name: str = ""
    path: str = ""

    @property
    def has_identity(self) -> bool:
        """Whether identity-based policies exist for such a caller."""
        return self.kind in WITH_IDENTITY

    @property
    def has_account(self) -> bool:
        """Whether the caller belongs to an account."""
        return self.kind in WITH_ACCOUNT

    @property
    def is_service_linked_role(self) -> bool:
        """Rules 18 and 20: service-linked roles are told by their path, their sessions by the role's name.

        IAM user guide, "Create a service-linked role"; Organizations guide, "Service control policies".
        """
        by_path = self.kind is Kind.ROLE and self.path.startswith(SERVICE_ROLE_PATH)
        return by_path or (self.kind is Kind.SESSION and self.name.startswith(SERVICE_ROLE_NAME))


def read_caller(text: str, *, web_identity: bool) -> Caller:
    """The caller that the line's `principal` names (0007 Q8).

    IAM user guide, "AWS JSON policy elements: Principal", section "Specifying a principal".
    """
    if text == "*":
        return Caller(text, Kind.ANONYMOUS)
    if ACCOUNT.fullmatch(text):
        return Caller(text, Kind.ROOT, account=text)
    if CANONICAL_ID.fullmatch(text):
        return Caller(text, Kind.CANONICAL)
    found = CALLER_ARN.fullmatch(text)
    if found:
        return _caller_of_arn(text, found)
    if HOST_NAME.fullmatch(text):
        return Caller(text, Kind.PROVIDER if web_identity else Kind.SERVICE)
    raise UnreadableError(f"principal `{text}` is neither an ARN of a principal, a service nor `*`")


def _caller_of_arn(text: str, found: re.Match[str]) -> Caller:
    kind = _kind(found["service"], found["account"], found["resource"])
    if kind is None:
        raise UnreadableError(f"principal `{text}` is no ARN of a principal")
    _, _, rest = found["resource"].partition("/")
    parts = rest.split("/")
    name = parts[0] if kind is Kind.SESSION else parts[-1]
    account = None if kind is Kind.CLOUDFRONT else found["account"]
    return Caller(text, kind, found["partition"], account, name, path=rest)


def _kind(service: str, account: str, resource: str) -> Kind | None:
    if account == "cloudfront":
        return Kind.CLOUDFRONT if service == "iam" and resource.startswith("user/") else None
    if service == "iam" and resource == "root":
        return Kind.ROOT
    shapes = {
        ("iam", "user"): (Kind.USER, 1),
        ("iam", "role"): (Kind.ROLE, 1),
        ("iam", "saml-provider"): (Kind.PROVIDER, 1),
        ("iam", "oidc-provider"): (Kind.PROVIDER, 1),
        ("sts", "assumed-role"): (Kind.SESSION, 2),
        ("sts", "federated-user"): (Kind.FEDERATED_USER, 1),
    }
    kind, slashes = shapes.get((service, resource.partition("/")[0]), (None, 0))
    return kind if resource.count("/") >= slashes and not resource.endswith("/") else None


def manner(entry: Entry, caller: Caller) -> Manner | None:
    """Rules 1 to 6 and 15 to 17: in which manner one entry of Principal names the caller, if it does.

    IAM user guide, "AWS JSON policy elements: Principal"; "How AWS enforcement code logic evaluates requests to allow
    or deny access", section on resource-based policies. Nothing but `*` is a wildcard, and the unique id
    that is left of a deleted principal names nobody. 0007 Q5, Q6, Q7, Q9, Q10.
    """
    kind, text = entry
    if kind == "AWS":
        return Manner.DIRECT if text == "*" else _manner_of_aws(text, caller)
    callers = {"Service": Kind.SERVICE, "Federated": Kind.PROVIDER, "CanonicalUser": Kind.CANONICAL}
    return Manner.DIRECT if caller.kind is callers[kind] and text == caller.text else None


def _manner_of_aws(text: str, caller: Caller) -> Manner | None:
    if ACCOUNT.fullmatch(text) or text.endswith(":root"):
        return _manner_of_account(text, caller)
    if caller.kind is Kind.ROLE:
        return Manner.ROLE if text == caller.text else None
    if text == caller.text:
        return Manner.DIRECT if caller.kind in WITH_ACCOUNT | {Kind.CLOUDFRONT} else None
    if caller.kind is Kind.SESSION and _names(text, "role", caller):
        return Manner.ROLE
    if caller.kind is Kind.FEDERATED_USER and _names(text, "user", caller):
        return Manner.USER_OF_SESSION
    return None


def _manner_of_account(text: str, caller: Caller) -> Manner | None:
    """Rule 6: an account number and its root ARN mean the same: the account, which delegates to its principals.

    IAM user guide, "AWS JSON policy elements: Principal", section "AWS account principals".
    """
    if not caller.has_account:
        return None
    partition = caller.partition or _partition_of(text)
    if text not in {caller.account, f"arn:{partition}:iam::{caller.account}:root"}:
        return None
    return Manner.DIRECT if caller.kind is Kind.ROOT else Manner.ACCOUNT


def _partition_of(text: str) -> str:
    return text.split(":")[1] if text.count(":") else ""


def _names(text: str, resource_type: str, caller: Caller) -> bool:
    """Whether the ARN is of the role, or user, that the session carries only by name."""
    start = f"arn:{caller.partition}:iam::{caller.account}:{resource_type}/"
    return text.startswith(start) and text.rsplit("/", 1)[-1] == caller.name


def manners(entries: Iterable[Entry], caller: Caller) -> frozenset[Manner]:
    """All manners in which the entries name the caller; Principal lists mean "any of" (rule 15)."""
    return frozenset(found for entry in entries if (found := manner(entry, caller)))


def is_exempt(entries: Iterable[Entry], caller: Caller, *, has_boundary: bool) -> bool:
    """Rules 12 and 13: whether a Deny with NotPrincipal spares the caller.

    Every level of the caller must be listed: the session, its role and its account; and a principal with a
    permissions boundary is never spared, whatever is listed.
    IAM user guide, "AWS JSON policy elements: NotPrincipal", section "Key points". 0007 Q11.
    """
    listed = list(entries)
    if has_boundary and caller.has_identity:
        return False
    if ("AWS", "*") in listed:
        return True
    return levels(caller) <= manners(listed, caller)


def levels(caller: Caller) -> frozenset[Manner]:
    """The levels on which AWS may validate the caller: account, role, session or user."""
    if caller.kind is Kind.SESSION:
        return frozenset({Manner.DIRECT, Manner.ROLE, Manner.ACCOUNT})
    if caller.kind is Kind.ROLE:
        return frozenset({Manner.ROLE, Manner.ACCOUNT})
    if caller.kind in {Kind.USER, Kind.FEDERATED_USER}:
        return frozenset({Manner.DIRECT, Manner.ACCOUNT})
    return frozenset({Manner.DIRECT})
