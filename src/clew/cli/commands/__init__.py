"""One module for each command; each has `register(app)`. Where the help shows it: `clew.cli.sections`."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import typer

MODULES: Mapping[str, str] = MappingProxyType(
    {
        "investigate": "investigate",
        "ingest": "ingest",
        "events": "events",
        "coverage": "coverage",
        "detect": "detect",
        "findings": "findings",
        "suppress": "suppress",
        "rules": "rules",
        "collect": "collect",
        "snapshot": "snapshot",
        "config": "config",
        "simulate": "simulate",
        "validate": "validate",
        "check": "check",
        "diff": "diff",
        "arn": "arn",
        "who-can": "who_can",
        "what-can": "who_can",
        "explain": "explain",
        "paths": "paths",
        "policy": "policy",
        "replay": "replay",
        "case": "case",
        "generate-policy": "generate_policy",
        "grant": "grant",
        "audit": "audit",
        "exposure": "exposure",
        "unused": "unused",
        "fix": "fix",
        "block-public-access": "block_public_access",
        "notify": "notify",
        "deploy": "deploy",
        "sql": "sql",
        "lake": "lake",
        "catalog": "catalog",
        "doctor": "doctor",
    }
)
"""Name of a command → the module here that registers it."""


def register(app: typer.Typer, name: str | None = None) -> None:
    """Add the command of this name, and what its module registers beside it; all of them without a name."""
    modules = MODULES.values() if name is None else (MODULES[name],)
    for module in dict.fromkeys(modules):
        import_module(f"{__name__}.{module}").register(app)
