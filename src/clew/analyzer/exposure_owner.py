"""Policy variables about the owner of a resource, filled in: of one resource they have one value.

`aws:ResourceAccount` is the owner's account and `aws:ResourceOrgID` its organisation, so a condition that compares the
caller's with them says whose callers are let in. AWS: IAM User Guide: "AWS global condition context keys".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.analyzer.exposure_model import Zone
    from clew.policy.model import Condition, Policy

_WITH_VARIABLES: Final = "2012-10-17"
# The caller's key that says the same of the caller as the owner's key does of the owner.
_CALLERS: Final = {"aws:resourceaccount": "aws:PrincipalAccount", "aws:resourceorgid": "aws:PrincipalOrgID"}
_VARIABLE: Final = re.compile(r"\$\{(aws:Resource(?:Account|OrgID))\}", re.IGNORECASE)


def grounded(policy: Policy, owner: str, zone: Zone) -> Policy:
    """The policy of a resource of this owner, or one above it, with what is certain of the owner filled in."""
    if policy.version != _WITH_VARIABLES:
        return policy
    known = {"aws:resourceaccount": owner} | (
        {"aws:resourceorgid": zone.organization} if zone.organization else {}
    )
    return policy._replace(
        statements=tuple(
            each._replace(conditions=tuple(_condition(line, known) for line in each.conditions))
            for each in policy.statements
        )
    )


def _condition(line: Condition, known: Mapping[str, str]) -> Condition:
    key = line.key.lower()
    callers = _CALLERS.get(key, "")
    if key in known and [value.lower() for value in line.values] == [f"${{{callers.lower()}}}"]:
        # The owner's is compared with the caller's: the same as the other way round.
        return line._replace(key=callers, values=(known[key],))
    return line._replace(values=tuple(_filled(value, known) for value in line.values))


def _filled(value: str, known: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: known.get(found[1].lower(), found[0]), value)
