"""Recorded answers of one account, as the tellers of exposure ask them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.analyzer.exposure_model import Through, WayIn
from clew.snapshot.answers import GLOBAL
from clew.snapshot.model import Document

if TYPE_CHECKING:
    from clew.snapshot.answers import Answer, Answers


_EMPTY = "{}"


@dataclass(frozen=True, slots=True)
class Reading:
    """The answers of one account in one snapshot file, and the regions in which anything was asked."""

    answers: Answers
    account: str
    file: str
    regions: tuple[str, ...]

    @classmethod
    def of(cls, answers: Answers, account: str, file: str = "") -> Reading:
        """The account's answers. The regions are gathered once: that looks at every answer."""
        return cls(answers, account, file, answers.regions)

    @property
    def partition(self) -> str:
        """The partition of the account: `aws`, `aws-cn`, `aws-us-gov`."""
        body = self.answers.get(self.account, GLOBAL, "sts", "GetCallerIdentity").body or {}
        return str(body.get("Arn", "arn:aws:")).split(":")[1]

    def ask(self, region: str, service: str, operation: str, **parameters: str) -> Answer:
        """The recorded answer to a call."""
        return self.answers.get(self.account, region, service, operation, **parameters)


def about(answer: Answer) -> str:
    """An answer that is no fact, in one phrase: the call and why it was not answered."""
    return f"{answer.call} ({answer.error_code or answer.status.value})"


def policy_way(reading: Reading, told: Answer, path: str) -> WayIn:
    """The policy that an answer tells at that path, as a way into its resource."""
    call = f"{told.call.service}:{told.call.operation}"
    if not told.status.is_known:
        return WayIn(Through.POLICY, call, reading.file, told.collected_at, unread=(about(told),))
    content = member(told.body, path)
    # Of a stream without a policy some endpoints say that it is an empty object.
    document = Document("resource policy", content) if content and content != _EMPTY else None
    return WayIn(Through.POLICY, call, reading.file, told.collected_at, document)


def member(body: object, path: str) -> object:
    """The value at a path of member names; None where AWS left a part of it out.

    >>> member({"Attributes": {"Policy": "{}"}}, "Attributes.Policy")
    '{}'
    """
    for name in filter(None, path.split(".")):
        body = body.get(name) if isinstance(body, dict) else None
    return body
