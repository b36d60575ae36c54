"""The analyzer of a region that finds access from outside the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.collect.reads import Read
from clew.respond.model import Aspect, Place, Value, Write

if TYPE_CHECKING:
    from collections.abc import Mapping


def _write(operation: str, **parameters: Value) -> Write:
    return Write("accessanalyzer", operation, parameters, (f"access-analyzer:{operation}",))


def _analyzers(body: Mapping[str, Value], _: Place) -> Value:
    return sorted(
        ({"analyzerName": a["name"], "type": a["type"], "status": a["status"]} for a in body["analyzers"]),
        key=lambda analyzer: str(analyzer["analyzerName"]),
    )


def _change_analyzers(_: Place, current: Value, wanted: Value) -> tuple[Write, ...]:
    old, new = _named(current), _named(wanted)
    gone = [_write("DeleteAnalyzer", analyzerName=name) for name in old if name not in new]
    made = [
        _write("CreateAnalyzer", analyzerName=name, type=kind)
        for name, kind in new.items()
        if name not in old
    ]
    return (*made, *gone)


def _named(analyzers: Value) -> dict[str, str]:
    return {each["analyzerName"]: each["type"] for each in analyzers}


EXTERNAL_ACCESS_ANALYZERS = Aspect(
    "external-access-analyzers",
    Read("accessanalyzer", "ListAnalyzers"),
    lambda _: {"type": "ACCOUNT"},
    _analyzers,
    _change_analyzers,
    canonical=_named,
)
