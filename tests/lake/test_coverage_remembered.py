"""Answers that are kept beside a lake: the same as those counted anew, and none of another lake's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from clew.lake.coverage import measure, remembered
from clew.lake.coverage.remembered import answers
from clew.lake.reader import open_lake

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Scene


def test_what_was_counted_is_read_the_next_time(scene: Scene, event: Callable[..., Any]):
    """The second question counts nothing and says the same; a lake that has changed is counted again."""
    scene.ingest(scene.write("a.json", [event(n) for n in range(5)]))
    first = measure(open_lake(scene.lake))
    held = answers(open_lake(scene.lake))
    assert measure(open_lake(scene.lake)) == first
    assert held.rows("SELECT count(*) FROM raw_cloudtrail") == [(5,)]
    held.close()
    again = answers(open_lake(scene.lake))
    assert again.rows("SELECT count(*) FROM raw_cloudtrail") == [(5,)]
    assert again._connection is None
    scene.ingest(scene.write("b.json", [event(n) for n in range(5, 8)]))
    assert measure(open_lake(scene.lake)).span != first.span
    assert answers(open_lake(scene.lake)).rows("SELECT count(*) FROM raw_cloudtrail") == [(8,)]


@pytest.mark.parametrize("damage", ["{", "[]", '{"made_from": 1}', '{"made_from": {}, "answers": []}'])
def test_a_damaged_memory_is_no_answer(scene: Scene, event: Callable[..., Any], damage: str):
    """What is remembered and cannot be read is counted again."""
    scene.ingest(scene.write("a.json", [event(n) for n in range(5)]))
    first = measure(open_lake(scene.lake))
    (scene.lake / remembered.FILE_NAME).write_text(damage)
    assert measure(open_lake(scene.lake)) == first


def test_a_lake_that_may_only_be_read_is_measured_all_the_same(scene: Scene, event: Callable[..., Any]):
    """Nothing can be kept beside the lake, and the answer is there."""
    scene.ingest(scene.write("a.json", [event(n) for n in range(5)]))
    (scene.lake / remembered.FILE_NAME).mkdir()
    assert len(measure(open_lake(scene.lake)).places) == 1
