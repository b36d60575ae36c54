"""The ARNs of a statement examined: each by itself, and each action against the resources that stand beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from clew.aws import arn_doctor, arn_overlap
from clew.policy.model import MISSING_FOR_ACTION, FindingType, shown
from clew.policy.short_api import is_short

if TYPE_CHECKING:
    from clew.aws.catalog import Catalog
    from clew.policy.problems import Problems
    from clew.policy.words import StatementWords, Word

MOST_PAIRS: Final = 20_000
"""How many pairs of action and resource of one statement are looked at; AWS's quotas leave room for a tenth."""

MOST_TOLD: Final = 5
"""How many resources, actions, or tries of one statement are told or made, where there are very many."""

_WIDE: Final = 400
"""A pattern that stands for more actions than this is taken to work on whatever it stands beside."""

_FIELD_CODES: Final = frozenset(
    {
        "INVALID_ARN_PREFIX", "INVALID_PARTITION", "INVALID_ARN_SERVICE_CASE", "MISSING_ARN_FIELD",
        "INVALID_ARN_REGION", "INVALID_ARN_ACCOUNT", "ARN_REGION_NOT_ALLOWED", "ARN_ACCOUNT_NOT_ALLOWED",
    }
)  # fmt: skip


class _Resource(NamedTuple):
    """A resource as it is written, and as it would be if its own faults were set right; None where they cannot be."""

    word: Word
    arn: str | None


def check(
    statement: StatementWords, doctor: Doctor, problems: Problems, *, is_of_resource: bool = False
) -> None:
    """Note what is wrong with the statement's resources, by themselves and for its actions.

    In the policy of a resource an API may be written in short, `execute-api:/stage/GET/path`.
    """
    if is_of_resource and any(
        is_short(word.text) for word in (*statement.words("Resource"), *statement.words("NotResource"))
    ):
        return
    for word in statement.words("NotResource"):
        _examined(word, doctor, problems)
    _check_values(statement, doctor, problems)
    resources = [_examined(word, doctor, problems) for word in statement.words("Resource")]
    actions = statement.words("Action")
    if statement.is_open("Resource") or statement.is_open("Action"):
        return
    if resources and actions and len(resources) * len(actions) <= MOST_PAIRS:
        _check_pairs(actions, resources, doctor, problems)


def _examined(word: Word, doctor: Doctor, problems: Problems) -> _Resource:
    arn: str | None = word.text
    found = doctor.examine(word.text)
    if found and found[0].code == "INVALID_ARN_PREFIX" and " " not in word.text:
        # What does not begin like an ARN has no parts to speak of.
        found = found[:1]
    for each in found:
        is_doubt = not each.is_error or _is_doubted(each, word.text)
        weight = FindingType.SUGGESTION if is_doubt else FindingType.ERROR
        note(each, word, problems, weight)
        arn = each.corrected if each.is_error else arn
    return _Resource(word, arn)


def _is_doubted(each: arn_doctor.Diagnosis, arn: str) -> bool:
    """Whether the ARN is a pattern that fits no format known, and nothing near it does; or the path of a request.

    AWS does not tell such patterns, which its own managed policies have (`listener/awseb-*`), nor paths such as
    `/tags` of API Gateway, of which the reference lists a part.
    """
    resource = arn.split(":", 5)[-1]
    if each.code != "INVALID_ARN_RESOURCE":
        return False
    if resource.startswith("/"):
        return each.corrected is None or each.corrected.startswith(f"{arn}/")
    is_pattern = ("*" in resource or "?" in resource) and not resource.startswith(":")
    return is_pattern and each.corrected is None


def note(each: arn_doctor.Diagnosis, word: Word, problems: Problems, weight: FindingType) -> None:
    """Note one fault of an ARN."""
    message = f"`{shown(word.text, 120)}`: {each}"
    problems.add(each.code, message, word.path, word.node, corrected=each.corrected, finding_type=weight)


