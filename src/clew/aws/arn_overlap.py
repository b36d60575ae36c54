"""Which resource types an ARN *pattern* may name: a policy's ARN with `*`, `?` and variables against the catalogue.

`catalog_arns` reads the ARN of one resource; here both sides are patterns, and the question is whether any resource
fits both. The work is at most the product of the two lengths.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.aws.catalog_types import PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.aws.catalog import Catalog, ResourceType

FIELDS: Final = 6
PARTITION, SERVICE, REGION, ACCOUNT, RESOURCE = range(1, FIELDS)

WITHOUT_ACCOUNT: Final = frozenset({"ssm", "resource-explorer-2"})
"""Services with resources of AWS's own whose ARNs name no account, as `arn:aws:ssm:*::document/AWS-RunShell`."""

LONGEST: Final = 2_048
"""The longest ARN that is looked into; AWS's interfaces take none longer."""

MOST_WILDCARDS: Final = 64
"""A pattern with more wildcards is taken to fit: looking closer would cost more than the answer is worth."""

_SEPARATORS: Final = "/:"
_VARIABLE: Final = re.compile(r"\$\{[^{}]*\}")
_WILD: Final = re.compile(r"[*?]|\$\{")
# Characters for private use that stand in a variable for the separators of the ARN around it.
_MASKED: Final = str.maketrans(":/", "\ue000\ue001")
_UNMASKED: Final = str.maketrans("\ue000\ue001", ":/")


class _Step(NamedTuple):
    """One step of a pattern: a literal character, or with no `text` any but the `excluded` ones, which may repeat."""

    text: str
    repeats: bool = False
    excluded: str = ""


_ANY: Final = _Step("")
_RUN: Final = _Step("", repeats=True)


def masked(arn: str) -> str:
    """The ARN with the colons and slashes of its variables hidden, so that it divides where its fields do."""
    return _VARIABLE.sub(lambda found: found[0].translate(_MASKED), arn)


def unmasked(arn: str) -> str:
    """The ARN that `masked` was given."""
    return arn.translate(_UNMASKED)


def split(arn: str) -> list[str]:
    """The fields of an ARN; six, or fewer when some are missing."""
    return arn.split(":", FIELDS - 1)


def is_open(field: str) -> bool:
    """Whether a field holds a wildcard or a variable, so that what it stands for is not fixed."""
    return "*" in field or "?" in field or _VARIABLE.search(field) is not None


def types(arn: str, service: str, catalog: Catalog) -> frozenset[str]:
    """The names of the service's resource types that the ARN pattern may name; all of them for `*`.

    A placeholder of the catalogue stands for what is between its separators, the last one for all that follows; only
    where nothing fits so, every placeholder may stand for several parts.
    """
    kinds = catalog.resource_types(service)
    if arn == "*":
        return frozenset(kind.name for kind in kinds)
    for strict in (True, False):
        found = frozenset(kind.name for kind in kinds if fits(kind, arn, strict=strict))
        if found:
            return found
    return frozenset()


def fits(kind: ResourceType, arn: str, *, strict: bool = True) -> bool:
    """Whether some resource of the type has a name that fits the ARN pattern."""
    return any(field_faults(template, arn, strict=strict) == () for template in kind.arns)


def field_faults(template: str, arn: str, *, strict: bool = True) -> tuple[int, ...] | None:
    """The places of the fields before the resource that do not fit the template; None when the resource does not.

    >>> field_faults("arn:${Partition}:s3:::${BucketName}", "arn:aws:s3:us-east-1::b*")
    (3,)
    """
    wanted, given = _fields_of(template), _fields_given(arn)
    if len(given) < FIELDS or not _begin_alike(_beginning(wanted[-1]), _beginning_given(given[-1])):
        return None
    if not overlap(wanted[-1], given[-1], strict=strict):
        return None
    places = [place for place in range(1, FIELDS - 1) if not _field_fits(wanted[place], given[place])]
    if places == [ACCOUNT] and not given[ACCOUNT] and given[SERVICE] in WITHOUT_ACCOUNT:
        return ()
    return tuple(places)


