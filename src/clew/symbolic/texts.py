"""Sets of texts: unions of patterns, and the question whether some text is in all of these and in none of those."""

from __future__ import annotations

from functools import lru_cache, partial
from itertools import combinations
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.policy import pattern
from clew.symbolic.automata import FIRST_SYMBOL, Automaton, Step, find, letters, letters_of_any_case, wild
from clew.symbolic.budget import OpenError, UndecidedError
from clew.symbolic.meeting import shared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from clew.aws.catalog_index import ActionIndex
    from clew.policy.variables import Variable
    from clew.symbolic.budget import Budget

_FIELDS: Final = 5
_FILLINGS: Final = 4
_SAMPLES: Final = (
    {0: "arn", 1: "aws", 2: "s3", 3: "us-east-1", 4: "111122223333", 5: "example"},
    {0: "arn", 1: "aws", 2: "sqs", 3: "eu-west-1", 4: "444455556666", 5: "other"},
    {0: "arn", 1: "aws", 2: "s3", 3: "", 4: "", 5: ""},
)
DIGITS: Final = "0123456789"
_ACCOUNTS: Final = ("111122223333", "444455556666", "123456789012", "777788889999")
_ANY: Final = Step(many=True)
_NAMED: Final = 2
_PLAIN: Final = ("example", "other", "", "x")


class Atom:
    """One pattern: `match` is the engine's own test, `steps` the same as an automaton's row, `exact` its only text.

    Two atoms with the same `key` match the same texts. Without `steps` a text can only be guessed and tested. An open
    atom has policy variables: `match` is never true, and in `steps` symbols stand for each variable's value.
    """

    __slots__ = ("_automaton", "_ends", "_samples", "_steps", "exact", "is_open", "key", "match")

    def __init__(
        self,
        key: object,
        match: Callable[[str], bool],
        steps: Sequence[Step] | Callable[[], Sequence[Step]] | None,
        exact: str | None = None,
        *,
        is_open: bool = False,
    ) -> None:
        """`steps` may come as a function: most atoms are never looked at as automata."""
        self.key = key
        self.match = match
        self.exact = exact
        self.is_open = is_open
        self._steps = steps
        self._automaton: Automaton | None = None
        self._ends: tuple[str, str] | None = None
        self._samples: tuple[str, ...] | None = None

    @property
    def steps(self) -> tuple[Step, ...] | None:
        """The pattern as an automaton's row; None where it has none."""
        if self._steps is None:
            return None
        if not isinstance(self._steps, tuple):
            self._steps = tuple(self._steps() if callable(self._steps) else self._steps)
        return self._steps

    @property
    def named(self) -> tuple[Variable, ...]:
        """The policy variables of an open atom."""
        return ()

    def emptied(self, empty: frozenset[Variable]) -> Atom | None:
        """The pattern where these variables have an empty value; None where symbols would not do."""
        del empty
        return self

    @property
    def relaxed(self) -> Atom | None:
        """A closed atom that matches at least what this one may match; None where there is none to be had."""
        return self

    @property
    def automaton(self) -> Automaton:
        """The automaton; `UndecidedError` when the pattern has none."""
        if self._automaton is None:
            if self.steps is None:
                raise UndecidedError("a value is compared in a way that has no automaton")
            self._automaton = Automaton(self.steps)
        return self._automaton

    @property
    def ends(self) -> tuple[str, str]:
        """The literal texts with which everything begins and ends that matches."""
        if self._ends is None:
            if self.exact is not None:
                self._ends = (self.exact, self.exact)
            else:
                steps = self.steps or ()
                self._ends = (_literal(steps), _literal(steps[::-1])[::-1])
        return self._ends

    def samples(self) -> tuple[str, ...]:
        """A few texts that match, the most lifelike first."""
        if self._samples is None:
            if self.exact is not None:
                self._samples = (self.exact,)
            else:
                steps = self.steps or ()
                is_arn = self.ends[0].startswith("arn:")
                filled = (_filled(steps, number, is_arn=is_arn) for number in range(_FILLINGS))
                self._samples = tuple(dict.fromkeys(filled))
        return self._samples


