"""Which files are read, which are left alone, and the other kinds of logs."""

from __future__ import annotations

import gzip
import io
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clew.errors import InputError
from clew.events import vpc_flow
from clew.lake.ingest import InputFile, Progress, ingest, report_on
from clew.lake.ingest.inputs import discover

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Scene

_ACCESS = (
    "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be bucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3 "
    "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be 3E57427F3EXAMPLE REST.GET.VERSIONING - "
    '"GET /bucket?versioning HTTP/1.1" 200 - 113 - 7 - "-" "S3Console/0.4" - hostid= SigV4 ECDHE-RSA-AES128-GCM-SHA256 '
    "AuthHeader bucket.s3.us-west-1.amazonaws.com TLSV1.2 - -"
)
_FLOW = "2 123456789010 eni-1235b8ca 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK"


def test_folders_are_read_in_any_layout_and_the_rest_is_named(scene: Scene, event: Callable[..., Any]):
    """Nested folders are read; licences, readmes and names that begin with `_` or `.` are ignored and listed."""
    deep = "AWSLogs/o-1/111122223333/CloudTrail/us-east-1/2024/05/01/1_CloudTrail_us-east-1_20240501T0005Z_x.json.gz"
    scene.write(deep, [event(1)])
    scene.write("other-bucket/a.jsonl", [event(2)])
    for name in ("LICENSE", "README.md", ".DS_Store", "_truth.jsonl", "_temporary/x.json"):
        scene.write(name, b"not a log")
    report = scene.ingest()
    assert (report.files, report.events, report.quarantined) == (2, 2, 0)
    assert [Path(p).name for p in report.ignored] == [
        ".DS_Store",
        "LICENSE",
        "README.md",
        "_temporary",
        "_truth.jsonl",
    ]


def test_globs_files_and_doubles(scene: Scene, event: Callable[..., Any]):
    """A glob stands for its matches; a file named twice is read once; a file named itself is read whatever its name."""
    scene.write("a.json", [event(1)])
    odd = scene.write("_odd", [event(2)])
    found = discover([str(scene.logs / "*.json"), scene.logs / "a.json", odd])
    assert [Path(f.name).name for f in found.files] == ["_odd", "a.json"]


def test_a_path_that_does_not_exist_is_an_error(scene: Scene):
    """A wrong path, or a glob without a match, is named."""
    for path in (scene.logs / "nothing", scene.logs / "*.json"):
        with pytest.raises(InputError, match="does not exist"):
            discover([path])


