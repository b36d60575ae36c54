"""S3 as a source of log files, against a real S3 emulator over HTTP."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from clew.collect import s3_listing
from clew.collect.s3 import Account, Batch, Limits, fetch
from clew.collect.s3_layout import Period, delivery_days, is_digest, parse, period
from clew.collect.seen import seen_objects
from clew.errors import InputError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Bucket

ORGANISATION = (
    "AWSLogs/o-a1b2c3/{account}/CloudTrail/{region}/2023/07/{day:02d}/{account}_{region}_{day}.json.gz"
)


def all_of(uris: list[str], directory: Path, **options: Any) -> tuple[dict[str, bytes], list[Batch]]:
    """Everything that was fetched, by URI, read while it was there; and the batches."""
    found: dict[str, bytes] = {}
    batches = []
    for batch in fetch(uris, directory=directory, **options):
        found.update({item.uri: item.path.read_bytes() for item in batch.files})
        batches.append(batch)
    return found, batches


def organisation(bucket: Bucket) -> None:
    """Two accounts, two regions, five days of an organisation trail, and a digest."""
    for account in ("111111111111", "222222222222"):
        for region in ("us-east-1", "eu-central-1"):
            for day in range(8, 13):
                bucket.put(ORGANISATION.format(account=account, region=region, day=day), b"%d" % day)
    bucket.put("AWSLogs/o-a1b2c3/111111111111/CloudTrail-Digest/us-east-1/2023/07/10/d.json.gz", b"digest")


def test_every_object_under_a_prefix_arrives(bucket: Bucket, tmp_path: Path) -> None:
    """Each object under the prefix arrives once, byte for byte, with its own URI."""
    bucket.put("logs/a.json", b"a")
    bucket.put("logs/deep/b.json.gz", b"b")
    bucket.put("logs/folder/", b"")
    bucket.put("elsewhere/c.json", b"c")
    found, _ = all_of(["s3://trail-logs/logs/"], tmp_path)
    assert found == {"s3://trail-logs/logs/a.json": b"a", "s3://trail-logs/logs/deep/b.json.gz": b"b"}


def test_more_than_one_page_is_listed(bucket: Bucket) -> None:
    """A bucket of more than a thousand keys is listed to its end."""
    for number in range(2_100):
        bucket.put(f"many/{number:05d}.json")
    client = s3_listing_client()
    listed = list(s3_listing.listing(client, parse("s3://trail-logs/many/"), Period(), ()))
    assert len({item.key for item in listed if isinstance(item, s3_listing.S3Object)}) == 2_100


def s3_listing_client() -> Any:
    """A client as `fetch` makes it."""
    from clew.collect.session import s3_client

    return s3_client(Account(), connections=2)


def test_files_are_deleted_batch_by_batch(bucket: Bucket, tmp_path: Path) -> None:
    """At most two batches lie on the disk, and nothing is left at the end."""
    for number in range(20):
        bucket.put(f"logs/{number:02d}.json", b"x" * 10)
    on_disk = []
    for batch in fetch(["s3://trail-logs/logs/"], directory=tmp_path, limits=Limits(batch_files=4)):
        assert len(batch.files) == 4
        on_disk.append(len([path for path in tmp_path.rglob("*") if path.is_file()]))
    assert max(on_disk) <= 8
    assert len(on_disk) == 5
    assert list(tmp_path.iterdir()) == []


def test_batches_are_bounded_by_bytes(bucket: Bucket, tmp_path: Path) -> None:
    """A batch ends before it would exceed its bytes; one larger object is a batch of its own."""
    for key, size in (("a", 60), ("b", 60), ("c", 500), ("d", 10)):
        bucket.put(key, b"x" * size)
    _, batches = all_of(["s3://trail-logs/"], tmp_path, limits=Limits(batch_bytes=100))
    assert [[item.size_bytes for item in batch.files] for batch in batches] == [[60], [60], [500], [10]]


def test_files_vanish_when_the_consumer_stops(bucket: Bucket, tmp_path: Path) -> None:
    """A consumer that stops early leaves no files behind."""
    for number in range(6):
        bucket.put(f"{number}")
    batches = fetch(["s3://trail-logs/"], directory=tmp_path, limits=Limits(batch_files=2))
    next(batches)
    batches.close()  # type: ignore[attr-defined]  # a generator
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_a_killed_run_are_swept(bucket: Bucket, tmp_path: Path) -> None:
    """Files of a run that was killed are removed by the next run; a living run's are not."""
    dead, alive = tmp_path / "fetch-999999999-x", tmp_path / "fetch-1-x"
    for path in (dead, alive):
        path.mkdir()
        (path / "0").write_bytes(b"x")
    bucket.put("a")
    all_of(["s3://trail-logs/"], tmp_path)
    assert sorted(tmp_path.iterdir()) == [alive]


