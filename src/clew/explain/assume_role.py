"""Why a role cannot be assumed: every hypothesis in order, each tested on the policies at hand.

A hypothesis is a link that may be broken: broken confirms it, whole refutes it. The first that is confirmed is the
cause. AWS: IAM user guide, "Troubleshoot IAM roles", "Methods to assume a role", "AWS STS API reference, AssumeRole".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.engine import Effect
from clew.engine.verdicts import Gate
from clew.explain.assume_role_limits import LIMITS
from clew.explain.assume_role_question import Asked, Case, account_of, fitting_call, session_role
from clew.explain.assume_role_token import provider, token
from clew.explain.cause import named, said
from clew.explain.links import Chain, Link, Verdict
from clew.explain.near import Part, compared
from clew.reach.predict import NoPrediction, Prediction, Predictor

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.explain.near import NearMiss
    from clew.snapshot.model import Role, Snapshot

_CHANGED = (
    "since 21 September 2022 (AWS Security Blog, Announcing an update to IAM role trust policy behavior)"
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The hypotheses, tested, and the decision that AWS's own evaluation gives for the call as a whole."""

    chain: Chain
    effect: Effect


def diagnose(asked: Asked, snapshot: Snapshot) -> Diagnosis:
    """Every hypothesis that applies, in order. Errors: `PrincipalError` for a caller of no known kind."""
    title = f"{asked.caller} assumes {asked.role} with {asked.action}"
    predicted = Predictor(snapshot).predict(asked.question().request(), of_strangers=True)
    if isinstance(predicted, NoPrediction):
        fix = "correct the caller's ARN; a principal that was deleted cannot sign anything"
        gone = Link("caller-exists", Verdict.BROKEN, predicted.reason, fix=fix)
        return Diagnosis(Chain(title, (gone,)), Effect.UNDETERMINED)
    case = _case(asked, snapshot, predicted)
    links = tuple(link for test in HYPOTHESES if (link := test(case)) is not None)
    return Diagnosis(Chain(title, links), predicted.decision.effect)


def _case(asked: Asked, snapshot: Snapshot, predicted: Prediction) -> Case:
    role = _role(snapshot, asked.role)
    ours = account_of(asked.caller)
    is_known = not ours or ours in snapshot.accounts
    why = (
        "" if is_known else f"account {ours} of the caller is not in the snapshot: its own policies are open"
    )
    statements = compared(predicted.policies, predicted.request, Gate.RESOURCE) if role else ()
    return Case(asked, snapshot, role, predicted, why, statements)


def _role(snapshot: Snapshot, arn: str) -> Role | None:
    account = snapshot.accounts.get(account_of(arn))
    return account.roles.get(arn) if account else None


def _exists(case: Case) -> Link:
    """AWS: "Troubleshoot IAM roles": names are case-sensitive. STS says the same of a role that does not exist."""
    arn, account = case.asked.role, case.snapshot.accounts.get(account_of(case.asked.role))
    if case.role is not None:
        return Link("role-exists", Verdict.HOLDS, f"the role `{arn}` exists", (("role", arn),))
    if account is None or "RoleDetailList" not in account.lists or account.truncated:
        says = f"the roles of account {account_of(arn) or 'without number'} are not in the snapshot"
        return Link("role-exists", Verdict.UNKNOWN, says, settle=f"aws iam get-role --role-name {_name(arn)}")
    near = next((each for each in account.roles if _name(each).lower() == _name(arn).lower()), None)
    if near is None:
        says, fix = f"the account has no role `{_name(arn)}`", "create the role, or correct its name"
        return Link("role-exists", Verdict.BROKEN, says, (("roles", str(len(account.roles))),), fix)
    what = "case" if near.lower() == arn.lower() else "path"
    says = f"the account has no role `{arn}`; it has `{near}`, which differs in {what}"
    return Link("role-exists", Verdict.BROKEN, says, (("role", near),), f"ask for `{near}`")


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _partition(case: Case) -> Link | None:
    """AWS: "Compare IAM roles and resource-based policies": grants never cross partitions."""
    caller, role = case.asked.caller, case.asked.role
    if not caller.startswith("arn:") or caller.split(":")[1] == role.split(":")[1]:
        return None
    says = f"the caller is in partition `{caller.split(':')[1]}`, the role in `{role.split(':')[1]}`"
    return Link("partition", Verdict.BROKEN, says, fix="use a principal of the role's own partition")


