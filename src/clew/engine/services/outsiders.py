"""Actions that never leave the account of the resource: to an outsider no policy can allow them.

AWS: S3 API reference, GetBucketPolicy, PutBucketPolicy, DeleteBucketPolicy; KMS Developer Guide, "Allowing users in
other accounts to use a KMS key" and "AWS KMS permissions"; SQS Developer Guide, "Limitations of Amazon SQS custom
policies"; DynamoDB Developer Guide, "DynamoDB API operations supported by resource-based policies".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.engine.principal import Kind

if TYPE_CHECKING:
    from clew.engine.principal import Caller

BUCKET_POLICY: Final = frozenset({"s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy"})
_SQS: Final = frozenset(
    f"sqs:{name}".lower()
    for name in (
        "AddPermission",
        "CancelMessageMoveTask",
        "CreateQueue",
        "DeleteQueue",
        "ListMessageMoveTasks",
        "ListQueues",
        "ListQueueTags",
        "RemovePermission",
        "SetQueueAttributes",
        "StartMessageMoveTask",
        "TagQueue",
        "UntagQueue",
    )
)
_DYNAMODB: Final = frozenset({"dynamodb:updatetimetolive", "dynamodb:disablekinesisstreamingdestination"})
_KMS_ACROSS: Final = frozenset(
    f"kms:{name}".lower()
    for name in (
        "CreateGrant",
        "Decapsulate",
        "Decrypt",
        "DeriveSharedSecret",
        "DescribeKey",
        "Encapsulate",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GetKeyRotationStatus",
        "GetPublicKey",
        "ListGrants",
        "ReEncryptFrom",
        "ReEncryptTo",
        "RetireGrant",
        "RevokeGrant",
        "Sign",
        "Verify",
        "VerifyMac",
    )
)


def is_refused_to(caller: Caller, action: str, *, same_account: bool) -> bool:
    """Whether the caller is an outsider to whom nothing can grant the action (in lower case)."""
    return is_confined(action) and _is_outsider(caller, same_account=same_account)


def is_confined(action: str) -> bool:
    """Whether the action (in lower case) never leaves the account of the resource."""
    if action.startswith("kms:"):
        return action not in _KMS_ACROSS
    return action in BUCKET_POLICY or action in _SQS or action in _DYNAMODB


def _is_outsider(caller: Caller, *, same_account: bool) -> bool:
    """Whether the caller is of another account, or of none that could own a resource; services are neither."""
    if caller.is_person_of_account:
        return not same_account
    # A CloudFront origin access identity is spelled as an ARN, a service is not.
    return caller.kind is not Kind.SERVICE or caller.text.startswith("arn:")
