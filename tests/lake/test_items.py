"""Configuration items in the lake: each once, beside the events, joined with them in SQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clew.errors import WorkspaceError
from clew.lake.append import Appended, append
from clew.lake.ingest import ingest
from clew.lake.items import add, rows
from clew.lake.maintenance.verify import verify
from clew.lake.reader import open_lake
from clew.lake.schema import CLOUDTRAIL, CONFIG_ITEMS
from clew.lake.sql.run import open_query

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 10, 10, tzinfo=UTC)


def item(name: str, hour: int = 0) -> dict[str, object]:
    when = START + timedelta(hours=hour)
    return dict.fromkeys((column.name for column in CONFIG_ITEMS.columns), "") | {
        "item_id": f"{name} {hour}",
        "capturetime": int(when.timestamp() * 1_000_000),
        "status": "changed",
        "resourcetype": "AWS::S3::Bucket",
        "resourceid": name,
        "arn": f"arn:aws:s3:::{name}",
        "configuration": json.dumps({"name": name}),
        "supplementaryconfiguration": None,
    }


def ask(lake_path: Path, query: str) -> list[tuple[object, ...]]:
    with open_query(open_lake(lake_path), query, now=START) as answer:
        return list(answer.rows)


def test_items_are_kept_once(tmp_path: Path) -> None:
    """An item that the lake holds, or that is given twice, is not added again."""
    path = tmp_path / "lake"
    assert add(path, [item("a"), item("b"), item("a")]) == Appended(2, 1)
    assert add(path, [item("b"), item("b", 1)]) == Appended(1, 1)
    assert add(path, []) == Appended(0, 0)
    assert [row["resourceid"] for row, _ in rows(open_lake(path))] == ["a", "b", "b"]


def test_rows_of_one_resource_until_a_moment(tmp_path: Path) -> None:
    """Rows are found by ARN, id or name, up to a moment, in the order of time."""
    path = tmp_path / "lake"
    add(path, [item("b", 1), item("b"), item("a")])
    found = list(rows(open_lake(path), named="arn:aws:s3:::b", until=START))
    assert [(row["item_id"], time) for row, time in found] == [("b 0", START)]


def test_items_are_joined_with_events(tmp_path: Path) -> None:
    """One query asks items and events; both survive the other's ingest."""
    record = {
        "eventTime": "2026-03-10T10:30:00Z",
        "eventID": "e-1",
        "eventName": "PutBucketPolicy",
        "eventSource": "s3.amazonaws.com",
        "requestParameters": {"bucketName": "a"},
    }
    (tmp_path / "trail.json").write_text(json.dumps({"Records": [record]}), encoding="utf-8")
    path = tmp_path / "lake"
    add(path, [item("a")])
    ingest(path, [str(tmp_path / "trail.json")], now=START)
    add(path, [item("a", 1)])
    query = """
        SELECT i.resourceid, i.configurationitemcapturetime, l.eventname FROM config_items i
        JOIN cloudtrail_logs l ON json_extract_scalar(l.requestparameters, '$.bucketName') = i.resourceid
        WHERE i.configurationitemcapturetime > timestamp '2026-03-10 10:15:00'
    """
    assert ask(path, query) == [("a", datetime(2026, 3, 10, 11), "PutBucketPolicy")]  # noqa: DTZ001  # SQL's timestamp
    assert verify(path).discrepancies == ()


def test_tables_with_days_are_left_to_ingest(tmp_path: Path) -> None:
    """Events cannot be added behind the back of ingest."""
    with pytest.raises(WorkspaceError, match="ingest writes it"):
        append(tmp_path / "lake", CLOUDTRAIL, [], key="record_id")
