"""The side files: resource policies, service and resource control policies, and where accounts sit.

Each is a JSON object with ARNs as keys; `docs/guide/simulate.md` describes them for users.
"""

from __future__ import annotations

import json
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.errors import InputError
from clew.snapshot.model import Document, Organization, Resource
from clew.snapshot.pages import located

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.snapshot.json_place import Step
    from clew.snapshot.model import Source

FULL_ACCESS: Mapping[str, object] = MappingProxyType(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
RCP_FULL_ACCESS: Mapping[str, object] = MappingProxyType(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
    }
)
_FULL_ACCESS_NAMES = {
    "FullAWSAccess": FULL_ACCESS,
    "p-FullAWSAccess": FULL_ACCESS,
    "RCPFullAWSAccess": RCP_FULL_ACCESS,
    "p-RCPFullAWSAccess": RCP_FULL_ACCESS,
}
_RESOURCE_KEYS = frozenset(
    {
        "Policy",
        "ResourcePolicy",
        "Attributes",
        "Account",
        "PublicAccessBlockConfiguration",
        "Acl",
        "OwnershipControls",
        "Grants",
        "RevisionId",
    }
)
_POLICY_HOLDERS = (("Policy",), ("ResourcePolicy",), ("Attributes", "Policy"))
_ORGANIZATION_KEYS = frozenset({"ManagementAccount", "Accounts"})
_ARN_PARTS = 6
_ACCOUNT_DIGITS = 12


def resources(source: Source) -> dict[str, Resource]:
    """The resources of a file: ARN → its policy, or an object with the policy and what else decides."""
    found = {}
    for arn, given in _object(source).items():
        if not arn.startswith("arn:"):
            raise InputError(f"{source.file}: `{arn[:200]}` is no ARN; the keys are the ARNs of resources")
        found[arn] = _resource(source, arn, given)
    return found


def _resource(source: Source, arn: str, given: object) -> Resource:
    if given is None or isinstance(given, str) or (isinstance(given, dict) and "Statement" in given):
        return Resource(arn, policy=_document(source, "resource policy", given, (arn,)))
    record = _mapping(source, given, arn)
    unknown = next((key for key in record if key not in _RESOURCE_KEYS), None)
    if unknown is not None:
        known = ", ".join(sorted(_RESOURCE_KEYS - {"Attributes", "ResourcePolicy", "RevisionId"}))
        raise InputError(f"{source.file}: `{arn}`: unknown key `{unknown[:200]}`; there are {known}")
    return Resource(
        arn,
        account=_account(source, arn, record.get("Account")),
        policy=_held_policy(source, arn, record),
        block_public_access=_block_public_access(source, arn, record.get("PublicAccessBlockConfiguration")),
        acl=None if record.get("Acl") is None else _mapping(source, record["Acl"], f"{arn}/Acl"),
        object_ownership=_ownership(source, arn, record.get("OwnershipControls")),
        grants=_grants(source, arn, record.get("Grants")),
    )


def _held_policy(source: Source, arn: str, record: Mapping[str, object]) -> Document | None:
    """The policy wherever AWS's own outputs keep it: `Policy`, `ResourcePolicy` or `Attributes.Policy`."""
    for path in _POLICY_HOLDERS:
        value: object = record
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None:
            return _document(source, "resource policy", value, (arn, *path))
    return None


def _account(source: Source, arn: str, given: object) -> str | None:
    if given is None:
        return None
    if isinstance(given, str) and len(given) == _ACCOUNT_DIGITS and given.isdigit():
        return given
    raise InputError(f"{source.file}: `{arn}`: expected `Account` as 12 digits in quotes")


def _block_public_access(source: Source, arn: str, given: object) -> Mapping[str, bool] | None:
    if given is None:
        return None
    settings = _mapping(source, given, f"{arn}/PublicAccessBlockConfiguration")
    found = {}
    for key, value in settings.items():
        if not isinstance(value, bool):
            raise InputError(f"{source.file}: `{arn}`: expected `{key[:200]}` to be true or false")
        found[key] = value
    return MappingProxyType(found)


def _ownership(source: Source, arn: str, given: object) -> str | None:
    if given is None or isinstance(given, str):
        return given
    rules = _mapping(source, given, f"{arn}/OwnershipControls").get("Rules")
    first = rules[0] if isinstance(rules, list) and rules else None
    ownership = first.get("ObjectOwnership") if isinstance(first, dict) else None
    if not isinstance(ownership, str):
        raise InputError(f"{source.file}: `{arn}`: expected `OwnershipControls` as AWS prints it")
    return ownership


