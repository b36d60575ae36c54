from __future__ import annotations

import re
import uuid
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from tests.case_files import read_documents

from clew.detect.catalog import load_builtin
from clew.detect.facts import FACTS
from clew.detect.inflight import matcher
from clew.events.patterns.sigma_model import SigmaCorrelation, SigmaRule

ROOT = Path(__file__).parent.parent.parent
RULES = sorted((ROOT / "src" / "clew" / "detect" / "rules").glob("*.yaml"))
CASES = ROOT / "tests" / "cases" / "detect"


ROWS = {f"K{n}" for n in range(1, 66)}
CONTROLS = {*(f"CIS-3.{n}" for n in range(1, 15)), "CIS-4.15"}
TACTICS = {
    "reconnaissance", "resource-development", "initial-access", "execution", "persistence", "privilege-escalation",
    "stealth", "defense-impairment", "credential-access", "discovery", "lateral-movement", "collection",
    "command-and-control", "exfiltration", "impact",
}  # fmt: skip
# What ATT&CK 19 withdrew; rules keep the old number beside the new one for those who still work with 18.
WITHDRAWN = {"t1562.001": "t1685", "t1562.007": "t1686.001", "t1562.008": "t1685.002"}


@cache
def documents(path):
    """The documents of a file of rules or cases."""
    return read_documents(path)


@pytest.fixture(scope="module")
def catalog():
    return load_builtin()


@pytest.fixture(scope="module")
def reporting(catalog):
    return {rule.id: rule for rule in catalog.rules if rule.reports}


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_rule_is_complete(path):
    """Every rule says what it finds, why that matters, when it errs and what to do, and is named like its file."""
    *bases, rule = documents(path)
    assert rule["name"] == path.stem
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule["name"])
    assert rule["id"] == str(uuid.uuid5(uuid.NAMESPACE_URL, f"clew:{path.stem}"))
    assert rule["level"] in {"informational", "low", "medium", "high", "critical"}
    assert rule["author"] == "Clew"
    for text in ("title", "description", "why", "explain"):
        assert rule[text].strip()
    assert rule["falsepositives"]
    assert all(rule["falsepositives"])
    assert 3 <= len(rule["next_steps"]) <= 6
    assert all(url.startswith("https://") for url in rule["references"])
    assert set(rule["covers"]) <= ROWS | CONTROLS
    assert rule["covers"]
    assert {"correlation" in rule, "detection" in rule} == {True, False}
    assert bool(bases) == ("correlation" in rule)
    for base in bases:
        assert base["name"].startswith(path.stem)


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_techniques_are_current(path):
    """Every rule names a tactic and a technique of ATT&CK; a withdrawn number stands only beside its successor."""
    *_, rule = documents(path)
    tags = [tag.removeprefix("attack.") for tag in rule["tags"]]
    techniques = {tag for tag in tags if re.fullmatch(r"t\d{4}(\.\d{3})?", tag)}
    assert techniques
    assert set(tags) - techniques <= TACTICS
    assert set(tags) - techniques
    for old, new in WITHDRAWN.items():
        assert old not in techniques or new in techniques
    assert not {each for each in techniques if each.startswith("t1562")} - WITHDRAWN.keys()


def test_identities_are_unique():
    """No two documents of the rules share an id or a name."""
    every = [document for path in RULES for document in documents(path)]
    for key in ("id", "name"):
        assert [value for value, times in Counter(each[key] for each in every).items() if times > 1] == []


def test_a_call_from_the_console_is_nobodys_but_the_users():
    """Records before 2021 name the console in `invokedBy`; only CIS's own filter, kept as published, minds."""
    blind = re.compile(r"invokedBy(\|exists)?: (null|true)$", re.MULTILINE)
    told = "signin.amazonaws.com"
    texts = {path.stem: path.read_text() for path in RULES}
    assert {name for name, text in texts.items() if blind.search(text) and told not in text} == {"cis-3-3"}


def test_every_row_is_covered():
    """Every detection of the knowledge table and every CIS monitoring control has a rule."""
    covered = {row for path in RULES for document in documents(path) for row in document.get("covers", [])}
    assert (ROWS | CONTROLS) - covered == set()


