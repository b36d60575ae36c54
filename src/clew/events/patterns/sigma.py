"""Sigma files as rules: what a document says, or where and why it cannot be used.

Rules, correlations (Sigma 2), filters, several documents per file and the older `action: global` are read. What is
not supported (aggregations in the condition, `near`, `timeframe`, placeholders, parts of a time) is a RuleError that
names file, line and rule. Field names are paths of the decoded CloudTrail record; `clew.<fact>` is a derived fact.

Two things are our own. The modifier `|element` binds conditions to one element of a list:

    selection:
      requestParameters.ipPermissions.items|element:
        fromPort|lte: 22
        toPort|gte: 22
        ipRanges.items.cidrIp: 0.0.0.0/0

And two types of correlation, over the events of the rules named in `rules`:

- `first_seen`: the values of `field` (one name or a list, taken together) have not been seen for the same `group-by`
  within `baseline` before. `scope`, a detection of its own, widens what counts as seen to the events that it matches
  (without it, the events of `rules`). While a group has less than `baseline` of history there is nothing to compare
  with, and nothing is found.
- `rate`: within `timespan` there are at least `minimum` events, and at least `ratio` times the mean of the same
  group's time spans in the `baseline` before.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Final

from clew.errors import RuleError
from clew.events.patterns.located_yaml import Located, documents, plain
from clew.events.patterns.sigma_correlation import read_correlation
from clew.events.patterns.sigma_detection import field_path, read_detection
from clew.events.patterns.sigma_model import (
    About,
    Condition,
    LogSource,
    Place,
    Problem,
    SigmaCorrelation,
    SigmaFilter,
    SigmaRule,
)
from clew.events.predicate_tree import And
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "Condition",
    "LogSource",
    "Problem",
    "SigmaCorrelation",
    "SigmaFilter",
    "SigmaRule",
    "field_path",
    "load",
    "load_files",
    "load_folder",
]

MAX_FILE_BYTES: Final = 1_000_000
_STRUCTURE = frozenset({"detection", "correlation", "filter", "logsource", "action", "generate"})
_NAMED = frozenset({"id", "name", "title", "description", "level", "status"})
_LISTS = frozenset({"tags", "references", "falsepositives", "fields"})


@dataclass(frozen=True, slots=True)
class _Reading:
    """What some documents gave."""

    rules: list[SigmaRule] = field(default_factory=list)
    correlations: list[SigmaCorrelation] = field(default_factory=list)
    filters: list[SigmaFilter] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def load(text: str, file: str) -> tuple[SigmaRule | SigmaCorrelation, ...]:
    """The rules and correlations of one text, in order of kind; its filters are applied.

    Errors: RuleError for the first thing that cannot be used, a rule about other logs than CloudTrail included.
    """
    found, problems = _finished(_read([(file, text)]))
    if problems:
        raise problems[0].error()
    return found


def load_folder(folder: Path) -> tuple[tuple[SigmaRule | SigmaCorrelation, ...], tuple[Problem, ...]]:
    """The usable rules of every `.yml` and `.yaml` below a folder (or of one file), and what is not used and why.

    Errors: RuleError when there is no such folder.
    """
    if not folder.exists():
        raise RuleError(f"no rules at `{folder}`")
    files = (
        [folder]
        if folder.is_file()
        else sorted(p for p in folder.rglob("*") if p.suffix in {".yml", ".yaml"})
    )
    return load_files(files)


def load_files(files: Iterable[Path]) -> tuple[tuple[SigmaRule | SigmaCorrelation, ...], tuple[Problem, ...]]:
    """The usable rules of the files taken together, and what is not used and why."""
    texts: list[tuple[str, str]] = []
    problems: list[Problem] = []
    for file in files:
        try:
            texts.append((str(file), _text(file)))
        except RuleError as error:
            problems.append(_problem(error))
    found, more = _finished(_read(texts))
    return found, (*problems, *more)


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise RuleError(f"larger than {MAX_FILE_BYTES:,} bytes", file=str(file), line=1)
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise RuleError(f"cannot be read: {reason}", file=str(file), line=1) from error


def _problem(error: RuleError, *, skipped: bool = False) -> Problem:
    return Problem(error.file, error.line, error.rule, error.message, skipped)


def _read(texts: Iterable[tuple[str, str]]) -> _Reading:
    """Every document of every text, those that cannot be used as problems."""
    reading = _Reading()
    for file, text in texts:
        try:
            pieces = _with_globals(documents(text, file), file, reading.problems)
        except RuleError as error:
            reading.problems.append(_problem(error))
            continue
        for piece in pieces:
            try:
                _read_document(piece, file, reading)
            except RuleError as error:
                reading.problems.append(_problem(error))
    return reading


def _with_globals(pieces: Sequence[Located], file: str, problems: list[Problem]) -> list[Located]:
    """The documents, each with what an earlier `action: global` says for all; what is no mapping is a problem."""
    shared: Mapping[str, Located] = {}
    found = []
    for piece in pieces:
        if piece.mapping is None:
            problems.append(Problem(file, piece.line, "", "a document must be a mapping"))
            continue
        action = piece.mapping.get("action")
        match action.scalar if action else None:
            case None:
                found.append(replace(piece, value=_merged(shared, piece.mapping)))
            case "global":
                shared = _merged(shared, piece.mapping)
            case "reset":
                shared = {}
            case other:
                raise RuleError(
                    f"unsupported `action: {other}`", file=file, line=action.line if action else 1
                )
    return found


def _merged(shared: Mapping[str, Located], own: Mapping[str, Located]) -> dict[str, Located]:
    """The keys of both; mappings are joined one level deep, else the document's own value wins."""
    merged = {**shared, **own}
    for key in shared.keys() & own.keys():
        old, new = shared[key].mapping, own[key].mapping
        if old is not None and new is not None:
            merged[key] = replace(own[key], value={**old, **new})
    merged.pop("action", None)
    return merged


