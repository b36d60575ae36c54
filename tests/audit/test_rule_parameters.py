"""Every parameter of AWS Config's managed rules is read, and decides: the same account passes or fails by its value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.audit.cases import CASES, Case, cases
from tests.case_files import read_case_file

from clew.audit import frameworks, thresholds
from clew.audit.checks import CHECKS
from clew.audit.model import Verdict
from clew.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

FRAMEWORK = frameworks.load("config-rules")
RULES = {control.id: control for control in FRAMEWORK.controls}

# AWS Config developer guide, the page of each rule, "Parameters"; a rule that is not here has none.
# https://docs.aws.amazon.com/config/latest/developerguide/managed-rules-by-aws-config.html
PARAMETERS = {
    "access-keys-rotated": "maxAccessKeyAge",
    "account-part-of-organizations": "MasterAccountId",
    "acm-certificate-expiration-check": "daysToExpiration",
    "alb-waf-enabled": "wafWebAclIds",
    "api-gw-associated-with-waf": "WebAclArns",
    "cloud-trail-cloud-watch-logs-enabled": "expectedDeliveryWindowAge",
    "cloudfront-associated-with-waf": "wafWebAclIds",
    "cloudtrail-enabled": "s3BucketName snsTopicArn cloudWatchLogsLogGroupArn",
    "cloudtrail-s3-dataevents-enabled": "S3BucketNames",
    "cloudwatch-log-group-encrypted": "KmsKeyId",
    "cmk-backing-key-rotation-enabled": "rotationPeriodInDays",
    "cw-loggroup-retention-period-check": "MinRetentionTime LogGroupNames",
    "ec2-instance-profile-attached": "IamInstanceProfileArnList",
    "ecs-no-environment-secrets": "secretKeys",
    "efs-encrypted-check": "KmsKeyId",
    "encrypted-volumes": "kmsId",
    "guardduty-enabled-centralized": "CentralMonitoringAccount",
    "iam-password-policy": (
        "RequireUppercaseCharacters RequireLowercaseCharacters RequireSymbols RequireNumbers MinimumPasswordLength "
        "PasswordReusePrevention MaxPasswordAge"
    ),
    "iam-policy-blacklisted-check": "policyArns exceptionList",
    "iam-policy-no-statements-with-admin-access": "excludePermissionBoundaryPolicy",
    "iam-policy-no-statements-with-full-access": "excludePermissionBoundaryPolicy",
    "iam-user-group-membership-check": "groupNames",
    "iam-user-unused-credentials-check": "maxCredentialUsageAge",
    "internet-gateway-authorized-vpc-only": "AuthorizedVpcIds",
    "kms-cmk-not-scheduled-for-deletion": "kmsKeyIds",
    "lambda-inside-vpc": "subnetIds",
    "multi-region-cloudtrail-enabled": (
        "s3BucketName snsTopicArn cloudWatchLogsLogGroupArn includeManagementEvents readWriteType"
    ),
    "no-unrestricted-route-to-igw": "routeTableIds",
    "rds-storage-encrypted": "kmsKeyId",
    "restricted-common-ports": "blockedPort1 blockedPort2 blockedPort3 blockedPort4 blockedPort5 blockedPorts",
    "s3-account-level-public-access-blocks": (
        "BlockPublicAcls IgnorePublicAcls BlockPublicPolicy RestrictPublicBuckets"
    ),
    "s3-account-level-public-access-blocks-periodic": (
        "BlockPublicAcls IgnorePublicAcls BlockPublicPolicy RestrictPublicBuckets"
    ),
    "s3-bucket-blacklisted-actions-prohibited": "blacklistedActionPattern",
    "s3-bucket-default-lock-enabled": "mode",
    "s3-bucket-level-public-access-prohibited": "excludedPublicBuckets",
    "s3-bucket-logging-enabled": "targetBucket targetPrefix",
    "s3-bucket-policy-grantee-check": "awsPrincipals servicePrincipals federatedUsers ipAddresses vpcIds",
    "s3-bucket-replication-enabled": "ReplicationType",
    "s3-bucket-versioning-enabled": "isMfaDeleteEnabled",
    "s3-default-encryption-kms": "kmsKeyArns",
    "s3-event-notifications-enabled": "destinationArn eventTypes",
    "secretsmanager-rotation-enabled-check": (
        "maximumAllowedRotationFrequency maximumAllowedRotationFrequencyInHours"
    ),
    "service-vpc-endpoint-enabled": "serviceName",
    "vpc-flow-logs-enabled": "trafficType",
    "vpc-peering-dns-resolution-check": "vpcIds",
    "vpc-sg-open-only-to-authorized-ports": "authorizedTcpPorts authorizedUdpPorts",
}
ROWS = tuple(read_case_file(CASES.parent / "config" / "rule-parameters.yaml")["rows"])


def test_every_parameter_of_aws_is_one_of_ours() -> None:
    """A rule takes exactly the parameters that AWS documents for it."""
    ours = {name: set(rule.names) for name, rule in RULES.items() if rule.names}
    assert ours == {name: set(given.split()) for name, given in PARAMETERS.items()}


def test_every_parameter_has_a_case() -> None:
    """No parameter goes without a value with which a rule is complied with and one with which it is not."""
    assert {(row["rule"], row["parameter"]) for row in ROWS} == {
        (rule, name) for rule, given in PARAMETERS.items() for name in given.split()
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['rule']}: {row['parameter']} {row['fail']}")
def test_every_parameter_decides(row: Mapping[str, Any]) -> None:
    """The same account complies with the rule under one value of a parameter and does not under another."""
    assert verdict(row, row["fail"]) is Verdict.FAIL
    assert verdict(row, row["pass"]) in {Verdict.PASS, Verdict.NOT_APPLICABLE}


def verdict(row: Mapping[str, Any], value: str | None) -> Verdict:
    """What the check behind the parameter says of the row's account with that value, or without the parameter."""
    rule, name = RULES[row["rule"]], row["parameter"]
    given = {**row.get("given", {}), **({} if value is None else {name: value})}
    read = thresholds.read([f"{rule.id}.{key}={each}" for key, each in given.items()], [FRAMEWORK])
    check = CHECKS[rule.names[name].partition(".")[0]]
    case = Case(
        check.id,
        name,
        Verdict.PASS,
        "",
        users=row.get("users", {}),
        answers=row.get("answers", {}),
        details=row.get("details"),
    )
    found = check.judge(case.state, **{**rule.parameters.get(check.id, {}), **read.get(check.id, {})})
    return Verdict.of_all(judgement.verdict for judgement in found)


