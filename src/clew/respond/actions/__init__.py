"""Every action, by its id."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.errors import UsageError
from clew.respond.actions import analyzer, cloudtrail, config, flow_logs, iam, kms, s3, security_groups
from clew.respond.model import Action

if TYPE_CHECKING:
    from collections.abc import Mapping

ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        value.id: value
        for module in (s3, iam, cloudtrail, kms, security_groups, flow_logs, config, analyzer)
        for value in vars(module).values()
        if isinstance(value, Action)
    }
)


def named(identity: str) -> Action:
    """The action of that id; `UsageError` when there is none."""
    if identity not in ACTIONS:
        raise UsageError(f"no action `{identity[:80]}`; known are {', '.join(sorted(ACTIONS))}")
    return ACTIONS[identity]
