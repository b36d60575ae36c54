"""The daily audit: the report waited for, judged, published; nothing that went wrong is silent."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from tests.respond.conftest import point_to
from tests.respond.recorded_server import Answers, query, query_error, serve

from clew.collect.asking import Clock
from clew.errors import DeliveryError, InputError
from clew.handlers import audit
from clew.handlers.audit import Settings, carry_out, settings

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Auditor"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:clew"
SETTINGS = Settings(ROLE, TOPIC, "cis-1.2")
NOW = datetime(2026, 3, 11, 6, tzinfo=UTC)
SAMPLE = (Path(__file__).resolve().parents[2] / "samples" / "credential-report.csv").read_bytes()
REPORT = query(
    "GetCredentialReport",
    f"<Content>{base64.b64encode(SAMPLE).decode()}</Content><ReportFormat>text/csv</ReportFormat>"
    "<GeneratedTime>2026-03-11T02:00:00Z</GeneratedTime>",
)
ASSUMED = query(
    "AssumeRole",
    "<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
    "<SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>"
    f"<AssumedRoleUser><Arn>arn:aws:sts::{ACCOUNT}:assumed-role/Auditor/clew-audit</Arn>"
    "<AssumedRoleId>A:clew-audit</AssumedRoleId></AssumedRoleUser>",
)
RECORDED: Answers = {
    "AssumeRole": ASSUMED,
    "GenerateCredentialReport": query("GenerateCredentialReport", "<State>COMPLETE</State>"),
    "GetCredentialReport": REPORT,
    "Publish": query("Publish", "<MessageId>m-1</MessageId>"),
}


def state(name: str) -> Any:
    return query("GenerateCredentialReport", f"<State>{name}</State>")


class Run:
    """One run against recorded answers: what it returned, what it published, how long it waited."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **answers: Any) -> None:
        self.waits: list[float] = []
        self.error: Exception | None = None
        self.answer: Any = None
        with serve(RECORDED | answers) as server:
            point_to(server.url, monkeypatch)
            try:
                self.answer = carry_out(SETTINGS, Clock(lambda: NOW, self.waits.append))
            except Exception as error:  # noqa: BLE001  # the test looks at it
                self.error = error
        self.operations = server.operations()
        self.published = [parse_qs(text) for operation, text in server.asked if operation == "Publish"]

    @property
    def text(self) -> str:
        return self.published[0]["Message"][0]

    @property
    def subject(self) -> str:
        return self.published[0]["Subject"][0]


def test_report_is_audited_and_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """The three questions of the assignment are answered in plain text: root's last use, console users, root keys."""
    run = Run(monkeypatch)
    assert run.error is None
    assert run.operations == [
        "GetCallerIdentity",
        "AssumeRole",
        "GenerateCredentialReport",
        "GetCredentialReport",
        "Publish",
    ]
    assert run.published[0]["TopicArn"] == [TOPIC]
    assert run.answer["account"] == ACCOUNT
    assert (run.answer["status"], run.answer["problems"]) == ("complete", [])
    assert run.answer["controls"]["fail"] > 2
    assert run.subject.startswith(f"[clew] Audit of {ACCOUNT}: {run.answer['controls']['fail']} failed")
    assert "Root not used\n                password      2026-03-10 17:42 UTC, 8 hours before" in run.text
    assert "User2: can sign in to the console with a password and no second factor" in run.text
    assert "active: access key 1" in run.text


def test_report_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Generation is asked for until it is complete, with growing pauses."""
    run = Run(
        monkeypatch, GenerateCredentialReport=[state("STARTED"), state("INPROGRESS"), state("COMPLETE")]
    )
    assert (run.waits, run.answer["problems"]) == ([1.0, 2.0], [])


def test_waiting_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """After two minutes the last report is taken, and that is said."""
    run = Run(monkeypatch, GenerateCredentialReport=state("INPROGRESS"))
    assert sum(run.waits) == 120
    assert run.answer["status"] == "partial"
    assert "the report was not complete after 120 seconds" in run.text


@pytest.mark.parametrize("code", ["ReportNotPresent", "ReportExpired", "ReportInProgress"])
def test_report_that_is_not_there_is_made_again(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that expired meanwhile, or is not there yet, is made once more."""
    run = Run(monkeypatch, GetCredentialReport=[query_error(code, "x", 410), REPORT])
    assert run.operations.count("GenerateCredentialReport") == 2
    assert (run.answer["status"], run.answer["problems"]) == ("complete", [])
    gone = Run(monkeypatch, GetCredentialReport=query_error(code, "x", 410))
    assert gone.operations.count("GetCredentialReport") == 2
    assert code in gone.answer["problems"][0]


