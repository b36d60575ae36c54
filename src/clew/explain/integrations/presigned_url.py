"""A pre-signed URL works: signature, age, the session that signed it, and the signer's own permission.

S3 user guide: "Download and upload objects with presigned URLs"; S3 API reference: "Authenticating Requests: Using
Query Parameters (AWS Signature Version 4)", "Specifying the signature version in request authentication" (version 2 is
being turned off, and was never there in newer regions); AWS announcement of June 2019 (buckets made after 24 June 2020
take version 4 only); "Specifying server-side encryption with AWS KMS" (objects under KMS keys need version 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, unquote, urlsplit

from clew.audit.buckets import asked, bucket, region_of
from clew.audit.resources import moment
from clew.errors import UsageError
from clew.explain.doctor import Doctor, Patient, link
from clew.explain.held_buckets import encryption
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.buckets import Bucket

_LONGEST: Final = timedelta(days=7)
_METHODS: Final = {
    "GET": "s3:GetObject",
    "HEAD": "s3:GetObject",
    "PUT": "s3:PutObject",
    "DELETE": "s3:DeleteObject",
}
"""What the signer must be allowed, by the method of the request."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a pre-signed URL says of itself. Units: times are UTC; `begins` is None for version 2, which has none."""

    version: str
    key_id: str
    begins: datetime | None
    ends: datetime
    has_token: bool
    resource: str
    region: str = ""

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
            key_id, _, scope = given["x-amz-credential"].partition("/")
            region = [*scope.split("/"), "", ""][1]
            return Signed("4", key_id, begins, ends, has_token, resource, region)
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
    yield _signature(patient, signed)
    if signed.region:
        yield from _region(patient, signed)
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


_OLD_REGIONS: Final = frozenset({
    "us-east-1", "us-west-1", "us-west-2", "eu-west-1", "sa-east-1",
    "ap-northeast-1", "ap-southeast-1", "ap-southeast-2",
})  # fmt: skip
"""The regions from before 2014, the only ones that ever took version 2."""
_NEW_BUCKETS: Final = datetime(2020, 6, 24, tzinfo=UTC)
_SIGN_ANEW: Final = "sign with version 4: aws s3 presign; aws configure set default.s3.signature_version s3v4"


def _bucket_of(patient: Patient, signed: Signed) -> Bucket:
    return bucket(patient.state, signed.resource.rpartition(":")[2].partition("/")[0])


def _signature(patient: Patient, signed: Signed) -> Link:
    seen = (("key id", signed.key_id),)
    if signed.version == "4":
        return Link("signature", Verdict.HOLDS, "signature version 4", seen)
    held = _bucket_of(patient, signed)
    for why in filter(None, (_too_new(patient, held), _elsewhere(held), _under_kms(held))):
        return Link("signature", Verdict.BROKEN, f"signature version 2: {why}", seen, _SIGN_ANEW)
    says = "signature version 2 is being turned off: whether this bucket and object still take it no API says"
    settle = f"aws s3api head-object, to see the object's encryption; or {_SIGN_ANEW}"
    return Link("signature", Verdict.UNKNOWN, says, seen, settle=settle)


def _too_new(patient: Patient, held: Bucket) -> str:
    _, found = patient.find("bucket", "s3:ListBuckets", "Buckets", held.name, "Name")
    made = moment(found.text("CreationDate")) if found is not None else None
    return (
        "buckets made after 24 June 2020 do not take it" if made is not None and made > _NEW_BUCKETS else ""
    )


def _elsewhere(held: Bucket) -> str:
    where = held.said("GetBucketLocation")
    region = region_of(where)
    known = where.status.is_known and region not in _OLD_REGIONS
    return f"region {region} never took it" if known else ""


def _under_kms(held: Bucket) -> str:
    what = "the bucket encrypts with KMS keys, whose objects it cannot ask for"
    return what if encryption(held).is_kms else ""


def _region(patient: Patient, signed: Signed) -> Iterator[Link]:
    """Version 4 signs for one region, which must be the bucket's."""
    where = _bucket_of(patient, signed).said("GetBucketLocation")
    if where.status.is_known:
        region = region_of(where)
        says = (f"signed for {region}", f"signed for {signed.region}, and the bucket is in {region}")
        fix = f"sign with `--region {region}`"
        yield link("region", holds=region == signed.region, says=says, evidence=asked(where), fix=fix)


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
    """The URL does what its signer may do at the time of use, and only for the method that was signed."""
    who, method = patient.given.get("principal", ""), patient.given.get("method", "GET").upper()
    if method not in _METHODS:
        raise UsageError(f"`--method {method[:20]}`: expected {', '.join(_METHODS)}")
    if who:
        return patient.permitted("signer", who, _METHODS[method], signed.resource)
    says = f"who holds the key `{signed.key_id}` is not told"
    settle = f"give `--principal`; aws iam get-access-key-last-used --access-key-id {signed.key_id}"
    return Link("signer", Verdict.UNKNOWN, says, settle=settle)


DOCTOR = Doctor(
    "presigned-url",
    "A pre-signed URL works",
    _links,
    needs=("url",),
    may=("at", "principal", "session-ends", "method"),
    looks="signature version, length, its end and the session's, whichever is earlier, the signer's permission",
)
