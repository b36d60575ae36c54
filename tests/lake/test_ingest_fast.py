"""The fast path: it makes the rows that the slow path makes, or leaves the file to it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clew.events import cloudtrail
from clew.lake.ingest import decode, input_file, slow
from clew.lake.ingest import split as splitting
from clew.lake.ingest.messages import Setting
from clew.lake.ingest.split import split
from clew.lake.reader import relation
from clew.lake.schema import CLOUDTRAIL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from conftest import Scene

_TEXTS = st.one_of(
    st.sampled_from(['},{"eventVersion":', '"', "\\", "\n", "[1]", "{}", "é\U0001f600", "\x7f", "null", ""]),
    st.text(max_size=8),
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
_NESTED = st.just([{"eventVersion": "1"}, {"eventVersion": "2"}])
_CHANGES = st.dictionaries(
    st.sampled_from(
        [
            "userAgent",
            "errorCode",
            "requestParameters",
            "additionalEventData",
            "resources",
            "userIdentity",
            "tlsDetails",
            "eventName",
            "eventID",
            "eventTime",
            "readOnly",
            "awsRegion",
            "somethingNew",
        ]
    ),
    _VALUES | _NESTED,
    max_size=2,
)


def _decoded(folder: Path, data: bytes) -> tuple[list[Any], list[Any]]:
    """The rows and the refusals that decoding a file gives."""
    path = folder / "a.json"
    path.write_bytes(data)
    decoder = decode.Decoder(Setting(str(folder / "lake"), 1_717_243_200_000_000))
    outcomes = (decoder.take([input_file(str(path))]), decoder.flush())
    paths = [staged.file.path for outcome in outcomes for staged in outcome.staged]
    columns = "* EXCLUDE (eventtime), epoch_us(eventtime)"
    with duckdb.connect() as connection:
        query = f"SELECT {columns} FROM ({relation(CLOUDTRAIL, paths)}) ORDER BY record_number"
        rows = connection.execute(query).fetchall()
    return rows, [read.refusals for outcome in outcomes for read in outcome.read]


@settings(max_examples=15)
@given(changes=st.lists(_CHANGES, min_size=1, max_size=4))
def test_fast_and_slow_path_agree(
    tmp_path: Path, event: Callable[..., Any], log_bytes: Callable[..., bytes], changes: list[Any]
):
    """The same file through both paths gives the same rows, columns, identities and refusals."""
    data = log_bytes([event(n, **c) for n, c in enumerate(changes)])
    fast = _decoded(tmp_path, data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decode, "split", lambda *_: None)
        assert _decoded(tmp_path, data) == fast


def test_fast_and_slow_path_agree_on_many_records(
    tmp_path: Path,
    event: Callable[..., Any],
    log_bytes: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
):
    """Texts stay with their records where there are more of both than are handed over, or kept as they are, at once."""
    identities = [
        None,
        *({"type": "IAMUser", "arn": f"arn:aws:iam::111122223333:user/u{n}"} for n in range(150)),
    ]
    changes = [
        {
            "eventTime": f"2024-05-0{1 + n % 3}T10:00:00Z",
            "userIdentity": identities[7 * n % 151],
            "userAgent": f"agent {11 * n % 200}" if n % 5 else None,
        }
        for n in range(600)
    ]
    data = log_bytes([event(n, **change) for n, change in enumerate(changes)])
    fast = _decoded(tmp_path, data)
    assert len(list(tmp_path.rglob("*.parquet"))) == 3
    monkeypatch.setattr(decode, "split", lambda *_: None)
    assert (len(fast[0]), _decoded(tmp_path, data)) == (600, fast)


@pytest.mark.parametrize(
    "time",
    [
        *("2024-05-01T24:00:00Z", "2024-04-31T10:00:00Z", "2023-02-29T10:00:00Z", "2024-02-29T10:00:00Z"),
        *("2016-12-31T23:59:60Z", "2024-05-01T10:60:00Z", "2024-00-01T10:00:00Z", "2024-13-01T10:00:00Z"),
        *("2024-05-01 10:00:00Z", "2024-05-01T 9:00:00Z", "2024-5-1T10:00:00.0Z", "2024-05-01T1O:00:00Z"),
        *("0000-00-00T00:00:00Z", "9999-12-31T23:59:59Z", "2024-05-01T10:00:00+", "20240501T10:00:00.0Z"),
    ],
)
def test_odd_times_are_what_the_slow_path_says(
    time: str,
    tmp_path: Path,
    event: Callable[..., Any],
    log_bytes: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
):
    """A time that is not as AWS spells it, or that cannot be, is read or refused alike on both paths."""
    data = log_bytes([event(0), event(1, eventTime=time), event(2)])
    fast = _decoded(tmp_path, data)
    monkeypatch.setattr(decode, "split", lambda *_: None)
    assert _decoded(tmp_path, data) == fast


def test_what_is_no_json_leaves_the_next_files_alone(
    tmp_path: Path,
    event: Callable[..., Any],
    log_bytes: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
):
    """A decoder that met a broken file reads the next one the fast path."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(log_bytes([event(n) for n in range(200)]))
    bad.write_bytes(
        log_bytes([event(n) for n in range(200, 400)]).replace(b'"eventName":', b'"eventName"', 1)
    )
    taken: list[str] = []
    take = slow.SlowPath.take
    monkeypatch.setattr(
        slow.SlowPath, "take", lambda path, file, *rest: (taken.append(file.path), take(path, file, *rest))
    )
    decoder = decode.Decoder(Setting(str(tmp_path / "lake"), 1_717_243_200_000_000))
    outcomes = [
        answer for path in (bad, good) for answer in (decoder.take([input_file(str(path))]), decoder.flush())
    ]
    read = [read for outcome in outcomes for read in outcome.read]
    assert [(r.records, len(r.refusals)) for r in read] == [(199, 1), (200, 0)]
    assert sum(staged.file.rows for outcome in outcomes for staged in outcome.staged) == 399
    assert taken == [str(bad)]


