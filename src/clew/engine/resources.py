"""The Resource and NotResource elements, compiled.

Source: AWS, "IAM JSON policy elements: Resource" and "NotResource"; "IAM policy elements: Variables and tags". What
they leave open: docs/decisions/0007-iam-questions.md, Q17 to Q21.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.engine.conditions.resolve import resolve
from clew.engine.law import known_any
from clew.engine.leaf import Leaf
from clew.engine.request import UNKNOWN
from clew.policy import pattern
from clew.policy.pattern import everything, nothing
from clew.policy.short_api import in_own_api, is_short, of_own_api
from clew.policy.variables import has_variables, keys, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clew.engine.request import Context
    from clew.policy.model import Statement
    from clew.policy.pattern import Matcher
    from clew.policy.variables import Piece

_COLONS: Final = 5
_EVERYTHING: Final = "*"


class Incomplete(Enum):
    """What becomes of an ARN in a policy that has fewer than six fields."""

    COMPLETED = "completed with `*`"  # AWS: "IAM identifiers", IAM ARNs: identity-based policies
    AS_WRITTEN = "compared as it stands"
    IF_OPEN = "compared as it stands when it ends in `*`, else matches nothing"
    NOTHING = "matches nothing"


class ResourceTest(NamedTuple):
    """What a statement says of resources.

    closed: the test when no variable takes part, else None; then `open` is the test.
    wildcard: the answer for an action without a resource type.
    """

    closed: Matcher | None
    open: Callable[[str, Context], bool | None] | None
    wildcard: bool

    def answer(self, resource: str, context: Context) -> bool | None:
        """Whether the statement is about the resource."""
        if self.closed is not None:
            return self.closed(resource)
        return self.open(resource, context) if self.open is not None else False

    def leaf(self, statement: Statement, resource: str) -> Leaf:
        """The question that is left when the answer for the resource is unknown."""
        element = "Resource" if statement.not_resources is None else "NotResource"
        values = statement.resources or statement.not_resources or ()
        return Leaf(element, resource, values, lambda context: self.answer(resource, context))


def resource_test(
    statement: Statement, *, variables: bool, incomplete: Incomplete, optional: bool
) -> ResourceTest:
    """The test of the statement's Resource or NotResource element; `compile_statement` explains the words."""
    listed, excluded = statement.resources, statement.not_resources
    if listed is None and excluded is None:
        return ResourceTest(everything if optional else nothing, None, optional)
    if listed is not None and excluded is not None:
        return ResourceTest(nothing, None, wildcard=False)
    patterns = listed if listed is not None else excluded or ()
    negated = listed is None
    if optional and any(map(is_short, patterns)):
        return _of_own_api(patterns, variables=variables, negated=negated)
    return _test(patterns, incomplete, variables=variables, negated=negated)


def _test(patterns: Sequence[str], incomplete: Incomplete, *, variables: bool, negated: bool) -> ResourceTest:
    wildcard = (_EVERYTHING in patterns) is not negated
    if variables and any(map(has_variables, patterns)):
        return ResourceTest(None, _open(patterns, incomplete, negated=negated), wildcard)
    match = pattern.any_of(as_read(patterns, incomplete))
    return ResourceTest((lambda text: not match(text)) if negated else match, None, wildcard)


def _of_own_api(patterns: Sequence[str], *, variables: bool, negated: bool) -> ResourceTest:
    """The test of a list that names parts of the policy's own API in the short form."""
    full = _test(
        [each for each in patterns if not is_short(each)],
        Incomplete.AS_WRITTEN,
        variables=variables,
        negated=False,
    )
    own = _test(
        [of_own_api(each) for each in patterns if is_short(each)],
        Incomplete.AS_WRITTEN,
        variables=variables,
        negated=False,
    )

    def match(resource: str, context: Context) -> bool | None:
        found = known_any((full.answer(resource, context), own.answer(in_own_api(resource), context)))
        return found if found is None else found is not negated

    return ResourceTest(None, match, full.wildcard is not negated)


def as_read(patterns: Sequence[str], incomplete: Incomplete) -> Sequence[str]:
    """The patterns as their kind of policy reads them; those that can match nothing are left out."""
    if incomplete is Incomplete.AS_WRITTEN or not any(map(_is_incomplete, patterns)):
        return patterns
    kept = [text for text in patterns if not _is_incomplete(text)]
    short = [text for text in patterns if _is_incomplete(text)]
    if incomplete is Incomplete.COMPLETED:
        return kept + [completed(text) for text in short]
    return kept + [text for text in short if incomplete is Incomplete.IF_OPEN and text.endswith("*")]


def _is_incomplete(text: str) -> bool:
    return text.startswith("arn:") and _colons(text) < _COLONS


def _colons(text: str) -> int:
    """The colons that separate fields; those in `${…}` do not."""
    if not has_variables(text):
        return text.count(":")
    return sum(piece.count(":") for piece in pieces(text) if isinstance(piece, str))


def completed(text: str) -> str:
    """The pattern with `*` for the fields that an incomplete ARN leaves out.

    >>> completed("arn:aws:sqs"), completed("*")
    ('arn:aws:sqs:*:*:*', '*')
    """
    return text + ":*" * (_COLONS - _colons(text)) if _is_incomplete(text) else text


def _open(
    patterns: Sequence[str], incomplete: Incomplete, *, negated: bool
) -> Callable[[str, Context], bool | None]:
    plain, templates = with_variables(patterns)
    closed = pattern.any_of(as_read(plain, incomplete))

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

    return match


def with_variables(patterns: Sequence[str]) -> tuple[list[str], list[tuple[Piece, ...]]]:
    """The patterns that are plain text, and those with variables, cut.

    AWS replaces variables after the fifth colon only: with one before it, the pattern is text.
    """
    cut = [(text, pieces(text)) for text in patterns]
    plain = [text for text, parts in cut if not _is_template(parts)]
    return plain, [parts for _, parts in cut if _is_template(parts)]


def _is_template(parts: Sequence[Piece]) -> bool:
    first = next((place for place, piece in enumerate(parts) if not isinstance(piece, str)), None)
    if first is None:
        return False
    return sum(piece.count(":") for piece in parts[:first] if isinstance(piece, str)) >= _COLONS


def variable_keys(statement: Statement) -> list[str]:
    """The keys that the statement's resources name in variables, as written."""
    listed = statement.resources or statement.not_resources or ()
    patterns = [of_own_api(text) if is_short(text) else text for text in listed]
    return [key for text in patterns if _is_template(pieces(text)) for key in keys(text)]
