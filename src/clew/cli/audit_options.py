"""What the options of `clew audit` choose: frameworks, checks, thresholds, and where reports are written."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from clew.cli import context
from clew.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clew.audit.frameworks import Framework
    from clew.audit.model import Check
    from clew.audit.results import Audit
    from clew.findings import Severity

DEFAULT_FRAMEWORK = "cis-7.0"
_ALL = "all"
OWN_RULES = "Own rules"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The frameworks by name, what limits their checks, and the checks of people's own folders, by id."""

    frameworks: tuple[str, ...] = ()
    checks: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    severities: frozenset[Severity] = frozenset()
    own: Mapping[str, Check] = field(default_factory=dict)

    @property
    def known(self) -> Mapping[str, Check]:
        """Every check that may be asked, by id."""
        from clew.audit.checks import CHECKS

        return {**CHECKS, **self.own}

    def load(self) -> tuple[Framework, ...]:
        """The frameworks with the controls that remain. Errors: `UsageError` where none does, or a name is unknown.

        Checks that are named without a framework are asked by their own ids, and so are people's own, in any case.
        """
        from clew.audit import frameworks
        from clew.audit.checks import named

        known = self.known
        choice = frameworks.Choice(self.checks, self.services, self.severities)
        asked = [named(each, known) for each in sorted(self.checks)]
        services = {check.service for check in known.values()}
        for service in sorted(self.services - services):
            raise UsageError(
                f"no check of `{service[:80]}`; there are checks of {', '.join(sorted(services))}"
            )
        if asked and not self.frameworks:
            loaded = [frameworks.of_checks(asked)]
        else:
            default = () if self.own else (DEFAULT_FRAMEWORK,)
            loaded = [_framework(name) for name in dict.fromkeys(self.frameworks or default)]
            loaded += [frameworks.of_checks(self.own.values(), OWN_RULES)] if self.own else []
        narrowed = (choice.narrowed(each, known) for each in loaded)
        found = tuple(each for each in narrowed if each.controls)
        if not found:
            raise UsageError("no check of the framework fits what is asked; `clew audit checks` lists them")
        return found


def _framework(name: str) -> Framework:
    from clew.audit import frameworks
    from clew.audit.checks import CHECKS

    return frameworks.of_checks(CHECKS.values(), "All checks") if name == _ALL else frameworks.load(name)


@dataclass(frozen=True, slots=True)
class Writing:
    """In which formats a report is written, and where; `statuses` are the verdicts to show, all where empty."""

    output: str = "text"
    out: Path | None = None
    folder: Path | None = None
    show: int = 5
    statuses: tuple[str, ...] = ()

    def formats(self) -> tuple[str, ...]:
        """The names of the formats. Errors: `UsageError` for one that there is not, or too many for one file."""
        from clew.report.audit_formats import FORMATS

        names = tuple(dict.fromkeys(part.strip() for part in self.output.split(",") if part.strip()))
        for name in names:
            if name not in FORMATS:
                raise UsageError(f"`{name[:80]}` is no format; there are {', '.join(FORMATS)}")
        if len(names) != 1 and self.out is not None:
            raise UsageError("`--out` is one file; give `--output-dir` for several formats")
        return names or ("text",)

    def verdicts(self) -> frozenset[str]:
        """The verdicts to show. Errors: `UsageError` for a word that is none."""
        from clew.audit.model import Verdict

        for each in self.statuses:
            if each not in set(Verdict):
                raise UsageError(f"`{each[:80]}` is no status; there are {', '.join(Verdict)}")
        return frozenset(self.statuses)

    def write(self, audit: Audit) -> None:
        """Write every format: one to stdout unless a place is named, several as files beside each other."""
        from clew.report import audit_formats

        names = self.formats()
        options = audit_formats.Options(context.use_color(), self.show, self.verdicts())
        if len(names) == 1 and self.folder is None and self.out is None:
            _to_stdout(audit_formats.render(audit, names[0], options))
            return
        for name, path in self._places(audit, names):
            _to_file(path, audit_formats.render(audit, name, options))
            context.note(f"wrote {path}")

    def _places(self, audit: Audit, names: Sequence[str]) -> Iterator[tuple[str, Path]]:
        from clew.report import audit_formats

        folder = self.folder or Path()
        stem = f"audit-{audit.as_of:%Y-%m-%dT%H%M%SZ}"
        for name in names:
            yield name, self.out or folder / f"{stem}.{audit_formats.SUFFIXES[name]}"


def _to_stdout(told: str | bytes) -> None:
    if isinstance(told, str):
        sys.stdout.write(told)
    elif sys.stdout.isatty():
        raise UsageError("this format is no text; give `--out FILE`")
    else:
        sys.stdout.buffer.write(told)


def _to_file(path: Path, told: str | bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(told.encode() if isinstance(told, str) else told)
    except OSError as error:
        raise InputError(f"`{path}` cannot be written: {(error.strerror or str(error)).lower()}") from error


def own_checks(folders: Sequence[str]) -> Mapping[str, Check]:
    """The checks of people's own folders, by id. Errors: `UsageError`, `RuleError`."""
    from clew.audit import custom

    return custom.checks(folders) if folders else {}


def checks_text(chosen: Chosen) -> str:
    """The chosen checks as lines: id, severity, title, and the controls that ask for each."""
    from clew.audit import frameworks

    known = chosen.known
    asked: dict[str, list[str]] = {}
    for name in frameworks.NAMES:
        for control in frameworks.load(name).controls:
            for check in control.checks:
                asked.setdefault(check, []).append(f"{name} {control.id}")
    ids = {check for framework in chosen.load() for control in framework.controls for check in control.checks}
    found = [known[each] for each in sorted(ids)]
    width = max((len(check.id) for check in found), default=0)
    return "\n".join(
        f"{check.id:<{width}}  {check.severity.value:<13}  {check.title} ({', '.join(asked.get(check.id, ['-']))})"
        for check in found
    )


def frameworks_text() -> str:
    """The benchmarks as lines: name, title, how many controls, how many of them checks answer."""
    from clew.audit import frameworks

    lines = []
    for name in frameworks.NAMES:
        found = frameworks.load(name)
        answered = sum(bool(control.checks) for control in found.controls)
        lines.append(
            f"{name:<28}{found.title}: {len(found.controls)} controls, {answered} answered by checks"
        )
    return "\n".join(lines)
