"""The Resource and NotResource elements, compiled.

Source: AWS, "IAM JSON policy elements: Resource" and "NotResource"; "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.engine.conditions.resolve import resolve
from clew.engine.leaf import Leaf
from clew.engine.request import UNKNOWN
from clew.policy import pattern
from clew.policy.variables import Variable, has_variables, pieces

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.engine.request import Context
    from clew.policy.model import Statement
    from clew.policy.pattern import Matcher
    from clew.policy.variables import Piece

_COLONS: Final = 5
_EVERYTHING: Final = "*"


@dataclass(frozen=True, slots=True)
class ResourceTest:
    """What a statement says of resources.

    closed: the test where no variable takes part, else None; open: the test in every case.
    wildcard: the answer for an action without a resource type; keys: what its variables name, as written.
    """

    closed: Matcher | None
    open: Callable[[str, Context], bool | None]
    wildcard: bool
    keys: tuple[str, ...] = ()

    def leaf(self, statement: Statement, resource: str) -> Leaf:
        """The question that is left when the answer for the resource is unknown."""
        element = "Resource" if statement.not_resources is None else "NotResource"
        values = statement.resources or statement.not_resources or ()
        return Leaf(element, resource, values, lambda context: self.open(resource, context))


def resource_test(statement: Statement, *, variables: bool, pad: bool, optional: bool) -> ResourceTest:
    """The test of the statement's Resource or NotResource element; `compile_statement` explains the words."""
    listed, excluded = statement.resources, statement.not_resources
    if listed is None and excluded is None:
        return _closed(pattern.everything if optional else pattern.nothing, wildcard=optional)
    if listed is not None and excluded is not None:
        return _closed(pattern.nothing, wildcard=False)
    patterns = listed if listed is not None else excluded or ()
    negated = listed is None
    wildcard = (_EVERYTHING in patterns) is not negated
    if variables and any(map(has_variables, patterns)):
        return _open(patterns, negated=negated, pad=pad, wildcard=wildcard)
    match = pattern.any_of(map(completed, patterns) if pad else patterns)
    return _closed(_inverted(match) if negated else match, wildcard=wildcard)


def completed(text: str) -> str:
    """The pattern with `*` for the fields that an incomplete ARN leaves out.

    AWS, "IAM identifiers", IAM ARNs: an incomplete ARN is completed with wildcards in identity-based policies.

    >>> completed("arn:aws:sqs"), completed("*")
    ('arn:aws:sqs:*:*:*', '*')
    """
    missing = _COLONS - text.count(":")
    return text + ":*" * missing if missing > 0 and text.startswith("arn:") else text


def _inverted(match: Matcher) -> Matcher:
    return lambda text: not match(text)


def _closed(match: Matcher, *, wildcard: bool) -> ResourceTest:
    return ResourceTest(match, lambda resource, _: match(resource), wildcard)


def _open(patterns: tuple[str, ...], *, negated: bool, pad: bool, wildcard: bool) -> ResourceTest:
    plain = [text for text in patterns if not has_variables(text)]
    closed = pattern.any_of(map(completed, plain) if pad else plain)
    cut = [pieces(text) for text in patterns if has_variables(text)]
    templates = tuple(template for template in cut if _is_usable(template))

    def match(resource: str, context: Context) -> bool | None:
        if closed(resource):
            return not negated
        answer: bool | None = False
        for template in templates:
            runs = resolve(template, context)
            if runs is UNKNOWN:
                answer = None
            elif runs is not None and pattern.of_runs(runs)(resource):
                return not negated
        return answer if answer is None else negated

    keys = tuple(piece.key for template in templates for piece in template if isinstance(piece, Variable))
    return ResourceTest(None, match, wildcard, keys)


def _is_usable(template: tuple[Piece, ...]) -> bool:
    """Whether every variable stands in the last part of the ARN, where AWS replaces variables."""
    colons = 0
    for piece in template:
        if isinstance(piece, str):
            colons += piece.count(":")
        elif colons < _COLONS:
            return False
    return True
