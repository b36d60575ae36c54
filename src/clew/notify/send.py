"""One message to one destination, whatever it is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from clew.notify import alarm, mail, programs, sns, webhook
from clew.notify.destination import Destination, Kind, destination

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.notify.message import Message


def send(
    target: str | Destination,
    message: Message,
    *,
    profile: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Send it; `profile` is for AWS. Errors: `UsageError` for the target, `DeliveryError`, `InputError`."""
    found = destination(target) if isinstance(target, str) else target
    match found.kind:
        case Kind.SNS:
            sns.publish(found.address, message, sns.client_of(found.address, profile))
        case Kind.PROGRAM:
            programs.tell(found.address, message, sns.client_of(found.address, profile))
        case Kind.ALARM:
            alarm.sound(found.address, message, sns.client_of(found.address, profile))
        case Kind.MAIL:
            mail.send(found.address, message, mail.server_from_environment())
        case Kind.WEBHOOK:
            webhook.post(found, message.document, sleep)
        case Kind.SLACK:
            webhook.post(found, webhook.slack(message), sleep)
