"""The workspace: which setting chooses it, and what happens when it cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from clew.errors import WorkspaceError
from clew.store import workspace
from clew.store.workspace import Workspace


def test_the_precedence_of_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Option, variable, configuration, last investigation, default: the first that is set wins and is named."""
    home = workspace.data_directory()
    assert workspace.locate(None, None) == Workspace(home / "default", "default")
    workspace.make_current(Workspace(tmp_path))
    assert workspace.locate(None, None) == Workspace(tmp_path, "last investigation")
    assert workspace.locate(None, "/configured") == Workspace(Path("/configured"), "configuration file")
    monkeypatch.setenv("CLEW_WORKSPACE", "/variable")
    assert workspace.locate(None, "/configured") == Workspace(Path("/variable"), "CLEW_WORKSPACE")
    assert workspace.locate("/option", "/configured") == Workspace(Path("/option"), "--workspace")


def test_a_relative_workspace_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative or `~` path is resolved once, against the current directory."""
    monkeypatch.chdir(tmp_path)
    assert workspace.locate("here", None).path == tmp_path / "here"
    assert workspace.locate("~/there", None).path == Path.home() / "there"


def test_a_current_workspace_that_is_gone_is_passed_over(tmp_path: Path) -> None:
    """A last investigation whose directory was removed chooses nothing, and the pointer can still be read."""
    gone = tmp_path / "gone"
    workspace.make_current(Workspace(gone))
    assert workspace.locate(None, None).origin == "default"
    assert workspace.current_pointer() == gone


def test_a_damaged_pointer_is_one_line() -> None:
    """A pointer that is not text is an error that says what to do."""
    home = workspace.data_directory()
    home.mkdir(exist_ok=True)
    (home / "current").write_bytes(b"\xff\xfe")
    with pytest.raises(WorkspaceError, match=r"cannot read `.*current`: .*; delete it"):
        workspace.locate(None, None)


def test_each_source_has_one_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same path, however it is spelled, has one workspace; another path another, even of the same name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a" / "logs").mkdir(parents=True)
    (tmp_path / "b" / "logs").mkdir(parents=True)
    first = workspace.for_source("a/logs")
    assert workspace.for_source(f"{tmp_path}/b/../a/logs/") == first
    assert workspace.for_source("b/logs") != first
    assert first.path.name.startswith("logs-")
    assert workspace.for_source("s3://bucket/AWSLogs").path.name.startswith("AWSLogs-")


def test_names_of_sources_cannot_leave_the_directory() -> None:
    """Whatever a source is called, its workspace lies in the directory of investigations."""
    for source in ("/", "..", "s3://b/../../x", "a b\n*?", "s3://bucket"):
        path = workspace.for_source(source).path
        assert path.resolve().parent == (workspace.data_directory() / "investigations").resolve()


def test_a_workspace_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    """A workspace under a plain file is an error with path and reason."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorkspaceError, match=r"cannot create workspace `.*file/w`: Not a directory"):
        Workspace(tmp_path / "file" / "w").create()


def test_a_new_workspace_is_private(tmp_path: Path) -> None:
    """A workspace holds evidence: only its owner may read it."""
    path = Workspace(tmp_path / "w").create().path
    assert path.stat().st_mode & 0o077 == 0


def test_what_lies_where(tmp_path: Path) -> None:
    """Lake, state, reports and scratch lie inside the workspace."""
    made = Workspace(tmp_path)
    paths = {made.lake_path, made.state_path, made.reports_path, made.scratch_path}
    assert {path.parent for path in paths} == {tmp_path}
    assert len(paths) == 4
