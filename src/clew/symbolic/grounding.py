"""Open assumptions: values for policy variables are tried, the likeliest first, and each trial is exact."""

from __future__ import annotations

from itertools import islice, product
from typing import TYPE_CHECKING, Final

from clew.engine.conditions import Quantifier
from clew.engine.request import Context
from clew.symbolic import callers, variables, witness
from clew.symbolic.boxes import presented
from clew.symbolic.budget import OpenError, UndecidedError
from clew.symbolic.keys import ANY_KEY, KeyTest
from clew.symbolic.space import CALLER, NOTHING, key_dimension
from clew.symbolic.texts import Atom, Texts, equal
from clew.symbolic.unify import stretches
from clew.symbolic.values import of_texts
from clew.symbolic.variables import OpenAtom

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clew.engine.request import Request
    from clew.symbolic.space import Space

_TRIALS: Final = 400
_COLONS: Final = 5
_USUAL: Final = ("example", "other", "")

MISSING: Final = KeyTest(of_texts(Texts([equal("true")])), absent=True, presence=(True, False))
"""What `Null` with `true` says of a key."""


def ground(space: Space, assumed: Mapping[str, frozenset[int]]) -> Request | None:
    """A request that fits the assumptions with some values of the variables; None when no values can.

    Errors: `OpenError` when no trial gives one, and it is not certain that none would.
    """
    if any(_is_impossible(space, dimension, literals) for dimension, literals in assumed.items()):
        return None
    is_certain = True
    names = _variables(space, assumed)
    candidates = []
    for name in names:
        found, is_complete = _candidates(space, assumed, name)
        candidates.append(found)
        is_certain = is_certain and is_complete
    trials = 0
    for chosen in islice(product(*candidates), _TRIALS):
        trials += 1
        try:
            request = _tried(space, assumed, dict(zip(names, chosen, strict=True)))
        except UndecidedError:
            is_certain = False
        else:
            if request is not None:
                return request
    total = 1
    for each in candidates:
        total *= len(each)
    if is_certain and trials == total:
        return None
    named = f"`${{{space.spelled(names[0])}}}`" if names else "a policy variable"
    raise OpenError(f"it depends on the value of {named}")


def _is_impossible(space: Space, dimension: str, literals: frozenset[int]) -> bool:
    """Whether no value of the dimension fits, whatever the variables stand for."""
    try:
        return space.ask(dimension, literals) is None
    except UndecidedError:
        return False


def _variables(space: Space, assumed: Mapping[str, frozenset[int]]) -> tuple[str, ...]:
    sets = [each for literals in assumed.values() for literal in literals for each in _texts(space, literal)]
    return variables.keys(sets)


def _texts(space: Space, literal: int) -> Iterator[Texts]:
    what = space.what(literal)
    if isinstance(what, Texts):
        yield what
    elif what.values.texts is not None:
        yield what.values.texts


def _tried(
    space: Space, assumed: Mapping[str, frozenset[int]], values: Mapping[str, str | None]
) -> Request | None:
    """The request for these values of the variables; None when there is none."""
    context = Context({key: value for key, value in values.items() if value is not None})
    closed: dict[str, frozenset[int]] = {}
    for dimension, literals in assumed.items():
        closed[dimension] = frozenset(_closed(space, dimension, literal, context) for literal in literals)
    for key, value in values.items():
        part = _fixed(space, key, value)
        if part is False:
            return None
        if part is not True:
            dimension = space.dimension(part)
            closed[dimension] = closed.get(dimension, NOTHING) | {part}
    return witness.request(space, closed)


def _fixed(space: Space, key: str, value: str | None) -> int | bool:
    if value is None:
        return presented(space, key, MISSING)
    only = KeyTest(of_texts(Texts([equal(value)])), Quantifier.PLAIN)
    return presented(space, key, only)


