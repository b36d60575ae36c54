"""Every aspect that Clew can change, by its name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.respond.aspects import analyzer, cloudtrail, config, ec2, iam, kms, logs, policies, s3
from clew.respond.model import Aspect

if TYPE_CHECKING:
    from collections.abc import Mapping

ASPECTS: Mapping[str, Aspect] = MappingProxyType(
    {
        value.name: value
        for module in (s3, iam, cloudtrail, ec2, kms, logs, config, analyzer, policies)
        for value in vars(module).values()
        if isinstance(value, Aspect)
    }
)
