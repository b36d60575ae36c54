"""What single services add to the common law: KMS, OpenSearch, S3, STS and IAM; all others follow it as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.engine.services import es, iam, kms, outsiders, sts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.engine.services.model import LawOf

# S3 adds sources and a gate, not another law: see `services.s3`.
# Lambda, SNS, SQS, Secrets Manager and every other service with resource policies: the common law, nothing added.
LAWS: Final[Mapping[str, LawOf]] = {"es": es.law, "iam": iam.law, "kms": kms.law, "sts": sts.law}
"""The law of a service's action, by the prefix of the action."""

_ONE_BY_ONE: Final = frozenset({"iam", "sts"})


def kind_of_action(action: str) -> str:
    """What sets the action apart in law: two of one service with the same answer follow the same law for every caller.

    >>> kind_of_action("sqs:SendMessage") == kind_of_action("sqs:ReceiveMessage")
    True
    >>> kind_of_action("sqs:SendMessage") == kind_of_action("sqs:AddPermission")
    False
    """
    lowered = action.lower()
    if lowered.partition(":")[0] in _ONE_BY_ONE or kms.is_apart(lowered):
        return lowered
    if es.is_about_configuration(lowered):
        return "domain"
    return "confined" if outsiders.is_confined(lowered) else ""