def _root(case: Case) -> Link | None:
    """AWS: "AssumeRole": you cannot call it with the credentials of the account's root user."""
    if not case.asked.caller.endswith(":root"):
        return None
    says = "the root user cannot assume a role, whatever the policies say"
    return Link("root", Verdict.BROKEN, says, fix="sign in as a user or a role and assume it from there")


def _protected(case: Case) -> Link | None:
    """Roles that only one service may assume: service-linked, and those of IAM Identity Center."""
    path = case.asked.role.partition(":role/")[2]
    if path.startswith("aws-service-role/"):
        service = path.split("/")[1]
        if case.asked.caller == service:
            return Link("service-linked", Verdict.HOLDS, f"the role is that of `{service}`")
        says = f"the role is service-linked: only `{service}` may assume it, and its trust cannot be edited"
        return Link("service-linked", Verdict.BROKEN, says, fix="make an ordinary role for this caller")
    if path.startswith("aws-reserved/sso.amazonaws.com/") and not case.asked.action.endswith("SAML"):
        says = (
            "the role is IAM Identity Center's: it is entered by signing in there, and only AWS can edit it"
        )
        fix = "sign in through IAM Identity Center: `aws sso login`"
        return Link("identity-center", Verdict.BROKEN, says, fix=fix)
    return None


def _call(case: Case) -> Link:
    """AWS: "Methods to assume a role": each kind of identity has its own call."""
    caller, action, right = case.asked.caller, case.asked.action, fitting_call(case.asked.caller)
    if action.lower() != right.lower():
        says = f"`{caller}` proves itself with `{right}`, not with `{action}`"
        return Link("call", Verdict.BROKEN, says, fix=f"call `{right}`")
    other = next((each for each in case.statements if _parts(each) == {Part.ACTION}), None)
    whole = any(
        Part.ACTION not in _parts(each) and Part.PRINCIPAL not in _parts(each) for each in case.statements
    )
    if other is not None and not whole:
        written = ", ".join(f"`{text}`" for text in other.misses[0].written)
        says = f"{_named(case, other)} names the caller, but for {written}, not for `{right}`"
        return Link("call", Verdict.BROKEN, says, _seen(case, other), f"write `{right}` into that statement")
    return Link("call", Verdict.HOLDS, f"`{right}` is the call for such a caller")


def _parts(near: NearMiss) -> set[Part]:
    return {miss.part for miss in near.misses}


def _named(case: Case, near: NearMiss) -> str:
    return named(near.statement, case.prediction.applied)


def _seen(case: Case, *near: NearMiss) -> tuple[tuple[str, str], ...]:
    return tuple(("statement", _named(case, each)) for each in near)


def _itself(case: Case) -> Link | None:
    """A session that assumes its own role again must be trusted like any other principal."""
    if session_role(case.asked.caller) != case.asked.role or case.role is None:
        return None
    if _naming(case):
        return Link("itself", Verdict.HOLDS, "the role trusts itself", _seen(case, *_naming(case)))
    says = f"the caller is a session of the role itself, which its trust policy must name, {_CHANGED}"
    fix = f"add `{case.asked.role}` to the principals of its trust policy, or use the session as it is"
    return Link("itself", Verdict.BROKEN, says, fix=fix)


def _naming(case: Case) -> tuple[NearMiss, ...]:
    """The statements of the trust policy that are about the call and name the caller."""
    return tuple(
        each for each in case.statements if not _parts(each) & {Part.PRINCIPAL, Part.ACTION, Part.RESOURCE}
    )


