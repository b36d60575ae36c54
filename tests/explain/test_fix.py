"""What would help: each fix lets the request through, newly allows what it says and no more, and can be taken back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.case_files import read_case_file
from tests.explain import scenario

from clew.aws import catalog
from clew.cli import fix_forms
from clew.cli.fix_forms import Form
from clew.engine import prepare
from clew.errors import InputError
from clew.explain import fix_calls, fix_plan
from clew.explain.explanation import Explanation, of_event, of_text
from clew.explain.fix import Fix, policies_after
from clew.explain.fix_edit import Edit, Kind, Where, patched, statements
from clew.explain.fix_gain import gain
from clew.explain.fix_places import where_of
from clew.policy.model import PolicyKind
from clew.policy.validate import validate
from clew.reach.applied import applied
from clew.reach.predict import Predictor
from clew.report import explanation_text, fix_text
from clew.snapshot import details
from clew.snapshot.model import Snapshot, Source

_FILE = Path(__file__).resolve().parent.parent / "cases" / "explain" / "fixes.yaml"
_FIXES: dict[str, Any] = read_case_file(_FILE)


def _explained(own: dict[str, Any], defaults: dict[str, Any]) -> tuple[Snapshot, Explanation]:
    row = {**defaults, **own}
    state = scenario.snapshot(row)
    predictor = Predictor(state)
    if "event" in row:
        return state, of_event(scenario.event(row, row["event"]), predictor)
    return state, of_text(scenario.text(row), predictor)[0]


@pytest.mark.parametrize("row", _FIXES["rows"], ids=lambda row: row["name"])
def test_the_fix_is_the_one_of_the_case(row: dict[str, Any]) -> None:
    """Title, difference, commands and what it newly allows are those of the case, and symbolic and words agree."""
    snapshot, found = _explained(row, _FIXES["defaults"])
    fix = next((each for each in found.fixes if each.title.startswith(row["title"])), None)
    assert fix is not None, [each.title for each in found.fixes]
    lines = [line for edit in fix.edits for line in edit.difference]
    for sign, wanted in (("+", row.get("adds", ())), ("-", row.get("removes", ()))):
        for text in wanted:
            assert any(line.startswith(sign) and text in line for line in lines), "\n".join(lines)
    assert len(fix.edits) == row.get("edits", 1)
    assert row.get("newly", fix.newly) == fix.newly
    for name in ("commands", "undo"):
        for command, begin in zip(getattr(fix, name), row.get(name, ()), strict=False):
            assert command.startswith(begin)
        assert len(getattr(fix, name)) >= len(row.get(name, ()))
    _assert_gain(row, fix, snapshot, found)


def _assert_gain(row: dict[str, Any], fix: Fix, snapshot: Snapshot, found: Explanation) -> None:
    assert found.prediction is not None
    if "nothing_else" not in row:
        return
    said = gain(fix, found.prediction, snapshot)
    assert said is not None
    assert (said.nothing_else, said.why_unknown) == (row["nothing_else"], "")
    if "actions" in row:
        assert row["actions"] in said.actions
    if "others" in row:
        assert list(said.others) == row["others"]
        assert said.concerned == row.get("concerned", 1)
    assert (said.lost.action if said.lost is not None else None) == row.get("lost")
    assert "nothing else, shown for every request" in fix_text.newly(_with(fix, said))


def _with(fix: Fix, said: Any) -> Fix:
    return replace(fix, gain=said)


_EVERY = [
    *((row, scenario.CASES["defaults"]) for row in scenario.CASES["rows"]),
    *((row, _FIXES["defaults"]) for row in _FIXES["rows"]),
]


@pytest.mark.parametrize(("row", "defaults"), _EVERY, ids=lambda each: each.get("name", ""))
def test_every_fix_holds_what_it_promises(row: dict[str, Any], defaults: dict[str, Any]) -> None:
    """The engine allows the request with it; the patch makes the document; what was there stays; and it is valid."""
    _, found = _explained(row, defaults)
    for fix in found.fixes:
        if found.prediction is not None and fix.edits:
            after = policies_after(found.prediction.policies, fix)
            assert prepare(after).authorize(found.prediction.request).allowed is fix.proven
            assert fix.proven is not False
        for edit in fix.edits:
            assert not edit.is_at_hand or patched(edit.before or {}, edit.patch) == edit.after
            assert _errors(edit.after, edit.where.kind) <= _errors(edit.before or {}, edit.where.kind)
        assert "If it should" in (text := explanation_text.render([found])) or "Without any" in text


_KINDS = {
    Kind.TRUST: PolicyKind.TRUST,
    Kind.SCP: PolicyKind.SCP,
    Kind.RCP: PolicyKind.RCP,
    Kind.ENDPOINT: PolicyKind.ENDPOINT,
    **dict.fromkeys((Kind.BUCKET, Kind.KEY, Kind.TOPIC, Kind.QUEUE, Kind.FUNCTION, Kind.SECRET), PolicyKind.RESOURCE),
}  # fmt: skip


def _errors(document: dict[str, Any], kind: Kind) -> set[str]:
    """The codes of what AWS would refuse in the document."""
    if not document:
        return set()
    assert statements(document), "a policy without statements is refused by AWS"
    found = validate(
        json.dumps(document), kind=_KINDS.get(kind, PolicyKind.IDENTITY), catalog=catalog.current()
    )
    return {problem.code for problem in found.problems if problem.is_error}


@pytest.mark.parametrize("row", _FIXES["rows"], ids=lambda row: row["name"])
def test_a_fix_is_printed_in_every_form(row: dict[str, Any]) -> None:
    """Difference, patch, commands, CloudFormation, Terraform and plan; a plan is read as it was written."""
    _, found = _explained(row, _FIXES["defaults"])
    fix = next(each for each in found.fixes if each.title.startswith(row["title"]))
    assert found.request is not None
    if not fix.edits:
        return
    forms = {form: "\n".join(fix_forms.written(fix, form, found.request)) for form in _FORMS}
    for form in (Form.JSON_PATCH, Form.CLOUDFORMATION):
        assert json.loads(forms[form])
    assert forms[Form.TERRAFORM].startswith('resource "aws_')
    plan = fix_plan.read(forms[Form.PLAN], "plan")
    assert (plan.edits, plan.title, plan.newly_allows) == (fix.edits, fix.title, fix.newly)
    assert (plan.request.action, plan.request.resource) == (found.request.action, found.request.resource)
    if any(edit.where.kind in {Kind.SCP, Kind.RCP} and not edit.where.name for edit in fix.edits):
        return
    for form in (Form.CLI, Form.UNDO):
        assert "\n".join(fix_forms.written(fix, form, found.request)).startswith("aws ")


_FORMS = tuple(form for form in Form if form not in {Form.CLI, Form.UNDO})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "not what `clew explain --fix-as plan` writes"),
        ('{"format": "2"}', "expected `clew policy fix 1`, found `2`"),
        ("no", "not what"),
    ],
)
def test_what_is_no_plan_is_said(text: str, says: str) -> None:
    """A file that is no plan of ours is named as such, whatever it holds."""
    with pytest.raises(InputError, match=says):
        fix_plan.read(text, "x.json")


_JSON = st.recursive(
    st.text(max_size=4) | st.booleans() | st.integers(0, 9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("a/~", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text("ab/~", max_size=3), _JSON), st.dictionaries(st.text("ab/~", max_size=3), _JSON)
)
def test_a_patch_makes_the_document(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Law: the operations of RFC 6902 that an edit prints make its new document of the old one."""
    edit = Edit(Where(Kind.OTHER, "it"), "resource_policy", before, after)
    assert patched(before, edit.patch) == after


