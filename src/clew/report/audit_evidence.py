"""An audit as an evidence pack: each question with its answer, and what AWS said, byte by byte, with SHA-256.

A zip archive: `README.txt`, `evidence.csv` (one row for each judgement), `manifest.json` (the same for programs, with
the files behind each question), `answers/ACCOUNT/REGION/…json` (each answer of AWS that a check looked at, with the
time at which it was given), and `SHA256SUMS`, which `sha256sum -c` checks. The same audit gives the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew import __version__
from clew.audit.credentials import written
from clew.report.audit_json import judgement
from clew.report.escape import spreadsheet, terminal
from clew.report.finding_json import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from clew.audit.results import Audit, Judged, Result
    from clew.snapshot.answers import Answer

COLUMNS = (
    "framework", "control", "question", "verdict", "account", "resource", "answer", "facts", "as_of", "files",
)  # fmt: skip
# Zip archives know no time before 1980; a fixed one keeps the bytes the same.
_TIME = (1980, 1, 1, 0, 0, 0)
_SUMS = "SHA256SUMS"
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_README = """Evidence pack of an audit

Framework   {framework}
Accounts    {accounts}
State as of {as_of}
Made        {now} by clew {version}

evidence.csv   each question, the verdict, the resource, the answer and the facts behind it
manifest.json  the same for programs, with the files that hold what AWS said
answers/       each answer of AWS that a check looked at: the call, the time, and the body as it was recorded
SHA256SUMS     check with: sha256sum -c SHA256SUMS

Secrets in answers were replaced by [redacted] when they were collected.
An answer with the status `denied` or `failed` proves nothing; what depends on it is `unknown`.
"""


@dataclass(frozen=True, slots=True)
class _File:
    """One file of the pack."""

    name: str
    data: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def render(audit: Audit) -> bytes:
    """The pack as a zip archive."""
    kept = {answer.call: answer for each in audit.judged for answer in each.answers}
    files = {call: _answer(answer) for call, answer in kept.items()}
    names = {id(each): tuple(files[answer.call] for answer in each.answers) for each in audit.judged}
    told = [
        _File("README.txt", _readme(audit).encode()),
        _File("evidence.csv", _csv(audit, names).encode()),
        _File("manifest.json", _manifest(audit, names).encode()),
        *(files[call] for call in sorted(files)),
    ]
    sums = "".join(f"{each.sha256}  {each.name}\n" for each in told)
    return _packed([*told, _File(_SUMS, sums.encode())])


def _packed(files: Iterable[_File]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in files:
            info = zipfile.ZipInfo(each.name, _TIME)
            info.external_attr = 0o600 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, each.data)
    return out.getvalue()


def _readme(audit: Audit) -> str:
    return _README.format(
        framework=terminal(audit.title),
        accounts=terminal(audit.account),
        as_of=written(audit.as_of),
        now=written(audit.now),
        version=__version__,
    )


def _answer(answer: Answer) -> _File:
    """One answer as a file; its name tells the call, and a hash of the parameters keeps calls apart."""
    call = answer.call
    content = {
        "account": call.account,
        "region": call.region,
        "service": call.service,
        "operation": call.operation,
        "parameters": dict(call.parameters),
        "collected_at": answer.collected_at,
        "status": answer.status.value,
        "error_code": answer.error_code,
        "error_message": answer.error_message,
        "body": answer.body,
    }
    parameters = json.dumps(call.parameters).encode()
    mark = f"-{hashlib.sha256(parameters).hexdigest()[:12]}" if call.parameters else ""
    parts = (call.account, call.region, f"{call.service}-{call.operation}{mark}.json")
    name = "/".join(("answers", *(_UNSAFE.sub("_", part) or "_" for part in parts)))
    return _File(name, (json.dumps(content, indent=2, sort_keys=True) + "\n").encode())


def _csv(audit: Audit, files: Mapping[int, tuple[_File, ...]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for result in audit.results:
        for row in _rows(audit, result, files):
            writer.writerow([spreadsheet(terminal(cell)) for cell in row])
    return out.getvalue()


def _rows(audit: Audit, result: Result, files: Mapping[int, tuple[_File, ...]]) -> Iterator[tuple[str, ...]]:
    asked = (result.framework.id, result.control.id, result.control.title)
    as_of = written(audit.as_of)
    if not result.judged:
        yield (*asked, result.verdict.value, audit.account, "", result.control.manual, "", as_of, "")
    for each in result.judged:
        named = " ".join(file.name for file in files[id(each)])
        for one in each.judgements:
            facts = " | ".join(f"{name}={value}" for name, value in one.evidence)
            yield (*asked, one.verdict.value, each.account, one.resource, one.message, facts, as_of, named)


def _manifest(audit: Audit, files: Mapping[int, tuple[_File, ...]]) -> str:
    content = {
        "format": "clew-evidence",
        "version": 1,
        "tool_version": __version__,
        "accounts": list(audit.accounts),
        "as_of": moment(audit.as_of),
        "now": moment(audit.now),
        "snapshot": audit.origin.file if audit.origin else None,
        "questions": [_question(result, files) for result in audit.results],
    }
    return json.dumps(content, indent=2) + "\n"


def _question(result: Result, files: Mapping[int, tuple[_File, ...]]) -> dict[str, object]:
    return {
        "framework": result.framework.id,
        "control": result.control.id,
        "question": result.control.title,
        "verdict": result.verdict.value,
        "manual": result.control.manual,
        "answers": [judgement(each, one) for each in result.judged for one in each.judgements],
        "evidence": [
            _proof(each, file, answer) for each in result.judged for file, answer in _pairs(each, files)
        ],
    }


def _pairs(judged: Judged, files: Mapping[int, tuple[_File, ...]]) -> Iterable[tuple[_File, Answer]]:
    return zip(files[id(judged)], judged.answers, strict=True)


def _proof(judged: Judged, file: _File, answer: Answer) -> dict[str, object]:
    return {
        "check": judged.check.id,
        "file": file.name,
        "sha256": file.sha256,
        "call": str(answer.call),
        "account": answer.call.account,
        "region": answer.call.region,
        "collected_at": answer.collected_at,
        "status": answer.status.value,
    }
