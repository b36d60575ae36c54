"""The words that the options of `clew check` and `clew diff` take."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The kinds of policy that can be checked, as AWS's checks divide them."""

    IDENTITY = "identity"
    RESOURCE = "resource"


class Output(StrEnum):
    """The forms in which outcomes are printed."""

    TEXT = "text"
    JSON = "json"
    AWS = "aws"


class FailOn(StrEnum):
    """What makes `clew diff` end with 1."""

    NEW_ACCESS = "new-access"
