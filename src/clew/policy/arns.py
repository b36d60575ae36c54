"""The ARNs of a statement examined: each by itself, and each action against the resources that stand beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.aws import arn_doctor, arn_overlap, arn_refit
from clew.policy.model import MISSING_FOR_ACTION, FindingType, shown

if TYPE_CHECKING:
    from clew.aws.catalog import Catalog
    from clew.policy.problems import Problems
    from clew.policy.words import StatementWords, Word

MOST_PAIRS: Final = 20_000
"""How many pairs of action and resource of one statement are looked at; AWS's quotas leave room for a tenth."""

_WIDE: Final = 400
"""A pattern that stands for more actions than this is taken to work on whatever it stands beside."""

_ACCOUNT: Final = re.compile(r"[0-9]{12}", re.ASCII)
_UNIQUE_ID: Final = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,}")
_SERVICE_PRINCIPAL: Final = re.compile(
    r"[a-z0-9][a-z0-9.-]*\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|amazon\.com)"
)


class _Resource(NamedTuple):
    """A resource as it is written, and as it would be if its own faults were set right; None where they cannot be."""

    word: Word
    arn: str | None


def check(statement: StatementWords, catalog: Catalog, problems: Problems) -> None:
    """Note what is wrong with the statement's principals and resources, and with resources for its actions."""
    for element in ("Principal", "NotPrincipal"):
        for kind, word in statement.principals(element):
            _check_principal(kind, word, catalog, problems)
    for word in statement.words("NotResource"):
        _examined(word, catalog, problems)
    resources = [_examined(word, catalog, problems) for word in statement.words("Resource")]
    actions = statement.words("Action")
    if resources and actions and len(resources) * len(actions) <= MOST_PAIRS:
        _check_pairs(actions, resources, catalog, problems)


def _examined(word: Word, catalog: Catalog, problems: Problems) -> _Resource:
    arn: str | None = word.text
    for each in arn_doctor.examine(word.text, catalog=catalog):
        weight = FindingType.ERROR if each.is_error else FindingType.SUGGESTION
        _note(each, word, problems, weight)
        arn = each.corrected if each.is_error else arn
    return _Resource(word, arn)


def _note(each: arn_doctor.Diagnosis, word: Word, problems: Problems, weight: FindingType) -> None:
    message = f"`{shown(word.text, 120)}`: {each}"
    problems.add(each.code, message, word.path, word.node, corrected=each.corrected, finding_type=weight)


def _check_principal(kind: str, word: Word, catalog: Catalog, problems: Problems) -> None:
    text = word.text
    if kind == "Service" and _SERVICE_PRINCIPAL.fullmatch(text) is None and text != "*":
        meant = f"{text.lower()}.amazonaws.com" if catalog.service(text) is not None else None
        message = f"`{shown(text)}` is no service principal; expected `SERVICE.amazonaws.com`"
        problems.add("INVALID_SERVICE_PRINCIPAL_FORMAT", message, word.path, word.node, corrected=meant)
    if kind != "AWS" or text == "*" or _ACCOUNT.fullmatch(text):
        return
    if _UNIQUE_ID.fullmatch(text):
        code = "INVALID_USER_REFERENCE" if text.startswith("AIDA") else "INVALID_ROLE_REFERENCE"
        message = f"`{text}` is the id of a user or role that may no longer exist; write its ARN"
        problems.add(code, message, word.path, word.node, finding_type=FindingType.WARNING)
    elif "*" in text or "?" in text:
        message = f"`{shown(text)}` holds a wildcard; a principal is named in full, or `*` alone"
        problems.add("UNSUPPORTED_WILDCARD_IN_PRINCIPAL", message, word.path, word.node)
    elif re.fullmatch(r"[0-9\s.-]+", text):
        message, meant = arn_refit.account_meant(text)
        problems.add("INVALID_ARN_ACCOUNT", message, word.path, word.node, corrected=meant)
    else:
        for each in arn_doctor.examine(text, catalog=catalog):
            _note(each, word, problems, FindingType.ERROR)


