"""An operator that is added to one table is missing from no other."""

from __future__ import annotations

from pathlib import Path

from spec.operators import OPERATORS as LAW

from clew.engine.conditions import OPERATORS

CASES = Path(__file__).parents[2] / "cases" / "conditions"


def test_engine_and_law_know_the_same_operators() -> None:
    """The engine's table and the law's have the same names, negated alike."""
    assert {name: row.negated for name, row in OPERATORS.items()} == {
        name: row.negated for name, row in LAW.items()
    }


def test_every_operator_has_cases() -> None:
    """Each operator has its own file of documented cases."""
    assert [name for name in OPERATORS if not (CASES / f"{name}.yaml").is_file()] == []
