"""What every command needs: global options, configuration, workspace, exit codes, notes on stderr."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clew.store.config import Config
    from clew.store.workspace import Workspace

EXIT_CLEAN = 0
EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_PARTIAL = 3

FAIL_ON_HELP = "Exit 1 when an active finding is this severe or worse."


@dataclass(frozen=True, slots=True)
class Globals:
    """The options that stand before the command."""

    workspace: str | None = None
    config: str | None = None
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False


_state: list[Globals] = [Globals()]


def configure(options: Globals) -> None:
    """Remember the global options of this invocation."""
    _state[0] = options


def options() -> Globals:
    """The global options of this invocation."""
    return _state[0]


def config() -> Config:
    """The configuration that applies to this invocation."""
    from clew.store import config as store_config

    return store_config.load(options().config)


def workspace() -> Workspace:
    """The workspace that applies to this invocation."""
    from clew.store import workspace as store_workspace

    return store_workspace.locate(options().workspace, config().workspace)


def use_color(stream: object = None) -> bool:
    """Whether colours may be written: a terminal, no NO_COLOR, no --no-color."""
    target = stream or sys.stdout
    is_terminal = bool(getattr(target, "isatty", lambda: False)())
    return is_terminal and not options().no_color and "NO_COLOR" not in os.environ


def note(message: str) -> None:
    """Write one line to stderr unless --quiet."""
    if not options().quiet:
        sys.stderr.write(f"{printable(message)}\n")


def complain(message: str) -> None:
    """Write one error line to stderr."""
    sys.stderr.write(f"clew: {printable(message)}\n")


def printable(text: str) -> str:
    r"""The text with every control character made visible, so that logs cannot drive the terminal.

    >>> printable("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    from clew.report.escape import terminal

    return terminal(text)
