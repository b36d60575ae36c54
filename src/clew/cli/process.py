"""The process `clew`: the command line, and an end that does not wait for what is loaded to be taken down."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import suppress

from clew.cli.main import main


def run() -> None:
    """Run the command line and end the process with its code.

    Python takes down module by module what it has loaded; after a million events that takes 0.15 s of CPU, which
    whoever waits for the answer waits for as well. The system lets go of everything at once.
    """
    try:
        main()
    except SystemExit as stopped:
        if isinstance(stopped.code, int) and not _others_run() and _is_written():
            os._exit(stopped.code)
        raise


def _others_run() -> bool:
    """Whether threads are left that Python would wait for."""
    return any(t is not threading.main_thread() and not t.daemon for t in threading.enumerate())


def _is_written() -> bool:
    """Do what was to be done at the end, write what is held back; False when that fails, which Python then tells."""
    atexit._run_exitfuncs()  # noqa: SLF001  # has no public name; Python itself calls it at this moment
    try:
        sys.stderr.flush()
        # Whoever reads our output may have left.
        with suppress(BrokenPipeError):
            sys.stdout.flush()
    except (OSError, ValueError):
        return False
    return True


if __name__ == "__main__":
    run()
