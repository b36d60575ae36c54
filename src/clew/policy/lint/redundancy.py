"""Checks of actions, resources and statements that add nothing to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.policy.globs import arn_covers, covers
from clew.policy.lint.registry import Told, of_clause, of_document
from clew.policy.model import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from clew.policy.json_positions import Node, Path
    from clew.policy.lint.subject import Clause, Subject
    from clew.policy.words import Word

MOST_PAIRS: Final = 20_000
"""How many pairs of one list are compared; AWS's quotas leave room for less."""


def covered(
    words: tuple[Word, ...], texts: list[str], covers: Callable[[str, str], bool]
) -> list[tuple[Word, Word]]:
    """Each word that another one covers, with that one; of equals the first is kept."""
    first: dict[str, Word] = {}
    found: list[tuple[Word, Word]] = []
    for word, text in zip(words, texts, strict=True):
        if text in first:
            found.append((word, first[text]))
        first.setdefault(text, word)
    order = {text: place for place, text in enumerate(first)}
    general = [text for text in first if "*" in text or "?" in text]
    if len(general) * len(first) > MOST_PAIRS:
        return found
    for text, word in first.items():
        cover = next((each for each in general if each != text and covers(each, text)), None)
        # Of two patterns that cover each other the one that stands first is kept.
        if cover is not None and not (order[text] < order[cover] and covers(text, cover)):
            found.append((word, first[cover]))
    return found


def _told(found: list[tuple[Word, Word]], what: str) -> Iterator[Told]:
    """One thing to tell for each word that covers others, about it and them in the order of the document."""
    groups: dict[Path, list[Word]] = {}
    for word, cover in found:
        groups.setdefault(cover.path, [cover]).append(word)
    for cover, *words in groups.values():
        more = f" (and {len(words) - 1} more)" if len(words) > 1 else ""
        first = min(words, key=_start)
        is_same = first.text.lower() == cover.text.lower()
        reason = "stands twice" if is_same else f"is covered by `{shown(cover.text)}`"
        message = f"{what} `{shown(first.text)}` {reason}{more}; remove it"
        yield Told(message, tuple(sorted((cover, *words), key=_start)))


def _start(word: Word) -> int:
    return word.node.start


@of_clause("REDUNDANT_ACTION")
def action(clause: Clause, _: Subject) -> Iterator[Told]:
    """An action that another one of the same list covers."""
    for words in (clause.actions, clause.not_actions):
        if len(words) > 1:
            yield from _told(covered(words, [word.text.lower() for word in words], covers), "action")


@of_clause("REDUNDANT_RESOURCE")
def resource(clause: Clause, _: Subject) -> Iterator[Told]:
    """A resource that another one of the same list covers."""
    for words in (clause.resources, clause.not_resources):
        if len(words) > 1:
            yield from _told(covered(words, [word.text for word in words], arn_covers), "resource")


def _canonical(node: Node) -> Hashable:
    """A value without the order of its lists and members, a single value like a list of one."""
    if node.kind == "object":
        return frozenset((key.text, _canonical(value)) for key, value in node.members)
    if node.kind == "array":
        return frozenset(_canonical(item) for item in node.items)
    return frozenset([(node.kind, str(node.value))])


def _said(clause: Clause) -> Hashable:
    """What a statement says, whatever it is called."""
    elements = clause.words.elements
    return frozenset((name, _canonical(node)) for name, node in elements.items() if name != "Sid")


@of_document("REDUNDANT_STATEMENT")
def statement(subject: Subject) -> Iterator[Told]:
    """A statement that says what an earlier one says."""
    seen: dict[Hashable, Clause] = {}
    for clause in subject.clauses:
        said = _said(clause)
        if said in seen:
            before = seen[said]
            message = f"the statement says what statement {int(before.path[1]) + 1} says; remove one of them"
            yield Told(message, (clause.place, before.place))
        else:
            seen[said] = clause
