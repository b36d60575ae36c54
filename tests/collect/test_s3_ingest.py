"""From a bucket into the lake by `clew ingest s3://…`: each event once, what cannot be read named, the rest kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from clew.cli.main import app, main
from clew.lake.maintenance.quarantine import entries
from clew.lake.maintenance.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Bucket

KEY = "AWSLogs/111111111111/CloudTrail/us-east-1/2023/07/{day:02d}/111111111111_us-east-1_{day}.json"
DIGEST = "AWSLogs/111111111111/CloudTrail-Digest/us-east-1/2023/07/10/d.json.gz"


def file_of(day: int) -> bytes:
    """A log file with two events of that day."""
    records = [
        {
            "eventVersion": "1.08",
            "eventTime": f"2023-07-{day:02d}T12:00:0{number}Z",
            "eventSource": "iam.amazonaws.com",
            "eventName": "ListUsers",
            "awsRegion": "us-east-1",
            "eventID": f"00000000-0000-4000-8000-{day:06d}{number:06d}",
        }
        for number in range(2)
    ]
    return json.dumps({"Records": records}).encode()


@pytest.fixture
def trail(bucket: Bucket) -> Bucket:
    """Four days of a trail, two events each, and a digest."""
    for day in range(8, 12):
        bucket.put(KEY.format(day=day), file_of(day))
    bucket.put(DIGEST, b"{}")
    return bucket


def ingest(workspace: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    """The JSON outcome of `clew ingest …`."""
    command = ["--workspace", str(workspace), "ingest", *arguments, "--output", "json"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == code, (result.output, result.exception)
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.mark.usefixtures("trail")
def test_a_bucket_is_ingested_once(tmp_path: Path) -> None:
    """Every event of the prefix is stored; the second run fetches nothing and reports the same events."""
    first = ingest(tmp_path / "w", "s3://trail-logs/AWSLogs/")
    assert (first["events"], first["stored"], first["quarantined"], first["digest_files"]) == (8, 8, 0, 1)
    again = ingest(tmp_path / "w", "s3://trail-logs/AWSLogs/")
    assert (again["events"], again["stored"], again["known_files"], again["digest_files"]) == (8, 0, 4, 1)
    assert verify(tmp_path / "w" / "lake").discrepancies == ()
    assert list((tmp_path / "w" / "scratch").iterdir()) == []


@pytest.mark.usefixtures("trail")
def test_bucket_and_folder_are_one_evidence(tmp_path: Path) -> None:
    """A file that lies in the bucket and in a folder is stored once."""
    (tmp_path / "copy.json").write_bytes(file_of(9))
    found = ingest(tmp_path / "w", str(tmp_path / "copy.json"), "s3://trail-logs/AWSLogs/")
    assert (found["events"], found["stored"]) == (8, 8)


@pytest.mark.usefixtures("trail")
def test_days_can_be_chosen(tmp_path: Path) -> None:
    """With --since and --until only those days, and one for late delivery, are fetched."""
    found = ingest(
        tmp_path / "w", "s3://trail-logs/", "--since", "2023-07-09", "--until", "2023-07-09T23:59Z"
    )
    assert (found["files"], found["events"]) == (2, 4)


def test_an_unreadable_object_is_quarantined(
    trail: Bucket, tmp_path: Path, refuse: Callable[..., None]
) -> None:
    """One denied and one archived object: exit 3, both listed with AWS's code; everything else is stored."""
    refuse("get_object", "AccessDenied", key=KEY.format(day=9))
    trail.put("AWSLogs/111111111111/CloudTrail/us-east-1/2023/07/12/cold.json", b"{}", storage="GLACIER")
    found = ingest(tmp_path / "w", "s3://trail-logs/", code=3)
    assert (found["stored"], found["quarantined"]) == (6, 2)
    listed = {entry.path: entry.detail for entry in entries(tmp_path / "w" / "lake")}
    assert "AccessDenied" in listed[f"s3://trail-logs/{KEY.format(day=9)}"]
    assert "`s3:GetObject`" in listed[f"s3://trail-logs/{KEY.format(day=9)}"]
    assert any("InvalidObjectState" in detail for detail in listed.values())


@pytest.mark.usefixtures("bucket")
def test_a_wrong_bucket_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bucket that does not exist is exit 2 and one line, whatever else was named."""
    monkeypatch.setattr("sys.argv", ["clew", "-w", str(tmp_path / "w"), "ingest", "s3://no-such/x"])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert capsys.readouterr().err == (
        "clew: `s3://no-such/x`: NoSuchBucket: no bucket is named `no-such`; check the spelling\n"
    )
