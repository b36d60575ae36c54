"""Checks of file systems in EFS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.kms_keys import another_key
from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import arn, each_resource, facts, member, text
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.answers import Answer


@check("efs-encrypted", "File systems are encrypted", "A file system is not encrypted", Severity.MEDIUM)
def encrypted(state: State, *, key: str = "") -> Iterator[Judgement]:
    """Whether each EFS file system is encrypted at rest.

    Finds. A file system that is not encrypted, or, with `key` (a KMS key), with another one; those that are being
    deleted are not judged.
    Why it matters. What lies in it can be read by whoever gets at the storage, and no key can be taken away.
    False positives. A file system that holds nothing but public data.
    Fix. Make an encrypted file system and copy the files; encryption cannot be turned on afterwards.
    References. Amazon EFS user guide, Encrypting data at rest · AWS Config developer guide, efs-encrypted-check
    """

    def judge(item: Mapping[str, object], answer: Answer) -> Judgement | None:
        if text(item, "LifeCycleState") in {"deleting", "deleted"}:
            return None
        name = text(item, "FileSystemArn") or arn(
            state, answer, f"file-system/{text(item, 'FileSystemId')}", "elasticfilesystem"
        )
        seen = facts(item, "Encrypted", "KmsKeyId")
        if member(item, "Encrypted") is not True:
            return Judgement(Verdict.FAIL, name, "is not encrypted", seen)
        other = another_key(state, name, text(item, "KmsKeyId"), [key], seen) if key else None
        return other or Judgement(Verdict.PASS, name, "is encrypted", seen)

    yield from each_resource(
        state, "efs:DescribeFileSystems", "FileSystems", judge, none="there are no file systems"
    )
