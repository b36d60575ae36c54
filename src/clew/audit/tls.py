"""What a bucket's policy lets pass without TLS, asked of the engine action by action."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from clew.audit.resources import listing
from clew.aws import catalog
from clew.engine import Context, Effect, Policies, Request, prepare
from clew.policy.model import Policy
from clew.reach.alike import alike

if TYPE_CHECKING:
    from clew.policy.model import Statement

# A request over plain HTTP: it has no TLS version; nothing else is known of it.
_HTTP: Final = Context({"aws:SecureTransport": "false"}, unknown=None, absent=("s3:TlsVersion",))
_INSIDE: Final = {"bucket": "", "object": "/clew-witness"}


@dataclass(frozen=True, slots=True)
class Gaps:
    """The actions on the bucket and on objects that pass without TLS, as far as the policy says."""

    bucket: tuple[str, ...]
    object: tuple[str, ...]
    of: int
    denies_old_versions: bool

    @property
    def is_none(self) -> bool:
        """Whether everything without TLS is denied."""
        return not self.bucket and not self.object

    @property
    def evidence(self) -> tuple[tuple[str, str], ...]:
        """The first actions that pass."""
        return (("passes on the bucket", listing(self.bucket)), ("passes on objects", listing(self.object)))

    def __str__(self) -> str:
        old = (
            "; a Deny of old TLS versions does not reach requests without TLS"
            if self.denies_old_versions
            else ""
        )
        if len(self.bucket) + len(self.object) == self.of:
            return f"does not deny plain HTTP{old}"
        if not self.bucket:
            return f"denies plain HTTP on the bucket, but not all of it on objects: {listing(self.object)}"
        if not self.object:
            return f"denies plain HTTP on objects, but not all of it on the bucket: {listing(self.bucket)}"
        return f"denies plain HTTP for some actions only; passes: {listing((*self.bucket, *self.object))}"


def http_gaps(policy: Policy, arn: str, account: str) -> Gaps:
    """What passes without TLS; a Deny that spares some principals counts for nobody."""
    denials = tuple(each for each in policy.statements if not each.allows and each.not_principals is None)
    if not denials:
        every = {kind: tuple(action for action, of in _actions() if of == kind) for kind in _INSIDE}
        return Gaps(every["bucket"], every["object"], len(_actions()), denies_old_versions=False)
    prepared = prepare(Policies(resource=Policy(denials, policy.version)))
    found: dict[str, list[str]] = {kind: [] for kind in _INSIDE}
    for kind, inside in _INSIDE.items():
        for group in alike((action for action, of in _actions() if of == kind), denials):
            request = Request("*", group[0], f"{arn}{inside}", account, _HTTP)
            if prepared.effect(request) is not Effect.EXPLICIT_DENY:
                found[kind] += group
    old = any(_is_about_versions(each) for each in denials)
    return Gaps(tuple(found["bucket"]), tuple(found["object"]), len(_actions()), old)


def _is_about_versions(statement: Statement) -> bool:
    return any(condition.key.lower() == "s3:tlsversion" for condition in statement.conditions)


@lru_cache(maxsize=1)
def _actions() -> tuple[tuple[str, str], ...]:
    """Each action with the kind of resource that it works on, for buckets and objects."""
    return tuple(
        (action.full_name, resource.name)
        for action in catalog.current().actions("s3")
        for resource in action.resources
        if resource.name in _INSIDE
    )
