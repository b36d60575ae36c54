"""What is wrong with an ARN, and the ARN that was meant: one examination from the first field to the last.

An ARN of a policy may hold wildcards and variables; those fit whatever they may stand for. Each step examines what
the steps before it corrected, so that one misplaced colon is told once and not as five wrong fields.
Codes are those of AWS's policy validation (AWS: "IAM policy validation check reference") where it has one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.aws import arn_overlap, arn_refit
from clew.aws.arn_overlap import (
    ACCOUNT,
    FIELDS,
    LONGEST,
    PARTITION,
    REGION,
    RESOURCE,
    SERVICE,
    is_open,
    split,
)
from clew.aws.catalog_nearest import nearest
from clew.aws.partitions import PARTITIONS, is_region, partition_of

if TYPE_CHECKING:
    from clew.aws.catalog import Catalog, ResourceType

NOT_FOR_ACTION: Final = "MISMATCHED_RESOURCE_FOR_ACTION"
"""Our own code: the ARN is well-formed, and the action never works on what it names."""

_TYPE_WORD: Final = re.compile("[/:]")
# What stands in the account field of AWS's own resources in place of twelve digits.
_OWNERS: Final = frozenset({"aws", "aws-managed", "cloudfront", "third-party", "aws-marketplace"})
# Services that stand in ARNs but are the prefix of no action (by the catalogue's ARN patterns).
_ARN_SERVICES: Final = frozenset({"route53-recovery-control", "catalog", "elastic-inference"})
_PARTITION_ALIASES: Final = {
    "aws-gov": "aws-us-gov",
    "gov": "aws-us-gov",
    "aws-china": "aws-cn",
    "cn": "aws-cn",
}
_CODES: Final = {
    0: "INVALID_ARN_PREFIX",
    PARTITION: "INVALID_PARTITION",
    SERVICE: "INVALID_SERVICE",
    REGION: "INVALID_ARN_REGION",
    ACCOUNT: "INVALID_ARN_ACCOUNT",
    RESOURCE: "INVALID_ARN_RESOURCE",
}
# ARNs of principals that are the resource of no action (AWS: "IAM identifiers", "AWS JSON policy elements: Principal").
_PRINCIPALS: Final = (
    "arn:${Partition}:iam::${Account}:root",
    "arn:${Partition}:sts::${Account}:assumed-role/${RoleName}/${SessionName}",
    "arn:${Partition}:sts::${Account}:federated-user/${UserName}",
)
_MOST_NAMED: Final = 4
_CAPITAL: Final = re.compile("[A-Z]")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that is wrong with an ARN.

    `corrected` is the whole ARN with everything set right, None where it does not say what was meant;
    `is_certain` says whether the correction follows from the ARN itself. `is_error` is False where AWS takes the ARN.
    """

    code: str
    message: str
    corrected: str | None = None
    is_certain: bool = True
    is_error: bool = True

    def __str__(self) -> str:
        return f"{self.message}; did you mean `{self.corrected}`?" if self.corrected else self.message


def examine(arn: str, *, action: str | None = None, catalog: Catalog) -> tuple[Diagnosis, ...]:
    """Everything that is wrong with the ARN, and with it as a resource of the action; empty when nothing is.

    >>> from clew.aws.catalog import current
    >>> [str(each) for each in examine("arn : aws : s3 ::: examplebucket", catalog=current())]
    ['white space in the ARN; did you mean `arn:aws:s3:::examplebucket`?']
    >>> examine("arn:aws:s3:::examplebucket", action="s3:GetObject", catalog=current())[0].corrected
    'arn:aws:s3:::examplebucket/*'
    """
    if arn == "*" and action is None:
        return ()
    if len(arn) > LONGEST:
        message = f"{len(arn):,} characters; AWS takes ARNs of at most {LONGEST:,}"
        return (Diagnosis("INVALID_ARN_RESOURCE", message, is_certain=False),)
    patient = _Patient(arn, action, catalog)
    patient.examine()
    return patient.diagnoses


