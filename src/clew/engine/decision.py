"""What the engine answers: effect, each gate's verdict, the statements that settled it, and what was not known."""

from __future__ import annotations

from enum import StrEnum


class Effect(StrEnum):
    """The answer to a request."""

    ALLOW = "allow"
    IMPLICIT_DENY = "implicit_deny"
    EXPLICIT_DENY = "explicit_deny"
    UNDETERMINED = "undetermined"


class Gate(StrEnum):
    """The kinds of policy that a request passes, in the order in which they are reported."""

    IDENTITY = "identity"
    RESOURCE = "resource"
    BOUNDARY = "boundary"
    SESSION = "session"
    SCP = "scp"
    RCP = "rcp"
    ENDPOINT = "endpoint"
    BLOCK_PUBLIC_ACCESS = "block_public_access"


class Verdict(StrEnum):
    """What one gate says of a request; `absent` where no such policy applies."""

    ALLOW = "allow"
    IMPLICIT_DENY = "implicit_deny"
    EXPLICIT_DENY = "explicit_deny"
    UNKNOWN = "unknown"
    ABSENT = "absent"