def _literal(steps: Sequence[Step]) -> str:
    found = []
    for step in steps:
        if step.many or step.only is None or len(step.only) != 1 or step.only >= FIRST_SYMBOL:
            break
        found.append(step.only)
    return "".join(found)


def _filled(steps: Sequence[Step], number: int, *, is_arn: bool) -> str:
    """A text for the steps; the numbers lead to different texts."""
    text = ""
    digits = 0
    for place, step in enumerate(steps):
        if step.only == DIGITS:
            text += _ACCOUNTS[number][digits % len(_ACCOUNTS[number])]
            digits += 1
        elif step.only is not None:
            text += step.only[number % len(step.only)]
        elif not step.many and steps[place + 1 : place + 2] == (_ANY,) and number < _NAMED:
            continue
        elif not step.many:
            text += "1" if is_arn and text.count(":") < _FIELDS else "x"
        elif is_arn and number < len(_SAMPLES):
            text += _SAMPLES[number][min(text.count(":"), _FIELDS)]
        else:
            text += _PLAIN[number]
    return text


@lru_cache(maxsize=1024)
def glob(text: str) -> Atom:
    """The texts that a pattern with `*` and `?` matches.

    Both sides of a question name the same patterns, and batches name them again and again: see benchmarks/symbolic.py,
    where policies of one service take three quarters of the time.
    """
    if "*" in text or "?" in text:
        return Atom(("glob", text), pattern.any_of([text]), partial(wild, text))
    return equal(text)


def equal(text: str) -> Atom:
    """One text alone."""
    return Atom(("equal", text), text.__eq__, partial(letters, text), text)


def ignoring_case(text: str) -> Atom:
    """The texts that equal this one when letters are compared without case."""
    folded = text.lower()
    if folded.upper() == folded and folded.isascii():
        return equal(folded)
    # Outside of ASCII the small letter may depend on the neighbours: such a text is only guessed and tested.
    steps = letters_of_any_case(folded) if folded.isascii() else None
    return Atom(("folded", folded), lambda other: other.lower() == folded, steps)


EVERYTHING: Final = glob("*")
"""Every text."""


class Texts:
    """The union of some atoms, as one question about a text."""

    __slots__ = ("_mask", "_unknown", "atoms", "is_open", "key", "match")

    def __init__(self, atoms: Iterable[Atom], match: Callable[[str], bool] | None = None) -> None:
        """`match` is the engine's test of the whole union where there is one."""
        self.atoms = tuple({atom.key: atom for atom in atoms}.values())
        self.key: frozenset[object] = frozenset(atom.key for atom in self.atoms)
        self.match = match or self._any
        self.is_open = any(atom.is_open for atom in self.atoms)
        self._mask: int | None = None
        self._unknown: Texts | None = None

    def known_actions(self, index: ActionIndex) -> int:
        """The actions of the catalogue that are in the set, as bits."""
        if self._mask is None:
            self._mask = 0
            for atom in self.atoms:
                if isinstance(atom.key, tuple) and atom.key[0] in {"glob", "equal"}:
                    self._mask |= index.mask(str(atom.key[1]))
        return self._mask

    def without_known_actions(self, index: ActionIndex) -> Texts:
        """The set without single actions that the catalogue knows: what the bits say of them is all there is."""
        if self._unknown is None:
            kept = [atom for atom in self.atoms if atom.exact is None or index.bit(atom.exact) is None]
            self._unknown = self if len(kept) == len(self.atoms) else Texts(kept)
        return self._unknown

    def _any(self, text: str) -> bool:
        return any(atom.match(text) for atom in self.atoms)


class KnownActions(Texts):
    """A set of actions of the catalogue, given as bits: it has no patterns, and no unknown action is in it."""

    __slots__ = ()

    def __init__(self, index: ActionIndex, mask: int) -> None:
        def match(text: str) -> bool:
            place = index.bit(text)
            return place is not None and bool(mask >> place & 1)

        super().__init__((), match)
        self.key = frozenset({("known", mask)})
        self._mask = mask


