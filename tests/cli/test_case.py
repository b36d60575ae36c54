"""`clew case`: from the first word to the end of the watch, and what goes wrong on the way."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.case.test_denials import _EVENT
from tests.cli.test_hostile import event, text
from typer.testing import CliRunner

from clew.cases import folder
from clew.cases.model import Verdict
from clew.cli import casing
from clew.cli.main import app
from clew.errors import ClewError
from clew.findings import Finding, Severity
from clew.store.database import Database
from clew.store.findings import upsert

if TYPE_CHECKING:
    from click.testing import Result

SAMPLES = Path(__file__).resolve().parent.parent.parent / "samples"
UNREACHABLE = SAMPLES / "unreachable"
_FIRST = ("--error", (UNREACHABLE / "error.txt").read_text(), "--instance", "i-0web", "--from", "203.0.113.9")


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noon of the day on which the fault was seen, and every command comes a second after the other."""
    seconds = itertools.count()
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    monkeypatch.setattr(casing, "now", lambda: noon + timedelta(seconds=next(seconds)))


def clew(*words: str, code: int | None = 0) -> Result:
    """Run `clew case`; its exit code must be the given one, None for any."""
    found = CliRunner().invoke(app, ["case", *map(str, words)])
    assert found.exception is None or isinstance(found.exception, SystemExit | ClewError), found.exception
    assert code is None or found.exit_code == code, f"{found.output}{found.exception}"
    return found


def refused(*words: str) -> str:
    """The one line with which the command is refused."""
    found = CliRunner().invoke(app, ["case", *map(str, words)])
    assert isinstance(found.exception, ClewError), found.output
    assert "\n" not in str(found.exception)
    return str(found.exception)


def commands(found: Result) -> str:
    """The command that comes next."""
    return found.stdout.rstrip().splitlines()[-1].strip()


def test_a_case_from_open_to_closed(tmp_path: Path) -> None:
    """Each command ends with the next one, and following them closes the case."""
    where = str(tmp_path / "c")
    found = clew("open", "Unreachable by SSH, website down", *_FIRST, "--dir", where, "--by", "ana")
    assert "the connection times out on port 22, the connection times out on port 80" in found.stdout
    assert commands(found) == f"clew case attach {where} FILE"
    found = clew("attach", where, UNREACHABLE / "before")
    assert commands(found) == f"clew case hypotheses {where}"
    found = clew("hypotheses", where, code=1)
    assert found.stdout.startswith("the security group lets nobody in: ")
    assert commands(found) == f"clew case plan {where}"
    found = clew("plan", where, "--window", "today", "--inform", "ops@example.com")
    assert "authorize-security-group-ingress --group-id sg-0web" in found.stdout
    assert commands(found) == f"clew case approve {where} --by NAME"
    assert "the plan was not approved" in refused("done", where, "1")
    assert commands(clew("approve", where, "--by", "boss")) == f"clew case done {where} 1 --by NAME"
    assert commands(clew("done", where, "1")) == f"clew case verify {where} FILE"
    found = clew("verify", where, code=3)
    assert "undetermined group-closed" in found.stdout
    assert "is not verified; run" in refused("close", where)
    found = clew("verify", where, UNREACHABLE / "after")
    assert "refuted      group-closed" in found.stdout
    found = clew("close", where, "--effectiveness", "whole", "--prevention", "a rule in the template")
    assert commands(found) == f"clew case watch {where} FILE"
    found = clew("watch", where, UNREACHABLE / "after" / "describe-instances.json", code=3)
    assert "not known: there is no lake to look in" in found.stdout
    case = folder.load(tmp_path / "c")
    assert case.closing is not None
    assert case.closing.root_cause.startswith("the security group lets nobody in: no security group")
    assert (tmp_path / "c" / "README.md").read_text().startswith("# Unreachable by SSH, website down\n")
    assert (tmp_path / "c" / ".gitattributes").read_text().endswith("evidence/* -text\n")
    assert "the case was closed" in refused("close", where)


