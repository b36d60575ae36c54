"""The changes that may open what stops a request, one gate at a time; nothing here is tried or ranked.

AWS: "Policy evaluation logic": an explicit deny must go, and each gate that takes part must allow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clew.aws.catalog import is_wildcard_only
from clew.engine.gates import place
from clew.engine.verdicts import Effect, Gate, gate_word
from clew.explain import fix_places as places
from clew.explain import fix_statements as written
from clew.explain.fix_edit import Edit, Kind, Where
from clew.explain.fix_statements import SID, Box
from clew.explain.near import Part, near_misses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.engine import Decision, Policies, Request
    from clew.engine.verdicts import Determining
    from clew.explain.fix_edit import Document
    from clew.explain.near import Miss, NearMiss
    from clew.reach.applied import Applied
    from clew.snapshot.model import Snapshot

_LIMITS = (Gate.BOUNDARY, Gate.SCP, Gate.SESSION, Gate.ENDPOINT)


@dataclass(frozen=True, slots=True)
class Draft:
    """One change: to which document, what it may newly allow at most, and what may come of it."""

    title: str
    gate: Gate
    edit: Edit
    boxes: tuple[Box, ...]
    risk: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What should be allowed, under which policies.

    `snapshot` is None where only the policies are known; `current` are documents that were changed already.
    """

    request: Request
    policies: Policies
    decision: Decision
    applied: Applied
    snapshot: Snapshot | None = None
    current: Mapping[str, Document] = field(default_factory=dict)

    def document(self, path: str) -> Document | None:
        """The document of that name, with the changes that were made already; None where it is not at hand."""
        return self.current.get(path) or places.document_of(self.applied.attachments.get(path))

    def where(self, path: str) -> Where | None:
        """Where that document is kept; None where nobody here can change it."""
        return places.where_of(path, self.applied, self.snapshot)

    @property
    def who(self) -> str:
        """The principal as policies name it: of a session, its role, with the path that its ARN leaves out."""
        found = role_arn(self.request.principal)
        if found == self.request.principal or self.snapshot is None:
            return found
        held = self.snapshot.accounts.get(found.split(":")[4])
        name = found.rpartition("/")[2]
        return next((each.arn for each in held.roles.values() if each.name == name), found) if held else found


def role_arn(principal: str) -> str:
    """The role of a session, for a grant to one session would end with it; else the principal itself.

    >>> role_arn("arn:aws:sts::111122223333:assumed-role/ci/build")
    'arn:aws:iam::111122223333:role/ci'
    """
    fields = principal.split(":", 5)
    kind, _, rest = fields[-1].partition("/")
    if kind != "assumed-role":
        return principal
    return f"arn:{fields[1]}:iam::{fields[4]}:role/{rest.partition('/')[0]}"


def denied_by(asked: Asked, statements: tuple[Determining, ...]) -> Iterator[Draft]:
    """What narrows the first of the denying statements, so that it no longer concerns the request."""
    for statement in statements[:1]:
        where = asked.where(statement.policy)
        document = asked.document(statement.policy)
        if where is None or document is None:
            return
        yield _narrowed(asked, statement, where, document)
        yield from _excepted(asked, statement, where, document)


def _narrowed(asked: Asked, statement: Determining, where: Where, document: Document) -> Draft:
    request = asked.request
    denying = written.statement_at(document, statement.statement)
    is_own = where.kind in {Kind.USER, Kind.ROLE} and where.name == asked.who.rpartition("/")[2]
    who = "" if is_own or not asked.who.startswith("arn:") else asked.who
    is_whole = statement.gate == Gate.RESOURCE.value and not request.resource.startswith("arn:aws:s3:::")
    made, box = written.narrowed(denying, request.action, request.resource, who, is_whole=is_whole)
    narrow = written.replaced(document, statement.statement, made)
    if not narrow["Statement"]:
        # A policy without statements is none: AWS refuses it.
        narrow = written.replaced(document, statement.statement, [written.exempting(denying, asked.who)])
    edit = Edit(where, statement.policy, document, narrow)
    name = f"`{statement.sid}`" if statement.sid else str(statement.statement + 1)
    return Draft(
        f"Narrow the Deny {name} in {where.words}", Gate(statement.gate), edit, (box,), _risk_of_deny(where)
    )


