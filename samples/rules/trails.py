"""A rule of one's own as a function: trails write to a bucket of the account's own snapshot."""

from collections.abc import Iterator

from clew.audit.model import Judgement, State, Verdict, check, why_unknown
from clew.findings import Severity


@check("trail-bucket-is-known", "Trails write to known buckets", "Trail writes elsewhere", Severity.MEDIUM)
def trail_bucket(state: State) -> Iterator[Judgement]:
    """Trails whose bucket is not among the account's own.

    Finds. A trail that writes to a bucket that the account does not list.
    Why it matters. Whoever owns the bucket can read and delete the logs.
    False positives. An organisation's trail, which writes to the log archive's account.
    Fix. Point the trail at a bucket of the account or of the log archive.
    References. CloudTrail user guide, Creating a trail
    """
    listed = next(iter(state.each("s3", "ListBuckets")))
    for answer in state.each("cloudtrail", "DescribeTrails"):
        for each in (answer, listed):
            if not each.status.is_known:
                yield Judgement(Verdict.UNKNOWN, state.account_arn, why_unknown(each))
                return
        buckets = {bucket.get("Name") for bucket in listed.list("Buckets")}
        for trail in answer.list("trailList"):
            known = trail.get("S3BucketName") in buckets
            verdict = Verdict.PASS if known else Verdict.FAIL
            yield Judgement(verdict, str(trail.get("TrailARN")), f"it writes to {trail.get('S3BucketName')}")
