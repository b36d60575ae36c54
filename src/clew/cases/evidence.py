"""Evidence attached to a case: copied into its folder under an id, with the SHA-256 of its bytes; and read again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from clew.audit.state import of_snapshot
from clew.cases import folder as case_folder
from clew.cases.model import Evidence, Kept
from clew.errors import ClewError, InputError, UsageError
from clew.explain.operational import files
from clew.explain.operational.scene import Scene
from clew.reach.predict import Predictor
from clew.snapshot.load import Inputs, load
from clew.store import documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from clew.audit.model import State
    from clew.cases.model import Case
    from clew.findings import Finding

LARGEST_BYTES = 50_000_000
"""The most bytes of one piece: a case is there to be committed."""
_SIDE = {"resource-policies": "resources", "scps": "scps", "rcps": "rcps", "organization": "organization"}


@dataclass(frozen=True, slots=True)
class New:
    """Something to attach: its name, its bytes, what it is about, and what it is where its bytes do not say."""

    name: str
    data: bytes
    of: str = ""
    kind: Kept | None = None
    says: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """All intact evidence of a case as values; `problems` are the pieces that are left out, each with its reason."""

    scene: Scene
    events: tuple[tuple[str, Mapping[str, object]], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    predictor: Predictor | None = None
    policies: tuple[str, ...] = ()
    changes: tuple[tuple[str, Mapping[str, object]], ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""

    def told(self, text: str) -> str:
        """A text that names files of the case, with their names in its folder: it may lie elsewhere tomorrow."""
        return text.replace(f"{self.folder}/", "") if self.folder else text


def attach(case: Case, folder: Path, new: New, at: datetime, *, after: bool = False) -> tuple[Case, Evidence]:
    """The case with one piece more, whose bytes are in the folder; the same bytes twice are one piece.

    Errors: `UsageError` for too many bytes, `InputError` for a snapshot that is damaged.
    """
    if len(new.data) > LARGEST_BYTES:
        most = f"{LARGEST_BYTES:,}"
        raise UsageError(
            f"`{new.name}` has {len(new.data):,} bytes, evidence may have {most}; cut out what matters"
        )
    digest = hashlib.sha256(new.data).hexdigest()
    same = next((each for each in case.evidence if each.sha256 == digest and each.of in {new.of, ""}), None)
    if same and not (after and not same.after):
        return case, same
    number = max((int(each.id[1:]) for each in case.evidence if each.id[1:].isdigit()), default=0) + 1
    identity = f"e{number}"
    kind, says = _kind(identity, new)
    made = Evidence(
        identity,
        kind,
        new.name,
        case_folder.file_name(identity, new.name),
        digest,
        len(new.data),
        at,
        new.says or says,
        new.of,
        after,
    )
    case_folder.put(folder / made.file, new.data)
    return replace(case, evidence=(*case.evidence, made)), made


def _kind(identity: str, new: New) -> tuple[Kept, str]:
    if new.kind is not None:
        return new.kind, new.name
    stem = new.name.rpartition("/")[2].split(".")[0]
    if stem in _SIDE:
        return Kept.POLICIES, stem.replace("-", " ")
    read = files.read(identity, new.name, new.data, new.of)
    if read.answers and read.answers[0].call.operation == "GetAccountAuthorizationDetails":
        return Kept.POLICIES, "users, groups, roles and policies of an account"
    if read.kind == "file":
        return _document(new.data) or (Kept.FILE, read.says)
    return Kept(read.kind), read.says


def _document(data: bytes) -> tuple[Kept, str] | None:
    """What a document of Clew's own is; None for any other."""
    value = json.loads(data)
    if not isinstance(value, dict):
        return None
    told = value.get("explanations")
    if isinstance(told, list) and told and isinstance(told[0], dict):
        cause = told[0].get("cause")
        return Kept.EXPLANATION, str(cause.get("sentence", "")) if isinstance(cause, dict) else ""
    if {"rule", "severity", "first_seen"} <= value.keys():
        try:
            finding = documents.decode(value)
        except (ValueError, KeyError, TypeError):
            return None
        return Kept.FINDING, f"{finding.severity.value}: {finding.title}"
    return None


