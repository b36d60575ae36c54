"""The resources and the zone of each account of a snapshot file, or of the files that AWS's own commands print."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from clew.analyzer import exposure_buckets, exposure_shared
from clew.analyzer.exposure_collected import targets
from clew.analyzer.exposure_model import Target, Through, Unknown, WayIn, Zone, ZoneOfTrust
from clew.analyzer.exposure_reading import Reading, about, member
from clew.engine.services.s3 import ENFORCED
from clew.reach import guardrails
from clew.reach.attached import held
from clew.snapshot.answers import GLOBAL, Answers, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.model import Policy
    from clew.snapshot.model import Account, Organization, Resource, Snapshot

_ROLE: Final = "AWS::IAM::Role"
_TYPES: Final = {
    "s3": "AWS::S3::Bucket",
    "kms": "AWS::KMS::Key",
    "sqs": "AWS::SQS::Queue",
    "sns": "AWS::SNS::Topic",
    "lambda": "AWS::Lambda::Function",
    "secretsmanager": "AWS::SecretsManager::Secret",
    "ecr": "AWS::ECR::Repository",
    "events": "AWS::Events::EventBus",
    "dynamodb": "AWS::DynamoDB::Table",
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
        return tuple(sorted(found or {owner for owner in owners if owner}))


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
        yield Target(role.arn, _ROLE, account, "", (WayIn(Through.POLICY, call, file, document=role.trust),))


def _no_roles(state: State, account: str) -> Unknown:
    answer = state.answers.get(account, GLOBAL, "iam", "GetAccountAuthorizationDetails")
    missing = ("iam:GetAccountAuthorizationDetails",)
    return Unknown("", _ROLE, account, "", missing, f"not read: {about(answer)}")


def written(snapshot: Snapshot, account: str) -> Iterator[Target]:
    """The resources of hand-written or exported files, which say nothing of what they leave out."""
    owner = next(
        (each for arn, each in snapshot.resources.items() if arn.endswith(f"::{account}:root")), None
    )
    of_account = owner.block_public_access if owner is not None else None
    for resource in snapshot.resources.values():
        if (resource.account or resource.arn.split(":")[_ACCOUNT_PART] or account) != account:
            continue
        service = resource.arn.split(":")[2]
        if service in _TYPES:
            settings = {**(resource.block_public_access or {})}
            settings |= {name: True for name, is_on in (of_account or {}).items() if is_on}
            ways = tuple(_ways(resource, settings))
            yield Target(resource.arn, _TYPES[service], account, resource.arn.split(":")[3], ways)


def _ways(resource: Resource, settings: dict[str, bool]) -> Iterator[WayIn]:
    file = (resource.policy.file or "") if resource.policy else ""
    closed = settings.get(exposure_buckets.RESTRICT, False)
    yield WayIn(Through.POLICY, "policy", file, document=resource.policy, closed_to_public=closed)
    if resource.acl is not None and resource.object_ownership != ENFORCED:
        entries = tuple(exposure_buckets.acl_entries(resource.acl))
        ignored = settings.get(exposure_buckets.IGNORE, False)
        yield WayIn(Through.BUCKET_ACL, "Acl", file, entries=entries, closed_to_public=ignored)
    if resource.grants:
        entries = tuple(chain.from_iterable(map(exposure_shared.grant_entries, resource.grants)))
        yield WayIn(Through.GRANT, "Grants", file, entries=entries)


def zone_of(state: State, account: str, kind: ZoneOfTrust) -> tuple[Zone, tuple[Unknown, ...]]:
    """The zone around the account, and what is not known of it."""
    organization, members, missing = _organization(state, account)
    ids = _ids(state.snapshot.accounts.get(account))
    unknown: tuple[Unknown, ...] = ()
    if kind is ZoneOfTrust.ORGANIZATION and missing:
        why = f"which accounts are of the organisation is not known: {missing[0]}"
        unknown = (Unknown("", "AWS::Organizations::Account", account, "", missing, why),)
    return Zone(
        account, kind, organization, members, ids, _rcps(state.snapshot.organization, account)
    ), unknown


def _rcps(organization: Organization, account: str) -> tuple[tuple[Policy, ...], ...]:
    """The resource control policies above the account; one that cannot be read may allow and may deny everything."""
    if account == organization.management_account:
        # AWS: "Resource control policies": they do not affect resources in the management account.
        return ()
    levels = guardrails.rcps(organization, account).levels
    return tuple(held(level, with_principal=True).policies for level in levels)


def _organization(state: State, account: str) -> tuple[str | None, frozenset[str] | None, tuple[str, ...]]:
    """The organisation's id, its accounts, and the calls that are missing to tell them."""
    known = state.snapshot.organization
    if not len(state.answers):
        members = frozenset(known.paths) or None
        return known.id, members, () if members else ("organizations:ListAccounts",)
    described = state.answers.get(account, GLOBAL, "organizations", "DescribeOrganization")
    if described.status is Status.ABSENT:
        return None, frozenset({account}), ()
    name = member(described.body, "Organization.Id")
    listed = state.answers.get(account, GLOBAL, "organizations", "ListAccounts")
    missing = tuple(about(each) for each in (described, listed) if each.status is not Status.OK)
    members = frozenset(str(each.get("Id")) for each in listed.list("Accounts"))
    return (str(name) if name else None), (members | {account}) if not missing else None, missing


def _ids(account: Account | None) -> frozenset[str]:
    if account is None:
        return frozenset()
    users = (user.id for user in account.users.values())
    assumable = (role.id for role in account.roles.values())
    return frozenset(each for each in (*users, *assumable) if each)
