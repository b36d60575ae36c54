"""The state of accounts as values: users, groups, roles, managed policies, resources, and the organisation.

Documents stay as they were collected; `Document.policy` reads one when it is first asked for, and remembers it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from clew.errors import PolicyError
from clew.policy import parse
from clew.snapshot import json_place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.policy.model import Policy, PolicyKind, Position

# Begins the text that stands where the document of a policy was not collected, and says why.
LEFT_OUT: Final = "not collected: "


@dataclass(frozen=True)
class Source:
    """A file that was read: its name as given, its text, and the hash and size of its bytes as they were read.

    `content` is the text, or the value that the text writes: nobody asks for the text of most answers, and to write
    that of 50,000 buckets takes 0.9 s (benchmarks/audit.py).
    """

    file: str
    content: object = field(repr=False)
    sha256: str = ""
    size_bytes: int = 0

    @cached_property
    def text(self) -> str:
        """The text of the file."""
        return self.content if isinstance(self.content, str) else json.dumps(self.content, indent=2)

    @cached_property
    def line_starts(self) -> list[int]:
        """Where each line of the text begins."""
        return json_place.line_starts(self.text)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a document: where it begins and ends in the document's own text, and where it begins in its file.

    Each place is a line and a column, counted from 1; `in_file` is None where the document is no part of a file.
    """

    start: tuple[int, int]
    end: tuple[int, int]
    in_file: tuple[int, int] | None = None


@dataclass(frozen=True)
class Document:
    """One policy document as collected: decoded JSON, or JSON text as the API returns it (also percent-encoded).

    `name` is the policy's own name, `arn` that of a managed policy. `source`, `start` and `path` say where the document
    stands: the value at `path` from the value that begins at character `start` of the file. With a `kind` the document
    is held to what such a policy must and must not contain.
    """

    name: str
    content: object = field(repr=False)
    arn: str | None = None
    source: Source | None = field(default=None, compare=False)
    start: int = 0
    path: tuple[json_place.Step, ...] = ()
    kind: PolicyKind | None = None

    @cached_property
    def policy(self) -> Policy:
        """The policy that the document writes.

        Errors: `PolicyError` with every problem of the document, each located.
        """
        return parse.parse(self._collected, self._said_in, self.kind)

    @property
    def meaning(self) -> Policy:
        """As `policy`, without the places of its statements: for those who go through all documents of an account."""
        return parse.meaning(self._collected, self._said_in, self.kind)

    @cached_property
    def remembered_meaning(self) -> Policy:
        """As `meaning`, remembered: for questions that are put to the same document again and again."""
        return self.__dict__.get("policy") or self.meaning

    @property
    def _collected(self) -> str:
        """The text, unless it stands for a policy that was not collected: then what it says of that is the error."""
        if isinstance(self.content, str) and self.content.startswith(LEFT_OUT):
            raise PolicyError(self.content)
        return self.text

    @property
    def _said_in(self) -> str | None:
        return self.file if self.is_whole_file else None

    @property
    def is_whole_file(self) -> bool:
        """Whether the document is a file of its own, so that its lines are the file's."""
        return self.source is not None and not self.path

    @cached_property
    def text(self) -> str:
        """The document's JSON text, as it stands in the file where it does."""
        if isinstance(self.content, str):
            written = self.content.lstrip()
            return self.content if written.startswith("{") else unquote(self.content)
        if self.source is not None and self.is_whole_file:
            return self.source.text
        begins = self._begins
        if self.source is None or begins is None:
            return json.dumps(self.content, indent=4)
        return self.source.text[begins : json_place.end_of_value(self.source.text, begins)]

    @property
    def file(self) -> str | None:
        """The file that the document was read from."""
        return self.source.file if self.source else None

    @cached_property
    def _begins(self) -> int | None:
        return json_place.find(self.source.text, self.start, self.path) if self.source else None

    def statement(self, index: int) -> Span | None:
        """Where a statement begins and ends; None where the document has no such statement, or no place for it."""
        position = self._positions.get(index)
        if position is None:
            return None
        ends = json_place.in_lines(self._line_starts, json_place.end_of_value(self.text, position.offset))
        return Span((position.line, position.column), ends, self._in_file(position.offset))

    @cached_property
    def _positions(self) -> dict[int, Position | None]:
        return {each.index: each.position for each in self.policy.statements}

    @cached_property
    def _line_starts(self) -> list[int]:
        return json_place.line_starts(self.text)

    def _in_file(self, offset: int) -> tuple[int, int] | None:
        """The place in the file of a character of the document's text."""
        if self.source is None or (isinstance(self.content, str) and not self.is_whole_file):
            return None
        first = 0 if self.is_whole_file else self._begins
        return None if first is None else json_place.in_lines(self.source.line_starts, first + offset)


