"""The words of an answer: effects, gates, verdicts, and the statements that settle a decision."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.policy.model import Position


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


GATE_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "identity": "identity policy",
        "resource": "resource policy",
        "boundary": "permissions boundary",
        "session": "session policy",
        "scp": "service control policy",
        "rcp": "resource control policy",
        "endpoint": "VPC endpoint policy",
        "block_public_access": "S3 Block Public Access",
        "grant": "KMS grant",
        "acl": "access control list",
    }
)
"""What AWS calls the policies of each gate, by the name that a determining statement gives it."""

_RESOURCE_WORDS: Final = {
    "s3": "bucket policy",
    "kms": "key policy",
    "sts": "trust policy",
    "lambda": "function policy",
}


def gate_word(gate: str, action: str) -> str:
    """What AWS calls the policies of a gate; a resource policy by its service's word.

    >>> gate_word("resource", "kms:Decrypt"), gate_word("scp", "kms:Decrypt")
    ('key policy', 'service control policy')
    """
    if gate == "resource":
        return _RESOURCE_WORDS.get(action.partition(":")[0].lower(), GATE_WORDS[gate])
    return GATE_WORDS.get(gate, gate)


ORDER: Final = (
    "explicit denials of every policy that applies",
    "resource control policies, level by level",
    "service control policies, level by level",
    "resource policy, grants and access control lists",
    "identity policies",
    "permissions boundary",
    "session policies",
    "VPC endpoint policy",
)
"""The order in which the enforcement code looks at policies; the answer does not depend on it.

AWS: "How AWS enforcement code logic evaluates requests to allow or deny access".
"""


class Determining(NamedTuple):
    """A statement that settled a decision, or could: where it stands and what it does.

    `gate` is the gate's name, or `grant` or `acl`; `policy` is the policy's path in the input, such as
    `identity_policies/0`; `file` and `position` are known where the policy was read from a text.
    """

    gate: str
    policy: str
    statement: int
    sid: str | None
    effect: str
    file: str | None = None
    position: Position | None = None

    @property
    def place(self) -> str:
        """Where to look: `draft.json:27` or `draft.json:27:5`-like text, else the policy's path and the index."""
        if self.position is None:
            return f"{self.file or self.policy} statement {self.statement}"
        return f"{self.file or self.policy}:{self.position.line}"

    def document(self) -> dict[str, object]:
        """The statement for JSON."""
        found: dict[str, object] = {
            "gate": self.gate,
            "policy": self.policy,
            "statement": self.statement,
            "sid": self.sid,
            "effect": self.effect,
        }
        if self.file is not None:
            found["file"] = self.file
        if self.position is not None:
            found |= {"line": self.position.line, "column": self.position.column}
        return found
