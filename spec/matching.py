"""Whether a statement applies to a request: principal, action, resource, condition."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spec.conditions import block_holds, lacks_set_operator
from spec.kleene import Truth, all_of, any_of, negate
from spec.patterns import matches, written
from spec.principals import Manner, is_exempt, manners
from spec.variables import Filled, Unfilled, as_written, count_colons, fill_resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spec.documents import Document, Statement
    from spec.request import Request

EVERYBODY = frozenset({Manner.DIRECT})
PADDED = frozenset({"identity", "boundary"})
NEVER_INCOMPLETE = frozenset({"session", "rcp"})
COLONS = 5
SHORT_API = "execute-api:/"
API = re.compile(r"arn:[^:]*:execute-api:[^:]*:[^:]*:[^/]*")


@dataclass(frozen=True)
class Match:
    """One statement of one document, held against the request."""

    document: Document
    statement: Statement
    applies: Truth
    manners: frozenset[Manner]

    @property
    def is_deny(self) -> bool:
        """Whether the statement denies."""
        return self.statement.effect == "Deny"


def match(statement: Statement, document: Document, request: Request) -> Match:
    """Rule 52: a statement applies when all its elements do.

    IAM user guide, "IAM JSON policy elements reference"; "Policy evaluation logic".
    """
    named = principals_named(statement, document, request)
    parts = [bool(named), action_matches(statement, request), resource_matches(statement, document, request)]
    condition = block_holds(statement.conditions, request.context, variables=document.variables)
    return Match(document, statement, all_of([*parts, condition]), named)


def notes(document: Document, request: Request) -> Iterator[str]:
    """What of the document can never match this request, though well formed (rule 29, 0007 Q22)."""
    for statement in document.statements:
        for condition in statement.conditions:
            if lacks_set_operator(condition, request.context):
                yield (
                    f"{document.path}/Statement/{statement.index}: `{condition.operator}` without ForAllValues or "
                    f"ForAnyValue matches nothing, as `{condition.key}` has several values"
                )


def principals_named(statement: Statement, document: Document, request: Request) -> frozenset[Manner]:
    """Rules 13 to 15: the manners in which the statement's principal element names the caller.

    Policies attached to an identity have none: they are about whoever they are attached to.
    IAM user guide, "AWS JSON policy elements: Principal"; "AWS JSON policy elements: NotPrincipal".
    """
    if document.kind in {"identity", "boundary", "session", "scp"}:
        return EVERYBODY
    if statement.principals is not None:
        return manners(statement.principals, request.caller)
    if statement.not_principals is not None:
        return EVERYBODY if not_principal_applies(statement, request) else frozenset()
    return frozenset()


def not_principal_applies(statement: Statement, request: Request) -> bool:
    """Rules 12 to 14: NotPrincipal with Deny spares those listed on every level; with Allow it takes in all others.

    IAM user guide, "AWS JSON policy elements: NotPrincipal". 0007 Q11, Q12.
    """
    entries = statement.not_principals or ()
    if statement.effect == "Deny":
        return not is_exempt(entries, request.caller, has_boundary=bool(request.boundaries))
    return not manners(entries, request.caller)


def action_matches(statement: Statement, request: Request) -> bool:
    """Rule 22: Action is compared without case; NotAction is everything but those listed.

    IAM user guide, "IAM JSON policy elements: Action", "… NotAction". 0007 Q16.
    """
    if statement.actions is not None:
        return any(_action(pattern, request.action) for pattern in statement.actions)
    return not any(_action(pattern, request.action) for pattern in statement.not_actions or ())


def _action(pattern: str, action: str) -> bool:
    if pattern != "*" and ":" not in pattern:
        return False
    return matches(written(pattern.lower()), action.lower())


def resource_matches(statement: Statement, document: Document, request: Request) -> Truth:
    """Rules 23, 33 and 48: Resource is any of those listed, NotResource none of them; the ARN is compared with case.

    A policy on a resource that names none is about that resource.
    IAM user guide, "IAM JSON policy elements: Resource", "… NotResource". 0007 Q17, Q18.
    """
    if statement.resources is not None:
        return any_of(entry_matches(entry, document, request) for entry in statement.resources)
    if statement.not_resources is not None:
        return negate(any_of(entry_matches(entry, document, request) for entry in statement.not_resources))
    return True


def entry_matches(entry: str, document: Document, request: Request) -> Truth:
    """Rules 24, 33 and 51: one Resource entry against the requested resource.

    IAM user guide, "IAM JSON policy elements: Resource", first note (actions without resources take `*`);
    "IAM policy elements: Variables and tags", section "Policy variables with no value". 0007 Q18, Q19, Q21.
    """
    if request.wildcard_only:
        return entry == "*"
    entry = written_out(entry, document.kind, request)
    filled = fill_resource(entry, request.context) if document.variables else as_written(entry)
    if filled is Unfilled.UNRESOLVABLE:
        return False
    if not isinstance(filled, Filled):
        return None
    if entry.startswith("arn:") and count_colons(entry) < COLONS:
        return incomplete_arn_matches(entry, document.kind, request)
    return matches(filled.pattern, request.resource)


def written_out(entry: str, kind: str, request: Request) -> str:
    """Rule 53: `execute-api:/stage/METHOD/path` in the policy of an API stands for that part of this API.

    API Gateway developer guide, "API Gateway resource policy examples": "API Gateway builds the full ARN by using the
    current Region, your AWS account ID, and the ID of the REST API that the resource policy is associated with".
    """
    api = API.match(request.resource)
    if kind != "resource" or not entry.startswith(SHORT_API) or api is None:
        return entry
    return api[0] + "/" + entry.removeprefix(SHORT_API)


def incomplete_arn_matches(entry: str, kind: str, request: Request) -> bool:
    """Rule 24: an ARN of fewer than six fields, by kind of policy.

    IAM user guide, "IAM identifiers", section "IAM ARNs". 0007 Q19.
    """
    if kind in NEVER_INCOMPLETE or (kind == "scp" and not entry.endswith("*")):
        return False
    missing = ":*" * (COLONS - count_colons(entry)) if kind in PADDED else ""
    return matches(written(entry + missing), request.resource)
