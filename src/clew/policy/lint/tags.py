"""Checks of conditions on tags with actions whose services do not supply them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.policy.lint import curated
from clew.policy.lint.registry import Told, of_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.aws.catalog import Catalog
    from clew.policy.lint.registry import LineFunction
    from clew.policy.lint.subject import Clause, Line, Subject
    from clew.policy.words import Word

_MOST_ASKED: Final = 200
"""A pattern that stands for more actions than this is taken to have one that supplies the tag."""


def _is_about_tags(line: Line) -> bool:
    """Whether the condition fails for a request without the tag, so that the statement does not apply to it."""
    is_tag = line.base == curated.RESOURCE_TAG or line.base in curated.REQUEST_TAGS
    fails = not line.is_negated and not line.operator.if_exists and line.operator.name != "Null"
    return is_tag and fails and line.operator.qualifier != "ForAllValues"


def _supplies(word: Word, line: Line, catalog: Catalog) -> bool:
    """Whether some action that the text stands for carries the tag; True for what the catalogue does not know."""
    mask = catalog.mask(word.text)
    if not mask or mask.bit_count() > _MOST_ASKED:
        return True
    if line.base in curated.REQUEST_TAGS:
        # Tags of requests are told for services that know of none, since pages list them less completely.
        service = word.text.partition(":")[0]
        return any(_has(action.full_name, line.base, catalog) for action in catalog.actions(service))
    return any(_has(name, line.base, catalog) for name in catalog.names(mask))


def _has(action: str, base: str, catalog: Catalog) -> bool:
    return any(key.partition("/")[0].lower() == base for key in catalog.condition_keys_of(action))


def _register(code: str, effect: str, consequence: str) -> LineFunction:
    """Register the check of listed actions for one effect."""

    @of_line(code)
    def check(line: Line, clause: Clause, subject: Subject) -> Iterator[Told]:
        if clause.effect != effect or not _is_about_tags(line):
            return
        wrong = tuple(word for word in clause.actions if not _supplies(word, line, subject.catalog))
        if wrong:
            services = ", ".join(sorted({f"`{word.text.partition(':')[0]}`" for word in wrong}))
            message = f"{services} supplies no `{line.written}` for `{wrong[0].text}`: {consequence}"
            yield Told(f"{message}; move it to a statement without it", (line.place, *wrong))

    return check


def _register_not(code: str, effect: str, consequence: str) -> LineFunction:
    """Register the check of NotAction for one effect."""

    @of_line(code)
    def check(line: Line, clause: Clause, _: Subject) -> Iterator[Told]:
        place = clause.element("NotAction")
        if clause.effect == effect and place is not None and _is_about_tags(line):
            message = f"not every service supplies `{line.written}`: {consequence}; list actions instead"
            yield Told(message, (line.place, place))

    return check


CHECKS: Final = (
    _register("ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", "Allow", "it is not allowed by this"),
    _register("DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", "Deny", "it is not denied by this"),
    _register_not(
        "ALLOW_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE",
        "Allow",
        "actions of the others are not allowed by this",
    ),
    _register_not(
        "DENY_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE",
        "Deny",
        "actions of the others are not denied by this",
    ),
)
