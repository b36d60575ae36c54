"""The hypotheses on the caller's side of assuming a role: permission, the other gates, the length of the session."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from clew.engine import Effect
from clew.engine.verdicts import GATE_WORDS, Gate
from clew.engine.verdicts import Verdict as Said
from clew.explain.assume_role_question import account_of, session_role
from clew.explain.cause import named, said
from clew.explain.links import Link, Verdict, permitted
from clew.explain.near import near_misses
from clew.reach.predict import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.explain.assume_role_question import Case

_HOUR: Final = 3600
_LONGEST: Final = 12 * _HOUR
_SHORTEST: Final = 900


def _accounts(case: Case) -> Link | None:
    """AWS: "Cross-account policy evaluation logic": both accounts must allow; both must be looked at."""
    ours, theirs = account_of(case.asked.caller), account_of(case.asked.role)
    if not ours or ours == theirs:
        return None
    absent = [each for each in (ours, theirs) if each not in case.snapshot.accounts]
    if absent:
        says = f"caller and role are of two accounts, and both must allow; {absent[0]} is not in the snapshot"
        return Link(
            "both-accounts", Verdict.UNKNOWN, says, settle=f"clew collect, in account {absent[0]} too"
        )
    says = f"caller ({ours}) and role ({theirs}) are of two accounts; both are looked at"
    return Link("both-accounts", Verdict.HOLDS, says)


def _permission(case: Case) -> Link | None:
    """The caller's own permission, where one is needed: not where the role's own account trusts it by name."""
    if not case.asked.caller.startswith("arn:") or case.asked.action != "sts:AssumeRole":
        return None
    settle = f"clew collect, with account {account_of(case.asked.caller)}"
    if case.unknown_caller:
        return Link("permission", Verdict.UNKNOWN, case.unknown_caller, settle=settle)
    decision, asked = case.prediction.decision, case.asked
    verdict = decision.gates.get(Gate.IDENTITY, Said.ABSENT)
    if verdict is Said.ALLOW:
        return Link(
            "permission", Verdict.HOLDS, f"the caller's own policies allow `{asked.action}`", _seen(case)
        )
    if verdict is Said.UNKNOWN:
        keys = ", ".join(f"`{key}`" for key in decision.missing_context if not key.startswith("clew:"))
        says = f"whether the caller's own policies allow it is open: {keys or 'a policy is not at hand'}"
        return Link("permission", Verdict.UNKNOWN, says, settle=settle)
    if verdict is Said.EXPLICIT_DENY:
        return None
    if decision.effect is Effect.ALLOW or (
        _trusted_by_name(case) and Gate.IDENTITY not in decision.blocked_by
    ):
        says = "the caller's own policies do not allow it, and need not: the role's account trusts it by name"
        return Link("permission", Verdict.HOLDS, says)
    near = next(iter(near_misses(case.prediction.policies, case.prediction.request, (Gate.IDENTITY,))), None)
    but = (
        f"; {named(near.statement, case.prediction.applied)} nearly does: {said(near.misses[0])}"
        if near
        else ""
    )
    statement = json.dumps({"Effect": "Allow", "Action": asked.action, "Resource": asked.role})
    fix = f"allow it in an identity policy of the caller: {statement}"
    return Link(
        "permission",
        Verdict.BROKEN,
        f"no policy of the caller allows `{asked.action}` on the role{but}",
        fix=fix,
    )


def _trusted_by_name(case: Case) -> bool:
    """Whether a statement of the trust policy, in the caller's account, names the caller and holds."""
    return account_of(case.asked.caller) == account_of(case.asked.role) and (
        case.prediction.decision.gates.get(Gate.RESOURCE) is Said.ALLOW
    )


def _seen(case: Case) -> tuple[tuple[str, str], ...]:
    return tuple(
        ("statement", named(each, case.prediction.applied))
        for each in case.prediction.decision.determined_by
        if each.gate == Gate.IDENTITY.value
    )


