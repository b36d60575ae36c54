"""Recorded answers of one account, as the tellers of exposure ask them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.analyzer.exposure_model import Through, WayIn
from clew.snapshot.answers import GLOBAL
from clew.snapshot.model import Document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.snapshot.answers import Answer, Answers


RESTRICT: Final = "RestrictPublicBuckets"
"""The setting that leaves a bucket with a public policy to its own account and to services of AWS."""
IGNORE: Final = "IgnorePublicAcls"
"""The setting that makes entries for everybody in access control lists void."""

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


def document_of(told: Answer, path: str) -> tuple[Document | None, tuple[str, ...]]:
    """The policy of a bucket or an access point, or what is missing where nobody could read it."""
    if not told.status.is_known:
        return None, (about(told),)
    content = member(told.body, path)
    return (Document("bucket policy", content) if content else None), ()


def setting(settings: Iterable[Answer], name: str) -> tuple[bool, tuple[str, ...]]:
    """Whether one of the answers has the setting of Block Public Access on, and what is missing where none has."""
    told = tuple(settings)
    if any(member(each.body, f"PublicAccessBlockConfiguration.{name}") is True for each in told):
        return True, ()
    return False, tuple(about(each) for each in told if not each.status.is_known)


def member(body: object, path: str) -> object:
    """The value at a path of member names; None where AWS left a part of it out.

    >>> member({"Attributes": {"Policy": "{}"}}, "Attributes.Policy")
    '{}'
    """
    for name in filter(None, path.split(".")):
        body = body.get(name) if isinstance(body, dict) else None
    return body
