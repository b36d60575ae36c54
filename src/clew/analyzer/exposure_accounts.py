"""The resources of each account of a snapshot file, or of the files that AWS's own commands print."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from clew.analyzer import exposure_buckets, exposure_shared
from clew.analyzer.exposure_access_points import leaves_decision
from clew.analyzer.exposure_collected import targets
from clew.analyzer.exposure_model import Target, Through, Unknown, WayIn
from clew.analyzer.exposure_reading import IGNORE, RESTRICT, Reading, about
from clew.engine.services.s3 import ENFORCED
from clew.snapshot.answers import GLOBAL, Answers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.snapshot.model import Resource, Snapshot

_ROLE: Final = "AWS::IAM::Role"
_TYPES: Final = {
    "s3": "AWS::S3::Bucket",
    "s3express": "AWS::S3Express::DirectoryBucket",
    "kms": "AWS::KMS::Key",
    "sqs": "AWS::SQS::Queue",
    "sns": "AWS::SNS::Topic",
    "lambda": "AWS::Lambda::Function",
    "secretsmanager": "AWS::SecretsManager::Secret",
    "ecr": "AWS::ECR::Repository",
    "events": "AWS::Events::EventBus",
    "acm-pca": "AWS::ACMPCA::CertificateAuthority",
    "backup": "AWS::Backup::BackupVault",
    "codeartifact": "AWS::CodeArtifact::Repository",
    "dynamodb": "AWS::DynamoDB::Table",
    "es": "AWS::OpenSearchService::Domain",
    "execute-api": "AWS::ApiGateway::RestApi",
    "glacier": "AWS::Glacier::Vault",
    "kinesis": "AWS::Kinesis::Stream",
    "elasticfilesystem": "AWS::EFS::FileSystem",
}
_ACCOUNT_PART: Final = 4


@dataclass(frozen=True, slots=True)
class State:
    """What exposure is asked of: the principals and policies as values, and recorded answers where there are any."""

    snapshot: Snapshot
    answers: Answers
    file: str = ""

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts whose resources are known."""
        owners = (
            each.account or each.arn.split(":")[_ACCOUNT_PART] for each in self.snapshot.resources.values()
        )
        found = {*self.snapshot.accounts, *self.answers.accounts}
        # AWS's own managed policies stand under `aws`, which is nobody's account.
        told = {each for each in found if each.isdigit()}
        return tuple(sorted(told or {owner for owner in owners if owner}))


def everything(state: State, account: str) -> Iterator[Target | Unknown]:
    """Each resource of the account with its ways in, and an Unknown for what was not listed."""
    yield from roles(state, account)
    if len(state.answers):
        yield from targets(Reading.of(state.answers, account, state.file))
    else:
        yield from written(state.snapshot, account)


def roles(state: State, account: str) -> Iterator[Target | Unknown]:
    """The roles with their trust policies."""
    known = state.snapshot.accounts.get(account)
    if known is None:
        yield _no_roles(state, account)
        return
    if known.truncated or "RoleDetailList" not in known.lists:
        yield Unknown(
            "", _ROLE, account, "", ("iam:GetAccountAuthorizationDetails",), "the list of roles is not whole"
        )
    call = "iam:GetAccountAuthorizationDetails"
    for role in known.roles.values():
        file = state.file if len(state.answers) else (role.trust.file or "") if role.trust else ""
        way = WayIn(Through.POLICY, call, file, document=role.trust)
        yield Target(role.arn, _ROLE, account, "", (way,), tuple(sorted(role.tags.items())))


def type_of(arn: str) -> str:
    """The type of the resource as CloudFormation spells it; empty for one that exposure does not look at.

    >>> type_of("arn:aws:s3:::payroll"), type_of("arn:aws:iam::111122223333:role/ci")
    ('AWS::S3::Bucket', 'AWS::IAM::Role')
    """
    parts = arn.split(":", _ACCOUNT_PART + 1)
    if len(parts) <= _ACCOUNT_PART + 1:
        return ""
    if parts[2] == "iam":
        return _ROLE if parts[-1].startswith("role/") else ""
    return _TYPES.get(parts[2], "")


def _no_roles(state: State, account: str) -> Unknown:
    answer = state.answers.get(account, GLOBAL, "iam", "GetAccountAuthorizationDetails")
    missing = ("iam:GetAccountAuthorizationDetails",)
    return Unknown("", _ROLE, account, "", missing, f"not read: {about(answer)}")


def overlooked(state: State, account: str) -> Iterator[str]:
    """What the files hold and is of no type that exposure looks at, in one sentence for each resource."""
    for resource in state.snapshot.resources.values() if not len(state.answers) else ():
        fields = _named(resource.arn, account).split(":")
        owner = resource.account or fields[_ACCOUNT_PART] or account
        if owner == account and fields[2] not in {*_TYPES, "iam"} and resource.policy is not None:
            yield f"{resource.arn}: resources of `{fields[2]}` are not looked at"


def written(snapshot: Snapshot, account: str) -> Iterator[Target]:
    """The resources of hand-written or exported files, which say nothing of what they leave out."""
    owner = next(
        (each for arn, each in snapshot.resources.items() if arn.endswith(f"::{account}:root")), None
    )
    of_account = owner.block_public_access if owner is not None else None
    for resource in snapshot.resources.values():
        if (resource.account or resource.arn.split(":")[_ACCOUNT_PART] or account) != account:
            continue
        arn = _named(resource.arn, account)
        service = arn.split(":")[2]
        if service in _TYPES:
            settings = {**(resource.block_public_access or {})}
            settings |= {name: True for name, is_on in (of_account or {}).items() if is_on}
            ways = tuple(_ways(resource, settings, account))
            yield Target(arn, _TYPES[service], account, arn.split(":")[3], ways)


def _named(arn: str, account: str) -> str:
    """The resource as its policy names it: an API is managed under a name of the service `apigateway`.

    AWS: API Gateway Developer Guide, "How Amazon API Gateway works with IAM".
    """
    fields = arn.split(":", _ACCOUNT_PART + 1)
    name = fields[-1].removeprefix("/restapis/")
    if fields[2] != "apigateway" or name == fields[-1] or "/" in name:
        return arn
    return f"arn:{fields[1]}:execute-api:{fields[3]}:{account}:{name}"


def _ways(resource: Resource, settings: dict[str, bool], account: str) -> Iterator[WayIn]:
    file = (resource.policy.file or "") if resource.policy else ""
    closed = settings.get(RESTRICT, False)
    yield WayIn(Through.POLICY, "policy", file, document=resource.policy, closed_to_public=closed)
    if leaves_decision(resource.policy, account):
        # Such files hold no access points.
        call = "s3control:ListAccessPoints"
        yield WayIn(Through.S3_ACCESS_POINT, call, file, unread=(f"{call} (not in the files)",))
    if resource.acl is not None and resource.object_ownership != ENFORCED:
        entries = tuple(exposure_buckets.acl_entries(resource.acl))
        ignored = settings.get(IGNORE, False)
        yield WayIn(Through.BUCKET_ACL, "Acl", file, entries=entries, closed_to_public=ignored)
    if resource.grants:
        entries = tuple(chain.from_iterable(map(exposure_shared.grant_entries, resource.grants)))
        yield WayIn(Through.GRANT, "Grants", file, entries=entries)
