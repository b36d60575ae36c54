"""The calls that write each kind of policy, and those that take it away: one table, for commands and for `clew fix`.

AWS: the API reference of each service, PutUserPolicy, PutGroupPolicy, PutRolePolicy, CreatePolicyVersion,
UpdateAssumeRolePolicy, PutBucketPolicy, PutKeyPolicy, SetTopicAttributes, SetQueueAttributes, PutResourcePolicy,
AddPermission, UpdatePolicy of AWS Organizations, ModifyVpcEndpoint.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from clew.aws import command_line
from clew.explain.fix_edit import Kind, statements
from clew.explain.fix_places import IDENTITY_CENTER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clew.explain.fix_edit import Document, Edit, Where


class Call(NamedTuple):
    """One call that changes something; `actions` are the permissions that it takes."""

    service: str
    operation: str
    parameters: dict[str, Any]
    actions: tuple[str, ...]
    region: str = ""

    @property
    def command(self) -> str:
        """The call as one line for a shell."""
        return command_line.line(self.service, self.operation, self.parameters, self.region)


def compact(document: Document) -> str:
    """The document as short as JSON can be written: quotas count what is sent."""
    return json.dumps(document, separators=(",", ":"))


def calls(edit: Edit) -> tuple[Call, ...]:
    """The calls that make the edit; none where nobody has given the document, or AWS has no call for its kind."""
    return written(edit.where, edit.before, edit.after) if _is_ours(edit) else ()


def _is_ours(edit: Edit) -> bool:
    """Whether a call can write it: the document is at hand, and no service keeps the role for itself.

    AWS: IAM Identity Center user guide, "Permission sets".
    """
    is_role = edit.where.kind in {Kind.ROLE, Kind.TRUST}
    return edit.is_at_hand and not (is_role and edit.where.name.startswith(IDENTITY_CENTER))


def undoing(edit: Edit) -> tuple[Call, ...]:
    """The calls that take the edit back."""
    if not _is_ours(edit):
        return ()
    if edit.where.kind is Kind.MANAGED:
        return _to_version(edit.where)
    return written(edit.where, edit.after, edit.before)


def _iam(operation: str, **parameters: Any) -> Call:
    return Call("iam", operation, parameters, (f"iam:{operation}",))


def _inline(kind: str) -> Callable[[Where, Document | None, Document | None], tuple[Call, ...]]:
    def write(where: Where, _: Document | None, wanted: Document | None) -> tuple[Call, ...]:
        named = {f"{kind}Name": where.name, "PolicyName": where.detail}
        if wanted is None:
            return (_iam(f"Delete{kind}Policy", **named),)
        return (_iam(f"Put{kind}Policy", **named, PolicyDocument=compact(wanted)),)

    return write


def _version(where: Where, _: Document | None, wanted: Document | None) -> tuple[Call, ...]:
    """A new version, which becomes the default one; `detail` names the version to delete first where there are five.

    AWS: "Versioning IAM policies": a managed policy can have up to five versions.
    """
    if wanted is None:
        return ()
    full = where.detail.partition(",")[2]
    room = (_iam("DeletePolicyVersion", PolicyArn=where.name, VersionId=full),) if full else ()
    made = _iam(
        "CreatePolicyVersion", PolicyArn=where.name, PolicyDocument=compact(wanted), SetAsDefault=True
    )
    return (*room, made)


def _to_version(where: Where) -> tuple[Call, ...]:
    """The version that was the default one is so again."""
    old = where.detail.partition(",")[0]
    return (_iam("SetDefaultPolicyVersion", PolicyArn=where.name, VersionId=old),) if old else ()


def _trust(where: Where, _: Document | None, wanted: Document | None) -> tuple[Call, ...]:
    if wanted is None:
        return ()
    return (_iam("UpdateAssumeRolePolicy", RoleName=where.name, PolicyDocument=compact(wanted)),)


def _bucket(where: Where, _: Document | None, wanted: Document | None) -> tuple[Call, ...]:
    # AWS: "Verifying bucket ownership with bucket owner condition": a bucket of another account is refused.
    named: dict[str, Any] = {"Bucket": where.name}
    if where.account:
        named["ExpectedBucketOwner"] = where.account
    if wanted is None:
        return (Call("s3", "DeleteBucketPolicy", named, ("s3:DeleteBucketPolicy",)),)
    return (Call("s3", "PutBucketPolicy", {**named, "Policy": compact(wanted)}, ("s3:PutBucketPolicy",)),)


def _key(where: Where, _: Document | None, wanted: Document | None) -> tuple[Call, ...]:
    if wanted is None:
        return ()
    given = {"KeyId": where.name, "PolicyName": "default", "Policy": compact(wanted)}
    return (Call("kms", "PutKeyPolicy", given, ("kms:PutKeyPolicy",), where.region),)


def _topic(where: Where, _: Document | None, wanted: Document | None) -> tuple[Call, ...]:
    value = "" if wanted is None else compact(wanted)
    given = {"TopicArn": where.name, "AttributeName": "Policy", "AttributeValue": value}
    return (Call("sns", "SetTopicAttributes", given, ("sns:SetTopicAttributes",), where.region),)


def _queue(where: Where, _: Document | None, wanted: Document | None) -> tuple[Call, ...]:
    value = "" if wanted is None else compact(wanted)
    given = {"QueueUrl": queue_url(where.name), "Attributes": {"Policy": value}}
    return (Call("sqs", "SetQueueAttributes", given, ("sqs:SetQueueAttributes",), where.region),)


def queue_url(arn: str) -> str:
    """The address under which the queue is asked. AWS: "Amazon SQS queue and message identifiers".

    >>> queue_url("arn:aws:sqs:eu-west-1:111122223333:jobs")
    'https://sqs.eu-west-1.amazonaws.com/111122223333/jobs'
    """
    _, partition, _, region, account, name = arn.split(":", 5)
    return f"https://sqs.{region}.amazonaws.com{'.cn' if partition == 'aws-cn' else ''}/{account}/{name}"


def _secret(where: Where, _: Document | None, wanted: Document | None) -> tuple[Call, ...]:
    named = {"SecretId": where.name}
    if wanted is None:
        operation, given = "DeleteResourcePolicy", named
    else:
        operation, given = "PutResourcePolicy", {**named, "ResourcePolicy": compact(wanted)}
    return (Call("secretsmanager", operation, given, (f"secretsmanager:{operation}",), where.region),)


def _function(where: Where, before: Document | None, wanted: Document | None) -> tuple[Call, ...]:
    """Statement by statement; no call where a statement is more than AddPermission can write."""
    old, new = (statements(each) if each is not None else [] for each in (before, wanted))
    gone = [each for each in old if each not in new]
    come = [each for each in new if each not in old]
    given = [_permission(each) for each in come]
    if any(each is None for each in given) or any("Sid" not in each for each in gone):
        return ()
    named = {"FunctionName": where.name}
    removed = [
        _of_function("RemovePermission", where, {**named, "StatementId": each["Sid"]}) for each in gone
    ]
    added = [_of_function("AddPermission", where, {**named, **(each or {})}) for each in given]
    return (*removed, *added)


def _of_function(operation: str, where: Where, given: dict[str, Any]) -> Call:
    return Call("lambda", operation, given, (f"lambda:{operation}",), where.region)


def _permission(statement: Document) -> dict[str, Any] | None:
    """The parameters of AddPermission that write the statement; None where it says more than they can."""
    principal = statement.get("Principal")
    who = next(iter(principal.values())) if isinstance(principal, dict) and len(principal) == 1 else principal
    simple = isinstance(who, str) and isinstance(statement.get("Action"), str)
    if not simple or "Condition" in statement or statement.get("Effect") != "Allow":
        return None
    return {"StatementId": statement.get("Sid", ""), "Action": statement["Action"], "Principal": who}


def _organization(where: Where, _: Document | None, wanted: Document | None) -> tuple[Call, ...]:
    if wanted is None or not where.name:
        return ()
    given = {"PolicyId": where.name, "Content": compact(wanted)}
    return (Call("organizations", "UpdatePolicy", given, ("organizations:UpdatePolicy",)),)


def _endpoint(where: Where, _: Document | None, wanted: Document | None) -> tuple[Call, ...]:
    given: dict[str, Any] = {"VpcEndpointId": where.name}
    given |= {"ResetPolicy": True} if wanted is None else {"PolicyDocument": compact(wanted)}
    return (Call("ec2", "ModifyVpcEndpoint", given, ("ec2:ModifyVpcEndpoint",), where.region),)


_WRITERS: Mapping[Kind, Callable[[Where, Document | None, Document | None], tuple[Call, ...]]] = {
    Kind.USER: _inline("User"),
    Kind.GROUP: _inline("Group"),
    Kind.ROLE: _inline("Role"),
    Kind.MANAGED: _version,
    Kind.TRUST: _trust,
    Kind.BUCKET: _bucket,
    Kind.KEY: _key,
    Kind.TOPIC: _topic,
    Kind.QUEUE: _queue,
    Kind.FUNCTION: _function,
    Kind.SECRET: _secret,
    Kind.SCP: _organization,
    Kind.RCP: _organization,
    Kind.ENDPOINT: _endpoint,
}


def written(where: Where, before: Document | None, wanted: Document | None) -> tuple[Call, ...]:
    """The calls from one document at a place to another."""
    writer = _WRITERS.get(where.kind)
    return writer(where, before, wanted) if writer is not None else ()
