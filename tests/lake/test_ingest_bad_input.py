"""Input that is not as it should be: counted, named with its reason, listed; and the rest goes on."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.case_files import read_case_file

from clew.events import limits
from clew.lake.ingest import Missing, lines, slow, unpack
from clew.lake.ingest.inputs import input_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Scene

_CASES = read_case_file(Path(__file__).parents[1] / "cases" / "lake" / "bad_input.yaml")


def _content(case: dict[str, Any], event: Callable[..., Any], indent: int | None) -> bytes:
    text = case.get("text")
    if text is None:
        records = [event(n, **changes) for n, changes in enumerate(case["records"])]
        separators = (",", ":") if indent is None else None
        text = json.dumps({"Records": records}, separators=separators, indent=indent, ensure_ascii=False)
    data = text.encode(case.get("encoding", "utf-8"))
    if case.get("gzip"):
        data = gzip.compress(data)
        data = data[: case.get("keep", len(data) - case.get("cut", 0))] + bytes.fromhex(case.get("after", ""))
        data += gzip.compress(case["after_gzip_of"].encode()) if "after_gzip_of" in case else b""
    return data


def _ingested(scene: Scene, event: Callable[..., Any], indent: int | None) -> dict[str, tuple[Any, ...]]:
    """What became of each case, all of them ingested together: kind, records, refusals by reason."""
    names = {}
    for place, case in enumerate(_CASES):
        path = scene.logs / f"{place}.json"
        path.write_bytes(_content(case, lambda n, **c: event(place * 100 + n, **c), indent))  # noqa: B023 - called now
        names[str(path)] = case["name"]
    first, second = scene.ingest(), scene.ingest()
    assert (first.events, first.reasons, first.quarantined) == (
        second.events,
        second.reasons,
        second.quarantined,
    )
    assert first.events == sum(case["events"] for case in _CASES)
    rows = scene.sql(
        """SELECT path, any_value(kind), any_value(s.records), any_value(s.quarantined),
            list(reason ORDER BY reason) FILTER (reason IS NOT NULL)
        FROM raw_sources s LEFT JOIN raw_quarantine q USING (path) GROUP BY path"""
    )
    return {names[row[0]]: row[1:] for row in rows}


@pytest.fixture(scope="module", params=[None, 2], ids=["compact", "pretty"])
def outcomes(
    request: pytest.FixtureRequest, new_scene: Callable[[], Scene], event: Callable[..., Any]
) -> dict[str, tuple[Any, ...]]:
    """What became of each case."""
    return _ingested(new_scene(), event, request.param)


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["name"])
def test_bad_input_is_named_and_the_rest_goes_on(outcomes: dict[str, tuple[Any, ...]], case: dict[str, Any]):
    """Each case gives the events and the reasons that it names, on the first run and on the second."""
    kind, records, quarantined, reasons = outcomes[case["name"]]
    expected = sorted(reason for reason, count in case.get("reasons", {}).items() for _ in range(count))
    assert (kind, records, quarantined, reasons or []) == (
        case.get("kind", kind),
        case["events"],
        len(expected),
        expected,
    )


def test_refusals_say_where_what_and_how_it_begins(scene: Scene, event: Callable[..., Any]):
    """The quarantine names file, record, reason and detail, and quotes the beginning."""
    scene.write("a.json", [event(1), event(2, eventTime="soon")])
    scene.ingest()
    path, number, reason, detail, excerpt = scene.sql(
        "SELECT path, record_number, reason, detail, excerpt FROM raw_quarantine"
    )[0]
    assert (path, number, reason) == (str(scene.logs / "a.json"), 1, "time_unparseable")
    assert "`soon`" in detail
    assert excerpt.startswith('{"eventVersion":"1.08"')
    assert len(excerpt) <= limits.EXCERPT_CHARACTERS


def test_an_event_of_300_kb_is_an_event(scene: Scene, event: Callable[..., Any]):
    """Large records are kept whole."""
    scene.write("a.json.gz", [event(1, requestParameters={"policy": "x" * 300_000}), event(2)])
    assert scene.ingest().events == 2
    assert scene.sql("SELECT max(length(eventjson)) > 300000 FROM raw_cloudtrail") == [(True,)]


def test_a_record_beyond_the_limit_is_refused_alone(scene: Scene, event: Callable[..., Any]):
    """A record larger than MAX_RECORD_BYTES is refused; its neighbours are kept."""
    huge = event(1, userAgent="x" * (limits.MAX_RECORD_BYTES + 1))
    scene.write("a.json", [huge, event(2)])
    report = scene.ingest()
    assert (report.events, report.reasons) == (1, {"too_large": 1})


def test_a_gzip_bomb_is_refused_without_unpacking_it(scene: Scene):
    """Beyond RATIO_FREE_BYTES a file may not grow more than MAX_RATIO times."""
    bomb = gzip.compress(b" " * (limits.RATIO_FREE_BYTES * 3), 9)
    assert len(bomb) * limits.MAX_RATIO < limits.RATIO_FREE_BYTES * 3
    scene.write("bomb.json.gz", b"").write_bytes(bomb)
    scene.write("two-bombs.json.gz", b"").write_bytes(gzip.compress(b"{}") + bomb)
    assert scene.ingest().reasons == {"gzip_bomb": 2}


def test_a_file_beyond_the_limit_is_refused(
    scene: Scene, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    """A file that unpacks to more than MAX_UNPACKED_BYTES is refused, packed or not."""
    monkeypatch.setattr(unpack, "MAX_UNPACKED_BYTES", 2_000)
    scene.write("a.json", [event(n) for n in range(9)])
    scene.write("b.json.gz", [event(n) for n in range(9)])
    assert scene.ingest().reasons == {"too_large": 2}


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_json_lines_may_be_of_any_size(
    scene: Scene, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, name: str
):
    """Lines beyond MAX_UNPACKED_BYTES are read portion by portion: every record once, numbered through the file."""
    monkeypatch.setattr(unpack, "MAX_UNPACKED_BYTES", 2_000)
    monkeypatch.setattr(lines, "_BLOCK_BYTES", 5_000)
    monkeypatch.setattr(lines, "_PORTION_BYTES", 15_000)
    texts = [json.dumps(event(n), separators=(",", ":")) for n in range(60)]
    texts[40] = json.dumps(event(40, eventTime="soon"), separators=(",", ":"))
    path = scene.write(name, "\n".join(texts).encode())
    report = scene.ingest()
    assert (report.events, report.reasons) == (59, {"time_unparseable": 1})
    assert scene.texts() == sorted(text for n, text in enumerate(texts) if n != 40)
    assert scene.sql("SELECT count(DISTINCT record_number), max(record_number) FROM raw_cloudtrail") == [
        (59, 59)
    ]
    copy = scene.write("copy.jsonl", "\n".join(texts).encode())
    assert (scene.ingest(path, copy).events, scene.ingest().known_files) == (59, 2)


@pytest.mark.parametrize(
    ("damage", "reason"), [("cut", "truncated_gzip"), ("bomb", "gzip_bomb"), ("not lines", "too_large")]
)
def test_large_files_that_cannot_be_read_in_portions(
    scene: Scene, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, damage: str, reason: str
):
    """A large file that is damaged, a bomb or no JSON lines is refused whole; nothing of it is stored."""
    monkeypatch.setattr(unpack, "MAX_UNPACKED_BYTES", 2_000)
    monkeypatch.setattr(lines, "_BLOCK_BYTES", 2_500)
    line = json.dumps(event(1)).encode() + b"\n"
    data = line * 20 if damage != "not lines" else json.dumps([event(1)] * 20, indent=1).encode()
    packed = gzip.compress(data)
    path = scene.write("a.jsonl.gz", b"")
    path.write_bytes(packed[:-9] if damage == "cut" else packed)
    if damage == "bomb":
        monkeypatch.setattr(lines, "RATIO_FREE_BYTES", 3_000)
        monkeypatch.setattr(lines, "MAX_RATIO", 1)
    assert (scene.ingest().reasons, scene.ingest().stored) == ({reason: 1}, 0)


def test_text_that_is_neither_compact_nor_lines_has_a_smaller_limit(
    scene: Scene, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    """A pretty-printed file is held as a whole, so it may not be as large."""
    monkeypatch.setattr(slow, "WHOLE_BYTES", 2_000)
    scene.write("a.json", json.dumps({"Records": [event(n) for n in range(9)]}, indent=1).encode())
    assert scene.ingest().reasons == {"too_large": 1}


def test_a_file_that_cannot_be_opened_is_read_again_later(scene: Scene, event: Callable[..., Any]):
    """A file that vanished or may not be read is named; when it is mended its records come in."""
    path = scene.write("a.json", [event(1)])
    gone = input_file(str(path))
    path.unlink()
    assert scene.ingest(gone).reasons == {"unreadable": 1}
    scene.write("a.json", [event(1)])
    assert (scene.ingest(gone).events, scene.ingest(gone).quarantined) == (1, 0)


def test_what_could_not_be_fetched_is_quarantined(scene: Scene):
    """An object that the collector could not read is listed with the collector's words, once."""
    missing = Missing("s3://bucket/key.json.gz", "access_denied: AccessDenied; needs s3:GetObject", 12)
    for _ in range(2):
        report = scene.ingest(missing)
        assert (report.files, report.reasons) == (1, {"unreadable": 1})
    assert scene.sql("SELECT path, detail FROM raw_quarantine") == [(missing.name, missing.detail)]


def test_a_bad_record_does_not_lose_its_unit(scene: Scene, event: Callable[..., Any]):
    """Many sound files beside some bad ones: exactly the bad records are missing."""
    for n in range(12):
        scene.write(
            f"{n}.json",
            [event(n * 10 + i) for i in range(5)] + ([event(900 + n, eventTime="x")] if n % 4 == 0 else []),
        )
    broken = b'{"Records":[{"eventVersion":"1","eventID":{"a":1}},{"eventVersion":"1" "x"}]}'
    scene.write("broken.json", broken)
    report = scene.ingest()
    assert report.events == 60
    assert (report.reasons or {})["time_unparseable"] == 3
    assert scene.sql("SELECT count(*), count(DISTINCT (source, record_number)) FROM raw_cloudtrail") == [
        (60, 60)
    ]
