"""The law stands alone, and its table of rules is complete."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from pathlib import Path

from spec.operators import OPERATORS

ROOT = Path(__file__).resolve().parents[2] / "spec"
ROWS = [
    line
    for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| [0-9]+ \|", line)
]
ELSEWHERE = {38, 39, 41}
CODE = r"`([a-z0-9]+)\.([A-Za-z_.]+)`"


def test_the_law_imports_nothing_of_ours():
    """Only the standard library and the law itself."""
    for path in ROOT.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert name.split(".")[0] in {*sys.stdlib_module_names, "spec"}, f"{path.name} imports {name}"


def test_every_rule_has_a_row():
    """All 55 rules stand in the table, but those that are not about deciding one request."""
    assert {int(row.split("|")[1]) for row in ROWS} == set(range(1, 56)) - ELSEWHERE


def test_every_row_names_functions_that_exist():
    """The table points at code that is there, and names an AWS page."""
    for row in ROWS:
        _, _, _, where, page, _ = row.split(" | ".strip())
        found = re.findall(CODE, where)
        assert found or "the same" in where, row
        assert page.strip(), row
        for module, name in found:
            value = importlib.import_module(f"spec.{module}")
            for part in name.split("."):
                value = getattr(value, part)


def test_every_rule_stands_in_a_docstring():
    """Each rule number of the table is cited by some docstring of the law."""
    texts = [
        docstring
        for path in ROOT.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.Module | ast.ClassDef)
        and (docstring := ast.get_docstring(node))
    ]
    cited = {
        number
        for text in texts
        for clause in re.findall(r"[Rr]ules? ([0-9, toand]+)", text)
        for number in _numbers(clause)
    }
    missing = {int(row.split("|")[1]) for row in ROWS} - cited
    assert not missing


def test_the_operators_are_awss():
    """The table of operators holds AWS's names, each negated one beside its positive form."""
    assert len(OPERATORS) == 27
    assert "Null" in OPERATORS


def _numbers(clause: str) -> set[int]:
    spans = re.findall(r"([0-9]+) to ([0-9]+)", clause)
    single = {int(number) for number in re.findall(r"[0-9]+", clause)}
    return single | {number for low, high in spans for number in range(int(low), int(high) + 1)}
