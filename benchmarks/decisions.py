"""Measure decisions: Clew's engine beside the npm package `@cloud-copilot/iam-simulate` on the same requests.

Usage: python benchmarks/decisions.py [--seconds 2]

One thread each. The rival is installed into a temporary folder when Node and npm are there; its licence (AGPL-3.0) lets
us run it, not build on it. Ratios are what to compare; figures differ from machine to machine.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from clew.engine import authorize, prepare
from clew.engine.batch import evaluate_line
from clew.engine.policies import Policies
from clew.engine.request import Context, Request
from clew.policy.parse import from_document, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

DRIVER = Path(__file__).with_name("iam_simulate.mjs")
PACKAGES = ("@cloud-copilot/iam-simulate", "@cloud-copilot/iam-policy")
ALICE = "arn:aws:iam::111122223333:user/alice"

Line = dict[str, object]


def statement(
    effect: str, action: object, resource: object, **condition: dict[str, object]
) -> dict[str, object]:
    """One statement; keyword arguments are operators of its condition."""
    written: dict[str, object] = {"Effect": effect, "Action": action, "Resource": resource}
    return {**written, "Condition": condition} if condition else written


def document(*statements: dict[str, object]) -> dict[str, object]:
    """One policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


SMALL = (
    document(statement("Allow", "s3:GetObject", "arn:aws:s3:::logs/*")),
    document(
        statement("Allow", ["s3:Get*", "s3:List*"], ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"]),
        statement("Deny", "s3:*", "*", NotIpAddress={"aws:SourceIp": "192.0.2.0/24"}),
    ),
    document(
        statement("Allow", "ec2:Describe*", "*"),
        statement(
            "Allow",
            ["ec2:StartInstances", "ec2:StopInstances"],
            "arn:aws:ec2:*:*:instance/*",
            StringEquals={"aws:ResourceTag/Owner": "${aws:username}"},
        ),
        statement("Deny", "ec2:*", "*", Bool={"aws:MultiFactorAuthPresent": "false"}),
    ),
)
"""Policies of one, two and three statements."""

CONTEXT = {
    "aws:SourceIp": "192.0.2.7",
    "aws:username": "alice",
    "aws:ResourceTag/Owner": "alice",
    "aws:MultiFactorAuthPresent": "true",
}
REQUESTS = (
    ("s3:GetObject", "arn:aws:s3:::logs/2026/11/21/a.txt"),
    ("s3:PutObject", "arn:aws:s3:::logs/2026/11/21/a.txt"),
    ("ec2:StartInstances", "arn:aws:ec2:us-east-1:111122223333:instance/i-0123456789abcdef0"),
)


def small_lines() -> list[Line]:
    """Each small policy with each request, as lines of the batch contract."""
    return [
        {
            "id": f"{which}-{action}",
            "request": {"principal": ALICE, "action": action, "resource": resource, "context": CONTEXT},
            "identity_policies": [policy],
        }
        for which, policy in enumerate(SMALL)
        for action, resource in REQUESTS
    ]


def large(statements: int) -> dict[str, object]:
    """A policy of that many statements about as many buckets, one in three with a condition."""
    return document(
        *[
            statement("Allow", ["s3:Get*", f"sqs:Send{n}*"], f"arn:aws:s3:::bucket-{n}/*", **_sometimes(n))
            for n in range(statements - 1)
        ],
        statement("Allow", "s3:GetObject", "arn:aws:s3:::logs/*"),
    )


def _sometimes(number: int) -> dict[str, dict[str, object]]:
    return {"StringEquals": {"aws:username": f"user-{number}"}} if number % 3 == 0 else {}


def rate(work: Callable[[], int], seconds: float) -> float:
    """How many decisions a second the work makes; it returns how many it made."""
    work()
    start, done = time.perf_counter(), 0
    while (spent := time.perf_counter() - start) < seconds:
        done += work()
    return done / spent


def rates(lines: Sequence[Line], seconds: float) -> Iterator[tuple[str, float]]:
    """The engine's decisions per second over the lines, in each of its forms."""
    pairs = [(_request(line), _policies(line)) for line in lines]
    prepared = [(request, prepare(policies)) for request, policies in pairs]
    texts = [json.dumps(line) for line in lines]

    def effects() -> int:
        for request, policies in prepared:
            _ = policies.authorize(request).determined_by
        return len(prepared)

    def whole() -> int:
        for request, policies in prepared:
            decision = policies.authorize(request)
            _ = (
                decision.determined_by,
                decision.gates,
                decision.blocked_by,
                decision.missing_context,
                decision.notes,
            )
        return len(prepared)

    def compiling() -> int:
        for request, policies in pairs:
            _ = authorize(request, policies).effect
        return len(pairs)

    # More lines with policies of their own than are kept.
    new = [json.dumps(_with_own_policy(line, n)) for n in range(100) for line in lines]
    yield "effect and determining statements, compiled once", rate(effects, seconds)
    yield "full decision, compiled once", rate(whole, seconds)
    yield "effect, compiled each time", rate(compiling, seconds)
    yield "batch line, text in, answer out", rate(_answering(new), seconds)
    yield "batch line whose policies came before", rate(_answering(texts), seconds)


def _answering(texts: Sequence[str]) -> Callable[[], int]:
    def batch() -> int:
        for text in texts:
            evaluate_line(text)
        return len(texts)

    return batch


def _with_own_policy(line: Line, number: int) -> Line:
    policies = line["identity_policies"]
    assert isinstance(policies, list)  # noqa: S101  # our own lines
    return {**line, "identity_policies": [*policies, {"Id": str(number), "Statement": []}]}


def _request(line: Line) -> Request:
    asked = line["request"]
    assert isinstance(asked, dict)  # noqa: S101  # our own lines
    return Request(asked["principal"], asked["action"], asked["resource"], context=Context(asked["context"]))


def _policies(line: Line) -> Policies:
    documents = line["identity_policies"]
    assert isinstance(documents, list)  # noqa: S101  # our own lines
    return Policies(identity=tuple(from_document(each) for each in documents))


def rival(lines: Sequence[Line], seconds: float) -> dict[str, float] | None:
    """The npm package's decisions per second over the lines, or None where it cannot be run."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("(Node or npm is not installed: the rival is left out)")
        return None
    with tempfile.TemporaryDirectory() as folder:
        installed = subprocess.run(
            ["npm", "install", "--silent", "--prefix", folder, *PACKAGES], capture_output=True, check=False
        )
        if installed.returncode:
            print("(the npm package could not be installed: the rival is left out)")
            return None
        done = subprocess.run(
            ["node", str(DRIVER), folder, "time", str(seconds)],
            input="\n".join(json.dumps(line) for line in lines),
            capture_output=True,
            text=True,
            check=True,
        )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def growth(seconds: float) -> Iterator[tuple[int, float, float, float]]:
    """Statements, then microseconds for parsing, for the first decision, and for each further one."""
    for statements in (1, 10, 50, 200, 1000):
        text = json.dumps(large(statements))
        policies = Policies(identity=(parse(text),))
        context = Context(CONTEXT)
        request = Request(ALICE, "s3:GetObject", "arn:aws:s3:::logs/a", context=context)
        ready = prepare(policies)
        parsing = 1e6 / rate(lambda text=text: parse(text) is not None, seconds)  # type: ignore[misc]
        first = 1e6 / rate(lambda p=policies, r=request: authorize(r, p) is not None, seconds)  # type: ignore[misc]
        further = 1e6 / rate(lambda p=ready, r=request: p.authorize(r) is not None, seconds)  # type: ignore[misc]
        yield statements, parsing, first, further


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each figure")
    seconds = parser.parse_args().seconds
    lines = small_lines()
    theirs = rival(lines, seconds)
    ours = dict(rates(lines, seconds))
    print("\n## Decisions per second: 9 requests, policies of 1 to 3 statements, one thread\n")
    for name, figure in ours.items():
        print(f"{'clew: ' + name:<60}{figure:>12,.0f}")
    if theirs:
        print(f"{'iam-simulate: effect':<60}{theirs['effect']:>12,.0f}")
        print(f"{'iam-simulate: checked and explained':<60}{theirs['explained']:>12,.0f}")
        full = ours["full decision, compiled once"]
        print(f"\nclew full decision / iam-simulate explained: {full / theirs['explained']:.1f}×")
    print("\n## Growth with the number of statements, µs\n")
    print(f"{'statements':>10}{'parse text':>14}{'first decision':>16}{'further ones':>14}")
    for statements, parsing, first, further in growth(seconds / 4):
        print(f"{statements:>10}{parsing:>14.1f}{first:>16.1f}{further:>14.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
