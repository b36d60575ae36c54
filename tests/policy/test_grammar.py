"""The tables of tests/cases/policy: grammar, kinds and names, each row with the problems that it must give."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from clew.aws.catalog import current
from clew.errors import PolicyError
from clew.policy.model import FindingType, PolicyKind
from clew.policy.parse import draft, draft_document, from_document, parse, read
from clew.policy.validate import validate

CASES = Path(__file__).resolve().parents[1] / "cases" / "policy"
GRAMMAR = yaml.safe_load((CASES / "grammar.yaml").read_text(encoding="utf-8"))
KINDS = yaml.safe_load((CASES / "kinds.yaml").read_text(encoding="utf-8"))
NAMES = yaml.safe_load((CASES / "names.yaml").read_text(encoding="utf-8"))
STATEMENT = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
OUR_WORDS = {"name", "expect", "without", "source", "codes", "corrected", "id"}


def _statement(row, start=STATEMENT):
    changed = {**start, **{key: value for key, value in row.items() if key not in OUR_WORDS}}
    return {key: value for key, value in changed.items() if key not in row.get("without", ())}


@pytest.mark.parametrize("row", GRAMMAR["elements"], ids=lambda row: row["name"])
def test_elements(row):
    """A statement has just the problems of its row, read from text and decoded alike, and is malformed by any."""
    document = {"Statement": [_statement(row)]}
    for found in (draft(json.dumps(document)), draft_document(document)):
        assert [f"{problem.code}: {problem.message}" for problem in found.problems] == row["expect"]
    is_malformed = any("DIFFERENT_CASE" not in line for line in row["expect"])
    assert len(read(document).policy.statements) == (0 if is_malformed else 1)
    if row["expect"]:
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
    twice = [{**STATEMENT, "Sid": "A"}, {**STATEMENT, "Sid": "A"}]
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