def _field_fits(template: str, field: str) -> bool:
    if PLACEHOLDER.search(template):
        return bool(field)
    return template == field or is_open(field)


@lru_cache(maxsize=4096)
def overlap(template: str, pattern: str, *, strict: bool = True) -> bool:
    """Whether some text fits both the template of the catalogue and the pattern of a policy.

    >>> overlap("${BucketName}/${ObjectName}", "logs*"), overlap("${BucketName}", "logs/x")
    (True, False)
    """
    if not _begin_alike(_beginning(template), _beginning_given(pattern)):
        return False
    left, right = _template_steps(template, strict=strict), _pattern_steps(pattern)
    if len(right) > LONGEST or sum(not step.text for step in right) > MOST_WILDCARDS:
        return True
    pending = [(0, 0)]
    seen = {(0, 0)}
    while pending:
        state = pending.pop()
        if state == (len(left), len(right)):
            return True
        for following in _following(left, right, *state):
            if following not in seen:
                seen.add(following)
                pending.append(following)
    return False


# A policy of 6 kB asks a thousand pairs of an ARN and a format, which name the same ARNs and formats again and again:
# cutting each once saves a quarter of the time of validating it.
@lru_cache(maxsize=4096)
def _fields_of(template: str) -> tuple[str, ...]:
    return tuple(split(template))


@lru_cache(maxsize=512)
def _fields_given(arn: str) -> tuple[str, ...]:
    return tuple(split(_VARIABLE.sub("*", arn)))


@lru_cache(maxsize=4096)
def _beginning(template: str) -> str:
    return PLACEHOLDER.split(template, 1)[0].partition("*")[0]


@lru_cache(maxsize=512)
def _beginning_given(pattern: str) -> str:
    return _WILD.split(pattern, 1)[0]


def _begin_alike(literal: str, other: str) -> bool:
    """Whether what two patterns begin with, up to their first wildcard, can be the beginning of one text."""
    shorter = min(len(literal), len(other))
    return literal[:shorter] == other[:shorter]


def _following(left: list[_Step], right: list[_Step], i: int, j: int) -> Iterable[tuple[int, int]]:
    a = left[i] if i < len(left) else None
    b = right[j] if j < len(right) else None
    if a is not None and a.repeats:
        yield i + 1, j
    if b is not None and b.repeats:
        yield i, j + 1
    if a is not None and b is not None and _share(a, b):
        yield (i if a.repeats else i + 1), (j if b.repeats else j + 1)


def _share(a: _Step, b: _Step) -> bool:
    if a.text and b.text:
        return a.text == b.text
    return a.text not in b.excluded if a.text else b.text not in a.excluded if b.text else True


@lru_cache(maxsize=1024)
def _template_steps(template: str, *, strict: bool) -> list[_Step]:
    """The catalogue's template: a placeholder is one character or more."""
    steps: list[_Step] = []
    end = 0
    for found in PLACEHOLDER.finditer(template):
        steps += map(_Step, template[end : found.start()])
        end = found.end()
        excluded = _excluded(template, found.start(), end) if strict else ""
        steps += [_Step("", excluded=excluded), _Step("", repeats=True, excluded=excluded)]
    steps += [_RUN if char == "*" else _Step(char) for char in template[end:]]
    return steps


def _excluded(template: str, start: int, end: int) -> str:
    """What a placeholder may not hold: the separators beside it; nothing is excluded at the end of a longer name."""
    if end == len(template) and start > 0:
        return ""
    beside = {char for char in (template[start - 1 : start], template[end : end + 1]) if char in _SEPARATORS}
    return "".join(beside) or _SEPARATORS


def _pattern_steps(pattern: str) -> list[_Step]:
    plain = _VARIABLE.sub("*", pattern)
    return [_RUN if char == "*" else _ANY if char == "?" else _Step(char) for char in plain]
