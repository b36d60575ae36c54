"""An endpoint that answers with what AWS was recorded to say, in AWS's wire formats: query, REST-XML, REST-JSON, JSON.

For what the emulator does not have. An answer is found by the operation: the `Action` of a query, the end of
`X-Amz-Target`, or `METHOD /path` for REST. A list of answers is given out one by one, the last for ever.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass(frozen=True)
class Recorded:
    """One answer of AWS."""

    body: str = ""
    status: int = 200
    content_type: str = "text/xml"
    headers: tuple[tuple[str, str], ...] = ()


def query(operation: str, result: str = "") -> Recorded:
    """The answer of a query API (IAM, STS, SNS, EC2 alike): the result's XML inside its envelope."""
    return Recorded(
        f"<{operation}Response><{operation}Result>{result}</{operation}Result>"
        f"<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></{operation}Response>"
    )


def query_error(code: str, message: str = "not allowed", status: int = 403) -> Recorded:
    """The refusal of a query API."""
    return Recorded(
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>r-1</RequestId></ErrorResponse>",
        status,
    )


def xml(body: str) -> Recorded:
    """The answer of a REST-XML API (S3)."""
    return Recorded(f'<?xml version="1.0" encoding="UTF-8"?>\n{body}', content_type="application/xml")


def xml_error(code: str, message: str = "Access Denied", status: int = 403) -> Recorded:
    """The refusal of a REST-XML API."""
    return Recorded(
        f"<Error><Code>{code}</Code><Message>{message}</Message></Error>", status, "application/xml"
    )


def as_json(body: object) -> Recorded:
    """The answer of a JSON API."""
    return Recorded(json.dumps(body), content_type="application/x-amz-json-1.1")


def json_error(code: str, message: str = "not allowed", status: int = 400) -> Recorded:
    """The refusal of a JSON API."""
    body = json.dumps({"__type": code, "message": message})
    return Recorded(body, status, "application/x-amz-json-1.1")


CALLER = query(
    "GetCallerIdentity",
    "<Arn>arn:aws:iam::123456789012:user/op</Arn><UserId>AIDA</UserId><Account>123456789012</Account>",
)
Answers = dict[str, Recorded | list[Recorded]]


@dataclass
class Recordings:
    """What is answered, what was asked, and what happens before an answer goes out."""

    url: str
    answers: Answers
    asked: list[tuple[str, str]] = field(default_factory=list)
    before: Callable[[str], None] = lambda _: None

    def operations(self) -> list[str]:
        """The operations that were asked for, in order."""
        return [operation for operation, _ in self.asked]

    def answer(self, operation: str) -> Recorded:
        """The answer to the operation; AWS's own word where none is recorded."""
        found = self.answers.get(operation, query_error("UnknownOperation", operation, 404))
        if isinstance(found, list):
            return found.pop(0) if len(found) > 1 else found[0]
        return found


@contextmanager
def serve(answers: Mapping[str, Recorded | list[Recorded]]) -> Iterator[Recordings]:
    """The endpoint with these answers, and that of `GetCallerIdentity`."""

    class Handler(Quiet):
        def respond(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            operation = _operation(self.command, self.path, self.headers.get("X-Amz-Target", ""), text)
            told.asked.append((operation, text))
            told.before(operation)
            found = told.answer(operation)
            content = found.body.encode()
            self.send_response(found.status)
            self.send_header("Content-Type", found.content_type)
            self.send_header("Content-Length", str(len(content)))
            for header in found.headers:
                self.send_header(*header)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = respond  # noqa: N815  # as the library calls them

    with listening(Handler) as url:
        told = Recordings(url, {"GetCallerIdentity": CALLER, **answers})
        yield told


class Quiet(BaseHTTPRequestHandler):
    """A handler that writes nothing on stderr."""

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server on this machine with that handler, which ends with the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _operation(method: str, path: str, target: str, body: str) -> str:
    if target:
        return target.rpartition(".")[2]
    action = parse_qs(body).get("Action")
    if action:
        return action[0]
    parts = urlsplit(path)
    flags = [word for word in parts.query.split("&") if word and "=" not in word]
    return f"{method} {unquote(parts.path)}" + (f"?{flags[0].rstrip('=')}" if flags else "")
