"""Policy documents: JSON text or decoded JSON to a `Policy`, or a `PolicyError` that holds every problem, located.

`parse` and `from_document` are strict. `read` is lenient: it leaves malformed statements out and says why. A document
that is no JSON is never read leniently: what it was most likely meant to be is for `repair` to offer, not to evaluate.
"""

from __future__ import annotations

from collections.abc import Callable
from json.decoder import JSONDecoder
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from clew.errors import PolicyError
from clew.policy import decoded, envelope, grammar, json_positions, kinds, repair
from clew.policy.json_positions import Node
from clew.policy.model import (
    DUPLICATE_KEYS,
    JSON_SYNTAX_ERROR,
    FindingType,
    Policy,
    PolicyKind,
    Problem,
    Reading,
    Statement,
)
from clew.policy.problems import Problems

if TYPE_CHECKING:
    from clew.policy.json_tokens import Lines

LONGEST: Final = 2_000_000
"""The longest text that is read, in characters; AWS takes no policy of more than 32,768."""

NO_WRAPPER: Final = "STATEMENT_WITHOUT_DOCUMENT"


def parse(text: str, source: str | None = None, kind: PolicyKind | None = None) -> Policy:
    """The policy that the text writes.

    The text is JSON, also URL-encoded as IAM returns it, also the output of an AWS command around it, also a statement
    or a list of statements by itself.
    Errors: `PolicyError` when anything keeps the text from being a policy; its `problems` are all of them.

    >>> parse('{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}').statements[0].actions
    ('*',)
    """
    return _strict(_read_text(text, source, kind))


def meaning(text: str, source: str | None = None, kind: PolicyKind | None = None) -> Policy:
    """As `parse`, without the places of statements in the text, for readers of tens of thousands of policies.

    It takes 5 µs for a policy of one statement of which `parse` takes 64 µs (benchmarks/audit.py). Errors: as `parse`.

    >>> meaning('{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}').statements[0].actions
    ('*',)
    """
    found = _quick(_plainly_decoded(text), source, kind)
    return found.policy if found and found.policy else parse(text, source, kind)


def _plainly_decoded(text: str) -> object:
    """The value of a text of JSON that every reader takes alike; None for any other text."""
    if len(text) > LONGEST or not text.isascii() or "\\u" in text:
        return None
    try:
        return _PLAIN.decode(text)
    except (ValueError, RecursionError):
        return None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(number: str) -> object:
    """Numbers are kept as they are written, which this way to read does not tell."""
    raise ValueError(number)


_PLAIN: Final = JSONDecoder(
    object_pairs_hook=_unique, parse_float=_refuse, parse_int=_refuse, parse_constant=_refuse
)


def from_document(document: object, kind: PolicyKind | None = None) -> Policy:
    """The policy that decoded JSON writes; a single statement may stand without a list.

    Errors: as `parse`, the places without lines, as in `/Statement/0/Effect`.
    """
    return _strict(_quick(document, None, kind) or draft_document(document, None, kind))


def read(document_or_text: object, source: str | None = None, kind: PolicyKind | None = None) -> Reading:
    """The policy without its malformed statements, and every problem; each statement keeps its `index`.

    Errors: `PolicyError` when the document as a whole cannot be read: no JSON, no object, no statements.

    >>> bad = {"Effect": "allow", "Action": "*", "Resource": "*"}
    >>> reading = read({"Statement": [bad, {**bad, "Effect": "Allow"}]})
    >>> [each.index for each in reading.policy.statements], str(reading.problems[0])
    ([1], '/Statement/0/Effect: unknown effect `allow`; expected `Allow` or `Deny`; did you mean `Allow`?')
    """
    if isinstance(document_or_text, str):
        return _whole(_read_text(document_or_text, source, kind))
    quick = _quick(document_or_text, source, kind)
    if quick is not None:
        return quick
    return _whole(draft_document(document_or_text, source, kind))


def _quick(document: object, source: str | None, kind: PolicyKind | None) -> Reading | None:
    """The reading of a document about which there is nothing to say, else None."""
    if type(document) is not dict:
        return None
    version: str | None = None
    name: str | None = None
    written: object = None
    for element, value in document.items():
        if element == "Statement":
            written = value
        elif element == "Version":
            if value not in kinds.VERSIONS:
                return None
            version = value
        elif element == "Id" and type(value) is str:
            name = value
        else:
            return None
    items = written if type(written) is list else [written]
    statements: list[Statement] = []
    for index, each in enumerate(items):
        statement = decoded.statement(each, index, kind)
        if statement is None:
            return None
        statements.append(statement)
    return Reading(Policy(tuple(statements), version, name, source))


class Draft(NamedTuple):
    """What could be read of a document, usable or not: `root` is its tree, None when there is none.

    `kind` is what it was read as, None when that was not asked or there was nothing to read.
    """

    root: Node | None
    policy: Policy | None
    problems: tuple[Problem, ...]
    lines: Lines | None = None
    kind: PolicyKind | None = None


Kind = PolicyKind | Callable[[Node], PolicyKind] | None
"""A kind of policy, or a function that tells it from the document."""


def draft(text: str, source: str | None = None, kind: Kind = None) -> Draft:
    """Everything that can be said of the text, faults of JSON and of grammar together; raises nothing."""
    return _read_text(text, source, kind)


