"""Checks of conditions on tags with actions whose services do not supply them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.policy.lint import curated
from clew.policy.lint.registry import Told, of_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.lint.registry import LineFunction
    from clew.policy.lint.subject import Clause, Line, Subject
    from clew.policy.words import Word


_MOST_ASKED: Final = 200
"""A pattern that stands for more actions than this is taken to have one that supplies the tag."""


def _is_about_tags(line: Line) -> bool:
    """Whether the condition fails for a request without the tag, so that the statement does not apply to it."""
    is_tag = line.base == curated.RESOURCE_TAG or line.base in curated.REQUEST_TAGS
    return is_tag and not line.is_negated and not line.holds_without_key


def _supplies(word: Word, base: str, subject: Subject) -> bool:
    """Whether some action that the word stands for carries the tag; True for what the catalogue does not know.

    Tags of requests are judged by service, since AWS's pages list them less completely for single actions.
    """
    service, mask = _service(word), subject.catalog.mask(word.text)
    if service in curated.TAG_SERVICES or not mask or mask.bit_count() > _MOST_ASKED:
        return True
    if not any(_is(key, base) for key in subject.keys_of(service)):
        return False
    if base in curated.REQUEST_TAGS:
        return True
    catalog = subject.catalog
    return any(_is(key, base) for name in catalog.names(mask) for key in catalog.condition_keys_of(name))


def _is(key: str, base: str) -> bool:
    return key.partition("/")[0].lower() == base


def _service(word: Word) -> str:
    return word.text.partition(":")[0].lower()


def _register(code: str, effect: str, consequence: str) -> LineFunction:
    """Register the check of listed actions for one effect."""

    @of_line(code)
    def check(line: Line, clause: Clause, subject: Subject) -> Iterator[Told]:
        if clause.effect != effect or not _is_about_tags(line):
            return
        wrong = tuple(word for word in clause.actions if not _supplies(word, line.base, subject))
        if wrong:
            named = ", ".join(sorted({f"`{_service(word)}`" for word in wrong}))
            message = f"{named} supplies no `{line.written}` for `{wrong[0].text}`: {consequence}"
            yield Told(f"{message}; move the action to a statement without it", (*wrong, line.name))

    return check


def _register_not(code: str, effect: str, consequence: str) -> LineFunction:
    """Register the check of NotAction for one effect."""

    @of_line(code)
    def check(line: Line, clause: Clause, _: Subject) -> Iterator[Told]:
        place = clause.element("NotAction")
        if clause.effect == effect and place is not None and _is_about_tags(line):
            message = f"not every service supplies `{line.written}`: {consequence}; list actions instead"
            yield Told(message, (line.name, place))

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
