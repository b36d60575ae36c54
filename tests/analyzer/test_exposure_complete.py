"""Nobody outside gets in unseen: whoever the engine lets in is told by some exposure."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from clew.analyzer.exposure import exposure
from clew.analyzer.exposure_asking import EVERYTHING
from clew.analyzer.exposure_model import Exposure, Target, Through, WayIn, Zone, ZoneOfTrust
from clew.aws import glob
from clew.engine import Context, Effect, Policies, Request, prepare
from clew.engine.derive import derived
from clew.policy.model import Effect as Says
from clew.policy.model import Policy, Principal, Statement
from clew.snapshot.model import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN, MEMBER, PARTNER, STRANGER = "111122223333", "222233334444", "444455556666", "999988887777"
ORGANIZATION = "o-exampleorg1"
BUCKET = "arn:aws:s3:::payroll"
SEEDS = range(60)
_NAMED: tuple[Any, ...] = (
    *("*", "*", {"AWS": "*"}),
    {"AWS": f"arn:aws:iam::{PARTNER}:root"},
    {"AWS": PARTNER},
    {"AWS": [OWN, f"arn:aws:iam::{PARTNER}:role/etl"]},
    {"AWS": f"arn:aws:iam::{MEMBER}:user/ana"},
)
_VALUES: dict[str, tuple[Any, ...]] = {
    "aws:PrincipalAccount": (OWN, PARTNER, [OWN, PARTNER], [OWN, MEMBER]),
    "aws:PrincipalOrgID": (ORGANIZATION, "o-partner12345", [ORGANIZATION, "o-partner12345"]),
    "aws:SourceVpce": ("vpce-1a2b3c4d", ["vpce-1a2b3c4d", "vpce-2b3c4d5e"]),
    "aws:PrincipalType": ("AssumedRole", ["User", "AssumedRole"], "Anonymous"),
    "aws:username": ("ana", "bob"),
    "aws:userid": ("AROAPARTNER0000000001:build", "anonymous"),
    "aws:PrincipalTag/team": ("blue",),
    "aws:Referer": ("https://example.com/",),
}
_PATTERNS: dict[str, tuple[Any, ...]] = {
    "aws:PrincipalArn": (
        f"arn:aws:iam::{PARTNER}:role/*",
        f"arn:aws:iam::{OWN}:*",
        "arn:aws:iam::*:role/etl",
    ),
    "aws:userid": ("*:build", "AROAPARTNER0000000001:*", "AROA*"),
    "aws:PrincipalOrgID": ("o-*", ORGANIZATION),
    "aws:SourceVpce": ("vpce-1a*",),
}
_ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:*", ["s3:GetObject", "s3:PutObject"], "s3:Get*")


class Writer:
    """Writes a bucket's policy and requests about it, decided by a seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  # nothing secret

    def policy(self) -> list[dict[str, Any]]:
        """An Allow, and up to three more statements."""
        pick = self.chance.choice
        return [
            self._statement(Says.ALLOW),
            *(self._statement(pick(tuple(Says))) for _ in range(pick((0, 1, 1, 2, 3)))),
        ]

    def _statement(self, effect: Says) -> dict[str, Any]:
        pick = self.chance.choice
        is_deny = effect is Says.DENY
        who = "NotPrincipal" if is_deny and self.chance.random() < 0.2 else "Principal"
        lines: dict[str, dict[str, Any]] = {}
        for _ in range(pick((0, 1, 1, 2))):
            operator, key, value = self._condition(negated=is_deny and self.chance.random() < 0.7)
            lines.setdefault(operator, {})[key] = value
        made = {
            "Effect": effect.value,
            who: pick(_NAMED[3:] if who == "NotPrincipal" else _NAMED[:3] if is_deny else _NAMED),
            "Action": pick(_ACTIONS),
            "Resource": pick((f"{BUCKET}/*", f"{BUCKET}/out/*", [BUCKET, f"{BUCKET}/*"])),
        }
        return {**made, "Condition": lines} if lines else made

    def _condition(self, *, negated: bool) -> tuple[str, str, Any]:
        pick = self.chance.choice
        if self.chance.random() < 0.15:
            ranges = ("203.0.113.0/24", ["203.0.113.0/24", "198.51.100.0/24"], "0.0.0.0/1")
            return "NotIpAddress" if negated else "IpAddress", "aws:SourceIp", pick(ranges)
        is_pattern = self.chance.random() < 0.35
        key = pick(tuple(_PATTERNS if is_pattern else _VALUES))
        word = "Like" if is_pattern else "Equals"
        kind = "Arn" if key == "aws:PrincipalArn" and is_pattern else "String"
        tail = "IfExists" if self.chance.random() < 0.2 else ""
        return (
            f"{kind}{'Not' if negated else ''}{word}{tail}",
            key,
            pick((_PATTERNS if is_pattern else _VALUES)[key]),
        )

    def request(self) -> Request:
        """Somebody outside asks, in a whole context."""
        pick = self.chance.choice
        account = pick((PARTNER, STRANGER, MEMBER))
        who = pick(
            ("*", f"arn:aws:iam::{account}:user/ana", f"arn:aws:iam::{account}:user/bob", f"role/{account}")
        )
        keys: dict[str, Any] = {}
        if who.startswith("role/"):
            who = f"arn:aws:iam::{account}:role/{pick(('etl', 'app'))}"
            keys["aws:userid"] = pick(("AROAPARTNER0000000001:build", "AROASTRANGER000000001:x"))
        if who != "*" and account != STRANGER:
            keys["aws:PrincipalOrgID"] = ORGANIZATION if account == MEMBER else "o-partner12345"
        for key, values in (
            ("aws:SourceVpce", ("vpce-1a2b3c4d", "vpce-99999999")),
            ("aws:SourceIp", ("203.0.113.9", "8.8.8.8", "198.51.100.1")),
            ("aws:PrincipalTag/team", ("blue",)),
            ("aws:Referer", ("https://example.com/",)),
        ):
            if self.chance.random() < 0.6:
                keys[key] = pick(values)
        action, resource = pick(("s3:GetObject", "s3:PutObject")), pick((f"{BUCKET}/a", f"{BUCKET}/out/a"))
        return derived(Request(who, action, resource, OWN, Context(keys)))


