"""Every hypothesis about operations, by its id: found in the modules here, without being listed anywhere."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.explain.operational.scene import Hypothesis

if TYPE_CHECKING:
    from collections.abc import Mapping


def _found() -> Mapping[str, Hypothesis]:
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    held = [value for module in modules for value in vars(module).values() if isinstance(value, Hypothesis)]
    return MappingProxyType({each.id: each for each in sorted(held, key=lambda each: each.id)})


HYPOTHESES = _found()
