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
from clew.policy.model import shown

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

    `account` and `partition` are empty where the text does not tell them. `name` is the last part of a user's or
    role's path, the role's name for a session, and the chosen name for a federated-user session.
    """

    kind: Kind
    text: str
    account: str = ""
    partition: str = ""
    name: str = ""
    service_linked: bool = False

    @property
    def is_person_of_account(self) -> bool:
        """Whether identity policies can apply: a user, a role, a session or the root user."""
        return self.kind in _OF_ACCOUNT


_OF_ACCOUNT: Final = frozenset({Kind.USER, Kind.ROLE, Kind.SESSION, Kind.FEDERATED_USER, Kind.ROOT})
_ACCOUNT: Final = re.compile(r"\d{12}", re.ASCII)
_CANONICAL: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DOTTED: Final = re.compile(r"[^\s:/*?]+\.[^\s:/*?]+")
_SERVICE_LINKED_ROLE: Final = "AWSServiceRoleFor"
_PARTS: Final = 6
_CALLERS_KEPT: Final = 4096
_SHOWN: Final = 200


@lru_cache(maxsize=_CALLERS_KEPT)
def parse_principal(text: str, *, web_identity: bool = False) -> Caller:
    """The caller that the text names: an ARN, 12 digits, a service name, a canonical id, or `*`.

    `web_identity` says that the action is AssumeRoleWithWebIdentity, so that a bare name is an identity provider's.
    Errors: `PrincipalError` when the text is none of them.

    >>> parse_principal("arn:aws:sts::111122223333:assumed-role/Auditor/ana").name
    'Auditor'
    >>> parse_principal("lambda.amazonaws.com").kind.value, parse_principal("*").kind.value
    ('service', 'anonymous')
    """
    # A matrix asks for the same few principals again and again: reading one takes 2 µs, finding it again 0.1 µs.
    if text == "*":
        return Caller(Kind.ANONYMOUS, text)
    if text.startswith("arn:"):
        return _from_arn(text)
    if _ACCOUNT.fullmatch(text):
        return Caller(Kind.ROOT, text, account=text)
    if _CANONICAL.fullmatch(text):
        return Caller(Kind.CANONICAL, text)
    if _DOTTED.fullmatch(text):
        return Caller(Kind.PROVIDER if web_identity else Kind.SERVICE, text)
    raise PrincipalError(
        f"principal `{shown(text, _SHOWN)}` is neither an ARN, an account, a service name nor `*`"
    )


def _from_arn(text: str) -> Caller:
    parts = text.split(":", _PARTS - 1)
    if len(parts) < _PARTS or parts[1] not in PARTITIONS:
        raise PrincipalError(f"principal `{shown(text, _SHOWN)}` is no ARN of a known partition")
    _, partition, service, region, account, resource = parts
    kind, _, rest = resource.partition("/")
    if service == "iam" and kind == "user" and account == "cloudfront":
        # AWS: "Restricting access to an Amazon S3 origin", origin access identities: a bucket policy alone decides.
        return Caller(Kind.SERVICE, text, partition=partition)
    found = Kind.ROOT if (service, resource) == ("iam", "root") else _KINDS.get((service, kind))
    # A session is ROLE/NAME.
    is_named = rest.partition("/")[2] if found is Kind.SESSION else rest or found is Kind.ROOT
    if found is None or region or not _ACCOUNT.fullmatch(account) or not is_named:
        raise PrincipalError(
            f"principal `{shown(text, _SHOWN)}` is no user, role, session, identity provider or root user"
        )
    name = rest.partition("/")[0] if found is Kind.SESSION else rest.rpartition("/")[2]
    return Caller(found, text, account, partition, name, service_linked=_is_service_linked(found, rest))


_KINDS: Final = {
    ("iam", "user"): Kind.USER,
    ("iam", "role"): Kind.ROLE,
    ("iam", "saml-provider"): Kind.PROVIDER,
    ("iam", "oidc-provider"): Kind.PROVIDER,
    ("sts", "assumed-role"): Kind.SESSION,
    ("sts", "federated-user"): Kind.FEDERATED_USER,
}


def _is_service_linked(kind: Kind, rest: str) -> bool:
    # AWS: "Using service-linked roles": the path is aws-service-role/SERVICE/; a session's ARN leaves paths out.
    if kind is Kind.ROLE:
        return rest.startswith("aws-service-role/")
    return kind is Kind.SESSION and rest.startswith(_SERVICE_LINKED_ROLE)


class Named:
    """The principals that one element lists, sorted by what they can match, so that a question is a few look-ups.

    `unmatched` are entries that match nobody: unique ids of deleted principals, partial wildcards, misspellings.
    """

    __slots__ = (
        "accounts",
        "anyone",
        "canonical",
        "providers",
        "roles",
        "services",
        "texts",
        "unmatched",
        "users",
    )

    def __init__(self, principals: Iterable[Principal]) -> None:
        self.anyone = False
        self.accounts: set[tuple[str, str]] = set()
        self.roles: set[tuple[str, str, str]] = set()
        self.users: set[tuple[str, str, str]] = set()
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
            return
        if principal.kind == "AWS" and ":" in value:
            self._add_arn(principal)
            return
        listed = self._list(principal)
        if listed is None or value == "*":
            self.unmatched.append(principal)
        else:
            listed.add(value)

    def _list(self, principal: Principal) -> set[str] | None:
        if principal.kind == "AWS":
            if _ACCOUNT.fullmatch(principal.value):
                self.accounts.add(("", principal.value))
                return set()
            return None
        return {"Service": self.services, "Federated": self.providers, "CanonicalUser": self.canonical}.get(
            principal.kind
        )

    def _add_arn(self, principal: Principal) -> None:
        value = principal.value
        parts = value.split(":", _PARTS - 1)
        if len(parts) < _PARTS or parts[0] != "arn" or "*" in value or "?" in value:
            self.unmatched.append(principal)
            return
        self.texts.add(value)
        _, partition, service, _, account, resource = parts
        if service != "iam":
            return
        kind, _, rest = resource.partition("/")
        if resource == "root":
            self.accounts.add((partition, account))
        elif kind in {"role", "user"}:
            named = self.roles if kind == "role" else self.users
            named.add((partition, account, rest.rpartition("/")[2]))

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

    def excepts(self, caller: Caller) -> bool:
        """Whether a NotPrincipal list with Deny spares the caller: every level of it must be listed.

        AWS: "AWS JSON policy elements: NotPrincipal", Key points: the account of a user, and the role and account of
        a session, must be listed too.
        """
        if self.anyone:
            return True
        if caller.kind in {Kind.USER, Kind.ROLE, Kind.FEDERATED_USER}:
            return caller.text in self.texts and self._has_account(caller)
        if caller.kind is Kind.SESSION:
            return caller.text in self.texts and self._has_role(caller) and self._has_account(caller)
        return self.manner(caller) is not Manner.NONE

    def _of_account(self, caller: Caller) -> Manner:
        if caller.text in self.texts:
            return Manner.ROLE if caller.kind is Kind.ROLE else Manner.DIRECT
        if caller.kind is Kind.SESSION and self._has_role(caller):
            return Manner.ROLE
        # The guide writes a federated user's name as if it were the name of the user who federated.
        if (
            caller.kind is Kind.FEDERATED_USER
            and (caller.partition, caller.account, caller.name) in self.users
        ):
            return Manner.ROLE
        return Manner.ACCOUNT if self._has_account(caller) else Manner.NONE

    def _has_role(self, caller: Caller) -> bool:
        # A session's ARN leaves the role's path out, and a role's name is unique within its account.
        return (caller.partition, caller.account, caller.name) in self.roles

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
        return Manner.DIRECT if caller.text in self.providers else Manner.NONE

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
