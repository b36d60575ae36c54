"""The configuration file: TOML, found upward as `.clew.toml`, else in the user's configuration directory.

Precedence of every setting: command-line option, environment variable `CLEW_<NAME>`, `.clew.toml` in this directory or
one above it, `config.toml` in the user's configuration directory, built-in default. Only the nearest file is read.
Paths in a file are relative to that file.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from clew.errors import ConfigError
from clew.findings import Severity


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


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting that applies, and where it came from: an environment variable, a file, or `default`."""

    name: str
    value: str | int | tuple[str, ...] | None
    origin: str


Value = str | int | tuple[str, ...]

_TYPES: dict[str, type] = {
    "workspace": str,
    "output": str,
    "fail_on": str,
    "rules": list,
    "memory_limit_mb": int,
    "deadline_seconds": int,
    "workers": int,
}
_NAMES: dict[type, str] = {str: "a string", int: "a whole number above 0", list: "a list of strings"}
_PATHS = frozenset({"workspace", "rules"})
# `workspace` has its own precedence (see `clew.store.workspace`), so the variable is read there.
_ENVIRONMENT = {name: f"CLEW_{name.upper()}" for name in _TYPES if name != "workspace"}
# Variables of ours that are not settings of the file.
OTHER_VARIABLES = (
    *("CLEW_CONFIG", "CLEW_HOME", "CLEW_WORKSPACE", "CLEW_LONG"),
    *("CLEW_SMTP_URL", "CLEW_SMTP_FROM"),
)


def load(explicit: str | None = None) -> Config:
    """The settings of the configuration file and the environment; ConfigError names file and key."""
    path = _find(explicit)
    values = {name: value for name, (value, _) in _found(path).items()}
    return Config(**values, path=path)  # type: ignore[arg-type]  # checked key by key in `_checked`


def settings(explicit: str | None = None) -> tuple[Setting, ...]:
    """Every setting with its value and origin, in the order of `Config`; ConfigError as `load`."""
    found = _found(_find(explicit))
    return tuple(
        Setting(field.name, *found.get(field.name, (field.default, "default")))
        for field in fields(Config)
        if field.name != "path"
    )


def unknown_variables() -> tuple[str, ...]:
    """Environment variables that begin like ours and mean nothing, in order: most likely misspelt."""
    known = {*_ENVIRONMENT.values(), *OTHER_VARIABLES}
    return tuple(sorted(name for name in os.environ if name.startswith("CLEW_") and name not in known))


def _found(path: Path | None) -> dict[str, tuple[Value, str]]:
    return {**(_read(path) if path is not None else {}), **_environment()}


def _find(explicit: str | None) -> Path | None:
    named = explicit or os.environ.get("CLEW_CONFIG")
    if named:
        path = Path(named).expanduser().absolute()
        if not path.is_file():
            raise ConfigError(f"configuration file `{path}` does not exist")
        return path
    here = Path.cwd()
    candidates = [directory / ".clew.toml" for directory in (here, *here.parents)]
    configured = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    candidates.append(configured / "clew" / "config.toml")
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _read(path: Path) -> dict[str, tuple[Value, str]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    found = {key: _checked(f"{path}: `{key}`", key, value) for key, value in document.items()}
    return {key: (_located(path, key, value), str(path)) for key, value in found.items()}


def _environment() -> dict[str, tuple[Value, str]]:
    found: dict[str, tuple[Value, str]] = {}
    for key, variable in _ENVIRONMENT.items():
        text = os.environ.get(variable)
        if text:
            value: object = text.split(os.pathsep) if _TYPES[key] is list else text
            found[key] = (_checked(f"environment variable `{variable}`", key, value), variable)
    return found


def _checked(where: str, key: str, value: object) -> Value:
    if key not in _TYPES:
        raise ConfigError(f"{where} is not a setting; known are {', '.join(_TYPES)}")
    match _TYPES[key](), value:
        case str(), str() if value:
            return _severity(where, value) if key == "fail_on" else value
        case int(), str() if value.isascii() and value.isdecimal() and int(value) > 0:
            return int(value)
        case int(), int() if value > 0 and not isinstance(value, bool):
            return value
        case list(), list() if all(isinstance(item, str) and item for item in value):
            return tuple(value)
    raise ConfigError(f"{where}: expected {_NAMES[_TYPES[key]]}, found `{value}`")


def _severity(where: str, value: str) -> str:
    if value not in list(Severity):
        raise ConfigError(f"{where}: expected one of {', '.join(Severity)}, found `{value}`")
    return value


def _located(path: Path, key: str, value: Value) -> Value:
    """A path in a file is relative to the file: the answer must not depend on where the command is started."""
    if key not in _PATHS or isinstance(value, int):
        return value
    if isinstance(value, str):
        return str(path.parent / Path(value).expanduser())
    return tuple(str(path.parent / Path(item).expanduser()) for item in value)