def test_all_rules_load(catalog):
    """The loader reads every built-in rule without a complaint."""
    assert [str(problem) for problem in catalog.problems] == []


def test_every_rule_has_cases(reporting):
    """Every rule that reports has a case file, and every case file a rule."""
    assert {path.stem for path in CASES.glob("*.yaml")} == set(reporting)


@pytest.mark.parametrize("path", sorted(CASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_cases_stand_on_both_sides(path):
    """Every rule has a case that fires and two that stay silent."""
    (document,) = documents(path)
    assert document["rule"] == path.stem
    assert len(document["fires"]) >= 1
    assert len(document["silent"]) >= 2
    names = [case["name"] for side in ("fires", "silent") for case in document[side]]
    assert len(names) == len(set(names))


def test_single_event_rules_judge_their_cases(detection_cases, reporting, catalog):
    """A rule about one event is true of the event of each firing case and of no event of a silent one."""
    matching = matcher(catalog.rules)
    wrong = []
    for case in detection_cases:
        if isinstance(reporting[case.rule].sigma, SigmaRule):
            found = any(case.rule in matching(event) for event in case.events)
            if found != case.fires:
                wrong.append(f"{case}: {'fires' if found else 'is silent'}")
    assert wrong == []


def test_base_rules_match_the_events_that_they_count(detection_cases, reporting, catalog):
    """In a firing case of a correlation every rule that it counts matches some event."""
    matching = matcher(catalog.rules, silent=True)
    wrong = []
    for case in detection_cases:
        rule = reporting[case.rule]
        if not case.fires or not isinstance(rule.sigma, SigmaCorrelation):
            continue
        matched = {name for event in case.events for name in matching(event)}
        bases = {base.id for base in catalog.counted_by(rule) if isinstance(base.sigma, SigmaRule)}
        if bases - matched:
            wrong.append(f"{case}: {bases - matched} match nothing")
    assert wrong == []


WORKED = {
    "EV5": {"write-call-denied"},
    "EV6": {"root-account-used", "security-group-admin-port-opened"},
    "EV7": {"cloudtrail-stopped"},
    "EV8": {"console-login-failed"},
}


@pytest.mark.parametrize("source", sorted(WORKED))
def test_worked_incidents(source, detection_cases, reporting, catalog):
    """Each worked incident gives its findings and, beside notes for compliance, no other."""
    matching = matcher(catalog.rules)
    number = {"EV5": "first", "EV6": "second", "EV7": "third", "EV8": "fourth"}[source]
    events = [
        case.events[0] for case in detection_cases if case.name.startswith(f"the {number} worked incident")
    ]
    assert events
    for event in events:
        found = {name for name in matching(event) if reporting[name].severity.rank > 0}
        assert found == WORKED[source]


@pytest.mark.parametrize("name", ["ListUsers", "CreateBucket"])
def test_ordinary_calls_are_silent(name, catalog):
    """A single ListUsers or CreateBucket is nobody's business."""
    source = "iam.amazonaws.com" if name == "ListUsers" else "s3.amazonaws.com"
    event = {
        "eventSource": source,
        "eventName": name,
        "userIdentity": {"type": "IAMUser", "userName": "alice"},
    }
    assert matcher(catalog.rules)(event) == []


PLAIN = {
    "actor", "event_name", "event_source", "source_ip", "region", "account", "access_key", "user_agent", "error_code",
    "error_message", "resource", "count", "window", "outcome", "vpcEndpointId",
}  # fmt: skip


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_placeholders_are_known(path):
    """The texts of a rule name only values that every finding has, fields of the record, or known facts."""
    *_, rule = documents(path)
    for text in (rule["explain"], *rule["next_steps"]):
        for name in re.findall(r"\{([^{}]*)\}", text):
            head, _, rest = name.partition(".")
            known = name in PLAIN or (head in {"request", "response", "additional"} and rest)
            assert known or (head == "clew" and rest in FACTS), f"unknown placeholder {{{name}}}"


def test_every_fact_is_used():
    """No derived fact stands there without a rule that asks for it."""
    text = "".join(path.read_text(encoding="utf-8") for path in RULES)
    assert [name for name in FACTS if f"clew.{name}" not in text] == []
