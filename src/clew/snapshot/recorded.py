"""Recorded answers as the state that access questions read: principals, policies of resources, the organisation.

Each part is written as the file that AWS's own commands would have given and read by the same code; its lines are those
that `clew snapshot show FILE --call OPERATION` prints. A policy that was not collected is kept as one that nobody can
read, so that whatever depends on it stays open.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.snapshot import recorded_policies
from clew.snapshot.answers import GLOBAL
from clew.snapshot.model import Source
from clew.snapshot.recorded_policies import partition, policy_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.snapshot.answers import Answer, Answers

_BUCKET_READS = ("GetBucketPolicy", "GetBucketAcl", "GetBucketOwnershipControls", "GetPublicAccessBlock")
NEEDED = (
    ("iam", "GetAccountAuthorizationDetails"),
    ("s3", "ListBuckets"),
    ("kms", "ListKeys"),
    ("sns", "ListTopics"),
    ("sqs", "ListQueues"),
    ("lambda", "ListFunctions"),
    ("secretsmanager", "ListSecrets"),
    ("organizations", "DescribeOrganization"),
    ("organizations", "ListRoots"),
    ("organizations", "ListPolicies"),
    ("organizations", "ListTargetsForPolicy"),
    ("organizations", "DescribePolicy"),
    ("organizations", "ListOrganizationalUnitsForParent"),
    ("organizations", "ListAccountsForParent"),
    *(("s3", operation) for operation in _BUCKET_READS),
    ("s3control", "GetPublicAccessBlock"),
    ("kms", "GetKeyPolicy"),
    ("kms", "ListGrants"),
    ("sns", "GetTopicAttributes"),
    ("sqs", "GetQueueAttributes"),
    ("lambda", "GetPolicy"),
    ("secretsmanager", "GetResourcePolicy"),
    ("lambda", "ListAliases"),
    ("lambda", "ListVersionsByFunction"),
    ("lambda", "ListLayers"),
    ("lambda", "ListLayerVersions"),
    ("lambda", "GetLayerVersionPolicy"),
    ("ecr", "DescribeRepositories"),
    ("ecr", "GetRepositoryPolicy"),
    ("events", "ListEventBuses"),
    ("efs", "DescribeFileSystems"),
    ("efs", "DescribeFileSystemPolicy"),
    ("dynamodb", "ListTables"),
    ("dynamodb", "DescribeTable"),
    ("dynamodb", "GetResourcePolicy"),
    ("kinesis", "ListStreams"),
    ("kinesis", "ListStreamConsumers"),
    ("kinesis", "GetResourcePolicy"),
    ("sts", "AssumeRole"),
)
"""The calls, by service and operation, whose answers hold principals, policies and the organisation."""
_SCP = "SERVICE_CONTROL_POLICY"
_RCP = "RESOURCE_CONTROL_POLICY"


def account_files(name: str, answers: Answers) -> Iterator[tuple[str, Source]]:
    """Each account that gave its authorization details, with them."""
    for answer in answers.each("iam", "GetAccountAuthorizationDetails"):
        if answer.body is not None:
            account = answer.call.account
            yield account, _source(f"{name}#{account}/{answer.call.operation}", answer.body)


def resource_file(name: str, answers: Answers) -> Source:
    """The resources with their policies, as `resource-policies.json` has them."""
    found: dict[str, object] = {}
    for account in answers.accounts:
        place = partition(answers, account)
        found.update(_buckets(answers, account, place))
        found.update(_account_settings(answers, account, place))
    found.update(_keys(answers))
    found.update(recorded_policies.entries(answers))
    return _source(f"{name}#resource-policies", found)


def organization_files(name: str, answers: Answers) -> dict[str, Source]:
    """The tree (`organization`) and the policies by target (`scps`, `rcps`), where an account told them."""
    found: dict[str, Source] = {}
    for answer in answers.each("organizations", "DescribeOrganization"):
        account = answer.call.account
        # A member account sees that there is an organisation, and nothing of it.
        if not _list(answers, account, "ListRoots"):
            continue
        found["organization"] = _source(f"{name}#organization", _tree(answers, account, answer))
        for kind, key in ((_SCP, "scps"), (_RCP, "rcps")):
            targets = _targets(answers, account, kind)
            if targets is not None:
                found[key] = _source(f"{name}#{key}", targets)
    return found


def notes(name: str, answers: Answers) -> Iterator[str]:
    """What of the state is not known because a call was refused, one sentence for each account and operation."""
    found = {
        (answer.call.account, f"{service}:{operation}", answer.error_code): None
        for service, operation in NEEDED
        for answer in answers.each(service, operation)
        if not answer.status.is_known
    }
    for account, operation, code in found:
        yield f"`{name}`: {operation} of {account} was not answered ({code}); what it would tell is not known"


def _source(name: str, content: object) -> Source:
    return Source(name, content)


def _buckets(answers: Answers, account: str, place: str) -> Iterator[tuple[str, object]]:
    of_account = answers.get(account, GLOBAL, "s3control", "GetPublicAccessBlock", AccountId=account)
    for bucket in answers.get(account, GLOBAL, "s3", "ListBuckets").list("Buckets"):
        name = str(bucket.get("Name"))
        said = {each: answers.get(account, GLOBAL, "s3", each, Bucket=name) for each in _BUCKET_READS}
        record: dict[str, object] = {"Account": account, "Policy": _bucket_policy(said, of_account)}
        record |= dict(said["GetPublicAccessBlock"].body or {})
        record |= dict(said["GetBucketOwnershipControls"].body or {})
        acl = said["GetBucketAcl"].body
        yield f"arn:{place}:s3:::{name}", record if acl is None else {**record, "Acl": dict(acl)}


def _bucket_policy(said: Mapping[str, Answer], of_account: Answer) -> object:
    """The bucket's policy; unreadable, too, where something else that may decide beside it was not collected."""
    own, acl, ownership = (
        said[each] for each in ("GetBucketPolicy", "GetBucketAcl", "GetBucketOwnershipControls")
    )
    others = len(acl.list("Grants")) > 1
    deciding = [own]
    if own.body is not None or others:
        deciding += [said["GetPublicAccessBlock"], of_account]
    if not acl.status.is_known and "BucketOwnerEnforced" not in json.dumps(ownership.body):
        deciding += [acl]
    if others:
        deciding += [ownership]
    unread = next((answer for answer in deciding if not answer.status.is_known), None)
    return policy_in(unread or own, "Policy")


