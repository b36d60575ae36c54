"""What an access-denied text says, as values: who, what, on which resource, stopped by which type of policy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PolicyType(StrEnum):
    """The types of policy that AWS's messages name; each is one gate of a decision."""

    IDENTITY = "identity"
    RESOURCE = "resource"
    TRUST = "trust"
    BOUNDARY = "boundary"
    SESSION = "session"
    SCP = "scp"
    RCP = "rcp"
    ENDPOINT = "endpoint"
    BLOCK_PUBLIC_ACCESS = "block_public_access"


class Meaning(StrEnum):
    """What kind of refusal a text is: only `denied` is a decision of policies.

    `credentials`: AWS did not accept who asks. `limit`: the request asks for more than a setting allows.
    `prerequisite`: something must exist, or must not, before the call can succeed. `elsewhere`: another system than IAM
    refused.
    """

    DENIED = "denied"
    CREDENTIALS = "credentials"
    LIMIT = "limit"
    PREREQUISITE = "prerequisite"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Denial:
    """One refusal as a text tells it; what the text does not say is None.

    Shape: `raw` is the text as it was given, from the first to the last character that was understood as this refusal;
    `line` counts from 1. `form` is the id of the wording. `explicit` tells an explicit deny from a missing allow.
    `reason_action` is the action inside the reason, which AWS may spell unlike `action`. `through` is the type of
    policy by which another one took effect. `token` is an encoded authorization message. `unread` holds words of a
    reason that nobody here knows.
    """

    raw: str
    line: int
    form: str
    meaning: Meaning = Meaning.DENIED
    says: str = ""
    principal: str | None = None
    action: str | None = None
    resource: str | None = None
    policy_type: PolicyType | None = None
    explicit: bool | None = None
    reason_action: str | None = None
    policy_arn: str | None = None
    through: PolicyType | None = None
    token: str | None = None
    code: str | None = None
    service: str | None = None
    operation: str | None = None
    request_id: str | None = None
    unread: tuple[str, ...] = ()