def _risk_of_deny(where: Where) -> str:
    limits = "somebody wrote this Deny on purpose: ask who did"
    return f"{limits}; {_RISKS[where.kind]}" if where.kind in _RISKS else limits


_RISKS = {
    Kind.MANAGED: "everybody who has the policy is concerned",
    Kind.GROUP: "every user of the group is concerned",
    Kind.SCP: "every account below is concerned",
    Kind.RCP: "the resources of every account below are concerned",
}
_NEGATED = ("stringnotequals", "stringnotlike", "notipaddress", "arnnotequals", "arnnotlike")
_POSITIVE = ("stringequals", "stringlike", "ipaddress", "arnequals", "arnlike", "stringequalsignorecase")


def _excepted(asked: Asked, statement: Determining, where: Where, document: Document) -> Iterator[Draft]:
    """A value more that a Deny spares: the address, the region, the organisation that the request came with."""
    denying = written.statement_at(document, statement.statement)
    for operator, lines in denying.get("Condition", {}).items():
        for key in lines:
            value = asked.request.context.get(key.lower())
            if operator.lower().removesuffix("ifexists") not in _NEGATED or not isinstance(value, str):
                continue
            made = written.with_value(denying, operator, key, value)
            edit = Edit(
                where, statement.policy, document, written.replaced(document, statement.statement, [made])
            )
            box = Box(
                tuple(written.texts(denying.get("Action", "*"))),
                tuple(written.texts(denying.get("Resource", "*"))),
            )
            title = f"Spare `{key}` `{value}` in the Deny of {where.words}"
            yield Draft(title, Gate(statement.gate), edit, (box,), _risk_of_deny(where))


def opened(asked: Asked, gate: Gate) -> Iterator[Draft]:
    """What makes one gate allow the request, the smallest statement first, then the statements put right."""
    match gate:
        case Gate.IDENTITY:
            yield from _identity(asked)
        case Gate.RESOURCE if asked.who != "*":
            # What lets everybody in is no small change: nobody is helped who does not say who he is.
            yield _resource(asked)
        case Gate.BOUNDARY | Gate.SESSION | Gate.ENDPOINT:
            yield from _limit(asked, gate)
        case Gate.SCP:
            yield from _levels(asked)
    yield from corrected(asked, gate)


def statement_for(request: Request, **more: Any) -> Document:
    """An Allow for just this action and resource; where the action works on no resource only `*` matches."""
    resource = "*" if is_wildcard_only(request.action) else request.resource
    return {"Sid": SID, "Effect": "Allow", **more, "Action": request.action, "Resource": resource}


def _identity(asked: Asked) -> Iterator[Draft]:
    statement = statement_for(asked.request)
    edit = places.own_statement(asked.applied, asked.request.principal, statement, asked.current)
    if edit is None:
        return
    kind, _, name = edit.where.words.partition(",")[0].partition(" ")
    risk = (
        "small: one action on one resource"
        if statement["Resource"] != "*"
        else "the action works on `*` only"
    )
    if edit.where.name.startswith(places.IDENTITY_CENTER):
        # AWS: IAM Identity Center user guide, "Permission sets".
        risk = "the role is written by IAM Identity Center: put the statement into its permission set"
    title = f"Allow it in an identity policy of the {kind} `{name}`"
    yield Draft(title, Gate.IDENTITY, edit, (written.box(statement),), risk)


