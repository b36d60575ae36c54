"""Hypotheses in the order of likelihood × impact for what is seen, each tested; and what they leave unexplained."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from math import ceil
from typing import TYPE_CHECKING

from clew.explain.links import Verdict
from clew.explain.operational.hypotheses import HYPOTHESES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from clew.explain.links import Link
    from clew.explain.operational.scene import Hypothesis, Scene
    from clew.explain.operational.symptoms import Symptom

_MOST = 5
_CHANGED = 2


@dataclass(frozen=True, slots=True)
class Ranked:
    """A hypothesis with its rank and what came of its test; `explains` are the symptoms that it would explain.

    `changed` are the recent changes that may have made it so; they make it likelier.
    """

    hypothesis: Hypothesis
    likelihood: int
    link: Link
    explains: tuple[Symptom, ...]
    changed: tuple[str, ...] = ()

    @property
    def score(self) -> int:
        """Likelihood × impact."""
        return self.likelihood * self.hypothesis.impact


def _table() -> Mapping[str, Mapping[str, object]]:
    return tomllib.loads(
        files("clew.explain.operational").joinpath("ranking.toml").read_text(encoding="utf-8")
    )


RANKING = _table()
"""The table of likelihoods by symptom, with the ports that a hypothesis speaks for and the calls that may cause it."""


def likelihood(identity: str, symptom: Symptom) -> int:
    """How likely a hypothesis is for one symptom, 1 to 5; 0 where it does not explain it."""
    found = RANKING[symptom.kind.value].get(identity, 0) if symptom.kind.value in RANKING else 0
    ports = RANKING["ports"].get(identity)
    is_about = not symptom.port or not isinstance(ports, list) or symptom.port in ports
    return found if isinstance(found, int) and is_about else 0


def candidates(symptoms: Iterable[Symptom]) -> tuple[Hypothesis, ...]:
    """The hypotheses that explain one of the symptoms."""
    seen = tuple(symptoms)
    return tuple(
        each for name, each in HYPOTHESES.items() if any(likelihood(name, symptom) for symptom in seen)
    )


def examine(
    scene: Scene, symptoms: Sequence[Symptom], changes: Mapping[str, Collection[str]] | None = None
) -> tuple[Ranked, ...]:
    """Every hypothesis for these symptoms, tested, the highest rank first.

    One that explains a part of the symptoms only counts for less. `changes` are recent calls by name, each with the
    events in words.
    """
    found = [_ranked(each, scene, symptoms, changes or {}) for each in candidates(symptoms)]
    return tuple(sorted(found, key=lambda each: (-each.score, -each.likelihood, each.hypothesis.id)))


def _ranked(
    hypothesis: Hypothesis,
    scene: Scene,
    symptoms: Sequence[Symptom],
    changes: Mapping[str, Collection[str]],
) -> Ranked:
    told = [likelihood(hypothesis.id, symptom) for symptom in symptoms]
    calls = RANKING["changes"].get(hypothesis.id, ())
    changed = tuple(
        words for call in (calls if isinstance(calls, list) else ()) for words in changes.get(call, ())
    )
    chance = min(_MOST, ceil(sum(told) / len(told)) + (_CHANGED if changed else 0))
    explains = tuple(symptom for symptom, chance in zip(symptoms, told, strict=True) if chance)
    return Ranked(hypothesis, chance, hypothesis.tested(scene), explains, changed)


def unexplained(ranked: Iterable[Ranked], symptoms: Sequence[Symptom]) -> tuple[Symptom, ...]:
    """The symptoms that no hypothesis explains which is true; all of them where none is."""
    explained = [
        symptom for each in ranked if each.link.verdict is Verdict.BROKEN for symptom in each.explains
    ]
    return tuple(symptom for symptom in symptoms if symptom not in explained)