def test_a_case_that_came_back_is_told(tmp_path: Path) -> None:
    """New evidence in the watch that makes the hypothesis true again is a recurrence, with its exit code."""
    where = str(tmp_path / "c")
    clew("open", "t", UNREACHABLE / "before", *_FIRST, "--dir", where)
    clew("hypotheses", where, code=1)
    clew("plan", where)
    clew("done", where, "1", "--urgent", "the shop is closed")
    clew("verify", where, "--confirmed-by", "ana", "--because", "ssh works again", code=0)
    clew("close", where)
    again = tmp_path / "describe-security-groups.json"
    again.write_text((UNREACHABLE / "before" / "describe-security-groups.json").read_text() + "\n")
    instance = UNREACHABLE / "after" / "describe-instances.json"
    found = clew("watch", where, instance, again, code=1)
    assert found.stdout.startswith("it came back: no security group of the instance lets")
    assert commands(found).startswith('clew case open "t" --id ')
    case = folder.load(tmp_path / "c")
    assert case.plan is not None
    assert case.plan.steps[0].note == "without approval: the shop is closed"
    assert case.verified[0].because == "ssh works again (confirmed by ana)"


def test_an_edited_plan_needs_a_new_approval(tmp_path: Path) -> None:
    """An approval holds for the plan as it was; by hand or by command, a change makes it void."""
    where = str(tmp_path / "c")
    clew("open", "t", UNREACHABLE / "before", *_FIRST, "--dir", where)
    clew("hypotheses", where, code=1)
    clew("plan", where)
    clew("approve", where, "--by", "boss")
    path = tmp_path / "c" / "plan.yaml"
    path.write_text(path.read_text().replace("--port 22", "--port 1-65535"))
    assert "was changed since it was approved" in refused("done", where, "1")
    assert "changed since boss approved it" in clew("plan", where).stdout
    clew("approve", where, "--by", "boss")
    clew("plan", where, "--window", "Sunday")
    assert "changed since" in refused("done", where, "1")
    assert "the plan has no step 9" in refused("done", where, "9", "--urgent", "x")


def test_people_bring_in_and_settle_hypotheses(tmp_path: Path) -> None:
    """What no engine can test is settled by a person, and says so; evidence keeps the last word."""
    where = str(tmp_path / "c")
    clew("open", "t", *_FIRST, "--dir", where, "--by", "ana")
    found = clew(
        "hypotheses", where, "--add", "The vendor's DNS changed", "--likelihood", "5", "--impact", "5", code=3
    )
    assert "own-the-vendor-s-dns-changed" in found.stdout
    settle = ("--settle", "own-the-vendor-s-dns-changed", "--because", "dig says so", "--by", "ana")
    found = clew("hypotheses", where, *settle, "--verdict", "true", code=1)
    assert "settled by ana" in found.stdout
    clew("hypotheses", where, "--settle", "not-running", "--because", "I see it run", "--by", "ana", code=1)
    clew("attach", where, UNREACHABLE / "before")
    clew("hypotheses", where, code=1)
    told = {each.id: each for each in folder.load(tmp_path / "c").of(Verdict.REFUTED)}
    assert told["not-running"].because == "the instance is running"
    assert "no hypothesis `nope`; there are" in refused(
        "hypotheses", where, "--settle", "nope", "--because", "x"
    )
    assert "say why" in refused("hypotheses", where, "--settle", "not-running")
    assert (
        "mend it: The vendor's DNS changed"
        in clew("plan", where, "--for", "own-the-vendor-s-dns-changed").stdout
    )


def test_changed_evidence_is_said_everywhere(tmp_path: Path) -> None:
    """A hash that does not fit ends with 3, on stderr, in the overview and in every report."""
    where = tmp_path / "c"
    clew("open", "t", UNREACHABLE / "before", *_FIRST, "--dir", where)
    file = next((where / "evidence").glob("*-describe-security-groups.json"))
    file.write_text(file.read_text().replace("web", "wab"))
    found = clew("show", where, code=3)
    assert "is not what was attached" in found.stderr
    assert "NOT WHAT WAS ATTACHED" in found.stdout
    for form in ("markdown", "html", "json", "ticket"):
        assert "is not what was attached" in clew("export", where, "--output", form, code=3).stdout
    assert "left out: e" in clew("hypotheses", where, code=3).stdout