def _resource(asked: Asked) -> Draft:
    """A statement in the resource's own policy; in a trust policy it names no resource."""
    request, who = asked.request, asked.who
    principal = {"AWS": who} if who.startswith("arn:") or who == "*" else {"Service": who}
    statement = statement_for(request, Principal=principal)
    words = gate_word("resource", request.action)
    if request.action.lower().startswith("sts:"):
        statement.pop("Resource")
    edit = places.resource_statement(asked.applied, request.resource, statement, asked.current)
    named = "trust policy" if edit.where.kind is Kind.TRUST else "resource policy"
    title = f"Allow it in the {named} of `{request.resource}`"
    risk = f"small: one principal more in the {words}"
    if not who.startswith("arn:"):
        # AWS: "The confused deputy problem", https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
        risk = (
            f"a service more in the {words}: it may come for another's account too, unless a condition on "
            "`aws:SourceAccount` or `aws:SourceArn` says for whom"
        )
    if not edit.is_at_hand:
        risk = f"the {words} is not at hand: add the statement to what stands there"
    elif _is_stranger(asked):
        risk = f"account {who.split(':')[4]} gets in, and decides itself who uses `{who.rpartition('/')[2]}`"
    return Draft(title, Gate.RESOURCE, edit, (written.box(statement, resource=request.resource),), risk)


def _is_stranger(asked: Asked) -> bool:
    fields = asked.who.split(":", 5)
    owner = asked.applied.resource_account
    return len(fields) > 4 and bool(owner) and fields[4] not in {"", owner}  # noqa: PLR2004  # an ARN has six parts


_WORDS = {
    Gate.BOUNDARY: "the permissions boundary",
    Gate.SESSION: "the session policy",
    Gate.ENDPOINT: "the VPC endpoint policy",
}
_RISK = {
    Gate.BOUNDARY: "everybody with this boundary may be allowed it by their own policies",
    Gate.SESSION: "the session only: it is given anew with each session",
    Gate.ENDPOINT: "everybody behind the endpoint may be allowed it by their own policies",
}


def _limit(asked: Asked, gate: Gate) -> Iterator[Draft]:
    """A statement more in a policy that limits: it grants nothing by itself."""
    more: dict[str, Any] = {"Principal": "*"} if gate is Gate.ENDPOINT else {}
    statement = statement_for(asked.request, **more)
    edit = _in_gate(asked, places.GATES[gate], statement)
    title = f"Let {_WORDS[gate]} allow it"
    risk = _RISK[gate]
    if edit is None:
        kind = {Gate.SESSION: Kind.SESSION, Gate.ENDPOINT: Kind.ENDPOINT}.get(gate, Kind.OTHER)
        edit = Edit(
            Where(kind, _WORDS[gate].removeprefix("the ")),
            places.GATES[gate],
            None,
            written.with_statement(None, statement),
            is_at_hand=False,
        )
        if gate is Gate.BOUNDARY and asked.policies.boundaries:
            risk = f"AWS's own policy cannot be changed: attach a boundary that has this too; {risk}"
    yield Draft(title, gate, edit, (written.box(statement),), risk)


def _in_gate(asked: Asked, begin: str, statement: Document) -> Edit | None:
    """The statement in the first document of the gate that can be changed."""
    for path in asked.applied.attachments:
        document = asked.document(path)
        where = asked.where(path)
        if path.startswith(f"{begin}/") and document is not None and where is not None:
            return Edit(where, path, document, written.with_statement(document, statement))
    return None


def _levels(asked: Asked) -> Iterator[Draft]:
    """The first level of the organisation on which nothing allows it."""
    request = asked.request
    for number, level in enumerate(asked.policies.scps):
        if _allows(level, request, f"scps/{number}"):
            continue
        edit = _in_gate(asked, f"scps/{number}", statement_for(request))
        if edit is None:
            edit = Edit(
                Where(Kind.OTHER, "a new SCP at that level"),
                f"scps/{number}",
                None,
                written.with_statement(None, statement_for(request)),
                is_at_hand=False,
            )
        title = "Let the service control policies of every level that lacks it allow it"
        risk = "every account below may be allowed it by its own policies"
        yield Draft(title, Gate.SCP, edit, (written.box(statement_for(request)),), risk)
        return


