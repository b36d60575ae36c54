"""A doctor of one integration: its name, what it needs to be told, and the links that it looks at in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clew.audit.buckets import asked
from clew.audit.resources import answers, items, text
from clew.errors import UsageError
from clew.explain.links import Chain, Facts, Link, Question, Verdict, permitted
from clew.reach.predict import Predictor
from clew.snapshot.model import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from clew.audit.model import State
    from clew.engine.request import ContextValue
    from clew.snapshot.answers import Answer
    from clew.snapshot.model import Document


@dataclass(frozen=True, slots=True)
class Found:
    """A thing that an answer lists, with that answer."""

    data: Mapping[str, object]
    answer: Answer

    def text(self, path: str) -> str:
        """A member of it as text; empty where AWS left it out."""
        return text(self.data, path)

    @property
    def region(self) -> str:
        """The region in which it was found."""
        return self.answer.call.region


Event = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Patient:
    """What a doctor looks at: the account's state, its policies, and what the question says.

    `events` are the recorded calls that it asked for, in the order of their times; None where there is no lake.
    """

    state: State
    predictor: Predictor
    given: Mapping[str, str]
    events: tuple[Event, ...] | None = None

    def permitted(  # a request and what mends it
        self,
        name: str,
        principal: str,
        action: str,
        resource: str,
        fix: str = "",
        **context: ContextValue,
    ) -> Link:
        """The link that a request is allowed; `source_arn` and `source_account` are those of a service's call."""
        spelled = {"source_arn": "aws:SourceArn", "source_account": "aws:SourceAccount"}
        keys = {spelled.get(key, key): value for key, value in context.items() if value}
        return permitted(name, self.predictor, Question(principal, action, resource, keys), fix)

    def knowing(self, resource: str, policy: Document | None) -> Patient:
        """The patient with the policy of one resource more; None where it is known to have none."""
        snapshot = self.state.snapshot
        known = {**snapshot.resources, resource: Resource(resource, self.state.account, policy)}
        return replace(self, predictor=Predictor(replace(snapshot, resources=known)))

    def trusted(self, name: str, role: str, service: str) -> Link:
        """The link that a service may assume a role."""
        return self.permitted(
            name, service, "sts:AssumeRole", role, f"let the trust policy of `{role}` name `{service}`"
        )

    def find(self, name: str, call: str, path: str, wanted: str, *members: str) -> tuple[Link, Found | None]:
        """The thing of which one of the members is `wanted`, and the link that it exists."""
        what = f"`{wanted}`"
        told = answers(self.state, call)
        for answer in told:
            for item in items(answer.body, path):
                if wanted in {text(item, member) for member in members}:
                    return Link(name, Verdict.HOLDS, f"{what} exists", asked(answer)), Found(item, answer)
        unread = next((answer for answer in told if not answer.status.is_known), None)
        if unread is not None:
            return unanswered(name, unread), None
        says = f"the account has no {what}"
        return Link(name, Verdict.BROKEN, says, asked(*told), "correct the name, or make it"), None


def unanswered(name: str, answer: Answer) -> Link:
    """The link that hangs on an answer that nobody has."""
    call = answer.call
    why = "was not collected" if answer.error_code == "NotCollected" else f"was refused: {answer.error_code}"
    return Link(
        name, Verdict.UNKNOWN, f"`{call}` {why}", asked(answer), settle=f"clew collect --only {call.service}"
    )


def link(name: str, *, holds: bool, says: tuple[str, str], evidence: Facts = (), fix: str = "") -> Link:
    """A link that holds, said by the first sentence, or is broken, said by the second."""
    verdict = Verdict.HOLDS if holds else Verdict.BROKEN
    return Link(name, verdict, says[0] if holds else says[1], evidence, "" if holds else fix)


@dataclass(frozen=True, slots=True)
class Doctor:
    """One integration: `needs` are the options without which it cannot look, `may` those that it also reads.

    `looks` says at what, for the list of them all. `events` are the names of the recorded calls that it reads.
    """

    name: str
    title: str
    links: Callable[[Patient], Iterator[Link]]
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    looks: str = ""
    events: tuple[str, ...] = ()

    @property
    def options(self) -> str:
        """Its options as they are typed; those that may be left out in brackets."""
        wanted = (f"--{name}" for name in self.needs)
        further = (f"[--{name}]" for name in self.may)
        return " ".join((*wanted, *further))

    def examine(self, state: State, given: Mapping[str, str], events: Sequence[Event] | None = None) -> Chain:
        """Every link, in order. Errors: `UsageError` for an option that is missing or means nothing here."""
        lacking = [name for name in self.needs if name not in given]
        if lacking:
            raise UsageError(f"`{self.name}` needs {', '.join(f'`--{name}`' for name in lacking)}")
        strange = sorted(set(given) - {*self.needs, *self.may})
        if strange:
            raise UsageError(f"`{self.name}` takes no `--{strange[0]}`")
        known = None if events is None else tuple(events)
        patient = Patient(state, Predictor(state.snapshot), given, known)
        named = ", ".join(given[name].partition("?")[0] for name in self.needs)
        return Chain(f"{self.title}: {named}" if named else self.title, tuple(self.links(patient)))
