"""AWS's own managed policies, as moto ships them, are read without a word and printed without a loss."""

from __future__ import annotations

import json

import pytest

from clew.aws.catalog import current
from clew.policy.format import text
from clew.policy.model import PolicyKind
from clew.policy.parse import from_document, parse, read
from clew.policy.validate import validate

# What a managed policy may be told of: names that AWS has dropped or not yet documented, resources that its own
# reference does not list for an action, and its own quota, which AWS does not keep.
OF_THE_CATALOGUE = {
    "INVALID_ACTION",
    "INVALID_SERVICE_IN_ACTION",
    "INVALID_SERVICE",
    "INVALID_SERVICE_CONDITION_KEY",
    "INVALID_GLOBAL_CONDITION_KEY",
    "INVALID_ARN_RESOURCE",
    "MISSING_ARN_ACCOUNT",
    "MISMATCHED_RESOURCE_FOR_ACTION",
    "MISSING_RESOURCE_FOR_ACTION",
    "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA",
}


@pytest.fixture(scope="module")
def documents():
    """The documents of AWS's managed policies, by name."""
    policies = pytest.importorskip("moto.iam.aws_managed_policies").aws_managed_policies_data
    return {name: policy["Document"] for name, policy in json.loads(policies).items()}


def test_managed_policies_are_read_alike_from_text_and_decoded(documents):
    """One managed policy in eighteen: no problem, the same policy from text, decoded, and from its own print."""
    for name in sorted(documents)[::18]:
        policy = from_document(documents[name])
        assert parse(json.dumps(documents[name], indent=2)).without_places() == policy, name
        assert parse(text(policy)).without_places() == policy, name


@pytest.mark.long
def test_every_managed_policy_is_well_formed(documents):
    """No managed policy of AWS has a problem of grammar, and few of their names and ARNs are doubted."""
    doubted = 0
    for name, document in documents.items():
        assert read(document, kind=PolicyKind.IDENTITY).problems == (), name
        found = validate(json.dumps(document), kind=PolicyKind.IDENTITY, catalog=current())
        assert {problem.code for problem in found.problems} <= OF_THE_CATALOGUE, name
        doubted += any(problem.is_error for problem in found.problems)
    assert doubted < len(documents) / 8
