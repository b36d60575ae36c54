"""Pairs of policies: does the edited one allow what the other did not? CPU milliseconds a pair, by size.

Usage: python benchmarks/symbolic.py [--pairs 400]

The policies are made from the catalogue in the manner of AWS managed policies: 1 to 30 statements, whole services,
lists of actions, read-only patterns, bucket and table ARNs, conditions on tags, networks, organisations and services
passed to. The other of a pair is a copy with one to three edits such as reviews see: an action more, a wildcard, a
resource more or less, a condition dropped or changed, a statement gone, a denial added.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from clew.aws import catalog
from clew.policy.parse import from_document
from clew.symbolic.questions import implies, oracle
from clew.symbolic.solver import is_installed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Document = dict[str, Any]

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
MOST_FOR_SOLVERS, SOLVED = 8, 60
NAMES = ("app", "data", "logs", "payroll", "web", "audit")


def policy(chance: random.Random, statements: int) -> Document:
    """A policy of so many statements."""
    return {"Version": "2012-10-17", "Statement": [_statement(chance) for _ in range(statements)]}


def _statement(chance: random.Random) -> Document:
    service = chance.choice(SERVICES)
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


def edited(chance: random.Random, document: Document) -> Document:
    """A copy with one to three edits."""
    found = deepcopy(document)
    for _ in range(chance.randint(1, 3)):
        listed = found["Statement"]
        each = chance.choice(listed)
        match chance.randrange(7):
            case 0:
                each["Action"].append(f"{chance.choice(SERVICES)}:{chance.choice(STEMS)}")
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
                listed.append(_statement(chance))
    return found


def pairs(count: int, seed: int = 20261129) -> list[tuple[int, Document, Document]]:
    """So many pairs, each with its number of statements; the edited one is on either side."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        size = (1, 2, 3, 5, 8, 12, 20, 30)[number % 8]
        one = policy(chance, size)
        two = edited(chance, one)
        found.append((size, two, one) if chance.random() < 0.7 else (size, one, two))
    return found


def _timed(ask: Callable[[Document, Document], str], asked: Sequence[tuple[int, Document, Document]]) -> None:
    costs: dict[int, list[float]] = {}
    verdicts: dict[str, int] = {}
    for size, left, right in asked:
        start = time.process_time()
        verdict = ask(left, right)
        costs.setdefault(size, []).append((time.process_time() - start) * 1000)
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
    everything = sorted(cost for each in costs.values() for cost in each)
    print(f"{'statements':<12}{'median ms':>10}{'p95 ms':>9}{'worst ms':>10}")
    for size, each in sorted(costs.items()):
        _row(str(size), sorted(each))
    _row("all", everything)
    print(", ".join(f"{verdict} {count}" for verdict, count in sorted(verdicts.items())))


def _row(name: str, costs: list[float]) -> None:
    late = costs[min(len(costs) - 1, int(len(costs) * 0.95))]
    print(f"{name:<12}{statistics.median(costs):>10.2f}{late:>9.2f}{costs[-1]:>10.1f}")


def main() -> int:
    """Measure the pairs, and cvc5 on some of them where it is installed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=400)
    arguments = parser.parse_args()
    asked = [
        (size, from_document(left), from_document(right)) for size, left, right in pairs(arguments.pairs)
    ]
    implies(asked[0][1], asked[0][2])  # the catalogue is read once
    print(f"\n## {len(asked)} pairs: policies already parsed\n")
    _timed(lambda left, right: implies(left, right).verdict.value, asked)  # type: ignore[arg-type]
    if is_installed():
        few = [each for each in asked if each[0] <= MOST_FOR_SOLVERS][:SOLVED]
        print(f"\n## {len(few)} of them, cvc5 with the same formula, at most 5 s a question\n")
        _timed(lambda left, right: oracle(left, right).verdict.value, few)  # type: ignore[arg-type]
    return 0


if __name__ == "__main__":
    sys.exit(main())
