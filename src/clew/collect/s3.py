"""Objects of S3 as local files, batch by batch: listed, pruned, downloaded in parallel, deleted after use.

A batch is handed over while the next one downloads, so that at most two batches lie on the disk. One object that
cannot be read becomes an `UnreadableObject` and the rest goes on; a refusal that concerns everything (no such bucket,
listing denied, credentials expired) is an InputError with AWS's code and the permission that is missing.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clew.collect.s3_layout import Location, Period, is_digest, parse
from clew.collect.s3_listing import Listed, S3Object, check, listing
from clew.collect.scratch import scratch_directory
from clew.collect.session import (
    FATAL_CODES,
    Account,
    credential_failure,
    error_code,
    error_message,
    s3_client,
    sdk_failure,
)
from clew.errors import WorkspaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client

_CHUNK_BYTES = 1 << 20
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is fetched at once. Invariant: at most two batches are on the disk."""

    batch_bytes: int = 256 << 20
    batch_files: int = 5_000
    workers: int = 16


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A downloaded object: the local file, which lives until the next batch is asked for, and its origin."""

    path: Path
    uri: str
    etag: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class UnreadableObject:
    """An object that could not be read; `reason` is a stable code, `detail` names AWS's code and what is needed."""

    uri: str
    reason: str
    detail: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Some objects, fetched, and what was passed over since the batch before.

    `known` counts objects that the caller has already; `digests` counts CloudTrail digests, which hold no events.
    """

    files: tuple[FetchedFile, ...]
    unreadable: tuple[UnreadableObject, ...] = ()
    known: int = 0
    digests: int = 0


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Objects to fetch together, and what was passed over on the way to them."""

    objects: tuple[S3Object, ...]
    known: int = 0
    digests: int = 0
    empty: tuple[Location, ...] = ()


def fetch(
    uris: Sequence[str],
    *,
    directory: Path,
    account: Account | None = None,
    period: Period | None = None,
    known: Callable[[S3Object], bool] = lambda _: False,
    limits: Limits | None = None,
) -> Iterator[Batch]:
    """The objects at these `s3://bucket/prefix` URIs, in batches of local files under `directory`.

    A prefix may hold `*`, `?`, `[…]` (within one folder) and `**`. Objects that `known` accepts are not downloaded.
    Files of a batch are deleted when the next is asked for. Errors: UsageError, InputError, MissingExtraError; all
    locations are tried before the first download.
    """
    bounds = limits or Limits()
    locations = tuple(dict.fromkeys(parse(uri) for uri in uris))
    client = s3_client(account or Account(), connections=bounds.workers)
    for location in locations:
        check(client, location)
    listed = itertools.chain.from_iterable(
        listing(client, location, period or Period(), locations[:number])
        for number, location in enumerate(locations)
    )
    with scratch_directory(directory) as scratch, _pool(bounds.workers) as pool:
        running: _Download | None = None
        for number, chunk in enumerate(_chunks(listed, known, bounds)):
            following = _Download(pool, client, chunk, scratch / f"{number:06d}")
            if running is not None:
                yield from running.batch()
            running = following
        if running is not None:
            yield from running.batch()


@contextmanager
def _pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(workers, thread_name_prefix="clew-s3")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _chunks(listed: Iterable[Listed], known: Callable[[S3Object], bool], limits: Limits) -> Iterator[_Chunk]:
    objects: list[S3Object] = []
    empty: list[Location] = []
    size_bytes = already = digests = 0
    for item in listed:
        if isinstance(item, Location):
            empty.append(item)
        elif is_digest(item.key):
            digests += 1
        elif known(item):
            already += 1
        else:
            full = size_bytes + item.size_bytes > limits.batch_bytes or len(objects) >= limits.batch_files
            if objects and full:
                yield _Chunk(tuple(objects), already, digests, tuple(empty))
                objects, empty, size_bytes, already, digests = [], [], 0, 0, 0
            objects.append(item)
            size_bytes += item.size_bytes
    if objects or already or digests or empty:
        yield _Chunk(tuple(objects), already, digests, tuple(empty))


