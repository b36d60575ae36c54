"""Which texts a leaf accepts, as an automaton; and all ways in which several of them can be true of one text.

The automata run side by side over one representative of each class of characters that they tell apart, so that every
combination of answers that some text gives is found, each with a shortest such text.
"""

from __future__ import annotations

import re
import string
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.events.predicate_values import accepted, fold, texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from clew.events.predicate_tree import Leaf

MOST_STATES: Final = 20_000
"""How many states are looked at before the answer is left open."""

_ALPHABET: Final = (*(chr(code) for code in range(32, 127)), "é")
_TOKEN: Final = re.compile(
    r"(?:\\(?P<escaped>.)|(?P<set>\[\^?\]?[^\]]*\])|(?P<any>\.)|(?P<other>[^\\]))"
    r"(?P<repeat>[*+?]|\{(?P<least>\d+)(?P<comma>,)?(?P<most>\d*)\})?",
    re.DOTALL,
)
_CLASSES: Final = {"d": string.digits, "w": string.ascii_letters + string.digits + "_", "s": " \t\n\r\f\v"}
_MOST_REPEATS: Final = 64


@dataclass(frozen=True, slots=True)
class Step:
    """One character out of `chars` (any but those when `negated`); `many` any number of it, `optional` also none."""

    chars: frozenset[str]
    negated: bool = False
    many: bool = False
    optional: bool = False

    def takes(self, char: str) -> bool:
        """Whether the step goes over the character."""
        return (char in self.chars) is not self.negated


ANY: Final = Step(frozenset(), negated=True, many=True)
Sequence_ = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Language:
    """Texts that one of the sequences of steps spells; `folded` when A–Z are read as a–z first."""

    alternatives: tuple[Sequence_, ...]
    folded: bool = False


def of_leaf(leaf: Leaf) -> Language | None:
    """The texts for which the leaf is true; None where that is no such set of texts (`cidr`, groups in expressions)."""
    made: list[Sequence_] = []
    match leaf.op:
        case "equals":
            made = [_literal(text) for text in accepted(leaf).strings]
        case "contains":
            made = [(ANY, *_literal(text), ANY) for text in texts(leaf)]
        case "startswith":
            made = [(*_literal(text), ANY) for text in texts(leaf)]
        case "endswith":
            made = [(ANY, *_literal(text)) for text in texts(leaf)]
        case "glob":
            made = [_glob(text) for text in texts(leaf)]
        case "regex":
            return _regexes(leaf)
        case _:
            return None
    return Language(tuple(made), not leaf.case_sensitive)


def _literal(text: str) -> Sequence_:
    return tuple(Step(frozenset({char})) for char in text)


def _glob(text: str) -> Sequence_:
    steps: list[Step] = []
    for escaped, char in re.findall(r"\\(.)|(.)", text, re.DOTALL):
        if char == "*":
            steps.append(ANY)
        elif char == "?":
            steps.append(Step(frozenset(), negated=True))
        else:
            steps.append(Step(frozenset({escaped or char})))
    return tuple(steps)


def _regexes(leaf: Leaf) -> Language | None:
    """Expressions without groups: alternatives of sequences, found anywhere in the text unless they are anchored."""
    made: list[Sequence_] = []
    for text in leaf.values:
        if not isinstance(text, str) or re.search(r"(?<!\\)[()]", text):
            return None
        for part in re.split(r"(?<!\\)\|", text):
            steps = _expression(part)
            if steps is None:
                return None
            made.append(steps)
    return Language(tuple(made), not leaf.case_sensitive)


def _expression(text: str) -> Sequence_ | None:
    from_start = text.startswith("^")
    to_end = text.endswith("$") and not text.endswith("\\$")
    inside = text[1 if from_start else 0 : len(text) - 1 if to_end else len(text)]
    steps: list[Step] = [] if from_start else [ANY]
    at = 0
    while at < len(inside):
        token = _TOKEN.match(inside, at)
        found = _repeated(token) if token else None
        if token is None or found is None:
            return None
        steps += found
        at = token.end()
    return (*steps, *(() if to_end else (ANY,)))


