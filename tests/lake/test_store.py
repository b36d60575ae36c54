"""The catalogue, the light manifest and what other Iceberg readers see."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyiceberg.table as iceberg_table
import pytest

from clew.errors import WorkspaceError
from clew.lake import manifest, schema
from clew.lake.ingest import ingest
from clew.lake.reader import open_lake
from clew.lake.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Scene


NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def filled(scene: Scene, event: Callable[..., Any]) -> Scene:
    """A lake with two commits, three days, a conflict and a refusal."""
    scene.ingest(scene.write("a.json", [event(n) for n in range(9)]))
    scene.ingest(scene.write("b.json", [event(1, userAgent="forged"), event(20, eventTime="soon")]))
    return scene


def test_the_manifest_is_what_the_catalogue_says(filled: Scene):
    """The manifest written after a commit equals the one derived from Iceberg's metadata."""
    held = manifest.read(filled.lake)
    assert held is not None
    assert manifest.is_current(filled.lake, held)
    derived = Store(filled.lake).derive_manifest()
    assert derived.pointers == held.pointers
    assert derived.conflicts == held.conflicts != ()
    for table in schema.TABLES:
        assert set(derived.files.get(table, ())) == set(held.files.get(table, ()))


@pytest.mark.parametrize("name", ["a?b", "a#b", "a%20b", "ä [b]*", "a'b\"{c}\n"])
def test_a_lake_may_lie_anywhere(filled: Scene, tmp_path: Path, name: str):
    """Signs that mean something in a URI, a glob or SQL are signs of a path like any other."""
    workspace = tmp_path / name / "workspace"
    ingest(workspace / "lake", [filled.logs / "a.json"], now=NOW, workers=1)
    assert Store(workspace / "lake").table("cloudtrail").scan().to_arrow().num_rows == 9
    assert manifest.is_current(workspace / "lake", manifest.read(workspace / "lake"))
    assert {p.name for p in (tmp_path / name).iterdir()} == {"workspace"}


def test_a_commit_reckons_the_metadata_a_few_times(
    scene: Scene, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    """PyIceberg copies every snapshot with it, so that fifteen times would make each commit dearer than the last."""
    scene.ingest(scene.write("a.json", [event(1)]))
    reckoned = iceberg_table.update_table_metadata
    counted: list[int] = []
    monkeypatch.setattr(
        iceberg_table, "update_table_metadata", lambda *a, **k: counted.append(len(a[1])) or reckoned(*a, **k)
    )
    scene.ingest(scene.write("b.json", [event(2)]))
    assert 2 <= len(counted) <= 6
    assert scene.sql("SELECT count(*) FROM raw_cloudtrail") == [(2,)]


@pytest.mark.parametrize("damage", ["missing", "not JSON", "older", "other version"])
def test_a_manifest_that_is_not_current_is_derived_again(filled: Scene, damage: str):
    """A kill between commit and manifest, or damage to the manifest, changes no answer."""
    path = filled.lake / manifest.FILE_NAME
    document = json.loads(path.read_text())
    if damage == "missing":
        path.unlink()
    elif damage == "not JSON":
        path.write_text("{")
    elif damage == "older":
        document["pointers"]["cloudtrail"] = "before"
        document["files"]["cloudtrail"] = []
        path.write_text(json.dumps(document))
    else:
        path.write_text(json.dumps(document | {"version": 0}))
    assert filled.sql("SELECT count(*), count(*) FILTER (conflict) FROM raw_cloudtrail") == [(10, 2)]


def test_other_iceberg_readers_see_the_same_rows(filled: Scene):
    """PyIceberg reads every column of every table, nested ones by field id."""
    store = Store(filled.lake)
    rows = store.table("cloudtrail").scan().to_arrow()
    assert rows.num_rows == 10
    assert {row["arn"] for row in rows["useridentity"].to_pylist()} >= {"arn:aws:iam::111122223333:user/u1"}
    assert rows["resources"].to_pylist()[0][0]["type"] == "AWS::S3::Bucket"
    for table in ("sources", "quarantine", "occurrences"):
        assert store.table(table).scan().to_arrow().num_rows > 0


def test_iceberg_prunes_by_time(filled: Scene):
    """The day partition and the bounds of the event time let Iceberg skip files."""
    table = Store(filled.lake).table("cloudtrail")
    tasks = list(table.scan(row_filter="eventtime >= '2024-05-12T00:00:00+00:00'").plan_files())
    assert len(tasks) == 1 < len(open_lake(filled.lake).files("cloudtrail"))


def test_files_that_no_commit_names_are_orphans_and_change_nothing(filled: Scene):
    """A Parquet file left by a killed run is no part of the lake, and is listed."""
    data = open_lake(filled.lake).files("cloudtrail")[0]
    left = filled.lake / "cloudtrail" / "data" / "left.parquet"
    left.write_bytes(Path(data.path).read_bytes())
    assert filled.sql("SELECT count(*) FROM raw_cloudtrail") == [(10,)]
    assert Store(filled.lake).orphans() == (left,)


def test_a_failed_commit_leaves_the_lake_as_it_was(
    filled: Scene, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    """When the commit fails after the files are written, the lake is as before, and the next run completes it."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no commit")

    path = filled.write("c.json", [event(n) for n in range(30, 35)])
    with monkeypatch.context() as patch:
        patch.setattr(Store, "append", fail)
        with pytest.raises(RuntimeError):
            filled.ingest(path)
    assert filled.sql("SELECT count(*) FROM raw_cloudtrail") == [(10,)]
    assert filled.ingest(path).stored == 5


@pytest.mark.parametrize("lost", ["occurrences", "quarantine", "sources"])
def test_a_kill_between_the_commits_is_mended_by_the_next_run(
    scene: Scene, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, lost: str
):
    """Records without their ledger are recognised when the files are read again; every count comes out right."""
    scene.ingest(scene.write("a.json", [event(n) for n in range(4)]))
    path = scene.write(
        "b.json", [event(3), event(2, userAgent="forged"), event(9), event(8, eventTime="soon")]
    )
    append = Store.append

    def killed(store: Store, name: str, *rest: Any) -> object:
        if name == lost:
            raise KeyboardInterrupt
        return append(store, name, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            scene.ingest(path)
    report = scene.ingest(path)
    assert (report.events, report.duplicates, report.conflicts, report.quarantined_records) == (3, 1, 1, 1)
    assert scene.ingest().events == 6
    assert scene.sql("SELECT count(*), count(*) FILTER (conflict) FROM raw_cloudtrail") == [(6, 2)]


def test_a_lake_of_other_columns_is_refused(filled: Scene, monkeypatch: pytest.MonkeyPatch):
    """A table that was made with other columns is named, not written into."""
    other = schema.Table("sources", schema.SOURCES.columns[:3])
    monkeypatch.setitem(schema.TABLES, "sources", other)
    with pytest.raises(WorkspaceError, match="another version of Clew"):
        Store(filled.lake).table("sources")


def test_opening_a_lake_loads_no_catalogue(filled: Scene):
    """A question loads neither PyIceberg nor SQLAlchemy."""
    code = (
        "import sys; from pathlib import Path; from clew.lake.reader import open_lake;"
        f"open_lake(Path({str(filled.lake)!r})).connect();"
        "print([m for m in ('pyiceberg', 'sqlalchemy', 'pyarrow') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_raw_tables_are_typed_when_empty(filled: Scene):
    """A table without files can be asked, and has its columns."""
    assert filled.sql("SELECT count(*), count(key), count(bytessent) FROM raw_s3_access") == [(0, 0, 0)]
