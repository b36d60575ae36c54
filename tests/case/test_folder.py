"""The folder of a case: what is written is read again, what is damaged is told with its line, what changed is said."""

from __future__ import annotations

import fcntl
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.case_files import read_case_file

from clew.cases import evidence, fields, folder, testing
from clew.cases.model import (
    Approval,
    Case,
    Closing,
    Escalation,
    Fact,
    Hypotheses,
    Hypothesis,
    Kept,
    Lessons,
    Plan,
    PlanStep,
    Risk,
    Seen,
    Subject,
    Verdict,
    Verified,
    Watched,
)
from clew.errors import InputError, UsageError, WorkspaceError
from clew.explain.operational.symptoms import Kind

_CASES: dict[str, Any] = read_case_file(
    Path(__file__).resolve().parent.parent / "cases" / "case" / "damaged.yaml"
)
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
_HEAD = "id: c\ntitle: x\nopened_at: 2026-03-10T12:00:00Z\n"


def whole() -> Case:
    """A case in which every part says something."""
    facts = (Fact("line", "GET /\u202e<script>\n"), Fact("seen in", "e1, line 3"))
    step = PlanStep(1, "Start", "not-running", Risk.LOW, "none", "a\nb", "c", "d", "e", "f", NOW, "ana", "n")
    return Case(
        "c",
        "Deploys fail: `since` Tuesday #1 – ümlaut",
        NOW,
        "ana",
        since=NOW,
        affected="all",
        symptoms=(Seen(Kind.TIMED_OUT, 22, "timed out"),),
        about=Subject("i-1", "b", "k", "203.0.113.0/24", ("arn:aws:s3:::b",)),
        changes=("deployed 4.2",),
        escalations=(Escalation(NOW, "AWS Support", "no", "ana"),),
        verified=(Verified(NOW, "not-running", Verdict.REFUTED, "runs", ("e2",), ""),),
        closing=Closing(NOW, "ana", "stopped", "alarm", "", NOW, Lessons("e", "t", "c", "q", "s")),
        watched=(Watched(NOW, Verdict.UNDETERMINED, "nothing", ()),),
        hypotheses=Hypotheses(
            NOW,
            (
                Hypothesis(
                    "not-running", "it is off", "the instance", 5, 5, Verdict.TRUE, "no", facts, ("e1",)
                ),
            ),
            ("note",),
        ),
        plan=Plan(NOW, (step,), "Tuesday", ("ops",), "one", (Approval("boss", NOW, "x", "ok"),), "n"),
    )


def test_a_case_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Every part of a case survives its files, hostile characters of a log included."""
    case, _ = evidence.attach(whole(), tmp_path, evidence.New("a.log", b"GET /\x1b[31m\xff\n"), NOW)
    folder.save(case, tmp_path)
    assert folder.load(tmp_path) == case
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "case.yaml",
        "evidence",
        "evidence.yaml",
        "hypotheses.yaml",
        "plan.yaml",
    ]


@given(st.text(max_size=40))
def test_any_text_survives(text: str) -> None:
    """Whatever a title holds, the file that writes it reads back the same; what is no UTF-8 is written as an escape."""
    case = Case("c", text.encode("utf-8", "replace").decode(), NOW)
    assert fields.load(Case, fields.dump(case), "case.yaml") == case


@pytest.mark.parametrize("row", _CASES["files"], ids=lambda row: row["name"])
def test_a_damaged_file_is_told_with_its_line(row: dict[str, str], tmp_path: Path) -> None:
    """One line says which file, which line, what was found and what was expected."""
    (tmp_path / "case.yaml").write_text(_HEAD)
    (tmp_path / row["file"]).write_text(row["text"])
    with pytest.raises(InputError) as caught:
        folder.load(tmp_path)
    assert row["says"] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_no_case_is_told(tmp_path: Path) -> None:
    """Naming another folder says so, with what to do."""
    with pytest.raises(InputError, match=r"holds no case\.yaml; name the folder of a case"):
        folder.load(tmp_path)


def test_evidence_that_was_changed_is_said_and_left_out(tmp_path: Path) -> None:
    """What is not what was attached counts for nothing, and the reason stands beside the verdicts."""
    seen = (Seen(Kind.OUT_OF_MEMORY),)
    new = evidence.New("messages.log", b"kernel: Out of memory: Killed process 1 (java)\n")
    case, made = evidence.attach(replace(Case("c", "t", NOW), symptoms=seen), tmp_path, new, NOW)
    found = testing.tested(case, evidence.held(case, tmp_path), NOW)
    assert found.of[0].verdict is Verdict.TRUE
    (tmp_path / made.file).write_bytes(b"all is well\n")
    found = testing.tested(case, evidence.held(case, tmp_path), NOW)
    assert found.of[0].verdict is Verdict.UNDETERMINED
    assert any("e1" in note and "is not what was attached; expected sha256" in note for note in found.notes)
    (tmp_path / made.file).unlink()
    assert "cannot be read" in folder.problems(case, tmp_path)["e1"]


@pytest.mark.parametrize("row", _CASES["places"], ids=lambda row: row["name"])
def test_evidence_outside_the_folder_is_never_read(row: dict[str, str], tmp_path: Path) -> None:
    """A case that somebody else wrote cannot make Clew read another file."""
    (tmp_path / "secret.txt").write_text("secret")
    case, made = evidence.attach(Case("c", "t", NOW), tmp_path / "case", evidence.New("a", b"a"), NOW)
    with pytest.raises(InputError, match="is not in the case's `evidence` folder"):
        folder.piece(tmp_path / "case", replace(made, file=row["file"]))
    (tmp_path / "case" / "evidence" / "link").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(InputError, match="is not in the case's `evidence` folder"):
        folder.piece(tmp_path / "case", replace(made, file="evidence/link"))
    assert case.evidence == (made,)


def test_the_same_bytes_are_one_piece(tmp_path: Path) -> None:
    """Attaching a file twice changes nothing; after the change it is a piece of its own."""
    case, first = evidence.attach(Case("c", "t", NOW), tmp_path, evidence.New("a.log", b"a"), NOW)
    case, again = evidence.attach(case, tmp_path, evidence.New("b.log", b"a"), NOW)
    assert (again, len(case.evidence)) == (first, 1)
    case, later = evidence.attach(case, tmp_path, evidence.New("a.log", b"a"), NOW, after=True)
    assert (later.id, later.kind) == ("e2", Kept.LOG)


def test_too_large_a_piece_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A case is there to be committed: what is too large is told, with what to do."""
    monkeypatch.setattr(evidence, "LARGEST_BYTES", 3)
    with pytest.raises(UsageError, match="has 4 bytes, evidence may have 3; cut out what matters"):
        evidence.attach(Case("c", "t", NOW), tmp_path, evidence.New("a.log", b"abcd"), NOW)


def test_two_commands_never_write_over_each_other(tmp_path: Path) -> None:
    """While one command changes a case, another is told to wait."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(WorkspaceError, match="another clew is writing"), folder.locked(tmp_path):
        pass
    os.close(descriptor)
    with folder.locked(tmp_path):
        pass


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    """A failed write leaves the earlier file, and no half one."""
    (tmp_path / "case.yaml").mkdir()
    with pytest.raises(WorkspaceError, match="cannot be written"):
        folder.put(tmp_path / "case.yaml", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["case.yaml"]
