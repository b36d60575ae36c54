"""One call to AWS, all its pages, and what came of it as an `Answer`; nothing that AWS says ends the collection."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clew.collect.redact import redacted
from clew.collect.session import error_code, error_message
from clew.snapshot.answers import GLOBAL, Answer, Call, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.exceptions import ClientError

    from clew.collect.clients import Clients
    from clew.collect.reads import First, Job, Read

# AWS: "Common errors" of each service; EC2, S3 and SNS have codes of their own.
_DENIED = frozenset(
    {
        # What is asked by HEAD is answered without a body, and the HTTP status stands for the code.
        "HTTP 403",
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "AuthorizationError",
        "AuthorizationErrorException",
        "Forbidden",
        "ForbiddenException",
        "NotAuthorized",
        "UnauthorizedAccess",
        "UnauthorizedException",
        "UnauthorizedOperation",
    }
)
_TOKENS = ("NextToken", "nextToken", "NextMarker", "Marker")
# How urllib3, old and new, and the systems beneath say that a name does not resolve.
_NO_HOST = re.compile("failed to resolve|name or service not known|nodename nor servname", re.IGNORECASE)
_POLLS = 20
_POLL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Clock:
    """The time and how to wait, given by the caller."""

    now: Callable[[], datetime]
    sleep: Callable[[float], None]

    def stamp(self) -> str:
        """The time in UTC, ISO 8601, whole seconds."""
        return self.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Question:
    """A read of the table with its place and parameters filled in."""

    read: Read
    account: str
    region: str
    parameters: Mapping[str, Any]

    @property
    def call(self) -> Call:
        """The call as it is recorded."""
        given = tuple(sorted((name, _written(value)) for name, value in self.parameters.items()))
        return Call(self.account, self.region, self.read.service, self.read.operation, given)


def _written(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}={_written(inner)}" for name, inner in value.items())
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def ask(question: Question, clients: Clients, clock: Clock) -> Answer:
    """Put the question; the answer is recorded with its time, whatever it is."""
    from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError
    from botocore.parsers import ResponseParserError

    call = question.call
    try:
        client = clients.of(call.service, question.read.place or call.region)
        if question.read.first is not None:
            _until(client, question.read.first, clock)
        job = question.read.job
        body = _whole(client, question) if job is None else _outcome(client, question, job, clock)
    except ClientError as error:
        told = _told_all_the_same(question.read, error)
        return (
            Answer(call, clock.stamp(), Status.OK, told)
            if told
            else refused(call, question.read.absent, clock, error)
        )
    except EndpointConnectionError as error:
        # No such host, and the SDK places the service elsewhere: two witnesses that it is not in this region.
        is_elsewhere = call.region != GLOBAL and not clients.has_endpoint(call.service, call.region)
        if is_elsewhere and _NO_HOST.search(str(error.kwargs.get("error"))):
            message = f"{call.service} is not in {call.region}"
            return Answer(call, clock.stamp(), Status.ABSENT, None, "NoEndpoint", message)
        return failed(call, clock, error)
    except (BotoCoreError, ResponseParserError, AttributeError, KeyError, TypeError, ValueError) as error:
        # Beside its own errors the SDK lets through what its parsers meet in an answer that is not AWS's.
        return failed(call, clock, error)
    if job is not None and body.get(job.status) != job.done:
        return _not_done(call, clock, body, job)
    return Answer(call, clock.stamp(), Status.OK, redacted(body))


def _told_all_the_same(read: Read, error: ClientError) -> dict[str, Any]:
    """What the headers of a refusal tell; empty where it does not tell all that is asked."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    found = {member: headers[name] for member, name in read.headers.items() if headers.get(name)}
    return found if len(found) == len(read.headers) else {}


def failed(call: Call, clock: Clock, error: Exception) -> Answer:
    """The answer of a call that AWS did not answer, or with something that is not AWS's."""
    message = " ".join(str(error).split())[:300]
    return Answer(call, clock.stamp(), Status.FAILED, None, type(error).__name__, message)


def refused(call: Call, absent: tuple[str, ...], clock: Clock, error: ClientError) -> Answer:
    """The answer of a call to which AWS gave an error; `absent` as in `Read`."""
    code, message = error_code(error), error_message(error)
    status = Status.DENIED if code.removeprefix("Client.") in _DENIED else Status.FAILED
    for known in absent:
        name, _, part = known.partition(": ")
        if code == name and part in message:
            status = Status.ABSENT
    return Answer(call, clock.stamp(), status, None, code, message)


def _until(client: Any, first: First, clock: Clock) -> None:
    """Repeat an operation until it says that it is done; what it refuses shows in the call that follows."""
    from botocore import xform_name
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    for _ in range(_POLLS):
        try:
            said = getattr(client, xform_name(first.operation))()
        except (ClientError, BotoCoreError, ResponseParserError):
            return
        if said.get(first.member) == first.value:
            return
        clock.sleep(_POLL_SECONDS)


def _outcome(client: Any, question: Question, job: Job, clock: Clock) -> dict[str, Any]:
    """The body of the answer about a job that is started with the question's parameters, once it is at an end."""
    from botocore import xform_name

    started = getattr(client, xform_name(job.operation))(**question.parameters)
    asked = replace(question, parameters={job.id: started[job.id]})
    for _ in range(_POLLS):
        body = _whole(client, asked)
        if body.get(job.status) != job.working:
            break
        clock.sleep(_POLL_SECONDS)
    return body


def _not_done(call: Call, clock: Clock, body: Mapping[str, Any], job: Job) -> Answer:
    """The answer about a job that failed, or took longer than anybody would wait."""
    error = body.get("Error") or {}
    code = str(error.get("Code") or f"{job.status}: {body.get(job.status)}")
    return Answer(call, clock.stamp(), Status.FAILED, None, code, str(error.get("Message") or ""))


def _whole(client: Any, question: Question) -> dict[str, Any]:
    """The body of the answer, all pages as one."""
    from botocore import xform_name

    name = xform_name(question.read.operation)
    parameters = {k: list(v) if isinstance(v, tuple) else v for k, v in question.parameters.items()}
    if client.can_paginate(name):
        size = question.read.page_size
        pages = client.get_paginator(name).paginate(**parameters, PaginationConfig={"PageSize": size})
        return _plain_object(pages.build_full_result())
    method = getattr(client, name)
    body = _plain_object(method(**parameters))
    while token := _token(body):
        key, value = token
        page = _plain_object(method(**parameters, **{key: value}))
        body.pop(key)
        for member, items in page.items():
            body[member] = body[member] + items if isinstance(body.get(member), list) else items
    return body


def _token(body: Mapping[str, Any]) -> tuple[str, str] | None:
    """The token of the next page, where the SDK has no paginator for the operation."""
    return next(((name, body[name]) for name in _TOKENS if body.get(name)), None)


def _plain_object(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in body.items() if name != "ResponseMetadata"}


def _plain(value: Any) -> Any:
    """The value as JSON has it: times as ISO 8601 in UTC, bytes as text."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    return value
