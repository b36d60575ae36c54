"""A decision as its reader wants it: the sentence that answers, then gate by gate what each policy said."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.engine.decision import Effect, Gate, Verdict
from clew.engine.principal import Kind, parse_principal
from clew.reach.attached import UNKNOWN_DOCUMENT
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
_VERDICT_WORDS = {
    Verdict.ALLOW: "allows",
    Verdict.IMPLICIT_DENY: "does not allow",
    Verdict.EXPLICIT_DENY: "explicit deny",
    Verdict.UNKNOWN: "unknown",
}
_VERDICT_STYLE = {
    Verdict.ALLOW: "32",
    Verdict.IMPLICIT_DENY: "33",
    Verdict.EXPLICIT_DENY: "1;31",
    Verdict.UNKNOWN: "1;36",
}
_GATE_WORDS = {
    "identity": "identity policy",
    "resource": "resource policy",
    "boundary": "permissions boundary",
    "session": "session policy",
    "scp": "service control policy",
    "rcp": "resource control policy",
    "endpoint": "VPC endpoint policy",
    "block_public_access": "S3 Block Public Access",
    "grant": "KMS grant",
    "acl": "access control list",
}
_RESOURCE_WORDS = {
    "s3": "bucket policy",
    "kms": "key policy",
    "sts": "trust policy",
    "lambda": "function policy",
}
_PATHS = {
    Gate.IDENTITY: "identity_policies",
    Gate.BOUNDARY: "permissions_boundaries",
    Gate.SESSION: "session_policies",
    Gate.SCP: "scps",
    Gate.ENDPOINT: "vpc_endpoint_policies",
}
_UNKNOWN_LEAF = re.compile(rf'{UNKNOWN_DOCUMENT}(.*?) equals "(allows|denies) it"')
_VARIABLE = re.compile(r"\$\{([^},]+)\}")
_SHOWN_IN_SENTENCE = 3
_SHOWN_IN_GATE = 4
_INDENT = "  "


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


def gate_word(gate: str, action: str) -> str:
    """What AWS calls the policies of a gate; a resource policy by its service's word."""
    if gate == "resource":
        return _RESOURCE_WORDS.get(action.partition(":")[0].lower(), _GATE_WORDS[gate])
    return _GATE_WORDS.get(gate, gate)


def paint(text: str, style: str, *, color: bool) -> str:
    """The text in a terminal's colour, where colours may be written."""
    return f"\x1b[{style}m{text}\x1b[0m" if color else text


def explanation(answer: Answer, *, width: int = 100, color: bool = False) -> str:
    """The whole answer as text: sentence, gates, what is missing, what was assumed, the order of evaluation."""
    found = told(answer)
    blocks = [
        _head(answer, color=color),
        _wrapped(sentence(answer, found), width),
        _gates(answer, found, width, color=color),
        _facts(answer, width),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(answer: Answer, *, color: bool) -> str:
    label = paint(word(answer).upper(), style(answer), color=color)
    request = answer.request
    asker = "a user" if answer.applied.is_stand_in else who(request.principal)
    return f"{label}  {terminal(request.action)} on {terminal(request.resource)} by {asker}"


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
            gate_word(gate, answer.request.action) for gate in _GATE_WORDS if gate in granting
        )
        parts.append(f"the {words} would have allowed it")
    return f"{'; '.join(parts)}; an explicit deny overrides every allow."


def _implicit(answer: Answer, found: Sequence[Told]) -> str:
    decision, request = answer.decision, answer.request
    what = f"{terminal(request.action)} on {terminal(request.resource)}"
    if not decision.blocked_by:
        return f"Implicitly denied: no policy that applies allows {what}."
    blocking = [gate_word(gate.value, request.action) for gate in decision.blocked_by]
    granting = [
        each
        for each in found
        if each.verdict is True
        and each.statement.effect == "Allow"
        and each.statement.gate in {"identity", "resource", "grant", "acl"}
    ]
    allowed = f"{_by(granting, answer)} allows it, but " if granting else ""
    names = " and the ".join(blocking)
    verb = "do not" if len(blocking) > 1 else "does not"
    needs_both = {Gate.IDENTITY, Gate.RESOURCE} & set(decision.blocked_by)
    rule = f" ({terminal(decision.rule)})" if needs_both else ""
    return f"Implicitly denied: {allowed}the {names} {verb}{rule}."


def _allowed(answer: Answer, found: Sequence[Told]) -> str:
    granting = [
        each
        for each in found
        if each.verdict is True
        and each.statement.effect == "Allow"
        and each.statement.gate in {"identity", "resource", "grant", "acl"}
    ]
    if not granting:
        return f"Allowed: {terminal(answer.decision.rule)}."
    limits = [
        gate_word(gate.value, answer.request.action)
        for gate in (Gate.BOUNDARY, Gate.SESSION, Gate.ENDPOINT)
        if answer.decision.gates[gate] is Verdict.ALLOW
    ]
    within = f", within the {_listed(limits)}" if limits else ""
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
    return _listed([*shown, *([f"{more} more"] if more else [])])


