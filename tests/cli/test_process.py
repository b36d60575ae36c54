"""The end of the process `clew`: its code, what is written, what was to be done at the end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CLEW = [sys.executable, "-m", "clew"]


def ended(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a Python program that runs `clew` itself left behind."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        (["--version"], 0, "clew ", ""),
        (["rules", "show", "no-such-rule"], 2, "", "clew: no rule `no-such-rule`"),
        (["rules", "--no-such-option"], 2, "", "No such option"),
    ],
)
def test_the_code_and_the_output_arrive(arguments: list[str], code: int, out: str, err: str):
    """The process ends with the command's code when all that it wrote is there."""
    done = subprocess.run([*CLEW, *arguments], capture_output=True, check=False, text=True, timeout=60)
    assert done.returncode == code
    assert out in done.stdout
    assert err in done.stderr


def test_what_was_to_be_done_at_the_end_is_done():
    """Functions registered for the end of the process run before it."""
    program = (
        "import atexit, sys\nfrom clew.cli.process import run\n"
        "atexit.register(lambda: sys.stdout.write('last words'))\nsys.argv[0] = 'clew'\nrun()"
    )
    done = ended(program, "--version")
    assert (done.returncode, done.stdout.endswith("last words")) == (0, True)


def test_a_thread_that_works_is_waited_for():
    """A thread that Python would wait for finishes its work."""
    program = (
        "import sys, threading\nfrom clew.cli.process import run\ndone = threading.Event()\n"
        "threading.Thread(target=lambda: (done.wait(1), sys.stdout.write('worked'))).start()\n"
        "sys.argv[0] = 'clew'\nrun()"
    )
    done = ended(program, "--version")
    assert (done.returncode, done.stdout.endswith("worked")) == (0, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_output_that_cannot_be_written_is_no_success():
    """A disk that is full when the last of the output is written makes the process fail."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [*CLEW, "--version"], stdout=full, stderr=subprocess.PIPE, check=False, timeout=60
        )
    assert done.returncode not in {0, 1}
    assert b"No space left on device" in done.stderr