def draft_document(document: object, source: str | None = None, kind: Kind = None) -> Draft:
    """Everything that can be said of decoded JSON; raises nothing."""
    return draft_node(json_positions.of_document(document), source=source, kind=kind)


def draft_node(
    root: Node, *, lines: Lines | None = None, source: str | None = None, kind: Kind = None
) -> Draft:
    """Everything that can be said of a tree, whose places are in the text of `lines`; raises nothing."""
    return _read_node(root, kind, Problems(lines, source), source)._replace(lines=lines)


def _read_text(text: str, source: str | None, kind: Kind) -> Draft:
    if len(text) > LONGEST:
        message = f"a text of {len(text):,} characters; expected at most {LONGEST:,}"
        return Draft(None, None, (Problem(JSON_SYNTAX_ERROR, message, source=source),))
    plain = url_decoded(text)
    reading = json_positions.read(plain)
    problems = Problems(reading.lines, source)
    for fault in reading.faults:
        path = _within_document(fault.path, reading.root)
        problems.add_span(JSON_SYNTAX_ERROR, fault.message, path, fault.start, fault.end)
    if reading.root is None:
        return Draft(None, None, problems.listed, reading.lines)
    inner = envelope.inner(reading.root)
    if inner is not None and not reading.faults:
        if inner.kind == "string":
            # Lines and columns are then those of the text within.
            return _read_text(inner.text, source, kind)
        return _read_node(inner, kind, problems, source)._replace(lines=reading.lines)
    found = _read_node(_wrapped(reading.root, problems), kind, problems, source)
    return found._replace(lines=reading.lines)


def url_decoded(text: str) -> str:
    """The text without URL encoding, in which IAM returns policy documents; as it is when it has none.

    >>> url_decoded("%7B%22Version%22%3A%222012-10-17%22%7D")
    '{"Version":"2012-10-17"}'
    """
    start = text.lstrip("\ufeff \t\r\n")[:3].lower()
    # Bytes that are no UTF-8 become halves of surrogate pairs, which the reader of JSON tells.
    return unquote(text, errors="surrogateescape") if start in {"%7b", "%5b"} else text


def _wrapped(root: Node, problems: Problems) -> Node:
    """The document, with a wrapper around a statement or a list of statements that was pasted without one."""
    if not _is_bare(root):
        return root
    what = "a list of statements" if root.kind == "array" else "a statement"
    message = f'{what} without a document around it, `{{"Version": "2012-10-17", "Statement": [...]}}`'
    problems.add(NO_WRAPPER, message, (), root, finding_type=FindingType.WARNING)
    return Node("object", [(Node("string", "Statement", root.start, root.start), root)], root.start, root.end)


def _is_bare(root: Node) -> bool:
    if root.kind == "array":
        return any(map(_is_bare, root.items))
    names = {key.text.lower() for key, _ in root.members}
    elements = {name.lower() for name in grammar.STATEMENT_ELEMENTS}
    return bool(names & elements) and not names & {"statement", "version"}


def _within_document(path: json_positions.Path, root: Node | None) -> json_positions.Path:
    """The path of a fault, as it is once a wrapper stands around what was pasted."""
    if root is None or not path or not _is_bare(root):
        return path
    return ("Statement", *path) if root.kind == "array" else ("Statement", 0, *path)


def _read_node(root: Node, wanted: Kind, problems: Problems, source: str | None) -> Draft:
    kind = wanted(root) if callable(wanted) else wanted
    head = grammar.head(root, problems)
    if head is None:
        return Draft(root, None, problems.listed, kind=kind)
    found = [grammar.statement(node, index, kind, problems) for index, node in enumerate(head.statements)]
    kept = tuple(statement for statement in found if statement is not None)
    return Draft(root, Policy(kept, head.version, head.id, source), problems.listed, kind=kind)


def _whole(found: Draft) -> Reading:
    """The reading of a draft that is a document at all."""
    if found.policy is None or any(map(_is_about_the_text, found.problems)):
        raise _error(found)
    policy = found.policy
    if found.root is not None:
        # What was meant by a misspelled element is told, not taken: AWS compares their names with case.
        if found.root.get("Statement") is None:
            raise _error(found)
        if policy.version is not None and found.root.get("Version") is None:
            policy = policy._replace(version=None)
    return Reading(policy, found.problems, _offered(found))


def _is_about_the_text(problem: Problem) -> bool:
    """Whether the problem leaves open what the document says at all."""
    is_ambiguous = problem.code == DUPLICATE_KEYS and problem.statement is None
    return problem.code == JSON_SYNTAX_ERROR or is_ambiguous


def _offered(found: Draft) -> str | None:
    return repair.corrected(found.root, found.problems) if found.root and found.lines else None


def _strict(found: Draft | Reading) -> Policy:
    if found.policy is None or any(problem.is_error for problem in found.problems):
        raise _error(found if isinstance(found, Draft) else Draft(None, None, found.problems))
    return found.policy


def _error(found: Draft) -> PolicyError:
    errors = (each for each in found.problems if each.is_error)
    first, *more = sorted(errors, key=lambda each: each.code != JSON_SYNTAX_ERROR)
    rest = f" (and {len(more)} more)" if more else ""
    return PolicyError(f"{first}{rest}", found.problems, _offered(found))
