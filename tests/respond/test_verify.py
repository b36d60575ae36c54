"""Judging again with the check that found it: it fails before, passes after, and fails again once it is taken back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.respond.test_actions import (
    OWN,
    TRIALS,
    World,
    bucket,
    default_group,
    key,
    logged,
    open_group,
    recorded,
    trail,
    vpc,
)
from tests.respond.test_actions import account as the_account

from clew.audit.checks import CHECKS
from clew.audit.model import Verdict
from clew.cli import fixing
from clew.collect.asking import Clock
from clew.respond.rules import RULES
from clew.respond.session import Credentials, door
from clew.respond.verify import judged

if TYPE_CHECKING:
    from collections.abc import Callable

PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::pay/*"}],
}


def public(world: World) -> str:
    return bucket(world, policy=json.dumps(PUBLIC))


def started(world: World) -> str:
    arn = trail(world)
    client = world.client("cloudtrail")
    client.start_logging(Name=arn)
    # The emulator says nothing of what a trail logs that nobody set selectors for.
    every = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
    client.put_event_selectors(TrailName=arn, EventSelectors=[every])
    return arn


PLANTS: dict[str, tuple[Callable[[World], str], dict[str, str]]] = {
    "s3-bucket-block-public-access": (bucket, {}),
    "s3-account-block-public-access": (the_account, {}),
    "s3-bucket-logging": (logged, {"target-bucket": "logs"}),
    "s3-bucket-public-read": (public, {}),
    "s3-bucket-public-write": (public, {}),
    "s3-bucket-tls-only": (bucket, {}),
    "s3-bucket-versioning": (bucket, {}),
    "iam-password-policy-length": (the_account, {}),
    "iam-password-policy-expiry": (the_account, {}),
    "cloudtrail-log-validation": (trail, {}),
    "cloudtrail-s3-data-events": (started, {}),
    "cloudtrail-multi-region": (started, {}),
    "ec2-default-security-group": (default_group, {}),
    "ec2-security-group-ssh": (open_group, {}),
    "ec2-security-group-admin-ipv6": (open_group, {}),
    "ec2-vpc-flow-logs": (vpc, {}),
    "kms-rotation": (key, {}),
    "config-recorder": (recorded, {"bucket": "history"}),
}
CLOCK = Clock(lambda: datetime.now(UTC), lambda _: None)


def verdicts(rule: str, resource: str, options: dict[str, str]) -> set[Verdict]:
    """What the check says now of the resource alone."""
    settings = tuple(f"{name}={value}" for name, value in options.items())
    asked = fixing.Asked("", rule, "", resource, settings, "", "")
    change, session = fixing._planned(fixing._wanted(asked), door(Credentials(), CLOCK))
    return {judgement.verdict for judgement in judged(CHECKS[rule], change, session)}


ALWAYS = {"s3-bucket-public-read", "cloudtrail-multi-region", "ec2-security-group-ssh", "config-recorder"}


@pytest.mark.parametrize(
    "rule", [pytest.param(rule, marks=() if rule in ALWAYS else pytest.mark.long) for rule in PLANTS]
)
@pytest.mark.usefixtures("aws")
def test_check_judges_the_change(rule: str, fix: Callable[..., Any]) -> None:
    """The check that found it says pass after the remedy, from answers of that moment."""
    plant, options = PLANTS[rule]
    resource = plant(World(OWN, "us-east-1"))
    assert verdicts(rule, resource, options) == {Verdict.FAIL}
    settings = [word for name, value in options.items() for word in ("--set", f"{name}={value}")]
    result = fix("--check", rule, "--resource", resource, *settings, "--apply")
    assert f"check {rule}: pass: " in result.stdout, result.stdout
    assert result.exit_code == 0


def test_trials_and_plants_are_about_remedies() -> None:
    """What is judged again is what the table of remedies names."""
    assert {RULES[rule].action for rule in PLANTS} <= {trial.action for trial in TRIALS}
