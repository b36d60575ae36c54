"""Policy variables: patterns that stay open until the request says what their keys hold.

An open atom takes part in proofs with a symbol in each variable's place, which nothing but the same variable and `*`
match; `closed` fills in values and gives an ordinary atom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.engine.conditions.resolve import resolve
from clew.policy.variables import MULTIVALUED, Literal, Variable
from clew.symbolic.automata import FIRST_SYMBOL, REST_SYMBOL, Automaton, Step, letters
from clew.symbolic.budget import UndecidedError
from clew.symbolic.texts import Atom, Texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from clew.engine.request import Context
    from clew.policy.pattern import Run
    from clew.policy.variables import Piece

_SYMBOLS: Final = 60_000


class Symbols:
    """The characters that stand for the values of one question's variables."""

    def __init__(self) -> None:
        self._of: dict[Variable, str] = {}

    def of(self, variable: Variable) -> str:
        """The variable's two characters, for the first of its value and for the rest, the same whenever asked for."""
        number = len(self._of)
        if number >= _SYMBOLS:
            raise UndecidedError("the policies have more variables than can be told apart")
        pair = chr(ord(FIRST_SYMBOL) + number) + chr(ord(REST_SYMBOL) + number)
        return self._of.setdefault(variable, pair)


class OpenAtom(Atom):
    """A pattern with policy variables; `variables` are their keys in lower case.

    `part`: what of a text the pattern is about, where that is not all of it.
    """

    __slots__ = ("_close", "_named", "_spell", "part", "pieces", "variables")

    def __init__(
        self,
        key: object,
        pieces: Sequence[Piece],
        spell: Callable[[Iterable[Piece]], list[Step]] | None,
        close: Callable[[Context], Atom | None],
        part: Callable[[str], str] = str,
    ) -> None:
        super().__init__(key, _undecided, None if spell is None else spell(pieces), is_open=True)
        self.pieces = tuple(pieces)
        self._named = tuple(dict.fromkeys(p for p in pieces if isinstance(p, Variable)))
        self.variables = tuple(dict.fromkeys(p.key for p in self._named))
        self._spell = spell
        self._close = close
        self.part = part

    @property
    def named(self) -> tuple[Variable, ...]:
        """The policy variables."""
        return self._named

    @property
    def relaxed(self) -> Atom | None:
        """The pattern with any text in each variable's place; None where it has no automaton."""
        if self._spell is None:
            return None
        steps: list[Step] = []
        for piece in self.pieces:
            steps += [Step(many=True)] if isinstance(piece, Variable) else self._spell([piece])
        machine = Automaton(steps)
        return Atom(("relaxed", self.key), machine.matches, steps)

    def emptied(self, empty: frozenset[Variable]) -> Atom | None:
        """The pattern where these variables have an empty value; None where symbols would not do."""
        if self._spell is None:
            return None
        if empty.isdisjoint(self.named):
            return self
        kept = [piece for piece in self.pieces if piece not in empty]
        return Atom((self.key, empty), _undecided, self._spell(kept), is_open=True)

    def closed(self, context: Context) -> Atom | None:
        """The atom for the values that the context gives to the variables; None where it matches nothing."""
        return self._close(context)


def _undecided(_text: str) -> bool:
    return False


def of_pieces(
    kind: str,
    pieces: Sequence[Piece],
    resolved: Callable[[Sequence[Run]], Atom | None],
    spelled: Callable[[str], list[Step]] | None,
    symbols: Symbols,
) -> Atom | None:
    """The atom of a pattern that was cut at its variables; None where a variable can never have a value.

    `resolved` makes the atom once values are filled in; `spelled` makes steps of written text, None where symbols
    would not do.
    """
    named = [piece for piece in pieces if isinstance(piece, Variable)]
    if any(piece.key.lower() in MULTIVALUED for piece in named):
        return None
    if not named:
        return resolved(
            [
                (p, True) if isinstance(p, str) else (p.text, False)
                for p in pieces
                if not isinstance(p, Variable)
            ]
        )
    plain = tuple(Variable(p.key.lower(), p.default) if isinstance(p, Variable) else p for p in pieces)

    def close(context: Context) -> Atom | None:
        runs = resolve(plain, context)
        return resolved(runs) if isinstance(runs, list) else None

    def spell(parts: Iterable[Piece]) -> list[Step]:
        return [step for piece in parts for step in _steps(piece, spelled or letters, symbols)]

    return OpenAtom(("open", kind, plain), plain, None if spelled is None else spell, close)


def _steps(piece: Piece, spelled: Callable[[str], list[Step]], symbols: Symbols) -> list[Step]:
    if isinstance(piece, str):
        return spelled(piece)
    return letters(piece.text if isinstance(piece, Literal) else symbols.of(piece))


def keys(found: Iterable[Texts]) -> tuple[str, ...]:
    """The keys, in lower case, of every variable in the sets."""
    atoms = (atom for each in found for atom in each.atoms)
    return tuple(dict.fromkeys(key for atom in atoms if isinstance(atom, OpenAtom) for key in atom.variables))


def closed(found: Texts, context: Context) -> Texts:
    """The set once the context gives the variables their values."""
    if not found.is_open:
        return found
    atoms = (atom.closed(context) if isinstance(atom, OpenAtom) else atom for atom in found.atoms)
    return Texts(atom for atom in atoms if atom is not None)
