"""A policy document validated: its grammar, the rules of its kind, its names and its ARNs, and a corrected document.

The codes are AWS's own (AWS: "IAM policy validation check reference") wherever a check of ours is one of AWS's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.aws.arn_doctor import NOT_FOR_ACTION
from clew.policy import arns, kind_rules, names, principals, repair, weights
from clew.policy.format import layout
from clew.policy.lint import run, subject
from clew.policy.lint.curated import RESOURCE_TYPES
from clew.policy.model import JSON_SYNTAX_ERROR, MISSING_FOR_ACTION, FindingType, PolicyKind, Problem
from clew.policy.parse import NO_WRAPPER, draft, draft_document
from clew.policy.problems import Problems
from clew.policy.words import StatementWords

if TYPE_CHECKING:
    from datetime import date

    from clew.aws.catalog import Catalog
    from clew.policy.json_positions import Node
    from clew.policy.model import Policy
    from clew.policy.parse import Draft
    from clew.policy.repair import Change

LONGEST_EXAMINED: Final = 262_144
"""The longest document whose names and ARNs are examined: eight times the largest quota of AWS."""

NOT_EXAMINED: Final = "NOT_EXAMINED"
"""Our own code: the document is too long for its names and ARNs to be looked at."""

_MISPLACED: Final = frozenset({"UNSUPPORTED_ACTION_IN_POLICY", "UNSUPPORTED_RESOURCE_ARN_IN_POLICY"})
_OF_PAIRS: Final = frozenset({NOT_FOR_ACTION, MISSING_FOR_ACTION})

_ROUNDS: Final = 4
"""How often a corrected document is looked at again: one correction may uncover what the next one needs."""


class Asked(NamedTuple):
    """What is asked of a document: the kind that it is, the type of the resource that it is attached to, and when.

    `resource_type` is a name of CloudFormation's such as `AWS::S3::Bucket`, empty where it is not known; `today`
    decides whether the catalogue is too old to call a name wrong, which is not asked without it.
    """

    kind: PolicyKind
    resource_type: str
    catalog: Catalog
    today: date | None


class Validation(NamedTuple):
    """What validation says of a document.

    `policy` is None when it cannot be evaluated at all; `plain` is the document as decoded JSON, None without one.
    `corrected` is the text to write instead, None when nothing would change or nothing can be offered; `changes` name
    each difference, `left` what is still wrong with it. `has_one_statement` says that the statement stands without a
    list around it, so that paths lead to it without a place in a list.
    """

    kind: PolicyKind
    is_kind_guessed: bool
    policy: Policy | None
    problems: tuple[Problem, ...]
    corrected: str | None
    changes: tuple[Change, ...]
    left: tuple[Problem, ...]
    plain: object = None
    has_one_statement: bool = False


def validate(
    text: str,
    *,
    source: str | None = None,
    kind: PolicyKind | None = None,
    resource_type: str = "",
    catalog: Catalog,
    today: date | None = None,
) -> Validation:
    """Everything that is wrong with the policy document of the text; the kind is guessed where it is not given.

    >>> from clew.aws.catalog import current
    >>> found = validate('{"Effect": "DENY", "Action": "DeleteArchive":, "Resource": "*"}', catalog=current())
    >>> [problem.code for problem in found.problems]
    ['STATEMENT_WITHOUT_DOCUMENT', 'INVALID_EFFECT', 'INVALID_ACTION', 'JSON_SYNTAX_ERROR']
    """
    found = draft(text, source, kind or guess_kind)
    asked = Asked(found.kind or kind or PolicyKind.IDENTITY, resource_type, catalog, today)
    return judge(found, asked, source=source, size=_size(text), is_kind_guessed=kind is None)


def judge(
    found: Draft, asked: Asked, *, source: str | None, size: tuple[int, int], is_kind_guessed: bool = False
) -> Validation:
    """The validation of a document that has been read; `size` is its length with and without white space."""
    problems = _deep(found, asked, size, source)
    corrected, changes, left = _repaired(found, asked, problems)
    has_syntax_error = any(problem.code == JSON_SYNTAX_ERROR for problem in problems)
    policy = None if has_syntax_error else found.policy
    plain = found.root.plain() if found.root is not None else None
    written = found.root.get("Statement") if found.root is not None else None
    is_one = written is not None and written.kind == "object"
    return Validation(asked.kind, is_kind_guessed, policy, problems, corrected, changes, left, plain, is_one)


def guess_kind(root: Node | None) -> PolicyKind:
    """The kind of policy that a document most likely is: with principals one of a resource or a role."""
    statements = _statements(root)
    principals = [each for each in statements if {"Principal", "NotPrincipal"} & each.elements.keys()]
    if not principals:
        return PolicyKind.IDENTITY
    actions = [word.text.lower() for each in statements for word in each.words("Action")]
    has_resource = any({"Resource", "NotResource"} & each.elements.keys() for each in statements)
    if actions and not has_resource and all(action.startswith("sts:") for action in actions):
        return PolicyKind.TRUST
    if actions and all(action.startswith("kms:") for action in actions):
        return PolicyKind.KMS_KEY
    resources = [word.text for each in statements for word in each.words("Resource")]
    if any(":glacier:" in arn for arn in resources) or any(
        action.startswith("glacier:") for action in actions
    ):
        return PolicyKind.VAULT_ACCESS
    return PolicyKind.RESOURCE


def _statements(root: Node | None) -> list[StatementWords]:
    written = root.get("Statement") if root is not None else None
    items = written.items if written is not None else []
    return [StatementWords(node, index) for index, node in enumerate(items) if node.kind == "object"]


def _size(text: str) -> tuple[int, int]:
    return len(text), len(re.sub(r"\s", "", text))


def _deep(found: Draft, asked: Asked, size: tuple[int, int], source: str | None) -> tuple[Problem, ...]:
    """The draft's problems and all that its kind, its names, its ARNs and the catalogue of checks add."""
    if found.root is None or found.policy is None:
        return weights.weighed(found.problems, asked.catalog, asked.today)
    problems = Problems(found.lines, source)
    statements = _statements(found.root)
    resource = RESOURCE_TYPES.get(asked.resource_type)
    lengths = kind_rules.Size(*size, resource.size if resource is not None else 0)
    kind_rules.check(found.root, statements, asked.kind, lengths, asked.catalog, problems)
    if size[0] <= LONGEST_EXAMINED:
        _examine(statements, asked, problems)
        run.check(_subject(found.root, statements, asked), problems)
    else:
        message = f"{size[0]:,} characters, more than any policy has; names and ARNs are not examined"
        problems.add(NOT_EXAMINED, message, (), None, finding_type=FindingType.WARNING)
    is_bare = any(problem.code == NO_WRAPPER for problem in found.problems)
    deep = [each for each in _once(problems.listed) if not (is_bare and each.code == "MISSING_VERSION")]
    together = weights.weighed((*found.problems, *deep), asked.catalog, asked.today)
    return tuple(sorted(together, key=lambda each: each.position.offset if each.position else 0))


