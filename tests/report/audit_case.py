"""One audit in which everything occurs that a report can show; the text of the account is hostile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.audit import run as audit_run
from clew.audit.frameworks import Control, Framework
from clew.audit.model import Check, Judgement, State, Verdict, headings
from clew.audit.results import Audit, Origin, Step, Trend
from clew.findings import Finding, Severity, Status
from clew.snapshot.answers import Answer, Answers, Call
from clew.snapshot.answers import Status as Said

if TYPE_CHECKING:
    from collections.abc import Iterator


ACCOUNTS = ("111122223333", "444455556666")
AS_OF = datetime(2026, 3, 11, 6, tzinfo=UTC)
NOW = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)
HOSTILE = "=cmd|'<script>alert(1)</script>\x1b[31m\u202e"
TEXT = """Finds. What is {0}.
Why it matters. It is {0}.
False positives. What is meant to be {0}.
Fix. Make it not {0}.
References. S3 user guide, {0} · IAM user guide, {0}"""


def group(number: int) -> str:
    """The ARN of a security group."""
    return f"arn:aws:ec2:eu-west-1:{ACCOUNTS[0]}:security-group/sg-{number:017x}"


def _open(state: State, *, days: int = 9) -> Iterator[Judgement]:
    if state.account == ACCOUNTS[0]:
        for number in range(1, 8):
            message = f"open to the world: tcp {22 if number < 6 else 3389}"
            yield Judgement(
                Verdict.FAIL, group(number), message, (("CidrIp", "0.0.0.0/0"), ("days", str(days)))
            )
        yield Judgement(Verdict.PASS, group(9), "closed")
    else:
        code = "`ec2:DescribeSecurityGroups` was denied: UnauthorizedOperation"
        yield Judgement(
            Verdict.UNKNOWN,
            f"arn:aws:iam::{state.account}:account",
            code,
            (),
            ("ec2:DescribeSecurityGroups",),
        )


def _public(state: State) -> Iterator[Judgement]:
    yield Judgement(
        Verdict.FAIL, f"arn:aws:s3:::{HOSTILE}", f"{HOSTILE} is public", severity=Severity.CRITICAL
    )
    yield Judgement(Verdict.FAIL, "arn:aws:s3:::website", "`website` is public: meant to be")
    yield Judgement(Verdict.NOT_APPLICABLE, state.root_arn, "nothing")


def _good(state: State) -> Iterator[Judgement]:
    yield Judgement(Verdict.PASS, state.root_arn, "as it should be")


CHECKS = {
    identity: Check(identity, title, failure, severity, function, defaults, headings(TEXT.format(word)))
    for identity, title, failure, severity, function, defaults, word in (
        ("ec2-open", "Groups are closed", "A group is open", Severity.HIGH, _open, {"days": 9}, "open"),
        ("s3-public", "Buckets are private", "A bucket is public", Severity.MEDIUM, _public, {}, "public"),
        ("iam-good", "All is well", "Not all is well", Severity.LOW, _good, {}, "bad"),
    )
}
FIRST = Framework(
    "first",
    "First Benchmark",
    "1.0",
    (
        Control("1.1", "Groups are closed", ("ec2-open",)),
        Control("1.2", "Buckets are private", ("s3-public",)),
        Control("1.3", "All is well", ("iam-good",)),
        Control("1.4", "People are trained", manual="only people know"),
    ),
)
SECOND = Framework(
    "second",
    "Second Rules",
    "2026",
    (
        Control("groups-closed", "Groups are closed", ("ec2-open",), {"ec2-open": {"days": 30}}),
        Control("buckets-private", "Buckets are private", ("s3-public",)),
    ),
    "config",
)


def audit() -> Audit:
    """The audit: two accounts, two frameworks, a refused call, a suppression, a new, a lasting and a fixed finding."""
    tagged = {
        "SecurityGroups": [{"GroupId": "sg-00000000000000001", "Tags": [{"Key": "team", "Value": HOSTILE}]}]
    }
    asked, code = "DescribeSecurityGroups", "UnauthorizedOperation"
    answers = Answers(
        [
            Answer(Call(ACCOUNTS[0], "eu-west-1", "ec2", asked), "2026-03-11T06:00:00Z", Said.OK, tagged),
            Answer(
                Call(ACCOUNTS[1], "eu-west-1", "ec2", asked),
                "",
                Said.DENIED,
                None,
                code,
                HOSTILE,
            ),
            Answer(
                Call(ACCOUNTS[1], "global", "iam", "GetAccountSummary"), "", Said.DENIED, None, "AccessDenied"
            ),
        ]
    )
    states = [State(account, AS_OF, None, answers) for account in ACCOUNTS]
    origin = Origin("audit.json.gz", ("eu-west-1", "us-east-1"), 3, "0.1.0")
    problems = (f"`{HOSTILE}` is odd",)
    found = audit_run.run(states, (FIRST, SECOND), now=NOW, origin=origin, problems=problems, checks=CHECKS)
    before = datetime(2026, 3, 10, 6, tzinfo=UTC)
    standing = tuple(_standing(finding, before) for finding in found.findings)
    new = frozenset(f.id for f in standing if f.first_seen == AS_OF)
    gone = Finding(
        **{name: getattr(standing[0], name) for name in standing[0].__slots__}
        | {
            "id": "00000000deadbeef",
            "resources": (group(42),),
            "subject": group(42),
            "status": Status.RESOLVED,
        }
    )
    steps = (
        Step(before, {"pass": 1, "fail": 4, "unknown": 0}),
        Step(AS_OF, {"pass": 1, "fail": 4, "unknown": 0}),
    )
    trend = Trend(before, new, frozenset(f.id for f in standing) - new, (gone,), steps)
    return Audit(**{**found.__dict__, "findings": standing, "trend": trend})


def _standing(finding: Finding, before: datetime) -> Finding:
    """One finding is new, one accepted; the others were there before."""
    from dataclasses import replace

    if finding.resources == (group(7),):
        return finding
    if finding.resources == ("arn:aws:s3:::website",):
        return replace(
            finding, first_seen=before, status=Status.SUPPRESSED, suppression="s-1: a website (mary)"
        )
    return replace(finding, first_seen=before)
