"""The command `clew`, imported once and forked for every command: what a user's shell starts, without the start.

`clew` takes a third of a second to start, and the documentation holds more than a hundred commands. A server imports
all of Clew; each command is a child of it with arguments, directory, environment and outputs of its own, and dies with
what it did. The server has one thread, so that forking it is safe.
"""

from __future__ import annotations

import functools
import gc
import importlib
import io
import json
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

import typer.main

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEADLINE_SECONDS = 120


class WarmClew:
    """A server of commands, which ends with its `with` block."""

    def __enter__(self) -> Self:
        self._server = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate()

    def run(
        self, arguments: Sequence[str], directory: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """What `clew` with these arguments ends with and prints; its standard input is empty."""
        with tempfile.TemporaryDirectory() as outputs:
            code = self._ask(
                {
                    "arguments": [*arguments],
                    "directory": str(directory),
                    "environment": {**environment},
                    "outputs": outputs,
                }
            )
            printed = [(Path(outputs) / name).read_text(encoding="utf-8") for name in ("stdout", "stderr")]
        return subprocess.CompletedProcess(["clew", *arguments], code, *printed)

    def _ask(self, command: dict[str, object]) -> int:
        asked, answers = self._server.stdin, self._server.stdout
        if asked is None or answers is None:
            raise RuntimeError("the server of commands was started without pipes")
        print(json.dumps(command), file=asked, flush=True)
        return int(answers.readline())


def serve() -> None:
    """Answer each line of standard input, a command, with its exit code."""
    _import_everything()
    gc.freeze()  # else a collection in a child copies all that is imported
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    os._exit(0)  # DuckDB complains about what is frozen when the interpreter ends


def _import_everything() -> None:
    import clew

    for module in pkgutil.walk_packages(clew.__path__, "clew."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
    typer.main.get_command = functools.cache(typer.main.get_command)  # what a start builds anew
    typer.main.get_command(importlib.import_module("clew.cli.main").app)


def _become(command: dict[str, Any]) -> NoReturn:
    """Be `clew` with these arguments, to the end of the process."""
    signal.alarm(DEADLINE_SECONDS)
    for number, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, "stdout", os.O_WRONLY),
        (2, "stderr", os.O_WRONLY),
    ):
        os.dup2(os.open(Path(command["outputs"]) / name, flags | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(command["environment"])
    os.chdir(command["directory"])
    sys.argv = ["clew", *command["arguments"]]
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False))
    try:
        importlib.import_module("clew.cli.main").main()
        code = 0
    except SystemExit as stopped:
        code = stopped.code if isinstance(stopped.code, int) else int(stopped.code is not None)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve()
