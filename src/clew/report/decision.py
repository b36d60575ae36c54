"""A decision in words: the sentence that answers, and the names of what settles it, for every form of report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.engine.decision import Effect, Gate, Verdict
from clew.engine.principal import Kind, parse_principal
from clew.engine.verdicts import GATE_WORDS, gate_word
from clew.reach.attached import UNKNOWN_DOCUMENT
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.engine.decision import Decision, Determining
    from clew.engine.request import Request
    from clew.reach.applied import Applied
    from clew.reach.attached import Attachment

_WORDS = {
    Effect.ALLOW: "allowed",
    Effect.IMPLICIT_DENY: "implicit deny",
    Effect.EXPLICIT_DENY: "explicit deny",
    Effect.UNDETERMINED: "undetermined",
}
_STYLE = {
    Effect.ALLOW: "32",
    Effect.IMPLICIT_DENY: "33",
    Effect.EXPLICIT_DENY: "1;31",
    Effect.UNDETERMINED: "1;36",
}
_UNKNOWN_LEAF = re.compile(rf'{UNKNOWN_DOCUMENT}(.*?) equals "(allows|denies) it"')
_VARIABLE = re.compile(r"\$\{([^},]+)\}")
_SHOWN_IN_SENTENCE = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """One request with the policies that applied to it and what the engine decided; `hints` are about the question."""

    request: Request
    applied: Applied
    decision: Decision
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """One statement that matched or may match, with where it is attached and where it stands."""

    statement: Determining
    verdict: bool | None
    attachment: Attachment | None

    @property
    def name(self) -> str:
        """The statement's Sid in backticks, or its number."""
        sid = self.statement.sid
        return f"statement `{terminal(sid)}`" if sid else f"statement {self.statement.statement + 1}"

    @property
    def short(self) -> str:
        """The Sid alone, or `statement 2` where it has none."""
        return terminal(self.statement.sid or f"statement {self.statement.statement + 1}")

    @property
    def place(self) -> str:
        """`file:line` of the statement; empty where it stands in no file."""
        document = self.attachment.document if self.attachment else None
        span = document.statement(self.statement.statement) if document else None
        if document is None or document.file is None or span is None or span.in_file is None:
            return ""
        return terminal(f"{document.file}:{span.in_file[0]}")

    @property
    def policy(self) -> str:
        """The policy's name and whose it is: `CarlosBuckets` of user carlos."""
        if self.attachment is None:
            return terminal(self.statement.policy)
        if self.attachment.kind == "resource" or self.attachment.holder.startswith("--"):
            return ""
        return f"`{terminal(self.attachment.name)}` of {terminal(self.attachment.holder)}"

    @property
    def effect(self) -> str:
        """`allow`, `deny`, `may allow` or `may deny`; `unknown` of a document that is not at hand."""
        if self.is_unknown_document:
            return "unknown"
        return f"{'' if self.verdict is True else 'may '}{self.statement.effect.lower()}"

    @property
    def title(self) -> str:
        """Sid and policy, as far as each is needed to know which statement this is."""
        if self.is_unknown_document:
            return f"{terminal(self.attachment.label if self.attachment else '')} (not at hand)"
        needs_policy = self.attachment is not None and self.attachment.kind != "resource"
        policy = f"`{terminal(self.attachment.name)}`" if needs_policy and self.attachment else ""
        if not self.statement.sid and policy and self._is_only_one:
            return policy
        return f"{self.short} · {policy}" if policy else self.short

    @property
    def _is_only_one(self) -> bool:
        document = self.attachment.document if self.attachment else None
        return document is not None and len(document.policy.statements) == 1

    @property
    def is_unknown_document(self) -> bool:
        """Whether this stands for a document that nobody has given."""
        return self.attachment is not None and self.attachment.document is None


def told(answer: Answer) -> list[Told]:
    """Every statement that matched or may match, gate by gate."""
    return [
        Told(statement, verdict, answer.applied.attachments.get(statement.policy))
        for statement, verdict in answer.decision.matched
    ]


def word(answer: Answer) -> str:
    """The decision in two words; `denied` where only the kind of the denial is open."""
    decision = answer.decision
    is_denied = decision.effect is Effect.UNDETERMINED and decision.allowed is False
    return "denied" if is_denied else _WORDS[decision.effect]


def style(answer: Answer) -> str:
    """The terminal style of the decision."""
    decision = answer.decision
    is_denied = decision.effect is Effect.UNDETERMINED and decision.allowed is False
    return _STYLE[Effect.EXPLICIT_DENY if is_denied else decision.effect]


def who(principal: str) -> str:
    """The principal in a reader's words.

    >>> who("arn:aws:iam::111122223333:user/team/carlos"), who("arn:aws:sts::111122223333:assumed-role/Auditor/ana")
    ('user carlos', 'session ana of role Auditor')
    """
    caller = parse_principal(principal)
    name = terminal(principal.rpartition("/")[2])
    match caller.kind:
        case Kind.USER:
            return f"user {name}"
        case Kind.ROLE:
            return f"role {name}"
        case Kind.SESSION:
            return f"session {name} of role {terminal(caller.name)}"
        case Kind.FEDERATED_USER:
            return f"federated user {name}"
        case Kind.ROOT:
            return f"the root user of {caller.account}"
        case Kind.ANONYMOUS:
            return "anybody, unauthenticated"
        case _:
            return terminal(principal)


