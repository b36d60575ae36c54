"""The snapshot file: the same answers give the same bytes, and damage never passes for an answer."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.errors import InputError
from clew.snapshot import file
from clew.snapshot.answers import Answer, Answers, Call, Status

if TYPE_CHECKING:
    from pathlib import Path

NOW = "2026-01-02T03:04:05Z"
ANSWERS = (
    Answer(Call("111122223333", "global", "s3", "ListBuckets"), NOW, Status.OK, {"Buckets": [{"Name": "ä"}]}),
    Answer(
        Call("111122223333", "eu-west-1", "kms", "ListKeys"),
        NOW,
        Status.DENIED,
        None,
        "AccessDenied",
        "not you",
    ),
)


def written(path: Path, answers: Answers) -> bytes:
    """The bytes of a file with these answers."""
    file.write(path, answers, tool_version="1", collected_at=NOW)
    return path.read_bytes()


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Reading gives back the answers and what the file says of itself."""
    written(tmp_path / "a", Answers(ANSWERS))
    found = file.read(tmp_path / "a")
    assert set(map(str, found.answers)) == set(map(str, ANSWERS))
    assert [a.status for a in found.answers] == [Status.DENIED, Status.OK]
    assert found.header.accounts == ("111122223333",)
    assert found.header.regions == ("eu-west-1",)


def test_same_answers_give_the_same_bytes(tmp_path: Path) -> None:
    """Neither the order in which answers came nor the time of writing shows in the file."""
    first = written(tmp_path / "a", Answers(ANSWERS))
    assert first == written(tmp_path / "b", Answers(reversed(ANSWERS)))


def test_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """An account's configuration is readable by the person who collected it, and no scratch file stays."""
    written(tmp_path / "a", Answers(ANSWERS))
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A file that cannot be written is one located line."""
    with pytest.raises(InputError, match="cannot be written: no such file"):
        file.write(tmp_path / "no" / "a", Answers(ANSWERS), tool_version="1", collected_at=NOW)


@given(st.data())
def test_damage_never_passes(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A file with one byte changed or its end cut off is refused, or says exactly what it said before."""
    whole = written(tmp_path_factory.getbasetemp() / "snapshot", Answers(ANSWERS))
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytes([whole[place] ^ data.draw(st.integers(1, 255))])
    damaged = data.draw(st.sampled_from([whole[:place] + changed + whole[place + 1 :], whole[:place]]))
    try:
        found = file.parse(damaged, "x")
    except InputError:
        return
    assert list(found.answers) == list(file.parse(whole, "x").answers)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"version":1', b'"version":2', "version 2 of the format"),
        (b'"status":"denied"', b'"status":"ok"', "does not fit the hash"),
        (b'"sha256":', b'"sha":', "x:1: the first line is no header"),
        (b'{"format":', b'{"form":', "is no snapshot"),
    ],
)
def test_other_content_is_told_apart(tmp_path: Path, old: bytes, new: bytes, message: str) -> None:
    """A newer version, a changed answer and another file are each named for what they are."""
    text = gzip.decompress(written(tmp_path / "a", Answers(ANSWERS)))
    assert old in text
    with pytest.raises(InputError, match=message):
        file.parse(text.replace(old, new, 1), "x")
