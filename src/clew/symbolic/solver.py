"""cvc5 beyond the budget: the same formula over strings and regular expressions, where the extra `solver` is installed.

It is asked only when the search has used up its budget, for at most some seconds, and about texts that are compared as
texts; the request of its model is decided by the engine like any other. It is the oracle of the tests, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from clew.engine.conditions import Quantifier
from clew.engine.request import Context, Request
from clew.symbolic import callers
from clew.symbolic.budget import UndecidedError
from clew.symbolic.keys import ANY_KEY, KeyTest
from clew.symbolic.search import AllOf, AnyOf, Is, Not
from clew.symbolic.space import ACTION, CALLER, RESOURCE, key_dimension, key_of
from clew.symbolic.texts import KnownActions, Texts, globs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.engine.request import ContextValue
    from clew.symbolic.automata import Step
    from clew.symbolic.search import Formula
    from clew.symbolic.space import Space

LIMIT_MS: Final = 5_000


def is_installed() -> bool:
    """Whether cvc5 can be imported."""
    from importlib.util import find_spec

    return find_spec("cvc5") is not None


def solve(space: Space, formula: Formula) -> Request | None:
    """A request in the formula; None when there is none.

    Errors: `UndecidedError` where cvc5 does not know either, or the formula is about more than texts.
    """
    return _Asking(space).answer(formula)


def smtlib(space: Space, formula: Formula) -> str:
    """The same question as SMT-LIB text, for other solvers: satisfiable where there is a request.

    Errors: `UndecidedError` where the formula is about more than texts.
    """
    return _Asking(space).text(formula)


class _Asking:
    """One question to cvc5: a string for each dimension, and for each key whether it is there."""

    def __init__(self, space: Space) -> None:
        import cvc5

        self.space = space
        self.kind = cvc5.Kind
        self.terms: Any = cvc5.TermManager()
        self.solver: Any = cvc5.Solver(self.terms)
        self.solver.setLogic("ALL")
        for option, value in (
            ("produce-models", "true"),
            ("strings-exp", "true"),
            ("tlimit-per", str(LIMIT_MS)),
        ):
            self.solver.setOption(option, value)
        self._texts: dict[str, Any] = {}
        self._present: dict[str, Any] = {}

    def text(self, formula: Formula) -> str:
        """As `smtlib`."""
        self._assert(formula)
        names = [*self._texts.values(), *self._present.values()]
        lines = [f"(declare-const {name} {name.getSort()})" for name in names]
        lines += [f"(assert {each})" for each in self.solver.getAssertions()]
        return "\n".join([*lines, "(check-sat)"])

    def _assert(self, formula: Formula) -> None:
        for where in (ACTION, RESOURCE, CALLER):
            self._text(where)
        self.solver.assertFormula(self._formula(formula))

    def answer(self, formula: Formula) -> Request | None:
        """As `solve`."""
        self._assert(formula)
        found = self.solver.checkSat()
        if found.isUnsat():
            return None
        if not found.isSat():
            raise UndecidedError("cvc5 does not know either")
        return self._request()

    def _formula(self, formula: Formula) -> Any:
        match formula:
            case bool():
                return self.terms.mkBoolean(formula)
            case Is(literals):
                return self._join(self.kind.AND, [self._literal(each) for each in literals], empty=True)
            case Not(literals):
                return self._literal_is_false(literals)
            case AllOf(parts):
                return self._join(self.kind.AND, [self._formula(part) for part in parts], empty=True)
            case AnyOf(parts):
                return self._join(self.kind.OR, [self._formula(part) for part in parts], empty=False)

    def _literal_is_false(self, literals: Sequence[int]) -> Any:
        return self._join(self.kind.OR, [self._literal(-each) for each in literals], empty=False)

    def _join(self, kind: Any, parts: Sequence[Any], *, empty: bool) -> Any:
        if not parts:
            return self.terms.mkBoolean(empty)
        return parts[0] if len(parts) == 1 else self.terms.mkTerm(kind, *parts)

    def _literal(self, literal: int) -> Any:
        what, where = self.space.what(literal), self.space.dimension(literal)
        if self.space.is_open(literal):
            raise UndecidedError("policy variables are not asked of cvc5")
        made = self._inside(where, what) if isinstance(what, Texts) else self._key(where, what)
        return made if literal > 0 else self.terms.mkTerm(self.kind.NOT, made)

    def _key(self, where: str, test: KeyTest) -> Any:
        key = key_of(where) or ""
        kind = self.space.kinds.get(key, ANY_KEY)
        if kind.multivalued or test.quantifier is not Quantifier.PLAIN or test.values.texts is None:
            raise UndecidedError("keys of several values, numbers, dates and addresses are not asked of cvc5")
        text, mk = self._text(where), self.terms.mkTerm
        present = self._present[where]
        if test.presence is not None:
            empty = mk(self.kind.EQUAL, text, self.terms.mkString(""))
            has_value = mk(self.kind.AND, present, mk(self.kind.NOT, empty))
            if_absent, if_present = (self.terms.mkBoolean(each) for each in test.presence)
            return mk(self.kind.ITE, has_value, if_present, if_absent)
        inside = self._inside(where, test.values.texts)
        holds = mk(self.kind.NOT, inside) if test.negated else inside
        return mk(self.kind.ITE, present, holds, self.terms.mkBoolean(test.absent))

    def _text(self, where: str) -> Any:
        """The string of the dimension, held to what it can be when it is first named."""
        if where not in self._texts:
            text = self._texts[where] = self.terms.mkConst(self.terms.getStringSort(), where)
            key = key_of(where)
            if key is None:
                self.solver.assertFormula(self._inside(where, self._domain(where)))
                return text
            present = self._present[where] = self.terms.mkConst(self.terms.getBooleanSort(), f"has {where}")
            kind = self.space.kinds.get(key, ANY_KEY)
            if not kind.can_be_absent:
                self.solver.assertFormula(present)
            if kind.domain is not None:
                if kind.domain.texts is None:
                    raise UndecidedError("numbers, dates and addresses are not asked of cvc5")
                inside = self._inside(where, kind.domain.texts)
                self.solver.assertFormula(self.terms.mkTerm(self.kind.IMPLIES, present, inside))
        return self._texts[where]

    def _domain(self, where: str) -> Texts:
        if where == ACTION:
            return Texts([self.space.action_names])
        return globs(("?*",)) if where == RESOURCE else self.space.caller.domain

    def _inside(self, where: str, found: Texts) -> Any:
        if isinstance(found, KnownActions):
            raise UndecidedError("sets of known actions are not asked of cvc5")
        parts = [
            self.terms.mkTerm(self.kind.STRING_IN_REGEXP, self._text(where), self._regexp(atom.steps))
            for atom in found.atoms
        ]
        return self._join(self.kind.OR, parts, empty=False)

    def _regexp(self, steps: Sequence[Step] | None) -> Any:
        if steps is None:
            raise UndecidedError("a value is compared in a way that cvc5 is not asked about")
        parts = list(self._parts(steps)) or [self._word("")]
        return parts[0] if len(parts) == 1 else self.terms.mkTerm(self.kind.REGEXP_CONCAT, *parts)

    def _parts(self, steps: Sequence[Step]) -> Iterator[Any]:
        word = ""
        for step in steps:
            if not step.many and step.only is not None and len(step.only) == 1:
                word += step.only
                continue
            if word:
                yield self._word(word)
                word = ""
            one = self._one(step)
            yield self.terms.mkTerm(self.kind.REGEXP_STAR, one) if step.many else one
        if word:
            yield self._word(word)

    def _one(self, step: Step) -> Any:
        if step.only is not None:
            return self._join(self.kind.REGEXP_UNION, [self._word(char) for char in step.only], empty=False)
        every = self.terms.mkRegexpAllchar()
        for char in step.excluded:
            every = self.terms.mkTerm(self.kind.REGEXP_DIFF, every, self._word(char))
        return every

    def _word(self, text: str) -> Any:
        escaped = "".join(f"\\u{{{ord(char):x}}}" for char in text)
        return self.terms.mkTerm(self.kind.STRING_TO_REGEXP, self.terms.mkString(escaped, True))

    def _value(self, where: str) -> str:
        return str(self.solver.getValue(self._texts[where]).getStringValue())

    def _request(self) -> Request:
        principal = self._value(CALLER)
        context: dict[str, ContextValue] = {}
        for key in self.space.kinds:
            where = key_dimension(key)
            if callers.follows_from_text(key, self.space.caller):
                context[self.space.spelled(key)] = callers.value_of(key, principal)
            elif where in self._texts and self.solver.getValue(self._present[where]).getBooleanValue():
                context[self.space.spelled(key)] = self._value(where)
        return Request(principal, self._value(ACTION), self._value(RESOURCE), context=Context(context))
