"""Commits made without PyIceberg: PyIceberg reads them as its own, and both take turns on one table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.errors import WorkspaceError
from clew.lake import iceberg, manifest
from clew.lake.iceberg import avro, documents
from clew.lake.manifest import DataFile
from clew.lake.schema import CLOUDTRAIL, SOURCES, TABLES
from clew.lake.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

_DAY_US = 86_400_000_000
_TABLES = [CLOUDTRAIL.name, SOURCES.name]


def made_up(lake: Path, name: str, *numbers: int) -> list[DataFile]:
    """Data files of a table, described and not written: a commit does not open them."""
    files = []
    for number in numbers:
        first = (19_000 + number) * _DAY_US
        times = (manifest.iso_day(19_000 + number), first, first + 5)
        day, low, high = times if TABLES[name].partitioned else (None, None, None)
        path = str(lake / name / "data" / f"{number}.parquet")
        files.append(DataFile(path, day, 100 + number, 5_000 + number, low, high))
    return files


def document(lake: Path, name: str) -> dict[str, Any]:
    """The table's metadata as it stands."""
    found: dict[str, Any] = json.loads(Path(manifest.pointers(lake)[name]).read_text())
    return found


def without_chance(value: object, lake: Path) -> object:
    """The value without numbers and names that are drawn, times, and the lake's own place."""
    if isinstance(value, dict):
        drawn = {"table-uuid", "snapshot-id", "parent-snapshot-id", "current-snapshot-id", "manifest-list"}
        drawn |= {"timestamp-ms", "last-updated-ms", "metadata-file", "metadata-log"}
        return {key: without_chance(each, lake) for key, each in value.items() if key not in drawn}
    if isinstance(value, list):
        return [without_chance(each, lake) for each in value]
    return value.replace(str(lake), "lake") if isinstance(value, str) else value


def plain(part: object) -> str:
    """A part of an entry in words; maps are read when they are asked for."""
    return str(dict(part) if isinstance(part, Mapping) else part)


def entries(lake: Path, name: str) -> list[tuple[object, ...]]:
    """What PyIceberg reads in the manifests of the current snapshot, of each entry the whole."""
    table = Store(lake).table(name)
    snapshot = table.current_snapshot()
    assert snapshot is not None
    return sorted(
        (
            *(entry.status, entry.sequence_number, entry.file_sequence_number, entry.snapshot_id == added),
            *(str(without_chance(plain(part), lake)) for part in entry.data_file._data),
        )
        for listed in snapshot.manifests(table.io)
        for added in [listed.added_snapshot_id]
        for entry in listed.fetch_manifest_entry(table.io, discard_deleted=False)
    )


def listed(lake: Path, name: str) -> list[tuple[object, ...]]:
    """What PyIceberg reads of each manifest of the current snapshot, but for its path, length and snapshot."""
    table = Store(lake).table(name)
    snapshot = table.current_snapshot()
    assert snapshot is not None
    return [(*map(str, each._data[2:6]), *map(str, each._data[7:])) for each in snapshot.manifests(table.io)]


def both(tmp_path: Path, name: str, *commits: Sequence[int]) -> tuple[Path, Path]:
    """Two lakes with the same commits: the first made by PyIceberg, the second by us."""
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    for numbers in commits:
        Store(theirs).append(name, made_up(theirs, name, *numbers))
        iceberg.append(ours, name, made_up(ours, name, *numbers))
    return theirs, ours


@pytest.mark.parametrize("name", _TABLES)
def test_a_commit_says_what_pyicebergs_says(tmp_path: Path, name: str):
    """Metadata, manifest list and manifests hold the same values, whoever wrote them."""
    theirs, ours = both(tmp_path, name, [1, 2], [3])
    assert without_chance(document(ours, name), ours) == without_chance(document(theirs, name), theirs)
    assert listed(ours, name) == listed(theirs, name)
    assert entries(ours, name) == entries(theirs, name)
    assert set(Store(ours).planned(name)) == set(made_up(ours, name, 1, 2, 3))


@pytest.mark.parametrize("name", _TABLES)
def test_the_avro_files_have_pyicebergs_schemas(tmp_path: Path, name: str):
    """Manifests and lists carry the schema that PyIceberg writes, letter for letter: so its lists can be taken over."""
    theirs, ours = both(tmp_path, name, [1])
    for pattern in ("*-m0.avro", "snap-*.avro"):
        one, other = (next((lake / name / "metadata").glob(pattern)).read_bytes() for lake in (theirs, ours))
        drawn = {"snapshot-id"}
        assert {key: value for key, value in avro.read(one)[0].items() if key not in drawn} == {
            key: value for key, value in avro.read(other)[0].items() if key not in drawn
        }


