"""The options of `clew simulate`, each with its help, so that the command's signature reads as a list."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

Texts = list[str] | None


class Output(StrEnum):
    """The forms in which decisions are printed."""

    TEXT = "text"
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    AWS = "aws"


class FailOn(StrEnum):
    """The answers that end with exit code 1."""

    DENIED = "denied"
    ALLOWED = "allowed"


def _option(help_text: str, *names: str, metavar: str | None = None) -> object:
    return typer.Option(*names, help=help_text, metavar=metavar)


# The question
Principal = Annotated[
    str | None,
    _option(
        "User, role, session, federated user, root or group ARN, a service name, or `*` for anonymous.",
        "--principal",
        "-p",
        metavar="ARN",
    ),
]
Action = Annotated[Texts, _option("Action, or a glob such as 's3:Get*' (repeatable).", "--action", "-a")]
Resource = Annotated[
    Texts, _option("Resource ARN, or `*` (repeatable; the default).", "--resource", "-r", metavar="ARN")
]
ResourceAccount = Annotated[
    str | None,
    _option(
        "The account that owns the resources, where their ARNs do not say it.",
    ),
]
# Account files
Policies = Annotated[
    Texts,
    _option(
        "Output of `aws iam get-account-authorization-details`, or a folder with it and the side files (repeatable).",
        "--policies",
        metavar="FILE|FOLDER",
    ),
]
ResourcePolicies = Annotated[Texts, _option("Resource policies by ARN (repeatable).", metavar="FILE")]
Scps = Annotated[
    Texts, _option("Service control policies by root, unit and account.", "--scps", metavar="FILE")
]
Rcps = Annotated[
    Texts, _option("Resource control policies by root, unit and account.", "--rcps", metavar="FILE")
]
Organization = Annotated[Texts, _option("Where the accounts sit.", metavar="FILE")]
Only = Annotated[
    Texts,
    _option("Of the attached policies only these: name, ARN or glob (repeatable).", metavar="POLICY"),
]
Without = Annotated[
    Texts,
    _option(
        "Without this attached policy; or without `boundary`, `scps`, `rcps`, `resource-policy` (repeatable).",
        metavar="POLICY",
    ),
]
# Policies of your own
Policy = Annotated[
    Texts, _option("Identity policy, added to the attached ones (repeatable).", metavar="FILE")
]
Boundary = Annotated[Texts, _option("Permissions boundary, in place of the attached one.", metavar="FILE")]
ResourcePolicy = Annotated[
    str | None,
    _option("The policy of every resource asked about (a trust policy for AssumeRole).", metavar="FILE"),
]
SessionPolicy = Annotated[Texts, _option("Session policy (repeatable).", metavar="FILE")]
EndpointPolicy = Annotated[
    Texts, _option("Policy of the VPC endpoint that the request goes through.", metavar="FILE")
]
Scp = Annotated[
    Texts,
    _option(
        "One organisation level of SCPs, root first (repeatable); a JSON list holds several.",
        "--scp",
        metavar="FILE",
    ),
]
Rcp = Annotated[
    Texts,
    _option("One organisation level of RCPs, root first (repeatable).", "--rcp", metavar="FILE"),
]
# Request context
ContextValue = Annotated[
    Texts,
    _option(
        "Context key, as in aws:SourceIp=192.0.2.7; repeated or a JSON list: several values.",
        "--context",
        "-c",
        metavar="KEY=VALUE",
    ),
]
ContextFile = Annotated[
    Texts, _option("JSON object of context keys, or IAM's ContextEntries list.", metavar="FILE")
]
DecodedMessage = Annotated[
    str | None,
    _option(
        "Decoded EC2 authorization message: its context, and principal, action, resource where not given.",
        metavar="FILE",
    ),
]
Absent = Annotated[
    Texts, _option("A context key that the request does not carry (repeatable).", metavar="KEY")
]
ContextComplete = Annotated[
    bool,
    _option("Keys that are not given are absent; without this they are unknown.", "--context-complete"),
]
# The answer
OutputOption = Annotated[
    Output | None,
    _option("`aws` is the JSON of IAM's simulation API.", "--output", "-o"),
]
Explain = Annotated[
    bool,
    _option(
        "Text: explain every decision of a matrix; add the rule and the order of evaluation.", "--explain"
    ),
]
FailOnOption = Annotated[
    FailOn | None,
    _option(
        "Exit 1 when a request is denied, or when one is allowed.",
    ),
]
Save = Annotated[
    str | None,
    _option("Also save the answers as dated evidence with the inputs' hashes.", metavar="FILE"),
]
LivePermissions = Annotated[
    bool,
    _option(
        "Print the policy that asking the same question of live AWS takes, and stop.",
        "--live-permissions",
    ),
]
# Batch
Batch = Annotated[
    str | None,
    _option("Answer for each JSON line of FILE, `-` for standard input.", "--batch", metavar="FILE"),
]
UnknownContext = Annotated[
    bool,
    _option("Batch: keys that a line does not give are unknown, not absent.", "--unknown-context"),
]
DeriveContext = Annotated[
    bool,
    _option("Batch: derive keys that are certain, such as aws:PrincipalArn.", "--derive-context"),
]
