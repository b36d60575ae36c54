"""Who calls, and in which manner a policy's Principal element names the caller.

AWS: "AWS JSON policy elements: Principal"; "How AWS enforcement code logic evaluates requests", resource-based
policies: what a grant escapes depends on how it names the principal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from clew.aws.partitions import PARTITIONS
from clew.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.policy.model import Principal


class PrincipalError(InputError):
    """The text names no principal that can make a request."""


class Kind(StrEnum):
    """What kind of principal makes the request."""

    USER = "user"
    ROLE = "role"
    SESSION = "assumed-role session"
    FEDERATED_USER = "federated-user session"
    ROOT = "root user"
    SERVICE = "service"
    PROVIDER = "identity provider"
    CANONICAL = "canonical user"
    ANONYMOUS = "anonymous"


class Manner(IntEnum):
    """How a Principal element names a caller; a higher one escapes more implicit denials."""

    NONE = 0
    ACCOUNT = 1
    ROLE = 2
    DIRECT = 3


@dataclass(frozen=True, slots=True)
class Caller:
    """The principal of one request.

    `account` is empty where the principal belongs to none (services, anonymous callers). `role` is the role's name
    for its sessions; `role_path_known` says whether `arn` spells the role with its path. `federated_by` is the ARN of
    the user who called GetFederationToken, where that is known.
    """

    kind: Kind
    text: str
    account: str = ""
    partition: str = ""
    role: str = ""
    service_linked: bool = False
    federated_by: str | None = None

    @property
    def is_person_of_account(self) -> bool:
        """Whether identity policies can apply: a user, a role, a session or the root user."""
        return self.kind in _OF_ACCOUNT

    @property
    def of_role(self) -> bool:
        """Whether the caller is a session of a role."""
        return self.kind is Kind.ROLE or self.kind is Kind.SESSION


_OF_ACCOUNT: Final = frozenset({Kind.USER, Kind.ROLE, Kind.SESSION, Kind.FEDERATED_USER, Kind.ROOT})
_ACCOUNT: Final = re.compile(r"\d{12}", re.ASCII)
_CANONICAL: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SERVICE: Final = re.compile(r"[a-z0-9][a-z0-9.-]*\.[a-z]{2,}(?:\.[a-z]{2,})*", re.ASCII)
_UNIQUE_ID: Final = re.compile(r"A(?:IDA|ROA|GPA|KIA|SIA|NPA|NVA|PKA)[A-Z0-9]{12,}(?::.*)?", re.ASCII)
_WEB_IDENTITY: Final = frozenset(
    {"accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"}
)
_SERVICE_LINKED_ROLE: Final = "AWSServiceRoleFor"
_PARTS: Final = 6
_CALLERS_KEPT: Final = 4096
_SHOWN: Final = 200


@lru_cache(maxsize=_CALLERS_KEPT)
def parse_principal(text: str) -> Caller:
    """The caller that the text names: an ARN, 12 digits, a service name, a web identity provider, or `*`.

    Errors: `PrincipalError` when it is none of them.

    >>> parse_principal("arn:aws:sts::111122223333:assumed-role/Auditor/ana").role
    'Auditor'
    >>> parse_principal("lambda.amazonaws.com").kind.value, parse_principal("*").kind.value
    ('service', 'anonymous')
    """
    if text == "*":
        return Caller(Kind.ANONYMOUS, text)
    if text.startswith("arn:"):
        return _from_arn(text)
    if _ACCOUNT.fullmatch(text):
        return Caller(Kind.ROOT, text, account=text)
    if _CANONICAL.fullmatch(text):
        return Caller(Kind.CANONICAL, text)
    if _SERVICE.fullmatch(text):
        return Caller(Kind.PROVIDER if text in _WEB_IDENTITY else Kind.SERVICE, text)
    if _UNIQUE_ID.fullmatch(text):
        raise PrincipalError(f"principal `{text[:_SHOWN]}` is a unique id; give the ARN that it stands for")
    raise PrincipalError(f"principal `{text[:_SHOWN]}` is neither an ARN, an account, a service name nor `*`")


def _from_arn(text: str) -> Caller:
    parts = text.split(":", _PARTS - 1)
    if len(parts) < _PARTS or parts[1] not in PARTITIONS:
        raise PrincipalError(f"principal `{text[:_SHOWN]}` is no ARN of a known partition")
    _, partition, service, _, account, resource = parts
    kind, _, rest = resource.partition("/")
    if service == "iam" and kind == "user" and account == "cloudfront":
        # AWS: "Restricting access to an Amazon S3 origin", origin access identities: a bucket policy alone decides.
        return Caller(Kind.SERVICE, text, partition=partition)
    if not _ACCOUNT.fullmatch(account):
        raise PrincipalError(f"principal `{text[:_SHOWN]}` has no account of 12 digits")
    found = _KINDS.get((service, kind))
    if found is None or (not rest and found is not Kind.ROOT):
        raise PrincipalError(f"principal `{text[:_SHOWN]}` is no user, role, session, provider or root user")
    if found is Kind.ROOT and resource != "root":
        raise PrincipalError(f"principal `{text[:_SHOWN]}` is no user, role, session, provider or root user")
    return Caller(
        found,
        text,
        account=account,
        partition=partition,
        role=_role_name(found, rest),
        service_linked=_is_service_linked(found, rest),
    )


_KINDS: Final = {
    ("iam", "user"): Kind.USER,
    ("iam", "role"): Kind.ROLE,
    ("iam", "root"): Kind.ROOT,
    ("iam", "saml-provider"): Kind.PROVIDER,
    ("iam", "oidc-provider"): Kind.PROVIDER,
    ("sts", "assumed-role"): Kind.SESSION,
    ("sts", "federated-user"): Kind.FEDERATED_USER,
}


def _role_name(kind: Kind, rest: str) -> str:
    if kind is Kind.ROLE:
        return rest.rpartition("/")[2]
    return rest.partition("/")[0] if kind is Kind.SESSION else ""


def _is_service_linked(kind: Kind, rest: str) -> bool:
    # AWS: "Using service-linked roles": the path is aws-service-role/SERVICE/; a session's ARN leaves paths out.
    if kind is Kind.ROLE:
        return rest.startswith("aws-service-role/")
    return kind is Kind.SESSION and rest.startswith(_SERVICE_LINKED_ROLE)


class Named:
    """The principals that one element lists, sorted by what they can match, so that a question is a few look-ups.

    `unmatched` are entries that match nobody: unique ids of deleted principals, partial wildcards, misspellings.
    """

    __slots__ = ("accounts", "anyone", "canonical", "providers", "roles", "services", "texts", "unmatched")

    def __init__(self, principals: Iterable[Principal]) -> None:
        self.anyone = False
        self.accounts: set[tuple[str, str]] = set()
        self.roles: set[tuple[str, str, str]] = set()
        self.texts: set[str] = set()
        self.services: set[str] = set()
        self.providers: set[str] = set()
        self.canonical: set[str] = set()
        self.unmatched: list[Principal] = []
        for principal in principals:
            self._add(principal)

    def _add(self, principal: Principal) -> None:
        value = principal.value
        if principal.is_anyone:
            self.anyone = True
        elif principal.kind == "AWS":
            self._add_aws(principal)
        elif principal.kind == "Service":
            self.services.add(value)
        elif principal.kind == "Federated":
            self.providers.add(value)
        elif principal.kind == "CanonicalUser":
            self.canonical.add(value)
        else:
            self.unmatched.append(principal)

    def _add_aws(self, principal: Principal) -> None:
        value = principal.value
        if _ACCOUNT.fullmatch(value):
            self.accounts.add(("", value))
            return
        parts = value.split(":", _PARTS - 1)
        if len(parts) < _PARTS or parts[0] != "arn" or "*" in value or "?" in value:
            self.unmatched.append(principal)
            return
        self.texts.add(value)
        _, partition, service, _, account, resource = parts
        if service == "iam" and resource == "root":
            self.accounts.add((partition, account))
        elif service == "iam" and resource.startswith("role/"):
            self.roles.add((partition, account, resource.rpartition("/")[2]))

    def manner(self, caller: Caller) -> Manner:
        """How these principals name the caller; `Manner.NONE` when they do not.

        >>> from clew.policy.model import Principal
        >>> named = Named([Principal("AWS", "arn:aws:iam::111122223333:role/ops/Auditor")])
        >>> named.manner(parse_principal("arn:aws:sts::111122223333:assumed-role/Auditor/ana")).name
        'ROLE'
        """
        if self.anyone:
            return Manner.DIRECT
        return _MANNERS[caller.kind](self, caller)

    def _of_account(self, caller: Caller) -> Manner:
        if caller.text in self.texts:
            return Manner.ROLE if caller.kind is Kind.ROLE else Manner.DIRECT
        # A session's ARN leaves the role's path out, and a role's name is unique within its account.
        if caller.kind is Kind.SESSION and (caller.partition, caller.account, caller.role) in self.roles:
            return Manner.ROLE
        if caller.federated_by is not None and caller.federated_by in self.texts:
            return Manner.ROLE
        return Manner.ACCOUNT if self._has_account(caller) else Manner.NONE

    def _root(self, caller: Caller) -> Manner:
        return Manner.DIRECT if self._has_account(caller) else Manner.NONE

    def _has_account(self, caller: Caller) -> bool:
        accounts = self.accounts
        if not accounts:
            return False
        if not caller.partition:
            return any(account == caller.account for _, account in accounts)
        return ("", caller.account) in accounts or (caller.partition, caller.account) in accounts

    def _service(self, caller: Caller) -> Manner:
        return Manner.DIRECT if caller.text in self.services or caller.text in self.texts else Manner.NONE

    def _provider(self, caller: Caller) -> Manner:
        named = caller.text in self.providers or caller.text in self.services
        return Manner.DIRECT if named else Manner.NONE

    def _canonical(self, caller: Caller) -> Manner:
        return Manner.DIRECT if caller.text in self.canonical else Manner.NONE

    def _anonymous(self, _: Caller) -> Manner:
        return Manner.NONE


_MANNERS: Final = {
    Kind.USER: Named._of_account,  # noqa: SLF001  # the table of the class's own questions
    Kind.ROLE: Named._of_account,  # noqa: SLF001
    Kind.SESSION: Named._of_account,  # noqa: SLF001
    Kind.FEDERATED_USER: Named._of_account,  # noqa: SLF001
    Kind.ROOT: Named._root,  # noqa: SLF001
    Kind.SERVICE: Named._service,  # noqa: SLF001
    Kind.PROVIDER: Named._provider,  # noqa: SLF001
    Kind.CANONICAL: Named._canonical,  # noqa: SLF001
    Kind.ANONYMOUS: Named._anonymous,  # noqa: SLF001
}
