"""Policy documents wherever AWS keeps them; each is written by the calls that explanations print.

AWS: the API reference of each service: GetUserPolicy, GetGroupPolicy, GetAccountAuthorizationDetails, GetRole,
GetKeyPolicy, GetTopicAttributes, GetQueueAttributes, GetResourcePolicy, GetPolicy of Lambda, DescribePolicy.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import unquote

from clew.collect.reads import Read, Scope
from clew.errors import ChangeError, IrreversibleError
from clew.explain import fix_calls
from clew.explain.fix_edit import Kind, Where
from clew.respond.model import Aspect, Place, Value, Write
from clew.snapshot.answers import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NO_ENTITY = ("NoSuchEntity",)
_MOST_VERSIONS = 5


def where(kind: Kind, place: Place) -> Where:
    """The document's place in the terms of an explanation."""
    region = "" if place.region == GLOBAL else place.region
    return Where(kind, str(place), place.name, place.detail, place.account, region, place.partition)


def _document(value: Value) -> Value:
    """The policy as JSON: some services give text, IAM writes it URL-encoded where the SDK does not decode it."""
    if not isinstance(value, str):
        return value
    return json.loads(unquote(value) if value.startswith("%7B") else value) if value else None


def _writer(kind: Kind) -> Callable[[Place, Value, Value], tuple[Write, ...]]:
    def change(place: Place, current: Value, wanted: Value) -> tuple[Write, ...]:
        found = fix_calls.written(where(kind, place), current, wanted)
        if not found:
            raise IrreversibleError(
                f"{kind.value} of `{place}`: AWS has no call that leaves it as it should be"
            )
        return tuple(Write(each.service, each.operation, each.parameters, each.actions) for each in found)

    return change


def _aspect(kind: Kind, read: Read, asks: Callable[[Place], dict[str, Value]], *path: str) -> Aspect:
    """One kind of document: `path` leads to it in the answer."""

    def view(body: Mapping[str, Value], _: Place) -> Value:
        found: Value = body
        for step in path:
            found = (found or {}).get(step)
        return _document(found)

    return Aspect(kind.value, read, asks, view, _writer(kind))


def _named(kind: str) -> Callable[[Place], dict[str, Value]]:
    return lambda place: {f"{kind}Name": place.name, "PolicyName": place.detail}


def _versions(body: Mapping[str, Value], place: Place) -> Value:
    """Every version of the managed policy, by id."""
    policy = next((each for each in body["Policies"] if each["Arn"] == place.name), None)
    if policy is None:
        return None
    found = [
        {
            "VersionId": each["VersionId"],
            "IsDefaultVersion": each["IsDefaultVersion"],
            "Document": _document(each["Document"]),
        }
        for each in policy["PolicyVersionList"]
    ]
    return sorted(found, key=lambda each: _number(each["VersionId"]))


def _number(version: str) -> int:
    return int(version.lstrip("v").partition(".")[0])


def with_version(versions: Value, document: Value) -> Value:
    """The versions of a managed policy with one more, which is the default one. Errors: `ChangeError` without room.

    AWS: "Versioning IAM policies": a managed policy can have up to five versions.
    """
    if len(versions) >= _MOST_VERSIONS:
        oldest = next(each["VersionId"] for each in versions if not each["IsDefaultVersion"])
        raise ChangeError(
            f"the policy has {_MOST_VERSIONS} versions, which is all that IAM keeps; "
            f"delete one first, such as `{oldest}`"
        )
    after = max(_number(each["VersionId"]) for each in versions) + 1
    old = [{**each, "IsDefaultVersion": False} for each in versions]
    return [*old, {"VersionId": f"v{after}", "IsDefaultVersion": True, "Document": document}]


