"""Write `docs/reference/` from the program itself; `--check` says whether it is current.

The command-line page is the `--help` of every command, the rules page the texts of every built-in rule, the checks page
those of every check with the controls that ask it, the findings page what `clew validate` tells of policies, the
integrations page what each doctor of `clew explain integration` looks at. Beside them
`src/clew/audit/check_calls.toml`: the calls that each check reads, from its cases and the sample account.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from typer.main import get_command

from clew.audit import frameworks
from clew.audit.checks import CHECKS
from clew.cli.main import app
from clew.detect import catalog
from clew.explain.integrations import DOCTORS
from clew.policy.lint.catalogue import ENTRIES, OWN
from clew.policy.model import FindingType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.audit.model import Check
    from clew.detect.rule import Rule
    from clew.explain.doctor import Doctor

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
CALLS = ROOT / "src" / "clew" / "audit" / "check_calls.toml"
NOTE = "<!-- Written by tools/reference.py (`make docs`). Do not edit. -->\n"


def command_line() -> str:
    """The help of `clew` and of each command, in the order of the help."""
    pages = [f"## clew {' '.join(name)}\n\n{_help(*name)}" for name in _names(app)]
    return "\n".join([f"{NOTE}# Command line\n", _help(), *pages])


def _names(app: object) -> list[tuple[str, ...]]:
    names: list[tuple[str, ...]] = [
        (command.name or command.callback.__name__.replace("_", "-"),)
        for command in getattr(app, "registered_commands", ())
    ]
    for group in getattr(app, "registered_groups", ()):
        names.append((group.name,))
        names += [(group.name, *inner) for inner in _names(group.typer_instance)]
    return names


def _help(*command: str) -> str:
    """The help of a command as a terminal of 100 columns shows it; in this process, since there are many commands."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        get_command(app).main([*command, "--help"], prog_name="clew", standalone_mode=False)
    return f"```text\n{shown.getvalue().strip()}\n```\n"


def rules() -> str:
    """The catalogue of built-in rules, worst first."""
    found = sorted(catalog.load_builtin().reporting, key=lambda rule: (-rule.severity.rank, rule.id))
    parts = [
        f"{NOTE}# Detection rules\n",
        f"{len(found)} built-in rules, worst first. `clew rules show ID` prints one.\n",
        "| Rule | Severity | What it notices | ATT&CK |\n|---|---|---|---|",
    ]
    parts += [
        f"| [{rule.id}](#{rule.id}) | {rule.severity} | {rule.title} | {', '.join(rule.technique)} |"
        for rule in found
    ]
    return "\n".join([*parts, "", *map(_rule, found)])


def _rule(rule: Rule) -> str:
    lines = [f"## {rule.id}\n", f"**{rule.title}** ({rule.severity})\n", f"{rule.sigma.description}\n"]
    if rule.why_it_matters != rule.sigma.description:
        lines.append(f"*Why it matters.* {rule.why_it_matters}\n")
    lines += [f"*False positives.*\n\n{_bullets(rule.sigma.falsepositives)}\n"]
    lines += [f"*First steps.*\n\n{_bullets(rule.next_steps)}\n"]
    lines += [f"*References.* {', '.join(f'<{url}>' for url in rule.sigma.references)}\n"]
    return "\n".join(lines)


def calls_of_checks() -> dict[str, list[str]]:
    """The calls that each check reads."""
    sys.path.insert(0, str(ROOT))
    from tests.audit.asked import everywhere

    return everywhere()


def check_calls(calls: dict[str, list[str]]) -> str:
    """The calls of the checks as the file that ships with them."""
    rows = "".join(f"{check} = {json.dumps(found)}\n" for check, found in calls.items())
    return f"# The calls that each check reads. Written by tools/reference.py (`make docs`). Do not edit.\n{rows}"


