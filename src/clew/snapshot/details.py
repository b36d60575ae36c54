"""The output of `aws iam get-account-authorization-details` to accounts.

Each user, group, role and policy belongs to the account that its ARN names, so it does not matter how several outputs
were put together.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.snapshot.model import Account, Attached, Document, Group, PolicyVersion, Role, User
from clew.snapshot.pages import Entry, pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from clew.snapshot.json_place import Step
    from clew.snapshot.model import Source

_ARN_PARTS = 6


# Under which AWS's own managed policies stand, which are nobody's account.
_AWS = "aws"


@dataclass(slots=True)
class _Growing:
    """An account while its files are read."""

    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    policies: dict[str, Document] = field(default_factory=dict)
    versions: dict[str, tuple[PolicyVersion, ...]] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    truncated: bool = False


class Collected:
    """What the account files hold, put together account by account."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._growing: dict[str, _Growing] = {}

    def add(self, source: Source, account: str = "") -> bool:
        """Take in a file; False when it holds no account details. Errors: `InputError`, located.

        `account` is whose details they are, where that is known: those of an account without anything name no ARN.
        """
        found = pages(source)
        for page in found:
            touched = {_add(self._growing, entry) for entry in page.entries}
            if account and touched <= {_AWS}:
                self._growing.setdefault(account, _Growing())
                touched.add(account)
            for each in touched:
                growing = self._growing[each]
                growing.lists |= page.lists
                growing.truncated = page.truncated
        return bool(found)

    def add_session_lengths(self, told: Iterable[Mapping[str, object]]) -> None:
        """Take in how long sessions of roles may last, from the answer to `ListRoles`; other roles are left out."""
        for item in told:
            arn, seconds = str(item.get("Arn")), item.get("MaxSessionDuration")
            growing = self._growing.get("".join(arn.split(":")[4:5]))
            if growing is not None and arn in growing.roles and isinstance(seconds, int):
                growing.roles[arn] = replace(growing.roles[arn], max_session_duration=seconds)

    def accounts(self) -> Mapping[str, Account]:
        """The accounts by id; AWS's own managed policies, which belong to none, stand under `aws`."""
        return MappingProxyType({name: _account(name, growing) for name, growing in self._growing.items()})


def _account(name: str, growing: _Growing) -> Account:
    return Account(
        id=name,
        users=MappingProxyType(growing.users),
        groups=MappingProxyType(growing.groups),
        roles=MappingProxyType(growing.roles),
        policies=MappingProxyType(growing.policies),
        truncated=growing.truncated,
        lists=frozenset(growing.lists),
        versions=MappingProxyType(growing.versions),
    )


def _add(accounts: dict[str, _Growing], entry: Entry) -> str:
    """Add one user, group, role or policy; returns its account."""
    arn = entry.text("Arn")
    parts = arn.split(":", _ARN_PARTS - 1)
    if len(parts) != _ARN_PARTS or not parts[4]:
        raise entry.fault(f"`{arn[:200]}` is no ARN of an account")
    growing = accounts.setdefault(parts[4], _Growing())
    _ADDING[entry.list_name](growing, entry, arn)
    return parts[4]


def _add_user(growing: _Growing, entry: Entry, arn: str) -> None:
    growing.users[arn] = User(
        arn=arn,
        name=_name(entry, "UserName", arn),
        id=_optional(entry, "UserId"),
        groups=_names(entry, "GroupList"),
        inline=_inline(entry, "UserPolicyList"),
        attached=_attached(entry),
        boundary=_boundary(entry),
        tags=_tags(entry),
    )


def _add_group(growing: _Growing, entry: Entry, arn: str) -> None:
    name = _name(entry, "GroupName", arn)
    growing.groups[name] = Group(
        arn=arn,
        name=name,
        id=_optional(entry, "GroupId"),
        inline=_inline(entry, "GroupPolicyList"),
        attached=_attached(entry),
    )


