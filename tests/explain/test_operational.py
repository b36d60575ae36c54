"""Operational evidence: what AWS's commands and logs say makes each hypothesis true, refuted or undetermined."""

from __future__ import annotations

import ipaddress
import json
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.audit.cases import ACCOUNT, AS_OF, call_of
from tests.case_files import read_case_file

from clew.audit.model import State
from clew.explain.links import Verdict
from clew.explain.operational import files, ranking
from clew.explain.operational.hypotheses import HYPOTHESES, breaches
from clew.explain.operational.scene import About, Scene
from clew.explain.operational.symptoms import Kind, Symptom, of_error, of_title
from clew.findings import Finding, Severity, Status
from clew.snapshot import load
from clew.snapshot.answers import Answer, Answers
from clew.snapshot.answers import Status as Came

if TYPE_CHECKING:
    from collections.abc import Iterator

_CASES: dict[str, Any] = read_case_file(
    Path(__file__).resolve().parent.parent / "cases" / "case" / "operational.yaml"
)
_ROWS = [pytest.param(row, id=f"{row['hypothesis']}: {row['name']}") for row in _CASES["rows"]]
_WORDS = {Verdict.BROKEN: "true", Verdict.HOLDS: "refuted", Verdict.UNKNOWN: "undetermined"}


def _about(given: dict[str, Any]) -> About:
    told = {**_CASES["about"], **given}
    client = told.pop("from", "")
    since = told.pop("since", "")
    seen = datetime.fromisoformat(since) if since else None
    return About(
        **{**told, "ports": tuple(told["ports"])},
        client=ipaddress.ip_network(client) if client else None,
        since=seen,
        window=seen - timedelta(hours=3) if seen else None,
    )


def _finding(given: dict[str, Any]) -> Finding:
    now = datetime(2026, 3, 10, tzinfo=UTC)
    status = Status(given.get("status", "active"))
    tactics = tuple(given["tactics"])
    return Finding(
        "f1", given["rule"], "t", Severity.HIGH, "a", now, now, "e", tactics=tactics, status=status
    )


def _states(row: dict[str, Any]) -> tuple[tuple[str, State], ...]:
    if "answers" not in row:
        return ()
    held = []
    for call, said in row["answers"].items():
        code = said.get("denied") or said.get("absent") or ""
        came = Came.DENIED if "denied" in said else Came.ABSENT if "absent" in said else Came.OK
        held.append(Answer(call_of(call), "2026-03-10T00:00:00Z", came, None if code else said, code))
    answers = Answers(held)
    return (("e1", State(ACCOUNT, AS_OF, None, answers, load.of_answers("case", answers))),)


def scene(row: dict[str, Any]) -> Scene:
    """The evidence of a row: each file read as it would be when it is attached."""
    read = [
        files.read(
            f"e{number}", name, (said if isinstance(said, str) else json.dumps(said, indent=4)).encode()
        )
        for number, (name, said) in enumerate(row.get("files", {}).items(), start=1)
    ]
    return Scene(
        _about(row.get("about", {})),
        tuple(answer for each in read for answer in each.answers),
        tuple(log for each in read for log in each.logs),
        tuple(("e9", _finding(each)) for each in row.get("findings", ())),
        _states(row),
    )


@pytest.mark.parametrize("row", _ROWS)
def test_evidence_settles_a_hypothesis(row: dict[str, Any]) -> None:
    """Verdict, sentence, fact and fix are those of the case; what is open names what would settle it."""
    link = HYPOTHESES[row["hypothesis"]].tested(scene(row))
    facts = " ".join(f"{name} {value}" for name, value in link.evidence)
    assert _WORDS[link.verdict] == row["expect"], (link.says, facts)
    assert row.get("says", "") in link.says
    assert row.get("fact", "") in facts
    assert row.get("fix", "") in link.fix
    assert row.get("settle", "") in link.settle
    assert bool(link.settle) is (link.verdict is Verdict.UNKNOWN)
    assert bool(link.fix) is (link.verdict is Verdict.BROKEN)
    assert link.verdict is Verdict.UNKNOWN or "seen in" in facts


def test_every_hypothesis_has_a_case_of_each_verdict() -> None:
    """No hypothesis without rows that make it true and leave it open; all that evidence can refute, a row that does."""
    shown = {(row["hypothesis"], row["expect"]) for row in _CASES["rows"]}
    wanted = {(name, word) for name in HYPOTHESES for word in _WORDS.values()}
    # That no rule fires proves nothing; what is open to everybody has a test of its own below.
    assert wanted - shown == {("stolen-credentials", "refuted"), ("open-to-everybody", "refuted")}