def test_a_folder_below_that_cannot_be_read_is_named_and_stops_nothing(
    scene: Scene, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    """What no one may look into is refused by its name, and the rest is read; a folder named itself is an error."""
    scene.write("a.json", [event(1)])
    scene.write("closed/b.json", [event(2)])
    scan = os.scandir

    def refuse(path: str) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = discover([scene.logs])
    assert [Path(f.name).name for f in found.files] == ["a.json"]
    assert [(Path(m.name).name, m.detail) for m in found.missing] == [("closed", "Permission denied")]
    with pytest.raises(InputError, match="Permission denied"):
        discover([scene.logs / "closed"])


def test_files_are_read_in_the_order_of_their_times(scene: Scene):
    """The moment in the name orders files across accounts and regions."""
    for name in (
        "z/1_CloudTrail_us-east-1_20240501T0005Z_a.json",
        "a/2_CloudTrail_eu-west-1_20240502T0005Z_b.json",
        "b.json",
    ):
        scene.write(name, b"")
    assert [Path(f.name).name[0] for f in discover([scene.logs]).files] == ["b", "1", "2"]


def test_digests_are_neither_events_nor_refused(scene: Scene, event: Callable[..., Any]):
    """Digest files lie beside logs; they are counted, and nothing is quarantined."""
    scene.write("CloudTrail/a.json.gz", [event(1)])
    scene.write(
        "CloudTrail-Digest/1_CloudTrail-Digest_us-east-1_t_us-east-1_20240501T000500Z.json.gz", b'{"x":1}'
    )
    report = scene.ingest()
    assert (report.events, report.digest_files, report.quarantined) == (1, 1, 0)


def test_server_access_logs(scene: Scene):
    """Server access logs become typed rows, known by file and place; a second identical line is a second request."""
    scene.write("2019-02-06-00-00-38-0123456789ABCDEF", f"{_ACCESS}\n{_ACCESS}\nbroken line\n".encode())
    first, second = scene.ingest(), scene.ingest()
    assert [(r.events, r.quarantined_records) for r in (first, second)] == [(2, 1)] * 2
    rows = scene.sql(
        """SELECT epoch(eventtime)::BIGINT, operation, key, httpstatus, bytessent, objectsize, rawline,
            record_id = 'sha256:' || source || ':' || record_number FROM raw_s3_access"""
    )
    assert rows == [(1549411238, "REST.GET.VERSIONING", "-", "200", 113, None, _ACCESS, True)] * 2


def test_flow_logs_as_text_and_as_parquet(scene: Scene):
    """The same flow records as text with a header and as Parquet give the same columns."""
    header = " ".join(vpc_flow.DEFAULT_FIELDS)
    scene.write("a.log.gz", f"{header}\n{_FLOW}\n".encode())
    names = header.replace("-", "_").split()
    values = [
        int(v) if v.isdecimal() and n != "account_id" else v
        for n, v in zip(names, _FLOW.split(), strict=True)
    ]
    buffer = io.BytesIO()
    pq.write_table(
        pa.table({n: [v] for n, v in zip(names, values, strict=True)} | {"new_field": ["x"]}), buffer
    )
    scene.write("b.parquet", buffer.getvalue())
    assert scene.ingest().events == 2
    rows = scene.sql(
        """SELECT account_id, srcaddr, dstport, start_time, end_time, action, epoch(eventtime)::BIGINT, extra
        FROM raw_vpc_flow ORDER BY extra NULLS FIRST"""
    )
    same = ("123456789010", "172.31.16.139", 22, 1418530010, 1418530070, "ACCEPT", 1418530010)
    assert rows == [(*same, None), (*same, '{"new_field": "x"}')]


@pytest.mark.parametrize("unit", ["ms", "ns", None])
def test_server_access_logs_as_parquet(scene: Scene, unit: str | None):
    """The structured form of the server access log is read from Parquet too, whatever its times are kept in."""
    moment = datetime(2024, 5, 1, 10, tzinfo=UTC)
    when = (
        pa.array([moment], pa.timestamp(unit, tz="UTC")) if unit else pa.array(["2024-05-01T10:00:00.000Z"])
    )
    columns = {
        "schema_version_id": ["V_1_0"],
        "bucket_name": ["bucket"],
        "request_time": when,
        "remote_ip": ["192.0.2.3"],
        "requester": ["arn:aws:sts::111122223333:assumed-role/r/s"],
        "request_id": ["R1"],
        "operation": ["REST.GET.OBJECT"],
        "key_name": ["a/b"],
        "http_status": pa.array([200], pa.int32()),
        "bytes_sent": pa.array([5], pa.int64()),
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    scene.write("a.parquet", buffer.getvalue())
    assert scene.ingest().quarantined == 0
    rows = scene.sql(
        "SELECT bucket_name, key, httpstatus, bytessent, epoch(eventtime)::BIGINT FROM raw_s3_access"
    )
    assert rows == [("bucket", "a/b", "200", 5, int(moment.timestamp()))]


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"PAR1 and then nothing", "truncated"), (None, "unknown_format")],
    ids=["damaged", "foreign"],
)
def test_other_parquet_is_refused(scene: Scene, data: bytes | None, reason: str):
    """Damaged Parquet and Parquet of something else are named."""
    if data is None:
        buffer = io.BytesIO()
        pq.write_table(pa.table({"a": [1], "b": [2]}), buffer)
        data = buffer.getvalue()
    scene.write("x.parquet", data)
    assert scene.ingest().reasons == {reason: 1}


def test_another_name_for_a_local_file(scene: Scene, event: Callable[..., Any], tmp_path: Path):
    """A fetched object is reported, and known, by its URI; the report on several ingests adds up."""
    uri = "s3://bucket/AWSLogs/a.json.gz"
    local = tmp_path / "0001"
    local.write_bytes(gzip.compress(scene.write("x.json", [event(1), event(2)]).read_bytes()))
    one = scene.ingest(InputFile(str(local), uri, local.stat().st_size, 0))
    two = scene.ingest(scene.write("y.json", [event(2), event(3)]))
    assert (one.events, two.events) == (2, 2)
    assert scene.sql("SELECT path FROM raw_sources WHERE path LIKE 's3:%'") == [(uri,)]
    assert report_on(scene.lake, [uri, str(scene.logs / "y.json")]).events == 3


def test_progress_tells_files_bytes_and_events(scene: Scene, event: Callable[..., Any]):
    """Progress ends with every file, every byte and every event."""
    sizes = [scene.write(f"{n}.json", [event(n)]).stat().st_size for n in range(3)]
    told: list[Progress] = []
    ingest(scene.lake, [scene.logs], now=datetime(2024, 6, 1, tzinfo=UTC), workers=1, progress=told.append)
    assert told[-1] == Progress(3, 3, sum(sizes), sum(sizes), 3)
