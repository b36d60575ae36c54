"""The evidence pack: every answer of AWS that a judgement rests on, with hashes that hold."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.audit.cases import ACCOUNT, cases
from tests.report.audit_case import audit as hostile_audit

from clew.audit.frameworks import Control, Framework
from clew.audit.run import run
from clew.report.audit_formats import render

if TYPE_CHECKING:
    from clew.audit.results import Audit

_CONTROLS = (
    Control("1", "Port 22 is not open to the world", ("ec2-security-group-ssh",)),
    Control("2", "Root has MFA", ("iam-root-mfa",)),
    Control("3", "Contact details are current", manual="only its owner knows"),
)


def _audit(*, keep_answers: bool = True) -> Audit:
    case = next(c for c in cases() if c.check == "ec2-security-group-ssh" and c.name == "attached")
    framework = Framework("t", "Test", "1", _CONTROLS)
    now = datetime(2026, 3, 12, tzinfo=UTC)
    return run([case.state], [framework], now=now, keep_answers=keep_answers)


def _files(found: Audit) -> dict[str, bytes]:
    told = render(found, "evidence")
    assert isinstance(told, bytes)
    with zipfile.ZipFile(io.BytesIO(told)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_every_hash_is_that_of_its_file() -> None:
    """SHA256SUMS names every other file, and the manifest the same hashes."""
    files = _files(_audit())
    sums = dict(reversed(line.split("  ")) for line in files.pop("SHA256SUMS").decode().splitlines())
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    manifest = json.loads(files["manifest.json"])
    proofs = [proof for question in manifest["questions"] for proof in question["evidence"]]
    assert proofs
    assert all(sums[proof["file"]] == proof["sha256"] for proof in proofs)


def test_answers_are_those_that_the_check_looked_at() -> None:
    """A question leads to the answers behind it, whole, and to no others."""
    files = _files(_audit())
    manifest = json.loads(files["manifest.json"])
    first = manifest["questions"][0]
    assert first["verdict"] == "fail"
    calls = {proof["call"] for proof in first["evidence"]}
    assert calls == {"ec2:DescribeSecurityGroups", "ec2:DescribeNetworkInterfaces"}
    groups = f"answers/{ACCOUNT}/eu-west-1/ec2-DescribeSecurityGroups.json"
    assert json.loads(files[groups])["body"]["SecurityGroups"][0]["GroupId"] == "sg-1"


def test_questions_without_machine_answer_stand_there_too() -> None:
    """The table has a row for each judgement, and one for each question that only a person can answer."""
    rows = list(csv.DictReader(io.StringIO(_files(_audit())["evidence.csv"].decode())))
    assert {row["control"] for row in rows} == {"1", "2", "3"}
    assert next(row for row in rows if row["control"] == "3")["answer"] == "only its owner knows"


def test_same_audit_gives_the_same_bytes() -> None:
    """Nothing in the pack depends on when or where it was packed."""
    assert render(_audit(), "evidence") == render(_audit(), "evidence")


def test_answers_are_kept_only_when_they_are_wanted() -> None:
    """An audit for other reports carries no answers of AWS along."""
    assert not any(judged.answers for judged in _audit(keep_answers=False).judged)
    assert any(judged.answers for judged in _audit().judged)


def test_hostile_names_are_no_formula() -> None:
    """A name of the account runs nothing in a spreadsheet, and leads to no path outside the pack."""
    files = _files(hostile_audit())
    cells = [cell for row in csv.reader(io.StringIO(files["evidence.csv"].decode())) for cell in row]
    assert not any(cell.startswith(("=", "+", "@", "-")) for cell in cells)
    assert not any(".." in name or name.startswith("/") for name in files)
