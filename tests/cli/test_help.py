"""The first page of help shows every command once, under the question that it answers."""

from __future__ import annotations

import pytest
from typer.main import get_command

from clew.cli.commands import MODULES
from clew.cli.main import app, command_line, named
from clew.cli.sections import SECTIONS


def test_every_command_has_its_section() -> None:
    """No command is left to the end of the list, and none stands in two places."""
    listed = [name for names in SECTIONS.values() for name in names]
    assert sorted(listed) == sorted(set(listed))
    assert set(get_command(app).commands) - set(listed) == set()


def test_the_help_of_every_command_is_a_sentence() -> None:
    """Each command says in its first line what it is for."""
    helps = {name: command.get_short_help_str(200) for name, command in get_command(app).commands.items()}
    assert [name for name, text in helps.items() if not text or text.endswith("...")] == []


def test_each_command_alone_is_that_of_the_whole_command_line() -> None:
    """A run makes only the command that it names: with the same options as among all, and under its own name."""
    whole = get_command(app).commands
    assert set(MODULES) == set(whole)
    for name in MODULES:
        alone = get_command(command_line(name)).commands[name]
        assert [each.opts for each in alone.params] == [each.opts for each in whole[name].params]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("events --user ana", "events"),
        ("-q -w events sql SELECT", "sql"),
        ("--workspace=events who-can", "who-can"),
        ("--config c.toml --no-color doctor", "doctor"),
        ("--help events", None),
        ("nonsense", None),
        ("-w", None),
        ("", None),
    ],
)
def test_words_name_the_command(words: str, name: str | None) -> None:
    """Options of the group and their values are passed over; where no command is named, all of them are made."""
    assert named(words.split()) == name
