"""A folder of people's own rules: Python functions with `@check`, and assertions in YAML.

A Python file is the user's own program and is run as such. Its checks are asked periodically, or on changes where it
says `TRIGGER = "change"`, or of which types they are: `RESOURCES = ("AWS::S3::Bucket",)`. An error in it is located; an
error of a check while it judges makes the answer unknown.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clew.audit import assertions
from clew.audit.checks import CHECKS
from clew.audit.model import Check, Judgement, Verdict
from clew.errors import RuleError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import ModuleType

    from clew.audit.assertions import Assertion, Trigger
    from clew.audit.model import Parameter, State

# What a program may raise for its own faults; an interrupt or an exit is no fault of a rule.
_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a folder: its check, when it is asked, about which types, and where it stands."""

    check: Check
    trigger: Trigger
    resources: tuple[str, ...]
    file: str
    line: int
    assertion: Assertion | None = None


def load(folders: Sequence[str]) -> tuple[Rule, ...]:
    """Every rule of these folders, in the order of files.

    Errors: `UsageError` for a folder without rules; `RuleError`, located, for a rule that cannot be read, and for an id
    that is given twice or is that of a check of Clew.
    """
    rules: dict[str, Rule] = {}
    for folder in folders:
        found = list(_of_folder(Path(folder)))
        if not found:
            raise UsageError(f"`{folder}` holds no rules; expected .yaml or .py files")
        for rule in found:
            identity = rule.check.id
            if identity in CHECKS:
                message = f"`{identity}` is the id of a check of Clew; choose another"
                raise RuleError(message, file=rule.file, line=rule.line)
            if identity in rules:
                message = f"the id `{identity}` stands in {rules[identity].file}, too"
                raise RuleError(message, file=rule.file, line=rule.line)
            rules[identity] = rule
    return tuple(rules.values())


def checks(folders: Sequence[str]) -> Mapping[str, Check]:
    """The checks of these folders, by id. Errors: those of `load`."""
    return {rule.check.id: rule.check for rule in load(folders)}


def _of_folder(folder: Path) -> Iterator[Rule]:
    if not folder.is_dir():
        raise UsageError(f"`{folder}` is no folder; expected one with .yaml or .py files")
    for path in sorted(folder.iterdir()):
        if path.suffix in {".yaml", ".yml"}:
            yield from _of_yaml(path)
        elif path.suffix == ".py" and not path.name.startswith("_"):
            yield from _of_python(path)


def _of_yaml(path: Path) -> Iterator[Rule]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(f"cannot be read: {error}", file=str(path), line=1) from error
    for check, assertion, line in assertions.parse(text, str(path)):
        yield Rule(check, assertion.trigger, (assertion.resource,), str(path), line, assertion)


def _of_python(path: Path) -> Iterator[Rule]:
    module = _module(path)
    resources = tuple(getattr(module, "RESOURCES", ()))
    given = getattr(module, "TRIGGER", "change" if resources else "periodic")
    if given not in {"change", "periodic"}:
        raise RuleError(f"TRIGGER is `{given}`; expected change or periodic", file=str(path), line=1)
    trigger: Trigger = "change" if given == "change" else "periodic"
    for value in vars(module).values():
        if isinstance(value, Check):
            guarded = replace(value, function=_guarded(value.function, str(path)))
            line = getattr(getattr(value.function, "__code__", None), "co_firstlineno", 1)
            yield Rule(guarded, trigger, resources, str(path), line)


def _module(path: Path) -> ModuleType:
    """The file as a module of its own name, so that two files of one name do not meet."""
    name = f"clew_rules_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RuleError("no Python file", file=str(path), line=1)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except _FAULTS as error:
        del sys.modules[name]
        raise RuleError(_told(error), file=str(path), line=_line(error, str(path))) from error
    return module


def _told(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {text.splitlines()[0] if text else 'no reason given'}"


def _line(error: BaseException, file: str) -> int:
    """The last line of the file that the error passed through."""
    if isinstance(error, SyntaxError) and error.lineno:
        return error.lineno
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return (frames[-1].lineno or 1) if frames else 1


def _guarded(function: Callable[..., Iterator[Judgement]], file: str) -> Callable[..., Iterator[Judgement]]:
    """The function, with an answer of unknown where it fails: what cannot be judged is no pass."""

    def judged(state: State, **parameters: Parameter) -> Iterator[Judgement]:
        try:
            found = tuple(function(state, **parameters))
        except _FAULTS as error:
            message = f"the rule failed: {file}:{_line(error, file)}: {_told(error)}"
            found = (Judgement(Verdict.UNKNOWN, state.account_arn, message, missing=(file,)),)
        yield from found

    return judged
