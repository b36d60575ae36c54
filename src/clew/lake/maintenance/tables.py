"""The Iceberg tables that exist, without making the missing ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.exceptions import NoSuchTableError

from clew.lake.schema import NAMESPACE

if TYPE_CHECKING:
    from pyiceberg.table import Table as IcebergTable

    from clew.lake.store import Store


def existing(store: Store, name: str) -> IcebergTable | None:
    """The table as it is now, None when nothing was ever written to it."""
    try:
        return store.catalog.load_table((NAMESPACE, name))
    except NoSuchTableError:
        return None
