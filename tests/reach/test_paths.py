"""Paths follow what is allowed, tell what must hold besides, and never follow what is not at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.case_files import read_case_file

from clew.reach.paths import ADMIN, Reach, edges, paths, paths_of_all
from clew.reach.paths_methods import Method, Target, methods
from clew.report import paths_html, paths_text
from clew.snapshot.load import Inputs, load

if TYPE_CHECKING:
    from clew.snapshot.model import Snapshot

_FILE = Path(__file__).resolve().parent.parent / "cases" / "reach" / "paths.yaml"
_CASES: dict[str, Any] = read_case_file(_FILE)
_IAM = "arn:aws:iam::111122223333:"
_DEV, _ROLE = f"{_IAM}user/dev", f"{_IAM}role/worker"


def _policy(statements: list[dict[str, Any]], name: str = "Own") -> dict[str, Any]:
    return {"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}


def _managed(name: str, statements: list[dict[str, Any]]) -> dict[str, Any]:
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": {"Statement": statements}}
    return {
        "PolicyName": name,
        "Arn": f"{_IAM}policy/{name}",
        "DefaultVersionId": "v1",
        "PolicyVersionList": [version],
    }


def _user(name: str, **more: object) -> dict[str, Any]:
    return {
        "UserName": name,
        "Arn": f"{_IAM}user/{name}",
        "GroupList": [],
        "AttachedManagedPolicies": [],
        **more,
    }


def _role(name: str, trust: dict[str, Any], statements: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "RoleName": name,
        "Arn": f"{_IAM}role/{name}",
        "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", **trust}]},
        "RolePolicyList": [_policy(statements)] if statements else [],
        "AttachedManagedPolicies": [],
    }


def _group(name: str, statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "GroupName": name,
        "Arn": f"{_IAM}group/{name}",
        "GroupPolicyList": [_policy(statements)],
        "AttachedManagedPolicies": [],
    }


def _found(folder: Path, start: str, goal: str | None, **lists: list[dict[str, Any]]) -> Reach:
    return paths(_snapshot(folder, **lists), start, goal)


def _snapshot(folder: Path, **lists: list[dict[str, Any]]) -> Snapshot:
    empty: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    }
    file = folder / "account.json"
    file.write_text(json.dumps({**empty, **lists}, indent=1), encoding="utf-8")
    return load(Inputs(accounts=(str(file),)))


def _asked(folder: Path, row: dict[str, Any]) -> Reach:
    more: dict[str, object] = {"UserPolicyList": [_policy(row["statements"])]}
    if "boundary" in row or "no_boundary_at_hand" in row:
        more["PermissionsBoundary"] = {"PermissionsBoundaryArn": f"{_IAM}policy/Boundary"}
    if "attached" in row:
        more["AttachedManagedPolicies"] = [{"PolicyName": "x", "PolicyArn": row["attached"]}]
    return _found(
        folder,
        _DEV,
        row.get("goal"),
        UserDetailList=[_user("dev", **more), _user("boss")],
        GroupDetailList=[_group("admins", [{"Effect": "Allow", "Action": "*", "Resource": "*"}])],
        RoleDetailList=[_role(name, trust) for name, trust in _CASES["roles"].items()],
        Policies=[_managed("Boundary", row.get("boundary", []))] if "boundary" in row else [],
    )


@pytest.mark.parametrize("row", _CASES["rows"], ids=lambda row: row["name"])
def test_paths_are_those_of_the_case(row: dict[str, Any], tmp_path: Path) -> None:
    """Each way is found with its method, and is certain only where nothing must hold besides."""
    found = _asked(tmp_path, row)
    told = {
        path.target.removeprefix(_IAM): [path.edges[-1].method.id, "certain" if path.is_certain else "open"]
        for path in found.paths
    }
    assert told == row["reaches"]
    assert all(row.get("condition", "") in " ".join(path.edges[-1].conditions) for path in found.paths)
    assert "steps" not in row or [len(path.edges) for path in found.paths] == [row["steps"]]
    assert row.get("unknown", "") in " ".join(found.unknown)
    assert bool(found.unknown) is ("unknown" in row)


def _reached(method: Method, allowed: list[str], folder: Path, service: str) -> bool:
    """Whether somebody who may do these actions on everything gets further by the method."""
    statements = [{"Effect": "Allow", "Action": allowed, "Resource": "*"}] if allowed else []
    own = method.target is Target.OWN and method.of == "role"
    attached = [{"PolicyName": "Shared", "PolicyArn": f"{_IAM}policy/Shared"}]
    snapshot = _snapshot(
        folder,
        UserDetailList=[
            _user(
                "dev",
                UserPolicyList=[_policy(statements)] if statements else [],
                AttachedManagedPolicies=attached,
                GroupList=["team"],
            ),
            _user("boss"),
        ],
        GroupDetailList=[
            _group("team", []),
            _group("others", [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]),
        ],
        RoleDetailList=[_role("worker", {"Principal": {"Service": service}}, statements)],
        Policies=[_managed("Shared", [])],
    )
    return any(edge.method.id == method.id for edge in edges(snapshot, _ROLE if own else _DEV))


@pytest.mark.parametrize("method", methods(), ids=lambda method: method.id)
def test_every_method_is_found_and_needs_each_step(method: Method, tmp_path: Path) -> None:
    """A method is a way for whoever may do all its steps, and none without one of them or without the trust."""
    actions = [step.action for step in method.steps]
    service = method.service or "ec2.amazonaws.com"
    assert _reached(method, actions, tmp_path, service)
    for left_out in actions:
        assert not _reached(method, [each for each in actions if each != left_out], tmp_path, service)
    if method.service:
        assert not _reached(method, actions, tmp_path, "nobody.amazonaws.com")


def test_every_method_has_a_source() -> None:
    """Each row says what it gives and which page of AWS says so, and no id occurs twice."""
    assert all(method.gain and method.page for method in methods())
    assert len({method.id for method in methods()}) == len(methods())


def test_a_chain_names_the_statement_of_each_edge(tmp_path: Path) -> None:
    """A user who deploys a function as a role that may assume another reaches the other, step by step."""
    worker = [{"Sid": "Next", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": f"{_IAM}role/admin"}]
    found = _found(
        tmp_path,
        _DEV,
        ADMIN,
        UserDetailList=[
            _user(
                "dev",
                UserPolicyList=[
                    _policy(
                        [
                            {
                                "Sid": "Pass",
                                "Effect": "Allow",
                                "Action": "iam:PassRole",
                                "Resource": f"{_IAM}role/worker",
                            },
                            {"Sid": "Fn", "Effect": "Allow", "Action": "lambda:*", "Resource": "*"},
                        ]
                    )
                ],
            )
        ],
        RoleDetailList=[
            _role("worker", {"Principal": {"Service": "lambda.amazonaws.com"}}, worker),
            _role(
                "admin",
                {"Principal": {"AWS": "111122223333"}},
                [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
            ),
        ],
    )
    [path] = found.paths
    assert [edge.target.removeprefix(_IAM) for edge in path.edges] == ["role/worker", "role/admin", ADMIN]
    assert path.is_certain
    assert path.edges[0].steps[0].statements[0].startswith("Pass of Own (user dev)")
    assert path.edges[1].steps[0].statements[0].startswith("Next of Own (role worker)")
    assert "account.json:" in path.edges[1].steps[0].statements[0]


def test_reports_hold_the_paths_and_keep_names_inert(tmp_path: Path) -> None:
    """Text, JSON and HTML tell the same paths; no name of an account becomes markup or drives the terminal."""
    odd = "<b>\x1b[31m"
    found = _found(
        tmp_path,
        _DEV,
        None,
        UserDetailList=[
            _user(
                "dev",
                UserPolicyList=[
                    _policy([{"Effect": "Allow", "Action": "iam:CreateAccessKey", "Resource": "*"}])
                ],
            ),
            _user(odd),
        ],
    )
    page, text = paths_html.render(found), paths_text.render(found)
    assert [each["target"] for each in paths_text.document(found)["paths"]] == [f"{_IAM}user/{odd}"]  # type: ignore[attr-defined]  # decoded JSON
    assert "<svg" in page
    assert "<b>" not in page
    assert "\x1b" not in page + text


def test_everybody_who_reaches_the_goal_is_listed_surest_first(tmp_path: Path) -> None:
    """Asked for all, each principal has the path that it has when asked alone, and the others are not there."""
    admin = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    under_mfa = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
    snapshot = _snapshot(
        tmp_path,
        UserDetailList=[
            _user("boss", UserPolicyList=[_policy([{**admin[0], **under_mfa}])]),
            _user("dev", UserPolicyList=[_policy([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}])]),
        ],
        RoleDetailList=[
            _role("admin", {"Principal": {"AWS": f"{_IAM}user/dev"}}, admin),
            _role("idle", {"Principal": {"AWS": "444455556666"}}),
        ],
    )
    found = paths_of_all(snapshot, ADMIN)
    assert [each.start.removeprefix(_IAM) for each in found] == ["role/admin", "user/dev", "user/boss"]
    assert [each.paths[0].is_certain for each in found] == [True, True, False]
    assert all(each.paths == paths(snapshot, each.start, ADMIN).paths for each in found)
    assert "user/boss reaches every permission, if more holds" in paths_text.render_all(found)


_NAMES = [f"r{number}" for number in range(5)]
_TRUST = st.sampled_from(
    [
        {"Principal": {"AWS": f"{_IAM}root"}},
        {"Principal": {"AWS": "111122223333"}},
        {"Principal": {"AWS": f"{_IAM}role/r1"}},
        {"Principal": {"AWS": [f"{_IAM}role/r2", f"{_IAM}role/r0"]}},
        {"Principal": {"AWS": "*"}, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}},
        {"Principal": {"Service": "lambda.amazonaws.com"}},
    ]
)
_ASSUMES = st.lists(st.sampled_from([*_NAMES, "*"]), max_size=2)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_TRUST, _ASSUMES), min_size=5, max_size=5), st.sampled_from(_NAMES))
def test_ways_to_a_goal_are_the_same_from_both_ends(
    tmp_path: Path, roles: list[tuple[dict[str, Any], list[str]]], goal: str
) -> None:
    """Sought backwards from the goal, each principal's path is as sure and as short as when it is asked alone."""
    made = [
        _role(name, trust, [_assume(each) for each in assumes])
        for name, (trust, assumes) in zip(_NAMES, roles, strict=True)
    ]
    snapshot = _snapshot(tmp_path, RoleDetailList=made)
    together = {each.start: each for each in paths_of_all(snapshot, f"{_IAM}role/{goal}")}
    for name in _NAMES:
        start = f"{_IAM}role/{name}"
        alone = paths(snapshot, start, f"{_IAM}role/{goal}") if name != goal else None
        told = together.get(start)
        assert _costs(told) == _costs(alone)


def _assume(name: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": f"{_IAM}role/{name}"}


def _costs(found: Reach | None) -> list[tuple[int, int]]:
    every = found.paths if found is not None else ()
    return [(sum(not edge.is_certain for edge in path.edges), len(path.edges)) for path in every]
