"""The names of the condition operators, and how a written operator divides into qualifier, name and `IfExists`.

Source: AWS, "IAM JSON policy elements: Condition operators" and "Conditions with multiple context keys or values".
Another case than the documented one means the same and is warned of (docs/decisions/0007-iam-questions.md, Q13).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from clew.aws.catalog_nearest import nearest

NAMES: Final = (
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnNotEquals",
    "ArnLike",
    "ArnNotLike",
    "Null",
)
"""Every operator without qualifier and suffix."""

QUALIFIERS: Final = ("ForAllValues", "ForAnyValue")
IF_EXISTS: Final = "IfExists"
NULL: Final = "Null"


class Operator(NamedTuple):
    """A written operator in its parts; `qualifier` is empty where there is none."""

    qualifier: str
    name: str
    if_exists: bool


def _spelled() -> dict[str, Operator]:
    return {
        f"{qualifier}{':' if qualifier else ''}{name}{IF_EXISTS if if_exists else ''}": Operator(
            qualifier, name, if_exists
        )
        for qualifier in ("", *QUALIFIERS)
        for name in NAMES
        for if_exists in (False, True)
        if not (if_exists and name == NULL)
    }


WRITTEN: Final = _spelled()
"""Every operator that may be written, with its parts; `NullIfExists` is none.

>>> WRITTEN["ForAnyValue:StringLikeIfExists"]
Operator(qualifier='ForAnyValue', name='StringLike', if_exists=True)
"""


def is_operator(written: str) -> bool:
    """Whether this, spelled as AWS spells it, may stand in a condition block.

    >>> is_operator("ForAnyValue:StringLike"), is_operator("NullIfExists"), is_operator("stringlike")
    (True, False, False)
    """
    found = WRITTEN.get(written)
    return found is not None and not (found.name == NULL and found.qualifier)


def in_aws_spelling(written: str) -> str | None:
    """The operator as AWS spells it, whatever the case of its letters; None when there is none such.

    >>> in_aws_spelling("forallvalues:stringlikeifexists"), in_aws_spelling("StringIs")
    ('ForAllValues:StringLikeIfExists', None)
    """
    return _BY_LOWER.get(written.lower())


_BY_LOWER: Final = {written.lower(): written for written in WRITTEN}


def meant(written: str) -> str | None:
    """The operator that a misspelled one was most likely meant to be; None when none is near.

    >>> meant("StringEqual"), meant("foranyvalue:stringlike"), meant("ForAllValue:ArnLikes"), meant("Matches")
    ('StringEquals', 'ForAnyValue:StringLike', 'ForAllValues:ArnLike', None)
    """
    qualifier, _, name = written.strip().rpartition(":")
    known = nearest(qualifier, QUALIFIERS) if qualifier else ""
    suffix = IF_EXISTS if name.lower().endswith(IF_EXISTS.lower()) else ""
    found = nearest(name[: len(name) - len(suffix)], NAMES)
    if found is None or known is None or (found == NULL and (suffix or known)):
        return None
    return f"{known}{':' if known else ''}{found}{suffix}"
