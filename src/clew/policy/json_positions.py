"""JSON with places: every value knows where it stands, every fault is told, and reading goes on behind each.

What is faulty is read as it was most likely meant: that reading serves to go on, and to offer a corrected document. It
is never evaluated: a text with a single fault is no policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from clew.policy.json_tokens import Lines, Token, tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.policy.model import Position

DEEPEST: Final = 64
"""How deep values may be nested; a policy needs seven levels."""

MOST_FAULTS: Final = 100
"""How many faults are told; what comes behind is still read."""

Path = tuple[str | int, ...]


class Node(NamedTuple):
    """One value of a document: `kind` is `object`, `array`, `string`, `number`, `boolean`, `null` or `missing`.

    A template also has `opaque` values, which stand for something that it does not say; JSON has none.

    `value` is the members of an object (pairs of key and value), the items of an array, else the plain value; `start`
    and `end` are offsets in the text, -1 when the document came decoded.
    """

    kind: str
    value: object
    start: int = -1
    end: int = -1

    @property
    def members(self) -> list[tuple[Node, Node]]:
        """The members of an object; none for another value."""
        return self.value if self.kind == "object" else []  # type: ignore[return-value]  # as the class says

    @property
    def items(self) -> list[Node]:
        """The items of an array; the value itself as the only one when it is no array."""
        return self.value if self.kind == "array" else [self]  # type: ignore[return-value]  # as the class says

    @property
    def text(self) -> str:
        """The text of a string; empty for another value."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def is_opaque(self) -> bool:
        """Whether a template leaves open what the value is."""
        return self.kind == "opaque"

    def get(self, name: str) -> Node | None:
        """The value of the object's last member of that name."""
        return next((value for key, value in reversed(self.members) if key.value == name), None)

    def plain(self) -> object:
        """The value as Python holds decoded JSON; of a key that stands twice the last counts."""
        if self.kind == "object":
            return {key.text: value.plain() for key, value in self.members if value.kind != "missing"}
        if self.kind == "array":
            return [item.plain() for item in self.items]
        return self.value


class Fault(NamedTuple):
    """One place where the text is no JSON."""

    message: str
    path: Path
    start: int
    end: int


class JsonReading(NamedTuple):
    """What a text was read as, and every fault of it; `root` is None when it holds no value at all."""

    root: Node | None
    faults: tuple[Fault, ...]
    lines: Lines

    def position(self, offset: int) -> Position:
        """The line and column of an offset."""
        return self.lines.position(offset)


def read(text: str) -> JsonReading:
    r"""The text read as JSON, with everything that is wrong with it as JSON; time linear in the text.

    >>> reading = read('{"Effect": "Allow" \n "Action": "s3:*",}')
    >>> [f"{reading.position(fault.start).line}: {fault.message}" for fault in reading.faults]
    ['2: expected `,` before `"Action"`', '2: nothing follows the comma; remove it']
    >>> reading.root.plain()
    {'Effect': 'Allow', 'Action': 's3:*'}
    """
    reader = _Reader(text)
    root = reader.document()
    return JsonReading(root, tuple(sorted(reader.faults, key=lambda fault: fault.start)), Lines(text))


def of_document(document: object) -> Node:
    """Decoded JSON as nodes without places; what JSON does not know, and what is nested too deeply, is `missing`."""
    return _node(document, DEEPEST)


def _node(value: object, depth: int) -> Node:
    if isinstance(value, str):
        return Node("string", value)
    if isinstance(value, bool):
        return Node("boolean", value)
    if isinstance(value, int | float):
        return Node("number", value)
    if value is None:
        return Node("null", None)
    if depth and isinstance(value, dict):
        return Node(
            "object", [(Node("string", str(key)), _node(each, depth - 1)) for key, each in value.items()]
        )
    if depth and isinstance(value, list | tuple):
        return Node("array", [_node(each, depth - 1) for each in value])
    return Node("missing", None)


class _TooDeepError(Exception):
    """Values are nested too deeply to go on."""


