"""A doctor's answer for people: the first broken link and what mends it, then every link with its facts."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from clew.explain.links import Verdict
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.explain.links import Chain, Link

_WIDTH = 96
LINKS = {Verdict.HOLDS: "holds", Verdict.BROKEN: "broken", Verdict.UNKNOWN: "unknown"}
HYPOTHESES = {Verdict.HOLDS: "refuted", Verdict.BROKEN: "confirmed", Verdict.UNKNOWN: "unknown"}
"""The words of the verdicts where each link is a hypothesis of what may be wrong."""


def render(chain: Chain, words: Mapping[Verdict, str] = LINKS) -> str:
    """The chain with its verdict first."""
    return "\n".join(_lines(chain, words)) + "\n"


def _lines(chain: Chain, words: Mapping[Verdict, str]) -> Iterator[str]:
    yield terminal(chain.title)
    yield ""
    yield from _conclusion(chain)
    yield ""
    for link in chain.links:
        yield from _link(link, words)


def _conclusion(chain: Chain) -> Iterator[str]:
    broken = chain.first_broken
    if broken is not None:
        yield from _wrapped(f"{broken.says[:1].upper()}{broken.says[1:]}.", "  ")
        if broken.fix:
            yield from _wrapped(f"To mend it: {broken.fix}.", "  ")
    elif chain.verdict is Verdict.UNKNOWN:
        yield "  Nothing at hand is broken; what is not known stands below, with what would settle it."
    else:
        yield "  Nothing is broken: whatever stopped it is not among what was looked at."


def _link(link: Link, words: Mapping[Verdict, str]) -> Iterator[str]:
    first = f"  {words[link.verdict]:<10}{link.id:<20}"
    yield from _wrapped(link.says, first, " " * len(first))
    for name, value in link.evidence:
        yield from _wrapped(f"{name}: {value}", " " * len(first), " " * (len(first) + 2))
    if link.settle:
        yield from _wrapped(f"to settle it: {link.settle}", " " * len(first), " " * (len(first) + 2))


def _wrapped(text: str, indent: str, further: str = "") -> list[str]:
    return textwrap.wrap(
        terminal(text),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=further or indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def document(chain: Chain, words: Mapping[Verdict, str] = LINKS) -> dict[str, object]:
    """The chain as an object of JSON."""
    broken = chain.first_broken
    return {
        "title": chain.title,
        "verdict": chain.verdict,
        "first_broken": broken.id if broken else None,
        "fix": broken.fix if broken else "",
        "links": [_document(link, words) for link in chain.links],
    }


def _document(link: Link, words: Mapping[Verdict, str]) -> dict[str, object]:
    return {
        "id": link.id,
        "verdict": words[link.verdict],
        "says": link.says,
        "evidence": [{"name": name, "value": value} for name, value in link.evidence],
        "fix": link.fix,
        "settle": link.settle,
    }