def _grants(source: Source, arn: str, given: object) -> tuple[Mapping[str, object], ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        raise InputError(f"{source.file}: `{arn}`: expected `Grants` as a list")
    return tuple(_mapping(source, grant, f"{arn}/Grants") for grant in given)


def with_scps(organization: Organization, source: Source) -> Organization:
    """The organisation with the service control policies of the file, by root, unit or account."""
    return replace(organization, scps={**(organization.scps or {}), **_targets(source)})


def with_rcps(organization: Organization, source: Source) -> Organization:
    """The organisation with the resource control policies of the file, by root, unit or account."""
    return replace(organization, rcps={**(organization.rcps or {}), **_targets(source)})


def _targets(source: Source) -> Mapping[str, tuple[Document, ...]]:
    return {target_id(target): level(source, given, (target,)) for target, given in _object(source).items()}


def target_id(text: str) -> str:
    """The id of a root, organisational unit or account, of which the ARN or the id is given.

    >>> target_id("arn:aws:organizations::999999999999:ou/o-ex/ou-ab12-prod"), target_id("r-ab12")
    ('ou-ab12-prod', 'r-ab12')
    """
    return text.rpartition("/")[2] if text.startswith("arn:") else text


def level(source: Source, given: object, path: tuple[Step, ...]) -> tuple[Document, ...]:
    """The policies of one level: one or a list, each a document, a named one, or the word `FullAWSAccess`."""
    if isinstance(given, list):
        return tuple(_control_policy(source, item, (*path, n)) for n, item in enumerate(given))
    return (_control_policy(source, given, path),)


def _control_policy(source: Source, given: object, path: tuple[Step, ...]) -> Document:
    if isinstance(given, str) and (full := _FULL_ACCESS_NAMES.get(given.rpartition("/")[2])):
        return Document(given.rpartition("/")[2].removeprefix("p-"), dict(full))
    if not isinstance(given, dict):
        raise InputError(
            f"{source.file}: `{_shown(path)}`: expected a policy, a list of policies, or `FullAWSAccess`"
        )
    if "Statement" in given:
        name = given.get("Id")
        return _required(source, name if isinstance(name, str) else _shown(path), given, path)
    if isinstance(given.get("Policy"), dict):
        return _control_policy(source, given["Policy"], (*path, "Policy"))
    summary = given.get("PolicySummary", given)
    name = summary.get("Name") if isinstance(summary, dict) else None
    arn = summary.get("Arn") if isinstance(summary, dict) else None
    found = _required(
        source, name if isinstance(name, str) else _shown(path), given.get("Content"), (*path, "Content")
    )
    return replace(found, arn=arn if isinstance(arn, str) else None)


def with_tree(organization: Organization, source: Source) -> Organization:
    """The organisation with its management account and what is above each account."""
    given = _object(source)
    unknown = next((key for key in given if key not in _ORGANIZATION_KEYS), None)
    if unknown is not None:
        raise InputError(
            f"{source.file}: unknown key `{unknown[:200]}`; there are `ManagementAccount` and `Accounts`"
        )
    paths = dict(organization.paths)
    arns: list[str] = []
    for account, above in _mapping(source, given.get("Accounts", {}), "Accounts").items():
        if not isinstance(above, list) or not all(isinstance(item, str) for item in above):
            raise InputError(
                f"{source.file}: `{account[:200]}`: expected the list of what is above it, root first"
            )
        paths[target_id(account)] = tuple(target_id(item) for item in above)
        arns += [text for text in (account, *above) if text.count(":") == _ARN_PARTS - 1]
    management = given.get("ManagementAccount", arns[0].split(":")[4] if arns else None)
    if management is not None and not isinstance(management, str):
        raise InputError(f"{source.file}: expected `ManagementAccount` as 12 digits in quotes")
    return replace(
        organization,
        id=next((arn.split("/")[1] for arn in arns if arn.count("/") > 1), organization.id),
        management_account=management or organization.management_account,
        paths=MappingProxyType(paths),
    )


def _required(source: Source, name: str, content: object, path: tuple[Step, ...]) -> Document:
    found = _document(source, name, content, path)
    if found is None:
        raise InputError(f"{source.file}: `{_shown(path)}`: expected a policy document")
    return found


def _document(source: Source, name: str, content: object, path: tuple[Step, ...]) -> Document | None:
    if content is None:
        return None
    if not isinstance(content, dict | str):
        raise InputError(f"{source.file}: `{_shown(path)}`: expected a policy document")
    return Document(name, content, source=source, start=_first(source), path=path)


def _first(source: Source) -> int:
    """Where the value of the file begins; what Clew writes itself begins with it."""
    written = source.content
    return len(written) - len(written.lstrip()) if isinstance(written, str) else 0


def _object(source: Source) -> Mapping[str, object]:
    value = source.content
    if isinstance(value, str):
        with located(source):
            value = json.loads(value)
    return _mapping(source, value, "the file")


def _mapping(source: Source, value: object, where: str) -> Mapping[str, object]:
    if isinstance(value, dict):
        return value
    raise InputError(f"{source.file}: `{where[:200]}`: expected an object")


def _shown(path: tuple[Step, ...]) -> str:
    return "/".join(str(step) for step in path)[:200]
