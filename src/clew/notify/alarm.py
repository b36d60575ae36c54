"""Alarms of CloudWatch, set off by a message: what the alarm does when it goes off is done.

AWS: "SetAlarmState": the actions of the new state are invoked where it differs from the state before; the alarm goes
back to its own state when its metric is looked at next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clew.aws import arn as arns
from clew.collect.session import error_code, error_message
from clew.errors import DeliveryError
from clew.notify.message import subject_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.notify.message import Message

_WORSE = ("new", "back_again", "with_more_events")
_QUIET = ("clew.summary.", "clew.changes.")


def name(arn: str) -> str:
    """The name of the alarm; empty for the ARN of anything else.

    >>> name("arn:aws:cloudwatch:eu-west-1:111122223333:alarm:audit")
    'audit'
    """
    found = arns.read(arn)
    if found is None or found.service != "cloudwatch" or not (found.region and found.account):
        return ""
    kind, _, rest = found.resource.partition(":")
    return rest if kind == "alarm" else ""


def sound(arn: str, message: Message, client: Any) -> None:
    """Set the alarm off, or to OK where the message tells nothing that is worse. Errors: `DeliveryError`."""
    from botocore.exceptions import BotoCoreError, ClientError

    state = "ALARM" if is_worse(message.document) else "OK"
    reason = subject_line(message.subject)
    try:
        client.set_alarm_state(AlarmName=name(arn), StateValue=state, StateReason=reason)
    except ClientError as error:
        raise DeliveryError(f"cloudwatch:{arn}: {error_code(error)}: {error_message(error)}") from error
    except BotoCoreError as error:
        raise DeliveryError(f"cloudwatch:{arn}: {type(error).__name__}") from error


def is_worse(document: Mapping[str, object]) -> bool:
    """Whether the message tells something that is worse than before; a summary of a week never does.

    >>> is_worse({"schema": "clew.changes.v1", "new": [], "resolved": [{}]}), is_worse({"schema": "clew.test.v1"})
    (False, True)
    """
    if str(document.get("schema", "")).startswith(_QUIET):
        return any(document.get(group) for group in _WORSE)
    return True
