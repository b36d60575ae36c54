"""The list of AWS's policy checks: issue code, weight, title, our sentence, and the place in AWS's documentation."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clew.policy.model import FindingType

PAGE: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"
_ANCHORS: Final = {
    FindingType.ERROR: "error",
    FindingType.SECURITY_WARNING: "security-warning",
    FindingType.WARNING: "general-warning",
    FindingType.SUGGESTION: "suggestion",
}
_FILE: Final = Path(__file__).parent / "data" / "checks.toml"


@dataclass(frozen=True, slots=True)
class Entry:
    """One check of AWS's catalogue."""

    id: str
    finding_type: FindingType
    title: str
    text: str

    @property
    def link(self) -> str:
        """AWS's own section about the check, as ValidatePolicy's `learnMoreLink` gives it.

        >>> ENTRIES["INVALID_EFFECT"].link.partition("#")[2]
        'access-analyzer-reference-policy-checks-error-invalid-effect'
        """
        anchor = f"{_ANCHORS[self.finding_type]}-{self.id.lower().replace('_', '-')}"
        return f"{PAGE}#access-analyzer-reference-policy-checks-{anchor}"


def _read() -> dict[str, Entry]:
    with _FILE.open("rb") as stream:
        rows = tomllib.load(stream)
    return {
        name: Entry(name, FindingType(row["type"]), row["title"], row["text"]) for name, row in rows.items()
    }


ENTRIES: Final = _read()
"""Every check by its issue code, in the order of AWS's page."""


OWN: Final = {
    "HARD_CODED_NAME": Entry(
        "HARD_CODED_NAME",
        FindingType.SUGGESTION,
        "Hard coded name",
        "A policy of identities names a user where a policy variable would serve them all.",
    ),
    "UNKNOWN_VARIABLE": Entry(
        "UNKNOWN_VARIABLE",
        FindingType.ERROR,
        "Unknown variable",
        "A policy variable names no context key, so that what holds it matches nothing.",
    ),
    "DENY_WITHOUT_MFA_KEY": Entry(
        "DENY_WITHOUT_MFA_KEY",
        FindingType.SECURITY_WARNING,
        "Deny without MFA key",
        "A Deny for requests without MFA misses those that do not carry the key, as those by access keys.",
    ),
    "KEY_OF_OTHER_RESOURCE": Entry(
        "KEY_OF_OTHER_RESOURCE",
        FindingType.WARNING,
        "Key of other resource",
        "A condition asks a key of a resource that does not carry it, as the instance type of an image.",
    ),
    "ROLE_TRUSTS_EVERYBODY": Entry(
        "ROLE_TRUSTS_EVERYBODY",
        FindingType.SECURITY_WARNING,
        "Role trusts everybody",
        "A role trust policy lets every account of AWS assume the role, without a condition.",
    ),
}
"""Checks of ours that AWS has not, by their codes."""


def entry(code: str) -> Entry:
    """The check of the code, AWS's or ours."""
    return ENTRIES.get(code) or OWN[code]


def link(code: str) -> str:
    """AWS's section about the code; the whole page for a code of our own."""
    found = ENTRIES.get(code)
    return found.link if found is not None else PAGE
