"""The first page of help shows every command once, under the question that it answers."""

from __future__ import annotations

from typer.main import get_command

from clew.cli.main import app
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
