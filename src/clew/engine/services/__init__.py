"""What single services add to the common law: KMS, S3, STS, IAM's PassRole; all others follow it as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.engine.services import iam, kms, sts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.engine.services.model import LawOf

# S3 adds sources and a gate, not another law: see `services.s3`.
# Lambda, SNS, SQS, Secrets Manager and every other service with resource policies: the common law, nothing added.
LAWS: Final[Mapping[str, LawOf]] = {"iam": iam.law, "kms": kms.law, "sts": sts.law}
"""The law of a service's action, by the prefix of the action."""
