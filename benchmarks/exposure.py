"""How long exposure takes over 1,000 and 10,000 generated resources of one account, and how the cost grows.

The resources are buckets, keys, queues, topics, functions, secrets and roles with policies as accounts have them: most
keep to the account, some are shared with partners, few are public; every tenth has denials. The time is that of
`clew exposure` without reading the file: from answers as values to findings. `python benchmarks/exposure.py`.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from typing import TYPE_CHECKING

from clew.analyzer.exposure import run
from clew.analyzer.exposure_accounts import State, everything
from clew.analyzer.exposure_model import Zone
from clew.snapshot.answers import GLOBAL, Answer, Answers, Call, Status
from clew.snapshot.load import of_answers

if TYPE_CHECKING:
    from collections.abc import Mapping

_OWNER = "111122223333"
_REGION = "eu-west-1"
_WHEN = "2026-03-11T06:00:00Z"
_PARTNERS = ("444455556666", "777788889999", "222233334444")
_ACTIONS = {
    "s3": (["s3:GetObject"], ["s3:GetObject", "s3:ListBucket"], ["s3:*"], ["s3:Get*", "s3:PutObject"]),
    "kms": (["kms:Decrypt", "kms:DescribeKey"], ["kms:*"]),
    "sqs": (["sqs:SendMessage"], ["sqs:*"]),
    "sns": (["sns:Publish", "sns:Subscribe"],),
    "lambda": (["lambda:InvokeFunction"],),
    "secretsmanager": (["secretsmanager:GetSecretValue"],),
    "sts": (["sts:AssumeRole"],),
}
_LIMIT_SECONDS = 60
_LINEAR = 1.3


def _policy(source: random.Random, service: str, resources: list[str] | None) -> str:
    """A policy as one sees it: its own account, a service, sometimes a partner, rarely everybody."""
    principals: list[object] = [{"AWS": f"arn:aws:iam::{_OWNER}:root"}, {"Service": "events.amazonaws.com"}]
    if source.random() < 0.25:
        principals.append({"AWS": f"arn:aws:iam::{source.choice(_PARTNERS)}:root"})
    if source.random() < 0.03:
        principals.append("*")
    statements = [_statement(source, service, principal, resources) for principal in principals]
    if source.random() < 0.1:
        denial = {"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": f"{service}:*"}
        denial["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}  # type: ignore[assignment]  # JSON of mixed values
        statements.append(denial | ({"Resource": resources} if resources else {}))
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _statement(
    source: random.Random, service: str, principal: object, resources: list[str] | None
) -> dict[str, object]:
    made: dict[str, object] = {
        "Sid": f"S{source.randrange(10**6)}",
        "Effect": "Allow",
        "Principal": principal,
        "Action": source.choice(_ACTIONS[service]),
    }
    if principal == "*" and source.random() < 0.5:
        made["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorg1"}}
    return made | ({"Resource": resources} if resources else {})


def _answer(region: str, service: str, operation: str, body: Mapping[str, object], **given: str) -> Answer:
    call = Call(_OWNER, region, service, operation, tuple(sorted(given.items())))
    return Answer(call, _WHEN, Status.OK, body)


def _none(service: str, operation: str, **given: str) -> Answer:
    call = Call(_OWNER, GLOBAL, service, operation, tuple(sorted(given.items())))
    return Answer(call, _WHEN, Status.ABSENT, None, "NotFound")


def _buckets(source: random.Random, count: int) -> list[Answer]:
    names = [f"bucket-{number}" for number in range(count)]
    found = [_answer(GLOBAL, "s3", "ListBuckets", {"Buckets": [{"Name": name} for name in names]})]
    found.append(_none("s3control", "GetPublicAccessBlock", AccountId=_OWNER))
    acl: dict[str, object] = {"Owner": {"ID": "me"}, "Grants": []}
    for name in names:
        arn = f"arn:aws:s3:::{name}"
        policy = _policy(source, "s3", [arn, f"{arn}/*"])
        found += [
            _answer(GLOBAL, "s3", "GetBucketPolicy", {"Policy": policy}, Bucket=name),
            _answer(GLOBAL, "s3", "GetBucketAcl", acl, Bucket=name),
            _none("s3", "GetPublicAccessBlock", Bucket=name),
            _none("s3", "GetBucketOwnershipControls", Bucket=name),
        ]
    return found


def _others(source: random.Random, count: int) -> list[Answer]:
    """A sixth each: keys, queues, topics, functions, secrets; roles come with the authorization details."""
    each = range(count // 6)
    root = f"{_REGION}:{_OWNER}"
    keys = [{"KeyId": f"k-{n}", "KeyArn": f"arn:aws:kms:{root}:key/k-{n}"} for n in each]
    urls = [f"https://sqs.{_REGION}.amazonaws.com/{_OWNER}/q-{n}" for n in each]
    topics = [{"TopicArn": f"arn:aws:sns:{root}:t-{n}"} for n in each]
    functions = [
        {"FunctionName": f"f-{n}", "FunctionArn": f"arn:aws:lambda:{root}:function:f-{n}"} for n in each
    ]
    secrets = [{"ARN": f"arn:aws:secretsmanager:{root}:secret:s-{n}-AbCdEf"} for n in each]
    found = [
        _answer(_REGION, "kms", "ListKeys", {"Keys": keys}),
        _answer(_REGION, "sqs", "ListQueues", {"QueueUrls": urls}),
        _answer(_REGION, "sns", "ListTopics", {"Topics": topics}),
        _answer(_REGION, "lambda", "ListFunctions", {"Functions": functions}),
        _answer(_REGION, "secretsmanager", "ListSecrets", {"SecretList": secrets}),
    ]
    for key in keys:
        policy = {"Policy": _policy(source, "kms", ["*"])}
        found.append(
            _answer(_REGION, "kms", "GetKeyPolicy", policy, KeyId=key["KeyId"], PolicyName="default")
        )
        found.append(_answer(_REGION, "kms", "ListGrants", {"Grants": []}, KeyId=key["KeyId"]))
    for url in urls:
        arn = f"arn:aws:sqs:{root}:{url.rpartition('/')[2]}"
        told: dict[str, object] = {"Attributes": {"Policy": _policy(source, "sqs", [arn])}}
        found.append(_answer(_REGION, "sqs", "GetQueueAttributes", told, AttributeNames="All", QueueUrl=url))
    for topic in topics:
        told = {"Attributes": {"Policy": _policy(source, "sns", [topic["TopicArn"]])}}
        found.append(_answer(_REGION, "sns", "GetTopicAttributes", told, TopicArn=topic["TopicArn"]))
    for function in functions:
        told = {"Policy": _policy(source, "lambda", [function["FunctionArn"]])}
        found.append(_answer(_REGION, "lambda", "GetPolicy", told, FunctionName=function["FunctionName"]))
    for secret in secrets:
        told = {"ResourcePolicy": _policy(source, "secretsmanager", ["*"])}
        found.append(_answer(_REGION, "secretsmanager", "GetResourcePolicy", told, SecretId=secret["ARN"]))
    return found


def _roles(source: random.Random, count: int) -> Answer:
    roles = [
        {
            "Path": "/",
            "RoleName": f"r-{number}",
            "RoleId": f"AROA{number:017}",
            "Arn": f"arn:aws:iam::{_OWNER}:role/r-{number}",
            "AssumeRolePolicyDocument": json.loads(_policy(source, "sts", None)),
        }
        for number in range(count)
    ]
    lists = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": roles, "Policies": []}
    return _answer(GLOBAL, "iam", "GetAccountAuthorizationDetails", lists)


def _state(resources: int) -> State:
    source = random.Random(7)
    buckets, others = resources * 4 // 10, resources * 5 // 10
    roles = resources - buckets - others // 6 * 5
    answers = Answers([*_buckets(source, buckets), *_others(source, others), _roles(source, roles)])
    return State(of_answers("generated", answers), answers, "generated")


def measure(resources: int) -> float:
    """Seconds for so many resources; prints what was found."""
    state = _state(resources)
    started = time.perf_counter()
    report = run(_OWNER, Zone(_OWNER), everything(state, _OWNER))
    seconds = time.perf_counter() - started
    public = sum(each.is_public for each in report.exposures)
    print(
        f"{len(report.targets):>7,} resources {seconds:7.2f} s  {seconds / resources * 1e3:6.2f} ms each"
        f"  {len(report.exposures):,} findings, {public:,} public"
    )
    return seconds


def main() -> int:
    """Measure both sizes; 1 where 10,000 take a minute or the cost grows faster than the number."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", type=int, default=10_000)
    most = parser.parse_args().resources
    small, large = measure(most // 10), measure(most)
    growth = large / small / 10
    print(f"ten times the resources cost {large / small:.1f} times the time")
    return 1 if large > _LIMIT_SECONDS or growth > _LINEAR else 0


if __name__ == "__main__":
    raise SystemExit(main())