WORDS = (
    "apigateway-cache-encrypted.cache cloudfront-https.origins cloudtrail-multi-region.exclusions "
    "cloudtrail-multi-region.kinds cloudtrail-multi-region.management_events cloudtrail-s3-data-events.kinds "
    "ec2-volume-encrypted.scope ec2-vpc-flow-logs.traffic elb-https.kinds elb-waf.scope iam-admin-policy.scope "
    "iam-admin-policy.exclude_boundaries iam-service-full-access.exclude_boundaries "
    "iam-password-policy-number.required inspector-enabled.resources s3-account-block-public-access.unset "
    "s3-account-block-public-access.block_public_acls s3-bucket-block-public-access.level "
    "s3-bucket-encryption.algorithm s3-bucket-object-lock.mode s3-bucket-replication.kind "
    "s3-bucket-versioning.mfa_delete shield-advanced.auto_renew"
)


@pytest.mark.parametrize("place", WORDS.split())
def test_a_word_that_a_parameter_does_not_know_is_refused(place: str) -> None:
    """A value that is no word of the parameter is never taken for its default."""
    check, _, name = place.partition(".")
    with pytest.raises(
        UsageError, match=f"`nonsense` is no value of `(?i:{name.replace('_', '.?')})`; known are"
    ):
        CHECKS[check].judge(cases()[0].state, **{name: "nonsense"})
