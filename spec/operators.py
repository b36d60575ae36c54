"""The condition operators: how one policy value is compared with one request value.

IAM user guide, "IAM JSON policy elements: Condition operators". A value that cannot be read matches nothing (0007 Q25).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spec.patterns import cut_at_colons, matches, matches_everything
from spec.values import moment, network, number, octets, truth_word

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    from spec.variables import Filled

ARN_PARTS = 6


@dataclass(frozen=True)
class Operator:
    """One operator without its qualifier and `IfExists`.

    `matches` is the positive comparison also of a negated operator. `can_match` says whether any request value at all
    could match this policy value; `matches_all` whether every text does.
    """

    matches: Callable[[Filled, str], bool]
    can_match: Callable[[Filled], bool]
    negated: bool = False
    takes_variables: bool = False
    matches_all: Callable[[Filled], bool] = lambda _: False


def string_equals(policy: Filled, request: str) -> bool:
    """StringEquals: the same text, with case. Section "String condition operators"."""
    return policy.text == request


def string_equals_ignore_case(policy: Filled, request: str) -> bool:
    """StringEqualsIgnoreCase: the same text, without case. Section "String condition operators". 0007 Q32."""
    return policy.text.lower() == request.lower()


def string_like(policy: Filled, request: str) -> bool:
    """Rule 25: StringLike is a glob with case whose `*` crosses colons. Section "String condition operators"."""
    return matches(policy.pattern, request)


def arn_like(policy: Filled, request: str) -> bool:
    """Rule 25: ArnEquals and ArnLike alike compare six parts, each a glob. Section "ARN condition operators".

    0007 Q31.
    """
    wanted = cut_at_colons(policy.pattern, ARN_PARTS)
    given = request.split(":", ARN_PARTS - 1)
    return len(wanted) == len(given) == ARN_PARTS and all(map(matches, wanted, given))


def bool_equals(policy: Filled, request: str) -> bool:
    """Bool: `true` or `false`, the same on both sides. Section "Boolean condition operators". 0007 Q20, Q28."""
    wanted, given = truth_word(policy.text), truth_word(request)
    return wanted is not None and wanted == given


def binary_equals(policy: Filled, request: str) -> bool:
    """Rule 36: BinaryEquals compares what base64 stands for, byte by byte. Section "Binary condition operators"."""
    wanted, given = octets(policy.text), octets(request)
    return wanted is not None and wanted == given


def ip_address(policy: Filled, request: str) -> bool:
    """Rule 35: IpAddress: the address lies in the range; without a prefix the range is one address.

    Section "IP address condition operators". 0007 Q29.
    """
    wanted, given = network(policy.text), network(request)
    if wanted is None or given is None or "/" in request or wanted.version != given.version:
        return False
    return given.network_address in wanted


def _ordered(
    read: Callable[[str], Fraction | None], holds: Callable[[Fraction, Fraction], bool]
) -> Callable[[Filled, str], bool]:
    """An operator that compares two quantities: the request's value first, the policy's second."""

    def compare(policy: Filled, request: str) -> bool:
        wanted, given = read(policy.text), read(request)
        return wanted is not None and given is not None and holds(given, wanted)

    return compare


def _readable(read: Callable[[str], object | None]) -> Callable[[Filled], bool]:
    return lambda policy: read(policy.text) is not None


COMPARISONS: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "Equals": lambda given, wanted: given == wanted,
    "LessThan": lambda given, wanted: given < wanted,
    "LessThanEquals": lambda given, wanted: given <= wanted,
    "GreaterThan": lambda given, wanted: given > wanted,
    "GreaterThanEquals": lambda given, wanted: given >= wanted,
}


def _quantities(family: str, read: Callable[[str], Fraction | None]) -> dict[str, Operator]:
    """Rules 35 and 36: the six operators on numbers, and on dates. Sections "Numeric …", "Date condition operators"."""
    positive = {
        family + name: Operator(_ordered(read, holds), _readable(read)) for name, holds in COMPARISONS.items()
    }
    return positive | {family + "NotEquals": _negation(positive[family + "Equals"])}


def _negation(operator: Operator) -> Operator:
    """The negated form: the same comparison, read the other way round (rule 27)."""
    return Operator(
        operator.matches,
        operator.can_match,
        negated=True,
        takes_variables=operator.takes_variables,
        matches_all=operator.matches_all,
    )


def _always(_: Filled) -> bool:
    return True


def _has_six_parts(policy: Filled) -> bool:
    return len(cut_at_colons(policy.pattern, ARN_PARTS)) == ARN_PARTS


_STRING_EQUALS = Operator(string_equals, _always, takes_variables=True)
_IGNORE_CASE = Operator(string_equals_ignore_case, _always, takes_variables=True)
_STRING_LIKE = Operator(
    string_like,
    _always,
    takes_variables=True,
    matches_all=lambda policy: matches_everything(policy.pattern),
)
_ARN = Operator(arn_like, _has_six_parts, takes_variables=True)
_IP = Operator(ip_address, _readable(network))

OPERATORS: dict[str, Operator] = {
    "StringEquals": _STRING_EQUALS,
    "StringNotEquals": _negation(_STRING_EQUALS),
    "StringEqualsIgnoreCase": _IGNORE_CASE,
    "StringNotEqualsIgnoreCase": _negation(_IGNORE_CASE),
    "StringLike": _STRING_LIKE,
    "StringNotLike": _negation(_STRING_LIKE),
    **_quantities("Numeric", number),
    **_quantities("Date", moment),
    "Bool": Operator(bool_equals, _readable(truth_word), takes_variables=True),
    "BinaryEquals": Operator(binary_equals, _readable(octets)),
    "IpAddress": _IP,
    "NotIpAddress": _negation(_IP),
    "ArnEquals": _ARN,
    "ArnLike": _ARN,
    "ArnNotEquals": _negation(_ARN),
    "ArnNotLike": _negation(_ARN),
    # Null asks for presence; `spec.conditions.null` answers it. Here it stands for its policy values.
    "Null": Operator(bool_equals, _readable(truth_word)),
}
"""AWS's operator names, and what they compare."""
