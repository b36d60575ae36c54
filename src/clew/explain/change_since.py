"""What changed since it last worked: the last like call that went through, and who wrote a consulted policy after it.

Like is a call of the same principal, or of the same role, to the same operation on the same resource. Consulted are the
policies that took part in the decision, and whoever has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.errors import ClewError
from clew.events.category import Category
from clew.events.channel import channel
from clew.events.identity import Mfa, principal
from clew.events.outcome import Result
from clew.events.paths import text_at
from clew.explain.fix_drafts import role_arn
from clew.explain.taking_part import taking_part, unlisted
from clew.lake.coverage import Question, blind_spots
from clew.lake.history.effects import WRITES, Effect
from clew.lake.history.filters import Filters
from clew.lake.history.search import find

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from clew.engine import Request
    from clew.lake.history.entries import Entry
    from clew.lake.reader import Lake
    from clew.reach.predict import Prediction

    Event = Mapping[str, object]

_MOST_READ = 500
# A name alone may be something else's in another service.
_ORGANIZATION = ("organizations.amazonaws.com",)
_MOST_TOLD = 6
# Calls that decide about access although their names say nothing of it. AWS: the API reference of each service.
_ALSO = frozenset({
    "SetTopicAttributes", "SetQueueAttributes", "TagUser", "UntagUser", "TagRole", "UntagRole", "TagResource",
    "UntagResource", "PutBucketTagging", "CreateUser", "DeleteUser", "CreateRole", "DeleteRole", "MoveAccount",
    "DisableKey", "EnableKey", "ScheduleKeyDeletion", "CancelKeyDeletion", "ModifyVpcEndpoint", "UpdateUser",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Since:
    """What the lake knows of the time before a refusal.

    Units: `until` is the refusal's time (None: now, for a text that says none); UTC. Shape: `worked` is None where no
    like call went through in what the lake holds; `changes` are the latest first, `more` were left out. `consulted` are
    the ARNs whose changes were looked for; `differs` says how the refused call was unlike the one that went through;
    `unseen` what the lake cannot have seen, a sentence each.
    """

    worked: Entry | None
    changes: tuple[Entry, ...]
    consulted: tuple[str, ...]
    until: datetime | None = None
    more: int = 0
    differs: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


def since(lake: Lake, prediction: Prediction, operation: str = "", until: datetime | None = None) -> Since:
    """The last like call that went through before the moment, and the changes after it."""
    request = prediction.request
    name = operation or request.action.partition(":")[2]
    worked = _worked(lake, request, name, until)
    consulted = tuple(dict.fromkeys(taking_part(prediction)))
    after = worked.time if worked is not None else None
    names = tuple(dict.fromkeys(unlisted(prediction)))
    found = (*_changes(lake, consulted, after, until), *_changes(lake, names, after, until, _ORGANIZATION))
    found = tuple(sorted(found, key=lambda entry: entry.time, reverse=True))
    unseen = () if worked is not None and found else tuple(_unseen(lake, request, name, until))
    return Since(worked, found[:_MOST_TOLD], consulted, until, max(0, len(found) - _MOST_TOLD), unseen)


def _worked(lake: Lake, request: Request, operation: str, until: datetime | None) -> Entry | None:
    resource = request.resource if request.resource.startswith("arn:") and "*" not in request.resource else ""
    wanted = Filters(
        users=(role_arn(request.principal),),
        event_names=(operation,),
        resources=(resource,) if resource else (),
        until=until,
    )
    return next(
        (
            each
            for each in find(lake, wanted, limit=_MOST_READ).entries
            if each.outcome.result is Result.SUCCESS
        ),
        None,
    )


def differing(worked: Entry, event: Event) -> Iterator[str]:
    """How a call was unlike the one that went through: key, address, endpoint, MFA, tool, as far as both say it."""
    caller = principal(event)
    pairs = (
        ("access key", caller.access_key, worked.who.access_key),
        ("source address", text_at(event, "sourceIPAddress"), worked.source_ip),
        ("VPC endpoint", text_at(event, "vpcEndpointId"), worked.vpc_endpoint),
        ("MFA", _told(caller.mfa), _told(worked.who.mfa)),
        ("region", text_at(event, "awsRegion"), worked.region),
        ("tool", str(channel(event)), str(worked.channel)),
    )
    yield from (
        f"{name} `{now}` instead of `{then}`" for name, now, then in pairs if now and then and now != then
    )


def _told(mfa: Mfa) -> str:
    return "" if mfa is Mfa.UNKNOWN else mfa.value


def _changes(
    lake: Lake,
    consulted: tuple[str, ...],
    after: datetime | None,
    until: datetime | None,
    sources: tuple[str, ...] = (),
) -> tuple[Entry, ...]:
    """The calls, to these event sources only, that wrote one of them and went through, the latest first."""
    if not consulted:
        return ()
    wanted = Filters(
        resources=consulted, effects=tuple(sorted(WRITES)), event_sources=sources, since=after, until=until
    )
    return tuple(each for each in find(lake, wanted, limit=_MOST_READ).entries if _decides(each))


def _decides(entry: Entry) -> bool:
    is_about_access = entry.effect is Effect.PERMISSIONS or entry.event_name in _ALSO
    went_through = entry.outcome.result is Result.SUCCESS
    return went_through and is_about_access and entry.category is not Category.DATA


def _unseen(lake: Lake, request: Request, operation: str, until: datetime | None) -> Iterator[str]:
    """What the lake cannot have seen of like calls and of changes."""
    fields = request.principal.split(":", 5)
    question = Question(
        until=until,
        accounts=(fields[4],) if len(fields) > 4 and fields[4] else (),  # noqa: PLR2004  # an ARN has six parts
        event_sources=(f"{request.action.partition(':')[0].lower()}.amazonaws.com",),
        event_names=(operation,),
        resources=(request.resource,) if request.resource.startswith("arn:") else (),
        global_calls=True,
    )
    try:
        spots = blind_spots(lake, question)
    except ClewError as error:
        yield str(error)
        return
    yield from (f"{spot.what}: {spot.why}" for spot in spots[:3])