@dataclass(frozen=True, slots=True)
class Attached:
    """A managed policy as a user, group or role names it; the document is the account's to know."""

    arn: str
    name: str


@dataclass(frozen=True, slots=True)
class User:
    """An IAM user."""

    arn: str
    name: str
    id: str = ""
    groups: tuple[str, ...] = ()
    inline: tuple[Document, ...] = ()
    attached: tuple[Attached, ...] = ()
    boundary: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Role:
    """An IAM role; `trust` is its trust policy.

    Units: `max_session_duration` is in seconds; None where nobody told it, since the authorization details do not.
    """

    arn: str
    name: str
    id: str = ""
    trust: Document | None = None
    inline: tuple[Document, ...] = ()
    attached: tuple[Attached, ...] = ()
    boundary: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    max_session_duration: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """An IAM group: its policies are those of its users."""

    arn: str
    name: str
    id: str = ""
    inline: tuple[Document, ...] = ()
    attached: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of a managed policy; `created` is the time as AWS wrote it, empty where it did not."""

    id: str
    document: Document
    is_default: bool
    created: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """One account's principals and managed policies, by ARN; groups by name.

    `truncated` when AWS said that there is more than was collected. `lists` names what was collected at all: a list
    that was filtered away is unknown, not empty. `versions` are all those of each managed policy.
    """

    id: str
    users: Mapping[str, User]
    groups: Mapping[str, Group]
    roles: Mapping[str, Role]
    policies: Mapping[str, Document]
    truncated: bool = False
    lists: frozenset[str] = frozenset()
    versions: Mapping[str, tuple[PolicyVersion, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource with its policy (None: it is known to have none), and what else decides about it."""

    arn: str
    account: str | None = None
    policy: Document | None = None
    block_public_access: Mapping[str, bool] | None = None
    acl: Mapping[str, object] | None = None
    object_ownership: str | None = None
    grants: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Organization:
    """Where accounts sit, and the policies at each root, organisational unit and account, by its id.

    `paths` lists what is above an account, root first, without the account. `scps` and `rcps` are None where no such
    file was given; a target that they do not name is not known.
    """

    id: str | None = None
    management_account: str | None = None
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scps: Mapping[str, tuple[Document, ...]] | None = None
    rcps: Mapping[str, tuple[Document, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known of one or several accounts; `files` are those that it was read from, `notes` what was left out.

    Units: `collected_at` is UTC, ISO 8601, the latest of several; empty where no file says it.
    """

    accounts: Mapping[str, Account] = field(default_factory=dict)
    resources: Mapping[str, Resource] = field(default_factory=dict)
    organization: Organization = field(default_factory=Organization)
    files: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()
    collected_at: str = ""

    def managed_policy(self, arn: str) -> Document | None:
        """The managed policy of that ARN: in its own account's file, or, as AWS's are the same everywhere, in any."""
        owner = self.accounts.get(arn.split(":")[4] if arn.count(":") >= 5 else "")  # noqa: PLR2004  # an ARN has six parts
        if owner is not None and arn in owner.policies:
            return owner.policies[arn]
        return next((a.policies[arn] for a in self.accounts.values() if arn in a.policies), None)
