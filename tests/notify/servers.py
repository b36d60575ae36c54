"""A mail server and a web server in the test's own process; what they were sent is kept."""

from __future__ import annotations

import socketserver
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Mailbox:
    """What a mail server took."""

    port: int = 0
    lines: list[str] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    refuse: str = ""


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


class _Mail(socketserver.BaseRequestHandler):
    """One conversation with a mail server."""

    server: Any

    def handle(self) -> None:
        self.connection: Any = self.request
        if self.server.tls:
            self.secure()
        self.file = self.connection.makefile("rb")
        self.say("220 test")
        while self.converse(self.file.readline().decode().rstrip("\r\n")):
            pass
        self.file.close()
        self.connection.close()

    def secure(self) -> None:
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.file = self.connection.makefile("rb")

    def say(self, text: str) -> None:
        self.connection.sendall(f"{text}\r\n".encode())

    def converse(self, line: str) -> bool:
        self.server.box.lines.append(line)
        word = line[:4].upper()
        if self.server.box.refuse and word == self.server.box.refuse:
            self.say("550 no")
        elif word == "STAR":
            self.say("220 go")
            self.file.close()
            self.secure()
        elif word == "DATA":
            self.say("354 go")
            self.server.box.mails.append(b"".join(iter(self.file.readline, b".\r\n")).decode())
            self.say("250 taken")
        else:
            answers = {"EHLO": self.server.greeting, "AUTH": "235 welcome", "QUIT": "221 bye"}
            self.say(answers.get(word, "250 fine"))
        return word not in {"QUIT", ""}


@contextmanager
def mail_server(pem: Path, *, tls: bool = False, starttls: bool = True) -> Iterator[Mailbox]:
    """A mail server that speaks TLS from the start, offers STARTTLS, or neither."""
    server: Any = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail)
    server.box, server.tls = Mailbox(), tls
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.context.load_cert_chain(pem)
    last = "STARTTLS" if starttls and not tls else "SMTPUTF8"
    server.greeting = f"250-test\r\n250-AUTH PLAIN\r\n250 {last}"
    with _running(server) as port:
        server.box.port = port
        yield server.box


@dataclass
class Posted:
    """What a web server was sent, and the codes that it answers with, the last for ever."""

    port: int = 0
    codes: list[int] = field(default_factory=lambda: [200])
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextmanager
def web_server() -> Iterator[Posted]:
    """A web server that takes what is posted."""
    told = Posted()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.paths.append(self.path)
            told.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            code = told.codes.pop(0) if len(told.codes) > 1 else told.codes[0]
            self.send_response(code)
            if code == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    with _running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        told.port = port
        yield told


@contextmanager
def _running(server: Any) -> Iterator[int]:
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
