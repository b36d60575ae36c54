"""Every failure that Clew reports, as one short tree.

    ClewError                       anything a user should read as one line
    ├── UsageError                  the command's words are off                        exit 2
    ├── InputError                  something given could not be read or understood    exit 2
    │   ├── ConfigError             configuration file or environment variable
    │   ├── RuleError               a detection rule, with file and line
    │   ├── PolicyError             a policy document, with position
    │   └── QueryError              SQL that is refused or wrong
    ├── MissingExtraError           an optional part of Clew is not installed          exit 2
    ├── WorkspaceError              the workspace is locked, damaged or not writable   exit 2
    │   └── WorkspaceLockedError    another Clew process is writing
    ├── ChangeError                 a change to AWS cannot be made as it was asked     exit 2
    │   ├── DriftError              what is there is not what was planned with
    │   └── IrreversibleError       nothing can bring back what was there
    └── DeliveryError               a message could not be sent                        exit 2

Messages are lower case, one line, location first, user input in backticks, advice last after a semicolon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class ClewError(Exception):
    """A failure that is reported to the user as one located line."""


class UsageError(ClewError):
    """The arguments do not fit together."""


class InputError(ClewError):
    """Something given could not be read or understood."""


class ConfigError(InputError):
    """The configuration file or an environment variable is wrong."""


class RuleError(InputError):
    """A detection rule is malformed or uses a construct that Clew does not support; located where it was read."""

    def __init__(self, message: str, *, file: str = "", line: int = 0, rule: str = "") -> None:
        """Put file, line and rule, where they are known, before the message."""
        place = f"{file}:{line}: " if file else ""
        super().__init__(f"{place}rule `{rule}`: {message}" if rule else f"{place}{message}")
        self.message, self.file, self.line, self.rule = message, file, line, rule


class PolicyError(InputError):
    """A policy document is malformed; `problems` are all that was found, `corrected` is a document to offer instead."""

    def __init__(self, message: str, problems: Sequence[object] = (), corrected: str | None = None) -> None:
        super().__init__(message)
        self.problems, self.corrected = tuple(problems), corrected


class QueryError(InputError):
    """An SQL query is refused or wrong."""


class MissingExtraError(ClewError):
    """An optional part of Clew is not installed."""

    def __init__(self, extra: str, package: str) -> None:
        """Name the extra to install and the package that was not found."""
        super().__init__(f"`{package}` is not installed; run `pip install 'clew-aws[{extra}]'`")
        self.extra = extra


class WorkspaceError(ClewError):
    """The workspace is damaged, missing or not writable."""


class WorkspaceLockedError(WorkspaceError):
    """Another Clew process is writing to the workspace."""


class ChangeError(ClewError):
    """A change to AWS cannot be made as it was asked."""


class DriftError(ChangeError):
    """What is there is not what was planned with: somebody changed it since."""


class IrreversibleError(ChangeError):
    """Nothing can bring back what was there."""


class DeliveryError(ClewError):
    """A message could not be sent."""
