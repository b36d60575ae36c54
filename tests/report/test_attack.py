"""The ATT&CK names of the report."""

from __future__ import annotations

from clew.detect import catalog
from clew.report import attack


def test_every_technique_and_tactic_of_a_rule_has_a_name() -> None:
    """No built-in rule carries a technique or tactic that the report cannot name."""
    rules = catalog.load_builtin().rules
    assert {t for rule in rules for t in rule.technique if not attack.technique_name(t)} == set()
    assert {t for rule in rules for t in rule.tactics} <= set(attack.TACTICS)


def test_leading_tactic_is_the_rules_first() -> None:
    """The lane of a finding is the first tactic that its rule names."""
    assert attack.leading_tactic(("persistence", "initial-access")) == "persistence"
    assert attack.leading_tactic(()) == ""
