"""A detection as Clew runs and shows it: one Sigma rule or correlation, with the texts that its findings carry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from clew.events.patterns.sigma_model import SigmaCorrelation, SigmaRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.findings import Severity

BUILT_IN = "built-in"

_TECHNIQUE = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)")
# Tags such as attack.g0016 (groups) and attack.s0154 (software) are no tactics.
_TACTIC = re.compile(r"attack\.([a-z][a-z_-]+)")


@dataclass(frozen=True, slots=True)
class Rule:
    """One detection; `id` is what users see and name.

    Shape: `origin` is `built-in` or the folder it was read from. A rule that does not report by itself serves a
    correlation of the same origin.
    """

    id: str
    sigma: SigmaRule | SigmaCorrelation
    origin: str
    reports: bool = True

    @property
    def title(self) -> str:
        """The rule's title."""
        return self.sigma.title

    @property
    def severity(self) -> Severity:
        """The severity of its findings, Sigma's `level`."""
        return self.sigma.level

    @property
    def kind(self) -> str:
        """`event` for a rule about one event, else the type of the correlation."""
        return self.sigma.type if isinstance(self.sigma, SigmaCorrelation) else "event"

    @property
    def technique(self) -> tuple[str, ...]:
        """MITRE ATT&CK technique ids, in the order of the tags."""
        found = (_TECHNIQUE.fullmatch(tag.lower()) for tag in self.sigma.tags)
        return tuple(dict.fromkeys(match[1].upper() for match in found if match))

    @property
    def tactics(self) -> tuple[str, ...]:
        """MITRE ATT&CK tactics, in the order of the tags, words joined by hyphens."""
        found = (_TACTIC.fullmatch(tag.lower()) for tag in self.sigma.tags)
        return tuple(dict.fromkeys(match[1].replace("_", "-") for match in found if match))

    @property
    def why_it_matters(self) -> str:
        """Why it matters; a user's rule may only have a description."""
        return self._text("why") or self.sigma.description

    @property
    def explain(self) -> str:
        """The sentence template of its findings, empty where it has none."""
        return self._text("explain")

    @property
    def next_steps(self) -> tuple[str, ...]:
        """The templates of the first response steps."""
        return self._texts("next_steps")

    def _text(self, key: str) -> str:
        value = self.sigma.extras.get(key)
        return " ".join(value.split()) if isinstance(value, str) else ""

    def _texts(self, key: str) -> tuple[str, ...]:
        value = self.sigma.extras.get(key)
        return tuple(str(item) for item in value) if isinstance(value, list | tuple) else ()


def identified(items: Sequence[tuple[SigmaRule | SigmaCorrelation, str]]) -> tuple[Rule, ...]:
    """The rules with their ids, numbered where they are shared.

    Of a built-in rule that is Sigma's `name`; of a user's rule its `id`, else its `name`, else the file's name.
    """
    taken: set[str] = set()
    rules = []
    for sigma, origin in items:
        own = (sigma.name, sigma.id) if origin == BUILT_IN else (sigma.id, sigma.name)
        wanted = own[0] or own[1] or PurePath(sigma.file).stem
        identity, number = wanted, 1
        while identity in taken:
            number += 1
            identity = f"{wanted}-{number}"
        taken.add(identity)
        rules.append(Rule(identity, sigma, origin))
    return tuple(rules)
