"""The command `clew`: global options, the list of commands, and how a failure ends.

Exit codes: 0 clean, 1 findings at or above `--fail-on`, 2 usage or input error, 3 partial (something was unreadable).
Command modules import only the standard library, typer and `clew.cli.context` at their top: heavy parts are imported
inside the functions, so that `clew --help` stays fast.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from clew import __version__
from clew.cli import catalogs, context
from clew.cli.commands import MODULES, register
from clew.cli.sections import Sectioned
from clew.errors import ClewError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXTRAS = dict.fromkeys(
    ("duckdb", "pyarrow", "pyiceberg", "sqlalchemy", "sqlglot", "isal", "numpy"), "lake"
) | dict.fromkeys(("boto3", "botocore"), "aws")

GARBAGE = (100_000, 20, 20)
"""When Python looks for garbage: after so many new objects, and for older ones after so many times."""

app: typer.Typer
"""The command line with every command; made when it is asked for."""

_WITH_VALUE = frozenset({"--workspace", "-w", "--config"})
_COMPLETION = "_CLEW_COMPLETE"


def __getattr__(name: str) -> object:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = made = command_line()
    return made


def _version(value: bool) -> None:
    if value:
        typer.echo(f"clew {__version__}")
        raise typer.Exit


def options(
    workspace: Annotated[
        str | None, typer.Option("--workspace", "-w", help="Directory of the lake and the state.")
    ] = None,
    config: Annotated[str | None, typer.Option(help="Configuration file (TOML).")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes on stderr.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="More notes on stderr.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Plain text; NO_COLOR does the same.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Follow the thread: from the evidence an AWS account leaves to who did what, who can do what, and what to mend."""
    del version
    context.configure(
        context.Globals(workspace=workspace, config=config, quiet=quiet, verbose=verbose, no_color=no_color)
    )
    catalogs.choose()


def command_line(name: str | None = None) -> typer.Typer:
    """The command line; with a name only that command, since reading the options of all takes 0.3 s."""
    made = typer.Typer(
        name="clew",
        cls=Sectioned,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(options)
    register(made, name)
    return made


def named(words: Sequence[str]) -> str | None:
    """The command that the words name; None where they name none, or ask for help or for what completes them."""
    following = iter(words)
    for word in following:
        if word in _WITH_VALUE:
            next(following, None)
        elif not word.startswith("-"):
            return word if word in MODULES and _COMPLETION not in os.environ else None
        elif word in {"--help", "-h"}:
            return None
    return None


def main() -> None:
    """Run the command line and exit with its code; a failure becomes one line on stderr."""
    # Collecting garbage at Python's own pace takes 0.3 s of investigating a million events, and 3.7 s of auditing
    # 100,000 resources (benchmarks/audit.py).
    gc.set_threshold(*GARBAGE)
    try:
        command_line(named(sys.argv[1:]))()
    except SystemExit as stopped:
        # Typer ends with 1, which is ours for findings, when the reader of our output (`head`, `less`) has left.
        sys.exit(context.EXIT_CLEAN if isinstance(stopped.__context__, BrokenPipeError) else stopped.code)
    except ClewError as error:
        context.complain(str(error))
        sys.exit(context.EXIT_USAGE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(context.EXIT_CLEAN)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRAS:
            raise
        context.complain(str(MissingExtraError(_EXTRAS[package], package)))
        sys.exit(context.EXIT_USAGE)
    except Exception as error:
        if context.options().verbose:
            raise
        name = type(error).__name__
        context.complain(f"internal error: {name}: {error}; run it with --verbose and report what it prints")
        sys.exit(context.EXIT_USAGE)
    except KeyboardInterrupt:
        context.complain("interrupted; what was committed is kept")
        sys.exit(130)


if __name__ == "__main__":
    main()
