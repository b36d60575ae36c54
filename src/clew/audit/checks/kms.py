"""Checks of KMS keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.kms_keys import each_key
from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import facts, member, text, unanswered
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.kms_keys import Key
    from clew.audit.model import State


@check("kms-rotation", "Customer KMS keys rotate", "A KMS key does not rotate", Severity.MEDIUM)
def rotation(state: State, *, days: int = 0) -> Iterator[Judgement]:
    """Whether the keys that KMS can rotate are rotated.

    Finds. An enabled symmetric key of the customer's own, whose material KMS made, without automatic rotation; with
    `days`, also one whose period is longer. Not applicable to asymmetric and HMAC keys, imported material, custom key
    stores, AWS managed keys, keys that are disabled or pending deletion, and replicas, which rotate with their primary.
    Why it matters. A key that never changes protects more data every year, and loses all of it at once.
    False positives. A key that is rotated by hand, with a new key behind an alias.
    Fix. `aws kms enable-key-rotation --key-id …`; data that is encrypted already stays readable.
    References. AWS KMS developer guide, Rotate AWS KMS keys · AWS Config developer guide,
    cmk-backing-key-rotation-enabled
    """

    def judge(key: Key) -> Judgement:
        why_not = _not_rotated(key)
        if why_not:
            return Judgement(Verdict.NOT_APPLICABLE, key.arn, why_not, key.facts)
        status = state.about(key.listed, "GetKeyRotationStatus", KeyId=key.id)
        if not status.status.is_known:
            return unanswered(key.arn, status, evidence=key.facts)
        if status.body is None:
            return Judgement(Verdict.NOT_APPLICABLE, key.arn, "KMS cannot rotate it", key.facts)
        seen = (*key.facts, *facts(status.body, "KeyRotationEnabled", "RotationPeriodInDays"))
        if member(status.body, "KeyRotationEnabled") is not True:
            return Judgement(Verdict.FAIL, key.arn, "does not rotate", seen)
        period = member(status.body, "RotationPeriodInDays")
        if days and isinstance(period, int) and period > days:
            return Judgement(Verdict.FAIL, key.arn, f"rotates every {period} days only", seen)
        return Judgement(Verdict.PASS, key.arn, "rotates", seen)

    yield from each_key(state, judge, none="there are no keys")


def _not_rotated(key: Key) -> str:
    """Why KMS does not rotate such a key, or rotates it without being told; empty where the question arises."""
    data = key.metadata
    # AWS KMS: "Rotate AWS KMS keys". The order is that in which the page names them.
    if text(data, "KeyManager") == "AWS":
        return "AWS manages the key and rotates it every year"
    if text(data, "KeySpec") not in {"", "SYMMETRIC_DEFAULT"}:
        kind = "an HMAC key" if text(data, "KeyUsage") == "GENERATE_VERIFY_MAC" else "asymmetric"
        return f"is {kind}, which KMS does not rotate"
    origin = text(data, "Origin")
    if origin == "EXTERNAL":
        return "has imported material, which only its owner can replace"
    if origin in {"AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"}:
        return "lives in a custom key store, where KMS does not rotate"
    if text(data, "MultiRegionConfiguration.MultiRegionKeyType") == "REPLICA":
        return "is a replica, which rotates with its primary key"
    state = text(data, "KeyState")
    return "" if state in {"", "Enabled"} else f"is not in use: {state}"
