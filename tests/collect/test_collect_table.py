"""The table of calls: every row is a call that AWS has, with parameters and permissions that AWS knows."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import jmespath
import pytest
from botocore.session import Session

from clew.aws.catalog import current
from clew.collect.permissions import policy
from clew.collect.table import IDENTITY, LAST_ACCESSED, REGIONS, SERVICES, TABLE, chosen
from clew.policy import parse

EVERY = (*TABLE, LAST_ACCESSED)
_READS = re.compile(r"^(Get|List|Describe|BatchGet|Head)")


@cache
def model(service: str) -> Any:
    """What AWS publishes of the service."""
    return Session().get_service_model(service)


@cache
def paginated(service: str) -> frozenset[str]:
    """The operations whose pages the SDK follows."""
    loader = Session().get_component("data_loader")
    return frozenset(loader.load_service_model(service, "paginators-1")["pagination"])


def parameters(items: str) -> set[str]:
    """The parameters that a follow-up's expression gives."""
    return set(re.findall(r"(\w+): ", items)) - {"region"}


def given_by(read: Any, each: Any) -> set[str]:
    """The parameters of a follow-up: its own, those of the item, and those carried over from the call before."""
    return set(read.given) | parameters(each.items) | set(each.carry)


@pytest.mark.parametrize("read", EVERY, ids=lambda read: read.name)
def test_row_is_a_call_of_aws(read: Any) -> None:
    """The operation exists, takes these parameters, and lacks none."""
    asked = read.job.operation if read.job else read.operation
    shape = model(read.service).operation_model(asked).input_shape
    known = set(shape.members) if shape else set()
    required = set(shape.required_members) if shape else set()
    for given in [given_by(read, each) for each in read.each] or [set(read.given)]:
        assert given <= known
        assert required <= given


@pytest.mark.parametrize("read", EVERY, ids=lambda read: read.name)
def test_row_only_reads(read: Any) -> None:
    """Nothing is changed in an account: the calls that are no reads make IAM write its reports."""
    assert _READS.match(read.operation)
    started = {each.operation for each in (read.first, read.job) if each}
    assert started <= {"GenerateCredentialReport", "GenerateServiceLastAccessedDetails"}


@pytest.mark.parametrize("read", [read for read in EVERY if read.each], ids=lambda read: read.name)
def test_follow_up_follows_a_call_of_the_table(read: Any) -> None:
    """Each call that is made for items of another names one of the table, and items of its answer."""
    names = {each.name: each for each in TABLE}
    for each in read.each:
        shape = model(names[each.of].service).operation_model(names[each.of].operation).output_shape
        assert re.split(r"\W", each.items, maxsplit=1)[0] in shape.members
        jmespath.compile(each.items)
        before = names[each.of]
        assert all(set(each.carry) <= given_by(before, other) for other in before.each)
        assert before.each or not each.carry


def test_actions_are_those_of_aws() -> None:
    """Every action of the policy is in AWS's catalogue, so that the policy grants what is needed."""
    unknown = [a for read in EVERY for a in read.actions if current().action(a) is None]
    assert not unknown


def test_policy_is_sound_and_fits_into_a_managed_policy() -> None:
    """The policy that is printed is valid and within AWS's 6,144 characters, white space not counted."""
    import json

    text = json.dumps(policy(EVERY, role="Audit", organization=True), separators=(",", ":"))
    parse.parse(text)
    assert len(text) <= 6144


def test_policy_is_for_what_is_chosen() -> None:
    """Choosing services leaves the others' actions out."""
    statements = policy(chosen(("kms",)))["Statement"]
    assert isinstance(statements, list)
    services = {action.partition(":")[0] for action in statements[0]["Action"]}
    assert services == {"ec2", "kms"}


def test_who_and_where_are_always_asked() -> None:
    """Whatever is chosen, the snapshot tells whose account it is and which regions it has."""
    for service in SERVICES:
        assert {IDENTITY.name, REGIONS.name} <= {read.name for read in chosen((service,))}


def test_pages_are_followed_with_or_without_a_paginator() -> None:
    """An operation with pages has the SDK's paginator, or a token of a known name."""
    for read in EVERY:
        output = model(read.service).operation_model(read.operation).output_shape
        tokens = {name for name in (output.members if output else ()) if re.search("Token$|Marker$", name)}
        if read.operation not in paginated(read.service):
            assert tokens <= {"NextToken", "nextToken", "NextMarker", "Marker"}, read.name


def test_outcome_of_a_job_has_the_members_that_are_looked_at() -> None:
    """The job's id is a member of one answer and a parameter of the other call; its states are AWS's words."""
    job = LAST_ACCESSED.job
    assert job is not None
    assert job.id in model("iam").operation_model(job.operation).output_shape.members
    asked = model("iam").operation_model(LAST_ACCESSED.operation)
    assert job.id in asked.input_shape.required_members
    assert {job.working, job.done} < set(asked.output_shape.members[job.status].enum)
