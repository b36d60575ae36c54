"""Predicates as SQL on a lake that was really ingested, with records whose fields have odd types."""

from __future__ import annotations

import json

import pytest

from clew.events.patterns import sigma
from clew.events.predicate import And, Leaf, Not, compile_predicate
from clew.lake.ingest.write import IDENTITY_WORD_KEYS, WORD_KEYS
from clew.lake.predicate_sql import UNREADABLE, WORDS_ONLY, to_sql

HEAD = "title: A rule\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n"
ODD = [
    {"eventName": ["StopLogging"], "errorCode": 404},
    {"errorCode": ["AccessDenied"], "userAgent": 22, "userIdentity": [{"type": "Root"}]},
    {"errorCode": "AccessDenied", "userAgent": "[1]", "userIdentity": {"type": 5, "userName": 7}},
    {"errorCode": None, "userAgent": ["aws"], "readOnly": "true", "userIdentity": "Root"},
    {"userAgent": {"a": "kali"}, "readOnly": True, "requestParameters": [{"x": [1, {"y": "kali"}]}]},
    {
        "userAgent": "true",
        "requestParameters": "text",
        "userIdentity": {"userName": None},
        "sourceIPAddress": "10.0.0.1",
    },
    {"userAgent": "K\u212a", "requestParameters": {"x": None}, "readOnly": None},
    {
        "requestParameters": {"x": {"y": "22"}},
        "userIdentity": {"type": "IAMUser", "userName": "22", "arn": ["a"]},
    },
]
CONDITIONS = """
eventName: StopLogging
errorCode: null
errorCode|exists: true
errorCode|startswith: Access
errorCode: 404
userAgent: 22
userAgent|contains: a
userAgent: 'true'
userAgent|exists: true
userAgent: 'K?'
userAgent: kk
userAgent|re: '^.$'
userAgent|re: '(?=a)'
userIdentity.type: Root
userIdentity.type|exists: true
userIdentity.userName: 22
userIdentity.userName|exists: true
userIdentity|contains: root
userIdentity.arn|exists: true
readOnly: true
readOnly: 'true'
readOnly|exists: true
requestParameters.x.y: 22
requestParameters|contains: kali
requestParameters.x|exists: false
requestParameters: null
requestParameters.x: 1
sourceIPAddress|cidr: 10.0.0.0/8
""".strip().splitlines()


@pytest.fixture(scope="module")
def lake(new_scene, event):
    """A lake of ordinary and odd records, by the fast path and the slow one, in compact and in spaced JSON."""
    scene = new_scene()
    scene.write("ordinary.json.gz", [event(number) for number in range(20)])
    scene.write("odd.json.gz", [event(100 + number, **changes) for number, changes in enumerate(ODD)])
    for number, changes in enumerate(ODD):
        scene.write(f"alone-{number}.json", [event(200 + number, **changes)])
    spaced = {"Records": [event(300 + number, **changes) for number, changes in enumerate(ODD)]}
    scene.write("spaced.json", json.dumps(spaced, indent=1).encode())
    assert scene.ingest().stored == 20 + 3 * len(ODD)
    return scene


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("negated", [False, True])
def test_the_lake_answers_as_the_closures(lake, condition, negated):
    """A rule is true of the same stored records in SQL and in Python, whatever types they hold."""
    detection = f"  s:\n    {condition}\n  condition: {'not ' * negated}s\n"
    (rule,) = sigma.load(HEAD + detection, "rule.yml")
    test = compile_predicate(rule.predicate)
    whole = to_sql(rule.predicate)
    rows = lake.sql(f"SELECT eventjson, {whole.sql} FROM raw_cloudtrail")
    for text, said in rows:
        meant = test(json.loads(text))
        assert said is meant or (said and not whole.exact), text


def test_the_columns_of_words_are_those_of_ingest():
    """The columns that are trusted to hold strings alone are the ones that ingest keeps so."""
    identity = {("userIdentity", key) for key in IDENTITY_WORD_KEYS}
    assert {(key,) for key in WORD_KEYS} | {("eventID",)} | identity == WORDS_ONLY


def test_a_fact_is_left_to_the_closure():
    """A leaf on a derived fact is true where the fact applies, and its negation anywhere."""
    fact = Leaf(("clew", "policy_public"), "equals", (True,))
    applies = {"policy_public": Leaf(("eventName",), "equals", ("PutBucketPolicy",), quantifier="one")}
    rule = to_sql(fact, applies=applies)
    assert not rule.exact
    assert "putbucketpolicy" in rule.sql
    assert to_sql(Not(fact), applies=applies).sql == "(NOT false)"
    assert to_sql(fact).sql == "true"


def test_a_record_that_duckdb_cannot_read_is_a_candidate(new_scene, event):
    """Half a surrogate pair hides a record from no rule: the closure has the last word."""
    scene = new_scene()
    text = json.dumps({"Records": [event(1, other="HALF")]}).replace("HALF", "\\ud800")
    scene.write("half.json", text.encode())
    scene.ingest()
    tree = And((Leaf(("eventName",), "equals", ("PutObject",)), Not(Leaf(("other",), "equals", ("x",)))))
    assert scene.sql(f"SELECT {UNREADABLE}, {to_sql(tree).sql} FROM raw_cloudtrail") == [(True, True)]


def test_what_only_python_can_say_is_not_exact():
    """A look-ahead and an IPv6 network are approximated by the field's presence."""
    for leaf in (
        Leaf(("userAgent",), "regex", ("(?=a)",)),
        Leaf(("sourceIPAddress",), "cidr", ("2001:db8::/32",)),
    ):
        assert not to_sql(leaf).exact
        assert to_sql(Not(leaf)).sql == "(NOT false)"
