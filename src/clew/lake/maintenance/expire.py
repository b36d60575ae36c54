"""Old snapshots are forgotten, then the files that nothing needs any more are removed, under the lock."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from clew.lake import lock
from clew.lake.maintenance.location import require_in_place, require_lake
from clew.lake.maintenance.orphans import Orphan, orphans, referenced
from clew.lake.maintenance.tables import existing
from clew.lake.schema import TABLES
from clew.lake.store import Store

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pyiceberg.table import Table as IcebergTable

OLDER_THAN = timedelta(days=7)
# A file younger than this may belong to a write that another program is about to commit.
GRACE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Expiry:
    """What was (or, in a dry run, would be) forgotten and removed."""

    snapshots: int
    files: tuple[Orphan, ...]
    kept_young: int

    @property
    def size_bytes(self) -> int:
        """The bytes of the removed files together."""
        return sum(file.size_bytes for file in self.files)


def expire(
    lake_path: Path, *, now: datetime, older_than: timedelta = OLDER_THAN, dry_run: bool = False
) -> Expiry:
    """Forget snapshots that were replaced longer ago than `older_than`, and remove files that nothing needs.

    A file is removed when no kept snapshot names it and it is older than an hour (or `older_than`, if that is less).
    A reader that opened the lake before the replacement has until then to finish. A dry run changes nothing, and
    counts files of snapshots that would be forgotten.
    """
    require_lake(lake_path)
    with lock.exclusive(lake_path):
        require_in_place(lake_path)
        store = Store(lake_path)
        expired = {name: _expired(existing(store, name), now - older_than) for name in TABLES}
        if dry_run:
            needed = referenced(store, expired)
        else:
            for name, snapshots in expired.items():
                _forget(existing(store, name), snapshots)
            store.derive_manifest()
            needed = referenced(store)
        found = orphans(lake_path, needed)
        removable = tuple(file for file in found if _is_old(file, now, older_than))
        if not dry_run:
            for file in removable:
                file.path.unlink(missing_ok=True)
        count = sum(len(snapshots) for snapshots in expired.values())
        return Expiry(count, removable, len(found) - len(removable))


def _is_old(file: Orphan, now: datetime, older_than: timedelta) -> bool:
    grace = GRACE if file.is_scratch else min(older_than, GRACE)
    return file.modified <= (now - grace).timestamp()


def _expired(table: IcebergTable | None, before: datetime) -> frozenset[int]:
    """The snapshots that stopped being the current one before that moment."""
    if table is None:
        return frozenset()
    history = sorted(table.metadata.snapshots, key=lambda s: (s.timestamp_ms, s.sequence_number or 0))
    limit = before.timestamp() * 1000
    named = {reference.snapshot_id for reference in table.metadata.refs.values()}
    return frozenset(
        snapshot.snapshot_id
        for snapshot, successor in itertools.pairwise(history)
        if successor.timestamp_ms <= limit and snapshot.snapshot_id not in named
    )


def _forget(table: IcebergTable | None, snapshots: frozenset[int]) -> None:
    if table is not None and snapshots:
        table.maintenance.expire_snapshots().by_ids(sorted(snapshots)).commit()
