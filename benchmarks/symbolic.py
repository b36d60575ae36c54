"""Pairs of policies: does the edited one allow what the other did not? CPU milliseconds a pair, by size.

Usage: python benchmarks/symbolic.py [--pairs 400]

First AWS's managed policies, asked both ways about copies with one edit each (`managed.py`). Then policies made from
the catalogue in their manner: 1 to 30 statements, whole services, lists of actions, read-only patterns, bucket and
table ARNs, conditions on tags, networks, organisations and services passed to, beside copies with one to three edits;
once of twenty services, once of one service each, where every statement may matter. Last cvc5 and Z3, given the same
formula of pairs of AWS's policies, which they are asked only where it is about texts alone.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import managed

from clew.aws import catalog
from clew.engine import Policies, Request
from clew.policy.model import Policy
from clew.policy.parse import from_document
from clew.symbolic import solver
from clew.symbolic.budget import UndecidedError
from clew.symbolic.questions import Answer, Verdict, implies, oracle
from clew.symbolic.stacks import Stack

if TYPE_CHECKING:
    from clew.symbolic.search import Formula
    from clew.symbolic.space import Space

Document = dict[str, Any]
Pairs = Sequence[tuple[str, Policy, Policy]] | Sequence[tuple[str, Stack, Stack]]
"""Pairs of policies or stacks, each with the number of their statements."""

Ask = Callable[[Any, Any], Answer]

SERVICES = ("s3", "ec2", "dynamodb", "lambda", "iam", "sqs", "sns", "kms", "logs", "cloudwatch", "ecr", "ecs", "rds",
            "secretsmanager", "ssm", "states", "glue", "athena", "kinesis", "cloudformation")  # fmt: skip
ARNS = {
    "s3": ("arn:aws:s3:::{0}", "arn:aws:s3:::{0}/*", "arn:aws:s3:::{0}/${{aws:PrincipalTag/team}}/*"),
    "iam": ("arn:aws:iam::111122223333:role/{0}-*", "arn:aws:iam::*:role/service-role/{0}"),
}
CONDITIONS: tuple[Document, ...] = (
    {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
    {"StringEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}},
    {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "198.51.100.0/24"]}},
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"StringLike": {"iam:PassedToService": ["lambda.amazonaws.com", "ecs-tasks.amazonaws.com"]}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
    {"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "cost"]}},
    {"ArnLike": {"aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/*"}},
    {"StringNotEquals": {"aws:SourceVpce": "vpce-0a1b2c3d"}},
    {"NumericLessThan": {"s3:max-keys": "100"}},
)
STEMS = ("Get*", "List*", "Describe*", "Put*", "Create*", "Update*", "*", "BatchGet*")
ROLE = "arn:aws:sts::111122223333:assumed-role/app/session"
FULL: Document = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
GUARDRAIL: Document = {
    "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {
            "Effect": "Deny",
            "NotAction": ["iam:*", "sts:*", "s3:*", "organizations:*"],
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}},
        },
        {
            "Effect": "Deny",
            "Action": ["organizations:LeaveOrganization", "cloudtrail:StopLogging"],
            "Resource": "*",
        },
    ]
}
BOUNDARY: Document = {
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:*", "sqs:*", "logs:*", "lambda:*", "kms:*", "ec2:*"],
            "Resource": "*",
        },
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/app-*"},
    ]
}
BUCKET: Document = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:role/app"},
            "Action": "s3:*",
            "Resource": ["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"],
        },
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]
}
SIZES_FOR_SOLVERS, SOLVED = ("1", "2-3", "4-7"), 60
NAMES = ("app", "data", "logs", "payroll", "web", "audit")


def policy(chance: random.Random, statements: int, services: Sequence[str] = SERVICES) -> Document:
    """A policy of so many statements."""
    return {"Version": "2012-10-17", "Statement": [_statement(chance, services) for _ in range(statements)]}


def _statement(chance: random.Random, services: Sequence[str]) -> Document:
    service = chance.choice(services)
    found: Document = {"Effect": "Deny" if chance.random() < 0.12 else "Allow"}
    found["Action"] = _actions(chance, service)
    found["Resource"] = _resources(chance, service)
    if chance.random() < 0.35:
        found["Condition"] = deepcopy(chance.choice(CONDITIONS))
    return found


def _actions(chance: random.Random, service: str) -> list[str]:
    if chance.random() < 0.5:
        return [f"{service}:{stem}" for stem in chance.sample(STEMS, chance.randint(1, 3))]
    known = catalog.current().actions(service)
    return [each.full_name for each in chance.sample(known, min(len(known), chance.randint(2, 25)))]


def _resources(chance: random.Random, service: str) -> list[str]:
    if chance.random() < 0.4:
        return ["*"]
    forms = ARNS.get(
        service, (f"arn:aws:{service}:*:111122223333:{{0}}*", f"arn:aws:{service}:us-east-1:*:x/{{0}}")
    )
    return [chance.choice(forms).format(name) for name in chance.sample(NAMES, chance.randint(1, 3))]


def edited(chance: random.Random, document: Document, services: Sequence[str] = SERVICES) -> Document:
    """A copy with one to three edits."""
    found = deepcopy(document)
    for _ in range(chance.randint(1, 3)):
        listed = found["Statement"]
        each = chance.choice(listed)
        match chance.randrange(7):
            case 0:
                each["Action"].append(f"{chance.choice(services)}:{chance.choice(STEMS)}")
            case 1:
                each["Action"] = each["Action"][:-1] or each["Action"]
            case 2:
                each["Resource"] = ["*"] if chance.random() < 0.5 else each["Resource"][:1]
            case 3:
                each.pop("Condition", None)
            case 4:
                each["Condition"] = deepcopy(chance.choice(CONDITIONS))
            case 5 if len(listed) > 1:
                listed.remove(each)
            case _:
                listed.append(_statement(chance, services))
    return found


def pairs(
    count: int, seed: int = 20261129, services: Sequence[str] = SERVICES
) -> list[tuple[str, Policy, Policy]]:
    """So many pairs of these services, each with its number of statements; the edited one is on either side."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        size = (1, 2, 3, 5, 8, 12, 20, 30)[number % 8]
        one = policy(chance, size, services)
        two = edited(chance, one, services)
        left, right = (two, one) if chance.random() < 0.7 else (one, two)
        found.append((str(size), from_document(left), from_document(right)))
    return found


