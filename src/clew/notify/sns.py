"""Messages to SNS topics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clew.aws import arn as arns
from clew.collect.session import error_code, error_message
from clew.errors import DeliveryError
from clew.notify.message import subject_line

if TYPE_CHECKING:
    from clew.notify.message import Message

# AWS: "Publish", Message: at most 256 KB.
_MOST_BYTES = 256 * 1024
_CUT = "\n[cut: the whole is longer than SNS takes]\n"


def publish(topic: str, message: Message, client: Any) -> None:
    """Publish by that client of SNS. Errors: `DeliveryError`."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client.publish(TopicArn=topic, Subject=subject_line(message.subject), Message=fitting(message.text))
    except ClientError as error:
        raise DeliveryError(f"sns:{topic}: {error_code(error)}: {error_message(error)}") from error
    except BotoCoreError as error:
        raise DeliveryError(f"sns:{topic}: {type(error).__name__}") from error


def client_of(arn: str, profile: str | None = None) -> Any:
    """The client for the service and the region of the ARN. Errors: `InputError` without credentials."""
    from clew.collect.clients import start
    from clew.collect.session import Account

    found = arns.parse(arn)
    clients, _ = start(Account(profile, found.region), connections=1)
    return clients.of(found.service, found.region)


def fitting(text: str) -> str:
    """The text, cut at a line where it is longer than SNS takes, and then saying so."""
    data = text.encode()
    if len(data) <= _MOST_BYTES:
        return text or " "
    kept = data[: _MOST_BYTES - len(_CUT.encode())].decode(errors="ignore")
    return kept.rpartition("\n")[0] + _CUT
