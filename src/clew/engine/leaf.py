"""The leaves of a residual: single questions that the request could not answer, readable and answerable later."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clew.engine.conditions import Quantifier, read

if TYPE_CHECKING:
    from clew.engine.conditions.compiled import Test
    from clew.engine.conditions.operators import Qualified
    from clew.engine.request import Context


@dataclass(frozen=True, slots=True)
class Leaf:
    """One part of a statement that depends on unknown keys: a condition, or resources with policy variables.

    `operator` is the qualified condition operator, or `Resource` or `NotResource`; then `key` is the requested
    resource and `values` are the patterns.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    test: Test = field(repr=False, compare=False)

    def holds(self, context: Context) -> bool | None:
        """What this part of the statement says in the context; None while it is still unknown."""
        return self.test(context)

    def document(self) -> dict[str, object]:
        """The leaf for JSON: `operator`, `key`, `values`."""
        return {"operator": self.operator, "key": self.key, "values": list(self.values)}

    @property
    def text(self) -> str:
        """The leaf as a clause that completes "allowed if …"."""
        qualified = read(self.operator)
        if qualified is None:
            negation = " not" if self.operator == "NotResource" else ""
            return f"resource {self.key} is{negation} {_listed(self.values, quoted=False)}"
        return _condition_text(self.key, self.values, qualified)


def _condition_text(key: str, values: tuple[str, ...], qualified: Qualified) -> str:
    operator = qualified.operator
    if operator.tests_presence:
        return f"{key} is {_presence(values)}"
    verb = _negated(operator.says) if operator.negated else operator.says
    listed = _listed(values, quoted=operator.quoted)
    subject = {
        Quantifier.PLAIN: key,
        Quantifier.ALL: f"every value of {key}",
        Quantifier.ANY: f"some value of {key}",
    }
    phrase = f"{verb} {listed}"
    if qualified.if_exists:
        phrase = f"is absent or {phrase.removeprefix('is ')}"
    return f"{subject[qualified.quantifier]} {phrase}"


def _presence(values: tuple[str, ...]) -> str:
    words = {"true": "absent", "false": "present"}
    return " or ".join(dict.fromkeys(words.get(value.lower(), f"`{value}`") for value in values)) or "nothing"


def _negated(verb: str) -> str:
    if verb.startswith("equals"):
        return f"does not equal{verb.removeprefix('equals')}"
    return f"is not{verb.removeprefix('is')}"


def _listed(values: tuple[str, ...], *, quoted: bool) -> str:
    return " or ".join(f'"{value}"' if quoted else value for value in values) or "nothing"
