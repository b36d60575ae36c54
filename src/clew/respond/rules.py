"""Which action remedies what a check or a detection finds: the one table of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Remedy:
    """The action's id and the options that the rule implies; what a user sets goes before them."""

    action: str
    options: Mapping[str, str] = field(default_factory=dict)


_PASSWORDS = ("length", "lowercase", "number", "reuse", "symbol", "uppercase")

RULES: Mapping[str, Remedy] = MappingProxyType(
    {
        "iam-access-key-age": Remedy("deactivate-access-key"),
        "iam-access-key-at-creation": Remedy("deactivate-access-key"),
        "iam-credentials-unused": Remedy("deactivate-access-key"),
        **{f"iam-password-policy-{name}": Remedy("set-password-policy") for name in _PASSWORDS},
        "iam-password-policy-expiry": Remedy("set-password-policy", {"max-age": "90"}),
        "accessanalyzer-external": Remedy("create-analyzer"),
        "cloudtrail-enabled": Remedy("start-trail"),
        "cloudtrail-log-validation": Remedy("validate-trail"),
        "cloudtrail-multi-region": Remedy("make-trail-multi-region"),
        "cloudtrail-s3-data-events": Remedy("log-object-events"),
        "config-recorder": Remedy("record-configuration"),
        "ec2-default-security-group": Remedy("empty-default-security-group"),
        "ec2-security-group-admin-ipv4": Remedy("close-world-ingress", {"ports": "22,3389"}),
        "ec2-security-group-admin-ipv6": Remedy("close-world-ingress", {"ports": "22,3389"}),
        "ec2-security-group-cifs": Remedy("close-world-ingress", {"ports": "445"}),
        "ec2-security-group-common-ports": Remedy("close-world-ingress", {"ports": "20,21,3306,3389,4333"}),
        "ec2-security-group-rdp": Remedy("close-world-ingress", {"ports": "3389"}),
        "ec2-security-group-ssh": Remedy("close-world-ingress", {"ports": "22"}),
        "ec2-vpc-flow-logs": Remedy("enable-flow-logs"),
        "kms-rotation": Remedy("rotate-key"),
        "s3-account-block-public-access": Remedy("block-public-access-of-account"),
        "s3-bucket-block-public-access": Remedy("block-public-access"),
        "s3-bucket-logging": Remedy("enable-access-logging"),
        "s3-bucket-public-read": Remedy("block-public-access"),
        "s3-bucket-public-write": Remedy("block-public-access"),
        "s3-bucket-tls-only": Remedy("require-tls"),
        "s3-bucket-versioning": Remedy("enable-versioning"),
        "public-access-block-removed": Remedy("block-public-access"),
        "bucket-policy-public": Remedy("block-public-access"),
        "bucket-acl-public": Remedy("block-public-access"),
        "cloudtrail-stopped": Remedy("start-trail"),
        "security-group-opened-to-world": Remedy("close-world-ingress"),
        "security-group-admin-port-opened": Remedy("close-world-ingress", {"ports": "22,3389"}),
        "password-policy-weakened": Remedy("set-password-policy"),
    }
)
"""The remedy of each rule that has one, by the rule's id."""