def _read_document(piece: Located, file: str, reading: _Reading) -> None:
    parts = piece.mapping or {}
    place = Place(file, _spoken_name(parts))
    kinds = [kind for kind in ("detection", "correlation", "filter") if kind in parts]
    if len(kinds) != 1:
        raise place.error(piece.line, "a document needs one of `detection`, `correlation`, `filter`")
    about = _about(piece, place)
    if kinds == ["correlation"]:
        generate = "generate" in parts and parts["generate"].scalar is True
        reading.correlations.append(read_correlation(parts["correlation"], about, place, generate=generate))
        return
    source, reason = _logsource(parts, place, piece.line)
    if reason:
        line = parts["logsource"].key_line
        reading.problems.append(Problem(file, line, place.rule, reason, skipped=True))
        return
    common = {item.name: getattr(about, item.name) for item in fields(About)}
    predicate = read_detection(parts[kinds[0]], place)
    if kinds == ["detection"]:
        reading.rules.append(SigmaRule(**common, predicate=predicate, logsource=source))
    else:
        names = _filtered_rules(parts["filter"])
        reading.filters.append(SigmaFilter(**common, predicate=predicate, rules=names, logsource=source))


def _spoken_name(parts: Mapping[str, Located]) -> str:
    """What a complaint calls the rule: its name, else its title, else its id."""
    return next((str(parts[key].scalar) for key in ("name", "title", "id") if key in parts), "")


def _about(piece: Located, place: Place) -> About:
    parts = piece.mapping or {}
    texts = {key: _one_text(parts[key], key, place) for key in _NAMED if key in parts}
    lists = {key: _texts(parts[key], key, place) for key in _LISTS if key in parts}
    if not texts.get("title"):
        raise place.error(piece.line, "`title` is missing")
    level = texts.pop("level", "medium").lower()
    if level not in {severity.value for severity in Severity}:
        raise place.error(parts["level"].line, f"unknown level `{level}`; use one of {', '.join(Severity)}")
    extras = {key: plain(value) for key, value in parts.items() if key not in _STRUCTURE | _NAMED | _LISTS}
    return About(
        id=texts.get("id", ""),
        name=texts.get("name", ""),
        title=texts["title"],
        description=texts.get("description", "").strip(),
        level=Severity(level),
        status=texts.get("status", ""),
        **lists,
        extras=extras,
        file=place.file,
        line=piece.line,
    )


def _one_text(piece: Located, key: str, place: Place) -> str:
    if piece.mapping is not None or piece.items is not None:
        raise place.error(piece.line, f"`{key}` must be text")
    return "" if piece.scalar is None else str(piece.scalar)


