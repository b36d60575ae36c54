"""What a service may add to the common law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clew.engine.law import Law
    from clew.engine.principal import Caller


@dataclass(frozen=True, slots=True)
class Subject:
    """What a service looks at to choose the law of a request: `action` and its resource, and who asks.

    `action` is in lower case; `same_account` compares the caller's account with the resource owner's.
    """

    action: str
    resource: str
    caller: Caller
    same_account: bool


LawOf = Callable[[Subject], "Law | None"]
"""The law that a service gives a request; None where the common law holds."""
