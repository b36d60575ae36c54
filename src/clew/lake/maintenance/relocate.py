"""A lake that was moved or copied is made at home where it lies.

Iceberg's metadata holds absolute paths, so it is written anew: a new catalogue beside the old one, each table with its
current data files in one commit, then one rename. Killed before the rename, nothing has changed; the data files are
never touched. Earlier snapshots are not carried over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import PyArrowFileIO

from clew.errors import WorkspaceError
from clew.lake import lock, manifest
from clew.lake.maintenance.location import moved_from, relative, require_lake
from clew.lake.schema import NAMESPACE, TABLES
from clew.lake.store import Store, catalog_uri

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyiceberg.io.pyarrow import PyArrowFile

    from clew.lake.manifest import DataFile

_HERE = "clew.lake-path"
_NEW_CATALOG = "catalog.relocated.db"


@dataclass(frozen=True, slots=True)
class Relocation:
    """Where the lake came from (None: it lay at home, nothing was done) and what was carried over."""

    origin: Path | None
    tables: int = 0
    files: int = 0


class MovedFileIO(PyArrowFileIO):
    """Reads the files of a moved lake: each path is looked for where the lake lies now."""

    def new_input(self, location: str) -> PyArrowFile:
        """The file that had this path before the move."""
        return super().new_input(f"{self.properties[_HERE]}/{relative(location)}")


class _MovedStore(Store):
    """The lake as its old metadata describes it."""

    @cached_property
    def catalog(self) -> SqlCatalog:
        implementation = f"{MovedFileIO.__module__}.{MovedFileIO.__name__}"
        uri = catalog_uri(self.path / manifest.CATALOG_NAME)
        return SqlCatalog(NAMESPACE, uri=uri, **{"py-io-impl": implementation, _HERE: str(self.path)})


class _NewStore(Store):
    """The lake as its new metadata will describe it."""

    @cached_property
    def catalog(self) -> SqlCatalog:
        uri = catalog_uri(self.path / _NEW_CATALOG)
        catalog = SqlCatalog(NAMESPACE, uri=uri, warehouse=str(self.path))
        catalog.create_namespace_if_not_exists(NAMESPACE)
        return catalog


def relocate(lake_path: Path) -> Relocation:
    """Write the lake's metadata for the place where it lies; WorkspaceError when a data file did not come along."""
    require_lake(lake_path)
    with lock.exclusive(lake_path):
        origin = moved_from(lake_path)
        if origin is None:
            return Relocation(None)
        files = _files(lake_path)
        _require_present(lake_path, files)
        _write_catalog(lake_path, files)
        (lake_path / _NEW_CATALOG).replace(lake_path / manifest.CATALOG_NAME)
        Store(lake_path).derive_manifest()
        return Relocation(origin, len(files), sum(map(len, files.values())))


def _files(lake_path: Path) -> Mapping[str, tuple[DataFile, ...]]:
    """The data files of each table's current snapshot, with the paths that they have now."""
    names = manifest.pointers(lake_path)
    foreign = sorted(names.keys() - TABLES.keys())
    if foreign:
        raise WorkspaceError(
            f"{lake_path}: table `{foreign[0]}` is not one of Clew's; it cannot be relocated"
        )
    moved = _MovedStore(lake_path)
    try:
        return {
            name: tuple(
                replace(file, path=str(lake_path / relative(file.path))) for file in moved.planned(name)
            )
            for name in names
        }
    except FileNotFoundError as error:
        raise WorkspaceError(
            f"{lake_path}: metadata did not come along; copy the whole workspace: {error}"
        ) from error
    finally:
        moved.catalog.engine.dispose()


def _require_present(lake_path: Path, files: Mapping[str, tuple[DataFile, ...]]) -> None:
    paths = [Path(file.path) for of_table in files.values() for file in of_table]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise WorkspaceError(
            f"{lake_path}: {len(missing)} of {len(paths)} data files did not come along, "
            f"`{missing[0]}` is the first; copy the whole workspace"
        )


def _write_catalog(lake_path: Path, files: Mapping[str, tuple[DataFile, ...]]) -> None:
    (lake_path / _NEW_CATALOG).unlink(missing_ok=True)
    store = _NewStore(lake_path)
    for name, of_table in files.items():
        store.table(name)
        if of_table:
            store.append(name, of_table)
    store.catalog.engine.dispose()