def _texts(piece: Located, key: str, place: Place) -> tuple[str, ...]:
    if piece.mapping is not None or any(item.mapping or item.items for item in piece.many):
        raise place.error(piece.line, f"`{key}` must be a list of texts")
    return tuple(str(item.scalar) for item in piece.many if item.scalar is not None)


def _logsource(parts: Mapping[str, Located], place: Place, line: int) -> tuple[LogSource, str]:
    """The log source, and why the rule is not about CloudTrail ("" when it is)."""
    if "logsource" not in parts or parts["logsource"].mapping is None:
        raise place.error(line, "`logsource` is missing")
    given = parts["logsource"].mapping
    words = {
        key: _one_text(given[key], key, place) for key in ("product", "service", "category") if key in given
    }
    source = LogSource(**{key: word.lower() for key, word in words.items()})
    if source.product == "aws" and source.service in {"cloudtrail", ""} and not source.category:
        return source, ""
    spoken = " ".join(f"{key} `{word}`" for key, word in words.items())
    return source, f"is about {spoken or 'other logs'}, not CloudTrail"


def _filtered_rules(piece: Located) -> tuple[str, ...]:
    """The rules that a filter is for; empty = every rule."""
    rules = (piece.mapping or {}).get("rules")
    names = tuple(str(item.scalar) for item in rules.many) if rules else ()
    return () if names == ("any",) else names


def _finished(reading: _Reading) -> tuple[tuple[SigmaRule | SigmaCorrelation, ...], tuple[Problem, ...]]:
    """The rules, unique and filtered, with the correlations whose rules are all there; and every problem."""
    problems = list(reading.problems)
    everything = _unique([*reading.rules, *reading.correlations], problems)
    for extra in reading.filters:
        everything = _filtered(everything, extra, problems)
    return tuple(_resolved(everything, problems)), tuple(problems)


def _unique(
    items: Iterable[SigmaRule | SigmaCorrelation], problems: list[Problem]
) -> list[SigmaRule | SigmaCorrelation]:
    """The first of those that share an id or a name; the others become problems."""
    seen: dict[str, SigmaRule | SigmaCorrelation] = {}
    found = []
    for item in items:
        keys = [key for key in (item.id, item.name) if key]
        clash = next((key for key in keys if key in seen), None)
        if clash is None:
            found.append(item)
            seen.update(dict.fromkeys(keys, item))
        else:
            first = seen[clash]
            message = f"`{clash}` is already the id or name of the rule at {first.file}:{first.line}"
            problems.append(Problem(item.file, item.line, item.name or item.title, message))
    return found


def _filtered(
    items: Iterable[SigmaRule | SigmaCorrelation], extra: SigmaFilter, problems: list[Problem]
) -> list[SigmaRule | SigmaCorrelation]:
    """The rules with the filter's condition added to those that it names."""
    missing = set(extra.rules)
    found: list[SigmaRule | SigmaCorrelation] = []
    for item in items:
        hit = isinstance(item, SigmaRule) and (
            not extra.rules or bool({item.id, item.name} & set(extra.rules))
        )
        missing -= {item.id, item.name} if hit else set()
        if isinstance(item, SigmaRule) and hit:
            found.append(replace(item, predicate=And((item.predicate, extra.predicate))))
        else:
            found.append(item)
    for name in sorted(missing):
        message = f"the filter names `{name}`, which is no rule here"
        problems.append(Problem(extra.file, extra.line, extra.name or extra.title, message))
    return found


def _resolved(
    items: Sequence[SigmaRule | SigmaCorrelation], problems: list[Problem]
) -> list[SigmaRule | SigmaCorrelation]:
    """The items without the correlations that name a rule which is not among them, and those that name these."""
    known = {key for item in items for key in (item.id, item.name) if key}
    for item in items:
        unknown = (
            [name for name in item.rules if name not in known] if isinstance(item, SigmaCorrelation) else []
        )
        if unknown:
            message = f"the correlation names `{unknown[0]}`, which is no rule here"
            problems.append(Problem(item.file, item.line, item.name or item.title, message))
            rest = [other for other in items if other is not item]
            return _resolved(rest, problems)
    return list(items)