def _repeated(token: re.Match[str]) -> list[Step] | None:
    one = _single(token)
    if one is None:
        return None
    many, optional = (Step(one.chars, one.negated, **{kind: True}) for kind in ("many", "optional"))
    match token["repeat"]:
        case None:
            return [one]
        case "*":
            return [many]
        case "+":
            return [one, many]
        case "?":
            return [optional]
    least = int(token["least"])
    most = int(token["most"]) if token["most"] else None if token["comma"] else least
    if max(least, most or 0) > _MOST_REPEATS:
        return None
    return [one] * least + ([many] if most is None else [optional] * (most - least))


def _single(token: re.Match[str]) -> Step | None:
    if token["any"]:
        return Step(frozenset(), negated=True)
    if token["set"]:
        return _set(token["set"])
    char = token["escaped"]
    if char is None:
        return None if token["other"] in "^$*+?{}" else Step(frozenset({token["other"]}))
    if char.lower() in _CLASSES:
        return Step(frozenset(_CLASSES[char.lower()]), negated=char.isupper())
    return None if char.isalnum() else Step(frozenset({char}))


def _set(text: str) -> Step | None:
    negated = text.startswith("[^")
    inside = text[2:-1] if negated else text[1:-1]
    if "\\" in inside:
        return None
    chars: set[str] = set()
    for low, high, single in re.findall(r"(.)-(.)|(.)", inside, re.DOTALL):
        chars |= {single} if single else {chr(code) for code in range(ord(low), ord(high) + 1)}
    return Step(frozenset(chars), negated)


def combinations(languages: Sequence[Language]) -> Mapping[tuple[bool, ...], str] | None:
    """For every combination of answers that some text gives, a shortest text that gives it; None past the bound."""
    alphabet = tuple(_representatives(languages))
    first = tuple(_closed(language, _starts(language)) for language in languages)
    seen, waiting = {first}, deque([(first, "")])
    found: dict[tuple[bool, ...], str] = {}
    while waiting:
        state, text = waiting.popleft()
        found.setdefault(tuple(map(_accepts, languages, state)), text)
        for char in alphabet:
            after = tuple(
                _moved(language, each, char) for language, each in zip(languages, state, strict=True)
            )
            if after not in seen:
                if len(seen) >= MOST_STATES:
                    return None
                seen.add(after)
                waiting.append((after, text + char))
    return found


_State = frozenset[tuple[int, int]]


def _starts(language: Language) -> Iterable[tuple[int, int]]:
    return ((number, 0) for number in range(len(language.alternatives)))


def _closed(language: Language, places: Iterable[tuple[int, int]]) -> _State:
    """The places, and those behind steps that may be left out."""
    found: set[tuple[int, int]] = set()
    for number, place in places:
        steps = language.alternatives[number]
        at = place
        found.add((number, at))
        while at < len(steps) and (steps[at].many or steps[at].optional):
            at += 1
            found.add((number, at))
    return frozenset(found)


def _moved(language: Language, state: _State, char: str) -> _State:
    read = fold(char) if language.folded else char
    places = []
    for number, place in state:
        steps = language.alternatives[number]
        if place < len(steps) and steps[place].takes(read):
            places.append((number, place if steps[place].many else place + 1))
    return _closed(language, places)


def _accepts(language: Language, state: _State) -> bool:
    return any(place == len(language.alternatives[number]) for number, place in state)


def _representatives(languages: Sequence[Language]) -> Iterator[str]:
    """One character of each class that no step of any language tells apart."""
    steps = {
        (step.chars, step.negated, language.folded)
        for language in languages
        for alternative in language.alternatives
        for step in alternative
    }
    named = {char for chars, _, _ in steps for char in chars}
    upper = {char.upper() for chars, _, folded in steps if folded for char in chars}
    seen: set[frozenset[tuple[frozenset[str], bool]]] = set()
    for char in dict.fromkeys((*sorted(named | upper), *reversed(_ALPHABET))):
        kind = frozenset(
            (chars, folded) for chars, _, folded in steps if (fold(char) if folded else char) in chars
        )
        if kind not in seen:
            seen.add(kind)
            yield char
