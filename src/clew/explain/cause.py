"""Why a request was refused: the cause in one sentence, from AWS's message, the account's policies, or both.

What AWS said and what the policies say are kept apart: where they disagree, that is said first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from clew.engine import Effect
from clew.engine.principal import parse_principal
from clew.engine.verdicts import GATE_WORDS, Gate, Verdict, gate_word
from clew.explain import s3_cause
from clew.explain.denial import Denial, Meaning, PolicyType
from clew.explain.denial_services import OF_SERVICES
from clew.explain.near import Part, left_out, near_misses, stands_for_another

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine import Decision
    from clew.engine.verdicts import Determining
    from clew.explain.near import Miss, NearMiss
    from clew.reach.applied import Applied
    from clew.reach.attached import Attachment
    from clew.reach.predict import Prediction


class CauseId(StrEnum):
    """Every cause that Clew tells apart."""

    EXPLICIT_DENY = "explicit_deny"
    WRONG_RESOURCE = "wrong_resource"
    WRONG_ACTION = "wrong_action"
    WRONG_PRINCIPAL = "wrong_principal"
    CONDITION = "condition"
    NOTHING_ALLOWS = "nothing_allows"
    GATE_DOES_NOT_ALLOW = "gate_does_not_allow"
    BLOCK_PUBLIC_ACCESS = "block_public_access"
    NO_RESOURCE_PERMISSION = "no_resource_permission"
    OBJECT_OWNER = "object_owner"
    ACL_DISABLED = "acl_disabled"
    NEVER_ALLOWED = "never_allowed"
    BEHIND = "behind_another_service"
    NOT_YET_IN_FORCE = "not_yet_in_force"
    DEPENDS = "depends"
    POLICIES_ALLOW = "policies_allow"
    MESSAGE_ONLY = "message_only"
    NOT_A_DENIAL = "not_a_denial"
    UNKNOWN = "unknown"


class Agreement(StrEnum):
    """Whether the message and the policies at hand say the same."""

    AGREE = "agree"
    DISAGREE = "disagree"
    OPEN = "open"
    NOT_COMPARED = "not compared"


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause: its id, the sentence that tells it, the gate, the statements behind it and those that nearly match."""

    id: CauseId
    sentence: str
    gate: str = ""
    statements: tuple[Determining, ...] = ()
    near: tuple[NearMiss, ...] = ()


GATES = {
    PolicyType.IDENTITY: Gate.IDENTITY,
    PolicyType.RESOURCE: Gate.RESOURCE,
    PolicyType.TRUST: Gate.RESOURCE,
    PolicyType.BOUNDARY: Gate.BOUNDARY,
    PolicyType.SESSION: Gate.SESSION,
    PolicyType.SCP: Gate.SCP,
    PolicyType.RCP: Gate.RCP,
    PolicyType.ENDPOINT: Gate.ENDPOINT,
    PolicyType.BLOCK_PUBLIC_ACCESS: Gate.BLOCK_PUBLIC_ACCESS,
}
"""The gate of each type of policy that AWS's messages name."""

_ELSEWHERE = frozenset({PolicyType.SESSION, PolicyType.ENDPOINT})
_SEEN_BY_NOBODY = _ELSEWHERE | {PolicyType.BLOCK_PUBLIC_ACCESS}
_LOOKED_AT = (Gate.IDENTITY, Gate.RESOURCE)


def cause(denial: Denial | None, prediction: Prediction | None) -> Cause:
    """The cause of a refusal; from the message alone where there are no policies at hand."""
    if denial is not None and denial.meaning is not Meaning.DENIED:
        return Cause(CauseId.NOT_A_DENIAL, f"No policy refused this: {denial.says}.")
    if prediction is None:
        return _of_message(denial)
    decision = prediction.decision
    match decision.effect:
        case Effect.EXPLICIT_DENY:
            return _explicit(prediction)
        case Effect.IMPLICIT_DENY:
            return _implicit(prediction, _gate_told(denial))
        case Effect.UNDETERMINED:
            return _open(denial, prediction)
    if denial is not None and denial.policy_type in _SEEN_BY_NOBODY:
        # No snapshot holds session policies, a text names no endpoint, and no request shows a new policy: what AWS says
        # is all that is known.
        return _of_message(denial)
    sentence = "The policies at hand allow this request: what refused it is not among them."
    is_of_s3 = prediction.request.action.lower().startswith("s3:")
    is_named = denial is not None and denial.policy_type is not None
    more = s3_cause.elsewhere(prediction) if is_of_s3 and not is_named else ""
    if denial is not None and denial.policy_arn:
        more = f"AWS names `{denial.policy_arn}`."
    return Cause(CauseId.POLICIES_ALLOW, f"{sentence} {more}".rstrip())