def _tells(found: Exposure, request: Request) -> bool:
    """Whether the exposure is about the caller, the action, and a context in which its conditions hold."""
    if not any(glob.matches(each.lower(), request.action.lower()) for each in found.actions):
        return False
    words = Statement(
        Says.ALLOW,
        principals=(Principal(found.kind, found.principal),),
        actions=("*",),
        resources=("*",),
        conditions=found.conditions,
    )
    policies = Policies(identity=(EVERYTHING,), resource=Policy((words,), "2012-10-17"))
    return prepare(policies).effect(request) is Effect.ALLOW


def _unseen(seed: int, requests: int) -> Iterator[tuple[Request, list[dict[str, Any]]]]:
    """The requests of outsiders that the engine allows and no exposure tells."""
    writer = Writer(seed)
    kind = writer.chance.choice(tuple(ZoneOfTrust))
    zone = Zone(OWN, kind, ORGANIZATION, frozenset({OWN, MEMBER}))
    statements = writer.policy()
    document = Document("policy", {"Version": "2012-10-17", "Statement": statements})
    way = WayIn(Through.POLICY, "policy", document=document)
    found, _ = exposure(Target(BUCKET, "AWS::S3::Bucket", OWN, "", (way,)), zone)
    prepared = prepare(Policies(identity=(EVERYTHING,), resource=document.policy))
    for _ in range(requests):
        request = writer.request()
        is_inside = f":{MEMBER}:" in request.principal and kind is ZoneOfTrust.ORGANIZATION
        if is_inside or prepared.effect(request) is not Effect.ALLOW:
            continue
        if not any(_tells(each, request) for each in found):
            yield request, statements


@pytest.mark.parametrize("seed", SEEDS)
def test_whoever_gets_in_is_told(seed: int) -> None:
    """Each request from outside that a bucket's policy allows is one that some exposure is about."""
    assert not list(_unseen(seed, 60))
