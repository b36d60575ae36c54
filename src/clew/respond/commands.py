"""Calls as the commands of AWS's own command line, to be read, approved, or run by hand."""

from __future__ import annotations

import json
import shlex
from types import MappingProxyType
from typing import TYPE_CHECKING

from botocore import xform_name

from clew.snapshot.answers import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.respond.model import Place, Value, Write

_SERVICES: Mapping[str, str] = MappingProxyType({"s3": "s3api", "config": "configservice"})
"""Services that the command line calls otherwise than the SDK does."""
_WITHOUT_REGION = frozenset({"iam", "s3", "s3control"})


def command(write: Write, place: Place) -> str:
    """The call as one line for a POSIX shell.

    >>> from clew.respond.model import Place, Write
    >>> write = Write("cloudtrail", "StartLogging", {"Name": "t"}, ())
    >>> command(write, Place("111122223333", "eu-west-1", "t"))
    'aws cloudtrail start-logging --name t --region eu-west-1'
    """
    words = ["aws", _SERVICES.get(write.service, write.service), _dashed(write.operation)]
    for name, value in write.parameters.items():
        words += _option(_dashed(name), value)
    if write.service not in _WITHOUT_REGION and place.region != GLOBAL:
        words += ["--region", place.region]
    return " ".join(map(shlex.quote, words))


def _dashed(name: str) -> str:
    return xform_name(name, "-")


def _option(name: str, value: Value) -> list[str]:
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    return [f"--{name}", value if isinstance(value, str) else json.dumps(value)]
