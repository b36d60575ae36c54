"""What a check looks at: a document, its statements as clauses, and the lines of their conditions."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from clew.policy.globs import covers
from clew.policy.grammar import scalar
from clew.policy.operators import WRITTEN, Operator, in_aws_spelling
from clew.policy.words import StatementWords, Word

if TYPE_CHECKING:
    from clew.aws.catalog import Catalog, ConditionKey
    from clew.policy.json_positions import Node, Path
    from clew.policy.model import PolicyKind


class Line(NamedTuple):
    """One line of a condition block: an operator that exists, a key, and its values.

    `key` is in lower case, `written` as it stands there; `values` are those known, `is_open` says whether there are
    others; `place` is the key's value as a whole, `name` the key itself.
    """

    operator: Operator
    operator_written: str
    key: str
    written: str
    values: tuple[Word, ...]
    place: Word
    is_open: bool
    name: Word

    @property
    def is_negated(self) -> bool:
        """Whether the operator holds for values other than those written."""
        return "Not" in self.operator.name

    @property
    def family(self) -> str:
        """The type of values that the operator compares: `String`, `Numeric`, `Date`, `Bool`, `Ip`, `Arn`, `Binary`."""
        name = self.operator.name.removeprefix("Not")
        return next((each for each in _FAMILIES if name.startswith(each)), "")

    @property
    def takes_wildcards(self) -> bool:
        """Whether `*` and `?` are wildcards to the operator."""
        return self.operator.name.endswith("Like") or self.family == "Arn"

    @property
    def holds_without_key(self) -> bool:
        """Whether the line is written so that it holds for a request without the key, or asks just that."""
        is_any = self.operator.if_exists or self.operator.qualifier == "ForAllValues"
        return is_any or self.operator.name == "Null"

    @property
    def is_audience(self) -> bool:
        """Whether the line compares the audience of an OpenID Connect token."""
        provider, _, claim = self.key.rpartition(":")
        return "." in provider and claim == "aud" and self.operator.name != "Null"

    @property
    def base(self) -> str:
        """The key without a tag's name: `aws:resourcetag` of `aws:resourcetag/team`."""
        return self.key.partition("/")[0]


_FAMILIES = ("String", "Numeric", "Date", "Bool", "Ip", "Arn", "Binary")


@dataclass(frozen=True)
class Clause:
    """One statement as the checks see it, well-formed or not; words that are not known are left out.

    `are_keys_open` says whether the condition block may hold keys that are not known.
    """

    words: StatementWords
    effect: str
    actions: tuple[Word, ...]
    not_actions: tuple[Word, ...]
    resources: tuple[Word, ...]
    not_resources: tuple[Word, ...]
    principals: tuple[tuple[str, Word], ...]
    lines: tuple[Line, ...]
    are_keys_open: bool

    @property
    def path(self) -> Path:
        """The path of the statement."""
        return self.words.path

    @property
    def place(self) -> Word:
        """The statement as a whole."""
        return Word("", self.path, self.words.node)

    @property
    def allows(self) -> bool:
        """Whether the effect is Allow."""
        return self.effect == "Allow"

    def element(self, name: str) -> Word | None:
        """The place of an element; None when it is not written."""
        node = self.words.elements.get(name)
        return None if node is None else Word(node.text, (*self.path, name), node)

    @cached_property
    def keys(self) -> frozenset[str]:
        """The condition keys of the statement in lower case, tags also without their names."""
        return frozenset(each for line in self.lines for each in (line.key, line.base))

    def may_list(self, action: str, element: str = "Action") -> bool:
        """Whether the element takes in the action, as far as is known."""
        words = self.actions if element == "Action" else self.not_actions
        wanted = action.lower()
        return self.words.is_open(element) or any(covers(word.text.lower(), wanted) for word in words)

    def lacks(self, keys: frozenset[str]) -> bool:
        """Whether the statement certainly has none of the condition keys."""
        return not self.are_keys_open and not self.keys & keys


@dataclass(frozen=True)
class Subject:
    """A document under examination."""

    document: Node
    kind: PolicyKind
    resource_type: str
    catalog: Catalog
    clauses: tuple[Clause, ...]
    version: str
    _keys: dict[str, ConditionKey | None] = field(default_factory=dict, compare=False)
    _keys_of: dict[str, frozenset[str]] = field(default_factory=dict, compare=False)

    def key(self, name: str) -> ConditionKey | None:
        """What the catalogue says of a condition key; asked once for each name of a document."""
        if name not in self._keys:
            self._keys[name] = self.catalog.condition_key(name)
        return self._keys[name]

    def keys_of(self, service: str) -> frozenset[str]:
        """The condition keys that the catalogue lists for actions and resources of the service, in lower case."""
        if service not in self._keys_of:
            kinds, actions = self.catalog.resource_types(service), self.catalog.actions(service)
            keys = [key for kind in kinds for key in kind.condition_keys]
            keys += [key for action in actions for key in action.condition_keys]
            keys += [key for action in actions for each in action.resources for key in each.condition_keys]
            self._keys_of[service] = frozenset(map(str.lower, keys))
        return self._keys_of[service]


def clause(words: StatementWords) -> Clause:
    """The statement of the words as a clause."""
    effect = words.elements.get("Effect")
    block = words.elements.get("Condition")
    lines, is_open = _lines(block, words.path)
    return Clause(
        words=words,
        effect=effect.text if effect is not None else "",
        actions=tuple(words.words("Action")),
        not_actions=tuple(words.words("NotAction")),
        resources=tuple(words.words("Resource")),
        not_resources=tuple(words.words("NotResource")),
        principals=tuple(words.principals("Principal")),
        lines=lines,
        are_keys_open=is_open,
    )


def _lines(block: Node | None, path: Path) -> tuple[tuple[Line, ...], bool]:
    """The lines whose operators exist, and whether there may be lines that are not known."""
    lines: list[Line] = []
    is_open = block is not None and block.is_opaque
    for operator, keys in block.members if block is not None else ():
        is_open = is_open or keys.is_opaque
        parts = WRITTEN.get(in_aws_spelling(operator.text) or "")
        if parts is not None:
            lines += [_line(parts, operator, key, values, path) for key, values in keys.members]
    return tuple(lines), is_open


def _line(parts: Operator, operator: Node, key: Node, values: Node, path: Path) -> Line:
    place = (*path, "Condition", operator.text, key.text)
    words, is_open = _values(values, place)
    value, name = Word("", place, values), Word(key.text, place, key, is_key=True)
    return Line(parts, operator.text, key.text.lower(), key.text, words, value, is_open, name)


def _values(node: Node, path: Path) -> tuple[tuple[Word, ...], bool]:
    found: list[Word] = []
    hidden = False
    for place, item in enumerate(node.items):
        text = scalar(item.value) if item.kind in {"string", "number", "boolean"} else None
        if item.is_opaque:
            hidden = True
        elif text is not None:
            found.append(Word(text, (*path, place) if node.kind == "array" else path, item))
    return tuple(found), hidden
