"""The smallest readable policy that allows what a principal did, proven to, and compared with what it may do now.

The policy has no conditions, so that no context can make a difference; actions and resources are those of calls that
succeeded. What records cannot show is said, not added: `iam:PassRole` is never logged, data events may be off.
AWS: IAM user guide, "IAM Access Analyzer policy generation".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clew.analyzer.generate_arns import generalised
from clew.analyzer.generate_documents import documents
from clew.analyzer.generate_needs import Need, needs
from clew.engine.gates import place_one
from clew.engine.request import Context
from clew.engine.verdicts import Gate
from clew.symbolic.questions import Answer, Verdict, implies
from clew.symbolic.sides import Documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clew.analyzer.generate_calls import Calls, Used
    from clew.policy.model import Policy

_NOTHING_KNOWN = Context(unknown=None)


@dataclass(frozen=True, slots=True)
class Proof:
    """How many pairs of action and resource were put to the policy, and those that it does not allow."""

    asked: int
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every pair is allowed, whatever the request's context."""
        return not self.refused


@dataclass(frozen=True, slots=True)
class Comparison:
    """The generated policy beside the current ones: what only the one, and what only the other allows.

    `reason` says why there is no comparison.
    """

    beyond: Answer
    unused: Answer
    reason: str = ""

    @property
    def relation(self) -> str:
        """How the generated policy is: `equal`, `narrower`, `wider`, `incomparable`, or `unknown`."""
        verdicts = (self.beyond.verdict, self.unused.verdict)
        if self.reason or Verdict.UNKNOWN in verdicts:
            return "unknown"
        return _RELATIONS[verdicts]


_RELATIONS: Mapping[tuple[Verdict, Verdict], str] = {
    (Verdict.NONE, Verdict.NONE): "equal",
    (Verdict.NONE, Verdict.WITNESS): "narrower",
    (Verdict.WITNESS, Verdict.NONE): "wider",
    (Verdict.WITNESS, Verdict.WITNESS): "incomparable",
}


@dataclass(frozen=True, slots=True)
class Generated:
    """The policy in documents that each fit AWS's quota, with its proof and everything that it leaves out.

    `open_actions` are those whose calls show no resource, or not all: their types' patterns stand there. `blind` says
    what the evidence cannot have seen; `comparison` is None where no current policies were given.
    """

    principal: str
    policies: tuple[Policy, ...]
    calls: Calls
    proof: Proof
    needs: tuple[Need, ...] = ()
    open_actions: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()
    comparison: Comparison | None = field(default=None)

    @property
    def complete(self) -> bool:
        """Whether everything that the principal did is in the policy, as far as evidence can show."""
        return not self.calls.unmapped and not self.blind and self.proof.holds


def generate(principal: str, calls: Calls, blind: Sequence[str] = ()) -> Generated:
    """The policy for the calls; without one document where none of them is mapped to an action."""
    grants = {used.action: _resources(used) for used in calls.used.values()}
    policies = documents(grants)
    return Generated(
        principal=principal,
        policies=policies,
        calls=calls,
        proof=prove(policies, calls.used.values()),
        needs=needs(calls),
        open_actions=tuple(sorted(used.action for used in calls.used.values() if used.open_to)),
        blind=tuple(blind),
    )


def _resources(used: Used) -> tuple[str, ...]:
    return generalised(used.resources | used.open_to)


def prove(policies: Iterable[Policy], used: Iterable[Used]) -> Proof:
    """Every action and resource that was used, put to the policies with an unknown context.

    What is allowed so is allowed in every context, also in the recorded one. A call whose resource was not shown is put
    with the pattern of its types, so that the answer holds for whatever resource of them it was.
    """
    placed = [each for policy in policies for each in place_one(policy, Gate.IDENTITY, "generated")]
    asked = [(one.action, resource) for one in used for resource in sorted(one.asked | one.open_to)]
    refused = tuple(
        (action, resource)
        for action, resource in asked
        if not any(
            each.compiled.evaluate(action.lower(), resource, _NOTHING_KNOWN) is True for each in placed
        )
    )
    return Proof(len(asked), refused)


def compared(generated: Sequence[Policy], current: Sequence[Policy]) -> Comparison:
    """The generated policies beside the current ones, with a request for each that only it allows."""
    new, old = Documents(tuple(generated)), Documents(tuple(current))
    return Comparison(implies(new, old), implies(old, new))


def not_compared(reason: str) -> Comparison:
    """No comparison, and why."""
    unknown = Answer(Verdict.UNKNOWN, reason=reason)
    return Comparison(unknown, unknown, reason)
