"""Who made the call: every kind of userIdentity, read into one shape."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from clew.aws import arn as arns
from clew.aws.services import service_name
from clew.events.paths import at, text_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Event = Mapping[str, object]


class Mfa(StrEnum):
    """Whether multi-factor authentication stood behind the call, as far as the record says."""

    USED = "used"
    NOT_USED = "not used"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who made the call.

    Shape: every part is empty where the record does not say it. `type` is userIdentity.type (`Unknown` when absent),
    `name` what a reader calls it: the ARN's name before `userName`, because the ARN is what AWS decides by.
    `issuer_arn` is the role or user behind a session.
    """

    type: str
    name: str
    arn: str
    account: str
    principal_id: str
    access_key: str
    mfa: Mfa
    issuer_arn: str
    issuer_name: str
    session_name: str
    source_identity: str
    invoked_by: str
    identity_provider: str

    @property
    def key(self) -> str:
        """What tells this principal from others: the ARN, else the most specific of what the record says."""
        return self.arn or self.principal_id or self.invoked_by or self.name


def principal(event: Event) -> Principal:
    """The principal of a CloudTrail event.

    >>> who = principal({"userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/Bob"}})
    >>> who.name, who.account, str(who.mfa)
    ('Bob', '111122223333', 'unknown')
    """
    arn = text_at(event, "userIdentity", "arn")
    named = arns.read(arn)
    principal_id = text_at(event, "userIdentity", "principalId")
    return Principal(
        type=text_at(event, "userIdentity", "type") or "Unknown",
        name=_name(event),
        arn=arn,
        account=text_at(event, "userIdentity", "accountId") or (named.account if named else ""),
        principal_id=principal_id,
        access_key=text_at(event, "userIdentity", "accessKeyId"),
        mfa=mfa(event),
        issuer_arn=text_at(event, *_ISSUER, "arn"),
        issuer_name=text_at(event, *_ISSUER, "userName"),
        session_name=_session_name(event),
        source_identity=text_at(event, "userIdentity", "sessionContext", "sourceIdentity"),
        invoked_by=text_at(event, "userIdentity", "invokedBy"),
        identity_provider=_identity_provider(event),
    )


_ISSUER: Final = ("userIdentity", "sessionContext", "sessionIssuer")
_ATTRIBUTES: Final = ("userIdentity", "sessionContext", "attributes")


def _name(event: Event) -> str:
    kind = text_at(event, "userIdentity", "type")
    name = _NAMES.get(kind, _any_name)(event)
    return name or _any_name(event) or "unknown"


def _root(event: Event) -> str:
    account = text_at(event, "userIdentity", "accountId") or _arn_part(event, "account")
    return f"root of {account}" if account else "root"


def _user(event: Event) -> str:
    return _arn_part(event, "name") or text_at(event, "userIdentity", "userName")


def _role_session(event: Event) -> str:
    """`Role/session`, from the ARN, else from the session's issuer and the end of the principal id."""
    if _arn_part(event, "resource_type") == "assumed-role":
        return _arn_part(event, "resource_id")
    issuer, session = text_at(event, *_ISSUER, "userName"), _session_name(event)
    return f"{issuer}/{session}" if issuer and session else issuer or session


def _account(event: Event) -> str:
    account = text_at(event, "userIdentity", "accountId")
    return f"account {account}" if account else ""


def _service(event: Event) -> str:
    host = text_at(event, "userIdentity", "invokedBy")
    return service_name(host) if host else ""


def _identity_center(event: Event) -> str:
    return text_at(event, "userIdentity", "userName") or text_at(
        event, "userIdentity", "onBehalfOf", "userId"
    )


def _any_name(event: Event) -> str:
    """The first thing that names the caller, whatever its type."""
    choices = (
        text_at(event, "userIdentity", "userName"),
        _arn_part(event, "resource_id"),
        text_at(event, "userIdentity", "arn"),
        text_at(event, "userIdentity", "onBehalfOf", "userId"),
        text_at(event, "userIdentity", "principalId"),
        _service(event),
        _account(event),
    )
    return next((choice for choice in choices if choice), "")


_NAMES: Final[dict[str, Callable[[Event], str]]] = {
    "Root": _root,
    "IAMUser": _user,
    "AssumedRole": _role_session,
    "Role": _user,
    "FederatedUser": _user,
    "Directory": _any_name,
    "AWSAccount": _account,
    "AWSService": _service,
    "SAMLUser": _any_name,
    "WebIdentityUser": _any_name,
    "IdentityCenterUser": _identity_center,
    "Unknown": _any_name,
}
"""How each documented type (AWS: "CloudTrail userIdentity element") is named; a new type is named by what it has."""

TYPES: Final = frozenset(_NAMES)
"""The documented types of userIdentity."""


def _arn_part(event: Event, part: str) -> str:
    arn = arns.read(text_at(event, "userIdentity", "arn"))
    return str(getattr(arn, part)) if arn else ""


def _session_name(event: Event) -> str:
    if _arn_part(event, "resource_type") in {"assumed-role", "federated-user"}:
        return _arn_part(event, "name")
    return text_at(event, "userIdentity", "principalId").partition(":")[2]


def _identity_provider(event: Event) -> str:
    federation = text_at(event, "userIdentity", "sessionContext", "webIdFederationData", "federatedProvider")
    return text_at(event, "userIdentity", "identityProvider") or federation


def mfa(event: Event) -> Mfa:
    """Whether MFA stood behind the call. A sign-in through an identity provider says nothing: its MFA is not AWS's.

    >>> str(mfa({"userIdentity": {"sessionContext": {"attributes": {"mfaAuthenticated": "false"}}}}))
    'not used'
    """
    said = at(event, *_ATTRIBUTES, "mfaAuthenticated")
    if said is None:
        said = at(event, "additionalEventData", "MFAUsed")
        if (
            _SAID.get(str(said).lower()) is Mfa.NOT_USED
            and text_at(event, "userIdentity", "type") not in _PASSWORD
        ):
            return Mfa.UNKNOWN
    if said is None and text_at(event, "requestParameters", "serialNumber") and not event.get("errorCode"):
        # STS accepted the call with a device's code: AssumeRole and GetSessionToken carry its serial number.
        return Mfa.USED if text_at(event, "eventSource") == "sts.amazonaws.com" else Mfa.UNKNOWN
    return _SAID.get(str(said).lower(), Mfa.UNKNOWN)


_PASSWORD: Final = frozenset({"Root", "IAMUser"})
_SAID: Final = {"true": Mfa.USED, "yes": Mfa.USED, "false": Mfa.NOT_USED, "no": Mfa.NOT_USED}