def _schema(folder: Path, data: bytes) -> list[str]:
    """The columns of the first data file, as Parquet spells them, with field ids."""
    folder.mkdir()
    _decoded(folder, data)
    schema = str(pq.ParquetFile(next(folder.rglob("*.parquet"))).schema)
    return [
        line.split(" (Int")[0].rstrip(";").replace("required", "optional") for line in schema.splitlines()[2:]
    ]


def test_both_paths_write_the_same_layout(
    tmp_path: Path,
    event: Callable[..., Any],
    log_bytes: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
):
    """Names, types and Iceberg field ids of a data file do not depend on who wrote it."""
    fast = _schema(tmp_path / "fast", log_bytes([event(1)]))
    monkeypatch.setattr(decode, "split", lambda *_: None)
    assert _schema(tmp_path / "slow", log_bytes([event(1)])) == fast


def test_a_file_over_midnight_becomes_a_file_for_each_day(
    tmp_path: Path,
    event: Callable[..., Any],
    log_bytes: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
):
    """Records of several days in one log file stand in one data file for each day, none missing."""
    times = [f"2024-05-0{1 + n % 3}T23:59:5{n}Z" for n in range(7)]
    data = log_bytes([event(n, eventTime=time) for n, time in enumerate(times)])
    fast = _decoded(tmp_path, data)
    assert len(list(tmp_path.rglob("*.parquet"))) == 3
    monkeypatch.setattr(decode, "split", lambda *_: None)
    assert (len(fast[0]), _decoded(tmp_path, data)) == (7, fast)


