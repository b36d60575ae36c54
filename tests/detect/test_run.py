"""The rules over a lake: what they find, whatever the order of the files, and what they say of it."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clew.detect.catalog import load, load_builtin, single_event
from clew.detect.inflight import matcher
from clew.detect.run import run
from clew.findings import Severity
from clew.lake.detection import combinations, scan, typed
from clew.lake.ingest import ingest
from clew.lake.reader import open_lake

if TYPE_CHECKING:
    from clew.detect.catalog import Catalog
    from clew.findings import Finding
    from clew.lake.reader import Lake

NOW = datetime(2026, 4, 1, tzinfo=UTC)
START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def event(name, at, number, **fields):
    """A call by alice, `at` seconds after START."""
    return {
        "eventVersion": "1.11",
        "eventTime": (START + timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "cloudtrail.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2.15.30",
        "eventID": f"e-{number}",
        "recipientAccountId": "111122223333",
        "userIdentity": {
            "type": "IAMUser",
            "arn": "arn:aws:iam::111122223333:user/alice",
            "userName": "alice",
            "accountId": "111122223333",
            "accessKeyId": "AKIAEXAMPLE000000001",
        },
        "requestParameters": {"name": "trail"},
        **fields,
    }


def lake_of(path, *files):
    """A lake of these files, each a list of events."""
    logs = path / "logs"
    logs.mkdir(parents=True)
    for number, events in enumerate(files):
        text = "\n".join(json.dumps(item) for item in events)
        (logs / f"{number}.jsonl").write_text(text, encoding="utf-8")
    ingest(path / "lake", [logs], now=NOW, workers=1)
    return open_lake(path / "lake")


def rules_of(path, *documents):
    """A catalog of these Sigma documents alone."""
    path.mkdir(exist_ok=True)
    (path / "rules.yml").write_text("\n---\n".join(documents), encoding="utf-8")
    return load([path], builtin=False)


CALL = """
title: One call
name: call
logsource: {{product: aws, service: cloudtrail}}
detection: {{s: {{eventName: {name}}}, condition: s}}
level: medium
"""


def correlation(kind, rules, *, span="10m", group="userIdentity.arn", condition="", **more):
    lines = [f"title: Several\nname: several\nlevel: high\ncorrelation:\n  type: {kind}\n  rules: [{rules}]"]
    lines += [f"  timespan: {span}"] if span else []
    lines += [f"  group-by: [{group}]"] if group else []
    lines += [f"  condition: {{{condition}}}"] if condition else []
    lines += [f"  {key}: {value}" for key, value in more.items()]
    return "\n".join(lines)


def test_lake_and_flight_agree_on_every_case(detection_cases, tmp_path):
    """Every rule about one event finds in the lake exactly the events that its closure finds in flight."""
    catalog = load_builtin()
    events = [
        {**item, "eventID": f"c-{number}-{place}"}
        for number, case in enumerate(detection_cases)
        for place, item in enumerate(case.events[:4])
    ]
    singles = {rule.id for rule, _ in single_event(catalog.reporting)}
    matching = matcher(catalog.rules)
    in_flight, in_lake = defaultdict(set), defaultdict(set)
    for item in events:
        for rule in matching(item):
            in_flight[rule].add(item["eventID"])
    for found in run(lake_of(tmp_path, events), catalog).findings:
        if found.rule in singles:
            in_lake[found.rule] |= set(found.event_ids)
    assert len(in_flight) > 80
    assert in_lake == in_flight


def test_events_of_one_actor_make_one_finding(tmp_path):
    """Events of a rule and actor are one finding until they pause for more than a day."""
    catalog = rules_of(tmp_path / "rules", CALL.format(name="StopLogging"))
    events = [event("StopLogging", at, at) for at in (0, 60, 86_400 + 60, 3 * 86_400)]
    events.append(event("StopLogging", 5, 5, recipientAccountId="999988887777"))
    found = run(lake_of(tmp_path, events), catalog).findings
    assert sorted(item.event_count for item in found) == [1, 1, 3]


def test_result_does_not_depend_on_the_order_of_files(tmp_path):
    """The same events, in other files and another order, give equal findings but for the place of the evidence."""
    catalog = load_builtin()
    events = [event("StopLogging", at, at) for at in range(30)] + [event("DeleteTrail", 3, "d")]
    one = run(lake_of(tmp_path / "a", events[:7], events[7:]), catalog).findings
    other = run(lake_of(tmp_path / "b", list(reversed(events))), catalog).findings
    assert [(f.id, f.event_ids, f.explanation) for f in one] == [
        (f.id, f.event_ids, f.explanation) for f in other
    ]
    assert one


def test_findings_carry_their_evidence(tmp_path):
    """A finding names actor, address, key, account and region, and each record's file and number."""
    found = run(lake_of(tmp_path, [event("ListTrails", 0, 0), event("StopLogging", 1, 1)]), load_builtin())
    stopped = next(item for item in found.findings if item.rule == "cloudtrail-stopped")
    proof = stopped.evidence[0]
    assert (stopped.actor, stopped.source_ips, stopped.access_keys, stopped.accounts) == (
        "arn:aws:iam::111122223333:user/alice",
        ("192.0.2.7",),
        ("AKIAEXAMPLE000000001",),
        ("111122223333",),
    )
    assert (proof.event_id, proof.record_number, proof.channel) == ("e-1", 1, "CLI (2.15.30)")
    assert proof.source.endswith("0.jsonl")
    assert "alice" in stopped.explanation
    assert found.events == 2


