"""Named laws of reading and printing policies, over generated documents and hostile text."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clew.aws.catalog import current
from clew.errors import PolicyError
from clew.policy import decoded, grammar, json_positions
from clew.policy.format import document, text
from clew.policy.json_tokens import Lines
from clew.policy.model import JSON_SYNTAX_ERROR, Policy, PolicyKind
from clew.policy.operators import WRITTEN, is_operator
from clew.policy.parse import draft, from_document, meaning, parse, read
from clew.policy.problems import Problems
from clew.policy.validate import validate

WORDS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["*", "s3:GetObject", "arn:aws:s3:::b/*", "${aws:username}", "a\nb", '"', "\\", "é", "\u202e"]
    ),
)
VALUES = st.one_of(WORDS, st.lists(WORDS, max_size=3))
SCALARS = st.one_of(WORDS, st.booleans(), st.integers(-(10**20), 10**20), st.floats(-1e9, 1e9))
OPERATORS = st.sampled_from(sorted(name for name in WRITTEN if is_operator(name)))
PRINCIPALS = st.one_of(
    st.just("*"),
    st.dictionaries(st.sampled_from(grammar.PRINCIPAL_KINDS), VALUES, max_size=3),
)
CONDITIONS = st.dictionaries(
    OPERATORS,
    st.dictionaries(WORDS, st.one_of(SCALARS, st.lists(SCALARS, max_size=3)), max_size=2),
    max_size=2,
)


@st.composite
def statements(draw):
    """A statement with one of each pair of elements, whatever they hold."""
    made = {"Effect": draw(st.sampled_from(["Allow", "Deny"]))}
    made[draw(st.sampled_from(["Action", "NotAction"]))] = draw(VALUES)
    optional = {
        draw(st.sampled_from(["Resource", "NotResource"])): VALUES,
        draw(st.sampled_from(["Principal", "NotPrincipal"])): PRINCIPALS,
        "Sid": WORDS,
        "Condition": CONDITIONS,
    }
    return {**made, **{name: draw(values) for name, values in optional.items() if draw(st.booleans())}}


@st.composite
def documents(draw):
    """A policy document, its statements in a list or one without."""
    several = draw(st.booleans())
    made = {"Statement": draw(st.lists(statements(), max_size=3) if several else statements())}
    version = draw(st.sampled_from([None, "2012-10-17", "2008-10-17"]))
    return {**({"Version": version} if version else {}), **made}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
NEARLY = st.one_of(
    statements(),
    st.dictionaries(
        st.sampled_from([*grammar.STATEMENT_ELEMENTS, "Actions", "effect"]),
        st.one_of(JSON, VALUES, st.sampled_from(["Allow", "Deny", "DENY"]), CONDITIONS, PRINCIPALS),
        max_size=5,
    ),
    JSON,
)
KINDS = st.one_of(st.none(), st.sampled_from(list(PolicyKind)))


def _one_key_cases(value):
    """Keys that differ in case only are one key to AWS; the law of printing is about documents without such."""
    return all(
        len({key.lower() for key in keys}) == len(keys)
        for each in value
        for keys in each.get("Condition", {}).values()
    )


@given(documents())
def test_parse_after_format_is_identity(made):
    """What is read from a policy's canonical text is that policy, and its text is the same again."""
    written = made["Statement"] if isinstance(made["Statement"], list) else [made["Statement"]]
    if not _one_key_cases(written):
        return
    policy = from_document(made)
    printed = text(policy)
    assert parse(printed).without_places() == policy
    assert from_document(document(policy)) == policy
    assert text(parse(printed)) == printed
    assert printed.isascii()


@given(NEARLY, KINDS)
@example({"Effect": "Allow", "Action": "*", "Condition": {"Bool": {"a": []}}}, None)
def test_the_fast_way_and_the_grammar_agree(made, kind):
    """The fast way takes a statement exactly when the grammar has nothing to say, and both read the same."""
    quick = decoded.statement(made, 3, kind)
    problems = Problems()
    slow = grammar.statement(json_positions.of_document(made), 3, kind, problems)
    assert (quick is not None) == (not problems.listed)
    if quick is not None:
        assert quick == slow


def _read_or_refused(reader, written, kind):
    try:
        return reader(written, kind=kind).without_places()
    except PolicyError as error:
        return str(error)


