"""The leaves of a residual: single questions that the request could not answer, readable and answerable later."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from clew.engine.conditions import Quantifier, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.engine.conditions import Qualified, Test
    from clew.engine.request import Context
    from clew.policy.model import Condition

_SHOWN: Final = 12
_SETS: Final = {Quantifier.ALL: "every", Quantifier.ANY: "some"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One part of a statement that depends on unknown keys: a condition, or resources with policy variables.

    `operator` is the qualified condition operator, or `Resource` or `NotResource`; then `key` is the requested
    resource and `values` are the patterns. `variables`: whether `${…}` in the values means a variable.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    test: Test = field(repr=False, compare=False)
    variables: bool = field(default=True, repr=False)

    @classmethod
    def of(cls, condition: Condition, test: Test, *, variables: bool) -> Leaf:
        """The leaf of a condition, its operator as AWS spells it."""
        qualified = read(condition.operator)
        operator = qualified.name if qualified is not None else condition.operator
        return cls(operator, condition.key, condition.values, test, variables)

    def holds(self, context: Context) -> bool | None:
        """What this part of the statement says in the context; None while it is still unknown."""
        return self.test(context)

    def document(self) -> dict[str, object]:
        """The leaf for JSON: `operator`, `key`, `values`."""
        return {"operator": self.operator, "key": self.key, "values": list(self.values)}

    @property
    def text(self) -> str:
        """The leaf as a clause that completes "allowed if …"; of a long list only the beginning is shown.

        >>> Leaf("IpAddress", "aws:SourceIp", ("192.0.2.0/24",), lambda _: None).text
        'aws:SourceIp is in 192.0.2.0/24'
        >>> Leaf("BoolIfExists", "aws:MultiFactorAuthPresent", ("true",), lambda _: None).text
        'aws:MultiFactorAuthPresent is absent or true'
        """
        qualified = read(self.operator)
        if qualified is not None:
            listed = _listed(self.values, quoted=qualified.operator.quoted)
            return clause(self.key, self.values, qualified, listed)
        verb = "matches none of" if self.operator == "NotResource" else "matches"
        return f"resource {self.key} {verb} {_listed(self.values, quoted=False)}"


def clause(key: str, values: Sequence[str], qualified: Qualified, listed: str) -> str:
    """A condition as a clause that completes "allowed if …"; `listed` are its values as they are to be shown."""
    operator = qualified.operator
    if operator.tests_presence:
        return f"{key} is {_presence(values)}"
    verb = _negated(operator.says) if operator.negated else operator.says
    says = f"{verb} {listed}"
    which = _SETS.get(qualified.quantifier)
    if qualified.if_exists:
        return f"{key} is absent or {f'{which} value {says}' if which else says.removeprefix('is ')}"
    return f"{which} value of {key} {says}" if which else f"{key} {says}"


def _presence(values: Sequence[str]) -> str:
    words = {"true": "absent", "false": "present"}
    return " or ".join(dict.fromkeys(words.get(value.lower(), f"`{value}`") for value in values)) or "nothing"


def _negated(verb: str) -> str:
    if verb.startswith("equals"):
        return f"does not equal{verb.removeprefix('equals')}"
    return f"is not{verb.removeprefix('is')}"


def _listed(values: Sequence[str], *, quoted: bool) -> str:
    shown = [f'"{value}"' if quoted else value for value in values[:_SHOWN]]
    if len(values) > _SHOWN:
        shown.append(f"{len(values) - _SHOWN} more")
    return " or ".join(shown) or "nothing"
