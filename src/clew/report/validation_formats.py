"""Every format in which validated policies are written: name → a function that gives the whole text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.report import validation_aws, validation_json, validation_sarif, validation_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clew.policy.files import ValidatedFile

FORMATS: dict[str, Callable[[Sequence[ValidatedFile]], str]] = {
    "text": validation_text.render,
    "json": validation_json.render,
    "aws": validation_aws.render,
    "sarif": validation_sarif.render,
}


def render(files: Sequence[ValidatedFile], name: str) -> str:
    """The files in that format; KeyError for a name that is not in FORMATS."""
    return FORMATS[name](files)
