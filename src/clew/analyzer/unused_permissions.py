"""Services and actions that a user or role is granted and did not use within a window.

Granted is what Allow statements name, less what a Deny takes back everywhere, within the boundary; conditions and
resources are not weighed. Used is what last-accessed data of IAM, or recorded calls that cover the window, tell. Of
actions that leave no event nothing is concluded. AWS: IAM User Guide: "Refine permissions in AWS using last accessed
information"; IAM API Reference: "ServiceLastAccessed".
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from clew.analyzer.unused_advice import is_of_identity_center, steps
from clew.analyzer.unused_model import Kind, Open, Unused, Used, Window, moment
from clew.aws import catalog
from clew.engine.principal import parse_principal
from clew.reach.attached import held
from clew.reach.identity import identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from clew.analyzer.unused import Given
    from clew.analyzer.unused_model import Activity
    from clew.policy.model import Policy, Statement
    from clew.reach.attached import Attachment
    from clew.snapshot.answers import Answer
    from clew.snapshot.model import Account

_ACCESSED: Final = "iam:GetServiceLastAccessedDetails"
_SERVICE_LINKED: Final = ":role/aws-service-role/"
# AWS: IAM User Guide: "Refine permissions in AWS using last accessed information": the tracking period.
_TRACKED_DAYS: Final = 400


@dataclass(frozen=True, slots=True)
class Granted:
    """The actions that a principal is granted, by service, in lower case; and its policies in their places."""

    by_service: Mapping[str, frozenset[str]]
    policies: tuple[tuple[Attachment, Policy], ...]


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
    told = next((each for each in _tellings(given) if _is_about(each, arn)), None)
    activity = given.activity
    if told is not None and told.status.is_known:
        return _beside(_accessed(told, window), activity, arn)
    if activity is None:
        return "neither last-accessed data nor recorded calls are at hand"
    if not activity.covers:
        return f"recorded calls do not cover the window: {activity.missing[0]}"
    found = activity.by_principal.get(arn) or Used(source="recorded calls", unseen=activity.unseen)
    return replace(found, silent=_silent("recorded_calls"))


def _beside(found: Used | str, activity: Activity | None, arn: str) -> Used | str:
    """Last-accessed data with what recorded calls show as used, which holds whatever the lake covers."""
    calls = activity.by_principal.get(arn) if activity is not None else None
    if calls is None or isinstance(found, str):
        return found
    services, actions = found.services | calls.services, found.actions | calls.actions
    return replace(found, services=services, actions=actions, source=f"{found.source} and recorded calls")


def _tellings(given: Given) -> Iterator[Answer]:
    return given.answers.each("iam", "GetServiceLastAccessedDetails", given.account)


def _is_about(told: Answer, arn: str) -> bool:
    """Whether the answer is about the principal; a file's name leaves out the path, without which names are unique."""
    about = dict(told.call.parameters).get("Arn", "").partition(":iam:")[2]
    own = arn.partition(":iam:")[2]
    return about in {own, f"{own.partition('/')[0]}/{own.rpartition('/')[2]}"}


@cache
def _silent(source: str) -> frozenset[str]:
    """The actions, in lower case, about which the evidence is always silent."""
    text = files("clew.analyzer").joinpath("unused_silent.toml").read_text(encoding="utf-8")
    aws = catalog.current()
    lists = tomllib.loads(text)
    found = aws.names(aws.actions_matching(*lists[source], *lists["neither"]).mask)
    return frozenset(name.lower() for name in found)


def _accessed(told: Answer, window: Window) -> Used | str:
    """The services, and of some the actions, that last-accessed data shows within the window."""
    state = (told.body or {}).get("JobStatus", "COMPLETED")
    if state != "COMPLETED":
        return f"the job of {_ACCESSED} ended as {state}"
    if window.days > _TRACKED_DAYS:
        return f"last-accessed data is told for {_TRACKED_DAYS} days only"
    services, actions, tracked = set(), set(), set()
    listed = told.list("ServicesLastAccessed")
    for service in listed:
        name = str(service.get("ServiceNamespace"))
        if _within(service.get("LastAuthenticated"), window):
            services.add(name)
        found = service.get("TrackedActionsLastAccessed")
        for action in found if isinstance(found, list) else ():
            full = f"{name}:{action.get('ActionName')}".lower()
            tracked.add(full)
            if _within(action.get("LastAccessedTime"), window):
                actions.add(full)
    return Used(
        frozenset(services),
        frozenset(actions),
        frozenset(action.partition(":")[0] for action in tracked),
        source=_ACCESSED,
        listed=frozenset(str(service.get("ServiceNamespace")) for service in listed),
        tracked=frozenset(tracked),
        silent=_silent("last_accessed"),
    )


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
    granted = aws.names(_allowed(policies.policies) & limit & ~denied & _all())
    by_service: dict[str, set[str]] = {}
    for name in granted:
        by_service.setdefault(name.partition(":")[0], set()).add(name.lower())
    own = tuple(zip(policies.attachments, policies.policies, strict=True))
    return Granted({service: frozenset(each) for service, each in by_service.items()}, own)


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
    services: list[str] = []
    actions: list[str] = []
    for name, names in sorted(granted.by_service.items()):
        if used.is_open(name):
            continue
        if name in used.services:
            left = names - used.actions if name in used.by_action else frozenset()
            actions += sorted(action for action in left if used.is_told(action))
        elif names & used.silent:
            # Something of it may have been used without a trace: the rest is told one by one.
            actions += sorted(names - used.silent)
        else:
            services.append(name)
    if services or actions:
        yield _finding(given, arn, granted, used, created, services, actions)


def _finding(
    given: Given,
    arn: str,
    granted: Granted,
    used: Used,
    created: datetime | None,
    services: list[str],
    actions: list[str],
) -> Unused:
    silent, single = frozenset(services), frozenset(actions)
    found = steps(granted.policies, lambda name: name.partition(":")[0] in silent or name in single)
    advice = "; ".join(step.words for step in found) or "take it out of the policies that grant it"
    where = "in its permission set in IAM Identity Center " if is_of_identity_center(arn) else ""
    return Unused(
        Kind.PERMISSION,
        arn,
        given.account,
        used.source,
        f"{where}{advice}; or see what `clew generate-policy {arn}` makes of the recorded calls",
        created=created,
        services=tuple(services),
        actions=tuple(_spelled(name) for name in actions),
        steps=found,
    )


def _spelled(action: str) -> str:
    """The action as AWS spells it."""
    known = catalog.current().action(action)
    return known.full_name if known is not None else action