@pytest.mark.parametrize(
    "odd", ["1.123456e-0000000000000000000000000001", '{"a":"-xxx-xxx-xxx-xxxxxxxxxxxxxx"}']
)
def test_an_id_that_only_looks_like_one_goes_the_slow_path(
    tmp_path: Path, event: Callable[..., Any], log_bytes: Callable[..., bytes], odd: str
):
    """A number or an object of the length of an id is none: the record is named by its content."""
    text = log_bytes([event(1, eventID="@")]).replace(b'"@"', odd.encode())
    rows, refusals = _decoded(tmp_path, text)
    names = [c.name for c in CLOUDTRAIL.columns if c.name != "eventtime"]
    assert rows[0][names.index("record_id")].startswith("sha256:")
    assert refusals == [()]


@pytest.mark.parametrize(
    "bad", [b"\xe9", b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"caf\xc3"]
)
@pytest.mark.parametrize("place", ["userAgent", "requestParameters", "a key"])
def test_bytes_of_another_encoding_are_refused_as_the_slow_path_refuses_them(
    tmp_path: Path,
    event: Callable[..., Any],
    log_bytes: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
    bad: bytes,
    place: str,
):
    """DuckDB's parser sees them wherever they stand, and no text of the lake holds them."""
    changed = {"userAgent": "@@@"} if place == "userAgent" else {"requestParameters": {"@@@": ["@@@"]}}
    data = log_bytes([event(1), event(2, **changed), event(3)]).replace(b"@@@", bad, 1)
    fast = _decoded(tmp_path, data)
    monkeypatch.setattr(decode, "split", lambda *_: None)
    assert fast == _decoded(tmp_path, data)
    assert fast[1] != [()]


@given(
    records=st.lists(st.dictionaries(_TEXTS, _VALUES | _NESTED, max_size=3), max_size=5),
    lines=st.booleans(),
    padding=st.sampled_from([0, 200, 300]),
)
def test_a_split_gives_every_record_or_pieces_that_are_not_json(
    records: list[Any], lines: bool, padding: int
):
    """When all pieces parse, they are the file's records in order, byte for byte."""
    pad = {"padding": "-" * padding}
    texts = [
        json.dumps({"eventVersion": "1"} | r | pad, separators=(",", ":"), ensure_ascii=False)
        for r in records
    ]
    text = "\n".join(texts) if lines else '{"Records":[' + ",".join(texts) + "]}"
    pieces = split(text.encode(), "s")
    if pieces is None:
        return
    cut = [pieces.data[s : s + n].decode() for s, n in zip(pieces.starts, pieces.lengths, strict=True)]
    if all(map(_is_json, cut)):
        assert cut == texts


@given(
    key=st.text("Vabe", min_size=1, max_size=40),
    parts=st.lists(st.sampled_from([None, "},", '{"', "},{", "\0", "x", "é", "xyzxyz" * 50]), max_size=30),
    begin=st.integers(0, 9),
    end=st.integers(0, 9),
    block=st.sampled_from([8, 64, 1 << 17]),
)
def test_large_files_are_cut_where_the_separator_stands(
    key: str, parts: list[str | None], begin: int, end: int, block: int
):
    """Comparing words finds every separator that lies between the bounds, at any alignment, and nothing else."""
    separator = b'},{"' + key.encode() + b'":'
    cut = [separator if p is None else p.encode() + separator[: len(parts)] for p in parts]
    data = b"-" * 64 + b"".join(cut) + b"-" * 64
    first, last = 50 + begin, len(data) - 50 - end
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "_BLOCK_WORDS", block)
        found = splitting._compared(data, separator, first, last)
    assert found.tolist() == [m.start() for m in re.compile(re.escape(separator)).finditer(data, first, last)]


