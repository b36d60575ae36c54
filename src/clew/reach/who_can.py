"""Who can do an action on a resource: every principal of the accounts at hand, and those outside that its policy names.

Each answer is the engine's with an unknown request context: allowed whatever the context, never, or under a condition
that is told. All are asked at once (`everybody`). Principals of accounts that are not at hand need their own account's
permission too: they are named, not judged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from clew.engine import Context, Request
from clew.engine.derive import derived
from clew.errors import InputError, PolicyError
from clew.reach.everybody import Everybody
from clew.reach.outsiders import outsiders
from clew.reach.predict import NoPrediction
from clew.reach.resource_policy import resource_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from clew.engine.request import ContextValue
    from clew.reach.outsiders import Outsider
    from clew.reach.predict import Prediction, Predictor
    from clew.snapshot.model import Snapshot

ANYBODY = "*"
_ENDPOINT = "aws:sourcevpce"


@dataclass(frozen=True, slots=True)
class Can:
    """One principal that can, or may be able to: `condition` is empty where it can in any context.

    `asked` makes the prediction when it is looked at.
    """

    principal: str
    asked: Callable[[], Prediction]
    condition: str = ""

    @property
    def prediction(self) -> Prediction:
        """The decision, with its statements and their places."""
        return self.asked()


@dataclass(frozen=True, slots=True)
class WhoCan:
    """The answer: those who can in any context, those who can under a condition, outsiders, and how many cannot.

    `unknown` says what was not at hand, each with the number of principals whose answer it left open, `assumed` what
    was taken for granted.
    """

    action: str
    resource: str
    always: tuple[Can, ...]
    conditional: tuple[Can, ...]
    outsiders: tuple[Outsider, ...]
    cannot: int
    unknown: Mapping[str, int]
    assumed: tuple[str, ...] = ()


def who_can(
    predictor: Predictor,
    action: str,
    resource: str,
    *,
    resource_account: str | None = None,
    context: Mapping[str, ContextValue] | None = None,
) -> WhoCan:
    """Every principal of the snapshot's accounts; `context` holds the keys that are given."""
    # Nobody comes through an endpoint unless the question says so: its policy would leave every answer open.
    absent = () if any(key.lower() == _ENDPOINT for key in context or {}) else ("aws:SourceVpce",)
    asked = Context(context or {}, unknown=None, absent=absent)
    question = Request(ANYBODY, action, resource, resource_account, asked)
    everybody = Everybody(predictor, question)
    always: list[Can] = []
    conditional: list[Can] = []
    unknown: dict[str, int] = {}
    cannot = 0
    for principal in principals(predictor.snapshot):
        asking = partial(_predicted, predictor, replace(question, principal=principal))
        verdict = everybody.verdict(principal)
        if verdict is None or verdict.allowed is False:
            cannot += verdict is not None
        elif verdict.allowed:
            always.append(Can(principal, asking))
        else:
            conditional.append(Can(principal, asking, verdict.condition))
            for what in verdict.unknown:
                unknown[what] = unknown.get(what, 0) + 1
    named = tuple(outsiders(predictor.snapshot, action, resource))
    assumed = tuple(_assumed(predictor.snapshot, question))
    return WhoCan(action, resource, tuple(always), tuple(conditional), named, cannot, unknown, assumed)


def principals(snapshot: Snapshot) -> Iterator[str]:
    """Users, roles and root of every account, and the anonymous caller."""
    for account in snapshot.accounts.values():
        if not account.id.isdigit():
            # AWS's own managed policies stand under `aws`, which is nobody's account.
            continue
        yield from sorted(account.users)
        yield from sorted(account.roles)
        partition = next(iter((*account.users, *account.roles)), "arn:aws").split(":")[1]
        yield f"arn:{partition}:iam::{account.id}:root"
    yield ANYBODY


def _predicted(predictor: Predictor, question: Request) -> Prediction:
    found = predictor.predict(derived(question))
    if isinstance(found, NoPrediction):
        raise InputError(found.reason)
    return found


def _assumed(snapshot: Snapshot, question: Request) -> Iterator[str]:
    """What was taken for granted that the resource's policy speaks of."""
    if question.context.get(_ENDPOINT) is not None:
        return
    attachment = resource_side(snapshot, question.action, question.resource).attachment
    if attachment is None or attachment.document is None:
        return
    try:
        statements = attachment.document.policy.statements
    except PolicyError:
        return
    if any(line.key.lower() == _ENDPOINT for each in statements for line in each.conditions):
        yield (
            "nobody comes through a VPC endpoint, of which the resource's policy speaks; "
            "give `--context aws:SourceVpce=vpce-…` to ask for those who do"
        )
