"""What `clew case` can attach: files, events and findings of the workspace, changes from the lake, live answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from clew.cases import evidence
from clew.cases.evidence import New
from clew.cases.identify import identified
from clew.cases.model import Kept
from clew.cli import casing, context
from clew.errors import ClewError, InputError, UsageError, WorkspaceError
from clew.events.paths import text_at
from clew.store import documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from clew.cases.model import Case
    from clew.lake.reader import Lake


def of_files(names: Sequence[str], of: str) -> Iterator[New]:
    """Each file, or each file in a folder, as it is."""
    for name in names:
        path = Path(name)
        paths = sorted(each for each in path.iterdir() if each.is_file()) if path.is_dir() else [path]
        if not paths:
            raise InputError(f"`{name}` holds no file")
        for each in paths:
            yield New(each.name, _read(each), of)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}") from error


def lake() -> Lake | None:
    """The workspace's lake; None where there is none."""
    try:
        from clew.lake.reader import open_lake

        return open_lake(context.workspace().lake_path)
    except (WorkspaceError, ModuleNotFoundError):
        return None


def of_events(identities: Sequence[str]) -> Iterator[New]:
    """The exact record of each event. Errors: `InputError` where the lake does not hold it."""
    for identity in identities:
        from clew.lake.history.filters import Filters
        from clew.lake.history.search import originals
        from clew.lake.reader import open_lake

        found = list(
            originals(open_lake(context.workspace().lake_path), Filters(event_ids=(identity,)), limit=1)
        )
        if not found:
            raise InputError(f"no event `{identity[:80]}` is in the lake")
        yield New(f"event-{identity}.json", found[0].encode())


def of_findings(starts: Sequence[str], at: datetime) -> Iterator[New]:
    """Each kept finding whose id begins so, as it stands now."""
    if not starts:
        return
    from clew.store.database import Database
    from clew.store.findings import kept_finding

    with Database(context.workspace().state_path, create=False) as database:
        for start in starts:
            finding = kept_finding(database, start, at)[0].finding
            text = json.dumps(documents.encode(finding), indent=2, ensure_ascii=False)
            says = f"{finding.severity.value}: {finding.title}"
            yield New(f"finding-{finding.id}.json", text.encode(), "", Kept.FINDING, says)


def findings_again(case: Case, folder: Path, at: datetime) -> Iterator[New]:
    """The findings that were attached, as they stand now; none where the workspace does not know them."""
    identities = {
        str(_json(folder / each.file).get("id")): None for each in case.evidence if each.kind is Kept.FINDING
    }
    for identity in identities:
        try:
            yield from of_findings((identity,), at)
        except ClewError as error:
            context.note(f"finding {identity}: {error}")


def _json(path: Path) -> Mapping[str, object]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def attach_all(case: Case, folder: Path, found: Iterator[New], at: datetime, *, after: bool = False) -> Case:
    """The case with all of these; each is said on stderr."""
    for new in found:
        before = len(case.evidence)
        case, made = evidence.attach(case, folder, new, at, after=after)
        what = "attached" if len(case.evidence) > before else "is attached already"
        context.note(f"{made.id} {what}: {made.kind.value}, {made.says} (sha256 {made.sha256[:12]})")
    return identified(case, folder)


def with_changes(case: Case, folder: Path, at: datetime) -> Case:
    """The case with what changed before, from the lake, where it names resources and nothing is attached yet."""
    if any(each.kind is Kept.CHANGES for each in case.evidence):
        return case
    held = lake()
    resources = tuple(dict.fromkeys((*case.about.named, *_of_event(case, folder))))
    if held is None or not resources:
        return case
    from clew.cases import changes

    until = case.since or case.opened_at
    entries = changes.recent(held, resources, until)
    days = changes.BEFORE.days
    what = f"{len(entries)} changes of {', '.join(resources[:3])} in the {days} days before {documents.moment(until)}"
    last = f"; the last: {changes.words(json.loads(changes.written(entries[-1:])))}" if entries else ""
    last += changes.unseen(held, until)
    new = New("changes.jsonl", changes.written(entries), "", Kept.CHANGES, f"{what}{last}")
    return attach_all(case, folder, iter((new,)), at)


def _of_event(case: Case, folder: Path) -> Iterator[str]:
    """The principal and the resources of a refused call that is attached."""
    for each in case.evidence:
        if each.kind is Kept.EVENT:
            event = _json(folder / each.file)
            arn = text_at(event, "userIdentity", "sessionContext", "sessionIssuer", "arn")
            arn = arn or text_at(event, "userIdentity", "arn")
            bucket = text_at(event, "requestParameters", "bucketName")
            yield from filter(None, (arn, bucket))


def live(case: Case, region: str, profile: str, at: datetime) -> Iterator[New]:
    """What AWS says now of the instance and the bucket of the case. Errors: `UsageError` where it names none."""
    if not case.about.instance and not case.about.bucket:
        raise UsageError("the case names nothing to look at; give `--instance ID` or `--bucket NAME`")
    import time

    from clew.collect.asking import Clock
    from clew.collect.clients import start
    from clew.collect.operations import Wanted, read
    from clew.collect.session import Account

    clients, caller = start(Account(profile or None, region or None), connections=4)
    where = region or clients.session.region_name or caller.home_region
    wanted = Wanted(caller.account, where, at, case.since, case.about.instance, case.about.bucket)
    for file in read(clients, Clock(casing.now, time.sleep), wanted):
        yield New(file.name, file.data)


def after_change(case: Case) -> bool:
    """Whether what is attached now is of after the plan was carried out."""
    return case.implemented_at is not None


def told(case: Case, changes: Sequence[str]) -> Case:
    """The case with changes that people tell of."""
    return replace(case, changes=tuple(dict.fromkeys((*case.changes, *changes))))
