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


def _is_about_tags(line: Line) -> bool:
    """Whether the condition fails for a request without the tag, so that the statement does not apply to it."""
    is_tag = line.base == curated.RESOURCE_TAG or line.base in curated.REQUEST_TAGS
    fails = not line.is_negated and not line.operator.if_exists and line.operator.name != "Null"
    return is_tag and fails and line.operator.qualifier != "ForAllValues"


def _supplies(service: str, base: str, subject: Subject) -> bool:
    """Whether the service carries the tag for some action; True for a service that the catalogue does not know."""
    if service in curated.TAG_SERVICES or subject.catalog.service(service) is None:
        return True
    return any(key.partition("/")[0] == base for key in subject.keys_of(service))


def _service(word: Word) -> str:
    return word.text.partition(":")[0].lower()


def _register(code: str, effect: str, consequence: str) -> LineFunction:
    """Register the check of listed actions for one effect."""

    @of_line(code)
    def check(line: Line, clause: Clause, subject: Subject) -> Iterator[Told]:
        if clause.effect != effect or not _is_about_tags(line):
            return
        services = {_service(word) for word in clause.actions}
        without = {each for each in services if not _supplies(each, line.base, subject)}
        wrong = tuple(word for word in clause.actions if _service(word) in without)
        if wrong:
            named = ", ".join(f"`{each}`" for each in sorted(without))
            message = f"{named} supplies no `{line.written}` for `{wrong[0].text}`: {consequence}"
            yield Told(f"{message}; move the action to a statement without it", (line.name, *wrong))

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
