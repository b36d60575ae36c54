"""Settings: where each comes from, which one wins, and what a wrong one says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clew.errors import ConfigError
from clew.store import config


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory of our own, two levels deep, and an empty user configuration."""
    here = tmp_path / "project" / "evidence"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return here


@pytest.mark.usefixtures("project")
def test_without_any_file_the_defaults_apply() -> None:
    """Without a file and variables every setting has its default and says so."""
    assert config.load() == config.Config()
    assert {setting.origin for setting in config.settings()} == {"default"}


def test_the_nearest_file_upward_wins(project: Path, tmp_path: Path) -> None:
    """`.clew.toml` above the current directory is found, and comes before the user's own file."""
    user = tmp_path / "config" / "clew"
    user.mkdir(parents=True)
    (user / "config.toml").write_text('output = "json"\nworkers = 7\n')
    assert config.load().output == "json"
    (project.parent / ".clew.toml").write_text('output = "csv"\n')
    loaded = config.load()
    assert (loaded.output, loaded.workers) == ("csv", None)
    assert loaded.path == project.parent / ".clew.toml"


def test_a_variable_comes_before_the_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment variable wins over the file, and the origin names it."""
    (project / ".clew.toml").write_text("memory_limit_mb = 100\ndeadline_seconds = 5\n")
    monkeypatch.setenv("CLEW_MEMORY_LIMIT_MB", "200")
    found = {setting.name: (setting.value, setting.origin) for setting in config.settings()}
    assert found["memory_limit_mb"] == (200, "CLEW_MEMORY_LIMIT_MB")
    assert found["deadline_seconds"] == (5, str(project / ".clew.toml"))


def test_a_named_file_is_the_only_one(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--config` comes before CLEW_CONFIG, and both before any file that is found."""
    (project / ".clew.toml").write_text("workers = 1\n")
    for name, workers in (("variable", 2), ("option", 3)):
        (tmp_path / f"{name}.toml").write_text(f"workers = {workers}\n")
    monkeypatch.setenv("CLEW_CONFIG", str(tmp_path / "variable.toml"))
    assert config.load().workers == 2
    assert config.load(str(tmp_path / "option.toml")).workers == 3


def test_paths_are_relative_to_their_file(project: Path) -> None:
    """A workspace or rules folder in a file is found from the file, wherever the command is started."""
    file = project.parent / ".clew.toml"
    file.write_text('workspace = "lake"\nrules = ["rules", "/etc/rules", "~/mine"]\n')
    loaded = config.load()
    assert loaded.workspace == str(project.parent / "lake")
    assert loaded.rules == (str(project.parent / "rules"), "/etc/rules", str(Path.home() / "mine"))


@pytest.mark.usefixtures("project")
def test_rules_of_the_environment_are_a_path_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """CLEW_RULES lists folders as PATH does."""
    monkeypatch.setenv("CLEW_RULES", os.pathsep.join(("a", "b")))
    assert config.load().rules == ("a", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("workspaces = 'x'", r"`workspaces` is not a setting; known are workspace, output"),
        ("workers = 0", r"`workers`: expected a whole number above 0, found `0`"),
        ("workers = true", r"`workers`: expected a whole number above 0, found `True`"),
        ("workers = 'two'", r"`workers`: expected a whole number above 0, found `two`"),
        ("workspace = 3", r"`workspace`: expected a string, found `3`"),
        ("rules = 'x'", r"`rules`: expected a list of strings, found `x`"),
        ("rules = [1]", r"`rules`: expected a list of strings"),
        ("fail_on = 'severe'", r"`fail_on`: expected one of informational, low, medium, high, critical"),
        ("workers = ", r"not valid TOML"),
    ],
)
def test_a_wrong_setting_names_file_and_key(project: Path, text: str, message: str) -> None:
    """A wrong setting is one line with the file, the key, what was expected and what was found."""
    (project / ".clew.toml").write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        config.load()
    assert str(caught.value).startswith(str(project / ".clew.toml"))


@pytest.mark.usefixtures("project")
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong environment variable is named."""
    monkeypatch.setenv("CLEW_WORKERS", "-1")
    with pytest.raises(ConfigError, match=r"^environment variable `CLEW_WORKERS`: expected a whole number"):
        config.load()


@pytest.mark.usefixtures("project")
def test_a_file_that_is_named_must_exist() -> None:
    """A configuration file that is named and missing is an error, not an empty one."""
    with pytest.raises(ConfigError, match=r"configuration file `.*none.toml` does not exist"):
        config.load("none.toml")


def test_a_file_in_another_encoding_is_refused(project: Path) -> None:
    """A file that is not UTF-8 is an error with its path."""
    (project / ".clew.toml").write_bytes(b'output = "\xff"')
    with pytest.raises(ConfigError, match=r"\.clew\.toml: not valid TOML"):
        config.load()


def test_misspelt_variables_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that begins like ours and means nothing is listed."""
    monkeypatch.setenv("CLEW_WORKSPCE", "x")
    monkeypatch.setenv("CLEW_WORKSPACE", "x")
    assert config.unknown_variables() == ("CLEW_WORKSPCE",)
