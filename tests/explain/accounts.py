"""Accounts written short, as a snapshot: users and roles by their ARNs, policies in the words of the engine's cases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.engine.cases import policy

from clew.snapshot import details, side
from clew.snapshot.model import Organization, Snapshot, Source

Given = Mapping[str, Any]


def snapshot(
    users: Given, roles: Given, *, accounts: tuple[str, ...] = (), resources: Given | None = None
) -> Snapshot:
    """The snapshot of these principals; each account that one names is there whole, and those in `accounts`."""
    collected = details.Collected()
    content = authorization_details(users, roles)
    for number in accounts:
        content["UserDetailList"].append(_user(f"arn:aws:iam::{number}:user/somebody", {}))
    assert collected.add(Source("details.json", json.dumps(content)))
    longest = {arn: each["longest"] for arn, each in roles.items() if "longest" in each}
    collected.add_session_lengths({"Arn": arn, "MaxSessionDuration": n} for arn, n in longest.items())
    held = {arn: {**each, "Policy": policy(each["Policy"])} for arn, each in (resources or {}).items()}
    return Snapshot(
        collected.accounts(), side.resources(Source("resources.json", json.dumps(held))), Organization()
    )


def authorization_details(users: Given, roles: Given) -> dict[str, list[Any]]:
    """What GetAccountAuthorizationDetails would say of these users and roles."""
    edges = {arn: each["boundary"] for arn, each in {**users, **roles}.items() if "boundary" in each}
    return {
        "UserDetailList": [_user(arn, each) for arn, each in users.items()],
        "GroupDetailList": [],
        "RoleDetailList": [_role(arn, each) for arn, each in roles.items()],
        "Policies": [_edge(arn, written) for arn, written in edges.items()],
    }


def _user(arn: str, given: Given) -> dict[str, Any]:
    user = {"UserName": arn.rpartition("/")[2], "UserId": "AIDA", "Arn": arn, "GroupList": []}
    return {**user, "UserPolicyList": _inline(given), **_shared(arn, given)}


def _role(arn: str, given: Given) -> dict[str, Any]:
    trust = policy(given.get("trust", "Allow sts:AssumeRole to ec2.amazonaws.com"))
    role = {
        "RoleName": arn.rpartition("/")[2],
        "RoleId": "AROA",
        "Arn": arn,
        "AssumeRolePolicyDocument": trust,
    }
    return {
        **role,
        "InstanceProfileList": [{"Arn": given["profile"]}] if "profile" in given else [],
        "RolePolicyList": _inline(given),
        **_shared(arn, given),
    }


def _shared(arn: str, given: Given) -> dict[str, Any]:
    path = arn.split(":", 5)[-1].partition("/")[2].rpartition("/")[0]
    found: dict[str, Any] = {
        "Path": f"/{path}/" if path else "/",
        "AttachedManagedPolicies": [],
        "Tags": [{"Key": key, "Value": value} for key, value in given.get("tags", {}).items()],
    }
    if "boundary" in given:
        found["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": _edge_arn(arn),
        }
    return found


def _edge_arn(arn: str) -> str:
    return f"arn:aws:iam::{arn.split(':')[4]}:policy/Edge-{arn.rpartition('/')[2]}"


def _edge(arn: str, written: object) -> dict[str, Any]:
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": policy(written)}
    name = _edge_arn(arn)
    return {
        "PolicyName": name.rpartition("/")[2],
        "Arn": name,
        "DefaultVersionId": "v1",
        "PolicyVersionList": [version],
    }


def _inline(given: Given) -> list[dict[str, Any]]:
    if "identity" not in given:
        return []
    return [{"PolicyName": "Own", "PolicyDocument": policy(given["identity"])}]
