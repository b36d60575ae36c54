"""Checks of values that have a form of their own: Regions, VPCs, endpoints, KMS keys, service principals."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clew.aws import regions
from clew.aws.arn_overlap import FIELDS, REGION
from clew.aws.partitions import is_region
from clew.policy.lint import curated
from clew.policy.lint.registry import Told, of_clause, of_line
from clew.policy.model import shown
from clew.policy.variables import has_variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.lint.subject import Clause, Line, Subject
    from clew.policy.words import Word

_VPC: Final = re.compile(r"vpc-(?:[0-9A-Za-z]{8}|[0-9A-Za-z]{17})")
_ENDPOINT: Final = re.compile(r"vpce-(?:[0-9A-Za-z]{8}|[0-9A-Za-z]{17})")
_KEY_ARN: Final = re.compile(
    r"arn:[a-z*?-]+:kms:[a-z0-9*?-]+:(?:[0-9]{12}|[0-9*?]*[*?][0-9*?]*):key/[A-Za-z0-9*?-]+"
)
_SUFFIX: Final = (
    r"(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|amazon\.com|aws\.internal|c2s\.ic\.gov|sc2s\.sgov\.gov)"
)
_SERVICE: Final = re.compile(rf"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.{_SUFFIX}")
_REGIONAL_SERVICE: Final = re.compile(rf"[a-z0-9-]+\.([a-z0-9-]+)\.{_SUFFIX}")


def _plain(line: Line) -> Iterator[Word]:
    """The values of a text or ARN operator that stand for themselves."""
    for word in line.values if line.family in {"String", "Arn"} else ():
        is_pattern = line.takes_wildcards and ("*" in word.text or "?" in word.text)
        if not is_pattern and not has_variables(word.text):
            yield word


@of_line("INVALID_REGION")
def region(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A value that is no Region, for a key that holds one."""
    for word in _plain(line) if line.key in curated.REGION_KEYS else ():
        if word.text not in regions.REGIONS:
            yield Told(f"`{shown(word.text)}` is no Region (list of {regions.UPDATED.isoformat()})", (word,))


@of_clause("INVALID_ARN_REGION")
def region_of_resource(clause: Clause, _: Subject) -> Iterator[Told]:
    """A resource in a Region that is spelled like one and does not exist; other spellings are told with the ARN."""
    for word in (*clause.resources, *clause.not_resources):
        fields = word.text.split(":", FIELDS - 1)
        written = fields[REGION] if len(fields) == FIELDS and fields[0] == "arn" else ""
        if written not in regions.REGIONS and is_region(written):
            message = f"`{shown(word.text, 120)}`: there is no Region `{written}`"
            yield Told(f"{message} (list of {regions.UPDATED.isoformat()})", (word,))


@of_line("INVALID_VPC_FORMAT")
def vpc(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A value of aws:SourceVpc that is no VPC's id."""
    for word in _plain(line) if line.key == "aws:sourcevpc" else ():
        if _VPC.fullmatch(word.text) is None:
            yield Told(
                f"`{shown(word.text)}` is no VPC; expected `vpc-` and 8 or 17 letters and digits", (word,)
            )


@of_line("INVALID_VPCE_FORMAT")
def endpoint(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A value of aws:SourceVpce that is no endpoint's id."""
    for word in _plain(line) if line.key == "aws:sourcevpce" else ():
        if _ENDPOINT.fullmatch(word.text) is None:
            message = (
                f"`{shown(word.text)}` is no VPC endpoint; expected `vpce-` and 8 or 17 letters and digits"
            )
            yield Told(message, (word,))


@of_line("INVALID_KMS_KEY_VALUE")
def kms_key(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A value that is no ARN of a KMS key, for a key that holds one."""
    for word in line.values if line.key in curated.KMS_KEYS and line.family in {"String", "Arn"} else ():
        if has_variables(word.text) or (line.takes_wildcards and word.text == "*"):
            continue
        if _KEY_ARN.fullmatch(word.text) is None:
            message = f"`{shown(word.text)}` is no KMS key; expected `arn:aws:kms:REGION:ACCOUNT:key/ID`"
            yield Told(message, (word,))


@of_line("INVALID_SERVICE_PRINCIPAL_FORMAT")
def service(line: Line, _: Clause, subject: Subject) -> Iterator[Told]:
    """A value that is no service principal, for a key that holds one."""
    for word in _plain(line) if line.key in curated.SERVICE_VALUES else ():
        if _SERVICE.fullmatch(word.text) is None:
            meant = f"{word.text.lower()}.amazonaws.com" if subject.catalog.service(word.text) else None
            message = f"`{shown(word.text)}` is no service principal; expected `SERVICE.amazonaws.com`"
            yield Told(message, (word,), meant)
    for word in _plain(line) if line.key in curated.REGIONAL_SERVICE_VALUES else ():
        found = _REGIONAL_SERVICE.fullmatch(word.text)
        if found is None or not is_region(found[1]):
            yield Told(f"`{shown(word.text)}` is not of the form `SERVICE.REGION.amazonaws.com`", (word,))
