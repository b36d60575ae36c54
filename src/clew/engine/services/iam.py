"""IAM: a role can be passed only within its own account.

AWS IAM User Guide: "Grant a user permissions to pass a role to an AWS service": the role must be of the same account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.engine.law import CROSS_ACCOUNT

if TYPE_CHECKING:
    from clew.engine.law import Law
    from clew.engine.services.model import Subject


def law(subject: Subject) -> Law | None:
    """PassRole on another account's role is refused; all else follows the common law."""
    across = subject.caller.is_person_of_account and not subject.same_account
    return CROSS_ACCOUNT.refused() if across and subject.action == "iam:passrole" else None
