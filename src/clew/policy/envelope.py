"""What AWS's command line puts around a policy document: the document within, wherever it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from clew.policy.json_positions import Node

# AWS CLI: get-policy-version, get-role, get-role-policy and its kin, get-bucket-policy, get-key-policy, get-policy of
# Lambda, get-topic-attributes, get-queue-attributes, get-resource-policy of Secrets Manager, describe-policy of
# Organizations, get-vault-access-policy, get-vault-lock.
_PLACES: Final = (
    ("PolicyVersion", "Document"),
    ("Role", "AssumeRolePolicyDocument"),
    ("AssumeRolePolicyDocument",),
    ("PolicyDocument",),
    ("Policy", "Content"),
    ("Policy",),
    ("policy", "Policy"),
    ("Attributes", "Policy"),
    ("ResourcePolicy",),
)
_OWN: Final = frozenset({"statement", "version", "effect", "action", "notaction"})


def inner(root: Node) -> Node | None:
    """The node of the policy document in the output of an AWS command; None when the root is no such output.

    The node is an object, or a string that holds the document as JSON text.
    """
    names = {key.text.lower() for key, _ in root.members}
    if not names or names & _OWN:
        return None
    return next((found for place in _PLACES if (found := _at(root, place)) is not None), None)


def _at(root: Node, place: tuple[str, ...]) -> Node | None:
    found: Node | None = root
    for name in place:
        found = found.get(name) if found is not None else None
    return found if found is not None and found.kind in {"object", "string"} else None