def checks(calls: dict[str, list[str]]) -> str:
    """The catalogue of checks, and of the controls of each framework."""
    parts = [
        f"{NOTE}# Checks\n",
        f"{len(CHECKS)} checks, asked by the controls of {len(frameworks.NAMES)} frameworks.\n",
    ]
    for name in frameworks.NAMES:
        framework = frameworks.load(name)
        parts += [
            f"## {framework.title} (`{name}`)\n",
            "| Control | What it asks | Answered by |\n|---|---|---|",
        ]
        for control in framework.controls:
            asked = ", ".join(f"[{check}](#{check})" for check in control.checks)
            parts.append(f"| {control.id} | {control.title} | {asked or f'a person: {control.manual}'} |")
        parts.append("")
    return "\n".join([*parts, *(_check(check, calls[check.id]) for check in CHECKS.values())])


def _check(check: Check, calls: list[str]) -> str:
    parameters = ", ".join(f"`{name}` = {value}" for name, value in check.defaults.items())
    lines = [f"## {check.id}\n", f"**{check.title}** ({check.severity})\n"]
    lines += [f"*{heading}.* {text}\n" for heading, text in check.text.items()]
    lines += [f"*Parameters.* {parameters}\n"] if parameters else []
    return "\n".join([*lines, f"*Reads.* {', '.join(f'`{call}`' for call in calls)}\n"])


def findings() -> str:
    """The catalogue of policy checks, by weight."""
    parts = [
        f"{NOTE}# Findings of policy validation\n",
        f"{len(ENTRIES)} checks of IAM Access Analyzer, as `clew validate` tells them; ids lead to AWS's page.\n",
    ]
    for weight in FindingType:
        rows = [entry for entry in ENTRIES.values() if entry.finding_type is weight]
        parts += [f"## {weight.value} ({len(rows)})\n", "| Issue code | What it tells |\n|---|---|"]
        parts += [f"| [`{entry.id}`]({entry.link}) | {' '.join(entry.text.split())} |" for entry in rows]
        parts.append("")
    parts += ["## Our own\n", "| Issue code | What it tells |\n|---|---|"]
    parts += [f"| `{entry.id}` | {entry.text} |" for entry in OWN.values()]
    return "\n".join([*parts, ""])


def integrations() -> str:
    """The catalogue of integrations: what each looks at, its options, and the pages of AWS that it rests on."""
    parts = [
        f"{NOTE}# Integrations\n",
        f"{len(DOCTORS)} integrations; `clew explain integration NAME --policies SNAPSHOT` examines one.\n",
        "| Integration | Works when | Options | Looks at |\n|---|---|---|---|",
    ]
    parts += [
        f"| [{each.name}](#{each.name}) | {each.title} | `{each.options}` | {each.looks} |"
        for each in DOCTORS.values()
    ]
    return "\n".join([*parts, "", *map(_integration, DOCTORS.values())])


def _integration(doctor: Doctor) -> str:
    text = inspect.getdoc(inspect.getmodule(doctor.links)) or ""
    paragraphs = [" ".join(each.split()) for each in text.split("\n\n")]
    return "\n".join([f"## {doctor.name}\n", *(f"{each}\n" for each in paragraphs)])


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {' '.join(sentence.split())}" for sentence in sentences)


def main() -> int:
    """Write the pages, or compare them with `--check`."""
    os.environ |= {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    calls = calls_of_checks()
    pages = {
        REFERENCE / "cli.md": command_line(),
        REFERENCE / "rules.md": rules(),
        REFERENCE / "checks.md": checks(calls),
        REFERENCE / "findings.md": findings(),
        REFERENCE / "integrations.md": integrations(),
        CALLS: check_calls(calls),
    }
    stale = [
        page for page, text in pages.items() if not page.exists() or page.read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv:
        print(
            "\n".join(f"{page.relative_to(ROOT)} is stale; run `make docs`" for page in stale)
            or "reference is current"
        )
        return 1 if stale else 0
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for page in stale:
        page.write_text(pages[page], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