def _statement(each: Told, action: str) -> str:
    place = f" ({each.place})" if each.place else ""
    policy = f" {each.policy}" if each.policy else ""
    return f"{each.name}{place} of the {gate_word(each.statement.gate, action)}{policy}"


def _listed(texts: Sequence[str]) -> str:
    if len(texts) <= 1:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def _gates(answer: Answer, found: Sequence[Told], width: int, *, color: bool) -> str:
    """Each gate that takes part with its verdict, and beside it the statements that matched."""
    lines: list[str] = []
    absent: list[str] = []
    for gate, verdict in answer.decision.gates.items():
        word = gate_word(gate.value, answer.request.action)
        if verdict is Verdict.ABSENT:
            absent.append(word)
            continue
        label = paint(f"{_VERDICT_WORDS[verdict]:<16}", _VERDICT_STYLE[verdict], color=color)
        rows = _rows(answer, gate, [each for each in found if _gate_of(each) == gate.value], width)
        lines.append(f"{_INDENT}{word:<25}{label}{next(iter(rows), '')}".rstrip())
        lines += [f"{_INDENT}{'':<41}{row}" for row in rows[1:]]
    if absent:
        lines += _labelled("not involved", ", ".join(absent), width, 27).splitlines()
    return "\n".join(lines)


def _gate_of(each: Told) -> str:
    return "resource" if each.statement.gate in {"grant", "acl"} else each.statement.gate


def _rows(answer: Answer, gate: Gate, here: Sequence[Told], width: int) -> list[str]:
    """What the gate's statements say, denials first, in lines that fit beside the verdict."""
    said: dict[tuple[str, str, str], list[str]] = {}
    for each in sorted(here, key=lambda each: each.statement.effect != "Deny"):
        holder = terminal(each.attachment.holder) if each.attachment else ""
        holders = said.setdefault((each.effect, each.title, each.place), [])
        holders += [] if holder in holders else [holder]
    texts = [
        (effect, " · ".join(part for part in (_held(title, holders), place) if part))
        for (effect, title, place), holders in said.items()
    ]
    if not texts and answer.decision.gates[gate] is Verdict.UNKNOWN:
        return ["depends on what is not given"]
    shown = texts[:_SHOWN_IN_GATE]
    if len(texts) > len(shown):
        shown.append(("", f"and {len(texts) - len(shown)} more"))
    if answer.decision.gates[gate] is Verdict.IMPLICIT_DENY:
        shown += [("", text) for text in _silent(answer, gate, here)]
    return [
        line
        for effect, text in shown
        for line in textwrap.wrap(
            f"{effect:<10}{text}" if effect else text,
            max(width - 43, 30),
            subsequent_indent=" " * 10 if effect else "",
            break_on_hyphens=False,
            break_long_words=False,
        )
    ]


def _held(title: str, holders: Sequence[str]) -> str:
    """The statement with whose it is; a resource's own policy and one of the question's own need no more words."""
    named = [holder for holder in holders if holder and not holder.startswith(("--", "arn:"))]
    return f"{title} of {_listed(named)}" if named else title


def _silent(answer: Answer, gate: Gate, here: Sequence[Told]) -> Iterator[str]:
    """The policies of a gate, or of an organisation level, of which no statement allows the request."""
    allowing = {each.statement.policy for each in here if each.statement.effect == "Allow"}
    units: dict[str, list[Attachment]] = {}
    for path, attachment in answer.applied.attachments.items():
        prefix = path.rpartition("/")[0] or path
        if prefix.partition("/")[0] == _PATHS.get(gate):
            units.setdefault(prefix, []).append(attachment)
    for prefix, attachments in units.items():
        if not any(path.rpartition("/")[0] == prefix or path == prefix for path in allowing):
            holder = f" of {terminal(attachments[0].holder)}" if gate is Gate.SCP else ""
            names = _listed([f"`{terminal(attachment.name)}`" for attachment in attachments])
            yield f"no statement in {names}{holder} allows it"


def _facts(answer: Answer, width: int) -> str:
    decision, applied = answer.decision, answer.applied
    keys = [key for key in decision.missing_context if not key.startswith(UNKNOWN_DOCUMENT)]
    facts: list[tuple[str, Iterable[str]]] = [
        ("Not at hand", [missing.why for missing in applied.missing]),
        ("Keys not given", [", ".join(keys)] if keys else []),
        ("Rule", [decision.rule]),
        ("Assumed", _assumed(answer)),
        ("Notes", [*decision.notes, *answer.hints]),
        ("Order", [" → ".join(decision.order)]),
    ]
    return "\n".join(
        _labelled(label, terminal(text), width) for label, texts in facts for text in texts if text
    )


def _assumed(answer: Answer) -> list[str]:
    owner = answer.decision.resource_account
    mine = (
        [f"the resource belongs to account {owner}"] if "resource_account" in answer.decision.assumed else []
    )
    return [*mine, *answer.applied.assumed]


def _labelled(label: str, text: str, width: int, column: int = 18) -> str:
    return textwrap.fill(
        text,
        width,
        initial_indent=f"{_INDENT}{label}".ljust(column),
        subsequent_indent=" " * column,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(
        text,
        width,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_on_hyphens=False,
        break_long_words=False,
    )
