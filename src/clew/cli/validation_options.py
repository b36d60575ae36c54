"""The words that the options of `clew validate` take."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The kinds of policy, by the words of the command line."""

    IDENTITY = "identity"
    RESOURCE = "resource"
    TRUST = "trust"
    BOUNDARY = "boundary"
    SESSION = "session"
    SCP = "scp"
    RCP = "rcp"
    ENDPOINT = "endpoint"
    KMS_KEY = "kms-key"
    VAULT_ACCESS = "vault-access"
    VAULT_LOCK = "vault-lock"


class Output(StrEnum):
    """The forms in which the problems of an ARN are printed."""

    TEXT = "text"
    JSON = "json"


class Format(StrEnum):
    """The forms in which the problems of policies are printed."""

    TEXT = "text"
    JSON = "json"
    AWS = "aws"
    SARIF = "sarif"


class FailOn(StrEnum):
    """From which weight on problems make the command end with 1."""

    ERROR = "error"
    SECURITY_WARNING = "security-warning"
    WARNING = "warning"
    SUGGESTION = "suggestion"
    NEVER = "never"