def _gate_told(denial: Denial | None) -> Gate | None:
    """The gate that AWS's message names for want of an allow; of several that lack one it names one."""
    if denial is None or denial.explicit is not False or denial.policy_type is None:
        return None
    return GATES[denial.policy_type]


def agreement(denial: Denial | None, decision: Decision | None) -> Agreement:
    """Whether the decision is a refusal of the kind that the message names."""
    if denial is None or decision is None or denial.meaning is not Meaning.DENIED:
        return Agreement.NOT_COMPARED
    if decision.effect is Effect.ALLOW:
        if denial.form == "s3-public-policy" and any("BlockPublicPolicy" in fact for fact in decision.facts):
            return Agreement.AGREE
        return Agreement.OPEN if denial.policy_type in _ELSEWHERE else Agreement.DISAGREE
    if decision.effect is Effect.UNDETERMINED:
        return Agreement.DISAGREE if _allows_now(denial, decision) else Agreement.OPEN
    if denial.explicit is None:
        return Agreement.AGREE
    if denial.explicit is not (decision.effect is Effect.EXPLICIT_DENY):
        return Agreement.DISAGREE
    if denial.policy_type is None:
        return Agreement.AGREE
    verdict = decision.gates.get(GATES[denial.policy_type], Verdict.ABSENT)
    wanted = Verdict.EXPLICIT_DENY if denial.explicit else Verdict.IMPLICIT_DENY
    return Agreement.AGREE if verdict is wanted or _no_policy(denial, verdict) else Agreement.DISAGREE


def _allows_now(denial: Denial, decision: Decision) -> bool:
    """Whether the kind of policy that lacked an allow, as AWS says, has one at hand."""
    if denial.explicit is not False or denial.policy_type is None:
        return False
    return decision.gates.get(GATES[denial.policy_type]) is Verdict.ALLOW


def _no_policy(denial: Denial, verdict: Verdict) -> bool:
    """Nothing of that type is attached, and nothing of that type allows: the same thing in other words."""
    return denial.explicit is False and verdict is Verdict.ABSENT


def _of_message(denial: Denial | None) -> Cause:
    if denial is None:
        return Cause(CauseId.UNKNOWN, "Nothing is known of this request but that it was refused.")
    if denial.policy_type is PolicyType.BLOCK_PUBLIC_ACCESS:
        return Cause(
            CauseId.BLOCK_PUBLIC_ACCESS, f"{denial.says[:1].upper()}{denial.says[1:]}.", "block_public_access"
        )
    if denial.policy_type is None or denial.explicit is None or denial.form in OF_SERVICES:
        gate = GATES[denial.policy_type].value if denial.policy_type else ""
        says = denial.says or "the message does not say which kind of policy refused it"
        return Cause(CauseId.MESSAGE_ONLY, f"{says[:1].upper()}{says[1:]}.", gate)
    words = gate_word(GATES[denial.policy_type].value, denial.action or "")
    which = f" `{denial.policy_arn}`" if denial.policy_arn else ""
    what = denial.action or "the action"
    sentence = (
        f"A statement of {_article(words)} {words}{which} denies `{what}`."
        if denial.explicit
        else f"No {words} allows `{what}`."
    )
    return Cause(CauseId.MESSAGE_ONLY, sentence, GATES[denial.policy_type].value)


def _article(words: str) -> str:
    return "an" if words[:1] in "aeiou" else "a"


def _explicit(prediction: Prediction) -> Cause:
    statements = prediction.decision.determined_by
    first = statements[0]
    also = f" So do {len(statements) - 1} more." if len(statements) > 1 else ""
    sentence = f"{named(first, prediction.applied)} denies it explicitly; no allow overrides that.{also}"
    return Cause(CauseId.EXPLICIT_DENY, sentence, first.gate, statements)


def named(statement: Determining, applied: Applied) -> str:
    """The statement with its policy, whose that is, and where it stands: file and line."""
    attachment = applied.attachments.get(statement.policy)
    name = f"Statement `{statement.sid}`" if statement.sid else f"Statement {statement.statement + 1}"
    is_role = attachment is not None and ":role/" in attachment.holder and attachment.kind == "resource"
    words = "trust policy" if is_role else GATE_WORDS[statement.gate]
    if attachment is None or attachment.document is None:
        return f"{name} of the {words}"
    if attachment.kind == "resource":
        return f"{name} of the {words} of {attachment.holder}{_place(statement, attachment)}"
    return f"{name} of the {words} `{attachment.name}` of {attachment.holder}{_place(statement, attachment)}"


