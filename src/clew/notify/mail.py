"""Messages by SMTP: TLS from the start or by STARTTLS, never without but to this machine itself."""

from __future__ import annotations

import os
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from clew.errors import DeliveryError, UsageError
from clew.notify.message import subject_line

if TYPE_CHECKING:
    from clew.notify.message import Message

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_PORTS = {"smtps": 465, "smtp": 587}
_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Server:
    """The mail server: `smtps` speaks TLS from the start, `smtp` turns to it by STARTTLS."""

    scheme: str
    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)


def server_from_environment() -> Server:
    """The server that `CLEW_SMTP_URL` and `CLEW_SMTP_FROM` name. Errors: `UsageError`, without the password."""
    url, sender = os.environ.get("CLEW_SMTP_URL", ""), os.environ.get("CLEW_SMTP_FROM", "")
    if not url or not sender:
        raise UsageError(
            "mail needs CLEW_SMTP_URL, such as smtps://USER:PASSWORD@HOST or smtp://HOST:587, and CLEW_SMTP_FROM"
        )
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError) as error:
        raise UsageError("CLEW_SMTP_URL: expected smtps://[USER:PASSWORD@]HOST[:PORT] or smtp://…") from error
    if not parts.hostname:
        raise UsageError("CLEW_SMTP_URL has no host")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Server(parts.scheme, parts.hostname, port, sender, user, password)


def send(addresses: str, message: Message, server: Server) -> None:
    """Send to these addresses (with commas). Errors: `DeliveryError`, which names the server and its answer."""
    mail = composed(addresses, message, server.sender)
    try:
        with _connected(server) as connection:
            if server.user:
                connection.login(server.user, server.password)
            refused = connection.send_message(mail)
    except smtplib.SMTPResponseException as error:
        raise DeliveryError(
            f"{server.host}:{server.port}: SMTP {error.smtp_code}: {type(error).__name__}"
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryError(
            f"{server.host}:{server.port}: {type(error).__name__}: {_one_line(error)}"
        ) from error
    if refused:
        raise DeliveryError(f"{server.host}:{server.port}: refused {', '.join(sorted(refused))}")


def composed(addresses: str, message: Message, sender: str) -> EmailMessage:
    """The mail. Errors: `DeliveryError` where the sender is no address."""
    mail = EmailMessage(policy=SMTP)
    try:
        mail["From"], mail["To"] = sender, addresses.replace(",", ", ")
    except ValueError as error:
        raise DeliveryError("CLEW_SMTP_FROM is no mail address") from error
    mail["Subject"] = subject_line(message.subject)
    mail["Message-ID"] = make_msgid(domain="clew.invalid")
    # RFC 3834: nobody's holiday notice answers.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    return mail


def _connected(server: Server) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.scheme == "smtps":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=_SECONDS, context=context)
    connection = smtplib.SMTP(server.host, server.port, timeout=_SECONDS)
    connection.ehlo()
    if connection.has_extn("starttls"):
        connection.starttls(context=context)
    elif server.host not in _LOOPBACK:
        connection.close()
        raise smtplib.SMTPNotSupportedError("the server offers no STARTTLS; nothing is sent without TLS")
    return connection


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