def globs(patterns: Sequence[str]) -> Texts:
    """The texts that one of the patterns matches."""
    return Texts(map(glob, patterns), pattern.any_of(patterns))


class Question(NamedTuple):
    """What is left to ask of a text that some atoms match: further sets, sets to stay out of, and the budget.

    `domain` is one more atom that the text must match, looked at last because it hardly ever matters. `is_open` says
    whether policy variables take part, on either side.
    """

    negatives: Sequence[Texts]
    budget: Budget
    domain: Atom | None = None
    is_open: bool = False

    def fits(self, text: str, chosen: Sequence[Atom], others: Sequence[Texts]) -> bool:
        """Whether the text is in every set and in none to stay out of."""
        for each in others:
            if not each.match(text):
                return False
        for atom in chosen:
            if not atom.match(text):
                return False
        for each in self.negatives:
            if each.match(text):
                return False
        return self.domain is None or self.domain.match(text)


def solve(
    positives: Sequence[Texts], negatives: Sequence[Texts], budget: Budget, domain: Atom | None = None
) -> str | None:
    """A text that is in all of the first and in none of the others; None when there is none.

    Errors: `UndecidedError` when that is beyond the budget, or a pattern has no automaton; `OpenError` when it depends
    on policy variables. With variables, None holds for all their values.
    """
    question = Question(negatives, budget, domain, any(each.is_open for each in (*positives, *negatives)))
    if not positives:
        return _within((EVERYTHING,), (), question)
    base, *others = sorted(positives, key=_size)
    return _first(((atom,) for atom in base.atoms), others, question)


def _size(found: Texts) -> tuple[bool, int]:
    """Sets with policy variables come last: what is closed may leave nothing for them to decide."""
    return found.is_open, len(found.atoms)


def _first(choices: Iterable[tuple[Atom, ...]], others: Sequence[Texts], question: Question) -> str | None:
    """The first text that any of the choices gives; what is undecided counts only when no choice gives one.

    Where variables take part no text is given at all: there the first choice that is undecided leaves all undecided.
    """
    open_question: UndecidedError | None = None
    for chosen in choices:
        try:
            text = _within(chosen, others, question)
        except UndecidedError as error:
            if question.is_open:
                raise
            open_question = error
        else:
            if text is not None:
                return text
    if open_question is not None:
        raise open_question
    return None


def _within(chosen: tuple[Atom, ...], others: Sequence[Texts], question: Question) -> str | None:
    """As `solve`, for texts that every chosen atom matches too."""
    negatives = question.negatives
    if any(atom.is_open for atom in chosen):
        _within_open(chosen, others, question)
        return None
    text = _sampled(chosen, others, question)
    if text is None and any(atom.exact is not None for atom in chosen) and not any(e.is_open for e in others):
        return None
    pair = _patterns(chosen) if text is None else None
    if pair is not None:
        text = shared(*pair, question.budget)
        if text is None:
            return None
        text = text if question.fits(text, chosen, others) else None
    if text is None and others:
        return _first(_with_one_more(chosen, others[0]), others[1:], question)
    if text is None:
        kept = _overlapping(chosen, negatives, is_open=False)
        whole = chosen if question.domain is None else (*chosen, question.domain)
        text = None if kept is None else find(*_automata(whole, kept), question.budget)
    if text is not None and any(each.is_open for each in negatives):
        raise OpenError(_VARIABLE)
    return text


def _patterns(chosen: Sequence[Atom]) -> tuple[str, str] | None:
    """The two atoms as patterns whose wildcards take any text; None where they are more, fewer or of another kind."""
    match [atom.key for atom in chosen]:
        case [("glob", str(one)), ("glob", str(other))]:
            return one, other
        case _:
            return None


