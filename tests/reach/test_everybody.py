"""A question to everybody at once has, for each principal, the answer that it gets alone."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from clew.engine import Context, Effect, Request
from clew.engine.derive import derived
from clew.reach.everybody import Everybody, Verdict
from clew.reach.predict import NoPrediction, Predictor
from clew.reach.who_can import principals, who_can
from clew.snapshot.model import (
    Account,
    Attached,
    Document,
    Group,
    Organization,
    Resource,
    Role,
    Snapshot,
    User,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME, OTHER = "111122223333", "222233334444"
KEY = f"arn:aws:kms:eu-west-1:{HOME}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SEEDS = range(40)
QUESTIONS = (
    ("s3:GetObject", "arn:aws:s3:::logs/a"),
    ("s3:PutObject", "arn:aws:s3:::logs/home/u1"),
    ("s3:PutObject", "arn:aws:s3:::elsewhere/a"),
    ("kms:Decrypt", KEY),
    ("iam:PassRole", f"arn:aws:iam::{HOME}:role/r1"),
    ("sts:AssumeRole", f"arn:aws:iam::{HOME}:role/r1"),
    ("sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{OTHER}:jobs"),
    ("ec2:DescribeInstances", "*"),
    ("future:DoThings", "*"),
)
CONDITIONS: tuple[dict[str, Any], ...] = (
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"StringEquals": {"aws:PrincipalTag/team": "blue"}},
    {"StringLike": {"aws:username": "u1*"}},
    {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/*"}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorg1"}},
    {"StringNotEquals": {"aws:PrincipalAccount": HOME}},
    {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
    {"StringEquals": {"s3:x-amz-acl": "private"}},
    {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
    {"Null": {"aws:SourceVpce": "true"}},
)
ACTIONS = (
    "*",
    "s3:*",
    "s3:Get*",
    "s3:PutObject",
    "kms:*",
    "iam:*",
    "sts:AssumeRole",
    "sqs:*",
    "ec2:Describe*",
)
RESOURCES = (
    "*",
    "arn:aws:s3:::logs/*",
    "arn:aws:s3:::logs/home/${aws:username}",
    KEY,
    f"arn:aws:iam::{HOME}:*",
)
NAMED = (
    "*",
    {"AWS": f"arn:aws:iam::{HOME}:root"},
    {"AWS": f"arn:aws:iam::{HOME}:user/u1"},
    {"AWS": [f"arn:aws:iam::{HOME}:role/r1", f"arn:aws:iam::{OTHER}:root"]},
    {"Service": "ec2.amazonaws.com"},
)


class Writer:
    """Writes accounts, decided by a seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  # nothing secret

    def document(self, name: str, *, named: bool = False, most: int = 3) -> Document:
        """A policy with a few statements."""
        return Document(
            name,
            {
                "Version": "2012-10-17",
                "Statement": [self.statement(named=named) for _ in range(self.chance.randint(1, most))],
            },
        )

    def statement(self, *, named: bool) -> dict[str, Any]:
        """One statement, mostly an Allow."""
        pick = self.chance.choice
        made: dict[str, Any] = {
            "Effect": "Deny" if self.chance.random() < 0.2 else "Allow",
            pick(("Action", "Action", "Action", "NotAction")): pick(ACTIONS),
            "Resource": pick(RESOURCES),
        }
        if made.get("NotAction") == "*":
            made["NotAction"] = "ec2:*"
        if self.chance.random() < 0.5:
            made["Condition"] = pick(CONDITIONS)
        if named:
            made[pick(("Principal", "Principal", "Principal", "NotPrincipal"))] = pick(NAMED)
        return made

    def some(self, word: str) -> tuple[Document, ...]:
        """No, one or two documents."""
        return tuple(self.document(f"{word}{n}") for n in range(self.chance.choice((0, 1, 1, 2))))

    def maybe(self, value: Any) -> Any:
        """The value, or nothing."""
        return value if self.chance.random() < 0.5 else None

    def account(self, number: str) -> Account:
        """Users with groups and tags, and roles, with policies of which one is not at hand."""
        managed = [f"arn:aws:iam::{number}:policy/M{n}" for n in range(4)]
        policies = {arn: self.document(arn) for arn in managed}
        attach = [*managed, f"arn:aws:iam::{number}:policy/Missing"] if self.maybe(True) else managed

        def attached() -> tuple[Attached, ...]:
            return tuple(Attached(arn, arn) for arn in self.chance.sample(attach, self.chance.randint(0, 2)))

        groups = {
            name: Group(f"arn:aws:iam::{number}:group/{name}", name, "", self.some("g")) for name in "ab"
        }
        users = [
            User(
                f"arn:aws:iam::{number}:user/u{n}",
                f"u{n}",
                f"AIDA{n}",
                tuple(self.chance.sample("abx", self.chance.randint(0, 2))),
                self.some("u"),
                attached(),
                self.maybe(managed[0]),
                self.chance.choice(({}, {"team": "blue"}, {"team": "red"})),
            )
            for n in range(4)
        ]
        roles = [
            Role(
                f"arn:aws:iam::{number}:role/{path}r{n}",
                f"r{n}",
                f"AROA{n}",
                self.document("trust", named=True),
                self.some("r"),
                attached(),
                self.maybe(managed[1]),
            )
            for n, path in enumerate(("", "", "team/", "aws-service-role/x.amazonaws.com/"))
        ]
        return Account(number, {u.arn: u for u in users}, groups, {r.arn: r for r in roles}, policies)

    def snapshot(self) -> Snapshot:
        """Two accounts, an organisation or none, and resources with policies, lists and grants."""
        bucket = Resource(
            "arn:aws:s3:::logs",
            self.chance.choice((HOME, HOME, OTHER)),
            self.maybe(self.document("bucket", named=True)),
            self.maybe({"BlockPublicAcls": True, "RestrictPublicBuckets": self.maybe(True) is True}),
        )
        grant = {"GranteePrincipal": f"arn:aws:iam::{HOME}:role/r1", "Operations": ["Decrypt"]}
        key = Resource(
            KEY, HOME, self.document("key", named=True), grants=(grant,) if self.maybe(True) else ()
        )
        held = [each for each in (self.maybe(bucket), self.maybe(key)) if each is not None]
        levels = {"r-1": self.some("scp"), HOME: self.some("own")}
        guards = {"r-1": (Document("rcp", {"Version": "2012-10-17", "Statement": [self._rcp()]}),)}
        organization = Organization(
            "o-exampleorg1",
            self.maybe(OTHER),
            {HOME: ("r-1",), OTHER: ("r-1",)},
            self.maybe(levels),
            self.maybe(guards),
        )
        return Snapshot(
            {number: self.account(number) for number in (HOME, OTHER)},
            {each.arn: each for each in held},
            organization if self.maybe(True) else Organization(),
        )

    def _rcp(self) -> dict[str, Any]:
        made = self.statement(named=False)
        made.pop("NotAction", None)
        return {**made, "Effect": "Deny", "Principal": "*", "Action": "s3:*"}


