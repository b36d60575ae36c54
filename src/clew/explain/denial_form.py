"""One wording of a refusal: the expression that finds it, and what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Unpack

from clew.explain.denial import Meaning

if TYPE_CHECKING:
    from typing import TypedDict

    from clew.explain.denial import PolicyType

    class _More(TypedDict, total=False):
        action: str
        principal: str
        policy_type: PolicyType
        explicit: bool
        doctor: str


@dataclass(frozen=True, slots=True)
class Form:
    """One wording: its id, the expression that finds it, what kind of refusal it is, and what that means in words.

    Shape: groups of the expression name parts of the refusal: `principal`, `action`, `resource`; `service` and
    `operation`; `bucket` and `key`. `principal` and `action` are those that the words stand for. `doctor` is the
    integration that looks further.
    """

    id: str
    expression: str
    meaning: Meaning
    says: str
    action: str | None = None
    principal: str | None = None
    policy_type: PolicyType | None = None
    explicit: bool | None = None
    doctor: str = ""

    @property
    def pattern(self) -> re.Pattern[str]:
        """The expression, compiled when it is first asked for: a record's message mostly needs none (10 ms)."""
        return _compiled(self.expression)


@cache
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE)


def form(
    identity: str, words: str, says: str, meaning: Meaning = Meaning.DENIED, **more: Unpack[_More]
) -> Form:
    """A row; a blank in `words` stands for any run of white space."""
    return Form(identity, words.replace(" ", r"\s+"), meaning, says, **more)
