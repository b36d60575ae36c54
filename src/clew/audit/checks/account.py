"""Checks of the account's own settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import unanswered
from clew.findings import Severity
from clew.snapshot.answers import GLOBAL, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.model import State


@check("account-security-contact", "A security contact is set", "No security contact is set", Severity.LOW)
def security_contact(state: State) -> Iterator[Judgement]:
    """Whether the account has an alternate contact for security.

    Finds. An account without an alternate contact of the type SECURITY.
    Why it matters. AWS writes there when it sees abuse; else only the root user's mailbox hears of it.
    False positives. A root user's mailbox that the security team reads day and night.
    Fix. `aws account put-alternate-contact --alternate-contact-type SECURITY`, in the whole organisation at once from
    the management account.
    References. AWS Account Management reference, Update the alternate contacts for your AWS account · AWS Config
    developer guide, security-account-information-provided
    """
    contact = state.answers.get(
        state.account, GLOBAL, "account", "GetAlternateContact", AlternateContactType="SECURITY"
    )
    if not contact.status.is_known:
        yield unanswered(state.account_arn, contact)
    elif contact.status is Status.ABSENT:
        yield Judgement(
            Verdict.FAIL, state.account_arn, "has no contact for security", (("error", contact.error_code),)
        )
    else:
        # Who it is stays out of reports: name, address and telephone of a person.
        yield Judgement(Verdict.PASS, state.account_arn, "has a contact for security")
