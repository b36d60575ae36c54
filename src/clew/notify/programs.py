"""Messages to programs at AWS, as JSON: SQS queues, Kinesis streams, Lambda functions, EventBridge buses.

From a bus a rule takes them on to whatever EventBridge reaches. AWS: "SendMessage", "PutRecord", "Invoke", "PutEvents".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from clew.aws import arn as arns
from clew.collect.session import error_code, error_message
from clew.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clew.notify.message import Message

# AWS: "PutEvents" and asynchronous "Invoke": at most 256 KB; SQS and Kinesis take more.
_MOST_BYTES = 256 * 1024 - 4096
SOURCE = "clew"
DETAIL_TYPE = "Clew Findings Change"


def tell(arn: str, message: Message, client: Any) -> None:
    """Send by that client of the service. Errors: `DeliveryError`, also where a bus refuses the event."""
    from botocore.exceptions import BotoCoreError, ClientError

    service = arns.parse(arn).service
    try:
        _CALLS[service](arn, body(message), client)
    except ClientError as error:
        raise DeliveryError(f"{service}:{arn}: {error_code(error)}: {error_message(error)}") from error
    except BotoCoreError as error:
        raise DeliveryError(f"{service}:{arn}: {type(error).__name__}") from error


def body(message: Message) -> str:
    """The document of the message; where it is longer than AWS takes, subject and the beginning of the text instead."""
    whole = json.dumps(message.document)
    if len(whole.encode()) <= _MOST_BYTES:
        return whole
    # A character takes six bytes at most as JSON writes it.
    text = message.text[: _MOST_BYTES // 8]
    return json.dumps({"subject": message.subject, "text": text, "truncated": True})


def _queue(arn: str, text: str, client: Any) -> None:
    found = arns.parse(arn)
    url = client.get_queue_url(QueueName=found.resource, QueueOwnerAWSAccountId=found.account)["QueueUrl"]
    more = {"MessageGroupId": SOURCE} if found.resource.endswith(".fifo") else {}
    client.send_message(QueueUrl=url, MessageBody=text, **more)


def _stream(arn: str, text: str, client: Any) -> None:
    client.put_record(StreamARN=arn, Data=text.encode(), PartitionKey=SOURCE)


def _function(arn: str, text: str, client: Any) -> None:
    client.invoke(FunctionName=arn, InvocationType="Event", Payload=text.encode())


def _bus(arn: str, text: str, client: Any) -> None:
    entry = {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": text, "EventBusName": arn}
    answer = client.put_events(Entries=[entry])
    if answer.get("FailedEntryCount"):
        refused = answer["Entries"][0]
        raise DeliveryError(f"events:{arn}: {refused.get('ErrorCode')}: {refused.get('ErrorMessage')}")


_CALLS: Mapping[str, Callable[[str, str, Any], None]] = {
    "sqs": _queue,
    "kinesis": _stream,
    "lambda": _function,
    "events": _bus,
}