def _check_values(statement: StatementWords, doctor: Doctor, problems: Problems) -> None:
    """Note faults of the fields of ARNs that stand as values of ARN operators; what they name is not judged."""
    for operator, key, values in statement.condition_keys():
        # A key that holds a KMS key has a check of its own.
        is_arn = "arn" in operator.lower() and "kms" not in key.text.lower()
        for word in values if is_arn else ():
            if word.text != "*":
                _note_fields(word, doctor, problems)


def _note_fields(word: Word, doctor: Doctor, problems: Problems) -> None:
    for each in doctor.examine(word.text):
        if each.is_error and each.code in _FIELD_CODES:
            note(each, word, problems, FindingType.WARNING)


def _check_pairs(actions: list[Word], resources: list[_Resource], doctor: Doctor, problems: Problems) -> None:
    if any(resource.arn == "*" for resource in resources):
        return
    known = [word for word in actions if doctor.catalog.mask(word.text)]
    if len(known) < len(actions) or any(resource.arn is None for resource in resources):
        # What an unknown action works on, and what a lost ARN names, is not known.
        return
    works = {
        (word.text, str(resource.arn)): doctor.works(word.text, str(resource.arn))
        for word in known
        for resource in resources
    }
    is_doubtful = any(works.values()) or _are_any(resources, known, doctor) or _are_tags(known, doctor)
    weight = FindingType.WARNING if is_doubtful else FindingType.ERROR
    unused = [each for each in resources if not any(works[word.text, str(each.arn)] for word in known)]
    for resource in unused[:MOST_TOLD]:
        _tell_unused(resource, known, weight, doctor, problems)
    idle = [word for word in known if not any(works[word.text, str(each.arn)] for each in resources)]
    named = [word for word in idle if _is_told(word.text, unused, doctor)]
    if named:
        _tell_idle(named, resources, weight, doctor, problems)


def _are_any(resources: list[_Resource], actions: list[Word], doctor: Doctor) -> bool:
    """Whether the resources are patterns that end openly, for actions of which AWS's reference lists no resource.

    Some such requests name a resource after all, as iam:ListRoles names `role/`: sixty policies of AWS rely on it.
    """
    is_open = all(str(each.arn).endswith("*") for each in resources)
    return is_open and any(doctor.catalog.is_wildcard_only(word.text) for word in actions)


def _are_tags(actions: list[Word], doctor: Doctor) -> bool:
    """Whether an action is about tags, of which the reference lists the resources incompletely."""
    found = [doctor.catalog.action(word.text) for word in actions]
    return any(each is not None and (each.access_level == "Tagging" or "Tags" in each.name) for each in found)


def _is_told(action: str, unused: list[_Resource], doctor: Doctor) -> bool:
    """Whether an action without a resource is worth a word: not when a resource beside it was just told to be meant."""
    found = doctor.catalog.action(action)
    if found is None or found.access_level == "Tagging":
        # The catalogue's resource types of tagging actions are incomplete.
        return False
    return not any(doctor.advice(str(each.arn), [action]) for each in unused)


def _tell_unused(
    resource: _Resource, actions: list[Word], weight: FindingType, doctor: Doctor, problems: Problems
) -> None:
    arn = str(resource.arn)
    named = [word.text for word in actions if doctor.catalog.action(word.text) is not None]
    each = doctor.advice(arn, named)
    meant = each.corrected if each is not None else None
    if named and all(map(doctor.catalog.is_wildcard_only, named)):
        each, meant = doctor.mismatch(arn, named[0]), "*"
    elif each is None and len(actions) == len(named) == 1:
        each = doctor.mismatch(arn, named[0])
    message = f"`{shown(arn, 120)}`: {each or 'no action of the statement works on it'}"
    word = resource.word
    problems.add(
        arn_doctor.NOT_FOR_ACTION, message, word.path, word.node, corrected=meant, finding_type=weight
    )


