"""Who wants to assume which role, how, and what is known before any hypothesis is tested."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from clew.engine.verdicts import Gate, Verdict
from clew.explain.links import Question

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from clew.engine.request import ContextValue
    from clew.explain.near import NearMiss
    from clew.reach.predict import Prediction
    from clew.snapshot.model import Role, Snapshot

ASSUME: Final = "sts:AssumeRole"
SAML: Final = "sts:AssumeRoleWithSAML"
WEB: Final = "sts:AssumeRoleWithWebIdentity"
# AWS: "AWS JSON policy elements: Principal", OIDC federated principals: the built-in providers have no ARN.
_WEB_PROVIDERS: Final = frozenset(
    {"cognito-identity.amazonaws.com", "accounts.google.com", "graph.facebook.com", "www.amazon.com"}
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: the caller's ARN, the role's, the call, its context and how long the session should last.

    `providers` are the identity providers of the role's account, None where nobody collected them.

    Units: `now` is the time of the call, UTC; `seconds` of the session, None where the caller asks for no length.
    """

    caller: str
    role: str
    now: datetime
    action: str = ASSUME
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    seconds: int | None = None
    providers: frozenset[str] | None = None

    def question(self, action: str = "") -> Question:
        """The request of this call, or of another action in the same context; its time is known."""
        time = self.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        known = {"aws:CurrentTime": time, "aws:EpochTime": str(int(self.now.timestamp()))}
        context = {**known, **self.context}
        return Question(self.caller, action or self.action, self.role, context, account_of(self.role))


@dataclass(frozen=True, slots=True)
class Case:
    """What the hypotheses are tested on.

    `role` is None where it is not in the snapshot; `unknown_caller` says why nothing is known of the caller's own
    policies, empty where they are at hand. `statements` are those of the trust policy that allow, with what does not
    match.
    """

    asked: Asked
    snapshot: Snapshot
    role: Role | None
    prediction: Prediction
    unknown_caller: str
    statements: tuple[NearMiss, ...]

    @property
    def open_gates(self) -> frozenset[Gate]:
        """The gates of which a policy is not at hand."""
        gates = self.prediction.decision.gates
        return frozenset(gate for gate, verdict in gates.items() if verdict is Verdict.UNKNOWN)


def account_of(arn: str) -> str:
    """The account that an ARN names; empty where it names none."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) > 5 else ""  # noqa: PLR2004  # an ARN has six parts


def session_role(principal: str) -> str:
    """The role of a session's ARN, without the path that such an ARN leaves out; empty for other principals.

    >>> session_role("arn:aws:sts::111122223333:assumed-role/ci/build")
    'arn:aws:iam::111122223333:role/ci'
    """
    fields = principal.split(":", 5)
    kind, _, rest = fields[-1].partition("/")
    if kind != "assumed-role":
        return ""
    return f"arn:{fields[1]}:iam::{fields[4]}:role/{rest.partition('/')[0]}"


def fitting_call(caller: str) -> str:
    """The call by which such a caller comes to a role.

    >>> fitting_call("arn:aws:iam::111122223333:saml-provider/idp")
    'sts:AssumeRoleWithSAML'
    """
    if ":saml-provider/" in caller:
        return SAML
    return WEB if ":oidc-provider/" in caller or caller in _WEB_PROVIDERS else ASSUME
