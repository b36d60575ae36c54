"""Every check, by its id: a function in one of the modules here, found without being listed anywhere."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.audit.model import Check
from clew.aws.catalog_nearest import nearest
from clew.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

MODULES: tuple[ModuleType, ...] = tuple(
    import_module(f"{__name__}.{name}") for name in sorted(module.name for module in iter_modules(__path__))
)


def _found() -> Mapping[str, Check]:
    checks = [value for module in MODULES for value in vars(module).values() if isinstance(value, Check)]
    return MappingProxyType({check.id: check for check in checks})


CHECKS = _found()


def named(identity: str, among: Mapping[str, Check] = CHECKS) -> Check:
    """The check of that id, Clew's own by default; `UsageError` when there is none."""
    if identity not in among:
        near = nearest(identity[:80], among)
        advice = f"did you mean `{near}`?" if near else "`clew audit checks` lists them"
        raise UsageError(f"no check `{identity[:80]}`; {advice}")
    return among[identity]
