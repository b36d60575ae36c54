"""SQL and closures give one answer: generated predicates over generated events, nested, null, absent, mistyped."""

from __future__ import annotations

import json

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clew.events.predicate import And, Element, Leaf, Not, Or, SameValue, compile_predicate
from clew.lake.predicate_sql import WORDS_ONLY, to_sql
from clew.lake.schema import BOOLEAN, CLOUDTRAIL, empty_relation, transform_structure

# ſ, K (Kelvin) and İ fold onto ASCII letters in some engines; % _ ! matter to LIKE; 0 and NUL to careless quoting.
TEXTS = st.one_of(
    st.sampled_from(
        [
            "a",
            "A",
            "ab",
            "aB",
            "b",
            "",
            "true",
            "TRUE",
            "22",
            "22.0",
            "022",
            "1.5",
            "-1",
            "1e2",
            "null",
            "[1]",
            "{}",
            "*",
            "a*b",
            "\u212a",
            "k",
            "K",
            "\u017f",
            "s",
            "İ",
            "i",
            "ß",
            "é",
            "😀",
            "a%b",
            "a_b",
            "a!b",
            "it's",
            "a\nb",
            "a\n",
            "a\\b",
            "\\",
            "\x00",
            "a\x00b",
            "10.0.0.1",
            "10.0.0.300",
            "192.168.1.77",
            "::1",
            "010.0.0.1",
            "arn:aws:iam::111122223333:root",
            '"a"',
            "a b",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)
NUMBERS = st.one_of(
    st.sampled_from([0, 1, 22, -1, 1.5, 22.0, 100, 2**53, 2**53 + 1, 2**64, 10**30, -0.0, 1e300]),
    st.integers(-3, 3),
    st.floats(allow_nan=False, allow_infinity=False),
)
SCALARS = st.one_of(TEXTS, NUMBERS, st.booleans(), st.none())
KEYS = st.sampled_from(["a", "b", "A", "items", "a.b", 'q"t', "*", "b\\c", "", "é", "0"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)
TOP = st.sampled_from(
    [
        "eventName",
        "errorCode",
        "userAgent",
        "sourceIPAddress",
        "requestParameters",
        "readOnly",
        "resources",
        "other",
    ]
)
IDENTITY = st.one_of(
    VALUES,
    st.fixed_dictionaries(
        {}, optional={"type": VALUES, "userName": SCALARS, "a": VALUES, "sessionContext": VALUES}
    ),
)
SESSION = st.fixed_dictionaries(
    {"sessionContext": st.fixed_dictionaries({"sessionIssuer": st.fixed_dictionaries({"arn": VALUES})})}
)
EVENTS = st.builds(
    lambda top, identity: top | identity,
    st.dictionaries(TOP, VALUES, max_size=5),
    st.one_of(st.just({}), st.builds(lambda value: {"userIdentity": value}, st.one_of(IDENTITY, SESSION))),
)

RELATIVE = st.lists(KEYS, max_size=3).map(tuple)
PATHS = st.one_of(
    TOP.map(lambda key: (key,)),
    st.sampled_from(
        [
            ("userIdentity",),
            ("userIdentity", "type"),
            ("userIdentity", "userName"),
            ("userIdentity", "a"),
            ("userIdentity", "sessionContext", "sessionIssuer", "arn"),
        ]
    ),
    st.builds(lambda key, rest: (key, *rest), TOP, RELATIVE),
)
USER = ("userIdentity", "userName")
GLOBS = st.lists(
    st.sampled_from(["a", "B", "*", "?", r"\*", r"\?", "\\\\", "é", "%", "_", "!", "\n", "\\"]), max_size=5
).map("".join)
REGEXES = st.sampled_from(
    [
        *(
            "a",
            "^a",
            "a$",
            "(?i)A",
            "(?i)[^k]",
            "(?i)s",
            r"\d+",
            r"\w",
            r"\s",
            r"\S",
            r"[\s]",
            "a.b",
            "(?s)a.b",
        ),
        *(
            "(?m)^b$",
            "a|b",
            "[a-c]{1,2}",
            r"^\d{1,3}(\.\d{1,3}){3}$",
            r"\.",
            r"a\b",
            "(?=a)",
            "é",
            "(?i)é",
            "[^a]",
        ),
        *(r"\W", "x*", "(?:a)(b)?", r"[\w.]+", "^$", "(?m)$"),
    ]
)
NETWORKS = st.sampled_from(["10.0.0.0/8", "0.0.0.0/0", "192.168.1.64/26", "10.0.0.1/32", "::/0"])


def _leaf(path, op, values, case_sensitive, quantifier, loose):
    return Leaf(path, op, tuple(values), case_sensitive, quantifier, loose)


def _leaves(paths):
    fields = (st.booleans(), st.sampled_from(["any", "any", "one", "one", "deep"]), st.booleans())
    some = {"min_size": 1, "max_size": 3}
    return st.one_of(
        st.builds(_leaf, paths, st.just("equals"), st.lists(SCALARS, **some), *fields),
        st.builds(
            _leaf,
            paths,
            st.sampled_from(["contains", "startswith", "endswith"]),
            st.lists(TEXTS, **some),
            *fields,
        ),
        st.builds(_leaf, paths, st.just("glob"), st.lists(GLOBS, **some), *fields),
        st.builds(_leaf, paths, st.just("regex"), st.lists(REGEXES, **some), *fields),
        st.builds(_leaf, paths, st.just("cidr"), st.lists(NETWORKS, **some), *fields),
        st.builds(
            _leaf,
            paths,
            st.sampled_from(["lt", "lte", "gt", "gte", "eq", "ne"]),
            st.lists(NUMBERS, **some),
            *fields,
        ),
        st.builds(_leaf, paths, st.sampled_from(["exists", "has_value", "is_null"]), st.just(()), *fields),
        st.builds(
            _leaf,
            paths,
            st.just("type_is"),
            st.lists(st.sampled_from(["string", "number", "boolean", "null", "object", "array"]), **some),
            *fields,
        ),
    )


def _trees(paths):
    relation = st.sampled_from(["equals", "equals", "contains", "startswith", "endswith"])
    return st.recursive(
        st.one_of(
            _leaves(paths), _leaves(paths), st.builds(SameValue, paths, paths, relation, st.booleans())
        ),
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.builds(lambda nodes: And(tuple(nodes)), st.lists(inner, max_size=3)),
            st.builds(lambda nodes: Or(tuple(nodes)), st.lists(inner, max_size=3)),
        ),
        max_leaves=4,
    )


ELEMENTS = st.builds(Element, PATHS, _trees(RELATIVE))
TREES = st.one_of(_trees(PATHS), ELEMENTS, st.builds(Not, ELEMENTS))


@pytest.fixture(scope="module")
def database():
    """One in-memory database whose `raw_cloudtrail` a test fills again for each batch of events."""
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    yield connection
    connection.close()


def fill(connection, texts):
    """Make `raw_cloudtrail` of record texts as the lake does: json_transform, one column for each key."""
    columns = tuple(
        column for column in CLOUDTRAIL.columns if column.key and column.key not in {"eventTime", "resources"}
    )
    connection.execute("CREATE OR REPLACE TABLE texts (number BIGINT, eventjson VARCHAR, j VARCHAR)")
    rows = [(number, text, json.dumps(_words_alone(json.loads(text)))) for number, text in enumerate(texts)]
    connection.executemany("INSERT INTO texts VALUES (?, ?, ?)", rows)
    structure = transform_structure(columns).replace("'", "''")
    names = ", ".join(column.name for column in columns)
    transformed = ", ".join(f"{_typed(column)} AS {column.name}" for column in columns)
    connection.execute(
        f"""CREATE OR REPLACE TABLE raw_cloudtrail AS
        SELECT {names}, NULL::VARCHAR AS eventjson, NULL::BIGINT AS number FROM ({empty_relation(CLOUDTRAIL)}) UNION ALL
        SELECT {transformed}, eventjson, number
        FROM (SELECT json_transform(j, '{structure}') AS e, eventjson, number FROM texts)"""
    )


def _words_alone(value, path=()):
    """The record without what stands in a column of words and is no string, as ingest stores it."""
    if path in WORDS_ONLY:
        return value if isinstance(value, str) else None
    if isinstance(value, dict) and len(path) < 2:
        return {key: _words_alone(item, (*path, key)) for key, item in value.items()}
    return value


def _typed(column):
    """The column's value; a truth value only where JSON has one."""
    if column.type == BOOLEAN:
        return f"""CASE e."{column.key}" WHEN 'true' THEN true WHEN 'false' THEN false END"""
    return f'e."{column.key}"'


def disagreements(connection, trees, events, questions):
    """Where SQL and closure differ; a question is the SQL and the condition under which it must be exact."""
    asked = ", ".join(f"({sql})::BOOLEAN, ({exact})::BOOLEAN" for sql, exact in questions)
    rows = connection.execute(f"SELECT {asked} FROM raw_cloudtrail ORDER BY number").fetchall()
    found = []
    for index, tree in enumerate(trees):
        test = compile_predicate(tree)
        for event, row in zip(events, rows, strict=True):
            said, exact, meant = row[2 * index], row[2 * index + 1], test(event)
            if said is not meant and (exact or not said):
                found.append(
                    (tree, event, f"sql {said}, closure {meant}, exact {exact}", questions[index][0])
                )
    return found


@given(events=st.lists(EVENTS, min_size=1, max_size=8), trees=st.lists(TREES, min_size=1, max_size=8))
@example(
    events=[{"userIdentity": {"userName": None}}], trees=[Leaf(USER, "equals", (None,), quantifier="one")]
)
@example(
    events=[{"userIdentity": {"userName": None}}], trees=[Leaf(USER, "type_is", ("null",), quantifier="one")]
)
@example(events=[{"eventName": "a"}], trees=[Leaf(("eventName",), "lt", (0,), quantifier="one", loose=True)])
def test_sql_and_closure_agree(database, events, trees):
    """A predicate is true of the same events in SQL and in Python."""
    fill(database, [json.dumps(event) for event in events])
    predicates = [to_sql(tree) for tree in trees]
    questions = [(predicate.sql, str(predicate.exact)) for predicate in predicates]
    assert disagreements(database, trees, events, questions) == []
