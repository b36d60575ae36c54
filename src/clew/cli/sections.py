"""The list of commands in `clew --help`, by the question that each answers."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Mapping

SECTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Who did what": ("investigate", "ingest", "events", "sql", "coverage", "detect", "rules", "lake"),
        "Who can do what, and why not": (
            "explain",
            "simulate",
            "who-can",
            "what-can",
            "paths",
            "replay",
            "exposure",
            "unused",
            "generate-policy",
            "grant",
        ),
        "Is this policy right": ("validate", "check", "diff", "policy", "arn"),
        "Is it as it should be": (
            "collect",
            "snapshot",
            "audit",
            "config",
            "fix",
            "block-public-access",
            "findings",
            "suppress",
            "notify",
            "deploy",
        ),
        "Follow it to the cause": ("case",),
        "Clew itself": ("doctor", "catalog"),
    }
)
"""Title → names of commands, in the order in which they are shown; one that is not there yet is left out."""

_LONGEST = 200


class Sectioned(TyperGroup):
    """A group whose help lists its commands by section; what stands in none comes last."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each section that has commands, every command with the first sentence of its help."""
        listed = {name for names in SECTIONS.values() for name in names}
        rest = tuple(name for name in self.list_commands(ctx) if name not in listed)
        for title, names in {**SECTIONS, "Others": rest}.items():
            rows = [
                (name, self.commands[name].get_short_help_str(_LONGEST))
                for name in names
                if name in self.commands
            ]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