def _closed(space: Space, dimension: str, literal: int, context: Context) -> int:
    if not space.is_open(literal):
        return literal
    what = space.what(literal)
    if isinstance(what, Texts):
        number = space.literal(dimension, variables.closed(what, context))
    else:
        texts = what.values.texts
        values = of_texts(variables.closed(texts, context)) if texts is not None else what.values
        number = space.literal(dimension, what._replace(values=values))
    return number if literal > 0 else -number


# Which values to try


def _candidates(
    space: Space, assumed: Mapping[str, frozenset[int]], key: str
) -> tuple[list[str | None], bool]:
    """Values for the variable, None for an absent key; and whether they are all that it can have."""
    follows = callers.follows_from_text(key, space.caller)
    dimension = CALLER if follows else key_dimension(key)
    own = assumed.get(dimension, NOTHING)
    finite = _of_caller(space, own, key) if follows else _finite(space, own, key)
    if finite is not None:
        return [*finite], True
    found: dict[str | None, None] = {}
    try:
        known = space.ask(dimension, own)
    except UndecidedError:
        known = None
    if known is not None and isinstance(known.value, str):
        found[callers.value_of(key, known.value) if follows else known.value] = None
    for text in _aligned(space, assumed, key):
        found[text] = None
    found.update(dict.fromkeys(_USUAL))
    found[None] = None
    return list(found), False


def _finite(space: Space, own: frozenset[int], key: str) -> list[str] | None:
    """The values that the key's own conditions list, where they do."""
    if space.kinds.get(key, ANY_KEY).multivalued:
        return None
    for literal in own:
        what = space.what(literal)
        if not isinstance(what, KeyTest) or literal < 0 or what.negated or what.absent or what.presence:
            continue
        texts = what.values.texts
        if texts is not None and all(atom.exact is not None for atom in texts.atoms):
            return [atom.exact for atom in texts.atoms if atom.exact is not None]
    return None


def _of_caller(space: Space, own: frozenset[int], key: str) -> list[str] | None:
    """The values that what is assumed of the caller leaves to a key that follows from it, where they are few."""
    for literal in own:
        what = space.what(literal)
        if literal < 0 or not isinstance(what, Texts):
            continue
        values = [_value_in(atom, key) for atom in what.atoms]
        if None not in values:
            return [value for value in values if value is not None]
    return None


def _value_in(atom: Atom, key: str) -> str | None:
    """The key's value for every caller that the atom matches; None where they differ."""
    if atom.exact is not None:
        return callers.value_of(key, atom.exact) if atom.exact.count(":") >= _COLONS else None
    match atom.key:
        case (str(of), ("equal", str(value))) if of == key:
            return value
        case _:
            return None


def _aligned(space: Space, assumed: Mapping[str, frozenset[int]], key: str) -> Iterator[str]:
    """What the variable would have to be for an open pattern to meet the other patterns of its dimension."""
    for dimension, literals in assumed.items():
        templates = [
            atom
            for literal in literals
            for each in _texts(space, literal)
            for atom in each.atoms
            if isinstance(atom, OpenAtom) and key in atom.variables
        ]
        if not templates:
            continue
        for text in _samples(space, dimension, literals):
            for atom in templates:
                yield from _parts(atom, key, text)


def _samples(space: Space, dimension: str, literals: Sequence[int] | frozenset[int]) -> Iterator[str]:
    for literal in sorted(literals):
        for each in _texts(space, literal):
            for atom in each.atoms:
                if not atom.is_open:
                    yield from atom.samples()
    closed = frozenset(literal for literal in literals if not space.is_open(literal))
    try:
        found = space.ask(dimension, closed)
    except UndecidedError:
        return
    if found is not None and isinstance(found.value, str):
        yield found.value


def _parts(atom: OpenAtom, key: str, text: str) -> Iterator[str]:
    """The stretches of the text that the variable would take in it: the shortest and the longest."""
    yield from stretches(atom.pieces, key, atom.part(text))