def _place(statement: Determining, attachment: Attachment) -> str:
    document = attachment.document
    span = document.statement(statement.statement) if document is not None else None
    if document is None or document.file is None or span is None or span.in_file is None:
        return ""
    return f" ({document.file}:{span.in_file[0]})"


def _implicit(prediction: Prediction, told: Gate | None) -> Cause:
    decision, request = prediction.decision, prediction.request
    blocking = tuple(sorted(decision.blocked_by, key=lambda gate: gate is not told))
    never = _never(prediction)
    if never is not None:
        return never
    stopped = s3_cause.refusal(prediction)
    if stopped is not None:
        return Cause(CauseId(stopped.by), stopped.sentence, _STOPPED_BY[stopped.by])
    if Gate.BLOCK_PUBLIC_ACCESS in blocking:
        sentence = "Only a public grant allows it, and S3 Block Public Access switches such grants off."
        return Cause(CauseId.BLOCK_PUBLIC_ACCESS, sentence, Gate.BLOCK_PUBLIC_ACCESS.value)
    gates = blocking or _LOOKED_AT
    first = (told,) if told in gates else ()
    near = near_misses(prediction.policies, request, first) or near_misses(
        prediction.policies, request, gates
    )
    if near:
        return _nearly(near, prediction)
    if blocking:
        return _gate(blocking, prediction)
    if told is Gate.RESOURCE or not parse_principal(request.principal).is_person_of_account:
        # Services, identity providers and anonymous callers have no policies of their own.
        return _gate((Gate.RESOURCE,), prediction)
    sentence = f"No policy allows `{request.action}` on `{request.resource}`.{_but_for(prediction)}"
    return Cause(CauseId.NOTHING_ALLOWS, sentence, Gate.IDENTITY.value)


def _but_for(prediction: Prediction) -> str:
    """The statement that allows everything else, where one of the caller's own leaves the action out."""
    found = left_out(prediction.policies, prediction.request, Gate.IDENTITY)
    if found is None:
        return ""
    return f" {named(found[0], prediction.applied)} allows all but {_listed(found[1])}."


_STOPPED_BY = {
    s3_cause.Stopped.BLOCKED: Gate.BLOCK_PUBLIC_ACCESS.value,
    s3_cause.Stopped.ANOTHER_OWNER: Gate.RESOURCE.value,
    s3_cause.Stopped.LISTS_OFF: Gate.RESOURCE.value,
}


def _never(prediction: Prediction) -> Cause | None:
    """What AWS lets nobody do from where the caller stands, whatever policies say."""
    request = prediction.request
    if not any("whatever the policies say" in f or "before it looks" in f for f in prediction.decision.facts):
        return None
    why = _NEVER_WHY.get(request.action.lower(), "")
    if not why and request.principal.split(":", 2)[1:2] != request.resource.split(":", 2)[1:2]:
        why = "no grant reaches into another partition"
    sentence = f"AWS refuses `{request.action}` here whatever the policies say: {why or _OUTSIDE}."
    return Cause(CauseId.NEVER_ALLOWED, sentence)


# AWS: the pages that the laws of the engine name: `engine.services.iam`, `sts`, `outsiders`.
_NEVER_WHY = {
    "iam:passrole": "a role can be passed only within its own account",
    "sts:assumerole": "the root user cannot assume a role",
    "sts:getsessiontoken": "only a user's long-term key can ask for it",
}
_OUTSIDE = "no policy can give this to another account; do it from the account that owns the resource"


def _gate(blocking: tuple[Gate, ...], prediction: Prediction) -> Cause:
    gate, request = blocking[0], prediction.request
    if gate is Gate.RESOURCE:
        words = gate_word(gate.value, request.action)
        sentence = f"The {words} of `{request.resource}` does not allow it, and here it must."
        return Cause(CauseId.NO_RESOURCE_PERMISSION, sentence, gate.value)
    sentence = f"Something grants it, but the {GATE_WORDS[gate.value]} does not allow `{request.action}`."
    if gate is Gate.IDENTITY:
        sentence = f"The resource's side grants it, but no identity policy allows `{request.action}`."
    return Cause(CauseId.GATE_DOES_NOT_ALLOW, sentence, gate.value)


_PARTS = {
    Part.ACTION: CauseId.WRONG_ACTION,
    Part.RESOURCE: CauseId.WRONG_RESOURCE,
    Part.PRINCIPAL: CauseId.WRONG_PRINCIPAL,
    Part.CONDITION: CauseId.CONDITION,
}


