"""Case files as they are written, read by libyaml where it is built: ten times as fast as reading them in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_case_file(file: Path) -> Any:
    """What the YAML file holds."""
    return yaml.load(file.read_text(encoding="utf-8"), _LOADER)  # noqa: S506  # a safe loader either way


def read_documents(file: Path) -> tuple[Any, ...]:
    """What each document of the YAML file holds."""
    return tuple(yaml.load_all(file.read_text(encoding="utf-8"), _LOADER))  # as above
