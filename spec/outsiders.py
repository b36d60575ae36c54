"""What never leaves the account of the resource: actions that nothing grants to an outsider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spec.principals import Kind
from spec.s3 import BUCKET_POLICY

if TYPE_CHECKING:
    from spec.request import Request

# AWS KMS developer guide, "Allowing users in other accounts to use a KMS key"; "AWS KMS permissions", column
# "Cross-account use".
KMS_ACROSS_ACCOUNTS = frozenset(
    {
        "creategrant",
        "decapsulate",
        "decrypt",
        "derivesharedsecret",
        "describekey",
        "encapsulate",
        "encrypt",
        "generatedatakey",
        "generatedatakeypair",
        "generatedatakeypairwithoutplaintext",
        "generatedatakeywithoutplaintext",
        "generatemac",
        "getkeyrotationstatus",
        "getpublickey",
        "listgrants",
        "reencryptfrom",
        "reencryptto",
        "retiregrant",
        "revokegrant",
        "sign",
        "verify",
        "verifymac",
    }
)
# Amazon SQS developer guide, "Limitations of Amazon SQS custom policies", section "Cross-account access".
SQS_OF_THE_OWN_ACCOUNT = frozenset(
    {
        "addpermission",
        "cancelmessagemovetask",
        "createqueue",
        "deletequeue",
        "listmessagemovetasks",
        "listqueues",
        "listqueuetags",
        "removepermission",
        "setqueueattributes",
        "startmessagemovetask",
        "tagqueue",
        "untagqueue",
    }
)

# Amazon DynamoDB developer guide, "DynamoDB API operations supported by resource-based policies", first paragraph.
DYNAMODB_OF_THE_OWN_ACCOUNT = frozenset({"updatetimetolive", "disablekinesisstreamingdestination"})


def refused(request: Request) -> str | None:
    """Rule 10: why nothing grants this to the caller, because it is for the account of the resource alone.

    Amazon S3 API reference, "GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy", section "Permissions"; AWS KMS
    developer guide, "Allowing users in other accounts to use a KMS key"; Amazon SQS developer guide, "Limitations of
    Amazon SQS custom policies"; Amazon DynamoDB developer guide, "DynamoDB API operations supported by resource-based
    policies". 0007 Q43.
    """
    if not is_outsider(request) or not stays_in_the_account(request):
        return None
    return f"{request.action} is only for the account of the resource"


def is_outsider(request: Request) -> bool:
    """Whether the caller is neither a service nor of the account that the resource belongs to (0007 Q43)."""
    caller = request.caller
    if caller.has_account:
        return caller.account != request.resource_account
    return caller.kind is not Kind.SERVICE


def stays_in_the_account(request: Request) -> bool:
    """Whether policies cannot give this action to another account (0007 Q43)."""
    if request.service == "kms":
        return request.operation not in KMS_ACROSS_ACCOUNTS
    own = {"s3": BUCKET_POLICY, "sqs": SQS_OF_THE_OWN_ACCOUNT, "dynamodb": DYNAMODB_OF_THE_OWN_ACCOUNT}
    return request.operation in own.get(request.service, frozenset())
