"""Where checks are registered: by issue code, with the kinds of policy that they are asked of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.policy.lint.subject import Clause, Line, Subject
from clew.policy.model import FindingType, PolicyKind

if TYPE_CHECKING:
    from clew.policy.words import Word

IDENTITY: Final = frozenset({PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.SESSION})
"""The kinds that are attached to users, groups, roles and their sessions."""

RESOURCE: Final = frozenset(
    {PolicyKind.RESOURCE, PolicyKind.KMS_KEY, PolicyKind.VAULT_ACCESS, PolicyKind.VAULT_LOCK}
)
"""The kinds that are attached to resources other than roles."""

TRUST: Final = frozenset({PolicyKind.TRUST})
SCP: Final = frozenset({PolicyKind.SCP})
RCP: Final = frozenset({PolicyKind.RCP})
ALL: Final = frozenset(PolicyKind)


class Told(NamedTuple):
    """What a check has to tell: a sentence, and the places that it is about, the first one first of all.

    `weight` is less than the catalogue's where the check is less sure of it.
    """

    message: str
    places: tuple[Word, ...]
    corrected: str | None = None
    weight: FindingType | None = None


LineFunction = Callable[[Line, Clause, Subject], Iterator[Told]]
ClauseFunction = Callable[[Clause, Subject], Iterator[Told]]
FamilyFunction = Callable[[Clause, Subject], Iterator[tuple[str, Told]]]
DocumentFunction = Callable[[Subject], Iterator[Told]]


class LineCheck(NamedTuple):
    """A check of one line of a condition block."""

    code: str
    kinds: frozenset[PolicyKind]
    run: LineFunction


class ClauseCheck(NamedTuple):
    """A check of one statement."""

    code: str
    kinds: frozenset[PolicyKind]
    run: ClauseFunction


class FamilyCheck(NamedTuple):
    """Several checks of one statement in one function."""

    codes: frozenset[str]
    kinds: frozenset[PolicyKind]
    run: FamilyFunction


class DocumentCheck(NamedTuple):
    """A check of a document as a whole."""

    code: str
    kinds: frozenset[PolicyKind]
    run: DocumentFunction


LINE_CHECKS: Final[list[LineCheck]] = []
CLAUSE_CHECKS: Final[list[ClauseCheck]] = []
FAMILIES: Final[list[FamilyCheck]] = []
DOCUMENT_CHECKS: Final[list[DocumentCheck]] = []


def of_line(code: str, kinds: frozenset[PolicyKind] = ALL) -> Callable[[LineFunction], LineFunction]:
    """Register a check of the lines of condition blocks."""

    def register(function: LineFunction) -> LineFunction:
        LINE_CHECKS.append(LineCheck(code, kinds, function))
        return function

    return register


def of_clause(code: str, kinds: frozenset[PolicyKind] = ALL) -> Callable[[ClauseFunction], ClauseFunction]:
    """Register a check of statements."""

    def register(function: ClauseFunction) -> ClauseFunction:
        CLAUSE_CHECKS.append(ClauseCheck(code, kinds, function))
        return function

    return register


def of_family(
    codes: Iterable[str], kinds: frozenset[PolicyKind] = ALL
) -> Callable[[FamilyFunction], FamilyFunction]:
    """Register checks of statements that have most of their work in common: one function tells which of them."""

    def register(function: FamilyFunction) -> FamilyFunction:
        FAMILIES.append(FamilyCheck(frozenset(codes), kinds, function))
        return function

    return register


def of_document(
    code: str, kinds: frozenset[PolicyKind] = ALL
) -> Callable[[DocumentFunction], DocumentFunction]:
    """Register a check of whole documents."""

    def register(function: DocumentFunction) -> DocumentFunction:
        DOCUMENT_CHECKS.append(DocumentCheck(code, kinds, function))
        return function

    return register


TOLD_ELSEWHERE: Final = {
    "clew.policy.grammar": """
        DATA_TYPE_MISMATCH DUPLICATE_KEYS_WITH_DIFFERENT_CASE INVALID_CONDITION_OPERATOR INVALID_EFFECT
        INVALID_POLICY_ELEMENT INVALID_PRINCIPAL_FORMAT INVALID_PRINCIPAL_KEY INVALID_VERSION MISSING_ACTION
        MISSING_EFFECT MISSING_PRINCIPAL MISSING_RESOURCE MISSING_STATEMENT NULL_WITH_IF_EXISTS NULL_WITH_QUALIFIER
        ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL SCP_SYNTAX_ERROR_PRINCIPAL UNSUPPORTED_ELEMENT_COMBINATION
        UNSUPPORTED_PRINCIPAL
    """,
    "clew.policy.parse": "JSON_SYNTAX_ERROR",
    "clew.policy.kind_rules": """
        FEDERATED_PRINCIPAL_NOT_SUPPORTED MISSING_VERSION POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA
        POLICY_SIZE_EXCEEDS_RCP_QUOTA POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA
        POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA POLICY_SIZE_EXCEEDS_SCP_QUOTA RCP_SYNTAX_ERROR_ACTION
        RCP_SYNTAX_ERROR_ALLOW RCP_SYNTAX_ERROR_NOTACTION RCP_SYNTAX_ERROR_PRINCIPAL
        ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE UNIQUE_SIDS_RECOMMENDED UNIQUE_SIDS_REQUIRED UNSUPPORTED_SID
        VARIABLE_UNSUPPORTED_IN_VERSION
    """,
    "clew.policy.names": """
        INVALID_ACTION INVALID_CONDITION_KEY_FORMAT INVALID_GLOBAL_CONDITION_KEY INVALID_SERVICE_CONDITION_KEY
        INVALID_SERVICE_IN_ACTION MISSING_TAG_KEY_IN_CONDITION WILDCARD_IN_SERVICE_NAME
    """,
    "clew.policy.arns": """
        ARN_ACCOUNT_NOT_ALLOWED ARN_REGION_NOT_ALLOWED INVALID_ARN_ACCOUNT INVALID_ARN_PREFIX INVALID_ARN_REGION
        INVALID_ARN_RESOURCE INVALID_ARN_SERVICE_CASE INVALID_PARTITION INVALID_SERVICE MISSING_ARN_ACCOUNT
        MISSING_ARN_FIELD MISSING_ARN_REGION
    """,
    "clew.policy.principals": "INVALID_ROLE_REFERENCE INVALID_USER_REFERENCE UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
}
"""The codes that are found while a document is read, by the module that finds them."""
