"""An analyzer of external access in a region."""

from __future__ import annotations

from clew.respond.aspects.analyzer import EXTERNAL_ACCESS_ANALYZERS
from clew.respond.model import Action, Options, State, Step, Target

_NAME = "clew-external-access"


def _create(target: Target, options: Options, state: State) -> tuple[Step, ...]:
    found = state.of(EXTERNAL_ACCESS_ANALYZERS, target.place)
    if any(analyzer["status"] in {"ACTIVE", "CREATING"} for analyzer in found):
        return ()
    made = {"analyzerName": options.get("name", _NAME), "type": "ACCOUNT", "status": "ACTIVE"}
    return state.to(EXTERNAL_ACCESS_ANALYZERS, target.place, [*found, made])


CREATE_ANALYZER = Action(
    "create-analyzer",
    "Watch a region for access from outside the account",
    "region",
    "none known: an analyzer of external access costs nothing",
    lambda target, _: ((EXTERNAL_ACCESS_ANALYZERS, target.place),),
    _create,
    {"name": f"the analyzer's name; {_NAME} by default"},
)
