"""Decisions in the JSON shape of IAM's SimulateCustomPolicy and SimulatePrincipalPolicy.

AWS: IAM API reference, "EvaluationResult", "ResourceSpecificResult", "Statement". One result for each action, with the
most restrictive decision; each resource has its own under `ResourceSpecificResults`. Where IAM has no word for it, an
undetermined decision is the one that holds when the keys that are not given are absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.aws.catalog import current
from clew.engine.decision import Effect, Gate, Verdict
from clew.report.decision import told

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clew.report.decision import Answer, Told

_WORDS = {
    Effect.ALLOW: "allowed",
    Effect.IMPLICIT_DENY: "implicitDeny",
    Effect.EXPLICIT_DENY: "explicitDeny",
    Effect.UNDETERMINED: "implicitDeny",
}
# From the least to the most restrictive.
_RANK = ("allowed", "implicitDeny", "explicitDeny")
_GATE_WORDS = {
    Verdict.ALLOW: "allowed",
    Verdict.IMPLICIT_DENY: "implicitDeny",
    Verdict.EXPLICIT_DENY: "explicitDeny",
    Verdict.UNKNOWN: "implicitDeny",
}
_OPTION_IDS = {
    "--policy": "PolicyInputList",
    "--boundary": "PermissionsBoundaryPolicyInputList",
    "--resource-policy": "ResourcePolicy",
}


def response(answers: Iterable[Answer]) -> dict[str, object]:
    """The whole response: one result for each action, in the order in which the actions were asked about."""
    by_action: dict[str, list[Answer]] = {}
    for answer in answers:
        by_action.setdefault(answer.request.action, []).append(answer)
    return {"EvaluationResults": [_result(group) for group in by_action.values()], "IsTruncated": False}


def _result(group: Sequence[Answer]) -> dict[str, object]:
    first = group[0]
    decisions = [_decision(answer) for answer in group]
    worst = max(decisions, key=_RANK.index)
    names_resources = any(answer.request.resource != "*" for answer in group)
    found: dict[str, object] = {
        "EvalActionName": first.request.action,
        "EvalResourceName": _template(first) if names_resources else "*",
        "EvalDecision": worst,
        "MatchedStatements": _unique(
            statement
            for answer, decision in zip(group, decisions, strict=True)
            if decision == worst
            for statement in _statements(answer)
        ),
        "MissingContextValues": list(
            dict.fromkeys(key for answer in group for key in answer.decision.missing_context)
        ),
    }
    organizations = [_organizations(answer) for answer in group]
    if any(allowed is not None for allowed in organizations):
        found["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": False not in organizations}
    boundaries = [_boundary(answer) for answer in group]
    if any(allowed is not None for allowed in boundaries):
        found["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": False not in boundaries}
    if names_resources:
        found["EvalDecisionDetails"] = _most_restrictive([_details(answer) for answer in group])
        found["ResourceSpecificResults"] = [_specific(answer) for answer in group]
    return found


def _specific(answer: Answer) -> dict[str, object]:
    found: dict[str, object] = {
        "EvalResourceName": answer.request.resource,
        "EvalResourceDecision": _decision(answer),
        "MatchedStatements": _unique(_statements(answer)),
        "MissingContextValues": list(answer.decision.missing_context),
        "EvalDecisionDetails": _details(answer),
    }
    allowed = _boundary(answer)
    if allowed is not None:
        found["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": allowed}
    return found


def _decision(answer: Answer) -> str:
    residual = answer.decision.residual
    effect = answer.decision.effect if residual is None else residual.holds({})
    return _WORDS[effect]


def _template(answer: Answer) -> str:
    """The ARN template of the resource's type, as IAM names it; `*` where none is known."""
    service = answer.request.action.partition(":")[0]
    kind = current().resource_type_of(answer.request.resource, service)
    return kind.arns[0] if kind is not None and kind.arns else "*"


def _statements(answer: Answer) -> Iterable[dict[str, object]]:
    """The statements of identity and resource policies that settle the decision; only denials where one denies."""
    decision = _decision(answer)
    wanted = {"allowed": "Allow", "explicitDeny": "Deny"}.get(decision)
    for each in told(answer):
        if (
            each.verdict is True
            and each.statement.effect == wanted
            and each.statement.gate in {"identity", "resource"}
        ):
            yield _statement(each)


def _statement(each: Told) -> dict[str, object]:
    attachment = each.attachment
    found: dict[str, object] = {
        "SourcePolicyId": _policy_id(each),
        "SourcePolicyType": attachment.kind if attachment else "none",
    }
    document = attachment.document if attachment else None
    span = document.statement(each.statement.statement) if document else None
    if span is not None:
        found["StartPosition"] = {"Line": span.start[0], "Column": span.start[1]}
        found["EndPosition"] = {"Line": span.end[0], "Column": span.end[1]}
    return found


def _policy_id(each: Told) -> str:
    """As IAM writes it: `user_carlos_Name` for an inline policy, the name of a managed one, `PolicyInputList.1`."""
    attachment = each.attachment
    if attachment is None:
        return each.statement.policy
    option = _OPTION_IDS.get(attachment.holder)
    if option == "PolicyInputList":
        return f"{option}.{attachment.number}"
    if option is not None or attachment.kind == "resource":
        return option or "ResourcePolicy"
    if attachment.kind in {"user", "group", "role"}:
        return f"{attachment.holder.replace(' ', '_', 1)}_{attachment.name}"
    return attachment.name


def _unique(statements: Iterable[dict[str, object]]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for statement in statements:
        if statement not in found:
            found.append(statement)
    return found


def _organizations(answer: Answer) -> bool | None:
    """Whether the SCPs allow it; None where there are none."""
    verdict = answer.decision.gates[Gate.SCP]
    return None if verdict is Verdict.ABSENT else verdict is Verdict.ALLOW


def _boundary(answer: Answer) -> bool | None:
    verdict = answer.decision.gates[Gate.BOUNDARY]
    return None if verdict is Verdict.ABSENT else verdict is Verdict.ALLOW


def _details(answer: Answer) -> dict[str, str]:
    """Across accounts, what each side says; within one account IAM leaves this empty."""
    account = answer.request.principal.split(":")[4:5]
    owner = answer.decision.resource_account
    if not owner or account in ([], [owner]):
        return {}
    gates = answer.decision.gates
    return {
        name: _GATE_WORDS[gates[gate]]
        for name, gate in (("IAM Policy", Gate.IDENTITY), ("Resource Policy", Gate.RESOURCE))
        if gates[gate] is not Verdict.ABSENT
    }


def _most_restrictive(details: Sequence[dict[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in details:
        for name, word in each.items():
            found[name] = max(found.get(name, word), word, key=_RANK.index)
    return found
