"""What a user would pick instead of `clew ingest`, and the floor below which nothing goes.

Usage: python benchmarks/rivals.py read_json|chdb|parse|write SOURCE OUT [PROCESSES]

`read_json` is DuckDB's own reader over the raw files with an explicit schema, `chdb` ClickHouse's; `parse` gunzips
(ISA-L) and parses (simdjson) only; `write` writes a lake's columns to Parquet again, from memory. The floor is `parse`
plus `write`.
"""

from __future__ import annotations

import sys
import time
from multiprocessing import get_context
from pathlib import Path

RECORD = """STRUCT(eventVersion VARCHAR, userIdentity STRUCT("type" VARCHAR, principalId VARCHAR, arn VARCHAR,
accountId VARCHAR, accessKeyId VARCHAR, userName VARCHAR, invokedBy VARCHAR, sessionContext STRUCT(sessionIssuer
STRUCT("type" VARCHAR, principalId VARCHAR, arn VARCHAR, accountId VARCHAR, userName VARCHAR), attributes
STRUCT(creationDate VARCHAR, mfaAuthenticated VARCHAR))), eventTime TIMESTAMP, eventSource VARCHAR, eventName VARCHAR,
awsRegion VARCHAR, sourceIPAddress VARCHAR, userAgent VARCHAR, errorCode VARCHAR, errorMessage VARCHAR,
requestParameters JSON, responseElements JSON, additionalEventData JSON, requestID VARCHAR, eventID VARCHAR,
readOnly BOOLEAN, resources JSON, eventType VARCHAR, managementEvent BOOLEAN, recipientAccountId VARCHAR,
eventCategory VARCHAR, sharedEventID VARCHAR, vpcEndpointId VARCHAR, serviceEventDetails JSON, tlsDetails JSON)[]"""


def read_json(source: str, out: str, _processes: int) -> None:
    """DuckDB reads the raw files as they are and writes Parquet."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 2; SET preserve_insertion_order = false")
    connection.execute(
        f"COPY (SELECT unnest(r) FROM (SELECT unnest(Records) AS r FROM read_json('{source}/**/*.json.gz', "
        f"columns = {{Records: '{RECORD}'}}, maximum_object_size = 67108864))) "
        f"TO '{out}' (FORMAT parquet, COMPRESSION zstd)"
    )


def chdb(source: str, out: str, _processes: int) -> None:
    """ClickHouse, in the process, reads the raw files and writes Parquet."""
    import chdb as engine

    engine.query(
        "SELECT arrayJoin(JSONExtractArrayRaw(json, 'Records')) AS record, "
        "JSONExtractString(record, 'eventID') AS eventid, JSONExtractString(record, 'eventName') AS eventname, "
        "JSONExtractString(record, 'eventSource') AS eventsource, JSONExtractString(record, 'eventTime') AS eventtime, "
        "JSONExtractString(record, 'userIdentity', 'arn') AS arn "
        f"FROM file('{source}/**/*.json.gz', 'JSONAsString') INTO OUTFILE '{out}' FORMAT Parquet "
        "SETTINGS output_format_parquet_compression_method = 'zstd'"
    )


def parse(source: str, _out: str, processes: int) -> None:
    """Gunzip and parse every file; nothing is extracted."""
    files = [str(path) for path in sorted(Path(source).rglob("*.json.gz"))]
    parts = [files[index::processes] for index in range(processes)]
    with get_context("fork").Pool(processes) as pool:
        pool.map(_parse_files, parts)


def _parse_files(files: list[str]) -> None:
    import simdjson
    from isal import igzip

    parser = simdjson.Parser()
    for file in files:
        document = parser.parse(igzip.decompress(Path(file).read_bytes()))  # type: ignore[no-untyped-call]  # isal has no types
        del document


def write(source: str, out: str, _processes: int) -> None:
    """Write the columns of a lake's CloudTrail table to Parquet again; prints the CPU seconds of the write alone."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 2; SET preserve_insertion_order = false")
    connection.execute(
        f"CREATE TABLE held AS SELECT * FROM read_parquet('{source}/**/*.parquet', union_by_name = true)"
    )
    start = time.process_time()
    connection.execute(f"COPY held TO '{out}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)")
    print(f"{time.process_time() - start:.3f}")


if __name__ == "__main__":
    {"read_json": read_json, "chdb": chdb, "parse": parse, "write": write}[sys.argv[1]](
        sys.argv[2], sys.argv[3], int(sys.argv[4]) if len(sys.argv) > 4 else 2
    )
