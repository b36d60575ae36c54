"""Every doctor of an integration, by its name: one module each, found without being listed anywhere."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.errors import UsageError
from clew.explain.doctor import Doctor

if TYPE_CHECKING:
    from collections.abc import Mapping


def _found() -> Mapping[str, Doctor]:
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    doctors = [value for module in modules for value in vars(module).values() if isinstance(value, Doctor)]
    return MappingProxyType({doctor.name: doctor for doctor in sorted(doctors, key=lambda each: each.name)})


DOCTORS = _found()


def named(name: str) -> Doctor:
    """The doctor of that name; `UsageError` when there is none."""
    if name not in DOCTORS:
        raise UsageError(f"no integration `{name[:80]}`; known are {', '.join(DOCTORS)}")
    return DOCTORS[name]