def _account_settings(answers: Answers, account: str, place: str) -> Iterator[tuple[str, object]]:
    answer = answers.get(account, GLOBAL, "s3control", "GetPublicAccessBlock", AccountId=account)
    if answer.body is not None:
        yield f"arn:{place}:iam::{account}:root", dict(answer.body)


def _keys(answers: Answers) -> Iterator[tuple[str, object]]:
    for listed in answers.each("kms", "ListKeys"):
        account, region = listed.call.account, listed.call.region
        for key in listed.list("Keys"):
            name = str(key.get("KeyId"))
            policy = answers.get(account, region, "kms", "GetKeyPolicy", KeyId=name, PolicyName="default")
            grants = answers.get(account, region, "kms", "ListGrants", KeyId=name)
            # A grant that nobody read may allow what the policy does not.
            deciding = policy if grants.status.is_known else grants
            record: dict[str, object] = {"Account": account, "Policy": policy_in(deciding, "Policy")}
            if grants.body is not None:
                record["Grants"] = list(grants.list("Grants"))
            yield str(key.get("KeyArn")), record


def _list(answers: Answers, account: str, operation: str) -> tuple[Mapping[str, object], ...]:
    member = {"ListRoots": "Roots", "ListAccounts": "Accounts"}[operation]
    return answers.get(account, GLOBAL, "organizations", operation).list(member)


def _tree(answers: Answers, account: str, organization: Answer) -> dict[str, object]:
    above: dict[str, list[str]] = {}
    waiting = [(str(root.get("Id")), [str(root.get("Arn"))]) for root in _list(answers, account, "ListRoots")]
    while waiting:
        parent, path = waiting.pop()
        units = answers.get(
            account, GLOBAL, "organizations", "ListOrganizationalUnitsForParent", ParentId=parent
        )
        waiting += [
            (str(unit.get("Id")), [*path, str(unit.get("Arn"))]) for unit in units.list("OrganizationalUnits")
        ]
        members = answers.get(account, GLOBAL, "organizations", "ListAccountsForParent", ParentId=parent)
        above |= {str(member.get("Arn")): path for member in members.list("Accounts")}
    described = (organization.body or {}).get("Organization")
    management = described.get("MasterAccountId") if isinstance(described, dict) else None
    return {"ManagementAccount": management, "Accounts": above} if management else {"Accounts": above}


def _targets(answers: Answers, account: str, kind: str) -> dict[str, list[object]] | None:
    """The policies of that kind by target; None where that is not known, or there are none of the kind."""
    listed = answers.get(account, GLOBAL, "organizations", "ListPolicies", Filter=kind)
    if listed.body is None:
        return None
    found: dict[str, list[object]] = {}
    for policy in listed.list("Policies"):
        name = str(policy.get("Id"))
        targets = answers.get(account, GLOBAL, "organizations", "ListTargetsForPolicy", PolicyId=name)
        if not targets.status.is_known:
            # Who has the policy is not known, so that no target can be told completely.
            return None
        described = answers.get(account, GLOBAL, "organizations", "DescribePolicy", PolicyId=name)
        content = policy_in(described, "Policy", "Content")
        for target in targets.list("Targets"):
            found.setdefault(str(target.get("TargetId")), []).append(
                {"PolicySummary": dict(policy), "Content": content}
            )
    return found
