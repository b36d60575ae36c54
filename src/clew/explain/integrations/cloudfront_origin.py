"""CloudFront reads its origin in S3: by an origin access control, or the older origin access identity.

CloudFront developer guide: "Restrict access to an Amazon S3 origin" (OAC asks as cloudfront.amazonaws.com for its
distribution and can use KMS keys; OAI is a principal of its own and cannot; a website endpoint takes neither).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked
from clew.audit.resources import facts, items, member, text
from clew.explain.doctor import Doctor, Found, Patient, link, unanswered
from clew.explain.held_buckets import encryption, held, ownership
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.buckets import Bucket

_SERVICE: Final = "cloudfront.amazonaws.com"
_DISTRIBUTIONS: Final = "DistributionList.Items"
_BUCKET: Final = re.compile(r"(?P<name>.+?)\.s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com(?:\.cn)?")
_WEBSITE: Final = re.compile(r"\.s3-website[.-]")


def _links(patient: Patient) -> Iterator[Link]:
    wanted = patient.given["distribution"]
    first, found = patient.find(
        "distribution", "cloudfront:ListDistributions", _DISTRIBUTIONS, wanted, "Id", "ARN", "DomainName"
    )
    yield first
    if found is None:
        return
    yield link(
        "enabled",
        holds=member(found.data, "Enabled") is True,
        says=("the distribution is enabled", "the distribution is disabled"),
        evidence=facts(found.data, "Enabled", "Status"),
        fix=f"aws cloudfront update-distribution --id {found.text('Id')}, with Enabled true",
    )
    for origin in items(found.data, "Origins.Items"):
        yield from _origin(patient, found, origin)


def _origin(patient: Patient, found: Found, origin: Mapping[str, object]) -> Iterator[Link]:
    """The links of one origin; one that is no bucket is not judged."""
    domain = text(origin, "DomainName")
    if _WEBSITE.search(domain):
        says = f"`{domain}` is a website endpoint, which takes no signed requests: neither OAC nor OAI works"
        fix = (
            f"give the bucket's own endpoint, `{domain.partition('.s3-website')[0]}.s3.REGION.amazonaws.com`"
        )
        signs = text(origin, "OriginAccessControlId") or text(origin, "S3OriginConfig.OriginAccessIdentity")
        yield link(
            "endpoint", holds=not signs, says=(f"`{domain}` is a public website endpoint", says), fix=fix
        )
        return
    match = _BUCKET.fullmatch(domain)
    if match is None:
        yield Link("endpoint", Verdict.HOLDS, f"`{domain}` is no bucket: its access is its own affair")
        return
    name = match["name"]
    control = text(origin, "OriginAccessControlId")
    identity = text(origin, "S3OriginConfig.OriginAccessIdentity").rpartition("/")[2]
    how = f"OAC {control}" if control else f"OAI {identity}"
    yield link(
        "identity",
        holds=bool(control or identity),
        says=(
            f"CloudFront asks `{name}` by {how}",
            f"CloudFront asks `{name}` like everybody, unsigned",
        ),
        evidence=facts(origin, "DomainName", "OriginAccessControlId", "S3OriginConfig.OriginAccessIdentity"),
        fix="aws cloudfront create-origin-access-control, and give it to the origin",
    )
    if control or identity:
        yield from _bucket(patient, found, name, "" if control else identity)


def _bucket(patient: Patient, found: Found, name: str, identity: str) -> Iterator[Link]:
    """What the bucket must allow; `identity` is that of an OAI, empty for an OAC."""
    there, bucket = held(patient, "bucket", name)
    yield there
    if bucket is None:
        return
    yield _owner(bucket)
    arn, place = found.text("ARN"), f"{bucket.arn}/{found.text('DefaultRootObject') or 'x'}"
    if identity:
        who = f"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity {identity}"
        yield _by_identity(patient, bucket, who, place)
    else:
        fix = f"let the bucket policy of `{name}` allow it to `{_SERVICE}` where AWS:SourceArn is {arn}"
        yield patient.permitted("bucket-policy", _SERVICE, "s3:GetObject", place, fix, source_arn=arn)
    yield from _key(patient, bucket, arn, identity)


def _by_identity(patient: Patient, bucket: Bucket, who: str, place: str) -> Link:
    """A bucket policy may name an OAI by its canonical id too, which the distribution does not tell."""
    fix = f"let the bucket policy of `{bucket.name}` allow `s3:GetObject` to `{who}`; or move to an OAC"
    found = patient.permitted("bucket-policy", who, "s3:GetObject", place, fix)
    policy = text(bucket.said("GetBucketPolicy").body, "Policy")
    if found.verdict is Verdict.BROKEN and "CanonicalUser" in policy:
        says = "the bucket policy names canonical ids; whether the OAI's is among them is not collected"
        settle = f"aws cloudfront get-cloud-front-origin-access-identity --id {who.rpartition(' ')[2]}"
        return Link("bucket-policy", Verdict.UNKNOWN, says, found.evidence, settle=settle)
    return found


def _owner(bucket: Bucket) -> Link:
    """AWS: the bucket's owner must own its objects, or the policy that lets CloudFront in does not reach them."""
    said, owner = ownership(bucket)
    if not said.status.is_known:
        return unanswered("object-owner", said)
    return link(
        "object-owner",
        holds=owner in {"BucketOwnerEnforced", "BucketOwnerPreferred"},
        says=(
            f"Object Ownership is {owner}",
            "objects belong to whoever wrote them, out of reach of the bucket policy",
        ),
        evidence=asked(said),
        fix=f"aws s3api put-bucket-ownership-controls --bucket {bucket.name}, with BucketOwnerEnforced",
    )


def _key(patient: Patient, bucket: Bucket, arn: str, identity: str) -> Iterator[Link]:
    default = encryption(bucket)
    said, key = default.said, default.key
    if not said.status.is_known:
        yield unanswered("key", said)
    elif not default.is_kms:
        yield Link(
            "key", Verdict.HOLDS, "the bucket encrypts with keys of S3, which need no permission", asked(said)
        )
    elif identity:
        fix = "move the origin to an OAC, which can use the key"
        yield Link(
            "key", Verdict.BROKEN, "objects under a KMS key are out of reach of an OAI", asked(said), fix
        )
    elif default.is_managed_by_aws:
        fix = "encrypt with a customer managed key whose policy names CloudFront"
        says = (
            "the objects are under the AWS managed key aws/s3, whose policy nobody can change for CloudFront"
        )
        yield Link("key", Verdict.BROKEN, says, asked(said), fix)
    else:
        fix = (
            f"let the key policy of `{key}` allow `kms:Decrypt` to `{_SERVICE}` where AWS:SourceArn is {arn}"
        )
        yield patient.permitted("key", _SERVICE, "kms:Decrypt", key, fix, source_arn=arn)


DOCTOR = Doctor(
    "cloudfront-origin",
    "CloudFront reads its origin in S3",
    _links,
    needs=("distribution",),
    looks="enabled, the endpoint, OAC or OAI, the bucket policy for it, owners of objects, the key",
)