class _Download:
    """One chunk on its way to the disk; its files are deleted when the consumer asks for more."""

    def __init__(self, pool: ThreadPoolExecutor, client: S3Client, chunk: _Chunk, folder: Path) -> None:
        self._chunk = chunk
        self._folder = folder
        folder.mkdir()
        self._results: list[Future[FetchedFile | UnreadableObject]] = [
            pool.submit(_download, client, item, folder / _local_name(number, item.key))
            for number, item in enumerate(chunk.objects)
        ]

    def batch(self) -> Iterator[Batch]:
        """Wait for the files, hand them over, delete them."""
        results = [result.result() for result in self._results]
        nothing = [
            UnreadableObject(place.uri, "s3_nothing_matches", "no object matches the prefix and period", None)
            for place in self._chunk.empty
        ]
        yield Batch(
            files=tuple(item for item in results if isinstance(item, FetchedFile)),
            unreadable=(*nothing, *(item for item in results if isinstance(item, UnreadableObject))),
            known=self._chunk.known,
            digests=self._chunk.digests,
        )
        for path in self._folder.iterdir():
            path.unlink()
        self._folder.rmdir()


def _local_name(number: int, key: str) -> str:
    """A file name of ours with the key's extensions, for readers that look at them."""
    extensions = Path(key.rpartition("/")[2]).suffixes[-2:]
    safe = "".join(e for e in extensions if e[1:].isalnum() and e.isascii() and len(e) <= 10)  # noqa: PLR2004 - `.parquet`
    return f"{number:06d}{safe}"


def _download(client: S3Client, item: S3Object, path: Path) -> FetchedFile | UnreadableObject:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionClosedError,
        FlexibleChecksumError,
        IncompleteReadError,
        ReadTimeoutError,
        ResponseStreamingError,
    )

    # The SDK repeats refused calls, but not an answer that breaks off in the middle.
    broken = (
        ConnectionClosedError,
        FlexibleChecksumError,
        IncompleteReadError,
        ReadTimeoutError,
        ResponseStreamingError,
    )
    detail = ""
    for _ in range(_TRIES):
        try:
            return _transfer(client, item, path)
        except ClientError as error:
            return _refused(client, item, error)
        except broken as error:
            detail = f"{type(error).__name__}: the transfer broke off {_TRIES} times"
        except BotoCoreError as error:
            raise sdk_failure(item.uri, error) from error
        except OSError as error:
            raise WorkspaceError(f"{path.parent}: cannot keep `{item.uri}`: {error.strerror}") from error
    return UnreadableObject(item.uri, "s3_transfer_broken", detail, item.size_bytes)


def _transfer(client: S3Client, item: S3Object, path: Path) -> FetchedFile:
    answer = client.get_object(Bucket=item.bucket, Key=item.key)
    size_bytes = 0
    with path.open("wb") as file:
        for piece in answer["Body"].iter_chunks(_CHUNK_BYTES):
            size_bytes += file.write(piece)
    return FetchedFile(path, item.uri, answer["ETag"].strip('"'), size_bytes)


def _refused(client: S3Client, item: S3Object, error: ClientError) -> UnreadableObject:
    code = error_code(error)
    if code in FATAL_CODES:
        raise credential_failure(item.uri, error) from error
    message = error_message(error)
    reason, advice = _meaning(code, message)
    arn = f"arn:{client.meta.partition}:s3:::{item.bucket}/{item.key}"
    return UnreadableObject(item.uri, reason, f"{code}: {message}; {advice.format(arn=arn)}", item.size_bytes)


_MEANINGS = {
    "AccessDenied": ("s3_access_denied", "the credentials need `s3:GetObject` on `{arn}`"),
    "InvalidObjectState": ("s3_archived", "restore it with `s3:RestoreObject`, then run again"),
    "NoSuchKey": ("s3_gone", "it was deleted while Clew was reading the bucket"),
    "InvalidRequest": ("s3_customer_key", "an object under a customer-provided key (SSE-C) cannot be read"),
    "SlowDown": ("s3_throttled", "S3 asks for fewer requests; run again, what is read stays read"),
    "ServiceUnavailable": ("s3_throttled", "S3 asks for fewer requests; run again, what is read stays read"),
}
_KMS_MEANING = ("s3_kms_denied", "the credentials need `kms:Decrypt` on the key that encrypts `{arn}`")
_OTHER_MEANING = ("s3_error", "`{arn}` was not read; run again")


def _meaning(code: str, message: str) -> tuple[str, str]:
    if code.startswith("KMS.") or "kms:" in message.lower():
        return _KMS_MEANING
    return _MEANINGS.get(code, _OTHER_MEANING)
