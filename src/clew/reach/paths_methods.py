"""The known ways from one principal's permissions to another's, as data: `paths_methods.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Target(StrEnum):
    """What a method reaches from the attacker."""

    USER = "user"
    ROLE = "role"
    OWN = "own"
    OWN_GROUP = "own-group"
    OWN_POLICY = "own-policy"
    GROUP = "group"


class Step(NamedTuple):
    """One action that must be allowed, and on what: `target`, `self`, or `any` resource of the action's types."""

    action: str
    on: str


@dataclass(frozen=True, slots=True)
class Method:
    """One way: the actions that it takes, what they give, and AWS's page that says so.

    `of` limits who can go it, `user` or `role`; `service` must be trusted by the role; `needs` must exist besides.
    """

    id: str
    target: Target
    steps: tuple[Step, ...]
    gain: str
    page: str
    of: str = ""
    service: str = ""
    needs: str = ""
    context: Mapping[str, str] = field(default_factory=dict)


ASSUME = Method(
    "AssumeRole",
    Target.ROLE,
    (Step("sts:AssumeRole", "target"),),
    "a session of the role",
    "AWS STS API reference, AssumeRole",
)
"""The way that the trust policy itself opens."""

ADMINISTRATOR = Method(
    "administrator",
    Target.OWN,
    (Step("iam:*", "any"),),
    "every action of IAM on every resource, so every permission",
    "IAM user guide, Policies and permissions in AWS Identity and Access Management",
)
"""No way at all: the principal has it already."""


@cache
def methods() -> tuple[Method, ...]:
    """Every method of the table, in its order.

    >>> [each.gain for each in methods() if each.id == "CreateAccessKey"]
    ['a long-term key of the user']
    """
    text = files("clew.reach").joinpath("paths_methods.toml").read_text(encoding="utf-8")
    return tuple(
        Method(
            **{**row, "target": Target(row["target"]), "steps": tuple(Step(*each) for each in row["steps"])}
        )
        for row in tomllib.loads(text)["method"]
    )
