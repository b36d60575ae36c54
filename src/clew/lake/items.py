"""Configuration items at rest: rows of the table `config_items`, beside the events.

What an item is belongs to `clew.snapshot.items`, which makes these rows and reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.events.times import of_epoch
from clew.lake.schema import CONFIG_ITEMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from clew.lake.append import Appended
    from clew.lake.reader import Lake


def add(lake_path: Path, rows: Sequence[Mapping[str, object]]) -> Appended:
    """Add items that the lake does not hold yet, by the hash of what they say."""
    # Reading needs no PyIceberg, which takes a second to import.
    from clew.lake.append import append

    return append(lake_path, CONFIG_ITEMS, rows, key="item_id")


def rows(
    lake: Lake, *, named: str | Sequence[str] = "", until: datetime | None = None
) -> Iterator[tuple[dict[str, object], datetime]]:
    """The rows by time, each with its moment of capture; of the resources whose ARN, id or name is given."""
    names_given = [named] if isinstance(named, str) else list(named)
    conditions = ["true"]
    parameters: list[str | int] = []
    if names_given != [""]:
        conditions.append(
            f"({' OR '.join(['? IN (arn, resourceid, resourcename)'] * len(names_given)) or 'false'})"
        )
        parameters += names_given
    if until is not None:
        conditions.append("capturetime <= make_timestamptz(?)")
        parameters.append(round(until.timestamp() * 1_000_000))
    names = [column.name for column in CONFIG_ITEMS.columns if column.name != "capturetime"]
    connection = lake.connect()
    try:
        found = connection.execute(
            f"SELECT epoch_us(capturetime), {', '.join(names)} FROM raw_config_items "
            f"WHERE {' AND '.join(conditions)} ORDER BY capturetime, item_id",
            parameters,
        ).fetchall()
    finally:
        connection.close()
    for micros, *values in found:
        yield dict(zip(names, values, strict=True)), of_epoch(micros)
