"""Checks of the policies of resources, whatever their service, and of the trust policies of roles."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from clew.audit.checks.iam_policies import details
from clew.audit.credentials import unknown
from clew.audit.model import Judgement, Verdict, check
from clew.audit.resource_policies import SOURCES, Strangers, each_policy, is_restricted, named
from clew.audit.resources import unanswered
from clew.errors import PolicyError
from clew.findings import Severity
from clew.reach.callers import is_held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.model import State
    from clew.audit.resource_policies import Holder
    from clew.policy.model import Policy, Statement
    from clew.snapshot.answers import Answer
    from clew.snapshot.model import Role

_DETAILS = "iam:GetAccountAuthorizationDetails"
_LAMBDA = next(source for source in SOURCES if source.listed == "lambda:ListFunctions")


@check(
    "resource-policy-public",
    "No resource policy lets everybody in",
    "A resource policy lets everybody in",
    Severity.HIGH,
)
def public(state: State) -> Iterator[Judgement]:
    """Policies of resources, and trust policies of roles, that let in callers whom nobody knows.

    Finds. Policies of buckets, functions and their aliases, layers, keys, topics, queues, secrets, image repositories,
    event buses, tables and their streams, Kinesis streams and consumers, and file systems with an Allow for everybody
    that no condition holds to known accounts, organisations, networks or sources, and that no Deny takes back; trust
    policies of roles with such an Allow. Block Public Access of a bucket or the account counts.
    Why it matters. Everybody with an AWS account, or without one, may then do what the statement allows.
    False positives. What is meant for everybody: a public website, a public dataset.
    Fix. Name the accounts, or add a condition on aws:PrincipalOrgID, aws:SourceArn or aws:SourceVpce.
    References. IAM user guide, AWS JSON policy elements: Principal · Amazon S3 user guide, Blocking public access to
    your Amazon S3 storage · Amazon EFS user guide, Blocking public access to EFS file systems
    """
    strangers = Strangers(state)

    def judge(holder: Holder, policy: Policy, told: Answer) -> Judgement:
        return _opened(state, holder, strangers.let_in(holder, policy), told)

    found = False
    for judgement in chain(_trusts(state), *(each_policy(state, source, judge) for source in SOURCES)):
        found = True
        yield judgement
    if not found:
        yield Judgement(Verdict.NOT_APPLICABLE, state.account_arn, "nothing with a policy is there")


def _opened(state: State, holder: Holder, found: tuple[Statement, ...], told: Answer) -> Judgement:
    if not found:
        return Judgement(Verdict.PASS, holder.arn, "lets no stranger in")
    seen = tuple(("Action", ", ".join(each.actions or ("all but NotAction",))) for each in found)
    if told.call.operation == "GetBucketPolicy":
        restricted = is_restricted(state, holder)
        if restricted is True:
            return Judgement(Verdict.PASS, holder.arn, "Block Public Access keeps strangers out", seen)
        if restricted is not False:
            return unanswered(holder.arn, restricted, evidence=seen)
    return Judgement(Verdict.FAIL, holder.arn, f"lets everybody in: statement {named(found)}", seen)


def _trusts(state: State) -> Iterator[Judgement]:
    account = details(state, "RoleDetailList")
    if isinstance(account, Judgement):
        yield account
        return
    for role in account.roles.values():
        yield _trust(role)


def _trust(role: Role) -> Judgement:
    try:
        statements = role.trust.meaning.statements if role.trust else ()
    except PolicyError as error:
        return unknown(role.arn, f"its trust policy cannot be read: {error}", _DETAILS)
    found = tuple(
        each
        for each in statements
        if each.allows and any(p.is_anyone for p in each.principals or ()) and not is_held(each)
    )
    if found:
        limit = ", under a condition" if all(each.conditions for each in found) else ""
        message = f"everybody may assume it{limit}: statement {named(found)}"
        return Judgement(Verdict.FAIL, role.arn, message, severity=Severity.CRITICAL if not limit else None)
    return Judgement(Verdict.PASS, role.arn, "trusts no stranger")


@check("lambda-public-access", "Functions are not public", "Everybody may invoke a function", Severity.HIGH)
def lambda_public_access(state: State) -> Iterator[Judgement]:
    """Functions whose policy lets in callers whom nobody knows.

    Finds. A function whose policy has an Allow for everybody that no condition holds to known callers or sources, also
    that of a function URL without authorization.
    Why it matters. Everybody can run the code, with the role's permissions and at your cost.
    False positives. A function URL that is meant for the whole world.
    Fix. Remove the statement with `aws lambda remove-permission`, or add SourceAccount and SourceArn.
    References. AWS Lambda developer guide, Using resource-based policies in Lambda · AWS Config developer guide,
    lambda-function-public-access-prohibited
    """
    strangers = Strangers(state)

    def judge(holder: Holder, policy: Policy, told: Answer) -> Judgement:
        return _opened(state, holder, strangers.let_in(holder, policy), told)

    found = False
    for judgement in each_policy(state, _LAMBDA, judge):
        found = True
        yield judgement
    if not found:
        yield Judgement(Verdict.NOT_APPLICABLE, state.account_arn, "there are no functions")
