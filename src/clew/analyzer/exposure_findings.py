"""Exposures as findings, whose life is kept like that of any other: active, suppressed, resolved, back again.

AWS: IAM User Guide: "Resolve IAM Access Analyzer findings", "Archive IAM Access Analyzer findings".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.analyzer.exposure_model import ZoneOfTrust
from clew.engine.conditions import read
from clew.engine.leaf import clause
from clew.findings import Evidence, Finding, Severity, finding_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from clew.analyzer.exposure_model import Exposure, Report, Zone
    from clew.policy.model import Condition

RULE: Final = "external-access"
"""The rule of every finding of exposure."""

# Keys that say of which account the caller is; others say from where, or anything else.
_OF_CALLERS: Final = (
    "aws:principal",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorg",
    "aws:sourceowner",
    "aws:userid",
    "kms:calleraccount",
    "s3:dataaccesspoint",
)
_CHANGING: Final = frozenset({"Write", "Permissions"})


def producer(zone: Zone) -> str:
    """The name under which the findings of an account are kept; what an organisation trusts is a matter of its own."""
    is_account = zone.kind is ZoneOfTrust.ACCOUNT
    return f"exposure:{zone.account}{'' if is_account else f':{zone.kind}'}"


def finding(found: Exposure, zone: Zone, as_of: datetime) -> Finding:
    """The exposure as a finding that is equal across runs while its access stays the same."""
    return Finding(
        id=finding_id(producer(zone), RULE, found.subject),
        rule=RULE,
        title=title(found),
        severity=severity(found),
        actor=found.principal,
        first_seen=as_of,
        last_seen=as_of,
        explanation=explanation(found),
        next_steps=(_next_step(found),),
        false_positives=("the access is intended: archive the finding with `clew suppress` and a reason",),
        references=("IAM User Guide: How IAM Access Analyzer findings work",),
        accounts=(found.account,),
        regions=(found.region,) if found.region else (),
        resources=(found.resource,),
        evidence=tuple(_evidence(found, as_of)),
        producer=producer(zone),
        subject=found.subject,
        tags=found.tags,
    )


def title(found: Exposure) -> str:
    """Who can do what to the resource, in one line."""
    levels = ", ".join(found.levels) or "no level of the catalogue"
    return f"{who(found)} can reach {found.resource}: {levels}"


def who(found: Exposure) -> str:
    """The principal in words."""
    if found.principal == "*" and not found.is_public:
        keys = (line.key.lower() for line in found.conditions)
        is_told = any(key.startswith(_OF_CALLERS) for key in keys)
        return "principals of other accounts" if is_told else "whoever meets the conditions"
    if found.principal == "*":
        return "everybody"
    if found.kind == "Federated":
        return f"users of {found.principal}"
    return f"canonical user {found.principal}" if found.kind == "CanonicalUser" else found.principal


def severity(found: Exposure) -> Severity:
    """Public access weighs most, and what changes things more than what reads them; least what nobody can use now."""
    if found.dormant:
        return Severity.LOW
    changes = not _CHANGING.isdisjoint(found.levels)
    if found.is_public:
        return Severity.CRITICAL if changes and not found.conditions else Severity.HIGH
    return Severity.MEDIUM if changes else Severity.LOW


def explanation(found: Exposure) -> str:
    """What is granted, through what, under which conditions, and where it is written."""
    said = "; ".join(f"{proof.said} ({proof.place})" for proof in found.proofs)
    limits = f", only if {conditions(found.conditions)}" if found.conditions else ""
    doubt = "; a Deny or a condition may take it back" if found.may else ""
    doubt += f"; {found.dormant}" if found.dormant else ""
    where = f" {found.about}" if found.about else ""
    return f"{', '.join(found.actions)} through {found.through}{where}{limits}: {said}{doubt}"


def conditions(lines: Iterable[Condition]) -> str:
    """The conditions as one sentence."""
    return " and ".join(map(_condition, lines))


def _condition(line: Condition) -> str:
    qualified = read(line.operator)
    values = " or ".join(f"`{value}`" for value in line.values) or "nothing"
    if qualified is None:
        return f"{line.key} {line.operator} {values}"
    return clause(line.key, line.values, qualified, values)


def _next_step(found: Exposure) -> str:
    if found.is_public and found.type == "AWS::S3::Bucket":
        return f"block it: clew block-public-access {found.resource.rpartition(':')[2]}"
    return "take the access out of the policy, or archive the finding with a reason"


def _evidence(found: Exposure, as_of: datetime) -> Iterable[Evidence]:
    for proof in found.proofs:
        yield Evidence(
            event_id="",
            time=as_of,
            summary=f"{proof.said} of {found.resource}, told by {proof.call}",
            account=found.account,
            region=found.region,
            resources=(found.resource,),
            source=proof.place,
        )


def cleared(report: Report, kept: Iterable[Finding]) -> frozenset[tuple[str, str]]:
    """The kept findings that are known to be gone: their resource was read, or the list that it is missing from."""
    now = {each.subject for each in report.exposures}
    open_resources = {each.resource for each in report.unknown if each.resource}
    open_services = {_service_of_type(each.type) for each in report.unknown if not each.resource}
    return frozenset(
        (each.rule, each.subject)
        for each in kept
        if each.subject not in now and not _is_open(each, report.targets, open_resources, open_services)
    )


def _is_open(
    kept: Finding, targets: Collection[str], resources: Collection[str], services: Collection[str]
) -> bool:
    """Whether what nobody could read may still hold the access that was found before."""
    resource = kept.resources[0] if kept.resources else ""
    if resource in resources:
        return True
    return resource not in targets and resource.split(":")[2:3] != [] and resource.split(":")[2] in services


def _service_of_type(type_: str) -> str:
    """The service of a type as ARNs spell it."""
    return type_.split("::")[1].lower()
