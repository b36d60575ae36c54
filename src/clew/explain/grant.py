"""The smallest policy for a named task: what it says, where it belongs, what else must allow it, and the proof.

Each request of the task is put to the engine under the account's policies with the new one among them; where another
gate still stops it, that gate's smallest change is the other side. AWS: "Grant least privilege".
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from clew.aws import catalog
from clew.engine import Context, Policies, Request, prepare
from clew.engine.derive import derived
from clew.engine.verdicts import Gate
from clew.explain import fix_calls, fix_gain
from clew.explain.explanation import assumed
from clew.explain.fix import Fix, after, at_most, completed
from clew.explain.fix_drafts import Asked, Draft
from clew.explain.fix_edit import Edit, policy_of, statements
from clew.explain.fix_places import document_of, of_principal
from clew.explain.fix_statements import VERSION, box, with_statement
from clew.policy.model import PolicyKind
from clew.policy.validate import validate
from clew.reach.predict import NoPrediction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine import Decision
    from clew.explain.fix_edit import Document, Where
    from clew.explain.fix_gain import Gain
    from clew.explain.fix_statements import Box
    from clew.explain.grant_tasks import Need, Task
    from clew.reach.predict import Prediction, Predictor


@dataclass(frozen=True, slots=True)
class Proof:
    """One request of the task: whether it was allowed before, with the policy alone, and with the other side too.

    Units: None where that depends on what is not known; `why` says on what, or what stops it all the same.
    """

    request: Request
    before: bool | None
    with_policy: bool | None
    with_all: bool | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """The answer: the policy, where it is attached (None: wherever it is wanted), the other side, and the proof.

    `problems` are what validation finds in the policy. `boxes` are the requests that it allows at most.
    """

    task: Task
    document: Document
    boxes: tuple[Box, ...]
    proofs: tuple[Proof, ...]
    edit: Edit | None = None
    others: tuple[Edit, ...] = ()
    gain: Gain | None = None
    problems: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool | None:
        """Whether everything that the task asks for is allowed with the policy and the other side."""
        answers = {proof.with_all for proof in self.proofs}
        return False if False in answers else None if None in answers else True

    @property
    def fix(self) -> Fix:
        """The whole change as a fix, for the forms in which those are printed."""
        edits = (*((self.edit,) if self.edit is not None else ()), *self.others)
        return Fix(
            title=self.task.title,
            gate=Gate.IDENTITY.value,
            target=self.edit.where.words if self.edit is not None else "",
            newly=at_most(self.boxes),
            risk="what the task needs, and nothing else",
            edits=edits,
            boxes=self.boxes,
            commands=tuple(call.command for edit in edits for call in fix_calls.calls(edit)),
            undo=tuple(call.command for edit in reversed(edits) for call in fix_calls.undoing(edit)),
            proven=self.allowed,
        )


def grant(task: Task, needs: tuple[Need, ...], principal: str, predictor: Predictor | None) -> Grant:
    """The smallest policy for the task, for that principal under the policies at hand; `principal` may be empty."""
    made = tuple(_statements(task, needs))
    document: Document = {"Version": VERSION, "Statement": list(made)}
    boxes = tuple(box(statement) for statement in made)
    problems = tuple(_problems(document))
    asked = tuple(_requests(needs, principal))
    if predictor is None or not principal:
        proofs = tuple(_alone(request, document) for request in asked)
        where = of_principal(principal) if principal else None
        edit = None if where is None else Edit(_named(where, task), "identity_policies", None, document)
        open_ = ("the policies that apply beside it: give `--policies`, and `--to` whom",)
        return Grant(task, document, boxes, proofs, edit, problems=problems, unknown=open_)
    return _under_policies(Grant(task, document, boxes, (), problems=problems), asked, predictor)


def _statements(task: Task, needs: tuple[Need, ...]) -> Iterator[Document]:
    name = policy_name(task).removeprefix("Clew")
    for number, need in enumerate(needs, 1):
        statement: Document = {"Sid": name if number == 1 else f"{name}{number}", "Effect": "Allow"}
        statement |= {"Action": _short(need.actions), "Resource": _short(need.resources)}
        yield {**statement, "Condition": dict(need.condition)} if need.condition else statement


def _short(texts: tuple[str, ...]) -> object:
    return texts[0] if len(texts) == 1 else list(texts)


def policy_name(task: Task) -> str:
    """What the inline policy is called: `ClewAssumeRole`."""
    return "Clew" + "".join(word.title() for word in task.id.split("-"))


def _named(where: Where, task: Task) -> Where:
    name = policy_name(task)
    holder = where.words.partition(",")[0]
    return replace(where, words=f"{holder}, inline policy {name}", detail=name)


def _requests(needs: tuple[Need, ...], principal: str) -> Iterator[Request]:
    """Every request of the task; in a pattern some name stands for all."""
    for need in needs:
        for action in need.actions:
            for resource in need.resources:
                concrete = resource if resource == "*" else resource.replace("*", "example")
                values: dict[str, Any] = dict(need.context)
                yield derived(
                    Request(principal or _ANYBODY, action, concrete, context=Context(values, unknown=None))
                )


_ANYBODY = "arn:aws:iam::000000000000:user/somebody"


def _problems(document: Document) -> Iterator[str]:
    found = validate(json.dumps(document), kind=PolicyKind.IDENTITY, catalog=catalog.current())
    yield from (f"{problem.code}: {problem.message}" for problem in found.problems)


def _alone(request: Request, document: Document) -> Proof:
    """The proof by the policy alone, as if the resource were of the principal's own account."""
    own = replace(request, resource_account=request.principal.split(":")[4])
    allowed = prepare(Policies(identity=(policy_of(document),))).authorize(own).allowed
    return Proof(request, None, allowed, allowed)


