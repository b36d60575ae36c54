"""Words kept beside a lake: they spare reading, and never an answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.lake.history import word_filters, words
from clew.lake.history.filters import Filters
from clew.lake.history.search import find, originals
from clew.lake.reader import open_lake

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Scene

PLACES: tuple[Callable[[str], dict[str, Any]], ...] = (
    lambda name: {"requestParameters": {"x": name}},
    lambda name: {"responseElements": {"x": [f"arn:aws:ec2:us-east-1:111122223333:security-group/{name}"]}},
    lambda name: {"resources": [{"ARN": f"arn:aws:s3:::bucket/{name}"}]},
    lambda name: {"serviceEventDetails": {"document": json.dumps({"x": name})}},
)
NAMES = (
    "acme-payroll-1",
    "sg-0123456789abcdef0",
    "key/of/an-object.csv",
    "a1B2c3d4",
    "Bob-the-builder",
    "short",
)


@given(text=st.text("ab1-_./é", max_size=24), bits=st.integers(13, 30))
def test_both_sides_reckon_the_same_places(text: str, bits: int):
    """What is set when a text is read is what is looked at when its word is asked for."""
    word = "".join(c for c in text if c.isascii() and (c.isalnum() or c in "_.-"))
    found = {int(p) for places in word_filters._places(pa.array([word, None, ""]), bits) for p in places}
    assert found == set(words.places(word.encode(), bits))


def _events(event: Callable[..., Any]) -> list[Any]:
    """Each name in a day of its own, in one of the places where a resource can be named."""
    return [
        event(number, eventTime=f"2024-05-{number + 1:02d}T10:00:00Z", **PLACES[number % len(PLACES)](name))
        for number, name in enumerate(NAMES)
    ]


@pytest.fixture
def kept(scene: Scene, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A lake whose words are kept."""
    monkeypatch.setattr(words, "LEAST_ROWS", 0)
    scene.write("a.json", _events(event))
    scene.ingest()
    assert word_filters.remember(open_lake(scene.lake))
    return scene


def _answers(scene: Scene) -> list[tuple[str, ...]]:
    lake = open_lake(scene.lake)
    asked = (*NAMES, "acme*", "nobody-knows-this", "arn:aws:s3:::acme-payroll-1", "tail-of-words")
    rows = [find(lake, Filters(resources=(name,)), limit=0).entries for name in asked]
    return [tuple(row.record_id for row in found) for found in rows]


def test_answers_are_the_same_with_and_without(kept: Scene):
    """Names that stand somewhere are found where they stand; of others nothing is read."""
    lake = open_lake(kept.lake)
    assert not words.is_worth_keeping(lake)
    assert {file.day for file in words.may_concern(lake, [NAMES[0]])} == {"2024-05-01"}
    assert words.may_concern(lake, ["nobody-knows-this"]) == ()
    assert len(words.may_concern(lake, ["nobody-knows-this", "short"])) == len(NAMES)
    found = _answers(kept)
    assert [len(ids) for ids in found[: len(NAMES)]] == [1] * len(NAMES)
    assert len(list(originals(lake, Filters(resources=(NAMES[1],))))) == 1
    (kept.lake / words.FILE_NAME).unlink()
    assert _answers(kept) == found


def test_a_file_that_came_later_is_read(kept: Scene, event: Callable[..., Any]):
    """Nothing is kept of it yet, so it may hold anything; afterwards it counts like the others."""
    kept.write("b.json", [event(90, requestParameters={"x": "nobody-knows-this"})])
    kept.ingest()
    lake = open_lake(kept.lake)
    assert words.is_worth_keeping(lake)
    assert len(find(lake, Filters(resources=("nobody-knows-this",))).entries) == 1
    assert len(words.may_concern(lake, ["unknown-as-well"])) == 1
    assert word_filters.remember(lake)
    assert words.may_concern(lake, ["unknown-as-well"]) == ()


@pytest.mark.parametrize("damage", ["cut", "turned", "emptied", "another version", "a folder"])
def test_a_damaged_file_of_words_spares_nothing(kept: Scene, damage: str):
    """What does not carry its checksum is as good as lost, and no answer with it."""
    path = kept.lake / words.FILE_NAME
    held, found = path.read_bytes(), _answers(kept)
    head, _, body = held.partition(b"\n")
    path.unlink()
    match damage:
        case "cut":
            path.write_bytes(held[: len(held) - len(body)])
        case "turned":
            path.write_bytes(head + b"\n" + bytes(len(body)))
        case "emptied":
            path.write_bytes(b"")
        case "another version":
            path.write_bytes(held.replace(b'"version": 1', b'"version": 0'))
        case _:
            path.mkdir()
    assert _answers(kept) == found
    assert len(words.may_concern(open_lake(kept.lake), ["nobody-knows-this"])) == len(NAMES)
    assert word_filters.remember(open_lake(kept.lake)) is (damage != "a folder")


def test_words_are_kept_of_large_lakes_alone(scene: Scene, event: Callable[..., Any]):
    """A small lake is read as quickly as its words would be."""
    scene.write("a.json", _events(event))
    scene.ingest()
    assert not words.is_worth_keeping(open_lake(scene.lake))
