"""Somebody signs in to the console with SAML: provider, role, and each step as CloudTrail recorded it.

IAM user guide: "Enabling SAML 2.0 federated principals to access the AWS Management Console" (portal, assertion,
sign-in endpoint, AssumeRoleWithSAML, redirect to the console), "Configure SAML assertions for the authentication
response", "Logging IAM and AWS STS API calls with AWS CloudTrail"; STS API reference: "AssumeRoleWithSAML", Errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.resources import facts, moment
from clew.events.paths import text_at
from clew.explain.doctor import Doctor, Patient, link
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.explain.doctor import Event, Found

_AUDIENCE: Final = "https://signin.aws.amazon.com/saml"
_ASSUME, _SIGN_IN = "AssumeRoleWithSAML", "ConsoleLogin"
_ERRORS: Final = {
    "ExpiredTokenException": "the assertion is older than five minutes: look at the clock of the identity provider",
    "IDPRejectedClaim": "the identity provider refused the claim: look at its own log",
    "InvalidIdentityToken": "AWS cannot verify it: give IAM the provider's new metadata, check the audience",
    "AccessDenied": "the role's trust policy does not accept the assertion: provider, action, audience or attributes",
    "PackedPolicyTooLarge": "the session tags of the assertion are too long",
}
"""What each error of AssumeRoleWithSAML calls for."""


def _links(patient: Patient) -> Iterator[Link]:
    provider, role = patient.given["provider"], patient.given["role"]
    first, found = patient.find("provider", "iam:ListSAMLProviders", "SAMLProviderList", provider, "Arn")
    yield first
    if found is not None:
        yield _valid(patient, found)
    yield patient.find("role", "iam:GetAccountAuthorizationDetails", "RoleDetailList", role, "Arn")[0]
    fix = f"let the trust policy allow `sts:AssumeRoleWithSAML` to `{provider}` where SAML:aud is {_AUDIENCE}"
    # The attributes of the assertion that the trust policy asks for are not known; its audience is.
    yield patient.permitted("trust", provider, "sts:AssumeRoleWithSAML", role, fix, **{"SAML:aud": _AUDIENCE})
    assumed = _last(patient, _ASSUME, role)
    yield _assertion(role, provider, assumed)
    yield _assumed(patient, role, assumed)
    if assumed is not None and not text_at(assumed, "errorCode"):
        yield _signed_in(patient, role, text_at(assumed, "eventTime"))


def _valid(patient: Patient, found: Found) -> Link:
    ends = moment(found.text("ValidUntil"))
    return link(
        "provider-valid",
        holds=ends is None or ends > patient.state.as_of,
        says=(
            "the provider's metadata is valid",
            f"the provider's metadata ended at {found.text('ValidUntil')}",
        ),
        evidence=facts(found.data, "ValidUntil"),
        fix="aws iam update-saml-provider, with the new metadata of the identity provider",
    )


def _last(patient: Patient, name: str, role: str) -> Event | None:
    """The last recorded call of that name that asked for the role."""
    asked = (
        each
        for each in reversed(patient.events or ())
        if text_at(each, "eventName") == name and text_at(each, "requestParameters", "roleArn") == role
    )
    return next(asked, None)


def _told(event: Event) -> tuple[tuple[str, str], ...]:
    shown = ("eventID", "eventTime", "errorCode", "errorMessage", "sourceIPAddress")
    return tuple((name, text_at(event, name)) for name in shown if text_at(event, name))


def _assertion(role: str, provider: str, assumed: Event | None) -> Link:
    """What the assertion must hold; only its success shows that it did."""
    must = (
        ("Audience", _AUDIENCE),
        ("attribute Role", f"{role},{provider}"),
        ("attribute RoleSessionName", "2 to 64 letters, digits and =,.@-_"),
    )
    if assumed is not None and not text_at(assumed, "errorCode"):
        return Link("assertion", Verdict.HOLDS, "AWS took the assertion", _told(assumed))
    says = "no record shows the assertion; it must hold what stands here"
    settle = "decode the SAMLResponse that the browser posts (base64), and compare"
    return Link("assertion", Verdict.UNKNOWN, says, must, settle=settle)


def _assumed(patient: Patient, role: str, assumed: Event | None) -> Link:
    """The step of the sign-in endpoint: AssumeRoleWithSAML."""
    if assumed is None:
        where = "no lake is at hand" if patient.events is None else f"none for `{role}` is recorded"
        says = f"{where}: whether the browser came as far as AssumeRoleWithSAML is open"
        settle = "clew ingest, of the region of the sign-in endpoint (us-east-1, where it is the global one)"
        return Link("assume-role", Verdict.UNKNOWN, says, settle=settle)
    code = text_at(assumed, "errorCode")
    fix = next(
        (fix for name, fix in _ERRORS.items() if code.startswith(name)), "see the message of the record"
    )
    return link(
        "assume-role",
        holds=not code,
        says=("AssumeRoleWithSAML gave a session", f"AssumeRoleWithSAML was refused: {code}"),
        evidence=_told(assumed),
        fix=fix,
    )


def _signed_in(patient: Patient, role: str, since: str) -> Link:
    """The last step: the console's own record of the session."""
    session = f":assumed-role/{role.rpartition('/')[2]}/"
    found = [
        each
        for each in patient.events or ()
        if text_at(each, "eventName") == _SIGN_IN
        and session in text_at(each, "userIdentity", "arn")
        and text_at(each, "eventTime") >= since
    ]
    if not found:
        says = "a session was given, and no sign-in to the console with it is recorded"
        settle = "clew events --event-name ConsoleLogin, in every region: the endpoint decides where it is recorded"
        return Link("sign-in", Verdict.UNKNOWN, says, settle=settle)
    answer = text_at(found[0], "responseElements", "ConsoleLogin")
    says_both = ("the console let the session in", f"the console said {answer or 'nothing'}")
    return link(
        "sign-in", holds=answer == "Success", says=says_both, evidence=_told(found[0]), fix="sign in again"
    )


DOCTOR = Doctor(
    "saml-console",
    "Somebody signs in to the console with SAML",
    _links,
    needs=("provider", "role"),
    looks="the provider and its metadata, the role's trust, the assertion, AssumeRoleWithSAML, ConsoleLogin",
    events=(_ASSUME, _SIGN_IN),
)