def test_long_findings_stay_bounded(tmp_path):
    """A finding of thousands of events counts them all, and keeps a thousand ids and fifty records."""
    catalog = rules_of(tmp_path / "rules", CALL.format(name="StopLogging"))
    found = run(lake_of(tmp_path, [event("StopLogging", n, n) for n in range(1_500)]), catalog).findings[0]
    assert (found.event_count, len(found.event_ids), len(found.evidence)) == (1_500, 1_000, 50)
    assert (found.evidence[0].event_id, found.evidence[-1].event_id) == ("e-0", "e-1499")


@pytest.mark.parametrize(
    ("shape", "times", "fires"),
    [
        (correlation("event_count", "call", condition="gte: 3"), (0, 300, 600), True),
        (correlation("event_count", "call", condition="gte: 3"), (0, 300, 601), False),
        (correlation("event_count", "call", condition="gte: 3"), (595, 605, 1190), True),
        (correlation("event_count", "call", condition="lte: 1"), (0, 5, 9_000), True),
        (correlation("event_count", "call", group="", condition="gte: 2"), (0, 1), True),
        (correlation("temporal", "call, other"), (0, 60), True),
        (correlation("temporal_ordered", "call, other"), (0, 60), False),
        (correlation("temporal_ordered", "other, call"), (0, 60), True),
    ],
)
def test_correlations_slide(tmp_path, shape, times, fires):
    """Windows slide over bucket borders, are closed at both ends, and sequences keep their order."""
    other = CALL.format(name="DeleteTrail").replace("name: call", "name: other")
    catalog = rules_of(tmp_path / "rules", CALL.format(name="StopLogging"), other, shape)
    events = [event("StopLogging", at, at) for at in times[1:]]
    events.append(event("DeleteTrail" if "temporal" in shape else "StopLogging", times[0], times[0]))
    found = [item for item in run(lake_of(tmp_path, events), catalog).findings if item.rule == "several"]
    assert bool(found) is fires


def test_distinct_values_and_sums(tmp_path):
    """Distinct values are counted without the missing ones, numbers below requestParameters are added."""
    count = correlation("value_count", "call", condition="field: sourceIPAddress, gte: 2")
    total = correlation("value_sum", "call", condition="field: requestParameters.size, gte: 30")
    events = [
        event("StopLogging", 0, 0, sourceIPAddress="192.0.2.1", requestParameters={"size": 10}),
        event("StopLogging", 1, 1, sourceIPAddress="192.0.2.1", requestParameters=None),
        event("StopLogging", 2, 2, sourceIPAddress="192.0.2.2", requestParameters={"size": 20}),
    ]
    lake = lake_of(tmp_path, events)
    for shape, ids in ((count, ("e-0", "e-1", "e-2")), (total, ("e-0", "e-1", "e-2"))):
        catalog = rules_of(tmp_path / "rules", CALL.format(name="StopLogging"), shape)
        assert [f.event_ids for f in run(lake, catalog).findings] == [ids]


def test_first_seen_needs_a_history_to_compare_with(tmp_path):
    """A new value is found once its group was known for the baseline, and never before."""
    shape = correlation("first_seen", "call", span="", field="awsRegion", baseline="1d")
    catalog = rules_of(tmp_path / "rules", CALL.format(name="RunInstances"), shape)
    early = [event("RunInstances", 0, 0), event("RunInstances", 3_600, 1, awsRegion="sa-east-1")]
    late = [event("RunInstances", 90_000, 2, awsRegion="ap-south-1"), event("RunInstances", 90_100, 3)]
    found = run(lake_of(tmp_path, early + late), catalog).findings
    assert [item.event_ids for item in found] == [("e-2",), ("e-3",)] or [i.event_ids for i in found] == [
        ("e-2", "e-3")
    ]
    assert "sa-east-1" not in {region for item in found for region in item.regions}


def test_rate_compares_with_the_time_before(tmp_path):
    """A burst is found when it is many times the group's mean; the same number as ever is not."""
    shape = correlation("rate", "call", baseline="1d", ratio=10, minimum=20)
    catalog = rules_of(tmp_path / "rules", CALL.format(name="GetObject"), shape)
    steady = [event("GetObject", 600 * n, f"s{n}") for n in range(150)]
    burst = [event("GetObject", 90_000 + n, f"b{n}") for n in range(30)]
    found = run(lake_of(tmp_path / "burst", steady + burst), catalog).findings
    assert [item.first_seen for item in found] == [START + timedelta(seconds=90_000)]
    busy = [event("GetObject", 30 * n, n) for n in range(3_500)]
    assert run(lake_of(tmp_path / "busy", busy), catalog).findings == ()