def _change_versions(place: Place, current: Value, wanted: Value) -> tuple[Write, ...]:
    """A version made, or another made the default one; then those deleted that should not be."""
    default = next(each for each in wanted if each["IsDefaultVersion"])
    there = {each["VersionId"]: each for each in current}
    is_there = (
        default["VersionId"] in there and there[default["VersionId"]]["Document"] == default["Document"]
    )
    kept = {each["VersionId"] for each in wanted}
    gone = [each for each in there if each not in kept]
    first: tuple[Write, ...] = ()
    if not is_there:
        parameters = {"PolicyDocument": fix_calls.compact(default["Document"]), "SetAsDefault": True}
        first = (_iam("CreatePolicyVersion", place, **parameters),)
    elif not there[default["VersionId"]]["IsDefaultVersion"]:
        first = (_iam("SetDefaultPolicyVersion", place, VersionId=default["VersionId"]),)
    return (*first, *(_iam("DeletePolicyVersion", place, VersionId=each) for each in gone))


def _iam(operation: str, place: Place, **parameters: Value) -> Write:
    return Write("iam", operation, {"PolicyArn": place.name, **parameters}, (f"iam:{operation}",))


def _without_ids(versions: Value) -> Value:
    """What the versions say; IAM numbers a new one itself."""
    if versions is None:
        return None
    return sorted(
        json.dumps([each["IsDefaultVersion"], each["Document"]], sort_keys=True) for each in versions
    )


USER_POLICY = _aspect(
    Kind.USER,
    Read("iam", "GetUserPolicy", Scope.ACCOUNT, absent=_NO_ENTITY),
    _named("User"),
    "PolicyDocument",
)
GROUP_POLICY = _aspect(
    Kind.GROUP,
    Read("iam", "GetGroupPolicy", Scope.ACCOUNT, absent=_NO_ENTITY),
    _named("Group"),
    "PolicyDocument",
)
MANAGED_POLICY = Aspect(
    Kind.MANAGED.value,
    Read("iam", "GetAccountAuthorizationDetails", Scope.ACCOUNT),
    lambda _: {"Filter": ["LocalManagedPolicy"]},
    _versions,
    _change_versions,
    canonical=_without_ids,
)
ROLE_TRUST = _aspect(
    Kind.TRUST,
    Read("iam", "GetRole", Scope.ACCOUNT, absent=_NO_ENTITY),
    lambda place: {"RoleName": place.name},
    "Role",
    "AssumeRolePolicyDocument",
)
KEY_POLICY = _aspect(
    Kind.KEY,
    Read("kms", "GetKeyPolicy", Scope.REGION, absent=("NotFoundException",)),
    lambda place: {"KeyId": place.name, "PolicyName": "default"},
    "Policy",
)
TOPIC_POLICY = _aspect(
    Kind.TOPIC,
    Read("sns", "GetTopicAttributes", Scope.REGION, absent=("NotFound",)),
    lambda place: {"TopicArn": place.name},
    "Attributes",
    "Policy",
)
QUEUE_POLICY = _aspect(
    Kind.QUEUE,
    Read("sqs", "GetQueueAttributes", Scope.REGION, absent=("AWS.SimpleQueueService.NonExistentQueue",)),
    lambda place: {"QueueUrl": fix_calls.queue_url(place.name), "AttributeNames": ["Policy"]},
    "Attributes",
    "Policy",
)
FUNCTION_POLICY = _aspect(
    Kind.FUNCTION,
    Read("lambda", "GetPolicy", Scope.REGION, absent=("ResourceNotFoundException",)),
    lambda place: {"FunctionName": place.name},
    "Policy",
)
SECRET_POLICY = _aspect(
    Kind.SECRET,
    Read("secretsmanager", "GetResourcePolicy", Scope.REGION, absent=("ResourceNotFoundException",)),
    lambda place: {"SecretId": place.name},
    "ResourcePolicy",
)
SCP = _aspect(
    Kind.SCP,
    Read("organizations", "DescribePolicy", Scope.ACCOUNT, absent=("PolicyNotFoundException",)),
    lambda place: {"PolicyId": place.name},
    "Policy",
    "Content",
)
RCP = _aspect(
    Kind.RCP,
    Read("organizations", "DescribePolicy", Scope.ACCOUNT, absent=("PolicyNotFoundException",)),
    lambda place: {"PolicyId": place.name},
    "Policy",
    "Content",
)
