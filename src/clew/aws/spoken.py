"""Words for services and actions where IAM has others: names of the SDK, the command line and the API."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def prefix_meant(name: str) -> str | None:
    """The prefix of actions of the service that is called so elsewhere; None for a name that is not known.

    >>> prefix_meant("stepfunctions"), prefix_meant("CloudWatchLogs"), prefix_meant("s3")
    ('states', 'logs', None)
    """
    return _prefixes().get(name.lower())


def actions_meant(service: str, operation: str) -> tuple[str, ...]:
    """The actions that an operation of the service's API takes, where they are not called as it is.

    >>> actions_meant("s3", "ListObjectsV2"), actions_meant("s3", "copyobject"), actions_meant("s3", "GetObject")
    (('s3:ListBucket',), ('s3:GetObject', 's3:PutObject'), ())
    """
    return _operations().get((service.lower(), operation.lower()), ())


@cache
def _prefixes() -> Mapping[str, str]:
    rows = _read("spoken.toml")["services"]
    return {name: prefix for prefix, names in rows.items() for name in names.split()}


@cache
def _operations() -> Mapping[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in _read("event_actions.toml")["row"]:
        service = row["service"]
        for operation, actions in row.get("always", {}).items():
            found[service, operation.lower()] = tuple(f"{service}:{action}" for action in actions)
    return found


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("clew.aws").joinpath("data", name).read_text(encoding="utf-8"))