def mismatch(arn: str, action: str, catalog: Catalog) -> Diagnosis | None:
    """What keeps the action from working on anything that the ARN, right in itself, names; None when nothing does.

    None for what is no ARN, too: `examine` says that.

    >>> from clew.aws.catalog import current
    >>> mismatch("arn:aws:s3:::logs/*", "s3:ListBucket", current()).corrected
    'arn:aws:s3:::logs'
    """
    if arn != "*" and len(split(arn)) <= SERVICE:
        return None
    patient = _Patient(arn, action, catalog)
    patient.work()
    return next(iter(patient.diagnoses), None)


class _Patient:
    """An ARN under examination: its text as corrected so far, and what was found."""

    def __init__(self, arn: str, action: str | None, catalog: Catalog) -> None:
        # INVARIANT: within a variable there is no colon and no slash.
        self._written = self._text = arn_overlap.masked(arn)
        self._action = action
        self._catalog = catalog
        self._found: list[Diagnosis] = []
        self._is_lost = False
        self._is_certain = True

    @property
    def diagnoses(self) -> tuple[Diagnosis, ...]:
        """What was found; every diagnosis with the ARN as it stands at the end."""
        corrected = None if self._is_lost or self._text == self._written else arn_overlap.unmasked(self._text)
        return tuple(
            Diagnosis(
                each.code, arn_overlap.unmasked(each.message), corrected, self._is_certain, each.is_error
            )
            for each in self._found
        )

    def examine(self) -> None:
        """Go through the ARN from its first field to its last."""
        if self._text != "*":
            steps = (
                self._spaces, self._prefix, self._fields, self._partition, self._service, self._region, self._account,
                self._bucket, self._shape,
            )  # fmt: skip
            for step in steps:
                step()
                if self._is_lost:
                    return
        self.work()

    # What the steps have in common

    def _tell(self, code: str, message: str, *, corrected: str | None, is_certain: bool = True) -> None:
        """Note a finding; without a correction nothing that follows can be judged."""
        self._found.append(Diagnosis(code, message))
        self._is_certain = self._is_certain and is_certain and corrected is not None
        if corrected is None:
            self._is_lost = True
        else:
            self._text = corrected

    def _advise(self, code: str, message: str) -> None:
        self._found.append(Diagnosis(code, message, is_error=False))

    def _field(self, place: int) -> str:
        return split(self._text)[place]

    def _with(self, place: int, value: str) -> str:
        fields = split(self._text)
        fields[place] = value
        return ":".join(fields)

    @property
    def _types(self) -> tuple[ResourceType, ...]:
        """The resource types that the ARN could be of: those of its service, else those of the action's."""
        own = self._catalog.resource_types(self._field(SERVICE))
        return own or (self._catalog.resource_types(self._action.partition(":")[0]) if self._action else ())

    # The steps

    def _spaces(self) -> None:
        tidy = arn_refit.without_spaces(self._text)
        if tidy != self._text:
            before = self._text.split(":", FIELDS - 1)
            place = next((at for at, part in enumerate(before) if part != part.strip()), RESOURCE)
            self._tell(_CODES[place], "white space in the ARN", corrected=tidy)

    def _prefix(self) -> None:
        if self._text.startswith("arn:"):
            return
        service = self._action.partition(":")[0] if self._action else ""
        meant = arn_refit.with_prefix(self._text, service)
        self._tell("INVALID_ARN_PREFIX", "an ARN begins with `arn:`", corrected=meant)

    def _fields(self) -> None:
        faults = arn_refit.order_faults(self._text, self._knows)
        if not faults:
            return
        meant = arn_refit.refit(self._text, self._knows, self._fits_somewhere)
        self._tell(faults[0], faults[1], corrected=meant)

    def _knows(self, service: str) -> bool:
        return self._catalog.service(service) is not None or service.lower() in _ARN_SERVICES

    def _fits_somewhere(self, arn: str) -> bool:
        kinds = self._catalog.resource_types(split(arn)[SERVICE])
        return not kinds or any(arn_overlap.fits(kind, arn) for kind in kinds)

    def _partition(self) -> None:
        written, region = self._field(PARTITION), self._field(REGION)
        if not is_open(written) and written not in PARTITIONS:
            lowered = written.lower()
            meant = _PARTITION_ALIASES.get(lowered) or nearest(lowered, PARTITIONS) or partition_of(region)
            corrected = self._with(PARTITION, meant) if meant else None
            self._tell("INVALID_PARTITION", f"unknown partition `{written}`", corrected=corrected)
        elif not is_open(written) and partition_of(region) not in {written, None}:
            meant = str(partition_of(region))
            message = f"region `{region}` belongs to partition `{meant}`, not to `{written}`"
            self._tell("INVALID_PARTITION", message, corrected=self._with(PARTITION, meant))

    def _service(self) -> None:
        written = self._field(SERVICE)
        if "*" in written or "?" in written:
            self._advise("WILDCARD_IN_SERVICE_NAME", f"wildcard in the service `{written}`; name the service")
            return
        if is_open(written):
            return
        if _CAPITAL.search(written):
            lowered = self._with(SERVICE, written.lower())
            message = f"service `{written}` is written in lower case"
            self._tell("INVALID_ARN_SERVICE_CASE", message, corrected=lowered)
        if not self._knows(self._field(SERVICE)):
            meant = self._catalog.nearest_service(self._field(SERVICE))
            corrected = self._with(SERVICE, meant) if meant else None
            self._tell(
                "INVALID_SERVICE", f"unknown service `{written}`", corrected=corrected, is_certain=False
            )

    def _region(self) -> None:
        written = self._field(REGION)
        if not written or is_open(written) or is_region(written) or self._is_literal(REGION, written):
            return
        meant = arn_refit.region_meant(written)
        corrected = self._with(REGION, meant) if meant else None
        self._tell("INVALID_ARN_REGION", f"`{written}` is no region", corrected=corrected)

    def _account(self) -> None:
        written = self._field(ACCOUNT)
        if not written or is_open(written) or written in _OWNERS or self._is_literal(ACCOUNT, written):
            return
        if len(written) == arn_refit.DIGITS and written.isascii() and written.isdigit():
            return
        message, meant = arn_refit.account_meant(written)
        corrected = self._with(ACCOUNT, meant) if meant else None
        self._tell("INVALID_ARN_ACCOUNT", message, corrected=corrected)

    def _is_literal(self, place: int, written: str) -> bool:
        """Whether some resource type of the service has just this word in the field."""
        return any(split(template)[place] == written for kind in self._types for template in kind.arns)

    def _bucket(self) -> None:
        fields = split(self._text)
        bucket, slash, key = fields[RESOURCE].partition("/")
        if (
            fields[SERVICE] == "s3"
            and not fields[ACCOUNT]
            and not is_open(bucket)
            and _CAPITAL.search(bucket)
        ):
            # Amazon S3 user guide: "General purpose bucket naming rules": lower-case letters, numbers, dots, hyphens.
            message = f"bucket `{bucket}` has capitals, which bucket names have not"
            corrected = self._with(RESOURCE, f"{bucket.lower()}{slash}{key}")
            self._tell("INVALID_ARN_RESOURCE", message, corrected=corrected)

    def _shape(self) -> None:
        kinds = self._types
        if not kinds or is_open(self._field(SERVICE)) or self._has_a_shape(kinds):
            return
        faults = {
            template: found
            for kind in kinds
            for template in kind.arns
            if (found := arn_overlap.field_faults(template, self._text)) is not None
        }
        if faults:
            template = min(faults, key=lambda each: len(faults[each]))
            for place in faults[template]:
                self._misfit(place, split(template)[place])
        else:
            self._no_format(kinds)

    def _has_a_shape(self, kinds: tuple[ResourceType, ...]) -> bool:
        if any(arn_overlap.field_faults(template, self._text) == () for template in _PRINCIPALS):
            return True
        return any(
            arn_overlap.fits(kind, self._text, strict=strict) for strict in (True, False) for kind in kinds
        )

    def _misfit(self, place: int, wanted: str) -> None:
        written, service = self._field(place), self._field(SERVICE)
        word = {REGION: "region", ACCOUNT: "account"}.get(place, "service")
        if place == SERVICE:
            message = f"the service of this resource is `{wanted}`, not `{written}`"
            self._tell("INVALID_SERVICE", message, corrected=self._with(place, wanted))
        elif not wanted:
            message = f"an ARN of this kind in `{service}` has no {word}; found `{written}`"
            code = "ARN_REGION_NOT_ALLOWED" if place == REGION else "ARN_ACCOUNT_NOT_ALLOWED"
            self._tell(code, message, corrected=self._with(place, ""))
        elif not written:
            code = "MISSING_ARN_REGION" if place == REGION else "MISSING_ARN_ACCOUNT"
            message = f"an ARN of this kind in `{service}` names its {word}"
            meant = "*" if wanted.startswith("$") else wanted
            self._tell(code, message, corrected=self._with(place, meant), is_certain=False)
        else:
            message = f"the {word} of this resource is `{wanted}`, not `{written}`"
            self._tell(_CODES[place], message, corrected=self._with(place, wanted))

    def _no_format(self, kinds: tuple[ResourceType, ...]) -> None:
        resource, service = self._field(RESOURCE), self._field(SERVICE)
        templates = [split(template)[RESOURCE] for kind in kinds for template in kind.arns]
        below = next(
            (f"{resource}{end}" for end in ("/*", ":*") if _meets(templates, f"{resource}{end}")), None
        )
        meant = below or arn_refit.resource_meant(resource, templates)
        corrected = self._with(RESOURCE, meant) if meant else None
        kind = _TYPE_WORD.split(resource)[0]
        near = sorted(set(templates), key=lambda each: (not each.startswith(kind), len(each), each))
        shown = ", ".join(f"`{each}`" for each in near[:_MOST_NAMED])
        message = f"`{resource[:80]}` fits no resource of `{service}`, such as {shown}"
        self._tell("INVALID_ARN_RESOURCE", message, corrected=corrected, is_certain=False)

    def work(self) -> None:
        """Ask whether the action works on what the ARN names."""
        action = self._catalog.action(self._action) if self._action else None
        if action is None:
            return
        if action.is_wildcard_only:
            if self._text != "*":
                message = f"`{action.full_name}` works on no single resource: only `*` matches it"
                self._tell(NOT_FOR_ACTION, message, corrected="*", is_certain=False)
            return
        wanted = {resource.name for resource in action.resources}
        found = arn_overlap.types(self._text, action.service, self._catalog)
        if wanted & found:
            return
        found = found or arn_overlap.types(self._text, self._field(SERVICE), self._catalog)
        named = " or ".join(sorted(found)[:_MOST_NAMED]) or "nothing that it works on"
        expected = ", ".join(sorted(wanted)[:_MOST_NAMED]) + (
            " and others" if len(wanted) > _MOST_NAMED else ""
        )
        message = f"`{action.full_name}` works on {expected}; this names {named}"
        kinds = [kind for kind in self._catalog.resource_types(action.service) if kind.name in wanted]
        meant = self._for_action(kinds)
        self._tell(NOT_FOR_ACTION, message, corrected=meant, is_certain=False)

    def _for_action(self, kinds: list[ResourceType]) -> str | None:
        """The ARN nearest to this one that the action works on."""
        candidates = arn_refit.neighbours(self._text)
        return next(
            (each for each in candidates if any(arn_overlap.fits(kind, each) for kind in kinds)), None
        )


def _meets(templates: list[str], resource: str) -> bool:
    return bool(resource.strip("/:*")) and any(
        arn_overlap.overlap(template, resource) for template in templates
    )