def test_a_refused_call_of_the_lake_becomes_a_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event is attached word for word, what changed before is found, and the watch sees it refused again."""
    monkeypatch.setenv("CLEW_WORKSPACE", str(tmp_path / "w"))
    who = {"userIdentity": _EVENT["userIdentity"]}
    changed = event(
        1,
        eventTime="2026-03-09T10:00:00Z",
        eventSource="iam.amazonaws.com",
        eventName="DetachUserPolicy",
        readOnly=False,
        requestParameters={"userName": "ci", "policyArn": "arn:aws:iam::aws:policy/AmazonS3FullAccess"},
        resources=[{"ARN": "arn:aws:iam::111122223333:user/ci", "accountId": "111122223333"}],
    )
    later = event(3, **{**_EVENT, "eventID": "e-3", "eventTime": "2026-03-11T09:00:00Z"})
    worked = event(4, **{**_EVENT, "eventID": "e-4", "eventTime": "2026-03-11T10:00:00Z", "errorCode": ...})
    (tmp_path / "log.json").write_text(text(changed, {**_EVENT, **who}, later, worked))
    assert CliRunner().invoke(app, ["--quiet", "ingest", str(tmp_path / "log.json")]).exit_code == 0
    found = clew(
        "open",
        "deploys fail since Tuesday",
        "--event",
        "e-1",
        "--since",
        "2026-03-10T09:00Z",
        "--id",
        "deploys",
    )
    assert "access is denied" in found.stdout
    case = folder.load(tmp_path / "w" / "cases" / "deploys")
    assert [each.kind.value for each in case.evidence] == ["event", "changes"]
    assert "DetachUserPolicy" in case.evidence[1].says
    clew("attach", "deploys", SAMPLES / "account" / "account.json")
    found = clew("hypotheses", "dep", "-o", "json", code=None)
    first = json.loads(found.stdout)["of"][0]["id"]
    assert first.startswith("policy-")
    assert str(tmp_path) not in (tmp_path / "w" / "cases" / "deploys" / "hypotheses.yaml").read_text()
    clew("plan", "deploys", "--for", first)
    clew("done", "deploys", "1", "--urgent", "deploys wait")
    assert (
        "`PutObject` was refused at 2026-03-11T09:00:00Z"
        in clew("verify", "deploys", "--event", "e-3", code=1).stdout
    )
    assert "`PutObject` went through at" in clew("verify", "deploys", "--event", "e-4").stdout
    clew("close", "deploys", "--cause", "the user lost a policy")
    found = clew("watch", "deploys", code=1)
    assert (
        "it came back: PutObject was refused to arn:aws:iam::111122223333:user/ci 1 times since"
        in found.stdout
    )
    assert "deploys" in clew("list").stdout
    assert "no event `e-9` is in the lake" in refused("open", "t", "--event", "e-9", "--id", "x")


def _finding() -> Finding:
    noon = datetime(2026, 3, 10, 11, tzinfo=UTC)
    words = {"next_steps": ("Deactivate the key",), "producer": "detect", "subject": "ana"}
    return Finding(
        "f0c1d2e3", "secrets-harvested", "Secrets were read", Severity.HIGH, "ana", noon, noon, "12 reads",
        tactics=("credential-access",), **words,  # type: ignore[arg-type]  # texts
    )  # fmt: skip


def test_a_finding_becomes_a_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding is a hypothesis that is true while it is active, and is mended when a run no longer finds it."""
    monkeypatch.setenv("CLEW_WORKSPACE", str(tmp_path))
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    with Database(tmp_path / "state.db") as database:
        (kept,) = upsert(database, [_finding()], noon).findings
    clew("open", "Secrets leaked", "--finding", kept.id[:6], "--id", "leak")
    told = {each.id for each in folder.load(tmp_path / "cases" / "leak").of(Verdict.TRUE)}
    assert told == set()
    clew("hypotheses", "leak", code=1)
    told = {each.id for each in folder.load(tmp_path / "cases" / "leak").of(Verdict.TRUE)}
    assert told == {"finding-secrets-harvested", "stolen-credentials"}
    assert "Deactivate the key" in clew("plan", "leak", "--for", "finding-secrets-harvested").stdout
    clew("done", "leak", "1", "--urgent", "now")
    assert "the finding is active" in clew("verify", "leak", code=1).stdout
    with Database(tmp_path / "state.db") as database:
        upsert(database, [], noon + timedelta(hours=1), covered=["secrets-harvested"])
    assert "the finding is resolved" in clew("verify", "leak").stdout
    clew("close", "leak", "--by", "ana")
    with Database(tmp_path / "state.db") as database:
        upsert(database, [_finding()], noon + timedelta(days=1))
    assert "is active again: Secrets were read" in clew("watch", "leak", code=1).stdout


