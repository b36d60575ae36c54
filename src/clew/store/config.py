"""The configuration file: TOML, found upward as `.clew.toml`, else in the user's configuration directory.

Precedence of every setting: command-line option, environment variable `CLEW_<NAME>`, `.clew.toml` in this directory or
one above it, `config.toml` in the user's configuration directory, built-in default.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from clew.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Config:
    """The settings that apply; `path` is the file they came from, if any.

    Units: `memory_limit_mb` and `deadline_seconds` bound one SQL query; `workers` counts decoding processes.
    """

    workspace: str | None = None
    output: str = "table"
    fail_on: str | None = None
    rules: tuple[str, ...] = ()
    memory_limit_mb: int = 512
    deadline_seconds: int = 60
    workers: int | None = None
    path: Path | None = None


_TYPES: dict[str, type] = {
    "workspace": str,
    "output": str,
    "fail_on": str,
    "rules": list,
    "memory_limit_mb": int,
    "deadline_seconds": int,
    "workers": int,
}
_ENVIRONMENT = {name: f"CLEW_{name.upper()}" for name in _TYPES if name != "workspace"}


def load(explicit: str | None = None) -> Config:
    """The settings of the configuration file and the environment; ConfigError names file and key."""
    path = _find(explicit)
    settings: dict[str, object] = {}
    if path is not None:
        settings.update(_read(path))
    settings.update(_environment())
    return Config(**settings, path=path)  # type: ignore[arg-type]  # checked key by key above


def _find(explicit: str | None) -> Path | None:
    named = explicit or os.environ.get("CLEW_CONFIG")
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise ConfigError(f"configuration file `{path}` does not exist")
        return path
    here = Path.cwd()
    candidates = [directory / ".clew.toml" for directory in (here, *here.parents)]
    configured = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    candidates.append(configured / "clew" / "config.toml")
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _read(path: Path) -> dict[str, object]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    return {key: _checked(f"{path}: `{key}`", key, value) for key, value in document.items()}


def _environment() -> dict[str, object]:
    found: dict[str, object] = {}
    for key, variable in _ENVIRONMENT.items():
        text = os.environ.get(variable)
        if text:
            value: object = text.split(os.pathsep) if _TYPES[key] is list else text
            found[key] = _checked(f"environment variable `{variable}`", key, value)
    return found


def _checked(where: str, key: str, value: object) -> object:
    if key not in _TYPES:
        known = ", ".join(f.name for f in fields(Config) if f.name != "path")
        raise ConfigError(f"{where} is not a setting; known are {known}")
    expected = _TYPES[key]
    if expected is int and isinstance(value, str) and value.isdecimal():
        value = int(value)
    if not isinstance(value, expected) or isinstance(value, bool):
        raise ConfigError(f"{where}: expected {_NAMES[expected]}, found `{value}`")
    return tuple(str(item) for item in value) if isinstance(value, list) else value


_NAMES: dict[type, str] = {str: "a string", int: "a whole number", list: "a list of strings"}