def _tell_idle(
    idle: list[Word], resources: list[_Resource], weight: FindingType, doctor: Doctor, problems: Problems
) -> None:
    """Note the actions that work on none of the resources: the first with what it lacks, the others by name."""
    first = idle[0]
    service = first.text.partition(":")[0].lower()
    arns = [str(each.arn) for each in resources]
    near = [arn for arn in arns if arn.split(":")[2:3] == [service]] or arns
    each = next((found for arn in near[:MOST_TOLD] if (found := doctor.advice(arn, [first.text]))), None)
    each = each or doctor.mismatch(near[0], first.text)
    if each is None:
        return
    others = ", ".join(f"`{word.text}`" for word in idle[1 : MOST_TOLD + 1])
    more = f"; the same of {others}{' and others' if len(idle) > MOST_TOLD + 1 else ''}" if others else ""
    if doctor.catalog.is_wildcard_only(first.text):
        message = f'{each.message}; give it a statement of its own with `"Resource": "*"`{more}'
        problems.add(arn_doctor.NOT_FOR_ACTION, message, first.path, first.node, finding_type=weight)
        return
    hint = f"; add `{each.corrected}` to the resources" if each.corrected else ""
    problems.add(
        MISSING_FOR_ACTION,
        f"{each.message}{hint}{more}",
        first.path,
        first.node,
        corrected=each.corrected,
        finding_type=weight,
    )


class Doctor:
    """The ARN doctor of one document: what was asked once is remembered, since policies repeat their ARNs."""

    def __init__(self, catalog: Catalog) -> None:
        """Ask the catalogue."""
        self.catalog = catalog
        self._examined: dict[str, tuple[arn_doctor.Diagnosis, ...]] = {}
        self._mismatches: dict[tuple[str, str], arn_doctor.Diagnosis | None] = {}
        self._types: dict[tuple[str, str], frozenset[str]] = {}
        self._targets: dict[str, dict[str, set[str]]] = {}

    def examine(self, arn: str) -> tuple[arn_doctor.Diagnosis, ...]:
        """What is wrong with the ARN by itself."""
        found = self._examined.get(arn)
        if found is None:
            found = self._examined[arn] = arn_doctor.examine(arn, catalog=self.catalog)
        return found

    def mismatch(self, arn: str, action: str) -> arn_doctor.Diagnosis | None:
        """What keeps the action from working on what the ARN names."""
        place = arn, action
        if place not in self._mismatches:
            self._mismatches[place] = arn_doctor.mismatch(arn, action, self.catalog)
        return self._mismatches[place]

    def advice(self, arn: str, actions: list[str]) -> arn_doctor.Diagnosis | None:
        """The mismatch of the first of the actions for which there is a better ARN than this one."""
        found = [self.mismatch(arn, action) for action in actions[:MOST_TOLD]]
        return next((each for each in found if each is not None and each.corrected not in {None, "*"}), None)

    def works(self, action: str, arn: str) -> bool:
        """Whether some action that the text stands for works on something that the ARN names."""
        if arn == "*" or action == "*":
            return True
        targets = self._targets.get(action)
        if targets is None:
            targets = self._targets[action] = self._targets_of(action)
        return targets == {} or any(
            kinds & self._types_of(arn, service) for service, kinds in targets.items()
        )

    def _targets_of(self, action: str) -> dict[str, set[str]]:
        """The resource types that the actions work on, by service; empty where there are too many actions to ask."""
        mask = self.catalog.mask(action)
        found: dict[str, set[str]] = {}
        for name in self.catalog.names(mask) if mask.bit_count() <= _WIDE else ():
            each = self.catalog.action(name)
            if each is not None:
                found.setdefault(each.service, set()).update(resource.name for resource in each.resources)
        return found

    def _types_of(self, arn: str, service: str) -> frozenset[str]:
        place = arn, service
        found = self._types.get(place)
        if found is None:
            found = self._types[place] = arn_overlap.types(arn, service, self.catalog)
        return found
