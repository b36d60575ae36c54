"""Facts from AWS's documentation, one a row in `tests/cases/`: the engine and the law both give them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest
from tests.engine.cases import Case, cases, files, rows

from clew.aws.catalog import is_wildcard_only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

AT_LEAST: Final = 600
ANSWERS: Final = ("decision", "blocked_by", "determined_by", "missing_context", "error")


def _engine(case: Case) -> Mapping[str, object]:
    batch = pytest.importorskip("clew.engine.batch")
    return batch.evaluate_line(case.line, unknown_context=case.unknown_context)


def _law(case: Case) -> Mapping[str, object]:
    law = pytest.importorskip("spec.decide")
    wildcard_only = is_wildcard_only(case.line["request"]["action"])
    answer = law.decide(case.line, wildcard_only=wildcard_only, unknown_context=case.unknown_context)
    return {name: getattr(answer, name, None) for name in ANSWERS}


def _found(case: Case, answer: Mapping[str, object]) -> dict[str, object]:
    found: dict[str, object] = {"decision": str(answer["decision"])}
    if case.blocked_by is not None:
        found["blocked_by"] = [str(gate) for gate in answer["blocked_by"]]
    if case.determined_by is not None:
        found["determined_by"] = sorted(_name(each) for each in answer["determined_by"])
    if case.missing_context is not None and answer.get("missing_context") is not None:
        found["missing_context"] = sorted(key.lower() for key in answer["missing_context"])
    return found


def _expected(case: Case, found: Mapping[str, object]) -> dict[str, object]:
    expected: dict[str, object] = {"decision": case.expect}
    if case.blocked_by is not None:
        expected["blocked_by"] = list(case.blocked_by)
    if case.determined_by is not None:
        expected["determined_by"] = sorted(case.determined_by)
    if "missing_context" in found:
        expected["missing_context"] = sorted(key.lower() for key in case.missing_context or ())
    return expected


def _name(place: Mapping[str, object]) -> str:
    return str(place.get("sid") or f"{place['policy']}#{place['statement']}")


def _differences(file: str, decide: Callable[[Case], Mapping[str, object]]) -> Iterator[str]:
    for case in cases(file):
        answer = decide(case)
        found = _found(case, answer)
        expected = _expected(case, found)
        if found != expected or answer.get("error"):
            error = f" ({answer['error']})" if answer.get("error") else ""
            line = json.dumps(case.line)
            yield f"{case.name}: expected {expected}, found {found}{error}\n  [{case.page}]\n  {line}"


@pytest.mark.parametrize("decide", [_engine, _law], ids=["engine", "law"])
@pytest.mark.parametrize("file", files())
def test_documented_decisions(file: str, decide: Callable[[Case], Mapping[str, object]]) -> None:
    """Each row's decision, and the gates and statements that it names, are what AWS's page says."""
    differences = list(_differences(file, decide))
    assert not differences, f"{len(differences)} differ\n" + "\n".join(differences)


def test_every_row_is_a_sentence_with_a_page() -> None:
    """Each row has a name of its own in its file, and the page that it comes from."""
    for file in files():
        names = [row["name"] for row in rows(file)]
        assert len(names) == len(set(names)), (
            f"{file}: {sorted({name for name in names if names.count(name) > 1})}"
        )
        assert all(row["page"] for row in rows(file)), file


def test_there_are_enough_rows() -> None:
    """The tables hold at least six hundred facts."""
    assert sum(1 for file in files() for _ in rows(file)) >= AT_LEAST
