"""The gates of a set of policies: every statement compiled and placed, so that a decision can name it.

AWS: "Policies and permissions in IAM", policy types; "AWS JSON policy elements: NotPrincipal".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.engine.decision import Gate
from clew.engine.match import CompiledStatement, compile_statement
from clew.engine.principal import Manner, Named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.engine.principal import Caller
    from clew.policy.model import Policy, Statement

WITH_PRINCIPAL: Final = frozenset({Gate.RESOURCE, Gate.RCP, Gate.ENDPOINT})
"""The gates whose statements say whom they are about; in the others a Principal element is an error."""

PADDED: Final = frozenset({Gate.IDENTITY, Gate.BOUNDARY})
"""The gates in which an incomplete ARN is completed with wildcards (AWS: "IAM identifiers")."""

GRANT: Final = "grant"
ACL: Final = "acl"


class Placed:
    """One statement where it stands: its gate, the path of its policy, and its compiled form.

    `source` is what reports call the gate: the gate's name, or `grant` or `acl` for KMS grants and S3 ACLs.
    `ignored` marks a grant that S3 Block Public Access makes void.
    """

    __slots__ = (
        "_named",
        "_negated",
        "compiled",
        "denies",
        "gate",
        "ignored",
        "path",
        "policy",
        "source",
        "statement",
    )

    def __init__(
        self, statement: Statement, policy: Policy, gate: Gate, path: str, *, source: str | None = None
    ) -> None:
        """Compile the statement as its gate reads it."""
        self.statement = statement
        self.policy = policy
        self.gate = gate
        self.path = path
        self.source = source or gate.value
        self.compiled: CompiledStatement = compile_statement(
            statement,
            version=policy.version,
            pad=gate in PADDED,
            resource_optional=gate is Gate.RESOURCE,
        )
        self.denies = self.compiled.denies
        self.ignored = False
        self._negated = statement.principals is None
        self._named: Named | None = None

    @property
    def named(self) -> Named:
        """The principals that the statement names or excepts."""
        if self._named is None:
            self._named = Named(self.statement.principals or self.statement.not_principals or ())
        return self._named

    def manner(self, caller: Caller, *, bounded: bool) -> Manner:
        """How the statement names the caller; `bounded` says whether a permissions boundary limits the caller."""
        named = self._named or self.named
        if not self._negated:
            return named.manner(caller)
        if self.statement.not_principals is None:
            return Manner.NONE
        return Manner.NONE if self._excepts(named, caller, bounded=bounded) else Manner.DIRECT

    def _excepts(self, named: Named, caller: Caller, *, bounded: bool) -> bool:
        if self.denies and bounded and caller.is_person_of_account:
            # AWS: NotPrincipal with Deny "will always deny any IAM principal that has a permissions boundary".
            return False
        found = named.manner(caller)
        if found is Manner.ACCOUNT:
            # AWS: with a user and its account listed, all principals except the user are denied.
            return not self.denies
        return found is not Manner.NONE


def usable(statement: Statement, gate: Gate) -> str:
    """What keeps the statement from meaning anything in its gate; empty when nothing does."""
    if gate in WITH_PRINCIPAL:
        if statement.principals is None and statement.not_principals is None:
            return "has no Principal and matches nobody"
    elif statement.principals is not None or statement.not_principals is not None:
        return "has a Principal, which this kind of policy cannot have, and matches nothing"
    if gate is Gate.RCP and statement.not_principals is not None:
        return "has NotPrincipal, which a resource control policy cannot have, and matches nothing"
    if gate is not Gate.RESOURCE and statement.resources is None and statement.not_resources is None:
        return "has no Resource and matches nothing"
    return ""


def place(policies: Iterable[Policy], gate: Gate, path: str) -> tuple[Placed, ...]:
    """Every usable statement of the policies; the n-th policy is called `path/n`."""
    return tuple(
        placed
        for number, policy in enumerate(policies)
        for placed in place_one(policy, gate, f"{path}/{number}")
    )


def place_one(policy: Policy, gate: Gate, path: str, *, source: str | None = None) -> Iterator[Placed]:
    """Every usable statement of one policy."""
    for statement in policy.statements:
        if not usable(statement, gate):
            yield Placed(statement, policy, gate, path, source=source)


def remarks(policies: Iterable[Policy], gate: Gate, path: str | None = None) -> Iterator[str]:
    """One line for each statement that means nothing where it stands, and for each principal that is nobody."""
    for number, policy in enumerate(policies):
        where = "resource_policy" if path is None else f"{path}/{number}"
        for statement in policy.statements:
            problem = usable(statement, gate)
            if problem:
                yield f"{where}: statement {statement.index} {problem}"
            elif gate in WITH_PRINCIPAL:
                named = Named(statement.principals or statement.not_principals or ())
                for principal in named.unmatched:
                    yield f"{where}: statement {statement.index} names `{principal.value[:200]}`, which is nobody"
