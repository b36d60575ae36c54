"""A visitor gets credentials from a Cognito identity pool, signed in or not, and can do something with them.

Cognito developer guide: "Role trust and permissions" (audience and amr of the token), "IAM roles", Access policies
(what the enhanced flow narrows the role to for those who are not signed in).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked
from clew.audit.resources import facts, member, text
from clew.errors import UsageError
from clew.explain.doctor import Doctor, Patient, link, unanswered
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine.request import ContextValue

_PROVIDER: Final = "cognito-identity.amazonaws.com"
_KINDS: Final = ("unauthenticated", "authenticated")
_FOR_GUESTS: Final = frozenset({
    "appsync", "cloudwatch", "cognito-identity", "cognito-sync", "comprehend", "dynamodb", "firehose", "gamelift",
    "geo", "iot", "kinesis", "lambda", "lex", "machinelearning", "mobileanalytics", "mobiletargeting", "polly",
    "rekognition", "s3", "sdb", "ses", "sns", "sqs", "sumerian", "transcribe", "translate",
})  # fmt: skip
"""Services whose every action the enhanced flow leaves to visitors who are not signed in."""
_SOME_FOR_GUESTS: Final = frozenset({
    "kms:encrypt", "kms:decrypt", "kms:reencryptfrom", "kms:reencryptto", "kms:generatedatakey",
    "sagemaker:invokeendpoint", "textract:detectdocumenttext", "textract:analyzedocument",
})  # fmt: skip


def _links(patient: Patient) -> Iterator[Link]:
    kind = patient.given.get("kind", "unauthenticated")
    if kind not in _KINDS:
        raise UsageError(f"`--kind {kind[:40]}`: expected {' or '.join(_KINDS)}")
    wanted = patient.given["pool"]
    first, found = patient.find(
        "pool",
        "cognito-identity:ListIdentityPools",
        "IdentityPools",
        wanted,
        "IdentityPoolId",
        "IdentityPoolName",
    )
    yield first
    if found is None:
        return
    pool = found.text("IdentityPoolId")
    said = patient.state.about(found.answer, "DescribeIdentityPool", IdentityPoolId=pool)
    if kind == "unauthenticated":
        yield (
            unanswered("guests", said)
            if not said.status.is_known
            else link(
                "guests",
                holds=member(said.body, "AllowUnauthenticatedIdentities") is True,
                says=(
                    "the pool takes visitors who are not signed in",
                    "the pool takes nobody who is not signed in",
                ),
                evidence=(*asked(said), *facts(said.body, "AllowUnauthenticatedIdentities")),
                fix="aws cognito-identity update-identity-pool --allow-unauthenticated-identities",
            )
        )
    told = patient.state.about(found.answer, "GetIdentityPoolRoles", IdentityPoolId=pool)
    if not told.status.is_known:
        yield unanswered("role", told)
        return
    role = text(told.body, f"Roles.{kind}")
    says = (f"the pool gives {role}", f"the pool has no role for {kind} identities")
    yield link(
        "role",
        holds=bool(role),
        says=says,
        evidence=asked(told),
        fix="aws cognito-identity set-identity-pool-roles",
    )
    if role:
        yield _trust(patient, pool, role, kind)
        classic = member(said.body, "AllowClassicFlow") is True
        yield from _work(patient, role, kind, classic=classic)


def _trust(patient: Patient, pool: str, role: str, kind: str) -> Link:
    """The token that Cognito makes holds the pool as its audience, and `amr` says whether somebody signed in."""
    token: dict[str, ContextValue] = {f"{_PROVIDER}:aud": pool, f"{_PROVIDER}:amr": (kind,)}
    fix = f"let the trust policy allow `sts:AssumeRoleWithWebIdentity` to `{_PROVIDER}` for aud {pool} and amr {kind}"
    return patient.permitted("trust", _PROVIDER, "sts:AssumeRoleWithWebIdentity", role, fix, **token)


def _work(patient: Patient, role: str, kind: str, *, classic: bool) -> Iterator[Link]:
    action = patient.given.get("action", "")
    if not action:
        return
    if kind == "unauthenticated":
        yield _narrowed(action.lower(), classic=classic)
    parts = role.split(":")
    session = (
        f"arn:{parts[1]}:sts::{parts[4]}:assumed-role/{role.rpartition('/')[2]}/CognitoIdentityCredentials"
    )
    yield patient.permitted("permission", session, action, patient.given.get("resource", "*"))


def _narrowed(action: str, *, classic: bool) -> Link:
    """What the enhanced flow leaves of the role's permissions to a visitor who is not signed in."""
    service = action.partition(":")[0]
    if service in _FOR_GUESTS or action in _SOME_FOR_GUESTS:
        return Link("guest-services", Verdict.HOLDS, f"the enhanced flow leaves `{action}` to guests")
    fix = "use the basic (classic) flow, or let the visitor sign in"
    if service == "logs":
        says = "AWS names CloudWatch among the services for guests, and not whether its logs are meant"
        return Link("guest-services", Verdict.UNKNOWN, says, settle=f"try it; {fix}")
    if classic:
        says = (
            f"the enhanced flow takes `{action}` from guests; the pool allows the basic flow, which does not"
        )
        return Link("guest-services", Verdict.UNKNOWN, says, settle="look at which flow the application uses")
    says = f"the enhanced flow takes `{action}` from guests, whatever the role allows"
    return Link("guest-services", Verdict.BROKEN, says, fix=fix)


DOCTOR = Doctor(
    "cognito-identity-pool",
    "A visitor gets credentials from an identity pool and can use them",
    _links,
    needs=("pool",),
    may=("kind", "action", "resource"),
    looks="guests allowed, the role, its trust for the pool and amr, what the enhanced flow leaves, the permission",
)
