"""The values that a path reaches in decoded JSON, arrays unfolded one level at every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.events.predicate_tree import Path, Quantifier

ARRAYS = (list, tuple)  # json.loads makes lists; a derived fact may return a tuple


def values_at(value: object, path: Path) -> list[object]:
    """Every value at the path, in document order; `[]` when there is none.

    >>> values_at({"items": [{"port": 22}, {"port": [80, 443]}, {}]}, ("items", "port"))
    [22, 80, 443]
    """
    found: list[object] = []

    def collect(item: object) -> bool:
        found.append(item)
        return False

    reach(path, collect)(value)
    return found


def reach(
    path: Path, test: Callable[[object], bool], quantifier: Quantifier = "any", *, whole: bool = False
) -> Callable[[object], bool]:
    """A test of a value that says whether `test` holds for some value that the path reaches from it.

    `whole` leaves the array at the end of the path in one piece.
    """
    between = (lambda inner: inner) if quantifier == "one" else unfolded
    if quantifier == "deep":
        test = _deep(test)
    elif path and not whole:
        test = between(test)
    for key in reversed(path[1:]):
        test = between(_at(key, test))
    return _at(path[0], test) if path else test


def _at(key: str, test: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, dict) and key in value and test(value[key])


def _deep(test: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: any(test(scalar) for scalar in scalars(value))


def unfolded(test: Callable[[object], bool]) -> Callable[[object], bool]:
    """The test on some element of an array, or on the value itself when it is none."""

    def of_elements(value: object) -> bool:
        if isinstance(value, ARRAYS):
            return any(test(element) for element in value)
        return test(value)

    return of_elements


def element_at(index: int, test: Callable[[object], bool]) -> Callable[[object], bool]:
    """The test on the element of an array at that place; false where there is none."""
    return lambda value: isinstance(value, ARRAYS) and index < len(value) and test(value[index])


def scalars(value: object) -> Iterator[object]:
    """Every string, number, truth value and null at or below a value, in no promised order."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, ARRAYS):
            waiting.extend(item)
        else:
            yield item
