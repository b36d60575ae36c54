"""The commands of the documentation, run as they stand: `console` blocks are compared with their output.

A block of language `console` holds lines `$ command` and the output that a user gets; a line `...` stands for any
number of lines. A block of language `sh` holds commands only. Commands of one page share a Clew home and run from the
repository's root. `python tools/console.py [PAGE]...` runs the named pages, or all; `--write` puts the real output in.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from warm import WarmClew

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(console|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# 0 clean, 1 findings, 3 partial; 2 means that the page shows a command that does not exist.
EXPECTED_CODES = {0, 1, 3}
# What a shell leaves as it is.
QUOTED = re.compile(r"""'[^']*'|"[^"$`\\]*\"""")
SHELL = frozenset("|&;<>()$`\\*?[]{}~#!")


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a page: where it stands, what it is, what the page says it prints (None: not said)."""

    page: Path
    line: int
    text: str
    output: str | None


def pages() -> list[Path]:
    """The README and every page of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(page: Path) -> list[Command]:
    """The commands of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for fence in FENCE.finditer(text):
        first = text.count("\n", 0, fence.start(2)) + 1
        split = _console if fence[1] == "console" else _shell
        found += [Command(page, first + offset, shown, output) for offset, shown, output in split(fence[2])]
    return [command for command in found if command.text.startswith(("clew ", "cat ", "echo ", "zcat "))]


def _shell(block: str) -> list[tuple[int, str, str | None]]:
    joined = re.sub(r"\\\n\s*", lambda m: " " * len(m[0]), block)
    return [
        (index, re.sub(r"\s+# .*", "", line).strip(), None)
        for index, line in enumerate(joined.splitlines())
        if line.strip() and not line.startswith("#")
    ]


def _console(block: str) -> list[tuple[int, str, str | None]]:
    found: list[tuple[int, str, str | None]] = []
    for index, line in enumerate(block.splitlines()):
        if line.startswith("$ "):
            found.append((index, line[2:], ""))
        elif found:
            offset, text, output = found[-1]
            found[-1] = (offset, text, f"{output}{line}\n")
    return found


def run(command: Command, home: str, clew: WarmClew) -> tuple[int, str]:
    """Run a command as a user would; returns the exit code and what it printed."""
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("CLEW_", "AWS_"))},
        "CLEW_HOME": home,
        "NO_COLOR": "1",
        "COLUMNS": "100",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    if is_plain(command.text):
        done = clew.run(shlex.split(command.text)[1:], ROOT, environment)
    else:
        done = _shell_run(command.text, environment)
    return done.returncode, done.stdout + (done.stderr if done.returncode not in EXPECTED_CODES else "")


def is_plain(text: str) -> bool:
    """Whether the command is `clew` and its arguments, with nothing that a shell would have to do."""
    return text.startswith("clew ") and not SHELL & set(QUOTED.sub("", text))


def _shell_run(text: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S602  # our own pages, run as they stand
        text,
        shell=True,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def matches(expected: str, actual: str) -> bool:
    """Whether the output is what the page says; a line `...` stands for any lines."""
    pieces = [re.escape(piece) for piece in re.split(r"^\.\.\.\n", expected, flags=re.MULTILINE)]
    return re.fullmatch("(?s:.*)".join(pieces), actual) is not None


def check(page: Path, clew: WarmClew) -> list[str]:
    """What is wrong on a page: commands that fail and outputs that differ."""
    problems = []
    with tempfile.TemporaryDirectory() as home:
        for command in commands(page):
            code, actual = run(command, home, clew)
            where = f"{page.relative_to(ROOT)}:{command.line}"
            if code not in EXPECTED_CODES:
                problems.append(f"{where}: `{command.text}` ends with {code}:\n{actual}")
            elif command.output is not None and not matches(command.output, actual):
                problems.append(f"{where}: `{command.text}` now prints:\n{actual}")
    return problems


def rewrite(page: Path, clew: WarmClew) -> None:
    """Put the real output into a page's `console` blocks that hold no `...`."""
    text = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as home:
        for command in commands(page):
            _, actual = run(command, home, clew)
            if command.output is not None and "...\n" not in command.output:
                old = f"$ {command.text}\n{command.output}"
                text = text.replace(old, f"$ {command.text}\n{actual}", 1)
    page.write_text(text, encoding="utf-8")


def main() -> int:
    """Check the named pages, or all; rewrite them with `--write`."""
    named = [Path(argument).resolve() for argument in sys.argv[1:] if argument != "--write"]
    for page in named:
        if page not in pages():
            print(f"`{page}` is no page of the documentation", file=sys.stderr)
            return 2
    with WarmClew() as clew:
        if "--write" in sys.argv:
            for page in named or pages():
                rewrite(page, clew)
            return 0
        problems = [problem for page in named or pages() for problem in check(page, clew)]
    print("\n".join(problems) or "every command of the documentation runs")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