def test_a_policy_with_five_versions_loses_its_oldest_first() -> None:
    """AWS: "Versioning IAM policies": a sixth version is refused until one is deleted; the default one is kept."""
    arn = "arn:aws:iam::111122223333:policy/Edge"
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}],
    }
    versions = [
        {"VersionId": f"v{n}", "IsDefaultVersion": n == 8, "Document": document} for n in (12, 8, 9, 10, 11)
    ]
    collected = details.Collected()
    user = {
        "UserName": "ana", "UserId": "AIDA", "Arn": "arn:aws:iam::111122223333:user/ana", "Path": "/",
        "AttachedManagedPolicies": [{"PolicyName": "Edge", "PolicyArn": arn}],
    }  # fmt: skip
    policy = {"PolicyName": "Edge", "Arn": arn, "DefaultVersionId": "v8", "PolicyVersionList": versions}
    account = {"UserDetailList": [user], "GroupDetailList": [], "RoleDetailList": [], "Policies": [policy]}
    assert collected.add(Source("account.json", json.dumps(account)))
    snapshot = Snapshot(collected.accounts())
    found = applied(snapshot, user["Arn"], "s3:GetObject", "arn:aws:s3:::logs/a")
    where = where_of("identity_policies/0", found, snapshot)
    assert where is not None
    edit = Edit(where, "identity_policies/0", document, document)
    commands = [call.command for call in fix_calls.calls(edit)]
    assert commands[0] == f"aws iam delete-policy-version --policy-arn {arn} --version-id v9"
    assert commands[1].startswith(f"aws iam create-policy-version --policy-arn {arn} --policy-document")
    assert commands[1].endswith("--set-as-default")
    assert [call.command for call in fix_calls.undoing(edit)] == [
        f"aws iam set-default-policy-version --policy-arn {arn} --version-id v8"
    ]


def test_what_nobody_has_given_is_not_overwritten() -> None:
    """Where the policy that stands there is not at hand, the statement is shown and no command would replace it."""
    where = Where(Kind.BUCKET, "bucket policy of arn:aws:s3:::logs", "logs", account="111122223333")
    after = {"Version": "2012-10-17", "Statement": [{"Sid": "ClewFix", "Effect": "Allow"}]}
    edit = Edit(where, "resource_policy", None, after, is_at_hand=False)
    assert fix_calls.calls(edit) == fix_calls.undoing(edit) == ()
    assert edit.patch == ({"op": "add", "path": "/Statement/-", "value": after["Statement"][0]},)
