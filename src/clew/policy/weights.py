"""How much each problem weighs: as AWS's catalogue has it, less where the data that call a name wrong are old."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.aws import regions
from clew.policy.lint.catalogue import ENTRIES
from clew.policy.model import FindingType

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from clew.aws.catalog import Catalog
    from clew.policy.model import Problem

OLD_DAYS: Final = 90
"""From how many days on a catalogue is too old to call an unknown name an error; AWS adds some seven actions a day."""

_BY_CATALOGUE: Final = frozenset(
    {
        "INVALID_ACTION", "INVALID_SERVICE_IN_ACTION", "INVALID_SERVICE", "INVALID_GLOBAL_CONDITION_KEY",
        "INVALID_SERVICE_CONDITION_KEY",
    }
)  # fmt: skip
_BY_REGIONS: Final = frozenset({"INVALID_REGION", "INVALID_ARN_REGION"})


def weighed(problems: Iterable[Problem], catalog: Catalog, today: date | None) -> tuple[Problem, ...]:
    """The problems with AWS's weights; a weight that its finder lowered stays so."""
    return tuple(_weighed(each, catalog, today) for each in problems)


def _weighed(problem: Problem, catalog: Catalog, today: date | None) -> Problem:
    entry = ENTRIES.get(problem.code)
    if entry is None:
        return problem
    order = list(FindingType)
    weight = max(entry.finding_type, problem.finding_type, key=order.index)
    age = _age_days(problem.code, catalog, today)
    if age is not None and age > OLD_DAYS and weight is FindingType.ERROR:
        message = f"{problem.message}; what this goes by is {age} days old, so AWS may know it"
        return problem._replace(finding_type=FindingType.WARNING, message=message)
    return problem if weight is problem.finding_type else problem._replace(finding_type=weight)


def _age_days(code: str, catalog: Catalog, today: date | None) -> int | None:
    """How old the data are by which the code is told; None when it goes by none, or when nobody asks."""
    if today is None or (code not in _BY_CATALOGUE | _BY_REGIONS):
        return None
    return (today - regions.UPDATED).days if code in _BY_REGIONS else catalog.source.age_days(today)
