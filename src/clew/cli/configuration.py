"""The answers of `clew config`: items into the lake, states, differences and histories out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from clew.cli import configuration_rows as rows
from clew.cli import context, times
from clew.errors import InputError, UsageError
from clew.snapshot import collected_items, config_files, file, history, load, looks
from clew.snapshot import items as snapshot_items

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from clew.explain.change import Cause
    from clew.lake.append import Appended
    from clew.lake.reader import Lake
    from clew.snapshot.items import Item, Key


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which resources are asked for; empty parts ask for all."""

    named: str = ""
    types: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def fits(self, key: Key) -> bool:
        """Whether a resource of that key is asked for."""
        pairs = ((self.types, key.type), (self.accounts, key.account), (self.regions, key.region))
        return all(not wanted or value in wanted for wanted, value in pairs)


def ingest(given: Sequence[str], *, workspace_snapshots: bool) -> int:
    """Take the files in and say what came of it; the exit code."""
    files = [name for text in given for name in _unfolded(text)]
    if workspace_snapshots:
        files += _collected()
    if not files:
        raise UsageError("nothing to ingest; give files, or `--from-snapshot` for the workspace's snapshots")
    code = context.EXIT_CLEAN
    snapshots: list[file.Recorded] = []
    names: list[str] = []
    for name in files:
        source = load.read(name)
        if file.is_snapshot(source.text.encode()):
            snapshots.append(file.parse(source.text.encode(), name))
            names.append(name)
        elif name in given or config_files.is_config(source):
            _take(name, config_files.items(source))
        else:
            context.note(f"{name}: holds no configuration items; left out")
            code = context.EXIT_PARTIAL
    for name, recorded in sorted(
        zip(names, snapshots, strict=True), key=lambda pair: pair[1].header.collected_at
    ):
        _take_look(name, collected_items.look(recorded.answers, name))
    return code


def _unfolded(text: str) -> Iterator[str]:
    if not Path(text).is_dir():
        yield text
        return
    for path in sorted(Path(text).rglob("*")):
        if path.name.endswith((".json", ".json.gz")):
            yield str(path)


def _collected() -> list[str]:
    folder = context.workspace().snapshots_path
    found = sorted(str(path) for path in folder.glob("*.json.gz")) if folder.is_dir() else []
    if not found:
        raise InputError(f"`{folder}` holds no snapshots; run `clew collect`, or give files")
    return found


def _news(look: collected_items.Look) -> list[Item]:
    """What the snapshot adds to the state that the lake knows of that time."""
    known = history.state_at(_items(_lake_or_none(), until=look.time), look.time)
    return list(history.news(known, look.items, look.scopes, look.time))


def _take_look(name: str, look: collected_items.Look) -> None:
    found = _news(look)
    _take(name, found)
    _add([*looks.recorded(look, name)])


def _add(found: Sequence[Item]) -> Appended:
    from clew.lake.items import add

    return add(context.workspace().create().lake_path, [snapshot_items.row(item) for item in found])


def _take(name: str, found: Sequence[Item]) -> None:
    done = _add(found)
    known = f", {done.known:,} known already" if done.known else ""
    print(f"{context.printable(name)}: {done.added:,} configuration items added{known}")


def _lake() -> Lake:
    from clew.lake.reader import open_lake

    return open_lake(context.workspace().lake_path)


def _lake_or_none() -> Lake | None:
    from clew.lake.manifest import CATALOG_NAME

    return _lake() if (context.workspace().lake_path / CATALOG_NAME).is_file() else None


def _items(lake: Lake | None, named: str = "", until: datetime | None = None) -> list[Item]:
    from clew.lake.items import rows as stored

    if lake is None:
        return []
    found = (snapshot_items.of_row(*each) for each in stored(lake, named=named, until=until))
    return [item for item in found if item.key.type != looks.TYPE]


def _looks(lake: Lake, account: str) -> list[Item]:
    """What each snapshot of the account covered, by time."""
    from clew.lake.items import rows as stored

    found = (snapshot_items.of_row(*each) for each in stored(lake, named=account))
    return [item for item in found if item.key.type == looks.TYPE]


def items_of_lake() -> list[Item]:
    """Every configuration item of the workspace's lake, by time. Errors: `WorkspaceError` where there is no lake."""
    return history.in_order(_items(_lake()))


def _state(lake: Lake, chosen: Chosen, moment: datetime) -> dict[Key, Item]:
    found = history.state_at(_items(lake, chosen.named, moment), moment)
    return {key: item for key, item in found.items() if chosen.fits(key)}


def show_items(chosen: Chosen, at: str | None, output: str) -> None:
    """Print the state of the chosen resources."""
    now = datetime.now(UTC)
    state = _state(_lake(), chosen, times.moment(at, now) if at else now)
    found = sorted(state.values(), key=lambda item: item.key)
    rows.write(rows.items(found, detailed=bool(chosen.named)), output)


def show_differences(chosen: Chosen, since: str, until: str, output: str) -> None:
    """Print what differs between two moments."""
    now = datetime.now(UTC)
    first, last = times.moment(since, now), times.moment(until, now)
    if first >= last:
        raise UsageError("`--from` must lie before `--to`")
    lake = _lake()
    old, new = (_state(lake, chosen, moment) for moment in (first, last))
    rows.write(rows.differences(list(history.differences(old, new))), output)


def show_history(named: str, since: str | None, until: str | None, *, events: bool, output: str) -> None:
    """Print the steps of a resource's history with the event that made each."""
    now = datetime.now(UTC)
    lake = _lake()
    found = _items(lake, named)
    if not found:
        raise InputError(f"no configuration item of `{named[:200]}`; `clew config items` lists what is known")
    first = times.moment(since, now) if since else None
    last = times.end(until, now) if until else None
    explain = _explainer(lake) if events else None
    told = [
        rows.Told(step, explain(step) if explain else None)
        for each in history.by_resource(found).values()
        for step in history.timeline(each)
        if (first is None or step.item.captured_at >= first)
        and (last is None or step.item.captured_at < last)
    ]
    rows.write(rows.history(sorted(told, key=lambda one: one.step.item.captured_at)), output)


def _explainer(lake: Lake) -> Callable[[history.Step], Cause]:
    from clew.explain.change import cause
    from clew.lake.coverage import measure

    coverage = measure(lake, things=False)
    of_account: dict[str, list[Item]] = {}

    def explain(step: history.Step) -> Cause:
        key, last = step.item.key, None
        if key.recorder == snapshot_items.COLLECT:
            if key.account not in of_account:
                of_account[key.account] = _looks(lake, key.account)
            last = looks.last_as_before(step, of_account[key.account])
        return cause(lake, step, coverage, as_before=last)

    return explain
