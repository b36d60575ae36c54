"""Sets of actions in words: the fewest patterns that say them, and their access levels."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from clew.aws import catalog
from clew.engine.services import es, kms, outsiders
from clew.reach.witnesses import actions_on, fits, kinds_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clew.policy.model import Statement

LEVELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "List": "List",
        "Read": "Read",
        "Write": "Write",
        "Permissions management": "Permissions",
        "Tagging": "Tagging",
    }
)
"""The access levels of the catalogue, each with the name that IAM Access Analyzer for S3 gives it, in its order."""

# A role's trust policy is about actions of another service than the one that its ARN names.
_SERVICES: Final[Mapping[str, str]] = MappingProxyType({"iam": "sts"})
_ASSUME: Final = "sts:AssumeRole"


def service_of(arn: str) -> str:
    """The service whose actions the policy of the resource is about.

    >>> service_of("arn:aws:iam::111122223333:role/ci"), service_of("arn:aws:s3:::payroll")
    ('sts', 's3')
    """
    service = arn.split(":")[2]
    return _SERVICES.get(service, service)


def levels(actions: Iterable[str]) -> tuple[str, ...]:
    """The access levels of the actions, in AWS's order.

    >>> levels(["s3:GetObject", "s3:PutBucketPolicy"])
    ('Read', 'Permissions')
    """
    aws = catalog.current()
    known = (aws.action(name) for name in actions)
    found = {each.access_level for each in known if each is not None}
    return tuple(short for level, short in LEVELS.items() if level in found)


# Policies grant few different sets of actions. benchmarks/exposure.py, 2,000 resources: 1.3 s, without 3.0 s.
@lru_cache(maxsize=4096)
def in_words(
    actions: frozenset[str], patterns: tuple[str, ...], everything: tuple[str, ...]
) -> tuple[str, ...]:
    """The actions as few patterns: those of `patterns` that are granted wholly, then single names.

    `everything` are all actions that a policy of the kind can grant.

    >>> all_of = ("sqs:ReceiveMessage", "sqs:SendMessage")
    >>> in_words(frozenset(["sqs:SendMessage"]), ("sqs:Send*", "sqs:*"), all_of)
    ('sqs:Send*',)
    """
    aws = catalog.current()
    possible = frozenset(everything)
    kept: list[str] = []
    said: set[str] = set()
    for pattern in sorted(patterns, key=lambda each: -len(aws.names(aws.actions_matching(each).mask))):
        meant = possible.intersection(aws.names(aws.actions_matching(pattern).mask))
        if meant and meant <= actions and not meant <= said:
            kept.append(pattern)
            said |= meant
    return tuple(sorted((*kept, *(actions - said))))


@lru_cache(maxsize=256)
def everything_on(service: str, kinds: frozenset[str]) -> tuple[str, ...]:
    """All actions of the service on resources of these types that a policy can give to another account at all."""
    aws = catalog.current()
    names = aws.names(aws.mask(f"{service}:*") & ~aws.wildcard_only)
    return tuple(name for name in names if fits(name, kinds) and _is_given(name.lower()))


def _is_given(action: str) -> bool:
    confined = outsiders.is_confined(action) or es.is_about_configuration(action)
    return action != kms.RETIRE and not confined


def granted(statement: Statement, service: str, witness: str) -> tuple[str, ...]:
    """The actions that the statement is about and that work on the witness."""
    possible = frozenset(everything_on(service, kinds_of(witness)))
    found = tuple(name for name in actions_on(statement, service) if name in possible)
    # Tags and names of a session are nothing without the session.
    return found if service != "sts" or any(name.startswith(_ASSUME) for name in found) else ()
