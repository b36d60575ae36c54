"""Groups of actions of which one is asked for all."""

from __future__ import annotations

import pytest

from clew.aws import catalog
from clew.engine import Context, Policies, Request, prepare
from clew.policy.parse import from_document
from clew.reach.alike import alike

_OWNER = "111122223333"
_RESOURCES = {
    "s3": "arn:aws:s3:::payroll",
    "sqs": f"arn:aws:sqs:eu-west-1:{_OWNER}:jobs",
    "kms": f"arn:aws:kms:eu-west-1:{_OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "sts": f"arn:aws:iam::{_OWNER}:role/etl",
    "iam": f"arn:aws:iam::{_OWNER}:role/etl",
    "sns": f"arn:aws:sns:eu-west-1:{_OWNER}:alarms",
}
_CALLERS = ("*", "arn:aws:iam::444455556666:user/ana", f"arn:aws:iam::{_OWNER}:user/ana", "sns.amazonaws.com")


@pytest.mark.parametrize("service", _RESOURCES)
def test_one_answer_holds_for_the_whole_group(service: str) -> None:
    """Where everybody may do everything, each action of a group has the engine's answer to its first."""
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    policy = from_document({"Version": "2012-10-17", "Statement": [everybody]})
    aws = catalog.current()
    prepared = prepare(Policies(resource=policy))
    for caller in _CALLERS:
        for group in alike(aws.names(aws.mask(f"{service}:*")), policy.statements):
            effects = {
                prepared.effect(Request(caller, action, _RESOURCES[service], _OWNER, Context(unknown=None)))
                for action in group
            }
            assert len(effects) == 1, group