def of_aws(count: int) -> list[tuple[str, Policy, Policy]]:
    """AWS's managed policies beside so many edited copies, both ways."""
    found: list[tuple[str, Policy, Policy]] = []
    for pair in managed.pairs(count):
        low, high = next(each for each in managed.SIZES if each[0] <= pair.statements <= each[1])
        size = str(low) if low == high else f"{low}-{high}"
        before, after = from_document(pair.before), from_document(pair.after)
        found += [(size, after, before), (size, before, after)]
    return found


def stacks(real: Sequence[tuple[str, Policy, Policy]]) -> list[tuple[str, Stack, Stack]]:
    """The pairs as a role's policies under a boundary and two levels of SCPs, half of them beside a bucket policy."""

    def under(policy: Policy, number: int) -> Stack:
        resource = from_document(BUCKET) if number % 2 else None
        levels = (from_document(FULL),), (from_document(GUARDRAIL),)
        return Stack(Policies((policy,), resource, (from_document(BOUNDARY),), scps=levels), ROLE)

    return [
        (size, under(left, number), under(right, number)) for number, (size, left, right) in enumerate(real)
    ]


def _timed(title: str, ask: Ask, asked: Pairs) -> None:
    print(f"\n## {title}\n")
    ask(asked[0][1], asked[0][2])  # the catalogue is read once
    costs: dict[str, list[float]] = {}
    verdicts: dict[str, int] = {}
    for size, left, right in asked:
        start = time.process_time()
        answer = ask(left, right)
        costs.setdefault(size, []).append((time.process_time() - start) * 1000)
        verdict = answer.verdict.value
        verdict += f" ({answer.reason})" if answer.verdict is Verdict.UNKNOWN else ""
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
    print(f"{'statements':<12}{'median ms':>10}{'p95 ms':>9}{'worst ms':>10}")
    for size, each in costs.items():
        _row(size, sorted(each))
    _row("all", sorted(cost for each in costs.values() for cost in each))
    print(", ".join(f"{verdict}: {count}" for verdict, count in sorted(verdicts.items())))


def _row(name: str, costs: list[float]) -> None:
    late = costs[min(len(costs) - 1, int(len(costs) * 0.95))]
    print(f"{name:<12}{statistics.median(costs):>10.2f}{late:>9.2f}{costs[-1]:>10.1f}")


def _with_z3(space: Space, formula: Formula) -> Request | None:
    """The question answered by Z3, from cvc5's own text of it; `UndecidedError` when its time is over."""
    import z3

    text = solver.smtlib(space, formula)
    asked = z3.Solver()
    asked.set("timeout", solver.LIMIT_MS)
    asked.from_string(text)
    found = asked.check()
    if found == z3.unknown:
        raise UndecidedError("Z3 does not know either")
    return None if found == z3.unsat else Request("*", "example:Example", "*")


def main() -> int:
    """Measure the pairs, and the solvers that are installed on some of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=400)
    count = parser.parse_args().pairs
    real = of_aws(count)
    _timed(f"AWS's managed policies: {len(real)} pairs, already parsed", implies, real)
    _timed(
        "The same in stacks: a boundary, two levels of SCPs, every other time a bucket policy",
        implies,
        stacks(real),
    )
    _timed(f"Made policies of {len(SERVICES)} services: {count} pairs", implies, pairs(count))
    for service in ("s3", "iam", "ec2", "dynamodb"):
        _timed(f"Made policies of {service} alone: {count} pairs", implies, pairs(count, services=(service,)))
    few = [each for each in real if each[0] in SIZES_FOR_SOLVERS][:SOLVED]
    _timed(f"{len(few)} pairs of AWS's policies", implies, few)
    if solver.is_installed():
        _timed("The same, cvc5 with the same formula, at most 5 s a question", oracle, few)
        if find_spec("z3") is not None:
            _timed("The same, Z3", lambda left, right: oracle(left, right, solve=_with_z3), few)
    return 0


if __name__ == "__main__":
    sys.exit(main())
