"""How `clew exposure --preview` tells what a policy would newly expose, before it is deployed."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.cli import context, exposing
from clew.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.analyzer.exposure_model import Target, WayIn
    from clew.findings import Severity

_ACCOUNT_PART = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """A policy, the resource that is to get it, and whether the resource is yet to be made."""

    document: str
    resource: str
    is_new: bool


def show(policies: Sequence[str], zone: str, asked: Asked, output: str, fail_on: Severity | None) -> int:
    """Print what the resource would newly expose with the policy, and what no longer; the exit code."""
    from clew.analyzer.exposure import exposure, newly_exposed, speaks_of, with_policy
    from clew.analyzer.exposure_findings import finding
    from clew.analyzer.exposure_model import Report

    now = datetime.now(UTC)
    reading = exposing.read_all(policies, now)
    before = _target(reading, asked)
    trusted, unsure = exposing.zone_around(reading, before.account, zone)
    after = with_policy(before, _way(asked.document))
    if not speaks_of(after):
        context.note(f"no statement of the policy is about {before.arn}; some services refuse such a policy")
    new, gone = newly_exposed(before, after, trusted)
    _, unknown = exposure(after, trusted)
    _, as_of = reading.accounts[before.account]
    report = Report(before.account, trusted, {before.arn: before.type}, new, (*unsure, *unknown))
    pairs = [(each, finding(each, trusted, as_of)) for each in new]
    closed = [finding(each, trusted, as_of) for each in gone]
    sys.stdout.write(exposing.rendered([report], pairs, closed, output, preview=True))
    return exposing.exit_code([report], [kept for _, kept in pairs], fail_on)


def _target(reading: exposing.Reading, asked: Asked) -> Target:
    from clew.analyzer.exposure_accounts import everything
    from clew.analyzer.exposure_model import Target

    for account, (state, _) in reading.accounts.items():
        for each in everything(state, account):
            if isinstance(each, Target) and each.arn == asked.resource:
                if asked.is_new:
                    raise UsageError(f"`{asked.resource}` is there already; leave `--new` out")
                return each
    if asked.is_new:
        return _new(reading, asked.resource)
    raise UsageError(
        f"no resource `{asked.resource}` in what was read; `--new` for one that is yet to be made"
    )


def _new(reading: exposing.Reading, arn: str) -> Target:
    """A resource that is yet to be made, in the account that its ARN names, or in the only one."""
    from clew.analyzer.exposure_accounts import type_of
    from clew.analyzer.exposure_model import Target, Through, WayIn

    type_ = type_of(arn)
    if not type_:
        raise UsageError(f"`{arn[:200]}` is no ARN of a resource that exposure looks at")
    named = arn.split(":")[_ACCOUNT_PART]
    if named and named not in reading.accounts:
        raise UsageError(f"account {named} is not in what was read")
    if not named and len(reading.accounts) > 1:
        raise UsageError(f"whose is `{arn[:200]}`? several accounts were read; name the snapshot of one")
    account = named or next(iter(reading.accounts), "")
    if not account:
        raise UsageError("what was read holds no account")
    # AWS: "Blocking public access to your Amazon S3 storage": new buckets have it on, and it can be switched off.
    unsettled = ("s3:GetPublicAccessBlock of a bucket that is yet to be made",) if "::S3::" in type_ else ()
    way = WayIn(Through.POLICY, "--preview", unsettled=unsettled)
    return Target(arn, type_, account, arn.split(":")[3], (way,))


def _way(document: str) -> WayIn:
    from clew.analyzer.exposure_model import Through, WayIn
    from clew.snapshot.load import read as read_file
    from clew.snapshot.model import Document

    source = read_file(document)
    return WayIn(
        Through.POLICY, "--preview", document, document=Document("preview", source.text, source=source)
    )
