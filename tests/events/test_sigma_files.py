"""Sigma documents and folders: correlations, filters, several documents, and what is left out with its reason."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clew.errors import RuleError
from clew.events.patterns import sigma
from clew.events.predicate import compile_predicate
from clew.findings import Severity

LOGS = "logsource: {product: aws, service: cloudtrail}\n"
BASE = f"title: Base\nname: base\n{LOGS}detection:\n  s:\n    eventName: a\n  condition: s\n"


def correlation(body):
    """The correlation with that body, over the rule `base`."""
    items = sigma.load(f"{BASE}---\ntitle: C\nname: c\ncorrelation:\n  rules: base\n{body}", "f.yml")
    return items[-1]


def test_a_rule_carries_its_texts():
    """What a rule says about itself is kept, unknown keys as extras."""
    text = f"""title: T
id: 4c0ce5b1-0000-4000-8000-000000000000
name: t
status: test
level: High
description: |
  What it is.
tags: [attack.t1078.004]
references: [https://docs.aws.amazon.com/]
falsepositives: [Tests]
fields: [eventName]
author: A
date: 2024-01-01
why: Because.
next_steps: [Look., Act.]
{LOGS}detection:
  s:
    eventName: a
  condition: s
"""
    (rule,) = sigma.load(text, "f.yml")
    assert (rule.level, rule.description, rule.tags) == (Severity.HIGH, "What it is.", ("attack.t1078.004",))
    assert (rule.falsepositives, rule.fields, rule.line) == (("Tests",), ("eventName",), 1)
    assert rule.extras == {
        "author": "A",
        "date": "2024-01-01",
        "why": "Because.",
        "next_steps": ["Look.", "Act."],
    }


def test_a_count_in_a_time_span():
    """An event count names its rules, group, time span and threshold."""
    found = correlation(
        "  type: event_count\n  group-by: [userIdentity.arn]\n  timespan: 15m\n  condition: {gte: 10}\n"
    )
    assert (found.type, found.rules, found.timespan) == ("event_count", ("base",), timedelta(minutes=15))
    assert (found.group_by, found.condition) == ((("userIdentity", "arn"),), sigma.Condition("gte", 10))


@pytest.mark.parametrize(
    ("kind", "condition"),
    [("value_count", "{field: sourceIPAddress, gt: 3}"), ("value_sum", "{field: x.bytes, gt: 3}"),
     ("value_percentile", "{field: x.bytes, gt: 3, percentile: 99}")],
)  # fmt: skip
def test_correlations_over_a_field(kind, condition):
    """Distinct counts, sums and percentiles name the field that they are about."""
    found = correlation(f"  type: {kind}\n  timespan: 1h\n  condition: {condition}\n")
    assert found.condition is not None
    assert found.condition.field in {(("sourceIPAddress",),), (("x", "bytes"),)}


def test_a_sequence_with_aliases():
    """Rules in order are joined by an alias that has a field in each."""
    found = correlation(
        "  type: temporal_ordered\n  timespan: 1d\n  group-by: [who]\n"
        "  aliases:\n    who:\n      base: userIdentity.arn\n"
    )
    assert found.aliases == {"who": {"base": ("userIdentity", "arn")}}
    assert found.condition is None
    assert not found.generate


def test_first_seen_and_rate():
    """Clew's own types compare with what a group did before."""
    new = correlation("  type: first_seen\n  field: [awsRegion, eventSource]\n  baseline: 7d\n")
    assert (new.fields_seen, new.baseline) == ((("awsRegion",), ("eventSource",)), timedelta(days=7))
    rate = correlation(
        "  type: rate\n  timespan: 5m\n  baseline: 7d\n  ratio: 10\n  minimum: 50\n  generate: true\n"
    )
    assert (rate.ratio, rate.minimum, rate.generate) == (10, 50, True)


def test_first_seen_within_a_scope():
    """What counts as seen before can be wider than what is looked for."""
    body = "  type: first_seen\n  field: awsRegion\n  baseline: 7d\n"
    scope = correlation(f"{body}  scope:\n    s:\n      readOnly: false\n    condition: s\n").scope
    assert scope is not None
    assert compile_predicate(scope)({"readOnly": False})


@pytest.mark.parametrize(
    ("body", "line", "says"),
    [
        ("  type: sometimes\n", 13, "unsupported correlation type `sometimes`"),
        ("  type: event_count\n  timespan: 5m\n", 12, "needs `condition`"),
        ("  type: event_count\n  timespan: 5\n  condition: {gte: 1}\n", 14, "found `5`"),
        ("  type: event_count\n  timespan: 5m\n  condition: {gte: 1, lt: 9}\n", 15, "exactly one of"),
        ("  type: event_count\n  timespan: 5m\n  condition: {gte: 1, field: a}\n", 15, "takes no `field`"),
        ("  type: value_count\n  timespan: 5m\n  condition: {gte: 1}\n", 15, "needs a `field`"),
        ("  type: event_count\n  timespan: 5m\n  condition: {gte: a}\n", 15, "must be a number"),
        ("  type: temporal\n  timespan: 5m\n  condition: base and base\n", 15, "must be a mapping"),
        ("  type: temporal\n  timespan: 5m\n  baseline: 7d\n", 15, "unsupported key `baseline`"),
    ],
)
def test_a_correlation_that_cannot_run_is_named_with_its_line(body, line, says):
    """A correlation that is malformed or not supported is an error with file, line and rule."""
    with pytest.raises(RuleError) as error:
        correlation(body)
    assert str(error.value).startswith(f"f.yml:{line}: rule `c`: ")
    assert says in str(error.value)


def test_a_global_document_is_part_of_the_others():
    """The older `action: global` gives its keys to the documents that follow."""
    text = f"action: global\ntitle: G\n{LOGS}detection:\n  condition: s\n"
    text += "---\nname: one\ndetection:\n  s: {eventName: a}\n"
    text += "---\nname: two\ndetection:\n  s: {eventName: b}\n"
    one, two = sigma.load(text, "f.yml")
    assert (one.name, two.name, two.title) == ("one", "two", "G")
    assert compile_predicate(two.predicate)({"eventName": "b"})


def test_a_filter_narrows_the_rules_that_it_names():
    """An organisation's filter adds its condition to the rules named, wherever they stand."""
    text = (
        f"{BASE}---\ntitle: F\n{LOGS}filter:\n  rules: [base]\n  s:\n    userAgent: ci\n  condition: not s\n"
    )
    (rule,) = sigma.load(text, "f.yml")
    test = compile_predicate(rule.predicate)
    assert test({"eventName": "a"})
    assert not test({"eventName": "a", "userAgent": "CI"})


def test_a_folder_reports_what_it_leaves_out(tmp_path):
    """Every document of a folder is a rule or a problem with file, line and rule; none is passed over."""
    (tmp_path / "a.yml").write_text(BASE)
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "b.yaml").write_text(
        BASE.replace("eventName", "x|hour").replace("name: base", "name: hour")
    )
    (tmp_path / "c.yml").write_text(BASE.replace("{product: aws, service: cloudtrail}", "{product: windows}"))
    (tmp_path / "d.yml").write_text(BASE)
    (tmp_path / "e.yml").write_text("a: [")
    (tmp_path / "f.yml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "g.yml").write_text(
        "title: G\ncorrelation:\n  type: temporal\n  rules: nobody\n  timespan: 5m\n"
    )
    (tmp_path / "note.txt").write_text("no rule")
    rules, problems = sigma.load_folder(tmp_path)
    assert [rule.name for rule in rules] == ["base"]
    said = {problem.file.rpartition("/")[2]: problem for problem in problems}
    assert sorted(said) == ["b.yaml", "c.yml", "d.yml", "e.yml", "f.yml", "g.yml"]
    assert [name for name, problem in said.items() if problem.skipped] == ["c.yml"]
    assert "not CloudTrail" in said["c.yml"].message
    assert (said["b.yaml"].line, said["b.yaml"].rule) == (6, "hour")
    assert "already" in said["d.yml"].message
    assert "`nobody`" in said["g.yml"].message


def test_a_folder_that_is_not_there(tmp_path):
    """A missing folder is an error, not an empty set of rules."""
    with pytest.raises(RuleError, match="no rules at"):
        sigma.load_folder(tmp_path / "nowhere")


def test_a_huge_document_is_refused():
    """Aliases that unfold to a huge document are an error, not a full memory."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(RuleError, match="more than"):
        sigma.load("\n".join(lines), "f.yml")


def test_an_endless_document_is_refused():
    """An alias that stands within what it names is an error with its line."""
    with pytest.raises(RuleError, match="levels deep"):
        sigma.load("a: &a [*a]", "f.yml")


def test_a_document_that_is_no_rule_costs_no_other(tmp_path):
    """Of several documents in a file only the one that is no mapping is left out, and named."""
    (tmp_path / "a.yml").write_text(f"{BASE}\n---\njust text\n")
    rules, problems = sigma.load_folder(tmp_path)
    assert [rule.name for rule in rules] == ["base"]
    assert [problem.message for problem in problems] == ["a document must be a mapping"]
