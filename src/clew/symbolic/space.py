"""The dimensions of a request: action, resource, caller and every condition key, each with its own questions.

A literal is one thing that a statement says of one dimension; it has a number, and `-number` says the contrary. What a
search has assumed of a dimension is a set of such numbers, and `ask` answers whether some value fits them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.aws import catalog
from clew.symbolic import keys, texts
from clew.symbolic.automata import Step, letters
from clew.symbolic.budget import UndecidedError
from clew.symbolic.keys import ANY_KEY, Found, KeyKind, KeyTest
from clew.symbolic.texts import Atom, Texts, glob, globs
from clew.symbolic.variables import Symbols

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clew.engine.request import ContextValue
    from clew.symbolic.budget import Budget
    from clew.symbolic.callers import CallerKind
    from clew.symbolic.regions import Region

ACTION: Final = "action"
RESOURCE: Final = "resource"
CALLER: Final = "caller"
_KEY: Final = "key "

NOTHING: Final[frozenset[int]] = frozenset()

_NAME: Final = ":*?${}'\", \t\r\n"
_LIKED: Final = (
    "s3:getobject",
    "iam:passrole",
    "ec2:runinstances",
    "sts:assumerole",
    "kms:decrypt",
    "sqs:sendmessage",
)


def key_dimension(key: str) -> str:
    """The dimension of a condition key, given in lower case."""
    return _KEY + key


def key_of(dimension: str) -> str | None:
    """The condition key of the dimension; None for action, resource and caller."""
    return dimension.removeprefix(_KEY) if dimension.startswith(_KEY) else None


def _is_action(text: str) -> bool:
    service, colon, name = text.partition(":")
    return bool(colon and service and name) and not set(_NAME) & {*service, *name}


_ONE: Final = Step(many=False, excluded=_NAME)
_MANY: Final = Step(many=True, excluded=_NAME)
_ACTIONS: Final = Atom(("action",), _is_action, [_ONE, _MANY, *letters(":"), _ONE, _MANY])
"""Whatever may be the name of an action, known or not, in lower case."""
_RESOURCES: Final = glob("?*")


class Space:
    """The dimensions for one kind of caller, with every literal of the policies in question."""

    def __init__(
        self, caller: CallerKind, kinds: dict[str, KeyKind], budget: Budget, spellings: dict[str, str]
    ) -> None:
        self.caller = caller
        self.kinds = kinds
        self.budget = budget
        self.symbols = Symbols()
        self.index = catalog.current().index
        self.region: Region | None = None
        self.ties: Mapping[str, str] = {}
        self.doubt = ""
        self.is_owned: bool | None = None
        self.boxes: dict[tuple[int, bool], tuple[int, ...] | None] = {}
        self._spellings = spellings
        self._globs: dict[tuple[str, ...], Texts] = {}
        self._numbers: dict[tuple[str, object], int] = {}
        self._literals: list[tuple[str, Texts | KeyTest]] = []
        self._found: dict[tuple[str, frozenset[int]], Found | UndecidedError | None] = {}

    def literal(self, dimension: str, what: Texts | KeyTest) -> int:
        """The number of the literal; literals that say the same in the same words share one."""
        key = (dimension, what.key)
        number = self._numbers.get(key)
        if number is None:
            self._literals.append((dimension, what))
            number = self._numbers[key] = len(self._literals)
        return number

    @property
    def action_names(self) -> Atom:
        """Whatever may be the name of an action, known or not."""
        return _ACTIONS

    def globs(self, patterns: Sequence[str]) -> Texts:
        """The texts that one of the patterns matches; the same set for the same patterns."""
        key = tuple(patterns)
        found = self._globs.get(key)
        if found is None:
            found = self._globs[key] = globs(key)
        return found

    def spelled(self, key: str) -> str:
        """The key, given in lower case, as a policy spells it."""
        return self._spellings.get(key, key)

    def dimension(self, literal: int) -> str:
        """The dimension that the literal, or its contrary, is about."""
        return self._literals[abs(literal) - 1][0]

    def what(self, literal: int) -> Texts | KeyTest:
        """What the literal says, its sign aside."""
        return self._literals[abs(literal) - 1][1]

    def is_open(self, literal: int) -> bool:
        """Whether the literal depends on policy variables."""
        what = self.what(literal)
        return what.is_open if isinstance(what, Texts) else what.values.is_open

    def holds(self, literal: int, value: ContextValue | None) -> bool | None:
        """Whether the literal holds for the value of its dimension; None where variables take part."""
        what = self.what(literal)
        if isinstance(what, Texts):
            answer: bool | None = what.match(str(value)) or (None if what.is_open else False)
        else:
            answer = what.holds(value)
        return answer if answer is None else answer is (literal > 0)

    def ask(self, dimension: str, assumed: frozenset[int]) -> Found | None:
        """A value of the dimension that fits all that is assumed; None when there is none.

        Errors: `UndecidedError`, `OpenError`.
        """
        key = (dimension, assumed)
        if key in self._found:
            found = self._found[key]
        else:
            try:
                found = self._solve(dimension, sorted(assumed, key=abs))
            except UndecidedError as error:
                found = error
            self._found[key] = found
        if isinstance(found, UndecidedError):
            raise found
        return found

    def _solve(self, dimension: str, assumed: Sequence[int]) -> Found | None:
        key = key_of(dimension)
        if key is not None:
            tests = [(what, each > 0) for each in assumed if isinstance(what := self.what(each), KeyTest)]
            return keys.solve(tests, self.kinds.get(key, ANY_KEY), self.budget)
        sets = [(what, each > 0) for each in assumed if isinstance(what := self.what(each), Texts)]
        positives = [each for each, wanted in sets if wanted]
        negatives = [each for each, wanted in sets if not wanted]
        if dimension == ACTION:
            return self._action(positives, negatives)
        if dimension == RESOURCE:
            is_named = any(not each.match("") for each in positives)
            text = texts.solve(positives, negatives, self.budget, None if is_named else _RESOURCES)
        else:
            text = texts.solve([*positives, self.caller.domain], negatives, self.budget)
        return None if text is None else Found(text)

    def _action(self, positives: Sequence[Texts], negatives: Sequence[Texts]) -> Found | None:
        """An action of the catalogue, else the name of one that may come to be."""
        mask = self._mask_of(positives, negatives)
        if mask:
            return Found(self._liked(mask))
        unknown = [each.without_known_actions(self.index) for each in positives]
        if not all(each.atoms for each in unknown):
            return None
        text = texts.solve(unknown, negatives, self.budget, _ACTIONS)
        return None if text is None else Found(text)

    def _mask_of(self, positives: Sequence[Texts], negatives: Sequence[Texts]) -> int:
        """The actions of the catalogue that fit, as bits."""
        mask = self.index.everything if not positives else -1
        for each in positives:
            mask &= each.known_actions(self.index)
        for each in negatives:
            if mask:
                mask &= ~each.known_actions(self.index)
        return mask

    def _liked(self, mask: int) -> str:
        """One action of the set, in lower case, a well-known one where there is one."""
        for name in _LIKED:
            if mask & self.index.mask(name):
                return name
        return self.index.lowered[(mask & -mask).bit_length() - 1]

    def known_actions(self, assumed: frozenset[int]) -> int:
        """The actions of the catalogue that fit what is assumed, as bits."""
        sets = [(what, each > 0) for each in assumed if isinstance(what := self.what(each), Texts)]
        return self._mask_of([each for each, yes in sets if yes], [each for each, yes in sets if not yes])