def _add_role(growing: _Growing, entry: Entry, arn: str) -> None:
    trust = entry.value.get("AssumeRolePolicyDocument")
    growing.roles[arn] = Role(
        arn=arn,
        name=_name(entry, "RoleName", arn),
        id=_optional(entry, "RoleId"),
        trust=None
        if trust is None
        else _document(entry, "trust policy", trust, ("AssumeRolePolicyDocument",)),
        inline=_inline(entry, "RolePolicyList"),
        attached=_attached(entry),
        boundary=_boundary(entry),
        tags=_tags(entry),
    )


def _add_policy(growing: _Growing, entry: Entry, arn: str) -> None:
    """Keep the policy's versions; a policy without a default one stays unknown."""
    versions: list[PolicyVersion] = []
    for number, version in enumerate(entry.objects("PolicyVersionList")):
        if "Document" in version:
            is_default = version.get("IsDefaultVersion") is True
            document = _document(
                entry,
                _name(entry, "PolicyName", arn),
                version["Document"],
                ("PolicyVersionList", number, "Document"),
                arn,
            )
            created = str(version.get("CreateDate") or "")
            versions.append(PolicyVersion(str(version.get("VersionId") or ""), document, is_default, created))
            if is_default:
                growing.policies[arn] = document
    growing.versions[arn] = tuple(versions)


_ADDING: Mapping[str, Callable[[_Growing, Entry, str], None]] = MappingProxyType(
    {
        "UserDetailList": _add_user,
        "GroupDetailList": _add_group,
        "RoleDetailList": _add_role,
        "Policies": _add_policy,
    }
)


def _document(
    entry: Entry, name: str, content: object, path: tuple[Step, ...], arn: str | None = None
) -> Document:
    if not isinstance(content, dict | str):
        raise entry.fault(f"expected the document of `{name[:200]}` as an object or as text")
    return Document(name, content, arn, entry.source, entry.start, path)


def _inline(entry: Entry, name: str) -> tuple[Document, ...]:
    found = []
    for number, given in enumerate(entry.objects(name)):
        title = given.get("PolicyName")
        if not isinstance(title, str):
            raise entry.fault(f"expected `PolicyName` as text in `{name}`")
        found.append(_document(entry, title, given.get("PolicyDocument"), (name, number, "PolicyDocument")))
    return tuple(found)


def _attached(entry: Entry) -> tuple[Attached, ...]:
    found = []
    for given in entry.objects("AttachedManagedPolicies"):
        arn, name = given.get("PolicyArn"), given.get("PolicyName")
        if not isinstance(arn, str):
            raise entry.fault("expected `PolicyArn` as text in `AttachedManagedPolicies`")
        found.append(Attached(arn, name if isinstance(name, str) else arn.rpartition("/")[2]))
    return tuple(found)


def _boundary(entry: Entry) -> str | None:
    given = entry.value.get("PermissionsBoundary")
    if given is None:
        return None
    arn = given.get("PermissionsBoundaryArn") if isinstance(given, dict) else None
    if not isinstance(arn, str):
        raise entry.fault("expected `PermissionsBoundary` with `PermissionsBoundaryArn`")
    return arn


def _tags(entry: Entry) -> Mapping[str, str]:
    tags: dict[str, str] = {}
    for given in entry.objects("Tags"):
        key, value = given.get("Key"), given.get("Value")
        if not isinstance(key, str) or not isinstance(value, str):
            raise entry.fault("expected `Key` and `Value` as text in `Tags`")
        tags[key] = value
    return MappingProxyType(tags)


def _names(entry: Entry, name: str) -> tuple[str, ...]:
    value = entry.value.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise entry.fault(f"expected `{name}` as a list of names")
    return tuple(value)


def _name(entry: Entry, member: str, arn: str) -> str:
    """The friendly name; the last part of the ARN where a tool other than AWS's left it out."""
    return _optional(entry, member) or arn.rpartition("/")[2]


def _optional(entry: Entry, name: str) -> str:
    value = entry.value.get(name)
    return value if isinstance(value, str) else ""
