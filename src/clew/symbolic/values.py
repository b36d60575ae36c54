"""Sets of values of a condition key, whatever their type, and the question whether some value is in them.

Texts are compared by automata. Numbers, moments, addresses and bytes fall into finitely many classes that the policies'
own values cut out: one sample of each class is tried, which is exact.
"""

from __future__ import annotations

import base64
import ipaddress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.engine.conditions import addresses, binary, dates, numeric
from clew.symbolic import texts
from clew.symbolic.budget import OpenError, UndecidedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from clew.policy.pattern import Matcher
    from clew.symbolic.budget import Budget
    from clew.symbolic.texts import Texts


class Family(StrEnum):
    """How the values of a key are read."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    ADDRESS = "address"
    BINARY = "binary"


class Values(NamedTuple):
    """A set of values: what the family's policy values match; `texts` where the family is text."""

    family: Family
    match: Matcher
    written: tuple[str, ...] = ()
    texts: Texts | None = None
    operator: str = ""

    @property
    def key(self) -> object:
        """Equal for equal sets of the same writing."""
        return self.texts.key if self.texts is not None else (self.operator, self.written)

    @property
    def is_open(self) -> bool:
        """Whether policy variables take part."""
        return self.texts is not None and self.texts.is_open


UNREADABLE: Final = "x"
"""A text that is no number, no moment, no address and no base64."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def choose(
    positives: Sequence[Values], negatives: Sequence[Values], domain: Values | None, budget: Budget
) -> str | None:
    """A value that is in all of the first and in none of the others; None when there is none.

    `domain` is what the key can hold at all. Errors: `UndecidedError`.
    """
    wanted = [*positives, domain] if domain is not None else list(positives)
    everything = [*wanted, *negatives]
    if all(each.texts is not None for each in everything):
        return _text(wanted, negatives, budget)
    if any(each.is_open for each in everything):
        raise OpenError("a policy variable and values that are no texts meet in one key")
    for sample in _samples(everything, is_open=domain is None or domain.family is Family.TEXT):
        if all(each.match(sample) for each in wanted) and not any(each.match(sample) for each in negatives):
            return sample
    if _is_settled(wanted, negatives, everything, budget):
        return None
    raise UndecidedError("a key is compared in several ways at once")


def _text(positives: Sequence[Values], negatives: Sequence[Values], budget: Budget) -> str | None:
    return texts.solve(
        [each.texts for each in positives if each.texts is not None],
        [each.texts for each in negatives if each.texts is not None],
        budget,
    )


def _is_settled(
    positives: Sequence[Values], negatives: Sequence[Values], everything: Sequence[Values], budget: Budget
) -> bool:
    """Whether it is certain that no value is in the sets, after every sample has failed."""
    families = {each.family for each in everything}
    if len(families) == 1:
        return True
    if any(
        each.texts is not None and all(a.exact is not None for a in each.texts.atoms) for each in positives
    ):
        return True
    for family in families - {Family.TEXT}:
        held = [each for each in positives if each.family is family]
        kept_out = [each for each in negatives if each.family is family]
        if not any(
            all(each.match(sample) for each in held) and not any(each.match(sample) for each in kept_out)
            for sample in (*_SAMPLES[family]([*held, *kept_out]), UNREADABLE)
        ):
            return True
    return (
        _text(
            [each for each in positives if each.texts is not None],
            [each for each in negatives if each.texts is not None],
            budget,
        )
        is None
    )


def _samples(everything: Sequence[Values], *, is_open: bool) -> Iterator[str]:
    for family in dict.fromkeys(each.family for each in everything):
        of_family = [each for each in everything if each.family is family]
        yield from _SAMPLES[family](of_family)
    if is_open:
        yield UNREADABLE


def _of_texts(sets: Sequence[Values]) -> Iterator[str]:
    for each in sets:
        for atom in each.texts.atoms if each.texts is not None else ():
            yield from atom.samples()


def _of_numbers(sets: Sequence[Values]) -> Iterator[str]:
    yield from map(_number, _between(map(numeric.read, _written(sets))))


def _of_dates(sets: Sequence[Values]) -> Iterator[str]:
    for moment in _between(map(dates.read, _written(sets))):
        text = _date(moment)
        if dates.read(text) == moment:
            yield text


def _of_addresses(sets: Sequence[Values]) -> Iterator[str]:
    yield "203.0.113.7"
    yield "2001:db8::7"
    for found in dict.fromkeys(map(addresses.network, _written(sets))):
        if found is None:
            continue
        family, rest, prefix = found
        first, after = prefix << rest, prefix + 1 << rest
        made = ipaddress.IPv4Address if family == 4 else ipaddress.IPv6Address  # noqa: PLR2004  # IPv4
        last = (1 << (32 if family == 4 else 128)) - 1  # noqa: PLR2004
        for number in (first, after - 1, first - 1, after):
            if 0 <= number <= last:
                yield str(made(number))


def _of_bytes(sets: Sequence[Values]) -> Iterator[str]:
    listed = [data for data in map(binary.read, _written(sets)) if data is not None]
    other = b"example"
    while other in listed:
        other += b"!"
    for data in (other, *listed):
        yield base64.b64encode(data).decode()


_SAMPLES: Final[dict[Family, Callable[[Sequence[Values]], Iterator[str]]]] = {
    Family.TEXT: _of_texts,
    Family.NUMBER: _of_numbers,
    Family.DATE: _of_dates,
    Family.ADDRESS: _of_addresses,
    Family.BINARY: _of_bytes,
}


def _written(sets: Iterable[Values]) -> Iterator[str]:
    for each in sets:
        yield from each.written


def _between(numbers: Iterable[Decimal | None]) -> list[Decimal]:
    """The numbers, one between each two neighbours, one below all and one above all."""
    ordered = sorted({number for number in numbers if number is not None})
    if not ordered:
        return [Decimal(1)]
    middles = [_middle(low, high) for low, high in pairwise(ordered)]
    return [ordered[0] - 1, *ordered, *middles, ordered[-1] + 1]


def _middle(low: Decimal, high: Decimal) -> Decimal:
    whole = (low + 1).to_integral_value(rounding="ROUND_FLOOR")
    return whole if low < whole < high else (low + high) / 2


def _number(number: Decimal) -> str:
    return f"{number:f}"


def _date(moment: Decimal) -> str:
    whole = moment.to_integral_value(rounding="ROUND_FLOOR")
    try:
        text = (_EPOCH + timedelta(seconds=int(whole))).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    except OverflowError:
        return f"{moment:f}"
    fraction = f"{moment - whole:f}".removeprefix("0")
    return f"{text}{fraction}Z"


def readable(family: Family) -> Values:
    """All values that the family can read."""
    return Values(family, _READABLE[family], operator=f"readable {family}")


_READABLE: Final[dict[Family, Matcher]] = {
    Family.NUMBER: lambda text: numeric.read(text) is not None,
    Family.DATE: lambda text: dates.read(text) is not None,
    Family.ADDRESS: lambda text: addresses.read(text) is not None,
    Family.BINARY: lambda text: binary.read(text) is not None,
}


def of_texts(found: Texts) -> Values:
    """The set of texts as a set of values."""
    return Values(Family.TEXT, found.match, texts=found)
