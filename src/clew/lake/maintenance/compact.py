"""Small files of a day become few: merged in time order, compared row for row, and exchanged in one commit."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyiceberg.expressions import AlwaysTrue

from clew.lake import lock
from clew.lake.maintenance.location import relative, require_in_place, require_lake
from clew.lake.maintenance.merge import merge
from clew.lake.reader import open_lake
from clew.lake.schema import TABLES
from clew.lake.store import Store, iceberg_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from clew.lake.manifest import DataFile
    from clew.lake.reader import Lake
    from clew.lake.schema import Table

# About 150,000 events in a file: few enough files, and small enough to read when one event is wanted.
TARGET_BYTES = 48 << 20
# A commit after this many bytes: a kill loses at most this much work, and this much disk is doubled.
COMMIT_BYTES = 1 << 30
# Tables without days are sorted whole, in memory.
_UNDIVIDED_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Group:
    """Data files of one table and day that become one."""

    table: str
    day: str | None
    files: tuple[DataFile, ...]

    @property
    def size_bytes(self) -> int:
        """The bytes of the files together."""
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class Compaction:
    """What was merged: files and bytes before and after, rows compared, commits made."""

    files_before: int = 0
    files_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    rows: int = 0
    commits: int = 0


@dataclass(frozen=True, slots=True)
class _Merged:
    group: Group
    file: DataFile


def plan(lake: Lake, target_bytes: int = TARGET_BYTES) -> tuple[Group, ...]:
    """The groups of small files that are worth merging, in the order of tables and days."""
    return tuple(
        group
        for table in TABLES.values()
        for day, files in itertools.groupby(sorted(lake.files(table.name), key=_by_day), key=lambda f: f.day)
        for group in _groups(
            table.name,
            day,
            tuple(files),
            target_bytes if table.partitioned else min(target_bytes, _UNDIVIDED_BYTES),
        )
    )


def _by_day(file: DataFile) -> tuple[str, int, str]:
    return file.day or "", file.min_time or 0, file.path


def _groups(table: str, day: str | None, files: Sequence[DataFile], target_bytes: int) -> Iterator[Group]:
    chosen: list[DataFile] = []
    size_bytes = 0
    for file in files:
        if file.size_bytes >= target_bytes:
            continue
        if chosen and size_bytes + file.size_bytes > target_bytes:
            yield from _worthwhile(table, day, chosen)
            chosen, size_bytes = [], 0
        chosen.append(file)
        size_bytes += file.size_bytes
    yield from _worthwhile(table, day, chosen)


def _worthwhile(table: str, day: str | None, files: Sequence[DataFile]) -> Iterator[Group]:
    if len(files) > 1:
        yield Group(table, day, tuple(files))


def compact(
    lake_path: Path,
    *,
    target_bytes: int = TARGET_BYTES,
    commit_bytes: int = COMMIT_BYTES,
    progress: Callable[[Group], None] = lambda _: None,
) -> Compaction:
    """Merge the small files of each day; WorkspaceError, and nothing changed, when a merged file is not its inputs.

    The old files stay on the disk until `expire`: a reader that has opened the lake still reads them.
    """
    require_lake(lake_path)
    with lock.exclusive(lake_path):
        require_in_place(lake_path)
        store = Store(lake_path)
        done = Compaction()
        groups = plan(open_lake(lake_path), target_bytes)
        for table, of_table in itertools.groupby(groups, key=lambda group: group.table):
            for part in _portions(tuple(of_table), commit_bytes):
                done = _add(done, _exchange(store, TABLES[table], part, progress))
        return done


def _portions(groups: Sequence[Group], commit_bytes: int) -> Iterator[tuple[Group, ...]]:
    sizes = itertools.accumulate(group.size_bytes for group in groups)
    pairs = zip(sizes, groups, strict=True)
    for _, portion in itertools.groupby(pairs, key=lambda pair: pair[0] // commit_bytes):
        yield tuple(group for _, group in portion)


def _exchange(
    store: Store, table: Table, groups: Sequence[Group], progress: Callable[[Group], None]
) -> Compaction:
    merged: list[_Merged] = []
    for group in groups:
        merged.append(_Merged(group, merge(store.path, table, group.files)))
        progress(group)
    # INVARIANT: nothing is deleted here, whatever happens: an interrupted commit may have taken place.
    _commit(store, table, merged)
    store.derive_manifest()
    return Compaction(
        files_before=sum(len(group.files) for group in groups),
        files_after=len(merged),
        bytes_before=sum(group.size_bytes for group in groups),
        bytes_after=sum(item.file.size_bytes for item in merged),
        rows=sum(item.file.rows for item in merged),
        commits=1,
    )


def _commit(store: Store, table: Table, merged: Sequence[_Merged]) -> None:
    iceberg = store.table(table.name)
    # As the manifests describe them: PyIceberg cannot delete by path alone.
    current = {relative(task.file.file_path): task.file for task in iceberg.scan().plan_files()}
    with iceberg.transaction() as transaction:
        update = transaction.update_snapshot(snapshot_properties={"clew.operation": "compact"})
        with update.overwrite() as snapshot:
            # PyIceberg prunes manifests by partition in threads that share one visitor, and then misses files that
            # are there. A predicate that holds everywhere reads them all; what is deleted stays as named below.
            snapshot.delete_by_predicate(AlwaysTrue())
            for item in merged:
                for file in item.group.files:
                    snapshot.delete_data_file(current[relative(file.path)])
                snapshot.append_data_file(iceberg_file(table, item.file))


def _add(one: Compaction, other: Compaction) -> Compaction:
    return Compaction(
        one.files_before + other.files_before,
        one.files_after + other.files_after,
        one.bytes_before + other.bytes_before,
        one.bytes_after + other.bytes_after,
        one.rows + other.rows,
        one.commits + other.commits,
    )
