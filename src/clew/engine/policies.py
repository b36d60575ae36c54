"""The policies that apply to a request, gate by gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.policy.model import Policy


@dataclass(frozen=True, slots=True)
class Policies:
    """Every policy that takes part in one decision. An empty gate is described at its field.

    identity: the principal's own policies, groups' included; a union.
    resource: the resource's policy (the trust policy for `sts:AssumeRole*`), None where there is none.
    boundaries, session, endpoint: unions; empty means that no such gate applies, but for a federated-user session,
        which without a session policy has no permissions of its own.
    scps, rcps: one union for each organisation level, root first; every level must allow; no levels, no gate.
    grants: KMS grants as ListGrants gives them. acl: an S3 access control list as GetBucketAcl gives it.
    """

    identity: tuple[Policy, ...] = ()
    resource: Policy | None = None
    boundaries: tuple[Policy, ...] = ()
    session: tuple[Policy, ...] = ()
    scps: tuple[tuple[Policy, ...], ...] = ()
    rcps: tuple[tuple[Policy, ...], ...] = ()
    endpoint: tuple[Policy, ...] = ()
    block_public_access: Mapping[str, bool] | None = None
    grants: tuple[Mapping[str, object], ...] = ()
    acl: Mapping[str, object] | None = None
    object_ownership: str | None = None
    object_owner: str | None = None
    management_account: bool = False
    rcp_services_only: bool = False
