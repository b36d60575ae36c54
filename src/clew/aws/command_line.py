"""Calls to AWS as the commands of its own command line: one line each for a POSIX shell."""

from __future__ import annotations

import json
import re
import shlex
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERVICES: Mapping[str, str] = MappingProxyType({"s3": "s3api", "config": "configservice"})
"""Services that the command line calls otherwise than the SDK does."""
_PLURAL = re.compile(r"[A-Z]{3,}s$")
_WORD = re.compile(r"(.)([A-Z][a-z]+)")
_LAST_WORD = re.compile(r"([a-z0-9])([A-Z])")


def line(service: str, operation: str, parameters: Mapping[str, object], region: str = "") -> str:
    """The call as one line.

    >>> line("cloudtrail", "StartLogging", {"Name": "t"}, "eu-west-1")
    'aws cloudtrail start-logging --name t --region eu-west-1'
    """
    words = ["aws", _SERVICES.get(service, service), dashed(operation)]
    for name, value in parameters.items():
        words += _option(dashed(name), value)
    words += ["--region", region] if region else []
    return " ".join(map(shlex.quote, words))


def dashed(name: str) -> str:
    """The name as the command line spells it.

    >>> dashed("CreatePolicyVersion"), dashed("PolicyARNs"), dashed("VpcId"), dashed("AWSServiceName")
    ('create-policy-version', 'policy-arns', 'vpc-id', 'aws-service-name')
    """
    plural = _PLURAL.search(name)
    if plural:
        name = f"{name[: plural.start()]}-{plural.group().lower()}"
    return _LAST_WORD.sub(r"\1-\2", _WORD.sub(r"\1-\2", name)).lower().replace("--", "-")


def _option(name: str, value: object) -> list[str]:
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    return [f"--{name}", value if isinstance(value, str) else json.dumps(value)]
