"""What the account's own policies say of a request, and how far that is known.

The snapshot need not hold everything that took part in a real decision: an endpoint's policy, the policy of a resource
of another account. Each of these stands in the decision as a policy that nobody knows, so that an answer is determined
only where it holds whatever they say. AWS: "Policy evaluation logic".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clew.engine import Request, prepare
from clew.engine.derive import derived
from clew.engine.principal import PrincipalError
from clew.errors import InputError
from clew.reach.applied import applied, is_about_action
from clew.reach.attached import UNKNOWN_DOCUMENT, unknown_policy
from clew.reach.resource_policy import has_resource_policies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine import Decision, Policies, Prepared
    from clew.reach.applied import Applied
    from clew.snapshot.model import Snapshot

_SESSION_NOTE = "a session policy given when the role was assumed is not in the snapshot: taken as none"


@dataclass(frozen=True, slots=True)
class Prediction:
    """The decision that the policies at hand give; `unknown` says what was not at hand.

    `policies` are those that were decided by: what is not at hand stands among them as a policy that nobody knows.
    """

    request: Request
    applied: Applied
    policies: Policies
    decision: Decision
    unknown: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoPrediction:
    """Why nothing can be predicted: the snapshot does not know who asked."""

    reason: str


class Predictor:
    """Predictions from one snapshot; the policies of a principal on a resource are compiled once."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Answer from this snapshot."""
        self.snapshot = snapshot
        # 10,000 recorded calls of 50 principals: 4.1 s with this, 31 s without (CPython 3.11).
        self._ready: dict[tuple[str, str, str], Ready | NoPrediction] = {}

    def predict(self, request: Request, *, of_strangers: bool = False) -> Prediction | NoPrediction:
        """What the snapshot's policies say of the request in its context; what they do not hold stays open.

        `of_strangers`: also where the caller's account is not in the snapshot; then its own policies are open.
        """
        account = _account(request.principal)
        if account and account not in self.snapshot.accounts and not of_strangers:
            return NoPrediction(f"account {account} of the caller is not in the snapshot")
        about = (
            request.action.lower() if is_about_action(request.action) else request.action.partition(":")[0]
        )
        key = (request.principal, request.resource, about)
        if key not in self._ready:
            self._ready[key] = self.ready(request)
        ready = self._ready[key]
        if isinstance(ready, NoPrediction):
            return ready
        full = with_facts(request, ready.applied)
        endpoint = request.context.get("aws:sourcevpce")
        prepared, unknown = ready.prepared, ready.unknown
        if isinstance(endpoint, str):
            prepared = prepare(behind_endpoint(prepared.policies, endpoint))
            unknown = (*unknown, f"the policy of VPC endpoint {endpoint}")
        assumed = (_SESSION_NOTE,) if ":assumed-role/" in request.principal else ()
        return Prediction(full, ready.applied, prepared.policies, prepared.authorize(full), unknown, assumed)

    def ready(self, request: Request) -> Ready | NoPrediction:
        """The policies that take part in the request, compiled; those that are not at hand as ones nobody knows."""
        named = (*request.context.values,)
        try:
            found = applied(
                self.snapshot,
                request.principal,
                request.action,
                request.resource,
                resource_account=request.resource_account,
                given_keys=named,
            )
        except (InputError, PrincipalError) as error:
            return NoPrediction(str(error))
        policies, unknown = found.policies, [missing.why for missing in found.missing]
        if policies.resource is None and self._may_have_policy(request):
            policies = replace(
                policies,
                resource=unknown_policy(f"{UNKNOWN_DOCUMENT}{request.resource}", with_principal=True),
            )
            unknown.append(f"the resource policy of {request.resource}")
        return Ready(found, prepare(policies), tuple(unknown))

    def _may_have_policy(self, request: Request) -> bool:
        """Whether the resource may have a policy that the snapshot does not hold."""
        is_at_hand = any(name in self.snapshot.resources for name in _holders(request.resource))
        return not is_at_hand and may_have_policy(request.action, request.resource)


def may_have_policy(action: str, resource: str) -> bool:
    """Whether a resource policy may take part: the service has such policies, and a role's only when it is assumed.

    >>> may_have_policy("iam:AddUserToGroup", "arn:aws:iam::111122223333:group/Ops")
    False
    """
    is_trust = ":iam:" not in resource or action.lower().startswith("sts:")
    return has_resource_policies(resource) and is_trust


@dataclass(frozen=True, slots=True)
class Ready:
    """What applies to a request, its policies compiled, and what of them is not at hand."""

    applied: Applied
    prepared: Prepared
    unknown: tuple[str, ...]


def _account(principal: str) -> str:
    """The account of the principal; empty for services and for an identity of CloudFront, whose ARN names none."""
    fields = principal.split(":", 5)
    return fields[4] if len(fields) > 5 and fields[4].isdigit() else ""  # noqa: PLR2004  # an ARN has six parts


def _holders(arn: str) -> Iterator[str]:
    """The resource, and what it may be a part of: the bucket of an object, the function of a version."""
    yield arn
    for separator in "/:":
        rest = arn
        while separator in rest.split(":", 5)[-1]:
            rest = rest.rpartition(separator)[0]
            yield rest


def behind_endpoint(policies: Policies, endpoint: str) -> Policies:
    """The policies, and that of an endpoint of a VPC, which nobody knows."""
    return replace(policies, endpoint=(unknown_policy(f"{UNKNOWN_DOCUMENT}{endpoint}", with_principal=True),))


def with_facts(request: Request, found: Applied) -> Request:
    """The request with what the snapshot makes certain, where the record says nothing of it."""
    context = request.context.with_defaults(found.context, absent=found.absent)
    owner = found.resource_account or request.resource_account
    return derived(replace(request, resource_account=owner, context=context))
