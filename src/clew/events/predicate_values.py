"""What a leaf asks of one value: the shared ground of the closures and the SQL."""

from __future__ import annotations

import ipaddress
import operator
import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.aws import glob
from clew.errors import RuleError
from clew.events.predicate_regex import Regex, compile_regex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clew.events.predicate_tree import Leaf, Value

UPPER: Final = string.ascii_uppercase
LOWER: Final = string.ascii_lowercase
_FOLD = str.maketrans(UPPER, LOWER)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.ASCII)

COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
    "ne": operator.ne,
}
TYPES: Final = ("string", "number", "boolean", "null", "object", "array")


def fold(text: str) -> str:
    """The text with A–Z as a–z and every other character as it is.

    >>> fold("AssumeRole"), fold("İS")
    ('assumerole', 'İs')
    """
    return text.lower() if text.isascii() else text.translate(_FOLD)


def number_of(text: str) -> float | None:
    """The number that a text spells in the plain decimal way, else None.

    >>> number_of("22"), number_of("022"), number_of("1e3")
    (22.0, None, None)
    """
    return float(text) if _NUMBER.fullmatch(text) else None


def double(value: float) -> float:
    """The number as an IEEE double; integers past its range are infinite.

    >>> double(10**400)
    inf
    """
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def json_type(value: object) -> str:
    """The JSON type of a decoded value, one of `TYPES`.

    >>> json_type(True), json_type(1.5), json_type([])
    ('boolean', 'number', 'array')
    """
    match value:
        case str():
            return "string"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case None:
            return "null"
        case dict():
            return "object"
        case _:
            return "array"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The scalars that an `equals` leaf accepts, by type; strings are folded unless case matters."""

    strings: frozenset[str]
    numbers: frozenset[float]
    booleans: frozenset[bool]
    null: bool


def accepted(leaf: Leaf) -> Accepted:
    """What an `equals` leaf accepts, its looseness spelled out."""
    strings: set[str] = set()
    numbers: set[float] = set()
    booleans: set[bool] = set()
    for value in leaf.values:
        _accept_text(leaf, value, strings)
        _accept_scalar(leaf, value, numbers, booleans)
    return Accepted(frozenset(strings), frozenset(numbers), frozenset(booleans), None in leaf.values)


def _accept_text(leaf: Leaf, value: Value, strings: set[str]) -> None:
    if isinstance(value, str):
        strings.add(value if leaf.case_sensitive else fold(value))
    elif leaf.loose and value is not None:
        strings.add(str(value).lower())


def _accept_scalar(leaf: Leaf, value: Value, numbers: set[float], booleans: set[bool]) -> None:
    if isinstance(value, bool):
        booleans.add(value)
    elif isinstance(value, int | float):
        numbers.add(double(value))
    elif isinstance(value, str) and leaf.loose:
        text = value if leaf.case_sensitive else fold(value)
        if text in {"true", "false"}:
            booleans.add(text == "true")
        number = number_of(value)
        if number is not None:
            numbers.add(number)


def texts(leaf: Leaf) -> tuple[str, ...]:
    """The leaf's values as texts, folded unless case matters.

    Errors: RuleError when a value is not text.
    """
    for value in leaf.values:
        if not isinstance(value, str):
            raise RuleError(f"`{leaf.op}` needs text, found `{value}`")
    spelled = tuple(value for value in leaf.values if isinstance(value, str))
    return spelled if leaf.case_sensitive else tuple(fold(value) for value in spelled)


def bounds(leaf: Leaf) -> tuple[float, ...]:
    """The numbers that a comparison compares with.

    Errors: RuleError when a value is not a number.
    """
    found = []
    for value in leaf.values:
        number = number_of(value) if isinstance(value, str) and leaf.loose else value
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise RuleError(f"`{leaf.op}` needs a number, found `{value}`")
        found.append(double(number))
    return tuple(found)


def networks(leaf: Leaf) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """The networks of a `cidr` leaf.

    Errors: RuleError when a value is not a network.
    """
    try:
        return tuple(ipaddress.ip_network(text, strict=False) for text in texts(leaf))
    except ValueError as error:
        raise RuleError(f"`cidr` needs a network such as 10.0.0.0/8: {error}") from error


def regexes(leaf: Leaf) -> tuple[Regex, ...]:
    """The expressions of a `regex` leaf.

    Errors: RuleError when one cannot be read.
    """
    patterns = [value for value in leaf.values if isinstance(value, str)]
    if len(patterns) != len(leaf.values):
        raise RuleError(f"`regex` needs text, found `{leaf.values}`")
    return tuple(compile_regex(pattern, case_sensitive=leaf.case_sensitive) for pattern in patterns)


def value_test(leaf: Leaf) -> Callable[[object], bool]:
    """The question of a leaf as a function of one value that its path reaches.

    Errors: RuleError when the leaf's values do not fit its question.
    """
    if leaf.op in COMPARISONS:
        return _comparison(leaf)
    try:
        build = _TESTS[leaf.op]
    except KeyError as error:
        raise RuleError(f"unknown question `{leaf.op}`") from error
    return build(leaf)


def _equals(leaf: Leaf) -> Callable[[object], bool]:
    wanted = accepted(leaf)
    strings, numbers, booleans, null = wanted.strings, wanted.numbers, wanted.booleans, wanted.null
    folded = not leaf.case_sensitive

    def test(value: object) -> bool:
        if isinstance(value, str):
            return (fold(value) if folded else value) in strings
        if isinstance(value, bool):
            return value in booleans
        if isinstance(value, int | float):
            return bool(numbers) and double(value) in numbers
        return null and value is None

    return test


def _text(leaf: Leaf, test: Callable[[str], bool]) -> Callable[[object], bool]:
    """A test of text, folded first unless case matters; false for every other type."""
    if leaf.case_sensitive:
        return lambda value: isinstance(value, str) and test(value)
    return lambda value: isinstance(value, str) and test(fold(value))


def _contains(leaf: Leaf) -> Callable[[object], bool]:
    needles = texts(leaf)
    if len(needles) == 1:
        needle = needles[0]
        return _text(leaf, lambda text: needle in text)
    return _text(leaf, lambda text: any(needle in text for needle in needles))


def _startswith(leaf: Leaf) -> Callable[[object], bool]:
    heads = texts(leaf)
    return _text(leaf, lambda text: text.startswith(heads))


def _endswith(leaf: Leaf) -> Callable[[object], bool]:
    tails = texts(leaf)
    return _text(leaf, lambda text: text.endswith(tails))


def _glob(leaf: Leaf) -> Callable[[object], bool]:
    matchers = [glob.matcher(pattern, escape="\\") for pattern in texts(leaf)]
    return _text(leaf, lambda text: any(match(text) for match in matchers))


def _regex(leaf: Leaf) -> Callable[[object], bool]:
    searches = [regex.python.search for regex in regexes(leaf)]
    return lambda value: isinstance(value, str) and any(search(value) is not None for search in searches)


def _cidr(leaf: Leaf) -> Callable[[object], bool]:
    wanted = networks(leaf)

    def test(value: object) -> bool:
        if not isinstance(value, str):
            return False
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            return False
        return any(address in network for network in wanted)

    return test


def _comparison(leaf: Leaf) -> Callable[[object], bool]:
    compare = COMPARISONS[leaf.op]
    wanted = bounds(leaf)
    loose = leaf.loose

    def test(value: object) -> bool:
        if isinstance(value, bool):
            return False
        if isinstance(value, str):
            number = number_of(value) if loose else None
        elif isinstance(value, int | float):
            number = double(value)
        else:
            return False
        return number is not None and any(compare(number, bound) for bound in wanted)

    return test


def _type_is(leaf: Leaf) -> Callable[[object], bool]:
    wanted = frozenset(texts(leaf))
    if not wanted <= set(TYPES):
        raise RuleError(f"unknown type in `{sorted(wanted)}`; the types are {', '.join(TYPES)}")
    return lambda value: json_type(value) in wanted


_TESTS: Final[Mapping[str, Callable[[Leaf], Callable[[object], bool]]]] = {
    "equals": _equals,
    "contains": _contains,
    "startswith": _startswith,
    "endswith": _endswith,
    "glob": _glob,
    "regex": _regex,
    "cidr": _cidr,
    "exists": lambda _: lambda _value: True,
    "has_value": lambda _: lambda value: value is not None,
    "is_null": lambda _: lambda value: value is None,
    "type_is": _type_is,
}