@pytest.mark.parametrize("denied", ["GenerateCredentialReport", "GetCredentialReport"])
def test_cr3_lacking_either_action_is_told(denied: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """CR3: without either permission the audit is partial, the call is named, and nothing passes unread."""
    run = Run(monkeypatch, **{denied: query_error("AccessDenied", "not authorized")})
    assert run.answer["status"] == "partial"
    assert run.answer["problems"] == [f"iam:{denied}: denied: AccessDenied: not authorized"]
    assert run.subject.endswith("incomplete")
    assert run.text.startswith(f"This audit is incomplete:\n- iam:{denied}: denied")
    if denied == "GetCredentialReport":
        assert run.answer["controls"]["pass"] == run.answer["controls"]["fail"] == 0


def test_role_that_may_not_be_assumed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure is published and raised, so that Lambda counts it."""
    run = Run(monkeypatch, AssumeRole=query_error("AccessDenied", "no"))
    assert isinstance(run.error, InputError)
    assert run.subject == f"[clew] Audit of {ACCOUNT} failed"
    assert "the role must trust the function's role" in run.text


def test_unforeseen_failure_is_told_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever breaks is published by its kind alone, and raised."""

    def break_off(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(audit, "fetch", break_off)
    run = Run(monkeypatch)
    assert isinstance(run.error, RuntimeError)
    assert "failed: RuntimeError\n" in run.text


def test_message_that_cannot_be_published_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the topic the run fails: a report that nobody gets is none."""
    assert isinstance(Run(monkeypatch, Publish=query_error("NotFound", "x", 404)).error, DeliveryError)


@pytest.mark.usefixtures("aws")
def test_whole_account_is_audited() -> None:
    """With the scope `account` the role collects what the checks of the framework read, and they are judged."""
    topic = boto3.client("sns").create_topic(Name="clew")["TopicArn"]
    queue = boto3.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    boto3.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:q"
    )
    role = "arn:aws:iam::123456789012:role/Auditor"
    chosen = Settings(role, topic, "cis-1.2", "account", ("us-east-1",))
    found: Any = carry_out(chosen, Clock(lambda: datetime.now(UTC), lambda _: None))
    assert found["account"] == "123456789012"
    assert found["controls"]["fail"] > 3
    message = json.loads(boto3.client("sqs").receive_message(QueueUrl=queue)["Messages"][0]["Body"])
    assert message["Subject"].startswith("[clew] Audit of 123456789012: ")
    assert "Failed, worst first" in message["Message"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "`AUDITOR_ROLE_ARN`: expected an ARN"),
        ({"AUDITOR_ROLE_ARN": ROLE, "TOPIC_ARN": "x"}, "`TOPIC_ARN`: expected an ARN"),
        ({"AUDITOR_ROLE_ARN": ROLE, "TOPIC_ARN": TOPIC, "SCOPE": "x"}, "`SCOPE`: expected one of"),
    ],
)
def test_settings_that_are_wrong_are_named(given: dict[str, str], message: str) -> None:
    """A variable that is missing or wrong is named before anything is asked."""
    with pytest.raises(InputError, match=message):
        settings(given)


def test_handler_takes_its_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda's entry reads the variables that the template sets."""
    monkeypatch.setenv("AUDITOR_ROLE_ARN", ROLE)
    monkeypatch.setenv("TOPIC_ARN", TOPIC)
    monkeypatch.setenv("REGIONS", "eu-west-1, us-east-1")
    seen: list[Settings] = []
    monkeypatch.setattr(audit, "carry_out", lambda chosen, _: seen.append(chosen) or {})
    assert audit.handler({}, None) == {}
    assert seen == [Settings(ROLE, TOPIC, "cis-1.2", "credential-report", ("eu-west-1", "us-east-1"))]
