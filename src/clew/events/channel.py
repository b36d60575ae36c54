"""How a call was made: console, CloudShell, CLI, SDK, Lambda, infrastructure as code, an AWS service; by one table.

The answer is what the record says. `userAgent` is text that the caller chose: a channel is a lead, never proof.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.aws.services import is_service_host, service_name
from clew.events.paths import text_at

if TYPE_CHECKING:
    from collections.abc import Mapping


class ChannelKind(StrEnum):
    """The kinds of channel."""

    CONSOLE = "console"
    CLOUDSHELL = "CloudShell"
    CLI = "CLI"
    SDK = "SDK"
    LAMBDA = "Lambda"
    IAC = "infrastructure as code"
    SERVICE = "AWS service"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Channel:
    """How a call was made, and with what exactly: `SDK` with `Java 1.11.888`."""

    kind: ChannelKind
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind} ({self.detail})" if self.detail else str(self.kind)


@dataclass(frozen=True, slots=True)
class _Row:
    """When the pattern is found in the field, the channel is this one; the detail may use the pattern's groups."""

    field: str
    pattern: re.Pattern[str]
    kind: ChannelKind
    detail: str


def _rows(field: str, kind: ChannelKind, patterns: Mapping[str, str]) -> list[_Row]:
    return [_Row(field, re.compile(pattern), kind, detail) for pattern, detail in patterns.items()]


_VERSION: Final = r"/v?([\w.+-]*)"
_HOST: Final = r"^[\w.-]+\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|api\.aws)$"

# The first row that fits counts: what a call is made *for* (infrastructure as code, Lambda) stands before what it is
# made *with* (an SDK), and every spelling of the console before the bare fact that the credentials came from it.
_TABLE: Final = (
    *_rows("eventType", ChannelKind.SERVICE, {"^AwsServiceEvent$": "service event"}),
    *_rows("eventType", ChannelKind.CONSOLE, {"^AwsConsoleSign[Ii]n$": "sign-in"}),
    *_rows("eventSource", ChannelKind.CONSOLE, {r"^signin\.amazonaws\.com": "sign-in"}),
    *_rows("caller", ChannelKind.IAC, {r"^cloudformation\.amazonaws\.com": "CloudFormation"}),
    *_rows(
        "userAgent",
        ChannelKind.IAC,
        {
            r"\bTerraform" + _VERSION: r"Terraform \1",
            "terraform-provider-aws": "Terraform",
            "OpenTofu" + _VERSION: r"OpenTofu \1",
            r"(?i)pulumi(?:/v?([\d.]+))?": r"Pulumi \1",
            r"(?i)\b(?:aws-)?cdk(?:-[a-z]+)?(?:/v?([\d.]+))?(?![\w-])": r"CDK \1",
            r"(?i)\baws-sam(?:-cli)?(?:/v?([\d.]+))?": r"SAM \1",
            r"(?i)crossplane": "Crossplane",
            r"(?i)ansible": "Ansible",
            r"(?i)serverless[ -]framework": "Serverless Framework",
        },
    ),
    *_rows("userAgent", ChannelKind.CLOUDSHELL, {r"(?:aws-cli/([\d.]+).*)?exec-env/CloudShell": r"CLI \1"}),
    *_rows(
        "userAgent",
        ChannelKind.LAMBDA,
        {r"exec-env/AWS_Lambda_([\w.]+)": r"\1", r"^lambda\.amazonaws\.com": ""},
    ),
    *_rows("invokedBy", ChannelKind.LAMBDA, {r"^lambda\.amazonaws\.com": ""}),
    *_rows(
        "userAgent",
        ChannelKind.CONSOLE,
        {
            r"^signin\.amazonaws\.com": "",
            r"^console\.amazonaws\.com": "",
            r"^console\.([\w-]+)\.amazonaws\.com": r"\1",
            r"^(?:AWS ?)?([\w -]*?)[ -]?Console(?:[/, -]|$)": r"\1",
            r"(?i)\baws-?console\b": "",
            r"AWSCloudTrail, aws-internal": "CloudTrail",
        },
    ),
    *_rows("invokedBy", ChannelKind.CONSOLE, {r"^signin\.amazonaws\.com": ""}),
    *_rows("caller", ChannelKind.SERVICE, {_HOST: "host", r"(?i)^AWS[ -]Internal": "AWS Internal"}),
    *_rows("identity", ChannelKind.SERVICE, {"^AWSService$": "host"}),
    *_rows(
        "userAgent",
        ChannelKind.CLI,
        {
            "aws-cli" + _VERSION: r"\1",
            "^AWSPowerShell(?:\\.\\w+)?" + _VERSION: r"Tools for PowerShell \1",
            r"^ec2-api-tools ([\d.]+)": r"EC2 API tools \1",
        },
    ),
    *_rows("userAgent", ChannelKind.CONSOLE, {r"^Mozilla/": "browser"}),
    *_rows(
        "userAgent",
        ChannelKind.SDK,
        {
            "(?i)boto3" + _VERSION: r"Python \1",
            "(?i)botocore" + _VERSION: r"Python \1",
            r"(?i)^boto" + _VERSION: r"Python \1",
            r"aws-sdk-java(?:-v2)?(?:/v?([\d.]+))?": r"Java \1",
            r"aws-sdk-kotlin(?:/v?([\d.]+))?": r"Kotlin \1",
            r"aws-sdk-ruby\d?(?:/v?([\d.]+))?": r"Ruby \1",
            r"aws-sdk-go(?:-v2)?(?:/v?([\d.]+))?": r"Go \1",
            r"aws-sdk-(?:js|nodejs|react-native)(?:/v?([\d.]+))?": r"JavaScript \1",
            r"aws-sdk-php\d?(?:/v?([\d.]+))?": r"PHP \1",
            r"aws-sdk-(?:dotnet|net)[\w-]*(?:/v?([\d.]+))?": r".NET \1",
            r"aws-sdk-cpp(?:/v?([\d.]+))?": r"C++ \1",
            r"aws-sdk-rust(?:/v?([\d.]+))?": r"Rust \1",
            r"aws-sdk-swift(?:/v?([\d.]+))?": r"Swift \1",
            r"aws-sdk-(?:iOS|android)(?:/v?([\d.]+))?": r"mobile \1",
        },
    ),
    *_rows("fromConsole", ChannelKind.CONSOLE, {"^true$": ""}),
)


