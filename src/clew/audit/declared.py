"""Judgements of what a template or plan declares, with the file and line or address that declares it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clew.audit.model import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.audit.model import Judgement
    from clew.snapshot.offline.origins import Origins


def located(judgements: Iterable[Judgement], origins: Origins) -> tuple[Judgement, ...]:
    """The judgements, each failure with where its resource is declared; as they are where AWS itself answered."""
    return tuple(_located(each, origins) if each.verdict is Verdict.FAIL else each for each in judgements)


def _located(judgement: Judgement, origins: Origins) -> Judgement:
    source = origins.of(judgement.resource)
    if not source:
        return judgement
    evidence = (*judgement.evidence, ("declared in", source))
    return replace(judgement, message=f"{judgement.message}; declared in {source}", evidence=evidence)
