"""The scenarios together: no gate, no law of a service, no hypothesis and no doctor goes without one."""

from __future__ import annotations

from typing import Any

from tests.engine.cases import files, read
from tests.explain.scenario import CASES, explained
from tests.explain.test_assume_role import hypotheses

from clew.engine.services import LAWS
from clew.engine.verdicts import Gate
from clew.explain.assume_role_question import account_of
from clew.explain.cause import CauseId
from clew.explain.integrations import DOCTORS

_MISSING, _EXPLICIT = "missing", "explicit"
# AWS: "Resource control policies": RCPFullAWSAccess is always attached, so that none lacks an allow; and Block Public
# Access has no policies that could deny.
_GATES = {(gate, how) for gate in Gate for how in (_MISSING, _EXPLICIT)} - {
    (Gate.RCP, _MISSING),
    (Gate.BLOCK_PUBLIC_ACCESS, _EXPLICIT),
}


def _row(given: dict[str, Any]) -> dict[str, Any]:
    return {**CASES["defaults"], **given}


def test_there_are_a_hundred_refusals_and_more() -> None:
    """Each is built from account files and an event or a text, under a name of its own."""
    names = [row["name"] for row in CASES["rows"]]
    assert len(names) == len(set(names)) >= 100


def test_every_gate_refuses_in_some_scenario() -> None:
    """Each kind of policy is the cause once for want of an allow and once by a deny, where it can be."""
    shown = set()
    for given in CASES["rows"]:
        found = explained(given)[1].cause
        # What a message alone tells is a deny or not, too.
        denies = (
            found.id is CauseId.EXPLICIT_DENY
            or "denies" in found.sentence
            or "may have denied" in found.sentence
        )
        if found.gate:
            shown.add((Gate(found.gate), _EXPLICIT if denies else _MISSING))
    assert _GATES - shown == set()


def test_every_law_of_a_service_decides_within_an_account_and_across() -> None:
    """The laws of KMS, STS, IAM, those of S3 and the common one refuse callers of the account and others."""
    shown = set()
    for given in CASES["rows"]:
        found = explained(given)[1]
        if found.prediction is not None:
            request = found.prediction.request
            service = request.action.partition(":")[0].lower()
            law = service if service in {*LAWS, "s3"} else "common"
            caller, owner = account_of(request.principal), request.resource_account
            shown.add((law, caller == owner))
    assert {(law, same) for law in (*LAWS, "s3", "common") for same in (True, False)} - shown == set()


def test_every_hypothesis_of_a_role_that_cannot_be_assumed_is_a_cause() -> None:
    """Each hypothesis is confirmed first in some row, but the one that is never more than open."""
    causes, ids = hypotheses()
    assert ids - causes == {"both-accounts"}


def test_every_doctor_finds_several_faults() -> None:
    """Each integration has a file of cases in which links break, one after the other."""
    cases = {name.rpartition("/")[2]: read(name)["rows"] for name in files("explain/integrations")}
    assert set(cases) == set(DOCTORS)
    for name, rows in cases.items():
        assert len({row["first"] for row in rows if row["expect"] == "broken"}) >= 2, name


def test_what_a_refusal_may_hang_on_has_a_scenario() -> None:
    """Tags, MFA, time, address, endpoint, keys behind services, sessions, places, cases: each is told in words."""
    sentences = " ".join(explained(given)[1].cause.sentence for given in CASES["rows"])
    for words in (
        "the principal has no tag",
        "aws:ResourceTag/",
        "a long-term key or no MFA",
        "the time of the request was",
        "came through a VPC endpoint",
        "Behind it `kms:Decrypt`",
        "session policy",
        "the region is",
        "the account is",
        "in case",
        "was deleted",
        "a change takes a while",
        "is no action of AWS",
        "belongs to account",
    ):
        assert words in sentences, words
