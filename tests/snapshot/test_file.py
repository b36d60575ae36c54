"""The snapshot file: the same answers give the same bytes, and damage never passes for an answer."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from clew.cli.main import app
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


def test_older_file_without_a_seal_is_read(tmp_path: Path) -> None:
    """A file whose first line has no hash of its own is read, and says that it has none."""
    text = gzip.decompress(written(tmp_path / "a", Answers(ANSWERS)))
    first, _, rest = text.partition(b"\n")
    older = re.sub(rb',"seal":"[0-9a-f]+"', b"", first)
    (tmp_path / "b").write_bytes(older + b"\n" + rest)
    assert file.read(tmp_path / "b").header.seal == ""
    told = CliRunner().invoke(app, ["snapshot", "verify", str(tmp_path / "b")]).output
    assert "an older Clew wrote the file" in told
    told = CliRunner().invoke(app, ["snapshot", "verify", str(tmp_path / "a")]).output
    assert "older" not in told


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
    assert found.header == file.parse(whole, "x").header
    assert list(found.answers) == list(file.parse(whole, "x").answers)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"version":1', b'"version":2', "version 2 of the format; .*; install a newer Clew"),
        (b'"version":1', b'"version":0', "version 0 of the format; .*; collect again"),
        (b'"version":1', b'"version":"1"', "x:1: the first line is no header"),
        (b'"collected_at":"2026', b'"collected_at":"2025', "its first line does not fit the hash"),
        (b'"accounts":["1', b'"accounts":["2', "its first line does not fit the hash"),
        (b'"status":"denied"', b'"status":"ok"', "does not fit the hash"),
        (b'"sha256":', b'"sha":', "its first line does not fit the hash"),
        (b'{"format":', b'{"form":', "is no snapshot"),
    ],
)
def test_other_content_is_told_apart(tmp_path: Path, old: bytes, new: bytes, message: str) -> None:
    """Another version, a changed answer, time or account, and another file are each named for what they are."""
    text = gzip.decompress(written(tmp_path / "a", Answers(ANSWERS)))
    assert old in text
    with pytest.raises(InputError, match=message):
        file.parse(text.replace(old, new, 1), "x")
