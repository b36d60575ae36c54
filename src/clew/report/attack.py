"""MITRE ATT&CK names for the techniques and tactics that our rules carry.

Source: MITRE ATT&CK for Enterprise, IaaS matrix (https://attack.mitre.org/matrices/enterprise/cloud/iaas/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# In the order in which an intrusion usually runs.
TACTICS: dict[str, str] = {
    "reconnaissance": "Reconnaissance",
    "resource-development": "Resource development",
    "initial-access": "Initial access",
    "execution": "Execution",
    "persistence": "Persistence",
    "privilege-escalation": "Privilege escalation",
    "stealth": "Stealth",
    "defense-evasion": "Defence evasion",
    "defense-impairment": "Defence impairment",
    "credential-access": "Credential access",
    "discovery": "Discovery",
    "lateral-movement": "Lateral movement",
    "collection": "Collection",
    "command-and-control": "Command and control",
    "exfiltration": "Exfiltration",
    "impact": "Impact",
}
_UNNAMED = "Other"

TECHNIQUES: dict[str, str] = {}


def tactic_name(tactic: str) -> str:
    """The name of a tactic, `Other` for none."""
    return TACTICS.get(tactic, _UNNAMED)


def leading_tactic(tactics: Iterable[str]) -> str:
    """The first tactic that we know: a rule names its main one first; empty for none."""
    return next((tactic for tactic in tactics if tactic in TACTICS), "")


def technique_name(technique: str) -> str:
    """The name of a technique, empty when it is not in our table."""
    return TECHNIQUES.get(technique, "")