class _Reader:
    """A recursive descent over the tokens that notes each fault and goes on."""

    def __init__(self, text: str) -> None:
        self.faults: list[Fault] = []
        self._text = text
        self._path: list[str | int] = []
        self._open: list[str] = []
        self._tokens = tokens(text)
        self._at = -1
        self._forward()
        # An object that is not closed may have taken the comma that belongs to the list around it.
        self._has_comma = False

    # Tokens

    def _forward(self) -> None:
        """Go to the next token that means something, and tell those between."""
        self._at += 1
        while self._tokens[self._at].kind == "skipped":
            self._fault(self._tokens[self._at].fault, self._tokens[self._at])
            self._at += 1
        self._next = self._tokens[self._at]

    def _fault(self, message: str, at: Token) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(message, tuple(self._path), at.start, at.end))

    def _take(self) -> Token:
        token = self._next
        if token.kind != "end":
            self._forward()
        if token.fault:
            self._fault(token.fault, token)
        return token

    def _ahead(self, steps: int) -> str:
        """The kind of a later token that means something, `end` behind the last."""
        place = self._at
        while steps and self._tokens[place].kind != "end":
            place += 1
            steps -= self._tokens[place].kind != "skipped"
        return self._tokens[place].kind

    def _is_key(self) -> bool:
        """Whether a member of an object stands here: a text and a colon."""
        return self._next.kind == "string" and self._ahead(1) == ":"

    def _quoted(self, token: Token) -> str:
        if token.kind == "end":
            return "the end of the text"
        cut = self._text[token.start : min(token.end, token.start + 40)]
        return f"`{cut}`" if cut.isprintable() else "this"

    # Values

    def document(self) -> Node | None:
        if self._next.kind == "end":
            self._fault("there is no text", self._next)
            return None
        try:
            root = self._bare_members("document") if self._is_key() else self._value()
            return self._rest(root)
        except _TooDeepError:
            self._fault(f"nested more than {DEEPEST} levels deep; read no further", self._next)
            return None

    def _rest(self, root: Node) -> Node:
        """Take what stands behind the document: further statements, or marks too many."""
        more = [root]
        while self._next.kind != "end":
            token = self._next
            if token.kind == "{":
                self._fault(
                    "expected `[` and `]` around several objects, and a comma between each two", token
                )
                more.append(self._value())
            elif token.kind == "," and self._ahead(1) == "{":
                self._take()
            else:
                self._fault(f"unexpected {self._quoted(token)} behind the document", token)
                self._skip_to({"{", "end"})
        return root if len(more) == 1 else Node("array", more, root.start, more[-1].end)

    def _skip_to(self, kinds: set[str]) -> None:
        """Pass over what means nothing: at least one token, and without a word about each."""
        self._at += 1
        while self._tokens[self._at].kind not in kinds:
            self._at += 1
        self._next = self._tokens[self._at]

    def _value(self) -> Node:
        token = self._next
        if token.kind == "{":
            return self._nested(self._object)
        if token.kind == "[":
            return self._nested(self._array)
        if token.kind in {"string", "number", "word"}:
            self._take()
            return Node(_kind(token), token.value, token.start, token.end)
        self._fault(f"expected a value before {self._quoted(token)}", token)
        return Node("missing", None, token.start, token.start)

    def _nested(self, read_one: Callable[[], Node]) -> Node:
        if len(self._open) >= DEEPEST:
            raise _TooDeepError
        self._open.append(self._next.kind)
        try:
            return read_one()
        finally:
            self._open.pop()

    def _object(self) -> Node:
        opening = self._take()
        members: list[tuple[Node, Node]] = []
        comma: Token | None = None
        while True:
            token = self._next
            if token.kind == "}":
                self._trailing(comma)
                return Node("object", members, opening.start, self._take().end)
            if token.kind == "end" or (token.kind == "]" and "[" in self._open):
                self._trailing(comma)
                self._unclosed(opening, "}")
                return Node("object", members, opening.start, token.start)
            if token.kind == "{" and self._begins_the_next_item(members):
                self._has_comma = comma is not None
                self._unclosed(opening, "}")
                return Node("object", members, opening.start, token.start)
            comma = self._between(members, comma, is_first=not members)

    def _begins_the_next_item(self, members: list[tuple[Node, Node]]) -> bool:
        """Whether an object that stands where a member should is the next item of the list around this object."""
        return bool(members) and self._open[-2:] == ["[", "{"]

    def _between(
        self, members: list[tuple[Node, Node]], comma: Token | None, *, is_first: bool
    ) -> Token | None:
        """Take a comma, a member, or something that belongs to neither; returns the comma that stands last."""
        token = self._next
        if token.kind == ",":
            self._take()
            if comma is not None or is_first:
                self._fault("unexpected `,`", token)
            return token
        if token.kind == "{" and members:
            self._further(members)
        elif token.kind == "string" and self._continues_a_list(members, comma):
            self._further_text(members)
        elif token.kind == "string":
            if comma is None and not is_first and not self._has_comma:
                self._fault(f"expected `,` before {self._quoted(token)}", token)
            self._has_comma = False
            members.append(self._member())
        else:
            self._take()
            wanted = "a name in double quotes" if token.kind in {"number", "word"} else "a name"
            self._fault(f"expected {wanted}, found {self._quoted(token)}", token)
            return comma
        return None

    def _further(self, members: list[tuple[Node, Node]]) -> None:
        """Take an object that stands where a member should: one more value of the member before it."""
        self._fault("expected `[` and `]` around several objects, and a comma between each two", self._next)
        key, first = members.pop()
        self._path.append(key.text)
        second = self._value()
        self._path.pop()
        members.append((key, Node("array", [*first.items, second], first.start, second.end)))

    def _continues_a_list(self, members: list[tuple[Node, Node]], comma: Token | None) -> bool:
        """Whether a text that stands where a member should is one more value of the member before it."""
        before = members[-1][1].items[-1:] if members and comma is not None else []
        return [node.kind for node in before] == ["string"] and self._ahead(1) in {",", "]", "}"}

    def _further_text(self, members: list[tuple[Node, Node]]) -> None:
        """Take a text that is one more value of the member before it, and the bracket behind the last such."""
        key, first = members.pop()
        if first.kind != "array":
            self._fault("expected `[` and `]` around several values", self._next)
        second = self._value()
        members.append((key, Node("array", [*first.items, second], first.start, second.end)))
        if self._next.kind == "]" and self._ahead(1) in {",", "}"}:
            self._take()

    def _member(self) -> tuple[Node, Node]:
        name = self._take()
        key = Node("string", name.value, name.start, name.end)
        self._path.append(key.text)
        if self._next.kind == ":":
            self._take()
            self._extra_colons()
        else:
            self._fault(f"expected `:` behind {self._quoted(name)}", name)
        is_bare_object = self._is_key() and self._ahead(2) in {"{", "["}
        value = self._bare_members("object") if is_bare_object else self._value()
        self._extra_colons()
        self._path.pop()
        return key, value

    def _extra_colons(self) -> None:
        while self._next.kind == ":":
            self._fault("unexpected `:`", self._take())

    def _array(self) -> Node:
        opening = self._take()
        items: list[Node] = []
        comma: Token | None = None
        while True:
            token = self._next
            if token.kind == "]":
                self._trailing(comma)
                return Node("array", items, opening.start, self._take().end)
            if token.kind == "end" or (token.kind == "}" and self._ends_the_object_around(items)):
                self._trailing(comma)
                self._unclosed(opening, "]")
                return Node("array", items, opening.start, token.start)
            if items and items[-1].kind == "string" and self._open[-2:] == ["{", "["] and self._is_key():
                self._unclosed(opening, "]")
                self._has_comma = comma is not None
                return Node("array", items, opening.start, token.start)
            if token.kind == ",":
                self._take()
                if comma is not None or not items:
                    self._fault("unexpected `,`", token)
                comma = token
            else:
                self._item(items, comma)
                comma = None

    def _ends_the_object_around(self, items: list[Node]) -> bool:
        """Whether a brace within a list closes what is around the list, and is not just one too many."""
        is_too_many = bool(items) and items[-1].kind == "object" and self._ahead(1) in {",", "{", "]"}
        return "{" in self._open and not is_too_many

    def _item(self, items: list[Node], comma: Token | None) -> None:
        token = self._next
        self._path.append(len(items))
        if token.kind in {":", "}"}:
            self._take()
            self._fault(f"unexpected {self._quoted(token)}", token)
        else:
            if items and comma is None and not self._has_comma:
                self._fault(f"expected `,` before {self._quoted(token)}", token)
            self._has_comma = False
            items.append(self._bare_members("statement") if self._is_key() else self._value())
            self._extra_colons()
        self._path.pop()

    def _bare_members(self, what: str) -> Node:
        """Members that stand without braces, up to the end of what surrounds them, or to a name that comes again."""
        first = self._next
        self._fault(f"expected `{{` before {self._quoted(first)}: the {what} stands without braces", first)
        members: list[tuple[Node, Node]] = []
        seen: set[str] = set()
        comma: Token | None = None
        while self._next.kind not in {"]", "}", "end"} and self._next.value not in seen:
            comma = self._between(members, comma, is_first=not members)
            seen.update(key.text for key, _ in members[-1:])
        self._trailing(comma if self._next.kind != "string" else None)
        if self._next.kind == "}" and self._open[-1:] == ["["]:
            self._take()
        return Node("object", members, first.start, members[-1][1].end if members else first.end)

    def _trailing(self, comma: Token | None) -> None:
        if comma is not None:
            self._fault("nothing follows the comma; remove it", comma)

    def _unclosed(self, opening: Token, closing: str) -> None:
        line = self._text.count("\n", 0, opening.start) + 1
        found = self._quoted(self._next)
        message = f"expected `{closing}` before {found}: the `{opening.kind}` of line {line} is not closed"
        self._fault(message, self._next)


def _kind(token: Token) -> str:
    if token.kind == "word":
        return "null" if token.value is None else "boolean"
    return token.kind