def _deleted(case: Case) -> Link | None:
    """AWS: "AWS JSON policy elements: Principal": a deleted user or role shows as its unique id."""
    if _naming(case):
        return None
    for each in case.statements:
        ids = [text for miss in each.misses if miss.part is Part.PRINCIPAL for text in miss.written]
        gone = next((text for text in ids if text.startswith(("AIDA", "AROA"))), None)
        if gone is not None:
            says = (
                f"{_named(case, each)} names `{gone}`, the id of a principal that was deleted; "
                "one of the same name made anew is another"
            )
            fix = f"write `{_trusted(case.asked.caller)}` into the trust policy again"
            return Link("deleted-principal", Verdict.BROKEN, says, _seen(case, each), fix)
    return None


def _trusted(caller: str) -> str:
    return session_role(caller) or caller


def _trust(case: Case) -> Link:
    """AWS: "Policy evaluation logic": a trust policy must name the principal or its account, also in one account."""
    naming = _naming(case)
    if naming:
        return Link(
            "trust", Verdict.HOLDS, "the trust policy names the caller or its account", _seen(case, *naming)
        )
    if case.role is None or Gate.RESOURCE in case.open_gates:
        says = "the trust policy of the role is not at hand"
        settle = (
            f"aws iam get-role --role-name {_name(case.asked.role)} --query Role.AssumeRolePolicyDocument"
        )
        return Link("trust", Verdict.UNKNOWN, says, settle=settle)
    near = next((each for each in case.statements if Part.PRINCIPAL in _parts(each)), None)
    misses = [miss for miss in near.misses if miss.part is Part.PRINCIPAL] if near else []
    but = f": {said(misses[0])}" if misses else ""
    fix = f"add `{_trusted(case.asked.caller)}` to the principals of the trust policy of `{case.asked.role}`"
    says = f"the trust policy does not name `{case.asked.caller}`{but}"
    return Link("trust", Verdict.BROKEN, says, _seen(case, near) if near else (), fix)


def _conditions(case: Case) -> Link | None:
    """Dates, external id, MFA, source address, tags, organisation: what the statement that names the caller asks."""
    naming = _naming(case)
    if not naming:
        return None
    if any(not each.misses for each in naming):
        return Link(
            "trust-conditions", Verdict.HOLDS, "the conditions of the trust policy hold", _seen(case, *naming)
        )
    near = min(naming, key=lambda each: (any(miss.certain for miss in each.misses), len(each.misses)))
    certain = [miss for miss in near.misses if miss.certain]
    told = "; ".join(said(miss) for miss in certain or near.misses)
    says = f"{_named(case, near)} names the caller, but {told}"
    if certain:
        fix = f"call so that `{certain[0].key}` fits, or change that condition"
        return Link("trust-conditions", Verdict.BROKEN, says, _seen(case, near), fix)
    settle = f"give {', '.join(f'`--context {miss.key}=…`' for miss in near.misses)}"
    return Link("trust-conditions", Verdict.UNKNOWN, says, _seen(case, near), settle=settle)


def _denied(case: Case) -> Link | None:
    """An explicit deny, wherever it stands."""
    decision = case.prediction.decision
    if decision.effect is not Effect.EXPLICIT_DENY:
        return None
    first = decision.determined_by[0]
    says = f"{named(first, case.prediction.applied)} denies it explicitly; no allow overrides that"
    fix = "narrow that statement, or use a principal that it does not concern"
    return Link("explicit-deny", Verdict.BROKEN, says, (("statement", says.partition(" denies")[0]),), fix)


HYPOTHESES: tuple[Callable[[Case], Link | None], ...] = (
    _partition,
    _root,
    _protected,
    _exists,
    _call,
    provider,
    _itself,
    _deleted,
    _trust,
    token,
    _conditions,
    _denied,
    *LIMITS,
)
"""Each hypothesis of a fault, the most particular first; None where it does not apply to the question."""
