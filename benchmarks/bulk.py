"""Measure bulk decisions: many roles × all actions of AWS × one resource, by bit-sets.

Usage: python benchmarks/bulk.py [--roles 1000]

Every time starts from parsed policies and an empty cache: it includes compiling the policies and finding the actions
of every pattern, but not reading the catalogue (`make bench` tells that time beside it). The engine's loop over
single decisions is timed on a sample, and the sample's effects and residual conditions must be the bulk's.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from organisation import RESOURCE, roles, shared

from clew.aws.catalog import BUILT_IN, Catalog
from clew.engine import Context, Effect, Prepared, Request
from clew.engine.bulk import Access, Asker, Bulk, Masks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SAMPLED_ROLES = 20
SAMPLED_ACTIONS = 400
COLD_RUNS = 3


@dataclass(frozen=True)
class Figure:
    """One question, answered from an empty cache; units: seconds."""

    effects: float
    residuals: float
    decisions: int
    conditions: int
    open_share: float

    @property
    def rate(self) -> float:
        """Decisions a second, effects alone."""
        return self.decisions / self.effects

    @property
    def whole_rate(self) -> float:
        """Decisions a second, with the residual conditions of every undetermined action told."""
        return self.decisions / (self.effects + self.residuals)


def fresh_masks() -> tuple[Masks, float]:
    """The catalogue read anew, so that no pattern's actions are known, and the seconds that reading took."""
    start = time.perf_counter()
    masks = Masks(Catalog.open(BUILT_IN))
    _ = masks.everything, masks.catalog.wildcard_only
    return masks, time.perf_counter() - start


def measure(askers: Sequence[Asker]) -> tuple[Figure, list[Access]]:
    """The best of a few cold runs, and its answers."""
    found: list[tuple[Figure, list[Access]]] = []
    for _ in range(COLD_RUNS):
        masks, _ = fresh_masks()
        start = time.perf_counter()
        bulk = Bulk(shared(), RESOURCE, masks=masks)
        answers = [bulk.access(asker) for asker in askers]
        effects = time.perf_counter() - start
        start = time.perf_counter()
        conditions = sum(len(answer.residuals()) for answer in answers)
        residuals = time.perf_counter() - start
        decisions = len(askers) * len(masks.index.spelled)
        undetermined = sum(answer.undetermined.bit_count() for answer in answers)
        found.append((Figure(effects, residuals, decisions, conditions, undetermined / decisions), answers))
    return min(found, key=lambda one: one[0].effects)


def contexts(askers: Sequence[Asker]) -> Iterator[tuple[str, list[Asker]]]:
    """The same roles, with more or less known of the request."""
    yield "each role's own; region known", list(askers)
    for name, more in (
        ("each role's own; region unknown", ("aws:PrincipalArn", "aws:PrincipalTag/team")),
        ("one for all; nothing known", ()),
    ):
        nothing = Context(unknown=None)
        yield (
            name,
            [
                asker._replace(
                    context=Context({key: str(asker.context.get(key.lower())) for key in more}, unknown=None)
                    if more
                    else nothing
                )
                for asker in askers
            ],
        )


def one_by_one(askers: Sequence[Asker], answers: Sequence[Access]) -> float:
    """The engine's single decisions a second over a sample, each of which must be the bulk's."""
    chance = random.Random(1)
    spent, done = 0.0, 0
    for place in chance.sample(range(len(askers)), min(SAMPLED_ROLES, len(askers))):
        asker, answer = askers[place], answers[place]
        policies = answer.policies
        start = time.perf_counter()
        prepared = Prepared(policies)
        spent += time.perf_counter() - start
        residuals = answer.residuals()
        for action in chance.sample(answer.of(Effect.ALLOW).index.spelled, SAMPLED_ACTIONS):
            request = Request(asker.principal, action, RESOURCE, context=asker.context)
            start = time.perf_counter()
            effect = prepared.effect(request)
            spent += time.perf_counter() - start
            done += 1
            if answer.effect(action) is not effect:
                raise SystemExit(
                    f"{asker.principal} {action}: bulk says {answer.effect(action)}, not {effect}"
                )
            if effect is Effect.UNDETERMINED:
                _compare_residual(
                    prepared, request, [r.text for r, actions in residuals if action in actions]
                )
    return done / spent


def _compare_residual(prepared: Prepared, request: Request, told: list[str]) -> None:
    residual = prepared.authorize(request).residual
    if residual is None or told != [residual.text]:
        raise SystemExit(
            f"{request.principal} {request.action}: bulk says {told}, not {residual and residual.text}"
        )


def describe(askers: Sequence[Asker]) -> str:
    """What the roles have attached, in one line."""
    documents = {id(each): each for asker in askers for each in (*asker.identity, *asker.boundaries)}
    attached = [each for asker in askers for policy in asker.identity for each in policy.statements]
    conditional = sum(bool(each.conditions) for each in attached) / len(attached)
    return (
        f"{len(askers)} roles, {len(documents)} policies, {len(attached) / len(askers):.0f} statements a role, "
        f"{conditional:.0%} of them conditional; boundary on {sum(bool(a.boundaries) for a in askers)} roles, "
        "2 levels of SCPs, a bucket policy"
    )


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--roles", type=int, default=1000)
    askers = roles(parser.parse_args().roles)
    _, reading = fresh_masks()
    print("\n## Bulk decisions: roles × all actions × one resource, one thread\n")
    print(describe(askers))
    print(f"reading the catalogue's actions: {reading * 1000:.0f} ms, not in the times below\n")
    print(
        f"{'context':<34}{'effects':>10}{'M/s':>8}{'+residuals':>12}{'M/s':>8}{'open':>8}{'conditions':>12}"
    )
    for name, asking in contexts(askers):
        figure, answers = measure(asking)
        print(
            f"{name:<34}{figure.effects:>8.2f} s{figure.rate / 1e6:>8.1f}"
            f"{figure.effects + figure.residuals:>10.2f} s{figure.whole_rate / 1e6:>8.1f}"
            f"{figure.open_share:>8.1%}{figure.conditions:>12,}"
        )
        single = one_by_one(asking, answers)
        print(f"{'  one by one, on a sample':<34}{'':>10}{single / 1e6:>8.3f}{figure.rate / single:>20,.0f}×")
    print("\n## Growth with the number of roles, each role's own context, effects and residuals\n")
    print(f"{'roles':>8}{'seconds':>10}{'ms a role':>12}{'M/s':>8}")
    for count in (1, 10, 100, len(askers)):
        figure, _ = measure(askers[:count])
        seconds = figure.effects + figure.residuals
        print(f"{count:>8}{seconds:>10.3f}{seconds * 1000 / count:>12.2f}{figure.whole_rate / 1e6:>8.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
