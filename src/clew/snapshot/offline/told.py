"""Answers put together from files: lists grow item by item, and what a file leaves open is said to be so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.snapshot.answers import GLOBAL, NOT_COLLECTED, Answer, Answers, Call, Status
from clew.snapshot.items import OWN

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = f"{OWN}source"
"""The member of a listed resource that names its file, with line or address."""


class Told:
    """What files say in AWS's place. Units: `time` is UTC, ISO 8601, when they were read."""

    def __init__(self, time: str) -> None:
        """Begin with nothing."""
        self.time = time
        self.notes: list[str] = []
        self._lists: dict[Call, dict[str, list[object]]] = {}
        self._answers: dict[Call, Answer] = {}

    def lists(self, call: Call, member: str, items: Mapping[str, object] | None, source: str = "") -> None:
        """Add a resource to the list of an answer; without one the list is there, and empty so far."""
        found = self._lists.setdefault(call, {}).setdefault(member, [])
        if items is not None:
            found.append({**items, SOURCE: source} if source else dict(items))

    def extends(self, call: Call, body: Mapping[str, object], source: str) -> None:
        """Add what a file holds of an answer: lists are joined with those of other files, the rest is taken over."""
        for name, value in body.items():
            if isinstance(value, list):
                self._lists.setdefault(call, {}).setdefault(name, []).extend(value)
        rest = {name: value for name, value in body.items() if not isinstance(value, list)}
        if rest or not body:
            self.says(call, rest, source)

    def says(self, call: Call, body: Mapping[str, object], source: str) -> None:
        """The answer to a question about one thing."""
        self._answers[call] = Answer(call, self.time, Status.OK, body, source=source)

    def absent(self, call: Call, code: str, source: str) -> None:
        """There is no such thing, with AWS's code for that."""
        message = "the file declares none"
        self._answers[call] = Answer(call, self.time, Status.ABSENT, None, code, message, source)

    def leaves_open(self, call: Call, reason: str, source: str) -> None:
        """The file does not settle the answer."""
        self._answers[call] = Answer(call, self.time, Status.FAILED, None, NOT_COLLECTED, reason, source)

    def answers(self) -> Answers:
        """Everything told so far."""
        found = dict(self._answers)
        for call, lists in self._lists.items():
            said = found.get(call)
            if said is None or said.body is not None:
                body = {**(said.body or {} if said else {}), **lists}
                found[call] = Answer(call, self.time, Status.OK, body, source=said.source if said else "")
        return Answers(found.values())


def whole(account: str, service: str, operation: str, **parameters: str) -> Call:
    """A call about the whole account."""
    return Call(account, GLOBAL, service, operation, tuple(sorted(parameters.items())))


def document(value: object) -> str:
    """A policy as the API returns it."""
    return value if isinstance(value, str) else json.dumps(value)
