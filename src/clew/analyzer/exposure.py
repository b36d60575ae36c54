"""Who outside the zone of trust can reach the resources of an account: IAM Access Analyzer's external access, offline.

Every way in is judged by itself; what nobody could read is an `Unknown` with the missing call, never "no exposure".
AWS: IAM User Guide: "How IAM Access Analyzer findings work", "IAM Access Analyzer resource types for external access".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from clew.analyzer.exposure_actions import levels, service_of
from clew.analyzer.exposure_merging import merged
from clew.analyzer.exposure_model import Exposure, Proof, Report, Target, Through, Unknown, WayIn, Zone
from clew.analyzer.exposure_points import agreed
from clew.analyzer.exposure_policy import of_policy, restricted_by
from clew.aws import glob
from clew.engine.services.s3_public import is_public
from clew.errors import PolicyError
from clew.policy.model import Principal
from clew.reach.witnesses import witnesses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.analyzer.exposure_model import Entry
    from clew.policy.model import Policy

_PATHS: Final = "aws:PrincipalOrgPaths"
_UNREADABLE: Final = "its policy cannot be read"


def run(account: str, zone: Zone, found: Iterable[Target | Unknown], notes: Iterable[str] = ()) -> Report:
    """The exposure of one account's resources, in the order in which they come."""
    exposures: list[Exposure] = []
    unknown: list[Unknown] = []
    targets: dict[str, str] = {}
    for each in found:
        if isinstance(each, Unknown):
            unknown.append(each)
            continue
        targets[each.arn] = each.type
        opened, missing = exposure(each, zone)
        exposures += opened
        unknown += missing
    return Report(account, zone, targets, tuple(exposures), tuple(unknown), tuple(notes))


def exposure(target: Target, zone: Zone) -> tuple[tuple[Exposure, ...], tuple[Unknown, ...]]:
    """The exposures of one resource, as few as say it all, and what is not known of it."""
    opened: list[Exposure] = []
    unknown: list[Unknown] = []
    for way in target.ways:
        if way.unread:
            unknown.append(_unknown(target, way.unread, f"not read: {way.unread[0]}"))
            continue
        try:
            found = list(_of_way(target, way, zone))
        except PolicyError as error:
            unknown.append(_unknown(target, (way.call,), f"{_UNREADABLE}: {error}"))
            continue
        if way.unsettled and _would_be_closed(way, found):
            unknown.append(_unknown(target, way.unsettled, f"not known to be blocked: {way.unsettled[0]}"))
        opened += found
    kept = merged(opened)
    return tuple(replace(each, tags=target.tags) for each in kept) if target.tags else kept, tuple(unknown)


def _of_way(target: Target, way: WayIn, zone: Zone) -> Iterator[Exposure]:
    if way.document is not None:
        found = of_policy(target, way, way.document, zone)
        yield from agreed(target, found, zone) if way.through is Through.S3_ACCESS_POINT else found
    for entry in way.entries:
        if not _is_inside(entry, zone) and not (entry.is_public and way.closed_to_public):
            yield _of_entry(target, way, entry, zone)


def _would_be_closed(way: WayIn, found: list[Exposure]) -> bool:
    """Whether what was not read could take back any of what was found."""
    if way.document is not None:
        is_left_to_others = any(each.through is Through.S3_ACCESS_POINT_ACCOUNT for each in found)
        return bool(found) and (is_left_to_others or is_public(way.document.policy))
    if way.through is Through.SHARING:
        # AWS: EC2 API Reference: "EnableSnapshotBlockPublicAccess": only public sharing is blocked.
        return any(each.is_public for each in found)
    return bool(found)


def _is_inside(entry: Entry, zone: Zone) -> bool:
    if entry.kind == "Service":
        return True
    account = Principal(entry.kind, entry.principal).account
    if account is not None:
        return zone.holds_account(account)
    paths = (value for each in entry.conditions if each.key == _PATHS for value in each.values)
    return any(zone.holds_organization(path.partition("/")[0]) for path in paths)


def _of_entry(target: Target, way: WayIn, entry: Entry, zone: Zone) -> Exposure:
    place = f"{way.file}, {way.call}" if way.file else way.call
    return Exposure(
        resource=target.arn,
        type=target.type,
        account=target.account,
        region=target.region,
        kind=entry.kind,
        principal=entry.principal,
        actions=tuple(sorted(entry.actions)),
        levels=levels(entry.actions),
        conditions=entry.conditions,
        is_public=entry.is_public,
        through=way.through,
        about=way.about,
        proofs=(Proof(entry.name, place, way.call, way.time),),
        restriction=restricted_by(zone, service_of(target.arn), applies=False),
    )


def _unknown(target: Target, missing: tuple[str, ...], why: str) -> Unknown:
    return Unknown(target.arn, target.type, target.account, target.region, missing, why)


def newly_exposed(
    before: Target, after: Target, zone: Zone
) -> tuple[tuple[Exposure, ...], tuple[Exposure, ...]]:
    """What a change of a resource would newly expose, and what it would no longer expose."""
    old, _ = exposure(before, zone)
    new, _ = exposure(after, zone)
    old_subjects, new_subjects = ({each.subject for each in found} for found in (old, new))
    return (
        tuple(each for each in new if each.subject not in old_subjects),
        tuple(each for each in old if each.subject not in new_subjects),
    )


def speaks_of(target: Target) -> bool:
    """Whether the policy is about the resource or something in it; one without statements is. Errors: `PolicyError`."""
    documents = (way.document for way in target.ways if way.through is Through.POLICY)
    policies = [document.policy for document in documents if document is not None]
    statements = [(each, policy) for policy in policies for each in policy.statements]
    return not statements or any(
        each.resources is None or any(_is_about(text, target.arn, policy) for text in each.resources)
        for each, policy in statements
    )


def _is_about(pattern: str, arn: str, policy: Policy) -> bool:
    return "${" in pattern or any(glob.matches(pattern, witness) for witness in witnesses(arn, policy))


def with_policy(target: Target, way: WayIn) -> Target:
    """The resource with another policy in place of its own."""
    kept = tuple(each for each in target.ways if each.through is not Through.POLICY)
    mine = next((each for each in target.ways if each.through is Through.POLICY), None)
    if mine is not None:
        way = replace(way, unsettled=mine.unsettled, closed_to_public=mine.closed_to_public)
    return replace(target, ways=(way, *kept))
