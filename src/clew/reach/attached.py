"""Policies with where they are attached, and those that are attached but of which the document is not at hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from clew.errors import PolicyError
from clew.policy.model import Condition, Effect, Policy, Principal, Statement
from clew.snapshot.model import LEFT_OUT

if TYPE_CHECKING:
    from clew.snapshot.model import Document

UNKNOWN_DOCUMENT: Final = "clew:document/"
"""Begins the made-up context keys that stand for documents nobody has given: always unknown."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A policy in its place: the document (None when it is not at hand), and whose it is, as in `user carlos`.

    `kind` is IAM's word for the source in a simulation: `user`, `group`, `role`, `aws-managed`, `user-managed`,
    `resource` or `none`. `label` names the policy for a reader; `why` says of one that is not at hand what is missing.
    A policy of the question's own has its option as holder and its `number` among those of the option, from 1.
    """

    document: Document | None
    holder: str
    kind: str
    label: str
    number: int = 1
    why: str = ""

    @property
    def name(self) -> str:
        """The policy's own name."""
        if self.document is not None:
            return self.document.name
        return self.label.rpartition("/")[2] if self.label.startswith("arn:") else self.label

    @property
    def arn(self) -> str | None:
        """The ARN of a managed policy."""
        if self.document is not None:
            return self.document.arn
        return self.label if self.label.startswith("arn:") else None


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that takes part in the decision and is not at hand; `why` says what it is and how to give it."""

    key: str
    why: str


@dataclass(frozen=True, slots=True)
class Held:
    """The policies of one gate, side by side with where each is attached, and what of them is missing."""

    policies: tuple[Policy, ...]
    attachments: tuple[Attachment, ...]
    missing: tuple[Missing, ...] = ()


def held(attachments: tuple[Attachment, ...], *, with_principal: bool = False) -> Held:
    """Each attachment's policy, or, where its document is missing or unreadable, one that nobody knows."""
    policies: list[Policy] = []
    missing: list[Missing] = []
    kept: list[Attachment] = []
    for attachment in attachments:
        policy = _policy(attachment)
        is_missing = isinstance(policy, Missing)
        kept.append(replace(attachment, document=None) if is_missing else attachment)
        if isinstance(policy, Missing):
            missing.append(policy)
            policy = unknown_policy(policy.key, with_principal=with_principal)
        policies.append(policy)
    return Held(tuple(policies), tuple(kept), tuple(missing))


def _policy(attachment: Attachment) -> Policy | Missing:
    if attachment.document is None:
        return Missing(
            f"{UNKNOWN_DOCUMENT}{attachment.label}",
            attachment.why
            or f"the document of {attachment.label} ({attachment.holder}) is not in the files given",
        )
    try:
        return attachment.document.remembered_meaning
    except PolicyError as error:
        if attachment.document.is_whole_file:
            raise
        why = str(error)
        says = f"was {why}" if why.startswith(LEFT_OUT) else f"cannot be read: {why}"
        what = f"the document of {attachment.label} ({attachment.holder})"
        return Missing(f"{UNKNOWN_DOCUMENT}{attachment.label}", f"{what} {says}")


_SAYS = ((Effect.ALLOW, "allows it"), (Effect.DENY, "denies it"))


def unknown_policy(key: str, *, with_principal: bool = False) -> Policy:
    """A policy that may allow and may deny every request: which, nobody knows.

    Its two statements have a condition on a key that is always unknown, so that the engine's three-valued logic draws
    every consequence: an explicit deny elsewhere still decides, anything else may stay open.
    """
    anyone = (Principal("*", "*"),) if with_principal else None
    return Policy(
        tuple(
            Statement(
                effect=effect,
                principals=anyone,
                actions=("*",),
                resources=("*",),
                conditions=(Condition("StringEquals", key, (says,)),),
                index=index,
            )
            for index, (effect, says) in enumerate(_SAYS)
        ),
        version="2012-10-17",
    )