def test_period_limits_what_is_looked_at(tmp_path):
    """Events before `since` and from `until` on do not count."""
    lake = lake_of(tmp_path, [event("StopLogging", at, at) for at in (0, 100, 200)])
    catalog = rules_of(tmp_path / "rules", CALL.format(name="StopLogging"))
    result = run(lake, catalog, since=START + timedelta(seconds=50), until=START + timedelta(seconds=200))
    assert ([f.event_ids for f in result.findings], result.events) == ([("e-100",)], 1)


def test_odd_records_are_left_to_the_closure(tmp_path):
    """A list where AWS writes a text is judged on the record itself, as in flight."""
    lake = lake_of(tmp_path, [event("StopLogging", 0, 0), event(["Other", "StopLogging"], 1, 1)])
    catalog = rules_of(tmp_path / "rules", CALL.format(name="StopLogging"))
    matching = matcher(catalog.rules)
    expected = {"e-0"} | ({"e-1"} if matching(event(["Other", "StopLogging"], 1, 1)) else set())
    assert {i for f in run(lake, catalog).findings for i in f.event_ids} == expected


def test_an_empty_lake_has_no_findings(tmp_path):
    """Rules over a lake without CloudTrail events find nothing, and say that they looked at nothing."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "flow.log").write_text(
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
        "log-status\n2 111122223333 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1772445600 1772445660 ACCEPT OK\n"
    )
    ingest(tmp_path / "lake", [tmp_path / "logs"], now=NOW, workers=1)
    result = run(open_lake(tmp_path / "lake"), load_builtin())
    assert (result.findings, result.events) == ((), 0)


def test_worst_comes_first(tmp_path):
    """Findings are in order of severity, then of time."""
    events = [
        event("StopLogging", 5, 5),
        event("ListUsers", 0, 0, userAgent="aws-cli/1.2 kali"),
        event("StopLogging", 0, 1),
    ]
    found = run(lake_of(tmp_path, events), load_builtin()).findings
    assert [f.severity.rank for f in found] == sorted((f.severity.rank for f in found), reverse=True)
    assert found[0].severity is Severity.HIGH


@pytest.fixture(scope="module")
def every_case(detection_cases, tmp_path_factory) -> tuple[Lake, Catalog, tuple[Finding, ...]]:
    """A lake with the first events of every case, the built-in rules, and the findings."""
    catalog = load_builtin()
    events = [
        {**item, "eventID": f"c-{number}-{place}"}
        for number, case in enumerate(detection_cases)
        for place, item in enumerate(case.events[:2])
    ]
    lake = lake_of(tmp_path_factory.mktemp("every-case"), events)
    return lake, catalog, run(lake, catalog).findings


@pytest.mark.parametrize(("most", "wide"), [(20_000, 1), (40, 1), (0, 20_000)])
def test_combinations_change_no_finding(every_case, monkeypatch, most, wide):
    """However many combinations of columns may be listed, and whatever is tested with them, findings are the same."""
    lake, catalog, expected = every_case
    monkeypatch.setattr(combinations, "_MOST", most)
    monkeypatch.setattr(combinations, "_WIDE", wide)
    assert run(lake, catalog).findings == expected


@pytest.mark.parametrize(("at_once", "values"), [(0, 20_000), (1_000_000, 2), (0, 2)])
def test_how_values_are_read_changes_no_finding(every_case, monkeypatch, at_once, values):
    """Distinct values read of all columns at once or of each, few or too many to list, lead to the same findings."""
    lake, catalog, expected = every_case
    monkeypatch.setattr(scan, "_MOST_AT_ONCE", at_once)
    monkeypatch.setattr(typed, "_MOST_VALUES", values)
    assert run(lake, catalog).findings == expected


@pytest.mark.parametrize(
    ("condition", "calls", "found"),
    [("gte: 3", 3, 1), ("gte: 3", 2, 0), ("gt: 2", 3, 1), ("gt: 2", 2, 0), ("lt: 3", 2, 1), ("eq: 2", 2, 1)],
)
@pytest.mark.parametrize(("kind", "field"), [("event_count", ""), ("value_count", "awsRegion")])
def test_what_cannot_be_enough_is_not_counted(tmp_path, monkeypatch, kind, field, condition, calls, found):
    """A question that has too few events or values for any window is left out, and no other one."""
    monkeypatch.setattr(combinations, "_WIDE", 1)
    events = [event("StopLogging", at, at, awsRegion=f"eu-west-{at}") for at in range(calls)]
    asked = f"field: {field}, {condition}" if field else condition
    catalog = rules_of(
        tmp_path / "rules", CALL.format(name="StopLogging"), correlation(kind, "call", condition=asked)
    )
    told = run(lake_of(tmp_path, events), catalog).findings
    assert [item.event_count for item in told] == [calls] * found