def _nearly(near: tuple[NearMiss, ...], prediction: Prediction) -> Cause:
    """A statement that would allow it but for a part or two: what is wrong with these."""
    first = near[0]
    reasons = "; ".join(said(miss) for miss in first.misses)
    sentence = f"{named(first.statement, prediction.applied)} would allow it, but {reasons}."
    return Cause(_PARTS[first.misses[0].part], sentence, first.gate, (first.statement,), near)


def said(miss: Miss) -> str:
    """One part that does not match, in words."""
    if miss.hint:
        return miss.hint if miss.part is not Part.CONDITION else f"{_condition(miss)}: {miss.hint}"
    match miss.part:
        case Part.CONDITION:
            return _condition(miss)
        case Part.RESOURCE:
            return f"it is about {_listed(miss.written)}, not `{miss.asked}`"
        case Part.PRINCIPAL:
            return f"it names {_listed(miss.written) or 'nobody'}, not `{miss.asked}`"
        case Part.ACTION:
            return f"it says {_listed(miss.written)}, not `{miss.asked}`"


def _condition(miss: Miss) -> str:
    wanted = f"`{miss.operator}` `{miss.key}` {_listed(miss.written)}"
    state = f"is {miss.asked}" if miss.asked in {"absent", "not known"} else f"was `{miss.asked}`"
    return f"its condition {wanted} {'does not hold' if miss.certain else 'is open'}: `{miss.key}` {state}"


def _listed(texts: tuple[str, ...]) -> str:
    shown = ", ".join(f"`{text}`" for text in texts[:3])
    return f"{shown} and {len(texts) - 3} more" if len(texts) > 3 else shown  # noqa: PLR2004  # three are read at a glance


def _open(denial: Denial | None, prediction: Prediction) -> Cause:
    """What the answer depends on; where the message names a gate, its statements that may have done it."""
    decision = prediction.decision
    gate = GATES[denial.policy_type] if denial and denial.policy_type else None
    may = tuple(_may(denial, prediction, gate))
    if may:
        first = may[0]
        name = named(first, prediction.applied)
        sentence = (
            f"AWS names the {GATE_WORDS[first.gate]}: s{name[1:]} may have denied it, if its conditions held."
        )
        return Cause(CauseId.DEPENDS, sentence, first.gate, may)
    if gate is Gate.ENDPOINT and denial is not None and denial.explicit:
        # The endpoint's policy is not at hand: what AWS says of it is all that is known.
        return _of_message(denial)
    near = near_misses(prediction.policies, prediction.request, (gate,) if gate else _LOOKED_AT)
    if near and denial is not None:
        return _nearly(near, prediction)
    allows_now = denial is not None and _allows_now(denial, decision)
    if gate is not None and denial is not None and denial.explicit is False and not allows_now:
        # AWS has refused it for want of an allow: what is not at hand did not allow it either.
        return _missing(gate, prediction)
    if decision.allowed is False and not (denial is not None and denial.explicit):
        # Between accounts both sides must allow: what the other one says cannot help.
        return _missing(Gate.IDENTITY, prediction)
    keys = [key for key in decision.missing_context if not key.startswith("clew:")]
    depends = ", ".join(f"`{key}`" for key in keys) or "; ".join(prediction.unknown) or "what is not known"
    sentence = f"It depends on {depends}."
    if allows_now and gate is not None:
        # It is no longer what AWS named; what else there is nobody has said.
        sentence = (
            f"The {GATE_WORDS[gate.value]} that AWS names allows it in the policies at hand. {sentence}"
        )
        gate = None
    return Cause(CauseId.DEPENDS, sentence, gate.value if gate else "", decision.determined_by, near)


def _missing(gate: Gate, prediction: Prediction) -> Cause:
    request = prediction.request
    sentence = f"No {GATE_WORDS[gate.value]} allows `{request.action}` on `{request.resource}`."
    identity = CauseId.NOTHING_ALLOWS if gate is Gate.IDENTITY else CauseId.GATE_DOES_NOT_ALLOW
    return Cause(identity, sentence, gate.value)


def _may(denial: Denial | None, prediction: Prediction, gate: Gate | None) -> Iterator[Determining]:
    if denial is None or not denial.explicit or gate is None:
        return
    for statement, verdict in prediction.decision.matched:
        is_such = statement.gate == gate.value and statement.effect == "Deny" and verdict is not False
        if is_such and not stands_for_another(prediction.policies, statement):
            yield statement