def _once(problems: tuple[Problem, ...]) -> list[Problem]:
    """The problems without those of pairs, where the action or the resource is told to have no place there at all."""
    misplaced = {each.path[:2] for each in problems if each.code in _MISPLACED}
    return [each for each in problems if each.code not in _OF_PAIRS or each.path[:2] not in misplaced]


def _subject(root: Node, statements: list[StatementWords], asked: Asked) -> subject.Subject:
    version = root.get("Version")
    clauses = tuple(map(subject.clause, statements))
    written = version.text if version is not None else ""
    return subject.Subject(root, asked.kind, asked.resource_type, asked.catalog, clauses, written)


def _examine(statements: list[StatementWords], asked: Asked, problems: Problems) -> None:
    known, doctor = names.Names(asked.catalog), arns.Doctor(asked.catalog)
    is_of_resource = asked.kind is PolicyKind.RESOURCE
    for statement in statements:
        names.check(statement, known, problems)
        principals.check(statement, doctor, problems, is_of_endpoint=asked.kind is PolicyKind.ENDPOINT)
        arns.check(statement, doctor, problems, is_of_resource=is_of_resource)


def _repaired(
    found: Draft, asked: Asked, problems: tuple[Problem, ...]
) -> tuple[str | None, tuple[Change, ...], tuple[Problem, ...]]:
    """The corrected text, its changes, and what is left wrong: corrected until nothing more can be."""
    plain = found.root.plain() if found.root is not None else None
    is_repairable = any(map(repair.can_change, problems))
    if not is_repairable or not isinstance(plain, dict) or found.policy is None:
        return None, (), problems
    changes: list[Change] = []
    left = problems
    for _ in range(_ROUNDS):
        applied = repair.apply(plain, left)
        if not applied and left is not problems:
            break
        changes += applied
        left = _deep(draft_document(plain, None, asked.kind), asked, _size(layout(plain)), None)
    changes += repair.bare_numbers(plain) if changes else []
    was_json = all(problem.code != JSON_SYNTAX_ERROR for problem in problems)
    unchanged = not changes and was_json and found.policy is not None
    return (None if unchanged else layout(plain)), tuple(changes), left
