"""The recorded calls around a refused one: of its key, of permissions before it, and how its session began."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from clew.events.paths import text_at
from clew.events.times import parse_time
from clew.explain.around import SETTLES, TOGETHER, begun
from clew.lake.history.effects import Effect
from clew.lake.history.filters import Filters
from clew.lake.history.search import originals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.lake.reader import Lake

    Event = Mapping[str, object]

_MOST = 200
_MINUTE = timedelta(minutes=1)
_KEY_CALLS = (
    "Decrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "Encrypt",
    "ReEncrypt",
    "CreateGrant",
)
_BEGINNINGS = ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "GetFederationToken")


def around(lake: Lake, event: Event) -> list[Event]:
    """What the lake has of the time of the call, by three narrow questions; empty where the call tells no time."""
    texts = [text for wanted in _questions(event) for text in originals(lake, wanted, limit=_MOST)]
    return [json.loads(text) for text in dict.fromkeys(texts)]


def _questions(event: Event) -> Iterator[Filters]:
    moment = parse_time(text_at(event, "eventTime"))
    if moment is None:
        return
    yield Filters(event_names=_KEY_CALLS, denied=True, since=moment - TOGETHER, until=moment + TOGETHER)
    yield Filters(effects=(Effect.PERMISSIONS,), since=moment - SETTLES, until=moment + timedelta(seconds=1))
    made = begun(event)
    if made is not None:
        yield Filters(event_names=_BEGINNINGS, since=made - _MINUTE, until=made + _MINUTE)
