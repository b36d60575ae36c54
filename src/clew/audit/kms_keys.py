"""KMS keys as checks need them: each key that is listed with what AWS says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.audit.model import Judgement, Verdict
from clew.audit.resources import each_resource, facts, member, text, unanswered
from clew.snapshot.answers import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from clew.audit.model import State
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


def is_one_of(state: State, used: str, wanted: Iterable[str]) -> bool | None:
    """Whether a key that a resource names is one of those; None where an alias among them leads nobody knows where.

    Each may be named by its id, its ARN or an alias, as AWS takes it; ids and aliases are of the same region and
    account as what they are compared with.
    """
    own = _resolved(state, used)
    others = [_resolved(state, each) for each in wanted]
    known = [each for each in others if each is not None]
    if own is not None and any(_is_same(own, each) for each in known):
        return True
    return None if own is None or len(known) < len(others) else False


def _resolved(state: State, named: str) -> tuple[str, str, str] | None:
    """Account, region and id of a key, the first two empty where the name does not tell; None for a lost alias."""
    parts = named.split(":", 5)
    account, region, resource = (parts[4], parts[3], parts[5]) if parts[0] == "arn" else ("", "", named)
    if not resource.startswith("alias/"):
        return account, region, resource.removeprefix("key/")
    for answer in state.answers.each("kms", "ListAliases", account or state.account, region or None):
        for alias in answer.list("Aliases"):
            if text(alias, "AliasName") == resource and text(alias, "TargetKeyId"):
                return answer.call.account, answer.call.region, text(alias, "TargetKeyId")
    return None


def _is_same(one: tuple[str, str, str], other: tuple[str, str, str]) -> bool:
    return all(a == b or not (a and b) for a, b in zip(one, other, strict=True))


def another_key(
    state: State, name: str, used: str, wanted: Iterable[str], seen: tuple[tuple[str, str], ...]
) -> Judgement | None:
    """Why a resource is not encrypted with one of those keys, or that nobody can tell; None where it is."""
    match is_one_of(state, used, wanted):
        case True:
            return None
        case False:
            return Judgement(Verdict.FAIL, name, f"is encrypted with another key, {used or 'of AWS'}", seen)
        case None:
            message = f"which key is meant by {used} and by what is asked for is not known"
            return Judgement(Verdict.UNKNOWN, name, message, seen, ("kms:ListAliases",))


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
