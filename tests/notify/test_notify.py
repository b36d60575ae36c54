"""Messages: what they say, where they go, and that nothing in them does harm."""

from __future__ import annotations

import base64
import email
import email.policy
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.notify.servers import certificate, mail_server, web_server
from tests.store.test_findings import finding
from typer.testing import CliRunner

from clew.cli.main import app
from clew.errors import ClewError, DeliveryError, UsageError
from clew.findings import Severity
from clew.notify import mail, programs, sns, webhook
from clew.notify.destination import destination
from clew.notify.message import subject_line
from clew.notify.send import send
from clew.report.notification import of_changes, summary
from clew.store.changes import changes
from clew.store.database import Database
from clew.store.findings import add_suppression, upsert
from clew.store.suppression import Suppression

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
SENDER = "clew@example.com"
EVIL = "x\r\nBcc: all@example.com\x1b[31m\u202e<!channel>"


@dataclass(frozen=True)
class Words:
    """A message."""

    subject: str = "Two findings"
    text: str = "First line\n.\nlast line\n"
    document: Mapping[str, object] = field(default_factory=lambda: {"schema": "x"})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path / "state.db") as opened:
        yield opened


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def trusted(pem: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    return pem


@given(st.text(max_size=300))
def test_subject_is_what_sns_and_mail_take(text: str) -> None:
    """Law: whatever the text, the subject is at most 99 printable ASCII characters on one line, without margins."""
    line = subject_line(text)
    assert len(line) < 100
    assert not line or (line.isascii() and line.isprintable() and line == line.strip())


@pytest.mark.usefixtures("aws")
def test_published_to_a_topic() -> None:
    """A topic in any region gets the subject and the whole text."""
    topic = boto3.client("sns", region_name="eu-west-1").create_topic(Name="alarms")["TopicArn"]
    queue = boto3.client("sqs", region_name="eu-west-1").create_queue(QueueName="q")["QueueUrl"]
    arn = "arn:aws:sqs:eu-west-1:123456789012:q"
    boto3.client("sns", region_name="eu-west-1").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    send(f"sns:{topic}", Words(subject=f"Zürich {EVIL}"))
    taken = boto3.client("sqs", region_name="eu-west-1").receive_message(QueueUrl=queue)["Messages"][0]
    body = json.loads(taken["Body"])
    assert body["Subject"] == "Zurich x Bcc: all@example.com [31m <!channel>"
    assert body["Message"] == Words().text


@pytest.mark.usefixtures("aws")
def test_topic_that_is_not_there_is_a_failure() -> None:
    """A message that did not arrive is an error with AWS's code."""
    with pytest.raises(DeliveryError, match="NotFound"):
        send("sns:arn:aws:sns:eu-west-1:123456789012:nowhere", Words())


@pytest.mark.usefixtures("aws")
def test_programs_get_the_document() -> None:
    """A queue, a stream and a bus get the message as JSON; what is not there is a failure with AWS's code."""
    region = "eu-west-1"
    queues = boto3.client("sqs", region_name=region)
    url = queues.create_queue(QueueName="programs")["QueueUrl"]
    send(f"arn:aws:sqs:{region}:123456789012:programs", Words())
    assert json.loads(queues.receive_message(QueueUrl=url)["Messages"][0]["Body"]) == {"schema": "x"}
    boto3.client("kinesis", region_name=region).create_stream(StreamName="programs", ShardCount=1)
    send(f"arn:aws:kinesis:{region}:123456789012:stream/programs", Words())
    send(f"arn:aws:events:{region}:123456789012:event-bus/default", Words())
    for missing in ("sqs:eu-west-1:123456789012:none", "lambda:eu-west-1:123456789012:function:none"):
        with pytest.raises(DeliveryError, match=missing.partition(":")[0]):
            send(f"arn:aws:{missing}", Words())


@pytest.mark.usefixtures("aws")
def test_an_alarm_goes_off_for_what_is_worse() -> None:
    """What is new sets an alarm off, which does what it does; what is only resolved sets it to OK."""
    watch = boto3.client("cloudwatch", region_name="eu-west-1")
    watch.put_metric_alarm(
        AlarmName="audit",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="none",
        Namespace="clew",
        Period=60,
        Statistic="Sum",
        Threshold=0,
    )
    arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:audit"
    states = []
    for document in (
        {"schema": "clew.changes.v1", "new": [{}]},
        {"schema": "clew.changes.v1", "resolved": [{}]},
    ):
        send(arn, Words(document=document))
        states.append(watch.describe_alarms()["MetricAlarms"][0]["StateValue"])
    assert states == ["ALARM", "OK"]
    assert watch.describe_alarms()["MetricAlarms"][0]["StateReason"] == Words().subject
    with pytest.raises(DeliveryError, match="cloudwatch:"):
        send(f"{arn}-of-nobody", Words())


def test_a_long_document_is_told_in_short() -> None:
    """What is longer than AWS takes arrives as subject and text, and says so."""
    told = json.loads(programs.body(Words(text="ä" * 500_000, document={"findings": ["x" * 300_000]})))
    assert (told["subject"], told["truncated"]) == (Words().subject, True)
    assert len(json.dumps(told).encode()) < 256 * 1024


def test_text_that_is_too_long_is_cut_and_says_so() -> None:
    """SNS takes 256 KB; what is cut is cut at a line, and the reader is told."""
    cut = sns.fitting("ä line\n" * 60_000)
    assert len(cut.encode()) <= 256 * 1024
    assert cut.endswith("ä line\n[cut: the whole is longer than SNS takes]\n".replace("\n[", "\n[", 1))


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
def test_mail_goes_by_tls(scheme: str, trusted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail is sent by TLS, from the start or after STARTTLS; a dot on its own line ends nothing."""
    with mail_server(trusted, tls=scheme == "smtps") as box:
        monkeypatch.setenv("CLEW_SMTP_URL", f"{scheme}://me:s%40cret@127.0.0.1:{box.port}")
        monkeypatch.setenv("CLEW_SMTP_FROM", SENDER)
        send("mailto:a@example.com,b@example.com", Words(subject=EVIL))
    assert ("STARTTLS" in box.lines) is (scheme == "smtp")
    assert base64.b64encode(b"\0me\0s@cret").decode() in " ".join(box.lines)
    told = email.message_from_string(box.mails[0], policy=email.policy.default)
    assert (told["Subject"], told["Bcc"]) == ("x Bcc: all@example.com [31m <!channel>", None)
    assert told["To"] == "a@example.com, b@example.com"
    assert told["Auto-Submitted"] == "auto-generated"
    assert "First line\r\n..\r\nlast line" in box.mails[0]


def test_certificate_that_nobody_vouches_for_is_refused(pem: Path) -> None:
    """No mail goes to a server that cannot prove who it is."""
    with mail_server(pem, tls=True) as box, pytest.raises(DeliveryError, match="SSLCertVerificationError"):
        mail.send("a@example.com", Words(), mail.Server("smtps", "127.0.0.1", box.port, SENDER))
    assert box.mails == []


def test_nothing_is_sent_without_tls(pem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that offers no STARTTLS gets neither password nor mail, unless it is this machine itself."""
    with mail_server(pem, starttls=False) as box:
        server = mail.Server("smtp", "127.0.0.1", box.port, SENDER)
        mail.send("a@example.com", Words(), server)
        assert len(box.mails) == 1
        monkeypatch.setattr(mail, "_LOOPBACK", frozenset())
        with pytest.raises(DeliveryError, match="nothing is sent without TLS"):
            mail.send("a@example.com", Words(), server)
        assert len(box.mails) == 1


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "AUTH"])
def test_refused_mail_is_a_failure_without_secrets(word: str, pem: Path) -> None:
    """Whatever the server refuses is an error that names the server and no password."""
    with mail_server(pem, starttls=False) as box:
        box.refuse = word
        server = mail.Server("smtp", "127.0.0.1", box.port, SENDER, "me", "secret")
        with pytest.raises(DeliveryError, match=f"127.0.0.1:{box.port}: ") as raised:
            mail.send("a@example.com", Words(), server)
    assert "secret" not in str(raised.value) + repr(server)


