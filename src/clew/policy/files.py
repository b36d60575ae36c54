"""Every policy of a file validated: of a policy by itself, of a CloudFormation template, of a Terraform plan."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from clew.errors import InputError
from clew.policy.holders import held
from clew.policy.model import JSON_SYNTAX_ERROR, Problem, shown
from clew.policy.parse import draft_node
from clew.policy.validate import Asked, guess_kind, judge, validate
from clew.policy.yaml_positions import YamlError

if TYPE_CHECKING:
    from datetime import date

    from clew.aws.catalog import Catalog
    from clew.policy.holders import Held, Holding
    from clew.policy.json_positions import Node, Path
    from clew.policy.model import PolicyKind
    from clew.policy.validate import Validation


class Document(NamedTuple):
    """One policy of a file: the path that leads to it, empty for a file that is a policy, and what was found."""

    path: Path
    resource_type: str
    validation: Validation


class ValidatedFile(NamedTuple):
    """The policies of a file; `unknown` are the places of those that a plan or a template leaves open.

    `is_template` says that the file holds policies and is none itself.
    """

    source: str
    documents: tuple[Document, ...]
    unknown: tuple[Path, ...] = ()
    is_template: bool = False

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem of every policy of the file."""
        return tuple(problem for each in self.documents for problem in each.validation.problems)


class Wanted(NamedTuple):
    """What the user says of the policies: their kind and the type of their resource, where a template says neither."""

    kind: PolicyKind | None
    resource_type: str
    catalog: Catalog
    today: date | None


def validate_file(text: str, source: str, wanted: Wanted) -> ValidatedFile:
    """The validation of every policy in the text of a file.

    Errors: `InputError` when the text is meant to be a template and cannot be read.
    """
    try:
        holding = held(text)
    except YamlError as error:
        raise InputError(f"{source}:{error.line}: {shown(str(error))}") from error
    if holding is not None:
        documents = tuple(_document(each, holding, source, wanted) for each in holding.policies)
        return ValidatedFile(source, documents, holding.unknown, is_template=True)
    found = validate(
        text,
        source=source,
        kind=wanted.kind,
        resource_type=wanted.resource_type,
        catalog=wanted.catalog,
        today=wanted.today,
    )
    return ValidatedFile(source, (Document((), wanted.resource_type, found),))


def _document(each: Held, holding: Holding, source: str, wanted: Wanted) -> Document:
    kind = each.kind or wanted.kind
    found = draft_node(each.root, lines=holding.lines, source=source, kind=kind or guess_kind)
    resource_type = each.resource_type or wanted.resource_type
    asked = Asked(found.kind or guess_kind(each.root), resource_type, wanted.catalog, wanted.today)
    # A template's own layout counts for no quota: what is deployed has no white space.
    length = len(json.dumps(each.root.plain(), separators=(",", ":"), ensure_ascii=False))
    judged = judge(found, asked, source=source, size=(length, length), is_kind_guessed=kind is None)
    faults = tuple(_fault(message, each.root, holding, source) for message in each.faults)
    judged = judged._replace(problems=(*faults, *judged.problems), policy=None if faults else judged.policy)
    return Document(each.path, resource_type, _within(judged, each.path))


def _fault(message: str, text: Node, holding: Holding, source: str) -> Problem:
    """A place where a policy that stands as a text is no JSON."""
    start, end = holding.lines.position(text.start), holding.lines.position(text.end)
    return Problem(JSON_SYNTAX_ERROR, message, (), start, end, source)


def _within(judged: Validation, path: Path) -> Validation:
    """The validation with its paths as they are in the file; a template is not rewritten."""
    problems = tuple(
        problem._replace(
            path=(*path, *problem.path),
            further=tuple(each._replace(path=(*path, *each.path)) for each in problem.further),
        )
        for problem in judged.problems
    )
    return judged._replace(problems=problems, corrected=None, changes=(), left=problems)
