"""A real S3 over HTTP, emptied before each test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Bucket:
    """The emulator's own view of one bucket: objects are planted without a round trip."""

    backend: Any
    name: str = "trail-logs"

    def put(self, key: str, body: bytes = b"{}", **options: object) -> None:
        self.backend.put_object(self.name, key, body, **options)


@pytest.fixture
def bucket(_server: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket behind AWS_ENDPOINT_URL, with throw-away credentials in the environment."""
    from moto.s3.models import s3_backends

    for name, value in {
        "AWS_ENDPOINT_URL": _server,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    backend = s3_backends["123456789012"]["aws"]
    backend.reset()
    backend.create_bucket("trail-logs", "us-east-1")
    return Bucket(backend)


@pytest.fixture
def refuse(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let AWS refuse an operation of the bucket, for one key or all, with a code of AWS's."""
    from moto.s3.exceptions import S3ClientError

    def arrange(operation: str, code: str, message: str = "Access Denied", key: str | None = None) -> None:
        original = getattr(bucket.backend, operation)

        def refusing(*arguments: Any, **options: Any) -> Any:
            if key is None or key in (*arguments, *options.values()):
                raise S3ClientError(code, message)
            return original(*arguments, **options)

        monkeypatch.setattr(bucket.backend, operation, refusing)

    return arrange