@pytest.mark.parametrize("lines", [False, True])
def test_a_file_is_cut_alike_whatever_its_size(
    event: Callable[..., Any],
    log_bytes: Callable[[Iterable[Any]], bytes],
    monkeypatch: pytest.MonkeyPatch,
    lines: bool,
):
    """The search for large files and that for small ones find the same records."""
    data = log_bytes([event(n, padding="-" * 256 + "x" * n) for n in range(60)])
    if lines:
        data = b"\n".join(json.dumps(r, separators=(",", ":")).encode() for r in json.loads(data)["Records"])
    small = split(data, "s")
    monkeypatch.setattr(splitting, "_SMALL", 0)
    large = split(data, "s")
    assert small is not None
    assert large is not None
    assert len(small.starts) == 60
    assert (small.starts.tolist(), small.lengths.tolist()) == (large.starts.tolist(), large.lengths.tolist())


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    "text",
    [
        '{"Records": [{"eventVersion":"1"}]}',
        '{"Records":[{"eventVersion":"1"}],"more":1}',
        '[{"eventVersion":"1"}]',
        '\ufeff{"Records":[{"eventVersion":"1"}]}',
        '{"Records":[]}',
        "",
    ],
)
def test_other_shapes_are_left_to_the_slow_path(text: str):
    """Only compact files of the two known shapes are cut."""
    assert split(text.encode(), "s") is None


def test_portions_hold_every_record_once(
    event: Callable[..., Any], log_bytes: Callable[[Iterable[Any]], bytes]
):
    """Cutting a large file into portions keeps order, numbers and text."""
    data = log_bytes([event(n) for n in range(50)])
    pieces = split(data, "s")
    assert pieces is not None
    portions = pieces.cut(5_000)
    assert len(portions) > 3
    cut = [p.data[s : s + n] for p in portions for s, n in zip(p.starts, p.lengths, strict=True)]
    assert [json.loads(c)["requestID"] for c in cut] == [f"R{n}" for n in range(50)]
    assert [p.first_number for p in portions][:2] == [0, len(portions[0].starts)]


@pytest.mark.parametrize("odd", [{}, {"eventTime": "soon"}, {"eventName": 7}])
def test_a_large_file_is_stored_in_parts_or_goes_the_slow_path_whole(
    scene: Scene, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, odd: dict[str, Any]
):
    """A file larger than a data file: every record once, whether its last record is sound or not."""
    monkeypatch.setattr(decode, "UNIT_BYTES", 4_000)
    scene.write("a.json.gz", [event(n) for n in range(40)] + [event(40, **odd)])
    scene.write("b.json.gz", [event(50)])
    report = scene.ingest()
    assert (report.events, report.quarantined_records) == ((41, 1) if "eventTime" in odd else (42, 0))
    rows = scene.sql("SELECT count(*), count(DISTINCT (source, record_number)) FROM raw_cloudtrail")
    assert rows == [(report.events, report.events)]
    assert (
        len(list(scene.lake.glob("cloudtrail/data/*.parquet")))
        == scene.sql(
            "SELECT count(DISTINCT filename) FROM read_parquet('"
            + str(scene.lake)
            + "/cloudtrail/data/*.parquet', filename = true)"
        )[0][0]
    )


def test_many_slow_files_are_stored_once(
    scene: Scene, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    """Pretty-printed files that fill several data files: every record once, within a file and across files."""
    monkeypatch.setattr(slow, "_UNIT_BYTES", 3_000)
    for n in range(4):
        records = [event(n * 10 + i) for i in range(10)]
        scene.write(f"{n}.json", json.dumps({"Records": records}, indent=1).encode())
    report = scene.ingest()
    assert (report.events, report.stored, report.duplicates) == (40, 40, 0)
    assert len(scene.texts()) == 40


def test_compact_files_do_go_the_fast_path(
    scene: Scene, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    """What AWS delivers never reaches the slow decoder."""
    monkeypatch.setattr(cloudtrail, "decode", lambda _: pytest.fail("slow path"))
    scene.write("a.json.gz", [event(n) for n in range(9)])
    scene.write(
        "b.jsonl", b"\n".join(json.dumps(event(n), separators=(",", ":")).encode() for n in range(20, 25))
    )
    assert scene.ingest().events == 14
