"""Where a message goes, as people write it: an ARN, `mailto:ADDRESS`, `https://…`, `slack:https://…`."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parseaddr
from enum import StrEnum
from urllib.parse import urlsplit

from clew.aws import arn as arns
from clew.errors import UsageError
from clew.notify import alarm

_SLACK_HOST = "hooks.slack.com"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Kind(StrEnum):
    """The ways in which messages are sent."""

    SNS = "sns"
    PROGRAM = "program"
    ALARM = "alarm"
    MAIL = "mailto"
    WEBHOOK = "webhook"
    SLACK = "slack"


@dataclass(frozen=True, slots=True)
class Destination:
    """One destination; `address` may hold a secret, `shown` never does."""

    kind: Kind
    address: str

    @property
    def shown(self) -> str:
        """The destination as it may be printed: a webhook's path is its secret.

        >>> destination("https://hooks.slack.com/services/T0/B0/secret").shown
        'slack:https://hooks.slack.com/…'
        """
        if self.kind in {Kind.PROGRAM, Kind.ALARM}:
            return self.address
        if self.kind in {Kind.SNS, Kind.MAIL}:
            return f"{self.kind}:{self.address}"
        prefix = "slack:" if self.kind is Kind.SLACK else ""
        parts = urlsplit(self.address)
        return f"{prefix}{parts.scheme}://{parts.hostname or ''}/…"


def destination(text: str) -> Destination:
    """The destination that the text names. Errors: `UsageError`, which never repeats what may be secret."""
    kind, _, rest = text.partition(":")
    match kind:
        case "sns":
            return Destination(Kind.SNS, _topic(rest))
        case "arn":
            return _of_arn(text)
        case "mailto":
            return Destination(Kind.MAIL, _addresses(rest))
        case "slack":
            return Destination(Kind.SLACK, _url(rest))
        case "https" | "http":
            is_slack = urlsplit(text).hostname == _SLACK_HOST
            return Destination(Kind.SLACK if is_slack else Kind.WEBHOOK, _url(text))
    raise UsageError(
        "a destination begins with `sns:`, `arn:`, `mailto:`, `https://` or `slack:`; "
        f"found one that begins with `{kind[:12]}`"
    )


_PROGRAMS = frozenset({"sqs", "kinesis", "lambda", "events"})


def _of_arn(text: str) -> Destination:
    found = arns.read(text)
    if found is not None and found.service in _PROGRAMS and found.region and found.account:
        return Destination(Kind.PROGRAM, text)
    if alarm.name(text):
        return Destination(Kind.ALARM, text)
    return Destination(Kind.SNS, _topic(text))


def _topic(text: str) -> str:
    found = arns.read(text)
    if found is None or found.service != "sns" or not found.region or "/" in found.resource:
        raise UsageError(
            f"`{text[:200]}` is no topic, queue, stream, function, bus or alarm; "
            "expected an ARN such as arn:aws:sns:REGION:ACCOUNT:NAME"
        )
    return text


def _addresses(text: str) -> str:
    addresses = [address.strip() for address in text.split(",")]
    for address in addresses:
        _, bare = parseaddr(address)
        if bare != address or "@" not in address or not address.isprintable() or " " in address:
            raise UsageError(f"`{address[:80]}` is no mail address")
    return ",".join(addresses)


def _url(text: str) -> str:
    parts = urlsplit(text)
    # Plain HTTP would show findings, and the secret in the path, to everybody on the way.
    if parts.hostname and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    ):
        return text
    raise UsageError(
        f"a webhook has an address such as https://HOST/PATH; found one for `{(parts.hostname or '')[:80]}`"
    )
