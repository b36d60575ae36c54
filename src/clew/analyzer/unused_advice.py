"""What to do about unused permissions, policy by policy: take one off, or put a smaller one in its place.

AWS: IAM Access Analyzer API Reference: "UnusedPermissionsRecommendedStep", whose two actions these are.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from clew.aws import catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from clew.policy.model import Policy, Statement
    from clew.reach.attached import Attachment

_MOST_NAMES: Final = 40
_OF_SIGN_IN: Final = ":role/aws-reserved/sso.amazonaws.com/"
_ALL_ACTIONS: Final = "*"


class Doing(StrEnum):
    """The two recommended actions, in AWS's words."""

    CREATE = "CREATE_POLICY"
    DETACH = "DETACH_POLICY"


@dataclass(frozen=True, slots=True)
class Step:
    """What to do with one policy; `policy` is the smaller document, `holder` whose the policy is, as in `group ops`."""

    doing: Doing
    existing: str
    holder: str
    policy: Policy | None = None

    @property
    def words(self) -> str:
        """The step as a clause."""
        where = f" from {self.holder}" if self.holder else ""
        if self.doing is Doing.DETACH:
            return f"take `{self.existing}` off{where}: nothing of it was used"
        whose = f" of {self.holder}" if self.holder else ""
        return f"replace `{self.existing}`{whose} by the smaller document that `--output json` holds"


def is_of_identity_center(arn: str) -> bool:
    """Whether the role is one that IAM Identity Center keeps, which IAM itself lets nobody change or delete."""
    return _OF_SIGN_IN in arn


def steps(
    policies: Iterable[tuple[Attachment, Policy]], is_unused: Callable[[str], bool]
) -> tuple[Step, ...]:
    """A step for each policy that grants something unused; `is_unused` tells of an action's name in lower case."""
    return tuple(
        step for attachment, policy in policies for step in _of_policy(attachment, policy, is_unused)
    )


def _of_policy(attachment: Attachment, policy: Policy, is_unused: Callable[[str], bool]) -> Iterator[Step]:
    kept = reduced(policy, is_unused)
    if kept == policy:
        return
    existing = attachment.arn or attachment.name
    if any(each.allows for each in kept.statements):
        yield Step(Doing.CREATE, existing, attachment.holder, kept)
    else:
        yield Step(Doing.DETACH, existing, attachment.holder)


def reduced(policy: Policy, is_unused: Callable[[str], bool]) -> Policy:
    """The policy without the unused actions of its Allow statements, as far as that can be written readably.

    It never allows more than the policy, and everything that is not known to be unused is still allowed.
    """
    kept = tuple(made for each in policy.statements if (made := _statement(each, is_unused)) is not None)
    return policy._replace(statements=kept)


def _statement(statement: Statement, is_unused: Callable[[str], bool]) -> Statement | None:
    if not statement.allows or statement.actions is None:
        return statement
    actions = tuple(dict.fromkeys(each for one in statement.actions for each in _pattern(one, is_unused)))
    if not actions:
        return None
    return statement if actions == statement.actions else statement._replace(actions=actions)


def _pattern(pattern: str, is_unused: Callable[[str], bool]) -> Iterator[str]:
    """The pattern where all of it stays; else, service by service, what stays of it."""
    aws = catalog.current()
    names = aws.names(aws.actions_matching(pattern).mask)
    kept = [name for name in names if not is_unused(name.lower())]
    # What the catalogue does not know is left as it is written.
    if len(kept) == len(names):
        yield pattern
        return
    by_service: dict[str, list[str]] = {}
    for name in names:
        by_service.setdefault(name.partition(":")[0], []).append(name)
    for service, all_of_it in by_service.items():
        left = [name for name in all_of_it if not is_unused(name.lower())]
        if len(left) == len(all_of_it) or len(left) > _MOST_NAMES:
            yield _within(pattern, service)
        else:
            yield from left


def _within(pattern: str, service: str) -> str:
    """The pattern, narrowed to one service.

    >>> _within("*", "s3"), _within("s3:Get*", "s3")
    ('s3:*', 's3:Get*')
    """
    return f"{service}:*" if pattern == _ALL_ACTIONS else f"{service}:{pattern.partition(':')[2]}"