def _check_pairs(
    actions: list[Word], resources: list[_Resource], catalog: Catalog, problems: Problems
) -> None:
    known = [word for word in actions if catalog.mask(word.text)]
    if len(known) < len(actions) or any(resource.arn is None for resource in resources):
        # What an unknown action works on, and what a lost ARN names, is not known.
        return
    arns = [str(resource.arn) for resource in resources]
    judge = _Works(catalog)
    works = {(word.text, arn): judge.works(word.text, arn) for word in known for arn in arns}
    is_dead = not any(works.values())
    weight = FindingType.ERROR if is_dead else FindingType.WARNING
    helped: set[str] = set()
    for resource, arn in zip(resources, arns, strict=True):
        if not any(works[word.text, arn] for word in known):
            helped |= _unused(resource, arn, known, weight, catalog, problems)
    for word in known:
        if (
            not any(works[word.text, arn] for arn in arns)
            and word.text not in helped
            and "*" not in word.text
        ):
            _without_resource(word, arns, weight, catalog, problems)


def _unused(
    resource: _Resource,
    arn: str,
    actions: list[Word],
    weight: FindingType,
    catalog: Catalog,
    problems: Problems,
) -> set[str]:
    """Note a resource that no action works on; returns the actions that work on its correction."""
    named = [word.text for word in actions if catalog.action(word.text) is not None]
    found = [each for text in named for each in arn_doctor.examine(arn, action=text, catalog=catalog)]
    if not found:
        message = f"no action of the statement works on `{shown(arn, 120)}`"
        problems.add(
            arn_doctor.NOT_FOR_ACTION, message, resource.word.path, resource.word.node, finding_type=weight
        )
        return set()
    each = next((each for each in found if each.corrected not in {None, "*"}), found[0])
    meant = each.corrected
    if meant == "*" and any(not catalog.is_wildcard_only(text) for text in named):
        meant = None
    message = f"`{shown(arn, 120)}`: {each}"
    problems.add(
        each.code, message, resource.word.path, resource.word.node, corrected=meant, finding_type=weight
    )
    return {text for text in named if meant is not None and _Works(catalog).works(text, meant)} | (
        set(named) if len(named) == 1 else set()
    )


def _without_resource(
    word: Word, arns: list[str], weight: FindingType, catalog: Catalog, problems: Problems
) -> None:
    """Note an action that works on none of the resources, and the resource that it lacks."""
    found = [each for arn in arns for each in arn_doctor.examine(arn, action=word.text, catalog=catalog)]
    if not found:
        return
    each = next((each for each in found if each.corrected not in {None, "*"}), found[0])
    if catalog.is_wildcard_only(word.text):
        message = f'{each.message}; give it a statement of its own with `"Resource": "*"`'
        problems.add(arn_doctor.NOT_FOR_ACTION, message, word.path, word.node, finding_type=weight)
        return
    hint = f"; add `{each.corrected}` to the resources" if each.corrected else ""
    problems.add(
        MISSING_FOR_ACTION,
        f"{each.message}{hint}",
        word.path,
        word.node,
        corrected=each.corrected,
        finding_type=weight,
    )


class _Works:
    """Which actions work on what an ARN names; an ARN is compared with a service's resource types once."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._types: dict[tuple[str, str], frozenset[str]] = {}

    def works(self, action: str, arn: str) -> bool:
        """Whether some action that the text stands for works on something that the ARN names."""
        if arn == "*" or action == "*":
            return True
        mask = self._catalog.mask(action)
        return mask.bit_count() > _WIDE or any(self._names(name, arn) for name in self._catalog.names(mask))

    def _names(self, name: str, arn: str) -> bool:
        action = self._catalog.action(name)
        if action is None:
            return True
        place = arn, action.service
        found = self._types.get(place)
        if found is None:
            found = self._types[place] = arn_overlap.types(arn, action.service, self._catalog)
        return any(resource.name in found for resource in action.resources)
