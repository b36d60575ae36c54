"""What `clew collect` is asked to read: everything, some services, or what some checks read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.errors import UsageError

if TYPE_CHECKING:
    from clew.collect.reads import Read


@dataclass(frozen=True, slots=True)
class Chosen:
    """Services, or checks and frameworks; everything where none is named. `last_accessed` comes on top."""

    services: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    frameworks: tuple[str, ...] = ()
    last_accessed: bool = False

    @property
    def anything(self) -> bool:
        """Whether anything was chosen."""
        return bool(self.services or self.checks or self.frameworks or self.last_accessed)

    def reads(self) -> tuple[Read, ...]:
        """The calls to make. Errors: `UsageError` for a name that is not known, and for services beside checks."""
        from clew.collect.table import LAST_ACCESSED, named

        reads = self._by_checks() if self.checks or self.frameworks else self._by_services()
        if self.last_accessed:
            reads += tuple(each for each in named({LAST_ACCESSED.name}) if each not in reads)
        return reads

    def _by_services(self) -> tuple[Read, ...]:
        from clew.collect.table import SERVICES, chosen

        for service in self.services:
            if service not in SERVICES:
                known = ", ".join(SERVICES)
                raise UsageError(f"`{service}` is no service that is collected; there are {known}")
        return chosen(self.services)

    def _by_checks(self) -> tuple[Read, ...]:
        from clew.audit import check_calls
        from clew.collect.table import named

        if self.services:
            raise UsageError(
                "`--only` names services, and checks say themselves what they read; give one of the two"
            )
        return named(check_calls.of(self.checks, self.frameworks))
