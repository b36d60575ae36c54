"""How a call ended: success, denied, or failed for another reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from clew.events.paths import at, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping


class Result(StrEnum):
    """The ends a call can have; an Insights event is no call."""

    SUCCESS = "success"
    DENIED = "denied"
    FAILED = "failed"
    NOT_A_CALL = "not a call"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended, with AWS's error code and message where it has them."""

    result: Result
    code: str = ""
    message: str = ""

    def __str__(self) -> str:
        return f"{self.result} ({self.code})" if self.code else str(self.result)


DENIED_CODES: Final = frozenset({
    "AccessDenied",
    "AccessDeniedException",
    "AccessDeniedFault",
    "AccessDeniedByServiceControlPolicy",
    "AuthorizationError",
    "AuthorizationErrorException",
    "AuthorizationFailed",
    "Client.UnauthorizedOperation",
    "DryRunUnauthorized",
    "ForbiddenException",
    "Forbidden",
    "KmsAccessDeniedException",
    "NotAuthorized",
    "NotAuthorizedException",
    "OperationNotPermittedException",
    "UnauthorizedAccess",
    "UnauthorizedException",
    "UnauthorizedOperation",
    "UnauthorizedRequestException",
    "VpceAccessDenied",
})  # fmt: skip
"""Error codes by which AWS services refuse a call for lack of permission; families are in `is_denied_code`."""

# The families that CIS 3.1 watches, and the same word behind a service's prefix.
DENIED_FAMILY: Final = r"(?:^|\.)AccessDenied|UnauthorizedOperation$|NotAuthorized(?:Exception)?$"
"""Found in an error code of a family (the pattern reads the same in Python and in DuckDB)."""
_FAMILY: Final = re.compile(DENIED_FAMILY)
_DENIED_MESSAGE: Final = re.compile(
    r"is not authorized to perform|not authorized to perform this operation", re.IGNORECASE
)


def is_denied_code(code: str) -> bool:
    """Whether the error code says that permission was missing.

    >>> is_denied_code("Client.UnauthorizedOperation"), is_denied_code("NoSuchBucket")
    (True, False)
    """
    return code in DENIED_CODES or _FAMILY.search(code) is not None


def outcome(event: Mapping[str, object]) -> Outcome:
    """How the call ended. A sign-in can fail without an error code: then `responseElements` says so.

    >>> str(outcome({"errorCode": "AccessDenied"})), str(outcome({}))
    ('denied (AccessDenied)', 'success')
    >>> str(outcome({"eventName": "ConsoleLogin", "responseElements": {"ConsoleLogin": "Failure"}}).result)
    'failed'
    """
    code = _text(event.get("errorCode"))
    message = _text(event.get("errorMessage"))
    if text_at(event, "eventCategory") == "Insight" or text_at(event, "eventType") == "AwsCloudTrailInsight":
        return Outcome(Result.NOT_A_CALL)
    if code or message:
        return Outcome(_refusal(code, message), code, message)
    answer = at(event, "responseElements", text_at(event, "eventName"))
    return Outcome(Result.FAILED if answer == "Failure" else Result.SUCCESS)


def _refusal(code: str, message: str) -> Result:
    denied = is_denied_code(code) or _DENIED_MESSAGE.search(message) is not None
    if denied:
        return Result.DENIED
    return Result.FAILED


def _text(value: object) -> str:
    return "" if value is None else str(value)
