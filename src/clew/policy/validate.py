"""A policy document validated: its grammar, the rules of its kind, its names and its ARNs, and a corrected document.

The codes are AWS's own (AWS: "IAM policy validation check reference") wherever a check of ours is one of AWS's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.policy import arns, kind_rules, names, repair
from clew.policy.format import layout
from clew.policy.model import JSON_SYNTAX_ERROR, FindingType, PolicyKind, Problem
from clew.policy.parse import NO_WRAPPER, draft, draft_document
from clew.policy.problems import Problems
from clew.policy.words import StatementWords

if TYPE_CHECKING:
    from clew.aws.catalog import Catalog
    from clew.policy.json_positions import Node
    from clew.policy.model import Policy
    from clew.policy.parse import Draft
    from clew.policy.repair import Change

LONGEST_EXAMINED: Final = 262_144
"""The longest document whose names and ARNs are examined: eight times the largest quota of AWS."""

NOT_EXAMINED: Final = "NOT_EXAMINED"
"""Our own code: the document is too long for its names and ARNs to be looked at."""

_ROUNDS: Final = 4
"""How often a corrected document is looked at again: one correction may uncover what the next one needs."""


class Validation(NamedTuple):
    """What validation says of a document.

    `policy` is None when it cannot be evaluated at all; `plain` is the document as decoded JSON, None without one.
    `corrected` is the text to write instead, None when nothing would change or nothing can be offered; `changes` name
    each difference, `left` what is still wrong with it.
    """

    kind: PolicyKind
    is_kind_guessed: bool
    policy: Policy | None
    problems: tuple[Problem, ...]
    corrected: str | None
    changes: tuple[Change, ...]
    left: tuple[Problem, ...]
    plain: object = None


def validate(
    text: str, *, source: str | None = None, kind: PolicyKind | None = None, catalog: Catalog
) -> Validation:
    """Everything that is wrong with the policy document of the text; the kind is guessed where it is not given.

    >>> from clew.aws.catalog import current
    >>> found = validate('{"Effect": "DENY", "Action": "DeleteArchive":, "Resource": "*"}', catalog=current())
    >>> [problem.code for problem in found.problems]
    ['STATEMENT_WITHOUT_DOCUMENT', 'INVALID_EFFECT', 'INVALID_ACTION', 'JSON_SYNTAX_ERROR']
    """
    first = draft(text, source)
    guessed = kind or guess_kind(first.root)
    found = draft(text, source, guessed)
    problems = _deep(found, guessed, _size(text), source, catalog)
    corrected, changes, left = _repaired(found, guessed, problems, catalog)
    has_syntax_error = any(problem.code == JSON_SYNTAX_ERROR for problem in problems)
    policy = None if has_syntax_error else found.policy
    plain = found.root.plain() if found.root is not None else None
    return Validation(guessed, kind is None, policy, problems, corrected, changes, left, plain)


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


def _deep(
    found: Draft, kind: PolicyKind, size: tuple[int, int], source: str | None, catalog: Catalog
) -> tuple[Problem, ...]:
    """The draft's problems and all that its kind, its names and its ARNs add."""
    if found.root is None or found.policy is None:
        return found.problems
    problems = Problems(found.lines, source)
    statements = _statements(found.root)
    kind_rules.check(found.root, statements, kind, size, catalog, problems)
    _examine(statements if size[0] <= LONGEST_EXAMINED else [], catalog, problems)
    if size[0] > LONGEST_EXAMINED:
        message = f"{size[0]:,} characters, more than any policy has; names and ARNs are not examined"
        problems.add(NOT_EXAMINED, message, (), None, finding_type=FindingType.WARNING)
    is_bare = any(problem.code == NO_WRAPPER for problem in found.problems)
    deep = [each for each in problems.listed if not (is_bare and each.code == "MISSING_VERSION")]
    together = [*found.problems, *deep]
    return tuple(sorted(together, key=lambda each: each.position.offset if each.position else 0))


def _examine(statements: list[StatementWords], catalog: Catalog, problems: Problems) -> None:
    known, doctor = names.Names(catalog), arns.Doctor(catalog)
    for statement in statements:
        names.check(statement, known, problems)
        arns.check(statement, doctor, problems)


def _repaired(
    found: Draft, kind: PolicyKind, problems: tuple[Problem, ...], catalog: Catalog
) -> tuple[str | None, tuple[Change, ...], tuple[Problem, ...]]:
    """The corrected text, its changes, and what is left wrong: corrected until nothing more can be."""
    plain = found.root.plain() if found.root is not None else None
    if not problems or not isinstance(plain, dict) or found.policy is None:
        return None, (), problems
    changes: list[Change] = []
    left = problems
    for _ in range(_ROUNDS):
        applied = repair.apply(plain, left)
        if not applied and left is not problems:
            break
        changes += applied
        left = _deep(draft_document(plain, None, kind), kind, _size(layout(plain)), None, catalog)
    changes += repair.bare_numbers(plain) if changes else []
    was_json = all(problem.code != JSON_SYNTAX_ERROR for problem in problems)
    unchanged = not changes and was_json and found.policy is not None
    return (None if unchanged else layout(plain)), tuple(changes), left
