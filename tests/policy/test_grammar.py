"""The tables of tests/cases/policy: grammar, kinds and names, each row with the problems that it must give."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.case_files import read_case_file

from clew.aws.catalog import current
from clew.errors import PolicyError
from clew.policy.model import FindingType, PolicyKind
from clew.policy.parse import draft, draft_document, from_document, parse, read
from clew.policy.validate import validate

CASES = Path(__file__).resolve().parents[1] / "cases" / "policy"
GRAMMAR = read_case_file(CASES / "grammar.yaml")
KINDS = read_case_file(CASES / "kinds.yaml")
NAMES = read_case_file(CASES / "names.yaml")
STATEMENT = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
OUR_WORDS = {"name", "expect", "warned", "without", "source", "codes", "corrected", "id"}


def _statement(row, start=STATEMENT):
    changed = {**start, **{key: value for key, value in row.items() if key not in OUR_WORDS}}
    return {key: value for key, value in changed.items() if key not in row.get("without", ())}


@pytest.mark.parametrize("row", GRAMMAR["elements"], ids=lambda row: row["name"])
def test_elements(row):
    """A statement has just the problems of its row, read from text and decoded alike, and is malformed by any."""
    document = {"Statement": [_statement(row)]}
    for found in (draft(json.dumps(document)), draft_document(document)):
        assert [f"{problem.code}: {problem.message}" for problem in found.problems] == row["expect"]
    is_malformed = not row.get("warned") and any("DIFFERENT_CASE" not in line for line in row["expect"])
    assert len(read(document).policy.statements) == (0 if is_malformed else 1)
    if row["expect"] and not row.get("warned"):
        with pytest.raises(PolicyError):
            from_document(document)


@pytest.mark.parametrize("row", GRAMMAR["texts"], ids=lambda row: row["name"])
def test_texts(row):
    """A text has just the problems of its row, each with line and column, and is a policy when it has no error."""
    found = draft(row["text"])
    told = [f"{p.position.line}:{p.position.column} {p.message}" for p in found.problems]
    assert told == row["expect"]
    if any(problem.is_error for problem in found.problems):
        with pytest.raises(PolicyError) as caught:
            parse(row["text"], "p.json")
        assert len(caught.value.problems) == len(row["expect"])
        assert str(caught.value).startswith("p.json:")
    else:
        assert parse(row["text"])


@pytest.mark.parametrize(
    "row", KINDS, ids=lambda row: f"{row['kind']} {row.get('with', '')} {row.get('without', '')}"
)
def test_kinds(row):
    """Each kind of policy asks for its own elements, versions, Sids and actions, and leaves out what is malformed."""
    statement = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*", **row.get("with", {})}
    statement.pop(row.get("without", ""), None)
    document = {"Version": row.get("version", "2012-10-17"), "Statement": [statement]}
    document = {key: value for key, value in document.items() if value is not None}
    kind = PolicyKind(row["kind"])
    found = validate(json.dumps(document), kind=kind, catalog=current())
    assert [problem.code for problem in found.problems] == row["codes"]
    assert len(read(document, kind=kind).policy.statements) == (0 if row.get("left_out") else 1)


def test_every_kind_has_rows_on_both_sides():
    """No kind of policy is without a row that it takes and one that it refuses."""
    for kind in PolicyKind:
        codes = [bool(row["codes"]) for row in KINDS if row["kind"] == kind.value]
        assert True in codes
        assert kind in {PolicyKind.BOUNDARY, PolicyKind.SESSION} or False in codes


@pytest.mark.parametrize("row", NAMES, ids=lambda row: row["name"])
def test_names(row):
    """Unknown names and resources that do not fit are told with the nearest that would."""
    kind = PolicyKind.RESOURCE if "Principal" in row else PolicyKind.IDENTITY
    document = {"Version": "2012-10-17", "Statement": [_statement(row)]}
    found = validate(json.dumps(document), kind=kind, catalog=current())
    assert [problem.code for problem in found.problems] == row["codes"]
    corrected = [problem.corrected for problem in found.problems if problem.corrected is not None]
    assert corrected == row.get("corrected", [])


def test_a_message_is_as_the_style_guide_has_it():
    """A located message has file, line, path, what is wrong and what was meant, in this form."""
    condition = '"Condition": {"StringEqual": {"a:b": "c"}}'
    text = f'{{"Statement": [\n{{"Effect": "Deny", "Action": "*", "Resource": "*",\n {condition}}}]}}'
    (problem,) = draft(text, "policy.json").problems
    assert str(problem) == (
        "policy.json:3 /Statement/0/Condition: unknown operator `StringEqual`; did you mean `StringEquals`?"
    )
    assert (problem.position.column, problem.end.column) == (16, 29)


def test_a_lenient_reading_offers_a_correction():
    """A reading of text that left a statement out carries the corrected document."""
    reading = read(
        '{"Version": "2012-10-17", "Statement": {"Effect": "DENY", "Action": "*", "Resource": "*"}}'
    )
    assert reading.policy.statements == ()
    assert json.loads(reading.corrected)["Statement"]["Effect"] == "Deny"


def test_statements_keep_their_place():
    """Left-out statements do not move the others: each keeps its index and its line."""
    text = '{"Statement": [\n{"Effect": "x"},\n{"Effect": "Deny", "Action": "*", "Resource": "*"}]}'
    (statement,) = read(text, "p.json").policy.statements
    assert (statement.index, statement.position.line, statement.position.column) == (1, 3, 1)


def test_sizes():
    """A policy longer than its quota is told, white space not counted where AWS does not."""
    names = [f"s3:GetObject{'?' * n}" for n in range(200)]
    document = {"Version": "2012-10-17", "Statement": [{**STATEMENT, "Action": names}]}
    text = json.dumps(document)
    codes = {
        kind: [p.code for p in validate(text, kind=kind, catalog=current()).problems if "SIZE" in p.code]
        for kind in (PolicyKind.IDENTITY, PolicyKind.SCP, PolicyKind.RESOURCE)
    }
    assert codes[PolicyKind.IDENTITY] == ["POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA"]
    assert codes[PolicyKind.SCP] == ["POLICY_SIZE_EXCEEDS_SCP_QUOTA"]
    assert codes[PolicyKind.RESOURCE] == ["POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA"]
    spread = json.dumps({**document, "Statement": [STATEMENT]}) + " " * 7_000
    assert validate(spread, kind=PolicyKind.IDENTITY, catalog=current()).problems == ()


def test_sids_that_repeat():
    """A Sid twice is an error where IAM demands unique ones, and a warning elsewhere."""
    twice = [{**STATEMENT, "Sid": "A"}, {**STATEMENT, "Sid": "A", "Effect": "Deny"}]
    text = json.dumps({"Version": "2012-10-17", "Statement": twice})
    (error,) = validate(text, kind=PolicyKind.IDENTITY, catalog=current()).problems
    assert (error.code, error.finding_type) == ("UNIQUE_SIDS_REQUIRED", FindingType.ERROR)


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ({}, PolicyKind.IDENTITY),
        ({"Principal": "*"}, PolicyKind.RESOURCE),
        (
            {"Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole", "Resource": None},
            PolicyKind.TRUST,
        ),
        ({"Principal": "*", "Action": "kms:*"}, PolicyKind.KMS_KEY),
        ({"Principal": "*", "Action": "glacier:*"}, PolicyKind.VAULT_ACCESS),
    ],
)
def test_the_kind_is_guessed(statement, kind):
    """Without a word about it, the kind follows from principals, actions and resources."""
    written = {key: value for key, value in {**STATEMENT, **statement}.items() if value is not None}
    found = validate(json.dumps({"Version": "2012-10-17", "Statement": written}), catalog=current())
    assert (found.kind, found.is_kind_guessed) == (kind, True)


def test_two_statement_elements_are_never_read_as_one():
    """A document that says `Statement` twice is refused also by a lenient reading: it leaves open what it says."""
    text = '{"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}], "Statement": []}'
    with pytest.raises(PolicyError, match="stands twice"):
        read(text)


def test_a_correction_names_what_stood_twice():
    """The corrected document keeps the last of two, and says so as a guess."""
    statement = '{"Effect": "Deny", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}'
    text = f'{{"Version": "2012-10-17", "Statement": {statement}}}'
    found = validate(text, catalog=current())
    assert [(change.is_guess, "last one is kept" in change.message) for change in found.changes] == [
        (True, True)
    ]
    assert json.loads(found.corrected)["Statement"]["Effect"] == "Allow"


def test_a_refusal_offers_the_correction():
    """The error of a document that is no JSON carries the corrected document."""
    with pytest.raises(PolicyError) as caught:
        parse('{"Version": "2012-10-17", "Statement": [],}')
    assert json.loads(caught.value.corrected) == {"Version": "2012-10-17", "Statement": []}


def test_url_encoding_that_is_no_utf8():
    """URL-encoded bytes that are no UTF-8 are an error, not a replacement character."""
    with pytest.raises(PolicyError, match="surrogate"):
        parse("%7B%22Statement%22%3A%5B%5D%2C%22Id%22%3A%22%FF%22%7D")


@pytest.mark.parametrize(
    ("kind", "statement", "expected"),
    [
        ("identity", {**STATEMENT, "Principal": "*"}, STATEMENT),
        ("scp", {**STATEMENT, "Principal": {"AWS": "*"}}, STATEMENT),
        (
            "trust",
            {"Effect": "Allow", "Principal": "111122223333", "Action": "sts:AssumeRole", "Resource": "*"},
            {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"},
        ),
        ("identity", {**STATEMENT, "Sid": "a-b c"}, {**STATEMENT, "Sid": "abc"}),
        (
            "identity",
            {
                **STATEMENT,
                "Condition": {"bool": {"aws:securetransport": True}, "Bool": {"aws:ViaAWSService": True}},
            },
            {**STATEMENT, "Condition": {"Bool": {"aws:securetransport": True, "aws:ViaAWSService": True}}},
        ),
    ],
)
def test_corrections(kind, statement, expected):
    """What a kind forbids is taken out, and a name is put right without losing what stands beside it."""
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    found = validate(text, kind=PolicyKind(kind), catalog=current())
    assert json.loads(found.corrected)["Statement"] == [expected]
    assert found.left == ()


def test_a_correction_never_drops_a_condition():
    """Two spellings of an operator that name one key stay apart: joined, one of the conditions would be lost."""
    block = {"stringlike": {"aws:username": "a*"}, "StringLike": {"AWS:UserName": "b*"}}
    text = json.dumps({"Version": "2012-10-17", "Statement": [{**STATEMENT, "Condition": block}]})
    found = validate(text, catalog=current())
    assert (found.corrected, [problem.code for problem in found.left]) == (
        None,
        ["INVALID_CONDITION_OPERATOR"],
    )