def _under_policies(found: Grant, asked: tuple[Request, ...], predictor: Predictor) -> Grant:
    proofs: list[Proof] = []
    others: dict[Where, Edit] = {}
    unknown: dict[str, None] = {}
    granted: dict[str, None] = {}
    first: tuple[Prediction, Edit] | None = None
    for request in asked:
        prediction = predictor.predict(request)
        if isinstance(prediction, NoPrediction):
            proofs.append(Proof(request, None, None, None, prediction.reason))
            continue
        edit = _attached(found, request.principal, prediction)
        if edit is None:
            proofs.append(Proof(request, prediction.decision.allowed, None, None, _NO_POLICIES))
            continue
        first = first or (prediction, edit)
        proof, more = _proven(found, edit, prediction, predictor)
        proofs.append(proof)
        for each in more:
            others[each.where] = _joined(others.get(each.where), each)
        unknown |= dict.fromkeys(prediction.unknown)
        granted |= dict.fromkeys(assumed(prediction))
    if first is None:
        return replace(found, proofs=tuple(proofs))
    prediction, edit = first
    done = replace(found, proofs=tuple(proofs), edit=edit, others=tuple(others.values()), unknown=tuple(unknown),
                   assumed=tuple(granted))  # fmt: skip
    own = replace(done.fix, edits=(edit,))
    return replace(done, gain=fix_gain.gain(own, prediction, predictor.snapshot))


_NO_POLICIES = "the principal has no policies of its own in IAM; attach it to a user or a role"


def _attached(found: Grant, principal: str, prediction: Prediction) -> Edit | None:
    """The policy in its place; where one of that name is there already, with its statements beside those."""
    where = of_principal(principal)
    if where is None:
        return None
    where = _named(where, found.task)
    holder = where.words.partition(",")[0]
    for path, attachment in prediction.applied.attachments.items():
        document = document_of(attachment)
        is_own = attachment.holder == holder and attachment.name == where.detail and not attachment.arn
        if path.startswith("identity_policies/") and is_own and document is not None:
            after_ = document
            for statement in found.document["Statement"]:
                after_ = after_ if statement in statements(after_) else with_statement(after_, statement)
            return Edit(where, path, document, after_)
    return Edit(where, "identity_policies", None, found.document)


def _proven(
    found: Grant, edit: Edit, prediction: Prediction, predictor: Predictor
) -> tuple[Proof, tuple[Edit, ...]]:
    """The engine's answer with the policy, and what else must change where another gate stops it."""
    request, decision = prediction.request, prediction.decision
    asked = Asked(request, prediction.policies, decision, prediction.applied, predictor.snapshot)
    draft = Draft(found.task.title, Gate.IDENTITY, edit, found.boxes, "")
    with_policy = after(asked, draft).decision
    if with_policy.allowed is not False:
        why = "; ".join(_open(prediction, with_policy)) if with_policy.allowed is None else ""
        return Proof(request, decision.allowed, with_policy.allowed, with_policy.allowed, why), ()
    whole = completed(asked, draft)
    if whole is None:
        stops = ", ".join(f"{gate.value}" for gate in with_policy.blocked_by) or "an explicit deny"
        return Proof(request, decision.allowed, False, False, f"stopped by: {stops}"), ()
    more = tuple(each for each in whole.edits if each.where != edit.where)
    return Proof(request, decision.allowed, False, whole.proven), more


def _open(prediction: Prediction, decision: Decision) -> Iterator[str]:
    """What an open answer depends on: documents that are not at hand, keys of the request."""
    yield from prediction.unknown
    keys = [f"`{key}`" for key in decision.missing_context if not key.startswith("clew:")]
    if keys:
        yield f"it depends on {', '.join(keys)} of the request"


def _joined(there: Edit | None, edit: Edit) -> Edit:
    """Both edits of one document as one: the statements that the second adds stand behind those of the first."""
    if there is None:
        return edit
    joined = there.after
    for statement in edit.added:
        joined = joined if statement in statements(joined) else with_statement(joined, statement)
    return replace(there, after=joined)
