"""The service and resource control policies that apply to an account, level by level, root first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.reach.attached import Attachment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.snapshot.model import Document, Organization

Levels = tuple[tuple[Attachment, ...], ...]


@dataclass(frozen=True, slots=True)
class Guardrails:
    """The levels of one kind of control policy, and what was assumed to find them."""

    levels: Levels = ()
    assumed: tuple[str, ...] = ()


NONE = Guardrails()


def scps(organization: Organization, account: str) -> Guardrails:
    """The service control policies above the account of a principal."""
    return _levels(organization, organization.scps, account, "SCPs", "FullAWSAccess")


def rcps(organization: Organization, account: str) -> Guardrails:
    """The resource control policies above the account of a resource."""
    return _levels(organization, organization.rcps, account, "RCPs", "RCPFullAWSAccess")


def _levels(
    organization: Organization,
    policies: Mapping[str, tuple[Document, ...]] | None,
    account: str,
    word: str,
    default: str,
) -> Guardrails:
    if policies is None or not account:
        return NONE
    path = _path(organization, policies, account)
    if path is None:
        why = f"the {word} above account {account}: nothing says where it sits; give `--organization FILE`"
        unknown = Attachment(None, "", "none", f"one of the {word} above account {account}", why=why)
        return Guardrails(((unknown,),))
    if not path:
        return Guardrails(assumed=(f"account {account} is not in the organisation: no {word} of it apply",))
    # RCPFullAWSAccess is attached everywhere and cannot be detached: nothing is assumed of RCPs.
    unnamed = [target for target in path if target not in policies and word == "SCPs"]
    assumed = (f"{', '.join(unnamed)}: no {word} named, taken as {default} alone",) if unnamed else ()
    return Guardrails(
        tuple(
            tuple(Attachment(document, target, "none", document.name) for document in policies[target])
            for target in path
            if target in policies
        ),
        assumed,
    )


def _path(
    organization: Organization, policies: Mapping[str, tuple[Document, ...]], account: str
) -> tuple[str, ...] | None:
    """What is above the account, and the account; empty when it is elsewhere, None when nobody knows."""
    if account in organization.paths:
        return (*organization.paths[account], account)
    if organization.paths:
        return ()
    # Without the tree, units cannot be placed; roots and the account itself can.
    if any(target.startswith("ou-") for target in policies):
        return None
    return (*(target for target in policies if target.startswith("r-")), account)