def test_organisation_layout_is_pruned_by_day(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a period only the days of the period (and one for late delivery) are listed and fetched."""
    organisation(bucket)
    asked = []
    original = s3_listing._page

    def recording(client: Any, location: Any, prefix: str, **options: Any) -> Any:
        asked.append(prefix)
        return original(client, location, prefix, **options)

    monkeypatch.setattr(s3_listing, "_page", recording)
    days = period(datetime(2023, 7, 10, 12, tzinfo=UTC), datetime(2023, 7, 10, 13, tzinfo=UTC))
    found, batches = all_of(["s3://trail-logs/"], tmp_path, period=days)
    assert sorted(found.values()) == [b"10"] * 4 + [b"11"] * 4
    assert batches[0].digests == 1
    assert not [prefix for prefix in asked if "/2023/07/08" in prefix or "/2023/07/12" in prefix]


def test_digests_are_counted_and_not_fetched(bucket: Bucket, tmp_path: Path) -> None:
    """CloudTrail digests are recognised by their prefix: counted, not downloaded."""
    organisation(bucket)
    found, batches = all_of(["s3://trail-logs/AWSLogs"], tmp_path)
    assert len(found) == 20
    assert sum(batch.digests for batch in batches) == 1


def test_globs_choose_accounts_and_regions(bucket: Bucket, tmp_path: Path) -> None:
    """A glob stays within one folder, and chooses everything under the folders that fit."""
    organisation(bucket)
    found, _ = all_of(["s3://trail-logs/AWSLogs/*/2*/CloudTrail/eu-*/2023"], tmp_path)
    assert len(found) == 5
    assert all("/222222222222/CloudTrail/eu-central-1/" in uri for uri in found)
    found, _ = all_of(["s3://trail-logs/**/1*_us-east-1_9.json.gz"], tmp_path)
    assert list(found.values()) == [b"9"]


def test_overlapping_locations_fetch_once(bucket: Bucket, tmp_path: Path) -> None:
    """An object under two of the given prefixes is fetched once."""
    organisation(bucket)
    _, batches = all_of(
        [
            "s3://trail-logs/AWSLogs/o-a1b2c3/111111111111/",
            "s3://trail-logs/AWSLogs/",
            "s3://trail-logs/AWSLogs/*/2*",
        ],
        tmp_path,
    )
    assert sum(len(batch.files) for batch in batches) == 20


def test_known_objects_are_not_fetched_again(bucket: Bucket, tmp_path: Path) -> None:
    """What the lake has is skipped by URI, ETag and size; a replaced object is fetched again."""
    bucket.put("a", b"one")
    bucket.put("b", b"two")
    with seen_objects(tmp_path / "lake") as seen:
        for batch in fetch(["s3://trail-logs/"], directory=tmp_path / "d", known=seen.known):
            seen.add(batch.files)
    bucket.put("b", b"new")
    with seen_objects(tmp_path / "lake") as seen:
        found, batches = all_of(["s3://trail-logs/"], tmp_path / "d", known=seen.known)
        assert seen.uris("s3://trail-logs/") == ("s3://trail-logs/a", "s3://trail-logs/b")
    assert found == {"s3://trail-logs/b": b"new"}
    assert [batch.known for batch in batches] == [1]


def test_one_unreadable_object_does_not_stop_the_rest(
    bucket: Bucket, tmp_path: Path, refuse: Callable[..., None]
) -> None:
    """A denied object is reported with AWS's code and the permission; the others arrive."""
    for key in ("a", "b", "c"):
        bucket.put(f"logs/{key}")
    refuse("get_object", "AccessDenied", key="logs/b")
    found, batches = all_of(["s3://trail-logs/logs/"], tmp_path)
    assert sorted(found) == ["s3://trail-logs/logs/a", "s3://trail-logs/logs/c"]
    (unreadable,) = batches[0].unreadable
    assert (unreadable.uri, unreadable.reason) == ("s3://trail-logs/logs/b", "s3_access_denied")
    assert "AccessDenied" in unreadable.detail
    assert "`s3:GetObject` on `arn:aws:s3:::trail-logs/logs/b`" in unreadable.detail


def test_a_denied_key_is_told_from_a_denied_object(
    bucket: Bucket, tmp_path: Path, refuse: Callable[..., None]
) -> None:
    """A refusal by KMS names kms:Decrypt, not s3:GetObject."""
    bucket.put("a")
    refuse("get_object", "AccessDenied", "User: u is not authorized to perform: kms:Decrypt on the resource")
    _, batches = all_of(["s3://trail-logs/"], tmp_path)
    assert batches[0].unreadable[0].reason == "s3_kms_denied"
    assert "`kms:Decrypt`" in batches[0].unreadable[0].detail


def test_archived_objects_are_reported(bucket: Bucket, tmp_path: Path) -> None:
    """An object in an archive class is named as archived, with what to do."""
    bucket.put("cold", b"x", storage="GLACIER")
    bucket.put("warm", b"x")
    found, batches = all_of(["s3://trail-logs/"], tmp_path)
    assert list(found) == ["s3://trail-logs/warm"]
    assert batches[0].unreadable[0].reason == "s3_archived"
    assert "s3:RestoreObject" in batches[0].unreadable[0].detail


def test_a_transfer_that_breaks_off_is_repeated_then_reported(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that breaks off is fetched again; after three times the object is unreadable."""
    from botocore.exceptions import IncompleteReadError

    from clew.collect import s3

    bucket.put("a", b"whole")
    tries = []
    original = s3._transfer

    def breaking(client: Any, item: Any, path: Path) -> Any:
        tries.append(item.key)
        if len(tries) != 3:
            raise IncompleteReadError(actual_bytes=1, expected_bytes=5)
        return original(client, item, path)

    monkeypatch.setattr(s3, "_transfer", breaking)
    found, _ = all_of(["s3://trail-logs/"], tmp_path)
    assert list(found.values()) == [b"whole"]
    _, batches = all_of(["s3://trail-logs/"], tmp_path)
    assert [item.reason for item in batches[0].unreadable] == ["s3_transfer_broken"]


def test_a_missing_bucket_is_one_line(bucket: Bucket, tmp_path: Path) -> None:
    """A bucket that does not exist is one line with AWS's code, before anything is fetched."""
    bucket.put("a")
    with pytest.raises(InputError, match=r"^`s3://no-such/x`: NoSuchBucket: no bucket is named `no-such`"):
        next(fetch(["s3://trail-logs/", "s3://no-such/x"], directory=tmp_path))


@pytest.mark.usefixtures("bucket")
def test_denied_listing_names_the_permission(tmp_path: Path, refuse: Callable[..., None]) -> None:
    """A refused listing names s3:ListBucket and the bucket's ARN."""
    refuse("list_objects_v2", "AccessDenied")
    with pytest.raises(InputError, match=r"AccessDenied: .*`s3:ListBucket` on `arn:aws:s3:::trail-logs`"):
        next(fetch(["s3://trail-logs/"], directory=tmp_path))


@pytest.mark.parametrize(("operation", "key"), [("list_objects_v2", None), ("get_object", "a")])
def test_expired_credentials_stop_with_one_line(
    bucket: Bucket, tmp_path: Path, refuse: Callable[..., None], operation: str, key: str | None
) -> None:
    """Expired credentials stop the run, at listing as at reading, and say how to renew them."""
    bucket.put("a")
    refuse(operation, "ExpiredToken", "The provided token has expired.", key=key)
    with pytest.raises(InputError, match=r"ExpiredToken: the credentials have expired; sign in again"):
        next(fetch(["s3://trail-logs/"], directory=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_missing_credentials_are_one_line(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without credentials the line says which settings to use."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(InputError, match=r"NoCredentialsError: .*; use --profile"):
        next(fetch([f"s3://{bucket.name}/"], directory=tmp_path))


def test_an_unknown_profile_is_one_line(bucket: Bucket, tmp_path: Path) -> None:
    """A profile that is not configured is one line."""
    with pytest.raises(InputError, match=r"ProfileNotFound: .*nobody.*aws configure list-profiles"):
        next(fetch([f"s3://{bucket.name}/"], directory=tmp_path, account=Account(profile="nobody")))


def test_an_empty_prefix_is_an_error(bucket: Bucket, tmp_path: Path) -> None:
    """A prefix without objects is an error: a misspelt prefix must not look like an empty answer."""
    bucket.put("logs/a")
    with pytest.raises(InputError, match=r"no object has the prefix `lgos/`"):
        next(fetch(["s3://trail-logs/lgos/"], directory=tmp_path))


def test_a_period_without_objects_is_reported(bucket: Bucket, tmp_path: Path) -> None:
    """A period or glob that matches nothing is reported, not silent."""
    organisation(bucket)
    found, batches = all_of(["s3://trail-logs/AWSLogs"], tmp_path, period=Period(since=date(2024, 1, 1)))
    assert found == {}
    assert [item.reason for batch in batches for item in batch.unreadable] == ["s3_nothing_matches"]


def test_without_boto3_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without boto3 the message names the extra to install."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(MissingExtraError, match=r"clew-aws\[aws\]"):
        next(fetch(["s3://trail-logs/"], directory=tmp_path))


@pytest.mark.parametrize("uri", ["https://x", "s3://", "s3:///key", "s3://b*/key"])
def test_a_uri_without_a_bucket_is_refused(uri: str) -> None:
    """A URI that names no single bucket is a usage error."""
    with pytest.raises(UsageError):
        parse(uri)


@pytest.mark.parametrize(
    ("path", "days"),
    [
        ("AWSLogs/111122223333/CloudTrail/us-east-1/2024/", ("2024-01-01", "2024-12-31")),
        ("p/q/AWSLogs/o-1a/111122223333/CloudTrail/us-east-1/2024/02/", ("2024-02-01", "2024-02-29")),
        ("AWSLogs/111122223333/vpcflowlogs/us-east-1/2024/12/31/x.log.gz", ("2024-12-31", "2024-12-31")),
        (
            "AWSLogs/aws-account-id=1/aws-service=vpcflowlogs/aws-region=eu-west-1/year=2024/month=12/day=01/hour=05/x",
            ("2024-12-01", "2024-12-01"),
        ),
        ("111122223333/us-west-2/my-bucket/2024/12/", ("2024-12-01", "2024-12-31")),
        ("access-2023-08-09-10-11-12-0123456789ABCDEF", ("2023-08-09", "2023-08-09")),
        ("2023/AWSLogs/111122223333/", None),
        ("backup/2023/07/x.json", None),
        ("AWSLogs/111122223333/CloudTrail/us-east-1/2024/13/01/x", None),
    ],
)
def test_delivery_days_are_read_from_the_layout(path: str, days: tuple[str, str] | None) -> None:
    """The day of delivery is read from AWS's layouts, and from nothing else."""
    found = delivery_days(path)
    assert (found and tuple(day.isoformat() for day in found)) == days


def test_only_cloudtrail_digests_are_digests() -> None:
    """A digest is known by CloudTrail's own folder, not by a word in a name."""
    assert not is_digest("AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/10/CloudTrail-Digest.json")
