"""KMS keys as checks need them: each key that is listed with what AWS says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.audit.resources import each_resource, facts, member, text, unanswered
from clew.snapshot.answers import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from clew.audit.model import Judgement, State
    from clew.snapshot.answers import Answer

KEYS = "kms:ListKeys"


@dataclass(frozen=True, slots=True)
class Key:
    """One key; `listed` is the answer that named it, `metadata` what `DescribeKey` says."""

    arn: str
    id: str
    metadata: Mapping[str, object]
    listed: Answer

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What decides which questions the key is asked."""
        return facts(self.metadata, "KeyManager", "KeySpec", "Origin", "KeyState")

    @property
    def is_own(self) -> bool:
        """Whether the customer manages the key, and not AWS."""
        return text(self.metadata, "KeyManager") == "CUSTOMER"


def each_key(state: State, judge: Callable[[Key], Judgement | None], *, none: str) -> Iterator[Judgement]:
    """What `judge` says of each key of each region; unknown for those that nobody described.

    A key that was deleted between the two calls is left out.
    """

    def described(item: Mapping[str, object], listed: Answer) -> Judgement | None:
        identity = text(item, "KeyId")
        answer = state.about(listed, "DescribeKey", KeyId=identity)
        if answer.status is Status.ABSENT:
            return None
        if not answer.status.is_known:
            return unanswered(text(item, "KeyArn"), answer)
        metadata = member(answer.body, "KeyMetadata")
        return judge(
            Key(text(item, "KeyArn"), identity, metadata if isinstance(metadata, dict) else {}, listed)
        )

    yield from each_resource(state, KEYS, "Keys", described, none=none)
