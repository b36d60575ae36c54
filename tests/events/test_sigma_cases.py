"""Every case of `tests/cases/sigma` holds: what rules match, what they miss, and what is refused where."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.case_files import read_case_file

from clew.errors import RuleError
from clew.events.patterns import sigma
from clew.events.predicate import compile_all, compile_predicate

CASES = Path(__file__).parent.parent / "cases" / "sigma"
HEAD = "title: A rule\nname: a-rule\nlogsource: {product: aws, service: cloudtrail}\n"


def cases(*names):
    """The cases of the files, each named by what it says."""
    found = [case for name in names for case in read_case_file(CASES / name)]
    return [pytest.param(case, id=case["name"]) for case in found]


def loaded(case):
    """The rule with the case's detection."""
    text = HEAD + yaml.safe_dump({"detection": case["detection"]}, allow_unicode=True, sort_keys=False)
    (rule,) = sigma.load(text, "rule.yml")
    return rule


@pytest.mark.parametrize("case", cases("values.yaml", "lists_and_conditions.yaml"))
def test_a_rule_matches_what_the_case_says(case):
    """A rule is true of the events listed under `matches` and of none listed under `misses`."""
    test = compile_predicate(loaded(case).predicate)
    assert [event for event in case["matches"] if not test(event)] == []
    assert [event for event in case["misses"] if test(event)] == []


def test_rules_taken_together_match_the_same():
    """Looking rules up by event name changes no answer."""
    every = [param.values[0] for param in cases("values.yaml", "lists_and_conditions.yaml")]
    trees = [(case["name"], loaded(case).predicate) for case in every]
    together = compile_all(trees)
    for case in every:
        for event in case["matches"] + case["misses"]:
            assert together(event) == [name for name, tree in trees if compile_predicate(tree)(event)]


@pytest.mark.parametrize("case", cases("refused.yaml"))
def test_what_is_not_supported_is_named_with_its_line(case):
    """A construct that Clew cannot run is an error with file, line and rule."""
    with pytest.raises(RuleError) as error:
        sigma.load(HEAD + "detection:\n" + case["detection"], "rule.yml")
    assert str(error.value).startswith(f"rule.yml:{case['line']}: ")
    assert case["says"] in str(error.value)
    assert "stands twice" in str(error.value) or "rule `a-rule`" in str(error.value)
