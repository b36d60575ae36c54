"""S3: access control lists, Object Ownership, who owns an object, and Block Public Access."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clew.engine.law import Law
    from clew.engine.services.model import Subject


def law(_subject: Subject) -> Law | None:
    """The common law holds."""
    return None
