"""AWS's own managed policies, as moto ships them, are read without a word and printed without a loss."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.case_files import read_case_file

from clew.aws.catalog import current
from clew.policy.format import text
from clew.policy.model import FindingType, PolicyKind
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
    "UNSUPPORTED_ACTION_FOR_CONDITION_KEY",
    "ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE",
}
# What AWS's policies are told of by Access Analyzer itself: they are wide, or could be written more plainly.
OF_AWS_TOO = {
    "CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE",
    "CREATE_SLR_WITH_STAR_IN_RESOURCE",
    "EQUIVALENT_TO_NULL_FALSE",
    "FORALLVALUES_WITH_SINGLE_VALUED_KEY",
    "MISSING_QUALIFIER",
    "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE",
    "PASS_ROLE_WITH_STAR_IN_RESOURCE",
    "REDUNDANT_ACTION",
    "REDUNDANT_RESOURCE",
    "STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS",
    "TYPE_MISMATCH",
}
# AWS: "IAM policy validation check reference", managed policies that the page names under the check.
NAMED_ON_THE_PAGE = {
    "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE": {"AdministratorAccess", "IAMFullAccess"},
    "PASS_ROLE_WITH_STAR_IN_RESOURCE": {"AdministratorAccess-Amplify", "AWSElasticBeanstalkService"},
    "STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS": {
        "AmazonSecurityLakeAdministrator",
        "AWSCodePipeline_FullAccess",
        "AWSCodePipeline_ReadOnlyAccess",
        "S3UnlockBucketPolicy",
        "SQSUnlockQueuePolicy",
    },
}
# Every error and security warning of a managed policy, with its reason.
TOLD = read_case_file(Path(__file__).resolve().parents[1] / "cases" / "managed_policies.yaml")
WEIGHTS = {"errors": FindingType.ERROR, "security_warnings": FindingType.SECURITY_WARNING}


def _expected():
    """What each listed policy is told of, as weight and code."""
    expected = {}
    for heading, weight in WEIGHTS.items():
        for code, row in TOLD[heading].items():
            for name in row["policies"]:
                expected.setdefault(name, set()).add((weight, code))
    return expected


def _grave(document):
    """The errors and security warnings of a document, as weight and code."""
    found = validate(json.dumps(document), kind=PolicyKind.IDENTITY, catalog=current())
    told = {(each.finding_type, each.code) for each in found.problems}
    return {each for each in told if each[0] in WEIGHTS.values()}


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


def test_what_the_page_says_of_managed_policies(documents):
    """Each managed policy that AWS's page names under a check is told by that check, and by no other security check."""
    for code, names in NAMED_ON_THE_PAGE.items():
        for name in names:
            found = validate(json.dumps(documents[name]), kind=PolicyKind.IDENTITY, catalog=current())
            told = {each.code for each in found.problems if each.finding_type is FindingType.SECURITY_WARNING}
            assert told == {code}, name


def test_what_managed_policies_are_told_of_is_written_down(documents):
    """Each managed policy of the list has just the errors and security warnings that the list gives a reason for."""
    for name, told in _expected().items():
        assert _grave(documents[name]) == told, name


@pytest.mark.long
def test_every_managed_policy_is_well_formed(documents):
    """No managed policy of AWS has a problem of grammar, and none but those listed an error or a security warning."""
    expected = _expected()
    for name, document in documents.items():
        assert read(document, kind=PolicyKind.IDENTITY).problems == (), name
        found = validate(json.dumps(document), kind=PolicyKind.IDENTITY, catalog=current())
        assert {problem.code for problem in found.problems} <= OF_THE_CATALOGUE | OF_AWS_TOO, name
        grave = {(each.finding_type, each.code) for each in found.problems}
        assert {each for each in grave if each[0] in WEIGHTS.values()} == expected.get(name, set()), name