def paint(text: str, style: str, *, color: bool) -> str:
    """The text in a terminal's colour, where colours may be written."""
    return f"\x1b[{style}m{text}\x1b[0m" if color else text


def sentence(answer: Answer, found: Sequence[Told]) -> str:
    """The answer in one sentence."""
    match answer.decision.effect:
        case Effect.EXPLICIT_DENY:
            return _explicit(answer, found)
        case Effect.IMPLICIT_DENY:
            return _implicit(answer, found)
        case Effect.ALLOW:
            return _allowed(answer, found)
        case Effect.UNDETERMINED:
            return _undetermined(answer)


def _explicit(answer: Answer, found: Sequence[Told]) -> str:
    denying = [each for each in found if each.verdict is True and each.statement.effect == "Deny"]
    allowing = [each for each in found if each.verdict is True and each.statement.effect == "Allow"]
    parts = [f"Explicitly denied by {_by(denying, answer)}"]
    # SCPs, boundaries and the like never grant: only these two would have allowed anything.
    granting = {each.statement.gate for each in allowing} & {"identity", "resource", "grant", "acl"}
    if granting:
        words = " and the ".join(
            gate_word(gate, answer.request.action) for gate in GATE_WORDS if gate in granting
        )
        parts.append(f"the {words} would have allowed it")
    return f"{'; '.join(parts)}; an explicit deny overrides every allow."


def _granting(found: Sequence[Told]) -> list[Told]:
    """The statements that grant the request, other gates aside."""
    return [
        each
        for each in found
        if each.verdict is True
        and each.statement.effect == "Allow"
        and each.statement.gate in {"identity", "resource", "grant", "acl"}
    ]


def _implicit(answer: Answer, found: Sequence[Told]) -> str:
    decision, request = answer.decision, answer.request
    what = f"{terminal(request.action)} on {terminal(request.resource)}"
    if not decision.blocked_by:
        return f"Implicitly denied: no policy that applies allows {what}."
    blocking = [gate_word(gate.value, request.action) for gate in decision.blocked_by]
    granting = _granting(found)
    allowed = f"{_by(granting, answer)} allows it, but " if granting else ""
    names = " and the ".join(blocking)
    verb = "do not" if len(blocking) > 1 else "does not"
    needs_both = {Gate.IDENTITY, Gate.RESOURCE} & set(decision.blocked_by)
    rule = f" ({terminal(decision.rule)})" if needs_both else ""
    return f"Implicitly denied: {allowed}the {names} {verb}{rule}."


def _allowed(answer: Answer, found: Sequence[Told]) -> str:
    granting = _granting(found)
    if not granting:
        return f"Allowed: {terminal(answer.decision.rule)}."
    limits = [
        gate_word(gate.value, answer.request.action)
        for gate in (Gate.BOUNDARY, Gate.SESSION, Gate.ENDPOINT)
        if answer.decision.gates[gate] is Verdict.ALLOW
    ]
    within = f", within the {listed(limits)}" if limits else ""
    return f"Allowed by {_by(granting, answer)}{within}."


def _undetermined(answer: Answer) -> str:
    text = open_condition(answer)
    if answer.decision.allowed is False:
        return f"Denied in any case, but whether explicitly depends on what is not known: {text}."
    return f"It depends on what is not known: {text}."


def open_condition(answer: Answer) -> str:
    """What an undetermined decision depends on, variables that the context knows filled in; empty for any other."""
    residual = answer.decision.residual
    if residual is None:
        return ""
    context = answer.request.context

    def known(variable: re.Match[str]) -> str:
        value = context.get(variable[1].lower())
        return value if isinstance(value, str) else variable[0]

    return readable(_VARIABLE.sub(known, residual.text))


def readable(residual: str) -> str:
    """The residual's text, with documents that nobody has given named as such.

    >>> readable('allowed if clew:document/arn:aws:iam::aws:policy/X equals "allows it"; implicit_deny otherwise')
    'allowed if arn:aws:iam::aws:policy/X allows it; implicit_deny otherwise'
    """
    return terminal(_UNKNOWN_LEAF.sub(r"\1 \2 it", residual))


def _by(statements: Sequence[Told], answer: Answer) -> str:
    """The statements by name, place and policy, the first few of them."""
    shown = [_statement(each, answer.request.action) for each in statements[:_SHOWN_IN_SENTENCE]]
    more = len(statements) - len(shown)
    return listed([*shown, *([f"{more} more"] if more else [])])


def _statement(each: Told, action: str) -> str:
    place = f" ({each.place})" if each.place else ""
    policy = f" {each.policy}" if each.policy else ""
    return f"{each.name}{place} of the {gate_word(each.statement.gate, action)}{policy}"


def listed(texts: Sequence[str]) -> str:
    """The texts as a list in a sentence.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    if len(texts) <= 1:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} and {texts[-1]}"