def test_names_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """A case that is not there, an id that is none, a folder that is used, a symptom that is none: one line each."""
    assert "no case `nope`; `clew case list` shows" in refused("show", "nope")
    assert "holds no case.yaml" in refused("show", str(tmp_path / "nope"))
    assert "`--id ../x` is no id" in refused("open", "t", "--id", "../x")
    assert "is no symptom; expected one of timed-out" in refused("open", "t", "--symptom", "broken")
    assert "is no address" in refused("open", "t", "--from", "here")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    assert "is not empty; choose another" in refused("open", "t", "--dir", str(tmp_path / "used"))
    assert "cannot be read: no such file" in refused("open", "t", str(tmp_path / "gone"), "--id", "x")
    assert "no case yet" in clew("list").stdout
    clew("open", "shop one", "--id", "shop-1")
    clew("open", "shop two", "--id", "shop-2")
    assert "begins 2 ids" in refused("show", "shop")
    assert "say why not" in refused("close", "shop-1")
    assert "no cause was found" in refused("close", "shop-1", "--unresolved", "x")
    assert "nothing was planned" in refused("verify", "shop-1")
    assert "there is no plan to approve" in refused("approve", "shop-1", "--by", "x")
    assert "nothing to mend" in refused("plan", "shop-1")
    assert "the case is open" in refused("watch", "shop-1")
    assert "names nothing to look at" in refused("attach", "shop-1", "--live")
    assert commands(clew("show", "shop-1")) == "clew case attach shop-1 --error TEXT"
    clew("escalate", "shop-1", "--to", "AWS Support", "--reason", "nobody knows")
    (Path(folder.__file__).parent / "no").exists()


def test_a_damaged_case_does_not_hide_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list shows what can be read, and says on one line what cannot."""
    monkeypatch.setenv("CLEW_WORKSPACE", str(tmp_path))
    clew("open", "one", "--id", "one")
    clew("open", "two", "--id", "two")
    path = tmp_path / "cases" / "two" / "case.yaml"
    path.write_text(path.read_text().replace("severity", "serverity").replace("title: two", "title: [two"))
    found = clew("list")
    assert "one" in found.stdout
    assert f"{path}:" in found.stderr
    assert json.loads(clew("list", "-o", "json").stdout)[0]["id"] == "one"


def test_what_people_tell_later_is_added(tmp_path: Path) -> None:
    """Symptoms, what it is about, and what changed can be said when they are known."""
    where = str(tmp_path / "c")
    clew("open", "t", "--dir", where)
    words: tuple[Any, ...] = (
        "--error",
        "ssh: connect to host a port 22: Connection refused",
        "--key",
        "~/k.pem",
    )
    clew("attach", where, *words, "--instance", "i-1", "--from", "203.0.113.9", "--change", "deployed 4.2")
    case = folder.load(tmp_path / "c")
    assert (case.about.key, case.about.client, case.changes) == ("k", "203.0.113.9/32", ("deployed 4.2",))
    assert [each.symptom.words for each in case.symptoms] == ["the connection is refused on port 22"]
