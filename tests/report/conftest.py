"""One investigation for the report tests, with hostile text wherever a log could hold it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clew.detect.investigation import Investigation, Rejection, SourceFile
from clew.findings import Evidence, Finding, Severity
from clew.lake.summary import Actor, Stretch

START = datetime(2026, 3, 11, 2, 11, 4, tzinfo=UTC)
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
ESCAPES = "evil\x1b]0;owned\x07\x1b[2J\u202egnp"
FORMULA = '=HYPERLINK("https://example.invalid","click")'


def finding(number: int, severity: Severity, actor: str, **changes: object) -> Finding:
    """A finding whose every text is hostile, with changes."""
    at = START + timedelta(minutes=number)
    evidence = Evidence(
        event_id=f"event-{number}",
        time=at,
        summary=f"StopLogging {HOSTILE}",
        event_name="StopLogging",
        source_ip="192.0.2.66",
        access_key=FORMULA,
        user_agent=ESCAPES,
        channel="CLI",
        outcome="success",
        source="AWSLogs/file.json.gz",
        record_number=number,
    )
    values: dict[str, object] = {
        "id": f"{number:016x}",
        "rule": f"trail-stopped-{number}",
        "title": "CloudTrail trail stopped",
        "severity": severity,
        "actor": actor,
        "first_seen": at,
        "last_seen": at + timedelta(minutes=number % 3),
        "explanation": f"{actor} stopped `organisation` with {ESCAPES} {HOSTILE}",
        "technique": ("T1562.008",),
        "tactics": ("defense-evasion",),
        "event_ids": (f"event-{number}",),
        "event_count": 1,
        "why_it_matters": "Nothing is recorded any more.",
        "next_steps": ("Start the trail again.", f"Ask {HOSTILE}"),
        "false_positives": ("A planned migration.",),
        "references": ("https://docs.aws.amazon.com/awscloudtrail/latest/userguide/",),
        "source_ips": ("192.0.2.66",),
        "access_keys": (FORMULA,),
        "resources": (f"arn:aws:cloudtrail:eu-west-1:111122223333:trail/{HOSTILE}",),
        "evidence": (evidence,),
    }
    return Finding(**{**values, **changes})  # type: ignore[arg-type]  # values of a finding, by name


@pytest.fixture
def hostile() -> Investigation:
    """An investigation of three findings by two actors, one of them with markup for a name."""
    mary = "arn:aws:iam::111122223333:user/mary"
    return Investigation(
        source=f"/logs/{ESCAPES}",
        generated_at=datetime(2026, 11, 21, tzinfo=UTC),
        events=1283,
        files=13,
        duplicates=2,
        conflicts=1,
        rules=90,
        findings=(
            finding(1, Severity.HIGH, mary),
            finding(2, Severity.CRITICAL, HOSTILE),
            finding(3, Severity.LOW, mary, technique=(), tactics=()),
        ),
        first_event=START,
        last_event=START + timedelta(hours=1),
        accounts=("111122223333",),
        regions=("eu-west-1", "us-east-1"),
        activity=tuple(Stretch(START + timedelta(minutes=n), 3, 2, n % 2) for n in range(30)),
        step=timedelta(minutes=1),
        actors=(
            Actor(
                mary,
                "IAMUser",
                40,
                12,
                3,
                START,
                START + timedelta(hours=1),
                ("192.0.2.66",),
                (FORMULA,),
                (),
                (ESCAPES,),
            ),
        ),
        sources=(SourceFile(f"a/{HOSTILE}.json.gz", "ab" * 32, "cloudtrail", 40, 1),),
        rejections=(Rejection(f"a/{HOSTILE}.json.gz", 3, "not_json", f"found {HOSTILE}"),),
        blind_spots=(f"No data events {HOSTILE}",),
        problems=(f"rules/x.yml:3 {HOSTILE}",),
    )