def _alone(snapshot: Snapshot, question: Request) -> Iterator[Verdict | None]:
    """Each principal's answer by a predictor that is asked for it alone."""
    for principal in principals(snapshot):
        found = Predictor(snapshot).predict(derived(replace(question, principal=principal)))
        if isinstance(found, NoPrediction):
            yield None
            continue
        decision = found.decision
        is_open = decision.effect is Effect.UNDETERMINED
        told = decision.residual.text if decision.residual is not None else ""
        yield Verdict(decision.allowed, decision.effect, told, found.unknown if is_open else ())


@pytest.mark.parametrize("seed", SEEDS)
def test_both_ways_agree(seed: int) -> None:
    """Effect, residual condition and what was not at hand are those of a decision for the principal alone."""
    writer = Writer(seed)
    snapshot = writer.snapshot()
    given = writer.chance.choice(
        (
            {},
            {"aws:SourceIp": "192.0.2.7"},
            {"aws:SourceVpce": "vpce-1a2b3c4d"},
            {"s3:x-amz-acl": "public-read"},
        )
    )
    absent = () if "aws:SourceVpce" in given else ("aws:SourceVpce",)
    for action, resource in QUESTIONS:
        question = Request("*", action, resource, context=Context(given, unknown=None, absent=absent))
        everybody = Everybody(Predictor(snapshot), question)
        for principal, alone in zip(principals(snapshot), _alone(snapshot, question), strict=True):
            found = everybody.verdict(principal)
            assert (found is None) == (alone is None)
            if found is None or alone is None:
                continue
            assert found[:3] == alone[:3], (action, principal)
            if found.effect is Effect.UNDETERMINED:
                assert sorted(found.unknown) == sorted(alone.unknown)


def test_most_principals_share_an_answer() -> None:
    """Of a thousand users with one of two policies, two are asked."""
    policies = {
        f"arn:aws:iam::{HOME}:policy/M{n}": Document(
            f"M{n}",
            {
                "Version": "2012-10-17",
                "Statement": {"Effect": "Allow", "Action": ("s3:*", "ec2:*")[n], "Resource": "*"},
            },
        )
        for n in range(2)
    }
    arns = list(policies)
    users = {
        f"arn:aws:iam::{HOME}:user/u{n}": User(
            f"arn:aws:iam::{HOME}:user/u{n}", f"u{n}", attached=(Attached(arns[n % 2], "M"),)
        )
        for n in range(1000)
    }
    snapshot = Snapshot(
        {HOME: Account(HOME, users, {}, {}, policies)}, {"arn:aws:s3:::b": Resource("arn:aws:s3:::b", HOME)}
    )
    predictor = Predictor(snapshot)
    found = who_can(predictor, "s3:GetObject", "arn:aws:s3:::b/a")
    assert (len(found.always), len(found.conditional), found.cannot) == (501, 0, 501)
    assert found.always[0].prediction.decision.determined_by[0].policy == "identity_policies/0"
