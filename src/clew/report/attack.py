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

TECHNIQUES: dict[str, str] = {
    "T1005": "Data from local system",
    "T1021.008": "Direct cloud VM connections",
    "T1040": "Network sniffing",
    "T1046": "Network service discovery",
    "T1048": "Exfiltration over alternative protocol",
    "T1059.009": "Cloud API",
    "T1069.003": "Cloud groups",
    "T1078": "Valid accounts",
    "T1078.004": "Valid cloud accounts",
    "T1087.004": "Cloud account discovery",
    "T1098": "Account manipulation",
    "T1098.001": "Additional cloud credentials",
    "T1098.003": "Additional cloud roles",
    "T1098.004": "SSH authorized keys",
    "T1098.006": "Additional container cluster roles",
    "T1110": "Brute force",
    "T1110.001": "Password guessing",
    "T1110.003": "Password spraying",
    "T1114": "Email collection",
    "T1133": "External remote services",
    "T1136.003": "Create cloud account",
    "T1190": "Exploit public-facing application",
    "T1199": "Trusted relationship",
    "T1201": "Password policy discovery",
    "T1213": "Data from information repositories",
    "T1484": "Domain or tenant policy modification",
    "T1484.002": "Trust modification",
    "T1485": "Data destruction",
    "T1485.001": "Lifecycle-triggered deletion",
    "T1486": "Data encrypted for impact",
    "T1489": "Service stop",
    "T1490": "Inhibit system recovery",
    "T1491": "Defacement",
    "T1496.001": "Compute hijacking",
    "T1496.004": "Cloud service hijacking",
    "T1498": "Network denial of service",
    "T1499": "Endpoint denial of service",
    "T1525": "Implant internal image",
    "T1526": "Cloud service discovery",
    "T1528": "Steal application access token",
    "T1530": "Data from cloud storage",
    "T1531": "Account access removal",
    "T1535": "Unused or unsupported cloud regions",
    "T1537": "Transfer data to cloud account",
    "T1538": "Cloud service dashboard",
    "T1548": "Abuse elevation control mechanism",
    "T1550": "Use alternate authentication material",
    "T1550.001": "Application access token",
    "T1552": "Unsecured credentials",
    "T1552.001": "Credentials in files",
    "T1552.005": "Cloud instance metadata API",
    "T1555.006": "Cloud secrets management stores",
    "T1556": "Modify authentication process",
    "T1556.006": "Multi-factor authentication",
    "T1562.001": "Disable or modify tools",
    "T1562.007": "Disable or modify cloud firewall",
    "T1562.008": "Disable or modify cloud logs",
    "T1567": "Exfiltration over web service",
    "T1567.002": "Exfiltration to cloud storage",
    "T1578": "Modify cloud compute infrastructure",
    "T1578.002": "Create cloud instance",
    "T1578.003": "Delete cloud instance",
    "T1578.005": "Modify cloud compute configurations",
    "T1580": "Cloud infrastructure discovery",
    "T1583.001": "Acquire domains",
    "T1584.001": "Compromise domains",
    "T1584.002": "Compromise DNS server",
    "T1585.002": "Email accounts",
    "T1606.002": "SAML tokens",
    "T1610": "Deploy container",
    "T1619": "Cloud storage object discovery",
    "T1621": "MFA request generation",
    "T1648": "Serverless execution",
    "T1651": "Cloud administration command",
    "T1666": "Modify cloud resource hierarchy",
    "T1685": "Disable or modify tools",
    "T1685.002": "Disable or modify cloud logs",
    "T1686.001": "Disable or modify cloud firewall",
}


def tactic_name(tactic: str) -> str:
    """The name of a tactic, `Other` for none."""
    return TACTICS.get(tactic, _UNNAMED)


def leading_tactic(tactics: Iterable[str]) -> str:
    """The first tactic that we know: a rule names its main one first; empty for none."""
    return next((tactic for tactic in tactics if tactic in TACTICS), "")


def technique_name(technique: str) -> str:
    """The name of a technique, empty when it is not in our table."""
    return TECHNIQUES.get(technique, "")