def _allows(level: tuple[Any, ...], request: Request, path: str) -> bool:
    alone = is_wildcard_only(request.action)
    return any(
        not each.denies
        and each.compiled.matches_action(request.action.lower())
        and each.applies(request.resource, request.context, wildcard_only=alone) is not False
        for each in place(level, Gate.SCP, path)
    )


def corrected(asked: Asked, gate: Gate) -> Iterator[Draft]:
    """The statements of the gate that would allow it but for one part, with that part put right."""
    for near in near_misses(asked.policies, asked.request, (gate,))[:2]:
        if len(near.misses) != 1:
            continue
        path = near.statement.policy
        where = asked.where(path)
        document = asked.document(path)
        if where is None or document is None:
            continue
        old = written.statement_at(document, near.statement.statement)
        for words, new, box in _put_right(asked, near.misses[0], old):
            edit = Edit(where, path, document, written.replaced(document, near.statement.statement, [new]))
            yield Draft(f"{words} in {_named(near)} of {where.words}", gate, edit, (box,), _risk(where))


def _named(near: NearMiss) -> str:
    sid = near.statement.sid
    return f"statement `{sid}`" if sid else f"statement {near.statement.statement + 1}"


def _risk(where: Where) -> str:
    return _RISKS.get(where.kind, "the statement allows more than this one action")


def _put_right(asked: Asked, miss: Miss, old: Document) -> Iterator[tuple[str, Document, Box]]:
    request = asked.request
    match miss.part:
        case Part.ACTION:
            wrong = miss.written[0]
            new = written.exchanged(old, "Action", wrong, request.action)
            yield (
                f"Write `{request.action}` for `{wrong}`",
                new,
                written.box({**old, "Action": request.action}),
            )
        case Part.RESOURCE if miss.hint and "Resource" in old:
            yield from _resource_put_right(miss, old)
        case Part.PRINCIPAL if asked.who.startswith("arn:") and isinstance(old.get("Principal"), dict):
            new = written.with_principal(old, asked.who)
            yield f"Name `{asked.who}`", new, written.box(old, resource=request.resource)
        case Part.CONDITION if miss.asked not in {"absent", "not known"} and miss.certain:
            if miss.operator.lower().removesuffix("ifexists") in _POSITIVE:
                new = written.with_value(old, miss.operator, miss.key, miss.asked)
                yield (
                    f"Let `{miss.key}` be `{miss.asked}` too",
                    new,
                    written.box(old, resource=request.resource),
                )


def _resource_put_right(miss: Miss, old: Document) -> Iterator[tuple[str, Document, Box]]:
    """The ARN that is meant: beside one that is right for something else, else in the place of the slip."""
    if not miss.meant:
        return
    meant = written.box({**old, "Resource": miss.meant})
    if miss.beside:
        yield f"Name `{miss.meant}` too", written.appended(old, "Resource", miss.meant), meant
    else:
        new = written.exchanged(old, "Resource", miss.slip, miss.meant)
        yield f"Write `{miss.meant}` for `{miss.slip}`", new, meant


def next_steps(asked: Asked, hint: Gate | None = None) -> tuple[Draft, ...]:
    """The changes that open what stops the request next; `hint` is the gate that is meant where that is open."""
    decision = asked.decision
    if decision.effect is Effect.EXPLICIT_DENY:
        return tuple(denied_by(asked, decision.determined_by))
    gates = decision.blocked_by
    if not gates:
        gates = (hint,) if hint is not None else (_granting(asked),)
    chosen = next((gate for gate in (Gate.IDENTITY, Gate.RESOURCE, *_LIMITS) if gate in gates), None)
    return tuple(opened(asked, chosen)) if chosen is not None else ()


def _granting(asked: Asked) -> Gate:
    """The gate in which nothing yet grants: the principal's own policies, where it has any."""
    return Gate.RESOURCE if places.of_principal(asked.request.principal) is None else Gate.IDENTITY
