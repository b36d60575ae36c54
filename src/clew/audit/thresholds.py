"""Thresholds as people give them: `iam-access-key-age.days=60`, or in a framework's words for its own parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.checks import CHECKS, named
from clew.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clew.audit.frameworks import Framework
    from clew.audit.model import Check, Parameter


def read(
    given: Sequence[str], frameworks: Iterable[Framework], checks: Mapping[str, Check] = CHECKS
) -> dict[str, dict[str, Parameter]]:
    """Thresholds by check, out of texts like `iam-access-key-age.days=60`.

    A framework's own name does as well: `access-keys-rotated.maxAccessKeyAge=60`. Where it stands for one entry of a
    list, as `restricted-common-ports.blockedPort1=22` does, the others stay as they are.
    Errors: `UsageError` for a text that is no threshold, and for a check or parameter that there is not.
    """
    controls = {control.id: control.names for framework in frameworks for control in framework.controls}
    found: dict[str, dict[str, Parameter]] = {}
    for text in given:
        place, _, value = text.partition("=")
        identity, _, rest = _ours(place, controls).partition(".")
        name, _, entry = rest.partition(".")
        if not (name and value):
            raise UsageError(f"`{text}` is no threshold; expected CHECK.PARAMETER=VALUE")
        chosen = found.setdefault(identity, {})
        default = named(identity, checks).defaults.get(name)
        if (isinstance(default, int) or entry) and not value.isdecimal():
            raise UsageError(f"`{text}`: expected a whole number")
        if entry:
            value = _replaced(str(chosen.get(name, default)), entry, value, text)
        chosen[name] = int(value) if isinstance(default, int) else value
    return found


def _ours(place: str, controls: Mapping[str, Mapping[str, str]]) -> str:
    """The check's parameter that a framework's own name leads to; what is no such name stays as it is."""
    control, _, name = place.partition(".")
    names = controls.get(control, {})
    # AWS writes one name with a capital in one rule and without it in the next.
    found = {known.lower(): ours for known, ours in names.items()}.get(name.lower())
    if found is not None or not names:
        return found or place
    raise UsageError(f"`{control}` has no parameter `{name[:80]}`; it has {', '.join(names)}")


def _replaced(entries: str, number: str, value: str, text: str) -> str:
    """The list with another value in that place, counted from 1."""
    held = entries.split(",")
    if not number.isdecimal() or not 1 <= int(number) <= len(held):
        raise UsageError(f"`{text}`: expected an entry from 1 to {len(held)}")
    held[int(number) - 1] = value
    return ",".join(held)