@given(st.one_of(documents(), NEARLY, st.fixed_dictionaries({"Statement": NEARLY})), KINDS, st.booleans())
@example(
    {"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"NumericEquals": {"a": -0.0}}}}, None, True
)
def test_the_meaning_is_what_parse_reads(made, kind, ascii_only):
    """Without places the quick reader gives the same policy, or the same refusal, as `parse`."""
    written = json.dumps(made, ensure_ascii=ascii_only)
    assert _read_or_refused(meaning, written, kind) == _read_or_refused(parse, written, kind)


@pytest.mark.parametrize(
    "written",
    [
        '{"Statement": [], "Statement": []}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Resource": "a"}}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"NumericEquals": {"a": 1.50e1}}}}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"NumericEquals": {"a": -0}}}}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"NumericEquals": {"a": NaN}}}}',
        '\ufeff{"Statement": []} ',
        "%7B%22Statement%22%3A%5B%5D%7D",
        '{"Policy": "{\\"Statement\\": []}"}',
        "[" * 100_000,
        "",
    ],
)
def test_the_meaning_of_unusual_text_is_what_parse_reads(written):
    """Repeated names, numbers, wrappers and broken text are left to the reader that tells what is wrong."""
    assert _read_or_refused(meaning, written, None) == _read_or_refused(parse, written, None)


@given(st.lists(NEARLY, max_size=3), KINDS)
def test_lenient_reading_keeps_what_is_well_formed(made, kind):
    """A lenient reading keeps the well-formed statements at their index, and says of each other one what is wrong."""
    reading = read({"Statement": made}, kind=kind)
    kept = {statement.index for statement in reading.policy.statements}
    told = {problem.statement for problem in reading.problems}
    assert kept | told >= set(range(len(made)))
    assert all("\n" not in str(problem) for problem in reading.problems)


@given(JSON)
def test_json_is_read_as_the_standard_library_reads_it(value):
    """Text that is JSON gives the value that Python's own reader gives, and no fault."""
    written = json.dumps(value)
    if "NaN" in written or "Infinity" in written or "\\ud8" in written:
        return
    reading = json_positions.read(written)
    assert reading.faults == ()
    assert reading.root is not None
    assert reading.root.plain() == json.loads(written)


@given(documents(), st.data())
def test_each_statement_stands_where_it_says(made, data):
    """The position of a statement is the place of its opening brace in the text."""
    indent = data.draw(st.sampled_from([None, 0, 2]))
    written = json.dumps(made, indent=indent)
    for statement in draft(written).policy.statements:
        assert written[statement.position.offset] == "{"
        assert Lines(written).position(statement.position.offset) == statement.position


TOKENS = st.lists(
    st.sampled_from(
        ["{", "}", "[", "]", ":", ",", '"Effect"', '"Allow"', '"Action"', '"*"', '"Statement"', "'x'", "“y”", "//c\n",
         "/*", "5", "true", "None", '"', "\\", "\u00a0", "\ud800", "\x00", "arn:aws:s3:::b", "#", "-"]
    ),
    max_size=14,
)  # fmt: skip


@given(TOKENS.map(" ".join), KINDS)
def test_any_text_gives_problems_or_a_policy(written, kind):
    """Whatever the text, there is an answer: a policy, or problems in one line each and a correction that is JSON."""
    found = validate(written, source="x", kind=kind, catalog=current())
    assert found.policy is not None or found.problems
    assert all("\n" not in str(problem) for problem in found.problems)
    if found.corrected is not None:
        assert all(problem.code != JSON_SYNTAX_ERROR for problem in draft(found.corrected).problems)
    outcome = _outcome(parse, written)
    assert isinstance(outcome, Policy) or outcome.problems


def _outcome(function, given_value):
    try:
        return function(given_value)
    except PolicyError as error:
        return error


STATEMENT = '{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::b/*"}'
HOSTILE = {
    "brackets": "[" * 200_000,
    "braces": "{" * 200_000,
    "nested objects": '{"a":' * 100_000,
    "nested after a statement": '{"Statement":' + "[" * 100_000,
    "colons": ":" * 200_000,
    "commas": "," * 200_000,
    "quotes": '"' * 200_000,
    "single quotes": "'" * 200_000,
    "typographic quotes": "“" * 200_000,
    "backslashes": '"' + "\\" * 200_000,
    "open comments": "/*" * 100_000,
    "slashes": "/ " * 100_000,
    "zero bytes": "\x00" * 200_000,
    "one number": "1" * 200_000,
    "one word": "a" * 200_000,
    "one long text": json.dumps("a" * 200_000),
    "no-break spaces": "\u00a0" * 200_000,
    "names without braces": '"a":1,' * 30_000,
    "names without values": '{"a" ' * 100_000,
    "a policy of half a megabyte": '{"Statement":[' + ",".join([STATEMENT] * 7_000) + "]}",
    "wrong statements": '{"Statement":[' + ",".join(['{"Effect":"DENY","Actions":5}'] * 5_000) + "]}",
    "one list": '{"Statement":{"Effect":"Deny","Resource":"*","Action":['
    + ",".join(['"s3:*"'] * 100_000)
    + "]}}",
    "larger than any policy": " " * 3_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_read_in_linear_time_or_refused(name):
    """A large text of whatever is hardest to read takes seconds at most, and ends in a policy or a `PolicyError`."""
    start = time.process_time()
    outcome = _outcome(read, HOSTILE[name])
    assert time.process_time() - start < 4
    if isinstance(outcome, PolicyError):
        assert "\n" not in str(outcome)
        assert len(str(outcome)) < 1_000


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, b"bytes", object(), {1, 2}, {1: 2}])
def test_decoded_values_that_are_no_json(value):
    """A decoded document that holds what JSON cannot hold is a `PolicyError`, wherever it holds it."""
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    for wrong in (
        value,
        {"Statement": value},
        {"Statement": {**statement, "Action": value}},
        {"Statement": {**statement, "Condition": {"Bool": {"a": value}}}},
    ):
        with pytest.raises(PolicyError):
            from_document(wrong)


def test_a_document_that_holds_itself():
    """A decoded document that contains itself is a `PolicyError`, not an endless loop."""
    document_ = {"Statement": []}
    document_["Statement"].append(document_)
    with pytest.raises(PolicyError):
        from_document(document_)