def _limited(gate: Gate) -> Callable[[Case], Link | None]:
    """The hypothesis that a policy which only limits stops the call."""

    def tested(case: Case) -> Link | None:
        decision = case.prediction.decision
        verdict = decision.gates.get(gate, Said.ABSENT)
        words = f"the {GATE_WORDS[gate.value]}"
        if verdict in {Said.ABSENT, Said.EXPLICIT_DENY}:
            return None
        if verdict is Said.UNKNOWN:
            return Link(
                gate.value,
                Verdict.UNKNOWN,
                f"{words} is not at hand, or hangs on the request",
                settle="clew collect",
            )
        if verdict is Said.IMPLICIT_DENY and (
            gate in decision.blocked_by or decision.effect is not Effect.ALLOW
        ):
            fix = f"let {words} allow `{case.asked.action}` on `{case.asked.role}`"
            return Link(gate.value, Verdict.BROKEN, f"{words} does not allow `{case.asked.action}`", fix=fix)
        return Link(gate.value, Verdict.HOLDS, f"{words} does not stop it")

    return tested


def _session_tags(case: Case) -> Link | None:
    """AWS: "Pass session tags in AWS STS": tags need sts:TagSession, in the trust policy too."""
    keys = [key.lower() for key in case.asked.context]
    for prefix, action in (
        ("aws:requesttag/", "sts:TagSession"),
        ("sts:sourceidentity", "sts:SetSourceIdentity"),
    ):
        if any(key.startswith(prefix) for key in keys) and case.asked.action != action:
            fix = f"allow `{action}` too, in the trust policy and in the caller's identity policy"
            link = permitted("session-tags", Predictor(case.snapshot), case.asked.question(action), fix)
            if link.verdict is not Verdict.HOLDS:
                return link
    return None


def _chaining(case: Case) -> Link | None:
    """AWS: "Methods to assume a role": a session that assumes a role gets one hour at most."""
    seconds = case.asked.seconds
    if seconds is None or not session_role(case.asked.caller):
        return None
    if seconds > _HOUR:
        says = f"the caller is itself a session (role chaining): one hour at most, {seconds:,} seconds were asked for"
        return Link(
            "chaining", Verdict.BROKEN, says, fix="ask for 3600 seconds or fewer, and again when they end"
        )
    return Link("chaining", Verdict.HOLDS, "role chaining: one hour at most, and no more was asked for")


def _length(case: Case) -> Link | None:
    """AWS: "AssumeRole", DurationSeconds: from 900 to the role's maximum, itself one to twelve hours."""
    seconds = case.asked.seconds
    if seconds is None:
        return None
    if not _SHORTEST <= seconds <= _LONGEST:
        says = f"a session lasts from 900 to 43,200 seconds; {seconds:,} were asked for"
        return Link("duration", Verdict.BROKEN, says, fix="ask for a length between them")
    if seconds <= _HOUR:
        return Link("duration", Verdict.HOLDS, "every role allows a session of one hour")
    account = case.snapshot.accounts.get(account_of(case.asked.role))
    role = account.roles.get(case.asked.role) if account is not None else None
    if role is not None and role.max_session_duration is not None:
        return _within(seconds, role.max_session_duration)
    name = case.asked.role.rpartition("/")[2]
    settle = f"aws iam get-role --role-name {name} --query Role.MaxSessionDuration"
    says = f"whether the role's MaxSessionDuration is {seconds:,} seconds or more is not in the snapshot"
    return Link("duration", Verdict.UNKNOWN, says, settle=settle)


def _within(seconds: int, longest: int) -> Link:
    evidence = (("MaxSessionDuration", str(longest)),)
    if seconds <= longest:
        return Link("duration", Verdict.HOLDS, f"the role allows sessions of {longest:,} seconds", evidence)
    says = f"the role allows sessions of {longest:,} seconds at most; {seconds:,} were asked for"
    fix = f"ask for {longest} seconds or fewer, or raise the role's MaxSessionDuration"
    return Link("duration", Verdict.BROKEN, says, evidence, fix=fix)


LIMITS: tuple[Callable[[Case], Link | None], ...] = (
    _permission,
    _accounts,
    *map(_limited, (Gate.BOUNDARY, Gate.SCP, Gate.RCP, Gate.SESSION)),
    _session_tags,
    _chaining,
    _length,
)
"""The hypotheses on the caller's side, in order."""
