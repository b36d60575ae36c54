"""How long `who-can` takes over an account of 10,000 principals, beside a decision for each of them alone.

Half are users in groups, half are roles; each has two managed policies of a pool of 200, many have inline ones, and
every fourth statement has a condition. The time is that of the command without reading the file; a sample is decided
one by one as well, and must have the same answers.
`python benchmarks/who_can.py [--principals 10000]`.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from itertools import islice

from clew.engine import Context, Request
from clew.engine.derive import derived
from clew.reach.predict import NoPrediction, Predictor
from clew.reach.who_can import WhoCan, principals, who_can
from clew.snapshot import side
from clew.snapshot.details import Collected
from clew.snapshot.model import Snapshot, Source

_OWNER = "111122223333"
_SERVICES = ("s3", "ec2", "sqs", "sns", "kms", "dynamodb", "lambda", "logs")
_RESOURCE = "arn:aws:s3:::team-7/a"
_LIMIT_SECONDS = 10
_SAMPLED = 500
_CONDITIONS = (
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
)


def _document(chance: random.Random) -> dict[str, object]:
    return {
        "Version": "2012-10-17",
        "Statement": [_statement(chance) for _ in range(chance.randrange(1, 5))],
    }


def _statement(chance: random.Random) -> dict[str, object]:
    service = chance.choice(_SERVICES)
    actions = (f"{service}:*", [f"{service}:Get*", f"{service}:List*"], f"{service}:Describe*")
    made: dict[str, object] = {"Effect": "Allow", "Action": chance.choice(actions)}
    made["Resource"] = chance.choice(("*", f"arn:aws:{service}:::team-{chance.randrange(50)}/*"))
    return made | ({"Condition": chance.choice(_CONDITIONS)} if chance.random() < 0.25 else {})


def account(count: int) -> Snapshot:
    """An account of that many users and roles, the same each time."""
    chance = random.Random(5)
    managed = [f"arn:aws:iam::{_OWNER}:policy/M{number}" for number in range(200)]
    content = {
        "Policies": [_managed(arn, _document(chance)) for arn in managed],
        "GroupDetailList": [
            {"GroupName": f"g{number}", "Arn": f"arn:aws:iam::{_OWNER}:group/g{number}"}
            | {"GroupPolicyList": [_inline(chance)], "AttachedManagedPolicies": []}
            for number in range(50)
        ],
        "UserDetailList": [_user(chance, number, managed) for number in range(count // 2)],
        "RoleDetailList": [_role(chance, number, managed) for number in range(count // 2)],
    }
    collected = Collected()
    collected.add(Source("account.json", json.dumps(content)))
    bucket = {"arn:aws:s3:::team-7": {"Account": _OWNER, "Policy": None}}
    return Snapshot(collected.accounts(), side.resources(Source("resources.json", json.dumps(bucket))))


def _managed(arn: str, document: dict[str, object]) -> dict[str, object]:
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": document}
    name = arn.rpartition("/")[2]
    return {"PolicyName": name, "Arn": arn, "DefaultVersionId": "v1", "PolicyVersionList": [version]}


def _inline(chance: random.Random) -> dict[str, object]:
    return {"PolicyName": "Own", "PolicyDocument": _document(chance)}


def _attached(chance: random.Random, managed: list[str]) -> list[dict[str, str]]:
    return [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in chance.sample(managed, 2)]


def _user(chance: random.Random, number: int, managed: list[str]) -> dict[str, object]:
    return {
        "UserName": f"u{number}",
        "Arn": f"arn:aws:iam::{_OWNER}:user/u{number}",
        "GroupList": [f"g{chance.randrange(50)}"],
        "AttachedManagedPolicies": _attached(chance, managed),
        "UserPolicyList": [_inline(chance)] if chance.random() < 0.3 else [],
    }


def _role(chance: random.Random, number: int, managed: list[str]) -> dict[str, object]:
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        "RoleName": f"r{number}",
        "Arn": f"arn:aws:iam::{_OWNER}:role/r{number}",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "AttachedManagedPolicies": _attached(chance, managed),
        "RolePolicyList": [_inline(chance)],
    }


def _check(snapshot: Snapshot, found: WhoCan) -> None:
    """Decide the first principals one by one; fail where an answer differs."""
    told = {each.principal: "" for each in found.always}
    told |= {each.principal: each.condition for each in found.conditional}
    predictor = Predictor(snapshot)
    for principal in islice(principals(snapshot), _SAMPLED):
        asked = Context({}, unknown=None, absent=("aws:SourceVpce",))
        alone = predictor.predict(derived(Request(principal, "s3:GetObject", _RESOURCE, context=asked)))
        if isinstance(alone, NoPrediction):
            raise SystemExit(f"{principal}: {alone.reason}")
        residual = alone.decision.residual
        expected = residual.text if residual is not None else "" if alone.decision.allowed else None
        if told.get(principal) != expected:
            raise SystemExit(f"{principal}: {told.get(principal)!r}, alone {expected!r}")


def main() -> None:
    """Measure and print; fail where it takes too long."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--principals", type=int, default=10_000)
    count = parser.parse_args().principals
    snapshot = account(count)
    start = time.process_time()
    found = who_can(Predictor(snapshot), "s3:GetObject", _RESOURCE)
    seconds = time.process_time() - start
    print(
        f"{count:,} principals: {seconds:.1f} s of the processor, {1000 * seconds / count:.2f} ms each; "
        f"{len(found.always)} can, {len(found.conditional)} under a condition, {found.cannot} cannot"
    )
    fresh = account(count)
    start = time.process_time()
    _check(fresh, found)
    alone = time.process_time() - start
    print(f"one by one: {1000 * alone / min(_SAMPLED, count):.2f} ms each, of a sample with the same answers")
    if seconds > _LIMIT_SECONDS * count / 10_000:
        raise SystemExit(f"more than {_LIMIT_SECONDS} s for 10,000")


if __name__ == "__main__":
    main()
