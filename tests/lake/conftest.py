"""CloudTrail records and log files for the tests of the lake."""

from __future__ import annotations

import gzip
import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from clew.lake.ingest import IngestReport, ingest
from clew.lake.reader import open_lake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
Event = dict[str, Any]


def make_event(number: int, **changes: object) -> Event:
    """A CloudTrail record as AWS writes it; the same number gives the same record."""
    event: Event = {
        "eventVersion": "1.08",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::111122223333:user/u{number % 5}"},
        "eventTime": f"2024-05-{10 + number % 3:02d}T{number % 24:02d}:00:{number % 60:02d}Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": ("GetObject", "PutObject", "ListBuckets")[number % 3],
        "awsRegion": "us-east-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "[aws-cli/2.15]",
        "requestParameters": {
            "bucketName": f"b{number}",
            "note": 'quote " and },{"eventVersion": in a string',
        },
        "responseElements": None,
        "requestID": f"R{number}",
        "eventID": str(uuid.UUID(int=number * 7919 + 1)),
        "readOnly": number % 2 == 0,
        "resources": [
            {"ARN": f"arn:aws:s3:::b{number}", "accountId": "111122223333", "type": "AWS::S3::Bucket"}
        ],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    }
    event.update(changes)
    return {key: value for key, value in event.items() if value is not ...}


def compact(events: Iterable[Event]) -> bytes:
    """A log file as CloudTrail delivers it."""
    return json.dumps({"Records": list(events)}, separators=(",", ":"), ensure_ascii=False).encode()


class Scene:
    """A folder of log files and a lake beside it."""

    def __init__(self, path: Path) -> None:
        self.logs = path / "logs"
        self.lake = path / "workspace" / "lake"
        self.logs.mkdir()

    def write(self, name: str, data: bytes | Sequence[Event]) -> Path:
        """Write a log file; gzip where the name says so."""
        content = data if isinstance(data, bytes) else compact(data)
        path = self.logs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") and data != b"" else content)
        return path

    def ingest(self, *paths: Path, workers: int = 1) -> IngestReport:
        """Ingest the paths, all logs by default."""
        return ingest(self.lake, paths or (self.logs,), now=NOW, workers=workers)

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query over the raw tables."""
        with open_lake(self.lake).connect() as connection:
            return connection.execute(query).fetchall()

    def texts(self) -> list[str]:
        """The exact texts of all CloudTrail records, sorted."""
        return [row[0] for row in self.sql("SELECT eventjson FROM raw_cloudtrail ORDER BY 1")]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """An empty folder of logs and no lake yet."""
    return Scene(tmp_path)


@pytest.fixture(scope="session")
def new_scene(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Scene]:
    """The maker of further empty scenes, for properties."""
    return lambda: Scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="session")
def event() -> Callable[..., Event]:
    """The maker of records."""
    return make_event


@pytest.fixture
def log_bytes() -> Callable[[Iterable[Event]], bytes]:
    """The writer of compact log files."""
    return compact
