"""Facts from AWS's documentation, one a row in `tests/cases/`: the engine and the law both give them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest
from spec.decide import decide
from spec.operators import OPERATORS as LAW_OPERATORS
from tests.engine.cases import Case, cases, files, read, rows

from clew.aws.catalog import is_wildcard_only
from clew.engine.batch import evaluate_line
from clew.engine.conditions import OPERATORS as ENGINE_OPERATORS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

AT_LEAST: Final = 2_000
RULES: Final = range(1, 56)  # the numbered rules that tools get wrong
CHOICES: Final = range(1, 16)  # the choices where AWS's pages are silent
EXAMPLES: Final = {
    *(f"PO{number}" for number in range(1, 12)),
    *(f"PA{number}" for number in range(1, 7)),
    *(f"PD{number}" for number in range(1, 9)),
    *(f"AR{number}" for number in range(1, 10)),
    "CR3",
}
ANSWERS: Final = ("decision", "blocked_by", "determined_by", "missing_context", "error")


def _engine(case: Case) -> Mapping[str, object]:
    return evaluate_line(case.line, unknown_context=case.unknown_context)


def _law(case: Case) -> Mapping[str, object]:
    wildcard_only = is_wildcard_only(case.line["request"]["action"])
    answer = decide(case.line, wildcard_only=wildcard_only, unknown_context=case.unknown_context)
    return {name: getattr(answer, name, None) for name in ANSWERS}


def _found(case: Case, answer: Mapping[str, object]) -> dict[str, object]:
    found = _outcome(answer)
    if case.blocked_by is None:
        del found["blocked_by"]
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


def _settled(file: str) -> Iterator[Case]:
    return (case for case in cases(file) if "open" not in case.row)


def _differences(wanted: Iterable[Case], judge: Callable[[Case], Mapping[str, object]]) -> Iterator[str]:
    for case in wanted:
        answer = judge(case)
        found = _found(case, answer)
        expected = _expected(case, found)
        if found != expected or answer.get("error"):
            error = f" ({answer['error']})" if answer.get("error") else ""
            line = json.dumps(case.line)
            yield f"{case.name}: expected {expected}, found {found}{error}\n  [{case.page}]\n  {line}"


@pytest.mark.parametrize("judge", [_engine, _law], ids=["engine", "law"])
@pytest.mark.parametrize("file", files())
def test_documented_decisions(file: str, judge: Callable[[Case], Mapping[str, object]]) -> None:
    """Each row's decision, and the gates and statements that it names, are what AWS's page says."""
    differences = list(_differences(_settled(file), judge))
    assert not differences, f"{len(differences)} differ\n" + "\n".join(differences)


@pytest.mark.parametrize("file", files())
def test_the_law_and_the_engine_give_one_account(file: str) -> None:
    """On every row, as it stands and with every key unknown that it does not give, engine and law tell the same."""
    for case in cases(file):
        for unknown in (False, True):
            asked = replace(case, unknown_context=unknown)
            assert _account(_engine(asked)) == _account(_law(asked)), (
                case.name,
                unknown,
                json.dumps(case.line),
            )


@pytest.mark.parametrize("file", files())
def test_what_is_decided_with_unknown_keys_is_decided_without(file: str) -> None:
    """An answer that does not wait for the unknown keys is the documented one, where those keys are absent."""
    for case in _settled(file):
        found = str(_engine(replace(case, unknown_context=True))["decision"])
        assert found in {case.expect, "undetermined"}, (case.name, found)


@pytest.mark.parametrize("judge", [_engine, _law], ids=["engine", "law"])
def test_open_rows_are_open(judge: Callable[[Case], Mapping[str, object]]) -> None:
    """A row that is marked as open is one that we do not answer as documented; once we do, the mark goes."""
    for case in (case for file in files() for case in cases(file) if "open" in case.row):
        assert list(_differences([case], judge)), f"{case.file}: {case.name}: take `open` away"


def _account(answer: Mapping[str, object]) -> dict[str, object]:
    places = sorted(
        (str(each["gate"]), each["policy"], each["statement"]) for each in answer["determined_by"]
    )
    return {**_outcome(answer), "determined_by": places}


def _outcome(answer: Mapping[str, object]) -> dict[str, object]:
    return {"decision": str(answer["decision"]), "blocked_by": [str(gate) for gate in answer["blocked_by"]]}


def test_every_row_is_a_sentence_with_a_page() -> None:
    """Each row has a name of its own in its file, and the page that it comes from."""
    for file in files():
        names = [row["name"] for row in rows(file)]
        assert len(names) == len(set(names)), (
            f"{file}: {sorted({name for name in names if names.count(name) > 1})}"
        )
        assert all(row["page"] for row in rows(file)), file


def test_there_are_enough_rows() -> None:
    """The tables hold at least two thousand facts."""
    assert sum(1 for file in files() for _ in rows(file)) >= AT_LEAST


def test_every_operator_has_a_file() -> None:
    """The engine and the law know the same operators, and each has a case file of its name."""
    named = {read(file).get("operator") for file in files("conditions")} - {None}
    assert named == set(ENGINE_OPERATORS) == set(LAW_OPERATORS)
    assert all(read(f"conditions/{name}")["operator"] == name for name in named)


@pytest.mark.parametrize("name", sorted(ENGINE_OPERATORS))
def test_every_operator_has_all_sides(name: str) -> None:
    """Each operator has rows that match, that do not and that are open; each qualified form matches and does not."""
    seen: dict[str, set[object]] = {}
    for row in rows(f"conditions/{name}"):
        seen.setdefault(row.get("with", name), set()).add(row["matches"])
    assert seen[name] == {True, False, "unknown"}
    if name != "Null":
        for form in (f"{name}IfExists", f"ForAllValues:{name}", f"ForAnyValue:{name}"):
            assert {True, False} <= seen.get(form, set()), form


def test_every_rule_and_choice_has_a_row() -> None:
    """Each of the rules that tools get wrong, and each choice where AWS is silent, is the rule of some row."""
    found = {
        field: {row.get(field) for file in files() for row in rows(file)} for field in ("rule", "choice")
    }
    assert found["rule"] >= set(RULES)
    assert found["choice"] >= set(CHOICES)


def test_every_source_example_has_a_row() -> None:
    """Each example of the source documents that is a decision is a case under its id."""
    assert {row.get("example") for file in files("source") for row in rows(file)} == EXAMPLES
