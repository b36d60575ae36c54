"""Rules that people write as YAML: which resources, when, and what must hold of them.

    id: payroll-buckets-are-logged
    title: Buckets of payroll are logged
    resource: AWS::S3::Bucket
    when: {path: tags.team, equals: payroll}
    assert:
      - {path: BucketLoggingConfiguration.TargetBucket, equals: anycompany-logs}
      - none: {of: AccessControlList.Grants, is: {path: Grantee.URI, ends_with: AllUsers}}
    message: access logs go to anycompany-logs
    severity: high

Paths begin in the configuration item: a member of the configuration, a supplement such as `BucketPolicy`, `tags`, or
`id`, `name`, `arn`, `region`, `account`. Questions are lowered into `events.predicate_tree`: a missing value makes
every question false but `exists: false`, and `not` inverts that. A part that nobody could read makes the answer
unknown, unless the rest settles it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from clew.audit.model import Check, Judgement, Verdict, why_unknown
from clew.errors import RuleError
from clew.events.patterns.located_yaml import Located, documents, plain
from clew.events.predicate import compile_predicate
from clew.events.predicate_tree import FACT, And, Element, Leaf, Node, Not, Or
from clew.findings import Severity
from clew.snapshot import collected_items
from clew.snapshot.answers import GLOBAL
from clew.snapshot.item_kinds import TYPES, calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from clew.audit.model import State
    from clew.events.predicate_tree import Op, Path
    from clew.snapshot.collected_items import Look
    from clew.snapshot.items import Item

Trigger = Literal["change", "periodic"]
_FIELDS = ("id", "title", "resource", "assert")
_OPTIONAL = ("when", "message", "severity", "trigger", "why", "fix", "references")
_TRIGGERS = ("change", "periodic")
_OPERATORS: Mapping[str, Op] = MappingProxyType(
    {
        "equals": "equals",
        "in": "equals",
        "contains": "contains",
        "starts_with": "startswith",
        "ends_with": "endswith",
        "like": "glob",
        "matches": "regex",
        "in_network": "cidr",
        "greater": "gt",
        "at_least": "gte",
        "less": "lt",
        "at_most": "lte",
    }
)
_PRESENCE = "exists"
_GROUPS = ("all", "any", "not", "some", "every", "none")


@dataclass(frozen=True, slots=True)
class Assertion:
    """One rule: the resources of a type, those of them to which it applies, and what must hold."""

    resource: str
    applies: Node
    holds: Node
    message: str
    trigger: Trigger

    def judge(self, look: Look, account: str, account_arn: str) -> Iterator[Judgement]:
        """What it says of each resource of the type; unknown where the resources of the account are not known."""
        found = [item for item in look.items if (item.key.type, item.key.account) == (self.resource, account)]
        yield from (self._of(item) for item in found)
        unread = [
            each.answer
            for each in look.unread
            if (each.type, each.answer.call.account) == (self.resource, account)
        ]
        for answer in unread:
            region = "" if answer.call.region == GLOBAL else f" in {answer.call.region}"
            message = f"{why_unknown(answer)}{region}"
            yield Judgement(Verdict.UNKNOWN, account_arn, message, missing=calls(self.resource))
        if found or unread:
            return
        if any((scope.account, scope.type) == (account, self.resource) for scope in look.scopes):
            yield Judgement(Verdict.NOT_APPLICABLE, account_arn, f"there is no {self.resource}")
        else:
            message = f"{self.resource} was not listed"
            yield Judgement(Verdict.UNKNOWN, account_arn, message, missing=calls(self.resource))

    def _of(self, item: Item) -> Judgement:
        applies, holds = (holding(node, item) for node in (self.applies, self.holds))
        if applies is False:
            return Judgement(Verdict.NOT_APPLICABLE, item.label, "the rule's `when` does not hold")
        if applies is None or holds is None:
            asked = {path[0] for node in (self.applies, self.holds) for path in _paths(node) if path}
            unread = [name for name in item.unknown if name in asked]
            missing = calls(self.resource, unread)
            return Judgement(Verdict.UNKNOWN, item.label, f"not read: {', '.join(unread)}", missing=missing)
        if holds:
            return Judgement(Verdict.PASS, item.label, "as it should be")
        return Judgement(Verdict.FAIL, item.label, self.message, _evidence(self.holds, item))


def _evidence(node: Node, item: Item) -> tuple[tuple[str, str], ...]:
    """The top values that the assertion asks about, as they are."""
    content = document(item)
    names = dict.fromkeys(path[0] for path in _paths(node) if path)
    return tuple((name, str(content.get(name, "not given"))[:200]) for name in names)


def _paths(node: Node) -> Iterator[Path]:
    match node:
        case And(children) | Or(children):
            for child in children:
                yield from _paths(child)
        case Not(child):
            yield from _paths(child)
        case Leaf() | Element():
            yield node.path


def document(item: Item) -> dict[str, object]:
    """What paths begin in."""
    named = {
        "id": item.key.id,
        "name": item.name,
        "arn": item.arn,
        "region": item.key.region,
        "account": item.key.account,
        "tags": dict(item.tags),
    }
    return {**(item.configuration or {}), **item.supplements, **named}


def holding(node: Node, item: Item) -> bool | None:
    """Whether the tree is true of the item; None where that hangs on a part that nobody could read."""
    return _holding(node, document(item), frozenset(item.unknown) - item.supplements.keys())


def _holding(node: Node, content: Mapping[str, object], unread: frozenset[str]) -> bool | None:
    match node:
        case And(children):
            return _every([_holding(child, content, unread) for child in children])
        case Or(children):
            found = _every([_negated(_holding(child, content, unread)) for child in children])
            return _negated(found)
        case Not(child):
            return _negated(_holding(child, content, unread))
        case Leaf() | Element() if node.path and node.path[0] in unread:
            return None
        case _:
            return compile_predicate(node)(content)


def _every(found: list[bool | None]) -> bool | None:
    if any(each is False for each in found):
        return False
    return None if any(each is None for each in found) else True


def _negated(found: bool | None) -> bool | None:
    return None if found is None else not found


def parse(text: str, file: str) -> Iterator[tuple[Check, Assertion, int]]:
    """Each rule of a file as a check, with its line. Errors: `RuleError`, located."""
    for found in documents(text, file):
        for rule in found.many:
            yield *_Reader(file).rule(rule), rule.line


class _Reader:
    """Reads one file; every complaint names its line."""

    def __init__(self, file: str) -> None:
        self._file = file

    def fault(self, message: str, at: Located) -> RuleError:
        """The error at that piece."""
        return RuleError(message, file=self._file, line=at.key_line or at.line)

    def rule(self, given: Located) -> tuple[Check, Assertion]:
        """The check and its assertion."""
        members = given.mapping
        if members is None:
            raise self.fault("expected a rule with `id`, `title`, `resource` and `assert`", given)
        for name in members:
            if name not in (*_FIELDS, *_OPTIONAL):
                known = ", ".join((*_FIELDS, *_OPTIONAL))
                raise self.fault(f"unknown member `{name[:80]}`; known are {known}", members[name])
        for name in _FIELDS:
            if name not in members:
                raise self.fault(f"the rule has no `{name}`", given)
        texts = {name: self._text(members, name) for name in ("id", "title", "resource")}
        if texts["resource"] not in TYPES:
            known = ", ".join(TYPES)
            message = f"a snapshot tells nothing of `{texts['resource'][:80]}`; it tells of {known}"
            raise self.fault(message, members["resource"])
        trigger = self._choice(members, "trigger", _TRIGGERS, "change")
        assertion = Assertion(
            resource=texts["resource"],
            applies=self.node(members["when"]) if "when" in members else And(()),
            holds=self.node(members["assert"]),
            message=self._text(members, "message", texts["title"]),
            trigger="periodic" if trigger == "periodic" else "change",
        )
        return self._check(texts, members, assertion), assertion

    def _check(self, texts: Mapping[str, str], members: Mapping[str, Located], assertion: Assertion) -> Check:
        severity = self._choice(members, "severity", tuple(Severity), Severity.MEDIUM.value)
        references = members["references"].many if "references" in members else ()
        return Check(
            texts["id"],
            texts["title"],
            assertion.message,
            Severity(severity),
            _function(assertion),
            MappingProxyType({}),
            MappingProxyType(
                {
                    "Finds": assertion.message,
                    "Why it matters": self._text(members, "why", ""),
                    "False positives": "",
                    "Fix": self._text(members, "fix", ""),
                    "References": " · ".join(str(each.scalar) for each in references),
                }
            ),
        )

    def _text(self, members: Mapping[str, Located], name: str, default: str | None = None) -> str:
        if name not in members and default is not None:
            return default
        value = members[name].scalar
        if not isinstance(value, str) or not value.strip():
            raise self.fault(f"expected `{name}` as text", members[name])
        return value

    def _choice(self, members: Mapping[str, Located], name: str, known: tuple[str, ...], default: str) -> str:
        given = self._text(members, name, default)
        if given not in known:
            raise self.fault(f"`{given[:80]}` is no {name}; known are {', '.join(known)}", members[name])
        return given

    def node(self, given: Located) -> Node:
        """A question, a group of questions, or a list of which all must hold."""
        if given.items is not None:
            return And(tuple(self.node(each) for each in given.items))
        members = given.mapping
        if not members:
            raise self.fault("expected a question such as `{path: Status, equals: Enabled}`", given)
        groups = [name for name in members if name in _GROUPS]
        if groups and len(members) == 1:
            return self._group(groups[0], members[groups[0]])
        if "path" not in members:
            raise self.fault(f"expected `path` or one of {', '.join(_GROUPS)}", given)
        return self._leaf(members, given)

    def _group(self, name: str, given: Located) -> Node:
        if name in {"all", "any"}:
            children = tuple(self.node(each) for each in given.many)
            return And(children) if name == "all" else Or(children)
        if name == "not":
            return Not(self.node(given))
        members = given.mapping or {}
        if set(members) != {"of", "is"}:
            raise self.fault(f"expected `{name}` with `of` (a path) and `is` (a question)", given)
        path, child = self._path(members["of"]), self.node(members["is"])
        if name == "every":
            return Not(Element(path, Not(child)))
        return Element(path, child) if name == "some" else Not(Element(path, child))

    def _leaf(self, members: Mapping[str, Located], given: Located) -> Node:
        path = self._path(members["path"])
        asked = [name for name in members if name != "path"]
        known = (*_OPERATORS, _PRESENCE)
        if len(asked) != 1 or asked[0] not in known:
            raise self.fault(f"expected one question of {', '.join(known)}", given)
        name, value = asked[0], members[asked[0]]
        if name == _PRESENCE:
            if not isinstance(value.scalar, bool) or value.items is not None:
                raise self.fault("expected `exists: true` or `exists: false`", value)
            present = Leaf(path, "has_value")
            return present if value.scalar else Not(present)
        if any(each.mapping is not None or each.items is not None for each in value.many):
            raise self.fault(f"expected `{name}` with a value, or a list of them", value)
        leaf = Leaf(path, _OPERATORS[name], tuple(each.scalar for each in value.many), case_sensitive=True)
        try:
            compile_predicate(leaf)
        except RuleError as error:
            raise self.fault(error.message, value) from error
        return leaf

    def _path(self, given: Located) -> Path:
        found = plain(given)
        steps = found.split(".") if isinstance(found, str) else found
        texts = (
            tuple(each for each in steps if isinstance(each, str) and each) if isinstance(steps, list) else ()
        )
        if not texts or texts[0] == FACT or (isinstance(steps, list) and len(texts) != len(steps)):
            raise self.fault("expected a path such as `tags.team`, or a list of its steps", given)
        return texts


def _function(assertion: Assertion) -> Callable[..., Iterator[Judgement]]:
    def judged(state: State) -> Iterator[Judgement]:
        yield from assertion.judge(collected_items.look(state.answers), state.account, state.account_arn)

    return judged