@pytest.mark.parametrize(
    ("url", "sender"),
    [("", SENDER), ("smtp://h", ""), ("ftp://h", SENDER), ("smtp://", SENDER), ("smtp://h:x", SENDER)],
)
def test_settings_of_mail_that_are_wrong(url: str, sender: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing or wrong is named before anything is sent."""
    monkeypatch.setenv("CLEW_SMTP_URL", url)
    monkeypatch.setenv("CLEW_SMTP_FROM", sender)
    with pytest.raises(UsageError, match="CLEW_SMTP"):
        mail.server_from_environment()


def test_sender_cannot_add_headers() -> None:
    """A line break in the sender is no way into the header."""
    with pytest.raises(DeliveryError, match="no mail address"):
        mail.composed("a@example.com", Words(), "a@example.com\r\nBcc: b@example.com")


def test_webhook_gets_json() -> None:
    """A webhook is posted the document."""
    with web_server() as web:
        send(f"http://127.0.0.1:{web.port}/hook", Words())
    assert json.loads(web.bodies[0]) == {"schema": "x"}


def test_slack_text_mentions_nobody() -> None:
    """Text of an attacker calls no channel and makes no link."""
    with web_server() as web:
        send(f"slack:http://127.0.0.1:{web.port}/hook", Words(text="<!channel> <http://evil|here> &"))
    body = json.loads(web.bodies[0])
    assert body["text"] == "Two findings\n&lt;!channel&gt; &lt;http://evil|here&gt; &amp;"
    assert not body["unfurl_links"]
    assert len(webhook.slack(Words(text="x\n" * 30_000))["text"]) <= 40_000  # type: ignore[arg-type]  # a text


@pytest.mark.parametrize(
    ("codes", "attempts", "waits"),
    [([500, 429, 200], 3, [1.0, 4.0]), ([503], 3, [1.0, 4.0]), ([404], 1, []), ([302], 1, [])],
)
def test_attempts_are_bounded(codes: list[int], attempts: int, waits: list[float]) -> None:
    """A busy server is asked again, twice at most; a refusal and a redirect are final."""
    slept: list[float] = []
    with web_server() as web:
        web.codes = codes
        address = destination(f"http://127.0.0.1:{web.port}/secret")
        if codes[-1] == 200:
            webhook.post(address, {}, slept.append)
        else:
            with pytest.raises(DeliveryError, match=rf"127\.0\.0\.1/…: HTTP {codes[-1]}$"):
                webhook.post(address, {}, slept.append)
    assert (len(web.paths), slept) == (attempts, waits)


def test_server_that_is_not_there_is_a_failure_without_secrets() -> None:
    """The error says what was not reached, never the secret in its address."""
    with web_server() as web:
        port = web.port
    with pytest.raises(DeliveryError) as raised:
        webhook.post(destination(f"http://127.0.0.1:{port}/T0/secret?token=s3"), {}, lambda _: None)
    assert str(raised.value) == "http://127.0.0.1/…: not reached: ConnectionRefusedError"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nowhere",
        "sns:x",
        "sns:arn:aws:s3:::b",
        "arn:aws:cloudwatch:eu-west-1:123456789012:dashboard/audit",
        "mailto:",
        "mailto:a@b\r\nBcc: c@d",
        "mailto:Ann <a@b>",
        "http://example.com/x",
        "slack:ftp://x",
        "https://",
    ],
)
def test_what_is_no_destination(text: str) -> None:
    """A destination that cannot be one is refused at once; plain HTTP goes to this machine only."""
    with pytest.raises(UsageError):
        destination(text)


def test_secret_of_a_wrong_address_is_not_repeated() -> None:
    """An error about an address shows its host alone."""
    with pytest.raises(UsageError) as raised:
        destination("http://hooks.example.com/T0/secret")
    assert "secret" not in str(raised.value)


def test_only_what_changed_is_told(database: Database) -> None:
    """What is new, grew, returned or was resolved is told; what is as it was, hidden, or came and went is not."""
    old, gone = finding("old", "o"), finding("gone", "g")
    upsert(database, [old, gone, finding("hidden", "h")], NOW - timedelta(days=2))
    hide = Suppression("", "known", "mary", NOW, None, rule="hidden")
    add_suppression(database, hide, NOW - timedelta(days=2))
    new = finding("new", "n", severity=Severity.CRITICAL, title="Root was used")
    upsert(database, [old, new, finding("brief", "b")], NOW - timedelta(hours=2), covered={"gone", "hidden"})
    upsert(database, [], NOW - timedelta(hours=1), covered={"brief"})
    found = changes(database, NOW - timedelta(days=1), NOW)
    assert [
        [k.finding.rule for k in group] for group in (found.new, found.reopened, found.grown, found.resolved)
    ] == [
        ["new"],
        [],
        [],
        ["gone", "hidden"],
    ]
    message = of_changes(found, since=NOW - timedelta(days=1), now=NOW)
    assert message is not None
    assert message.subject == "[clew] CRITICAL Root was used: 1 new, 2 resolved"
    assert "CRITICAL: Root was used\n" in message.text
    assert [f["rule"] for f in message.document["new"]] == ["new"]  # type: ignore[attr-defined,index]  # a list
    assert of_changes(changes(database, NOW, NOW), since=NOW, now=NOW) is None


def test_return_and_growth_are_changes(database: Database) -> None:
    """A finding that came back, and one with more events, are told as such."""
    upsert(database, [finding("a", "a"), finding("b", "b")], NOW - timedelta(days=3))
    upsert(database, [finding("b", "b")], NOW - timedelta(days=2), covered={"a"})
    upsert(database, [finding("a", "a"), finding("b", "b", last=3)], NOW)
    found = changes(database, NOW - timedelta(days=1), NOW)
    message = of_changes(found, since=NOW - timedelta(days=1), now=NOW)
    assert message is not None
    assert "1 back again, 1 with more events" in message.subject


def test_text_of_attackers_is_inert(database: Database) -> None:
    """Control characters, overrides and line breaks of names never reach a mailbox or a terminal."""
    upsert(database, [finding("a", EVIL, title=EVIL, explanation=EVIL, resources=(EVIL,))], NOW)
    found = changes(database, NOW, NOW)
    for message in (of_changes(found, since=NOW, now=NOW), summary(found, since=NOW, now=NOW)):
        assert message is not None
        assert not {"\x1b", "\r", "\u202e"} & set(message.text + subject_line(message.subject))
        assert "\nBcc:" not in message.text


def test_long_lists_are_counted(database: Database) -> None:
    """Twenty findings are told, the rest counted."""
    upsert(database, [finding("a", str(i)) for i in range(25)], NOW)
    message = of_changes(changes(database, NOW, NOW), since=NOW, now=NOW)
    assert message is not None
    assert message.text.count("More: clew findings show") == 20
    assert "and 5 more: clew findings list" in message.text


def test_summary_of_a_week(database: Database) -> None:
    """The week in figures, what has been open longest, and what to begin with; also when nothing happened."""
    quiet = summary(changes(database, NOW - timedelta(days=7), NOW), since=NOW - timedelta(days=7), now=NOW)
    assert quiet.subject == "[clew] 7 days: 0 new, 0 back again, 0 resolved, 0 active"
    assert "No finding is active." in quiet.text
    upsert(database, [finding("a", "a")], NOW - timedelta(days=30))
    upsert(database, [finding("b", "b", severity=Severity.LOW)], NOW)
    busy = summary(changes(database, NOW - timedelta(days=7), NOW), since=NOW - timedelta(days=7), now=NOW)
    assert "1 new" in busy.subject
    assert "Active: 1 high, 1 low." in busy.text
    assert "Open the longest: Root was used, 30 days." in busy.text
    assert busy.document["active"]["high"] == 1  # type: ignore[index]  # an object


def test_summary_counts_what_came_and_went(database: Database) -> None:
    """A finding that came and was mended within the week counts as both, though nobody was told of it."""
    upsert(database, [finding("a", "a"), finding("b", "b")], NOW - timedelta(days=3))
    upsert(database, [finding("b", "b")], NOW - timedelta(days=1), covered={"a"})
    week = NOW - timedelta(days=7)
    told = summary(changes(database, week, NOW), since=week, now=NOW)
    assert told.subject == "[clew] 7 days: 2 new, 0 back again, 1 resolved, 1 active"
    assert "1 of them came and went within the span." in told.text
    assert told.document["passed"] == 1


def run(*words: str) -> Any:
    result = CliRunner().invoke(app, words)
    if isinstance(result.exception, ClewError):
        raise result.exception
    return result


@pytest.fixture
def kept(_own_home: Path) -> None:
    path = _own_home / "default"
    path.mkdir()
    with Database(path / "state.db") as opened:
        upsert(opened, [finding()], datetime.now(UTC))


@pytest.mark.usefixtures("kept")
def test_command_prints_or_sends() -> None:
    """Without a destination the message is printed; one that fails does not keep it from the others."""
    assert "Subject: [clew] HIGH Root was used: 1 new" in run("notify", "changes").stdout
    with web_server() as web:
        good = f"http://127.0.0.1:{web.port}/a"
        assert run("notify", "summary", "--to", good).exit_code == 0
        bad = "sns:arn:aws:sns:eu-west-1:123456789012:x"
        result = run("notify", "test", "--to", bad, "--to", good, "--profile", "nowhere")
    assert result.exit_code == 3
    assert "ProfileNotFound" in result.stderr
    assert [json.loads(body)["schema"] for body in web.bodies] == ["clew.summary.v1", "clew.test.v1"]


@pytest.mark.usefixtures("kept")
def test_nothing_is_sent_where_nothing_changed() -> None:
    """Nobody is told nothing."""
    with web_server() as web:
        result = run("notify", "changes", "--since", "0s", "--to", f"http://127.0.0.1:{web.port}/a")
    assert (result.exit_code, web.bodies) == (0, [])
    assert "nothing changed" in result.stderr


def test_audit_tells_what_it_changed() -> None:
    """`clew audit --notify` tells what is new, and a second audit of the same state tells nothing."""
    words = ("audit", "samples/snapshots/2026-03-10T060000Z.json.gz", "--check", "iam-root-used", "-o", "csv")
    with web_server() as web:
        place = f"http://127.0.0.1:{web.port}/a"
        for _ in range(2):
            run(*words, "--notify", place)
        with pytest.raises(UsageError, match="does not go with `--no-trend`"):
            run(*words, "--no-trend", "--notify", place)
    assert [len(json.loads(body)["new"]) for body in web.bodies] == [1]


def test_exposure_tells_new_access() -> None:
    """`clew exposure --notify` tells what is newly active, once; what is not kept cannot be told."""
    words = ("exposure", "--policies", "samples/exposure-account")
    with web_server() as web:
        place = f"http://127.0.0.1:{web.port}/a"
        for _ in range(2):
            assert run(*words, "--notify", place).exit_code == 0
        for command in (words, ("unused",)):
            with pytest.raises(UsageError, match="what changed of kept findings"):
                run(*command, "--no-keep", "--notify", place)
    assert [len(json.loads(body)["new"]) for body in web.bodies] == [3]


def test_evaluation_tells_changes_of_state(tmp_path: Path) -> None:
    """`clew config evaluate --notify` tells what is not compliant, and later only what changed."""
    text = "{id: kept, title: kept, resource: AWS::Logs::LogGroup, assert: {path: retentionInDays, at_least: 365}}"
    (tmp_path / "own.yaml").write_text(text)
    with web_server() as web:
        words = ("config", "evaluate", "--rules", str(tmp_path), "--notify", f"http://127.0.0.1:{web.port}/a")
        for _ in range(2):
            assert run(*words, "samples/snapshots/2026-03-10T060000Z.json.gz").exit_code == 1
        (tmp_path / "own.yaml").write_text(text.replace("at_least: 365", "exists: false"))
        run(*words, "samples/snapshots/2026-03-11T060000Z.json.gz")
    told = [[(each["old"], each["new"]) for each in json.loads(body)["changes"]] for body in web.bodies]
    assert told == [[(None, "NON_COMPLIANT")], [("NON_COMPLIANT", "COMPLIANT")]]


def test_destination_is_read_first() -> None:
    """A wrong destination stops a command before it does anything else."""
    with pytest.raises(UsageError, match="a destination begins with"):
        run("notify", "changes", "--to", "nowhere")
    with pytest.raises(UsageError, match="where to"):
        run("notify", "test")
    with pytest.raises(UsageError, match="`--events` keeps none"):
        run("detect", "--events", "-", "--notify", "mailto:a@example.com")
