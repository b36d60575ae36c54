"""A pre-signed URL works: signature, age, the session that signed it, and the signer's own permission.

S3 user guide: "Download and upload objects with presigned URLs"; S3 API reference: "Authenticating Requests: Using
Query Parameters (AWS Signature Version 4)", "Signing and authenticating REST requests" (version 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, unquote, urlsplit

from clew.audit.resources import moment
from clew.errors import UsageError
from clew.explain.doctor import Doctor, Patient, link
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Signed:
    """What a pre-signed URL says of itself. Units: times are UTC; `begins` is None for version 2, which has none."""

    version: str
    key_id: str
    begins: datetime | None
    ends: datetime
    has_token: bool
    resource: str

    @property
    def is_of_session(self) -> bool:
        """Whether temporary credentials signed it: it ends with them."""
        return self.has_token or self.key_id.startswith("ASIA")


def read(url: str) -> Signed:
    """The URL's parts; its signature is not kept. Errors: `UsageError` for a URL that nobody signed."""
    parts = urlsplit(url)
    given = {key.lower(): values[0] for key, values in parse_qs(parts.query).items()}
    resource = _resource(parts.hostname or "", unquote(parts.path))
    has_token = "x-amz-security-token" in given
    try:
        if "x-amz-signature" in given:
            begins = datetime.strptime(given["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            ends = begins + timedelta(seconds=int(given["x-amz-expires"]))
            return Signed("4", given["x-amz-credential"].partition("/")[0], begins, ends, has_token, resource)
        if "signature" in given:
            ends = datetime.fromtimestamp(int(given["expires"]), UTC)
            return Signed("2", given["awsaccesskeyid"], None, ends, has_token, resource)
    except (KeyError, ValueError, OverflowError, OSError) as error:
        raise UsageError("the URL lacks a part of its signature, or one cannot be read") from error
    raise UsageError(
        "the URL is not pre-signed; expected `X-Amz-Signature` or `Signature` among its parameters"
    )


def _resource(host: str, path: str) -> str:
    """The object: the bucket stands before `.s3` in the host, else first in the path."""
    name = host.partition(".s3")[0] if ".s3" in host else ""
    return f"arn:aws:s3:::{name}{path}" if name else f"arn:aws:s3:::{path.lstrip('/')}"


def _links(patient: Patient) -> Iterator[Link]:
    signed = read(patient.given["url"])
    now = moment(patient.given.get("at", "")) or patient.state.as_of
    yield _signature(signed)
    if signed.begins is not None:
        length = signed.ends - signed.begins
        says = (f"it asks for {length}", f"it asks for {length}; seven days are the most")
        yield link("length", holds=length <= _LONGEST, says=says, fix="sign for a shorter time")
    says = (
        f"the URL ends at {signed.ends:%Y-%m-%dT%H:%M:%SZ}",
        f"the URL ended at {signed.ends:%Y-%m-%dT%H:%M:%SZ}",
    )
    seen = (("looked at", f"{now:%Y-%m-%dT%H:%M:%SZ}"),)
    yield link("not-expired", holds=now < signed.ends, says=says, evidence=seen, fix="sign it anew")
    yield _session(patient, signed, now)
    yield _signer(patient, signed)


def _signature(signed: Signed) -> Link:
    if signed.version == "4":
        return Link("signature", Verdict.HOLDS, "signature version 4", (("key id", signed.key_id),))
    says = "signature version 2: refused in regions opened since 2014, and for objects under a KMS key"
    settle = "aws s3api head-object, to see the object's encryption; or sign with version 4"
    return Link("signature", Verdict.UNKNOWN, says, (("key id", signed.key_id),), settle=settle)


def _session(patient: Patient, signed: Signed, now: datetime) -> Link:
    """The URL ends with the credentials that signed it, whichever is earlier."""
    if not signed.is_of_session:
        return Link("session", Verdict.HOLDS, "a long-term key signed it: no session ends before the URL")
    ends = moment(patient.given.get("session-ends", ""))
    if ends is None:
        says = "temporary credentials signed it: it ends with their session, which may be earlier"
        settle = f"give `--session-ends`; clew events --access-key {signed.key_id}"
        return Link("session", Verdict.UNKNOWN, says, settle=settle)
    first = min(ends, signed.ends)
    told = (
        f"URL and session hold until {first:%Y-%m-%dT%H:%M:%SZ}",
        f"its session ended at {ends:%Y-%m-%dT%H:%M:%SZ}",
    )
    return link(
        "session", holds=now < ends, says=told, fix="sign with a session, or a key, that lasts long enough"
    )


def _signer(patient: Patient, signed: Signed) -> Link:
    """The URL does what its signer may do at the time of use."""
    who = patient.given.get("principal", "")
    if who:
        return patient.permitted("signer", who, "s3:GetObject", signed.resource)
    says = f"who holds the key `{signed.key_id}` is not told"
    settle = f"give `--principal`; aws iam get-access-key-last-used --access-key-id {signed.key_id}"
    return Link("signer", Verdict.UNKNOWN, says, settle=settle)


DOCTOR = Doctor(
    "presigned-url",
    "A pre-signed URL works",
    _links,
    needs=("url",),
    may=("at", "principal", "session-ends"),
    looks="signature version, length, its end and the session's, whichever is earlier, the signer's permission",
)