def channel(event: Mapping[str, object]) -> Channel:
    """How the call was made, as the record says it.

    >>> str(channel({"userAgent": "aws-cli/2.13.5 Python/3.11.4 exec-env/CloudShell"}))
    'CloudShell (CLI 2.13.5)'
    >>> str(channel({"userAgent": "aws-sdk-ruby3/3.1.0", "invokedBy": "x"})), str(channel({}))
    ('SDK (Ruby 3.1.0)', 'unknown')
    """
    return _of(_facts(event))


# Records repeat few user agents: 20 of 24 µs a record.
@lru_cache(maxsize=4096)
def _of(facts: _Facts) -> Channel:
    for row in _TABLE:
        found = row.pattern.search(getattr(facts, row.field))
        if found:
            return Channel(row.kind, _detail(row, found, facts))
    return Channel(ChannelKind.UNKNOWN, facts.userAgent)


class _Facts(NamedTuple):
    """The fields that the table reads."""

    eventType: str  # noqa: N815 - CloudTrail's own spelling, as in the table
    eventSource: str  # noqa: N815
    identity: str
    invokedBy: str  # noqa: N815
    userAgent: str  # noqa: N815
    caller: str
    fromConsole: str  # noqa: N815


def _facts(event: Mapping[str, object]) -> _Facts:
    """What the record says of them; S3 writes user agents in square brackets."""
    agent = text_at(event, "userAgent")
    invoked_by = text_at(event, "userIdentity", "invokedBy")
    source = text_at(event, "sourceIPAddress")
    agent = agent[1:-1] if agent.startswith("[") and agent.endswith("]") else agent
    from_console = str(event.get("sessionCredentialFromConsole") or "").lower()
    # The console's own back end calls as `AWS Internal`; only the credentials then tell it from a service.
    behind_console = from_console == "true" and agent == "AWS Internal"
    hosts = (invoked_by, source) if behind_console else (invoked_by, source, agent)
    return _Facts(
        text_at(event, "eventType"),
        text_at(event, "eventSource") if text_at(event, "eventName") in _SIGN_INS else "",
        text_at(event, "userIdentity", "type"),
        invoked_by,
        agent,
        next((host for host in hosts if is_service_host(host)), ""),
        from_console,
    )


# Sign-in events of records that predate eventType AwsConsoleSignIn.
_SIGN_INS: Final = frozenset({"ConsoleLogin", "SwitchRole", "ExitRole", "RenewRole", "CheckMfa"})


def _detail(row: _Row, found: re.Match[str], facts: _Facts) -> str:
    if row.detail == "host":
        host = facts.caller or facts.invokedBy
        return service_name(host) if host else ""
    return found.expand(row.detail).strip()