def _within_open(chosen: tuple[Atom, ...], others: Sequence[Texts], question: Question) -> None:
    """Return where no text is left, whatever the variables stand for; else raise `OpenError`."""
    try:
        _prove_empty(chosen, question.negatives, question.budget)
    except OpenError:
        if not others:
            raise
        _first(_with_one_more(chosen, others[0]), others[1:], question)


def _with_one_more(chosen: tuple[Atom, ...], other: Texts) -> Iterator[tuple[Atom, ...]]:
    """The chosen atoms with each of the other set's that may share a text with them."""
    return ((*chosen, atom) for atom in other.atoms if not _apart(atom, chosen))


def _sampled(chosen: tuple[Atom, ...], others: Sequence[Texts], question: Question) -> str | None:
    """One of the atoms' own samples that is in all sets and in none of the negatives."""
    for atom in chosen:
        for sample in atom.samples():
            if question.fits(sample, chosen, others):
                return sample
    return None


def _prove_empty(chosen: Sequence[Atom], negatives: Sequence[Texts], budget: Budget) -> None:
    """Return where no text is left, whatever the variables stand for; else raise `OpenError`.

    One open atom alone is looked at, its variables as symbols which only themselves and wildcards match: if every word
    of symbols that it matches is in some negative, every text is, once values take the symbols' places. Nor is
    a text left where there is none even if every variable may stand for anything.
    """
    closed = [each for atom in chosen if (each := atom.relaxed) is not None]
    if closed:
        kept = _overlapping(closed, negatives, is_open=False)
        if kept is None or find(*_automata(closed, kept), budget) is None:
            return
    if any(_is_covered(atom, negatives, budget) for atom in chosen if atom.is_open):
        return
    raise OpenError(_VARIABLE)


def _is_covered(atom: Atom, negatives: Sequence[Texts], budget: Budget) -> bool:
    """Whether the negatives hold every text of the open atom, whichever of its variables are empty texts."""
    if any(other.key == atom.key for each in negatives for other in each.atoms):
        return True
    if len(atom.named) > _MOST_VARIABLES:
        return False
    subsets = (set(each) for n in range(len(atom.named) + 1) for each in combinations(atom.named, n))
    for empty in map(frozenset, subsets):
        special = atom.emptied(empty)
        if special is None:
            return False
        others = [other.emptied(empty) for each in negatives for other in each.atoms]
        kept = _overlapping((special,), [Texts(other for other in others if other is not None)], is_open=True)
        if kept is not None and find(*_automata((special,), kept), budget) is not None:
            return False
    return True


_MOST_VARIABLES: Final = 3
_VARIABLE: Final = "it depends on the value of a policy variable"


def _overlapping(chosen: Sequence[Atom], negatives: Sequence[Texts], *, is_open: bool) -> list[Atom] | None:
    """The negatives' atoms that may share a text with the chosen; None when one of them plainly covers all.

    `is_open`: whether open atoms are looked at too, and those without automaton left aside.
    """
    keys = {atom.key for atom in chosen}
    kept = []
    for atom in (atom for each in negatives for atom in each.atoms):
        if atom.key in keys:
            return None
        if (atom.is_open and not is_open) or (is_open and atom.steps is None) or _apart(atom, chosen):
            continue
        if atom.steps is not None and any(
            each.steps and atom.automaton.covers(each.steps) for each in chosen
        ):
            return None
        kept.append(atom)
    return kept


def _automata(chosen: Iterable[Atom], kept: Iterable[Atom]) -> tuple[list[Automaton], list[Automaton]]:
    return [atom.automaton for atom in chosen], [atom.automaton for atom in kept]


def _apart(atom: Atom, chosen: Iterable[Atom]) -> bool:
    """Whether it is plain to see that no text matches the atom and all the others."""
    begin, end = atom.ends
    for other in chosen:
        start, stop = other.ends
        if not (begin.startswith(start) or start.startswith(begin)):
            return True
        if not (end.endswith(stop) or stop.endswith(end)):
            return True
    if atom.exact is not None and not any(other.is_open for other in chosen):
        return not all(other.match(atom.exact) for other in chosen)
    return False
