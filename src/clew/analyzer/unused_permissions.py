"""Services and actions that a user or role is granted and did not use within a window.

Granted is what Allow statements name, less what a Deny takes back everywhere, within the boundary; conditions and
resources are not weighed. Used is what last-accessed data of IAM, or recorded calls that cover the window, tell. Of
actions that leave no event nothing is concluded. AWS: IAM User Guide: "Refine permissions in AWS using last accessed
information"; IAM API Reference: "ServiceLastAccessed".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.analyzer.unused_model import Kind, Open, Unused, Used, Window, moment
from clew.aws import catalog
from clew.engine.principal import parse_principal
from clew.reach.attached import held
from clew.reach.identity import identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from clew.analyzer.unused import Given
    from clew.policy.model import Policy, Statement
    from clew.snapshot.answers import Answer
    from clew.snapshot.model import Account

_ACCESSED: Final = "iam:GetServiceLastAccessedDetails"
_SERVICE_LINKED: Final = ":role/aws-service-role/"
# AWS: "Understanding IAM Access Analyzer policy generation": the handing on of a role leaves no event of its own.
_WITHOUT_EVENT: Final = frozenset({"iam:passrole"})


@dataclass(frozen=True, slots=True)
class Granted:
    """The actions that a principal is granted, by service, in lower case; the names of the policies with theirs."""

    by_service: Mapping[str, frozenset[str]]
    by_policy: Mapping[str, frozenset[str]]


def permissions(
    given: Given, window: Window, *, skipped: set[str], dates: Mapping[str, datetime]
) -> Iterator[Unused | Open | str]:
    """One finding for each principal with unused permissions; what cannot be told, once for each reason; the young."""
    account = given.snapshot.accounts.get(given.account)
    if account is None:
        return
    unknown: dict[str, list[str]] = {}
    for arn in _principals(account):
        if arn in skipped or _SERVICE_LINKED in arn:
            continue
        if _is_young(dates.get(arn), window):
            yield arn
            continue
        used = _used(given, arn, window)
        granted = _granted(given, arn) if not isinstance(used, str) else used
        if isinstance(used, str) or isinstance(granted, str):
            unknown.setdefault(str(granted), []).append(arn)
        else:
            yield from _compared(given, arn, granted, used, dates.get(arn))
    yield from _untold(given, unknown)


def _principals(account: Account) -> Iterator[str]:
    yield from account.roles
    yield from account.users


def _is_young(created: datetime | None, window: Window) -> bool:
    return created is not None and window.has(created)


def _untold(given: Given, unknown: Mapping[str, list[str]]) -> Iterator[Open]:
    """One row for all principals that are unknown for the same reason."""
    for why, arns in unknown.items():
        one = arns[0] if len(arns) == 1 else ""
        who = "" if one else f"{len(arns)} principals: "
        yield Open(Kind.PERMISSION, given.account, one, f"{who}{why}", (_ACCESSED,))


def _used(given: Given, arn: str, window: Window) -> Used | str:
    """What the principal used; the reason where nobody can tell."""
    told = next(
        (
            each
            for each in given.answers.each("iam", "GetServiceLastAccessedDetails", given.account)
            if dict(each.call.parameters).get("Arn") == arn
        ),
        None,
    )
    if told is not None and told.status.is_known:
        return _accessed(told, window)
    activity = given.activity
    if activity is None:
        return "neither last-accessed data nor recorded calls are at hand"
    if not activity.covers:
        return f"recorded calls do not cover the window: {activity.missing[0]}"
    return activity.by_principal.get(arn) or Used(source="recorded calls", unseen=activity.unseen)


def _accessed(told: Answer, window: Window) -> Used:
    """The services, and of some the actions, that last-accessed data shows within the window."""
    services, actions, tracked = set(), set(), set()
    for service in told.list("ServicesLastAccessed"):
        name = str(service.get("ServiceNamespace"))
        if _within(service.get("LastAuthenticated"), window):
            services.add(name)
        listed = service.get("TrackedActionsLastAccessed")
        for action in listed if isinstance(listed, list) else ():
            tracked.add(name)
            if _within(action.get("LastAccessedTime"), window):
                actions.add(f"{name}:{action.get('ActionName')}".lower())
    return Used(frozenset(services), frozenset(actions), frozenset(tracked), source=_ACCESSED)


def _within(said: object, window: Window) -> bool:
    time = moment(said)
    return time is not None and window.has(time)


def _granted(given: Given, arn: str) -> Granted | str:
    """What the principal's own policies grant; the reason where one of them is not at hand."""
    found = identity(given.snapshot, parse_principal(arn))
    policies, boundaries = held(found.attachments), held(found.boundaries)
    missing = (*policies.missing, *boundaries.missing)
    if missing:
        return missing[0].why
    limit = _allowed(boundaries.policies) if found.boundaries else -1
    denied = _denied((*policies.policies, *boundaries.policies))
    aws = catalog.current()
    names = {
        attachment.name: frozenset(
            name.lower() for name in aws.names(_allowed([policy]) & limit & ~denied & _all())
        )
        for attachment, policy in zip(policies.attachments, policies.policies, strict=True)
    }
    by_service: dict[str, set[str]] = {}
    for name in frozenset().union(*names.values()):
        by_service.setdefault(name.partition(":")[0], set()).add(name)
    return Granted({service: frozenset(each) for service, each in by_service.items()}, names)


def _all() -> int:
    return catalog.current().actions_matching("*").mask


def _allowed(policies: Iterable[Policy]) -> int:
    found = 0
    for policy in policies:
        for statement in policy.statements:
            found |= _mask(statement) if statement.allows else 0
    return found


def _denied(policies: Iterable[Policy]) -> int:
    """What a Deny without conditions takes back on every resource."""
    found = 0
    for policy in policies:
        for statement in policy.statements:
            if not statement.allows and not statement.conditions and statement.resources == ("*",):
                found |= _mask(statement)
    return found


def _mask(statement: Statement) -> int:
    aws = catalog.current()
    if statement.actions is not None:
        return aws.actions_matching(*statement.actions).mask
    return _all() & ~aws.actions_matching(*(statement.not_actions or ())).mask


def _compared(
    given: Given, arn: str, granted: Granted, used: Used, created: datetime | None
) -> Iterator[Unused]:
    services = tuple(
        sorted(name for name in granted.by_service if name not in used.services and name not in used.unseen)
    )
    actions = tuple(
        sorted(
            action
            for name in sorted(used.services & used.by_action & granted.by_service.keys())
            for action in granted.by_service[name] - used.actions - _WITHOUT_EVENT
            if name not in used.unseen
        )
    )
    if services or actions:
        advice = "; ".join(_advice(arn, granted, used))
        yield Unused(
            Kind.PERMISSION,
            arn,
            given.account,
            used.source,
            advice,
            created=created,
            services=services,
            actions=actions,
        )


def _advice(arn: str, granted: Granted, used: Used) -> Iterator[str]:
    """What to do with each policy: take it off where nothing of it was used, else write a smaller one."""
    smaller = []
    for name, actions in granted.by_policy.items():
        services = {action.partition(":")[0] for action in actions}
        if not services & (used.services | used.unseen):
            yield f"detach `{name}`: nothing of it was used"
        else:
            smaller.append(f"`{name}`")
    if smaller:
        yield f"replace {', '.join(smaller)} by what `clew generate-policy {arn}` makes of the recorded calls"
