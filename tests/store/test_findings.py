"""The life cycle of findings: identity, status, history, suppression."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clew.errors import UsageError, WorkspaceError
from clew.findings import Evidence, Finding, Severity, Status, finding_id
from clew.store import findings as store
from clew.store.database import Database
from clew.store.documents import decode, encode
from clew.store.suppression import Suppression, glob

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
NOW = datetime(2026, 3, 20, tzinfo=UTC)


def finding(rule="root-used", subject="root", first=0, last=None, **parts):
    """A finding of a rule about a subject, from `first` to `last` hours after START."""
    begin = START + timedelta(hours=first)
    end = START + timedelta(hours=first if last is None else last)
    values = {
        "id": finding_id("detect", rule, subject, begin.isoformat()),
        "rule": rule,
        "title": "Root was used",
        "severity": Severity.HIGH,
        "actor": f"arn:aws:iam::111122223333:{subject}",
        "subject": subject,
        "first_seen": begin,
        "last_seen": end,
        "explanation": "Root signed in.",
        "event_ids": (f"{rule}-{first}",),
        "event_count": 1,
    }
    return Finding(**{**values, **parts})


@pytest.fixture
def database(tmp_path):
    with Database(tmp_path / "state.db") as opened:
        yield opened


def suppression(**parts):
    values = {
        "id": "",
        "reason": "known",
        "owner": "mary",
        "created_at": NOW,
        "expires_at": NOW + timedelta(days=30),
    }
    return Suppression(**{**values, **parts})


def test_second_run_keeps_identity(database):
    """A finding found again keeps its id, its first and its last detection."""
    first = store.upsert(database, [finding()], NOW)
    again = store.upsert(database, [finding()], NOW + timedelta(days=1))
    kept = store.kept_findings(database, NOW)
    assert [f.id for f in first.findings] == [f.id for f in again.findings] == [k.finding.id for k in kept]
    assert (first.new, again.new) == ((first.findings[0].id,), ())
    assert (kept[0].first_detected, kept[0].last_detected) == (NOW, NOW + timedelta(days=1))


def test_late_events_keep_identity(database):
    """Events that arrive late move first seen back and keep the id."""
    kept = store.upsert(database, [finding(first=10)], NOW).findings[0]
    late = store.upsert(database, [finding(first=2, last=10)], NOW).findings[0]
    assert late.id == kept.id
    assert late.first_seen == START + timedelta(hours=2)
    _, history = store.kept_finding(database, kept.id[:6], NOW)
    assert [change.change for change in history] == ["new", "grown"]


def test_partial_run_loses_nothing(database):
    """A run over a part of the time keeps first seen, last seen and the event ids of earlier runs."""
    store.upsert(database, [finding(first=0, last=5, event_ids=("a", "b"), event_count=2)], NOW)
    partial = store.upsert(database, [finding(first=5, event_ids=("b",))], NOW).findings[0]
    assert (partial.first_seen, partial.event_ids, partial.event_count) == (START, ("a", "b"), 2)


def test_bridge_merges_two_findings(database):
    """Late events that join two findings leave the older id active and resolve the other."""
    separate = store.upsert(database, [finding(first=0), finding(first=60)], NOW).findings
    joined = store.upsert(database, [finding(first=0, last=60)], NOW)
    assert [f.id for f in joined.findings] == [separate[0].id]
    assert joined.resolved == (separate[1].id,)
    _, history = store.kept_finding(database, separate[1].id, NOW)
    assert history[-1].change == "merged"


def test_complete_run_resolves_and_return_reopens(database):
    """What a complete run no longer finds is resolved; when it returns it is the same finding, reopened."""
    kept = store.upsert(database, [finding()], NOW).findings[0]
    assert store.upsert(database, [], NOW).resolved == ()
    assert store.upsert(database, [], NOW, covered={"root-used"}).resolved == (kept.id,)
    assert store.kept_findings(database, NOW, status=Status.RESOLVED)[0].finding.id == kept.id
    back = store.upsert(database, [finding()], NOW, covered={"root-used"})
    assert (back.reopened, back.findings[0].id, back.findings[0].status) == (
        (kept.id,),
        kept.id,
        Status.ACTIVE,
    )


def test_subjects_and_producers_stay_apart(database):
    """Findings of another subject, rule or producer never share an identity."""
    store.upsert(database, [finding(), finding(subject="user/mary"), finding(rule="other")], NOW)
    store.upsert(database, [finding()], NOW, producer="audit")
    assert len({k.finding.id for k in store.kept_findings(database, NOW)}) == 4


@given(order=st.permutations(range(4)), split=st.integers(0, 4))
@settings(max_examples=8)
def test_order_of_arrival_does_not_matter(order, split):
    """The same findings in any order and any two runs leave the same findings kept."""
    given_findings = [finding(first=h, last=h + 3) for h in (0, 40, 100, 160)]
    results = []
    for indexes in (order, range(4)):
        with TemporaryDirectory() as directory, Database(Path(directory) / "state.db") as database:
            store.upsert(database, [given_findings[i] for i in list(indexes)[:split]], NOW)
            store.upsert(database, given_findings, NOW)
            results.append({k.finding.id for k in store.kept_findings(database, NOW)})
    assert results[0] == results[1]


def test_suppression_hides_until_it_expires(database):
    """A suppression hides what it fits, with its reason, and after its expiry the finding is active again."""
    kept = store.upsert(database, [finding()], NOW).findings[0]
    made = store.add_suppression(database, suppression(rule="root-used"), NOW)
    hidden = store.kept_findings(database, NOW)[0].finding
    assert hidden.status is Status.SUPPRESSED
    assert "known (mary, until 2026-04-19)" in hidden.suppression
    assert store.upsert(database, [finding()], NOW).findings[0].status is Status.SUPPRESSED
    later = NOW + timedelta(days=31)
    assert store.kept_findings(database, later)[0].finding.status is Status.ACTIVE
    store.remove_suppression(database, made.id, NOW)
    assert store.kept_findings(database, NOW)[0].finding.status is Status.ACTIVE
    _, history = store.kept_finding(database, kept.id, NOW)
    assert [change.change for change in history] == ["new", "suppressed", "unsuppressed"]


@pytest.mark.parametrize(
    ("parts", "fits"),
    [
        ({"rule": "root-used", "actor": "*:root"}, True),
        ({"rule": "root-used", "actor": "*:user/*"}, False),
        ({"actor": "root"}, False),
        ({"resource": "arn:aws:s3:::log*"}, True),
        ({"resource": "arn:aws:s3:::LOG*"}, False),
        ({"rule": "other", "resource": "arn:aws:s3:::log*"}, False),
    ],
)
def test_all_that_a_suppression_names_must_fit(parts, fits):
    """Parts of a suppression combine by AND, over the whole text, in the case given."""
    assert suppression(**parts).fits(finding(resources=("arn:aws:s3:::logs",))) is fits


def test_glob_takes_other_characters_literally():
    """Only `*` and `?` are special in a glob."""
    assert glob("a[b]*.c", "a[b]xx.c")
    assert not glob("a[b]*.c", "abxx.c")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({}, "must name"),
        ({"rule": "r", "reason": " "}, "needs a reason"),
        ({"rule": "r", "owner": ""}, "needs a owner"),
        ({"rule": "r", "expires_at": NOW}, "has passed"),
    ],
)
def test_incomplete_suppressions_are_refused(database, parts, message):
    """A suppression without scope, reason or owner, or already expired, is refused."""
    with pytest.raises(UsageError, match=message):
        store.add_suppression(database, suppression(**parts), NOW)


def test_unused_suppressions_are_named(database):
    """A suppression in force that fits nothing is reported by each run."""
    made = store.add_suppression(database, suppression(rule="gone"), NOW)
    assert [s.id for s in store.upsert(database, [finding()], NOW).unused_suppressions] == [made.id]
    assert store.upsert(database, [], NOW + timedelta(days=60)).unused_suppressions == ()


def test_runs_show_a_trend(database):
    """Each run records what it found and how many findings were active after it."""
    store.upsert(database, [finding(), finding(subject="x", severity=Severity.LOW)], NOW)
    store.upsert(database, [], NOW, covered={"root-used"})
    runs = store.trend(database)
    assert [(r.found, r.new, r.resolved, r.active["high"], r.active["low"]) for r in runs] == [
        (2, 2, 0, 1, 1),
        (0, 0, 2, 0, 0),
    ]


def test_documents_come_back_whole():
    """A finding survives its way to a document and back, evidence and missing times included."""
    evidence = Evidence("e-1", None, "what", resources=("r",), record_number=3)
    full = finding(
        evidence=(evidence, replace(evidence, time=START)), technique=("T1078",), status=Status.RESOLVED
    )
    assert decode(encode(full)) == full


def test_damaged_state_is_named(tmp_path):
    """A state file that is no database is one located message, and it is left as it is."""
    path = tmp_path / "state.db"
    path.write_bytes(b"not a database, but long enough to be read as a header" * 40)
    with pytest.raises(WorkspaceError, match=r"state\.db.*not a database"):
        Database(path)
    assert path.read_bytes().startswith(b"not a database")


def test_unreadable_finding_is_named(tmp_path):
    """A kept document that was tampered with is an error that names the finding."""
    with Database(tmp_path / "state.db") as database:
        kept = store.upsert(database, [finding()], NOW).findings[0]
    with sqlite3.connect(tmp_path / "state.db") as raw:
        raw.execute("UPDATE findings SET document = '{}'")
    raw.close()
    with Database(tmp_path / "state.db") as database, pytest.raises(WorkspaceError, match=kept.id):
        store.kept_findings(database, NOW)


def test_state_of_another_version_is_refused(tmp_path):
    """A state written by another version is not touched."""
    Database(tmp_path / "state.db").__exit__()
    with sqlite3.connect(tmp_path / "state.db") as raw:
        raw.execute("UPDATE meta SET value = '99'")
    raw.close()
    with pytest.raises(WorkspaceError, match="version `99`"):
        Database(tmp_path / "state.db")


def test_missing_state_is_no_empty_answer(tmp_path):
    """Reading a state that was never made is an error, not an empty list."""
    with pytest.raises(WorkspaceError, match="run `clew detect` first"):
        Database(tmp_path / "state.db", create=False)


def test_failed_run_leaves_nothing_half_done(database, monkeypatch):
    """When a run fails in the middle, the store is as before."""
    store.upsert(database, [finding()], NOW)
    monkeypatch.setattr(store, "_record_run", lambda *_: (_ for _ in ()).throw(WorkspaceError("disk full")))
    with pytest.raises(WorkspaceError, match="disk full"):
        store.upsert(database, [finding(rule="second")], NOW)
    assert [k.finding.rule for k in store.kept_findings(database, NOW)] == ["root-used"]


def test_finding_stays_with_its_producer(database):
    """A finding that is found again belongs to the producer of the run, whatever the finding itself says."""
    store.upsert(database, [finding()], NOW, producer="audit:1")
    store.upsert(database, [finding()], NOW, producer="audit:1")
    assert [k.finding.producer for k in store.kept_findings(database, NOW)] == ["audit:1"]
    assert (
        store.upsert(database, [], NOW, producer="audit:1", covered={"root-used"}).fixed[0].rule
        == "root-used"
    )


@pytest.mark.parametrize(
    ("parts", "fits"),
    [
        ({"rule": "root-*"}, True),
        ({"account": "111122223333"}, True),
        ({"account": "1111"}, False),
        ({"tags": (("team", "w?b"),)}, True),
        ({"tags": (("team", "web"), ("stage", "prod"))}, False),
        ({"tags": (("team", "web"), ("stage", "prod")), "combine": "any"}, True),
        ({"rule": "other", "account": "111122223333", "combine": "any"}, True),
        ({"rule": "other", "account": "9", "combine": "any"}, False),
    ],
)
def test_accounts_and_tags_are_parts_like_the_others(parts, fits):
    """Accounts fit whole, tags by key and glob, and `any` lets one part do."""
    found = finding(accounts=("111122223333",), tags=(("team", "web"),))
    assert suppression(**parts).fits(found) is fits


def test_every_part_of_a_suppression_is_kept(database):
    """What was named comes back as it was given."""
    wanted = suppression(rule="r", account="1", tags=(("team", "w*"),), combine="any")
    made = store.add_suppression(database, wanted, NOW)
    assert store.suppressions(database) == (made,)
    assert made.scope == "rule r or account 1 or tag team=w*"


def test_expired_suppression_that_would_hide_is_told(database):
    """A run says which ended suppressions fit what it found."""
    made = store.add_suppression(database, suppression(rule="root-used"), NOW)
    assert store.upsert(database, [finding()], NOW).expired_suppressions == ()
    later = store.upsert(database, [finding()], NOW + timedelta(days=60))
    assert [s.id for s in later.expired_suppressions] == [made.id]


def test_state_of_version_1_is_brought_up(tmp_path):
    """A state of the first version keeps its findings and takes new suppressions."""
    path = tmp_path / "state.db"
    with Database(path) as database:
        store.upsert(database, [finding()], NOW)
        store.add_suppression(database, suppression(rule="root-used"), NOW)
    with sqlite3.connect(path) as raw:
        for table, column in (
            ("runs", "detail"),
            *(("suppressions", c) for c in ("account", "tags", "combine")),
        ):
            raw.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        raw.execute("UPDATE meta SET value = '1'")
    raw.close()
    with Database(path) as database:
        assert store.kept_findings(database, NOW)[0].finding.status is Status.SUPPRESSED
        assert store.trend(database)[0].detail == {}
        store.upsert(database, [], NOW, detail={"as_of": "x"})
        assert store.trend(database, "detect")[1].detail == {"as_of": "x"}
        assert store.trend(database, "audit") == ()


def test_people_can_note_and_assign(database):
    """A note and an assignment stand in the history and change nothing else."""
    kept = store.upsert(database, [finding()], NOW).findings[0]
    store.remark(database, kept.id[:6], NOW, "assigned", "mary")
    found, history = store.kept_finding(database, kept.id, NOW)
    assert (history[-1].change, history[-1].detail, found.finding.status) == (
        "assigned",
        "mary",
        Status.ACTIVE,
    )
