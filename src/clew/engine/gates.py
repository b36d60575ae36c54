"""The gates of a set of policies: every statement compiled and placed, so that a decision can name it.

AWS: "Policies and permissions in IAM", policy types; "AWS JSON policy elements: NotPrincipal".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from clew.engine.match import CompiledStatement, compile_statement
from clew.engine.principal import Manner, Named
from clew.engine.resources import Incomplete
from clew.engine.verdicts import Gate
from clew.policy.model import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clew.engine.principal import Caller
    from clew.engine.request import Context
    from clew.engine.residual import Part
    from clew.policy.model import Policy, Statement

WITH_PRINCIPAL: Final = frozenset({Gate.RESOURCE, Gate.RCP, Gate.ENDPOINT})
"""The gates whose statements say whom they are about; in the others a Principal element is an error."""

INCOMPLETE: Final = {
    Gate.IDENTITY: Incomplete.COMPLETED,
    Gate.BOUNDARY: Incomplete.COMPLETED,
    Gate.SESSION: Incomplete.NOTHING,
    Gate.RCP: Incomplete.NOTHING,
    Gate.SCP: Incomplete.IF_OPEN,
}
"""How each gate reads an incomplete ARN (AWS: "IAM identifiers"; 0007-iam-questions.md, Q19); others: as written."""

GRANT: Final = "grant"
ACL: Final = "acl"


class Placed:
    """One statement where it stands: its gate, the path of its policy, and its compiled form.

    `source` is what reports call the gate: the gate's name, or `grant` or `acl` for KMS grants and S3 ACLs.
    `limit` is a part that policies cannot write, `ignored` marks an ACL that S3 Block Public Access makes void.
    """

    __slots__ = (
        "_named",
        "_negated",
        "compiled",
        "denies",
        "gate",
        "ignored",
        "limit",
        "path",
        "policy",
        "source",
        "statement",
    )

    def __init__(
        self,
        statement: Statement,
        policy: Policy,
        gate: Gate,
        path: str,
        *,
        source: str | None = None,
        limit: Part | None = None,
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
            incomplete=INCOMPLETE.get(gate, Incomplete.AS_WRITTEN),
            resource_optional=gate is Gate.RESOURCE or gate is Gate.BLOCK_PUBLIC_ACCESS,
        )
        self.denies = self.compiled.denies
        self.limit = limit
        self.ignored = False
        self._negated = statement.principals is None
        self._named: Named | None = None

    def applies(self, resource: str, context: Context, *, wildcard_only: bool) -> bool | None:
        """Whether the statement matches a request for its action; the principal is not looked at."""
        verdict = self.compiled.applies(resource, context, wildcard_only=wildcard_only)
        if self.limit is None or verdict is False:
            return verdict
        held = self.limit.holds(context)
        return verdict if held is True else held

    def unknown_parts(self, resource: str, context: Context, *, wildcard_only: bool) -> tuple[Part, ...]:
        """What must still hold where `applies` is unknown."""
        parts = self.compiled.unknown_parts(resource, context, wildcard_only=wildcard_only)
        if self.limit is None or self.limit.holds(context) is not None:
            return parts
        return (*parts, self.limit)

    @property
    def named(self) -> Named:
        """The principals that the statement names or excepts."""
        if self._named is None:
            self._named = Named(self.statement.principals or self.statement.not_principals or ())
        return self._named

    def manner(self, caller: Caller, *, bounded: bool, owner: str) -> Manner:
        """How the statement names the caller.

        `bounded` says whether a permissions boundary limits the caller, `owner` is the resource's account.
        """
        del owner
        named = self._named or self.named
        if not self._negated:
            return named.manner(caller)
        if self.statement.not_principals is None:
            return Manner.NONE
        return Manner.NONE if self._excepts(named, caller, bounded=bounded) else Manner.DIRECT

    def _excepts(self, named: Named, caller: Caller, *, bounded: bool) -> bool:
        if not self.denies:
            return named.manner(caller) is not Manner.NONE
        # AWS: NotPrincipal with Deny "will always deny any IAM principal that has a permissions boundary policy".
        return not bounded and named.excepts(caller)


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


def place(policies: Sequence[Policy], gate: Gate, path: str) -> tuple[Placed, ...]:
    """Every usable statement of the policies; the n-th policy is called `path/n`."""
    if not policies:
        return ()
    return tuple(
        [
            placed
            for number, policy in enumerate(policies)
            for placed in place_one(policy, gate, f"{path}/{number}")
        ]
    )


def place_one(policy: Policy, gate: Gate, path: str) -> list[Placed]:
    """Every usable statement of one policy."""
    return [
        Placed(statement, policy, gate, path)
        for statement in policy.statements
        if not usable(statement, gate)
    ]


class Remark(NamedTuple):
    """One thing that a statement cannot mean: the path of its policy, its index, and what is the matter."""

    where: str
    statement: int
    text: str

    def __str__(self) -> str:
        return f"{self.where}: statement {self.statement} {self.text}"


def remarks(policies: Iterable[Policy], gate: Gate, path: str | None = None) -> Iterator[Remark]:
    """What each statement that means nothing where it stands lacks, and principals that are nobody."""
    for number, policy in enumerate(policies):
        where = "resource_policy" if path is None else f"{path}/{number}"
        for statement in policy.statements:
            problem = usable(statement, gate)
            if problem:
                yield Remark(where, statement.index, problem)
            elif gate in WITH_PRINCIPAL:
                named = Named(statement.principals or statement.not_principals or ())
                for principal in named.unmatched[:_NAMED]:
                    text = f"names `{shown(principal.value, _SHOWN)}`, which is nobody"
                    yield Remark(where, statement.index, text)
                if len(named.unmatched) > _NAMED:
                    text = f"names {len(named.unmatched) - _NAMED} more principals that are nobody"
                    yield Remark(where, statement.index, text)


_SHOWN: Final = 200
_NAMED: Final = 5
