"""Mail of an instance reaches Amazon SES by SMTP: the port, the way out, and what SES itself asks.

SES developer guide: "Connecting to an Amazon SES SMTP endpoint" (STARTTLS on 25, 587 and 2587, TLS on 465 and 2465;
EC2 throttles port 25 until AWS lifts that on request), "Obtaining Amazon SES SMTP credentials" (ses:SendRawEmail),
"Request production access".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.errors import UsageError
from clew.explain import instances, way_out
from clew.explain.doctor import Doctor, Patient, link
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

_PORTS: Final = (25, 465, 587, 2465, 2587)
_THROTTLED: Final = 25


def _links(patient: Patient) -> Iterator[Link]:
    port = _port(patient.given["port"])
    first, found = instances.found(patient, patient.given["instance"])
    yield first
    if found is None:
        return
    yield instances.running(found)
    says = (f"SES listens on port {port}", f"SES does not listen on port {port}")
    yield link(
        "port", holds=port in _PORTS, says=says, fix="use 587 or 2587 (STARTTLS), or 465 or 2465 (TLS)"
    )
    if port == _THROTTLED:
        yield _throttle(patient.given.get("throttle", ""))
    yield from way_out.links(patient, found, port, ("email-smtp",))
    yield _production(patient.given.get("sandbox", ""))
    who = patient.given.get("principal", "")
    if who:
        yield patient.permitted("credentials", who, "ses:SendRawEmail", "*")
    else:
        says_who = "whose SMTP credentials are used is not told; they are made from the key of an IAM user"
        yield Link("credentials", Verdict.UNKNOWN, says_who, settle="give `--principal`, the user's ARN")


def _port(said: str) -> int:
    if not said.isdigit() or not 0 < int(said) < 65536:  # noqa: PLR2004  # ports of TCP
        raise UsageError(f"`--port {said[:20]}` is no port; SES listens on {', '.join(map(str, _PORTS))}")
    return int(said)


def _throttle(said: str) -> Link:
    """The throttle of EC2 on port 25, which only AWS can lift and no API shows."""
    if said == "lifted":
        return Link("port-25", Verdict.HOLDS, "AWS has lifted the throttle on port 25, as was told")
    fix = "send to port 587 or 2587, or ask AWS: Request to Remove Email Sending Limitations"
    if said == "on":
        return Link("port-25", Verdict.BROKEN, "EC2 throttles what an instance sends to port 25", fix=fix)
    says = "EC2 throttles what an instance sends to port 25, unless AWS has lifted that on request"
    return Link("port-25", Verdict.UNKNOWN, says, settle=f"give `--throttle on|lifted`; or {fix}")


def _production(said: str) -> Link:
    """AWS: "Request production access": in the sandbox mail goes to verified addresses only."""
    if said:
        says = (
            "SES has left the sandbox, as was told",
            "SES is in the sandbox: only verified addresses get mail",
        )
        return link(
            "sandbox", holds=said == "no", says=says, fix="aws sesv2 put-account-details, in that region"
        )
    says_open = "whether SES is in the sandbox of that region is not collected"
    return Link(
        "sandbox", Verdict.UNKNOWN, says_open, settle="aws sesv2 get-account; give `--sandbox yes|no`"
    )


DOCTOR = Doctor(
    "ses-smtp",
    "Mail of an instance reaches Amazon SES",
    _links,
    needs=("instance", "port"),
    may=("throttle", "sandbox", "principal"),
    looks="the port, the throttle on port 25, the way out, the sandbox, the user behind the SMTP credentials",
)
