"""Resources that stand for all that a policy is attached to, and the actions of a statement that work on them."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Final

from clew.aws import catalog
from clew.policy.short_api import SHORT_API, is_short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.model import Policy, Statement

# AWS: OpenSearch Service Developer Guide, "Identity and Access Management", resource-based policies: a domain's policy
# is about what is inside it; API Gateway Developer Guide: an API's about its stages, methods and paths.
_INSIDE: Final = {
    "s3": "/",
    "sns": ":",
    "lambda": ":",
    "es": "/",
    "execute-api": "/",
    "dynamodb": "/",
    "mediastore": "/",
    "s3-outposts": "/",
    "s3tables": "/",
}
_WITNESS: Final = "clew-witness"
_OF_SEVERAL_REGIONS: Final = re.compile(r"^(arn:[^:]+:s3:)(:\d{12}:accesspoint/)")
_WILD: Final = re.compile(r"\$\{[^}]*\}|[*?]")


def actions_on(statement: Statement, service: str) -> tuple[str, ...]:
    """The service's actions that the statement is about and that work on some resource."""
    aws = catalog.current()
    everything = aws.mask(f"{service}:*")
    if statement.actions is not None:
        named = aws.actions_matching(*statement.actions).mask & everything
    else:
        named = everything & ~aws.actions_matching(*(statement.not_actions or ())).mask
    return aws.names(named & ~aws.wildcard_only)


def kinds_of(witness: str) -> frozenset[str]:
    """The resource types of the catalogue that the ARN may be of.

    >>> sorted(kinds_of("arn:aws:s3::111122223333:accesspoint/m1.mrap/object/a"))
    ['accesspoint', 'accesspointobject']
    """
    # AWS: S3 User Guide, "Multi-Region Access Point permissions": a policy names its objects as those of any other
    # access point; the catalogue knows it only as what one makes and deletes.
    named = _OF_SEVERAL_REGIONS.sub(r"\1us-west-2\2", witness)
    return frozenset(kind.name for kind in catalog.current().resource_types_of(named))


def fits(action: str, kinds: frozenset[str]) -> bool:
    """Whether the action works on a resource of one of the types; where the catalogue is silent, it does."""
    known = catalog.current().action(action)
    return known is None or not kinds or any(each.name in kinds for each in known.resources)


def _inside(arn: str) -> str:
    """What the ARNs begin with that the resource's policy is about beside the resource; empty where there are none."""
    bus, _, name = arn.partition(":event-bus/")
    if name:
        # AWS: EventBridge User Guide, "Permissions for event buses": a bus's policy is about its rules, too.
        return f"{bus}:rule/" if name == "default" else f"{bus}:rule/{name}/"
    service = arn.split(":")[2]
    if service == "codeartifact" and ":repository/" in arn:
        # AWS: CodeArtifact User Guide, "Repository policies": a repository's policy is about its packages, too.
        return f"{arn.replace(':repository/', ':package/', 1)}/"
    separator = _INSIDE.get(service)
    return f"{arn}{separator}" if separator else ""


def witnesses(arn: str, policy: Policy) -> Iterator[str]:
    """The resource, something fresh inside it, and something that each resource pattern of the policy matches."""
    inside = _inside(arn)
    yield arn
    if not inside:
        return
    patterns = chain.from_iterable(
        (*(each.resources or ()), *(each.not_resources or ())) for each in policy.statements
    )
    written = (f"{inside}{each.removeprefix(SHORT_API)}" if is_short(each) else each for each in patterns)
    filled = (_WILD.sub(_WITNESS, pattern) for pattern in written)
    yield from dict.fromkeys((f"{inside}{_WITNESS}", *(name for name in filled if name.startswith(inside))))
