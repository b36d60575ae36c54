"""Keys that the simulator fills in from the rest of a request where the request says nothing of them.

A witness without such a key would be another request once it is asked again. So it says the key's value, or is about a
resource from which none follows; where neither can be, it is open whether AWS leaves the key out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.engine.derive import derived
from clew.symbolic.automata import Step, letters
from clew.symbolic.boxes import presented
from clew.symbolic.budget import UndecidedError
from clew.symbolic.grounding import MISSING
from clew.symbolic.keys import KeyTest
from clew.symbolic.operators import arn_pattern
from clew.symbolic.space import NOTHING, RESOURCE, key_dimension
from clew.symbolic.texts import Atom, Texts, equal
from clew.symbolic.values import of_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from clew.engine.request import Request
    from clew.symbolic.search import Assumed
from clew.symbolic.space import Space

REGION: Final = "aws:requestedregion"
FILLED_IN: Final = (REGION, "aws:userid", "aws:resourceaccount")
"""The keys, in lower case, that `derived` fills in and that do not follow from the caller's text here."""

_REGIONS: Final = ("us-east-1", "us-west-2", "eu-west-1", "ap-south-1", "cn-north-1", "us-gov-west-1")
_FIELD: Final = Step(many=True, excluded=":")
_REGION_FIELD: Final = 3


def _has_region(text: str) -> bool:
    fields = text.split(":")
    return len(fields) > _REGION_FIELD + 1 and bool(fields[_REGION_FIELD])


_COLON: Final = letters(":")
_REGIONAL: Final = Texts(
    [
        Atom(
            ("regional",),
            _has_region,
            [
                *[_FIELD, *_COLON] * _REGION_FIELD,
                Step(many=False, excluded=":"),
                _FIELD,
                *_COLON,
                Step(many=True),
            ],
        )
    ]
)
"""The ARNs that name a region."""


def keys(space: Space) -> list[str]:
    """The keys in question that would be filled in."""
    return [key for key in FILLED_IN if key in space.kinds]


def replays(space: Space, request: Request, confirms: Callable[[Request], bool]) -> bool:
    """Whether the request is confirmed as it is, and stays so when keys are filled in."""
    return confirms(request) and (not keys(space) or confirms(derived(request)))


def settled(
    space: Space,
    assumed: Assumed,
    confirms: Callable[[Request], bool],
    made: Callable[[Assumed], Request | None],
) -> Request | None:
    """The request that `made` gives for the assumptions, or one like it that replays; None when there is none.

    Errors: `UndecidedError` where there is one, but none that replays.
    """
    request = made(assumed)
    if request is None or replays(space, request, confirms):
        return request
    if not confirms(request):
        raise UndecidedError("the engine does not confirm the request that was found")
    for fuller in _fuller(space, assumed):
        other = made(fuller)
        if other is not None and replays(space, other, confirms):
            return other
    missing = [space.spelled(key) for key in keys(space) if key not in request.context.values]
    raise UndecidedError(f"it depends on whether `{', '.join(missing)}` is always there")


def _fuller(space: Space, assumed: Assumed) -> Iterator[Assumed]:
    """Assumptions that leave nothing to be filled in, the most lifelike first."""
    if REGION in space.kinds:
        yield from (_with(space, assumed, _in_region(space, region)) for region in _REGIONS)
        yield _with(space, assumed, [-space.literal(RESOURCE, _REGIONAL)])
    missing = [presented(space, key, MISSING) for key in keys(space)]
    yield _with(space, assumed, [-each for each in missing if not isinstance(each, bool)])


def _in_region(space: Space, region: str) -> Iterator[int]:
    """That both the resource and the request are of the region."""
    there = Texts(atom for atom in [arn_pattern(f"arn:*:*:{region}:*:*")] if atom is not None)
    yield space.literal(RESOURCE, there)
    yield space.literal(key_dimension(REGION), KeyTest(of_texts(Texts([equal(region)]))))


def _with(space: Space, assumed: Assumed, literals: Iterable[int]) -> Assumed:
    found = dict(assumed)
    for literal in literals:
        dimension = space.dimension(literal)
        found[dimension] = found.get(dimension, NOTHING) | {literal}
    return found
