"""The custom policy checks of IAM Access Analyzer: no new access, access not granted, no public access.

AWS: IAM Access Analyzer API reference, CheckNoNewAccess, CheckAccessNotGranted, CheckNoPublicAccess; IAM User Guide,
"Validate policies with IAM Access Analyzer custom policy checks".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.engine.services.s3_public import is_public
from clew.policy.model import PolicyKind
from clew.symbolic import public
from clew.symbolic.contrast import contrasted, limited, services_of
from clew.symbolic.questions import Verdict, find
from clew.symbolic.search import AllOf, AnyOf, Is, all_of, contrary
from clew.symbolic.sides import Documents
from clew.symbolic.typed import typed as going_together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from clew.engine.request import Request
    from clew.policy.model import Policy, Statement
    from clew.symbolic.questions import Access, Answer
    from clew.symbolic.search import Formula
    from clew.symbolic.space import Space

MOST: Final = 100
"""The most actions, and the most resources, that one check of access takes (AWS: quotas of IAM Access Analyzer)."""


class Result(StrEnum):
    """What a check came to."""

    PASS = "PASS"  # noqa: S105  # AWS's word for "passed"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Reason:
    """One statement that makes a check fail, in AWS's words, with a request that it alone shows to be possible."""

    description: str
    statement: Statement
    source: str | None
    witness: Request

    @property
    def place(self) -> str:
        """File and line, as far as they are known."""
        position = self.statement.position
        if position is None:
            return f"{self.source or 'policy'} statement {self.statement.index}"
        return f"{self.source or 'line'}:{position.line}" if self.source else f"line {position.line}"

    def document(self) -> dict[str, object]:
        """The reason in the shape of AWS's ReasonSummary."""
        found: dict[str, object] = {
            "description": self.description,
            "statementIndex": self.statement.index,
        }
        if self.statement.sid:
            found["statementId"] = self.statement.sid
        return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer of a check: a failure has a witness and reasons, an unknown result says what was not decided."""

    result: Result
    message: str
    witness: Request | None = None
    reasons: tuple[Reason, ...] = ()
    undecided: str = ""


@dataclass(frozen=True, slots=True)
class _Words:
    passed: str
    failed: str
    reason: str


def _always(_request: Request) -> bool:
    return True


class _Check(NamedTuple):
    """What one check asks of a policy.

    cut: the policy and what it is held against, both without the statements that cannot matter. limit: the requests
    that are asked about. confirms: what the engine says of the other side. written: the policies of the other side.
    """

    words: _Words
    cut: Callable[[Documents], tuple[Documents, ...]]
    limit: Callable[[Space, Sequence[Documents]], Formula]
    confirms: Callable[[Request], bool] = _always
    written: tuple[Policy, ...] = ()


_NEW: Final = _Words(
    "The modified permissions do not grant new access compared to your existing policy.",
    "The modified permissions grant new access compared to your existing policy.",
    "New access in the statement with {}.",
)
_IMPLIED: Final = _Words(
    "The right policy allows all that the left one does.",
    "The left policy allows what the right one does not.",
    "Access beyond the right policy in the statement with {}.",
)
_GRANTED: Final = _Words(
    "The policy document does not grant access to perform any of the listed actions or resources.",
    "The policy document grants access to perform one or more of the listed actions or resources.",
    "One or more of the listed actions or resources in the statement with {}.",
)
_PUBLIC: Final = _Words(
    "The resource policy does not grant public access for the given resource type.",
    "The resource policy grants public access for the given resource type.",
    "Public access granted in the following statement with {}.",
)


def no_new_access(
    new: Policy, existing: Policy, kind: PolicyKind = PolicyKind.IDENTITY, *, typed: bool = False
) -> Outcome:
    """Whether the new policy allows nothing that the existing one does not.

    Actions are held against the resources that they work on only where `typed` asks for it, which AWS's check does not;
    principals of the existing policy may hold wildcards.
    """
    return _compared(new, Documents((existing,), kind, wildcards=True), _NEW, typed=typed)


def implied(left: Policy, right: Policy, kind: PolicyKind = PolicyKind.IDENTITY) -> Outcome:
    """Whether the right policy allows all that the left one does; both are read as AWS evaluates them."""
    return _compared(left, Documents((right,), kind), _IMPLIED)


def _compared(policy: Policy, reference: Documents, words: _Words, *, typed: bool = False) -> Outcome:
    def limit(space: Space, others: Sequence[Documents]) -> Formula:
        beyond = contrary(all_of(each.formula(space) for each in others))
        return AllOf((going_together((policy,), space), beyond)) if typed else beyond

    check = _Check(
        words,
        lambda side: contrasted(side, reference),
        limit,
        lambda request: reference.allows(request) is False,
        reference.policies,
    )
    return _checked(policy, reference.kind, check)


def access_not_granted(
    policy: Policy, access: Sequence[Access], kind: PolicyKind = PolicyKind.IDENTITY
) -> Outcome:
    """Whether the policy allows none of the actions on any of the resources."""
    services = services_of(action for each in access for action in each.actions or ("*",))
    check = _Check(_GRANTED, lambda side: (limited(side, services),), lambda space, _: _among(access, space))
    return _checked(policy, kind, check)


def no_public_access(policy: Policy, resource_type: str) -> Outcome:
    """Whether the resource policy lets no stranger in; `KeyError` for a resource type that AWS does not check."""
    services = public.SERVICES[resource_type]
    check = _Check(
        _PUBLIC, lambda side: (side,), lambda space, _: public.strangers((policy,), space, services)
    )
    found = _checked(policy, PolicyKind.RESOURCE, check)
    provider = _names_provider(policy) if found.result is Result.PASS and "s3" in services else None
    if provider is None:
        return found
    # AWS: S3 User Guide, The meaning of "public", the first of the public bucket policies.
    reason = (
        f"statement {provider} names an identity provider, which S3 takes for the public; no request shows it"
    )
    return Outcome(Result.UNKNOWN, f"It was not decided: {reason}.", undecided=reason)


def _names_provider(policy: Policy) -> int | None:
    """The first Allow to an identity provider that S3 calls public."""
    return next(
        (
            each.index
            for each in policy.statements
            if any(principal.kind == "Federated" for principal in each.principals or ())
            and is_public(policy._replace(statements=(each,)))
        ),
        None,
    )


def _among(access: Sequence[Access], space: Space) -> Formula:
    return AnyOf(tuple(Is(each.literals(space)) for each in access))


def _checked(policy: Policy, kind: PolicyKind, check: _Check) -> Outcome:
    side = Documents((policy,), kind)
    answer = _found(side, check)
    if answer.verdict is Verdict.NONE:
        return Outcome(Result.PASS, check.words.passed)
    if answer.request is None:
        return Outcome(Result.UNKNOWN, f"It was not decided: {answer.reason}.", undecided=answer.reason)
    reasons = _reasons(side, answer.request, check)
    return Outcome(Result.FAIL, check.words.failed, answer.request, tuple(reasons))


def _found(side: Documents, check: _Check) -> Answer:
    cut, *others = check.cut(side)
    return find(
        (cut, *others),
        lambda space: AllOf((cut.formula(space), check.limit(space, others))),
        lambda request: side.allows(request) is True and check.confirms(request),
        written=(*side.policies, *check.written),
    )


def _reasons(side: Documents, witness: Request, check: _Check) -> Iterator[Reason]:
    """Every Allow statement that by itself, with the policy's denials, makes the check fail."""
    granting = {statement.index for _, statement in side.granting(witness)}
    for policy in side.policies:
        denials = tuple(each for each in policy.statements if not each.allows)
        for statement in policy.statements:
            if not statement.allows:
                continue
            request = witness if statement.index in granting else None
            if request is None:
                alone = policy._replace(statements=(statement, *denials))
                request = _found(replace(side, policies=(alone,)), check).request
            if request is not None:
                name = f"sid: {statement.sid}" if statement.sid else f"index: {statement.index}"
                yield Reason(check.words.reason.format(name), statement, policy.source, request)
