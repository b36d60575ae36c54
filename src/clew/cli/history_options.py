"""The options of `clew events`, each with its help, so that the command's signature reads as a list."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Output(StrEnum):
    """The forms in which events are printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


class Order(StrEnum):
    """The order of the events."""

    NEWEST = "newest"
    OLDEST = "oldest"


Texts = list[str] | None

# Who
User = Annotated[
    Texts,
    typer.Option(
        "--user",
        "-u",
        help="User, role, session, ARN, principal id or `root`, with the sessions they opened.",
    ),
]
AccessKey = Annotated[Texts, typer.Option(help="Access key of the caller.")]
Account = Annotated[Texts, typer.Option(help="Account of the record or of the caller.")]
# What
Resource = Annotated[
    Texts, typer.Option("--resource", "-r", help="ARN, id or name, compared whole; `*` is any characters.")
]
ResourceType = Annotated[Texts, typer.Option(help="Resource type, such as AWS::S3::Bucket.")]
EventName = Annotated[
    Texts, typer.Option("--event-name", "-n", help="Call, such as DeleteTrail or 'Delete*'.")
]
EventSource = Annotated[Texts, typer.Option(help="Service: ec2, CloudWatch, iam.amazonaws.com.")]
EventId = Annotated[Texts, typer.Option(help="Event id.")]
RequestId = Annotated[Texts, typer.Option(help="Request id; S3 server access lines are joined to it.")]
ErrorCode = Annotated[Texts, typer.Option(help="Error code, such as NoSuchBucket.")]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Only reads.")]
WriteOnly = Annotated[bool, typer.Option("--write-only", help="Only calls that are no reads.")]
Created = Annotated[bool, typer.Option("--created", help="Only calls that create.")]
Changed = Annotated[bool, typer.Option("--changed", help="Only calls that change settings or permissions.")]
Deleted = Annotated[bool, typer.Option("--deleted", help="Only calls that delete.")]
Errors = Annotated[bool, typer.Option("--errors", help="Only calls that did not succeed.")]
Denied = Annotated[bool, typer.Option("--denied", help="Only calls refused for lack of permission.")]
LastRootLogin = Annotated[
    bool, typer.Option("--last-root-login", help="The root user's last console sign-in.")
]
# Where from, how, when
Ip = Annotated[Texts, typer.Option(help="Source address, network (192.0.2.0/24) or service.")]
Region = Annotated[Texts, typer.Option(help="Region.")]
Channel = Annotated[Texts, typer.Option(help="How: console, CLI, SDK, Lambda, Terraform, service, …")]
Since = Annotated[str | None, typer.Option(help="From: 2023-07-10, 2023-07-10T11:42Z, 90m, 7d, today.")]
Until = Annotated[str | None, typer.Option(help="Before, as --since; a day is included to its end.")]
# What to show
Limit = Annotated[int, typer.Option(min=0, help="How many events; 0 for all.")]
OrderOption = Annotated[Order, typer.Option("--order", help="newest or oldest first.")]
OutputOption = Annotated[Output | None, typer.Option("--output", "-o", help="table, json, jsonl or csv.")]
Raw = Annotated[bool, typer.Option("--raw", help="The original records, byte for byte.")]