def held(case: Case, folder: Path, *, after: bool = False) -> Held:
    """The evidence as values; with `after` only what was made after the plan was carried out.

    A piece that is not what was attached is left out, and named.
    """
    problems = dict(case_folder.problems(case, folder))
    chosen = [each for each in case.evidence if each.id not in problems and (each.after or not after)]
    reads: list[tuple[Evidence, files.Read]] = []
    findings: list[tuple[str, Finding]] = []
    texts: list[tuple[str, str]] = []
    for each in chosen:
        data = case_folder.piece(folder, each)
        try:
            if each.kind is Kept.FINDING:
                findings.append((each.id, _finding(data, each)))
                continue
            reads.append((each, files.read(each.id, each.name, data, each.of)))
        except ClewError as error:
            problems[each.id] = str(error)
            continue
        if each.kind in {Kept.LOG, Kept.REFUSAL}:
            texts.append((each.id, data.decode("utf-8", "replace")))
    question, done = case.question, case.implemented_at
    if after and done:
        question = replace(question, since=done, window=done)
    states = tuple((one.id, state) for one, read in reads for state in _states(one, read, problems))
    predictor, used = _predictor(folder, chosen, problems)
    return Held(
        Scene(
            question,
            tuple(answer for _, read in reads for answer in read.answers),
            tuple(log for _, read in reads for log in read.logs),
            _newest(findings),
            states,
        ),
        tuple((one.id, read.event) for one, read in reads if read.event is not None),
        tuple(texts),
        predictor,
        used,
        tuple(_changes(folder, chosen)),
        problems,
        str(folder),
    )


def _newest(findings: list[tuple[str, Finding]]) -> tuple[tuple[str, Finding], ...]:
    """Each finding once, as it stood last."""
    return tuple({finding.id: (source, finding) for source, finding in findings}.values())


def _finding(data: bytes, evidence: Evidence) -> Finding:
    try:
        return documents.decode(json.loads(data))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{evidence.id}: `{evidence.file}` is no finding") from error


def _states(evidence: Evidence, read: files.Read, problems: dict[str, str]) -> Iterator[State]:
    if read.recorded is None:
        return
    try:
        yield from of_snapshot(read.recorded, evidence.name)[0]
    except ClewError as error:
        problems[evidence.id] = str(error)


def _predictor(
    folder: Path, chosen: list[Evidence], problems: dict[str, str]
) -> tuple[Predictor | None, tuple[str, ...]]:
    """The policies of the newest snapshot, or of the account files; and the ids of the evidence that they are from."""
    snapshots = [each for each in chosen if each.kind is Kept.SNAPSHOT]
    kinds: dict[str, list[str]] = {kind: [] for kind in ("accounts", *_SIDE.values())}
    used = []
    for each in snapshots[-1:] or [each for each in chosen if each.kind is Kept.POLICIES]:
        stem = each.name.rpartition("/")[2].split(".")[0]
        kinds[_SIDE.get(stem, "accounts")].append(str(folder / each.file))
        used.append(each.id)
    if not kinds["accounts"]:
        return None, ()
    try:
        return Predictor(load(Inputs(**{name: tuple(paths) for name, paths in kinds.items()}))), tuple(used)
    except ClewError as error:
        problems[used[0]] = str(error)
        return None, ()


def _changes(folder: Path, chosen: list[Evidence]) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Each recorded change with the id of its evidence."""
    for each in chosen:
        if each.kind is Kept.CHANGES:
            for line in case_folder.piece(folder, each).decode("utf-8", "replace").splitlines():
                value = json.loads(line)
                if isinstance(value, dict):
                    yield each.id, value
