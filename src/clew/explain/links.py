"""What a doctor answers: the links of a chain, or the hypotheses of a fault, each with verdict, evidence and way on.

A link that nobody could look at is `unknown` and says what would settle it; it is never taken as whole or as broken.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from clew.engine import Context, Effect, Request
from clew.engine.derive import derived
from clew.engine.principal import PrincipalError
from clew.explain.cause import cause, named
from clew.explain.fix import fixes
from clew.reach.predict import NoPrediction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.engine.request import ContextValue
    from clew.reach.predict import Prediction, Predictor

Facts = tuple[tuple[str, str], ...]


class Verdict(StrEnum):
    """What is known of a link: that it holds, that it is broken, or neither."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Link:
    """One link: its id, what is so in a sentence, the facts that say so, what mends it, and what would settle it."""

    id: str
    verdict: Verdict
    says: str
    evidence: Facts = ()
    fix: str = ""
    settle: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """All links in the order in which they must hold; `title` says what should work."""

    title: str
    links: tuple[Link, ...]

    @property
    def first_broken(self) -> Link | None:
        """The link to mend first; None where none is known to be broken."""
        return next((link for link in self.links if link.verdict is Verdict.BROKEN), None)

    @property
    def verdict(self) -> Verdict:
        """Broken where one link is, unknown where one of the others is not known."""
        found = {link.verdict for link in self.links}
        return next(
            (each for each in (Verdict.BROKEN, Verdict.UNKNOWN) if each in found),
            Verdict.HOLDS if found else Verdict.UNKNOWN,
        )


@dataclass(frozen=True, slots=True)
class Question:
    """A request that a link needs to be allowed; keys of the context that are not given are not known."""

    principal: str
    action: str
    resource: str
    context: Mapping[str, ContextValue] | None = None
    account: str | None = None

    def request(self) -> Request:
        """The request as the engine reads it. Errors: `PrincipalError`."""
        context = Context(self.context or {}, unknown=None)
        return derived(Request(self.principal, self.action, self.resource, self.account, context))


def permitted(name: str, predictor: Predictor, question: Question, fix: str = "") -> Link:
    """The link that a request is allowed; `fix` says what to do in other words than the engine's smallest statement."""
    try:
        predicted = predictor.predict(question.request())
    except PrincipalError as error:
        return Link(
            name, Verdict.UNKNOWN, str(error), settle="give the principal as an ARN or a service's name"
        )
    if isinstance(predicted, NoPrediction):
        return Link(name, Verdict.UNKNOWN, predicted.reason, settle="clew collect, with that account")
    return of_prediction(name, predicted, fix)


def of_prediction(name: str, predicted: Prediction, fix: str = "") -> Link:
    """The link that a decided request is allowed."""
    request, decision = predicted.request, predicted.decision
    asked = f"{request.action} on {request.resource} by {request.principal}"
    found = cause(None, predicted)
    statements = found.statements or decision.determined_by
    seen = tuple(("statement", named(each, predicted.applied)) for each in statements[:3])
    seen = (("request", asked), *seen)
    if decision.effect is Effect.ALLOW:
        says = f"`{request.action}` on `{request.resource}` is allowed to `{request.principal}`"
        return Link(name, Verdict.HOLDS, says, seen)
    if decision.effect is Effect.UNDETERMINED:
        says = (
            f"whether `{request.action}` on `{request.resource}` is allowed is open: {_rest(found.sentence)}"
        )
        return Link(name, Verdict.UNKNOWN, says, seen, settle=_settle(predicted))
    says = f"`{request.action}` is refused to `{request.principal}`: {_rest(found.sentence)}"
    return Link(name, Verdict.BROKEN, says, seen, fix or _smallest(predicted))


def _rest(sentence: str) -> str:
    """A sentence as the second half of another."""
    return f"{sentence[:1].lower()}{sentence[1:]}".rstrip(".")


def _settle(predicted: Prediction) -> str:
    keys = [key for key in predicted.decision.missing_context if not key.startswith("clew:")]
    if predicted.unknown:
        return f"clew collect: {predicted.unknown[0]}"
    return f"give {', '.join(f'`--context {key}=…`' for key in keys[:3])}" if keys else "clew collect"


def _smallest(predicted: Prediction) -> str:
    """The smallest change that lets the request through; where something denies it, nothing that is added helps."""
    found = fixes(cause(None, predicted), predicted)
    if not found:
        return "narrow the statement that stops it; nothing that is added to a policy overrides it"
    first = found[0]
    return f"{first.title}: {json.dumps(first.statement)}" if first.statement else first.title