def test_pyiceberg_and_we_take_turns(tmp_path: Path):
    """A table keeps every file, whoever made the commits before; the parent of each snapshot is the one before."""
    name = SOURCES.name
    for number in range(1, 7):
        files = made_up(tmp_path, name, number)
        if number % 2:
            iceberg.append(tmp_path, name, files)
        else:
            Store(tmp_path).append(name, files)
    assert set(Store(tmp_path).planned(name)) == set(made_up(tmp_path, name, *range(1, 7)))
    snapshots = document(tmp_path, name)["snapshots"]
    assert [each["sequence-number"] for each in snapshots] == list(range(1, 7))
    assert [each.get("parent-snapshot-id") for each in snapshots[1:]] == [
        each["snapshot-id"] for each in snapshots[:-1]
    ]
    assert snapshots[-1]["summary"]["total-records"] == str(sum(100 + number for number in range(1, 7)))


def test_many_commits_leave_few_files(tmp_path: Path):
    """Metadata older than twenty commits goes, and manifests are merged before there are a hundred."""
    name = SOURCES.name
    for number in range(1, 102):
        iceberg.append(tmp_path, name, made_up(tmp_path, name, number))
    assert len(list((tmp_path / name / "metadata").glob("*.metadata.json"))) == 21
    assert len(listed(tmp_path, name)) < 5
    assert set(Store(tmp_path).planned(name)) == set(made_up(tmp_path, name, *range(1, 102)))


def test_what_we_do_not_know_is_left_to_pyiceberg(tmp_path: Path):
    """A tag, a property, a damaged list: the commit is PyIceberg's, and what it says stays."""
    name = SOURCES.name
    iceberg.append(tmp_path, name, made_up(tmp_path, name, 1))
    table = Store(tmp_path).table(name)
    snapshot = table.current_snapshot()
    assert snapshot is not None
    table.manage_snapshots().create_tag(snapshot.snapshot_id, "audit").commit()
    iceberg.append(tmp_path, name, made_up(tmp_path, name, 2))
    assert document(tmp_path, name)["refs"].keys() == {"main", "audit"}
    assert set(Store(tmp_path).planned(name)) == set(made_up(tmp_path, name, 1, 2))


def test_a_commit_by_another_program_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Who commits between our reading and our writing keeps what he wrote; ours is refused."""
    name = SOURCES.name
    iceberg.append(tmp_path, name, made_up(tmp_path, name, 1))
    drawn = documents.new_snapshot_id

    def meanwhile() -> int:
        monkeypatch.undo()
        iceberg.append(tmp_path, name, made_up(tmp_path, name, 2))
        return drawn()

    monkeypatch.setattr(documents, "new_snapshot_id", meanwhile)
    with pytest.raises(WorkspaceError, match="changed by another program"):
        iceberg.append(tmp_path, name, made_up(tmp_path, name, 3))
    assert set(Store(tmp_path).planned(name)) == set(made_up(tmp_path, name, 1, 2))


@given(
    st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3),
    st.lists(st.tuples(st.integers(1, 9), st.binary(max_size=50)), max_size=3),
)
def test_what_is_written_is_read(metadata: dict[str, str], blocks: list[tuple[int, bytes]]):
    """A container file gives back its metadata and its blocks."""
    given_blocks = tuple(avro.Block(*block) for block in blocks)
    found, read = avro.read(avro.container(metadata, given_blocks))
    assert found == {**metadata, "avro.codec": "deflate"}
    assert read == given_blocks


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_long_is_what_avro_says(value: int):
    """Every long is written so that its zigzag number, seven bits a byte, gives it back."""
    bits = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(avro.long(value)))
    assert (bits >> 1) ^ -(bits & 1) == value


@given(st.binary(max_size=80))
def test_damaged_files_are_named(data: bytes):
    """Whatever is no container file is refused with one error."""
    for damaged in (
        data,
        b"Obj\x01" + data,
        avro.container({"avro.schema": "1"}, [avro.Block(1, data)])[:-9],
    ):
        with pytest.raises(avro.NotAvroError):
            avro.read(damaged)