def test_data_is_closed_where_every_check_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all that is asked was collected and nothing is open, the hypothesis is refuted; a new snapshot counts."""
    monkeypatch.setattr(breaches, "_OPEN", ("s3-bucket-public-read",))
    open_ = next(row for row in _CASES["rows"] if row.get("fact") == "s3-bucket-public-read")
    closed = State(
        ACCOUNT, AS_OF, None, Answers([Answer(call_of("s3:ListBuckets"), "", Came.OK, {"Buckets": []})])
    )
    found = replace(scene(open_), states=(*_states(open_), ("e2", closed)))
    link = HYPOTHESES["open-to-everybody"].tested(found)
    assert (link.verdict, link.evidence) == (Verdict.HOLDS, (("seen in", "e2"),))


def test_every_row_names_its_page() -> None:
    """Each case says which page of AWS, or of the program that wrote the log, its facts are from."""
    assert [row["name"] for row in _CASES["rows"] if not row.get("page")] == []
    assert all(each.source for each in HYPOTHESES.values())


@pytest.mark.parametrize("row", _CASES["symptoms"], ids=lambda row: row["text"][:40])
def test_an_error_tells_what_is_seen(row: dict[str, Any]) -> None:
    """A timeout, a refusal, a refused key and an error of the server are told apart, with their ports."""
    assert [f"{each.kind}:{each.port}" for each in of_error(row["text"])] == row["kinds"]


@pytest.mark.parametrize("row", _CASES["titles"], ids=lambda row: row["text"])
def test_a_title_tells_what_is_seen(row: dict[str, Any]) -> None:
    """A title in plain words is understood, or nothing is taken from it."""
    assert [each.kind.value for each in of_title(row["text"])] == ([row["kind"]] if row["kind"] else [])


_ODD: tuple[Any, ...] = (None, [], {}, "x", -1, True, 1e300, float("nan"), [None], "9" * 400)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield from _places(each, (*path, name))


def _with(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    made = copy(value)
    made[path[0]] = _with(made[path[0]], path[1:], odd)
    return made


@pytest.mark.parametrize("row", _ROWS)
def test_no_file_makes_a_test_fail(row: dict[str, Any]) -> None:
    """Whatever stands where AWS puts something else, the answer is a verdict, never a crash."""
    for name, said in row.get("files", {}).items():
        for number, path in enumerate(_places(said)):
            odd = _ODD[number % len(_ODD)]
            changed = {**row, "files": {**row["files"], name: _with(said, path, odd)}}
            assert HYPOTHESES[row["hypothesis"]].tested(scene(changed)).verdict in Verdict


def test_timed_out_ranks_the_network_first_and_refused_the_service() -> None:
    """The same evidence ranks otherwise by what is seen: a timeout was lost on the way, a refusal came back."""
    nothing = Scene(About())
    lost = ranking.examine(nothing, [Symptom(Kind.TIMED_OUT, 22)])
    refused = ranking.examine(nothing, [Symptom(Kind.REFUSED, 22)])
    assert [each.hypothesis.id for each in lost][:2] == ["group-closed", "acl-closed"]
    assert [each.hypothesis.id for each in refused][:2] == ["out-of-memory", "ssh-server-down"]
    assert {"group-closed", "acl-closed"} <= {each.hypothesis.id for each in refused[-5:]}


def test_a_recent_change_makes_a_hypothesis_likelier() -> None:
    """A call that may have made it so raises its rank, and is named."""
    seen = [Symptom(Kind.TIMED_OUT, 22)]
    found = ranking.examine(Scene(About()), seen, {"StopInstances": ["ana stopped it"]})
    assert found[0].hypothesis.id == "not-running"
    assert found[0].changed == ("ana stopped it",)


def test_what_no_true_hypothesis_explains_is_said() -> None:
    """A wrong key explains the refused login, not the website that is down."""
    row = {"about": {"key": "old"}, "files": {"i.json": _CASES["shared"][0]}}
    seen = [Symptom(Kind.KEY_REFUSED, 22), Symptom(Kind.TIMED_OUT, 80)]
    assert ranking.unexplained(ranking.examine(scene(row), seen), seen) == (seen[1],)


def test_the_table_names_what_there_is() -> None:
    """Each symptom but a denial has hypotheses, and every name in the table is one."""
    kinds = {kind.value for kind in Kind} - {Kind.DENIED.value}
    assert set(ranking.RANKING) == kinds | {"ports", "changes"}
    named = {name for table in ranking.RANKING.values() for name in table}
    assert named == set(HYPOTHESES)
