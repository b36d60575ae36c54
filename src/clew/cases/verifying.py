"""Whether the fault is mended, and whether it came back: what was true, tested on new evidence alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clew.cases import denials, testing
from clew.cases.model import Verdict, Verified, Watched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from clew.cases.evidence import Held
    from clew.cases.model import Case, Hypothesis


def planned(case: Case) -> tuple[Hypothesis, ...]:
    """The hypotheses that the plan mends."""
    wanted = {step.hypothesis for step in case.plan.steps} if case.plan else set()
    return tuple(each for each in case.hypotheses.of if each.id in wanted) if case.hypotheses else ()


def verified(case: Case, before: Held, after: Held, at: datetime) -> tuple[Verified, ...]:
    """What new evidence says of each hypothesis that the plan mends.

    `before` is all evidence, `after` only what was made after the plan was carried out. For a refusal the same request
    is decided again.
    """
    # What people settled is looked at anew as well.
    now = {each.id: each for each in testing.tested(replace(case, hypotheses=None), after, at).of}
    again = denials.decided_again(case, before, after)
    found = []
    for was in planned(case):
        if was.id.startswith(denials.PREFIX) and again is not None:
            settle = "" if again[0] is not Verdict.UNDETERMINED else _SNAPSHOT
            found.append(Verified(at, was.id, again[0], after.told(again[1]), again[2], settle))
        else:
            found.append(_verified(was, now.get(was.id), at))
    return tuple(found)


_SNAPSHOT = "clew collect, then `clew case verify CASE SNAPSHOT`; or the same call again, with `--event ID`"


def _verified(was: Hypothesis, now: Hypothesis | None, at: datetime) -> Verified:
    if now is None or now.verdict is Verdict.UNDETERMINED:
        because = now.because if now else "nothing new says anything about it"
        settle = (now.settle if now else was.settle) or "attach evidence of after the change"
        return Verified(at, was.id, Verdict.UNDETERMINED, because, now.evidence if now else (), settle)
    return Verified(at, was.id, now.verdict, now.because, now.evidence)


def verdict(found: Sequence[Verified]) -> Verdict:
    """True where a hypothesis is still true, refuted where all are, else undetermined."""
    held = {each.verdict for each in found}
    if Verdict.TRUE in held:
        return Verdict.TRUE
    return Verdict.REFUTED if held == {Verdict.REFUTED} else Verdict.UNDETERMINED


def latest(case: Case) -> tuple[Verified, ...]:
    """What the last verification said of each hypothesis."""
    return tuple({each.hypothesis: each for each in case.verified}.values())


@dataclass(frozen=True, slots=True)
class Seen:
    """What the records of the time since say: that it came back, that it works, or why they cannot tell."""

    again: tuple[str, ...] = ()
    works: tuple[str, ...] = ()
    open: str = ""


def watched(found: Sequence[Verified], seen: Seen, at: datetime) -> Watched:
    """Whether it came back: by new evidence, or by the records since."""
    evidence = tuple(dict.fromkeys(each for one in found for each in one.evidence))
    if seen.again:
        return Watched(at, Verdict.TRUE, "; ".join(seen.again), evidence)
    came = [each for each in found if each.verdict is Verdict.TRUE]
    if came:
        return Watched(at, Verdict.TRUE, came[0].because, evidence)
    works = [*(each.because for each in found if verdict(found) is Verdict.REFUTED), *seen.works]
    if works:
        return Watched(at, Verdict.REFUTED, "; ".join(dict.fromkeys(works)), evidence)
    return Watched(at, Verdict.UNDETERMINED, seen.open or "nothing new was attached", evidence)
