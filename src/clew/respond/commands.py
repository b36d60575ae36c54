"""Calls as the commands of AWS's own command line, to be read, approved, or run by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.aws import command_line
from clew.snapshot.answers import GLOBAL

if TYPE_CHECKING:
    from clew.respond.model import Place, Write

_WITHOUT_REGION = frozenset({"iam", "organizations", "s3", "s3control"})


def command(write: Write, place: Place) -> str:
    """The call as one line for a POSIX shell.

    >>> from clew.respond.model import Place, Write
    >>> write = Write("cloudtrail", "StartLogging", {"Name": "t"}, ())
    >>> command(write, Place("111122223333", "eu-west-1", "t"))
    'aws cloudtrail start-logging --name t --region eu-west-1'
    """
    has_region = write.service not in _WITHOUT_REGION and place.region != GLOBAL
    return command_line.line(
        write.service, write.operation, write.parameters, place.region if has_region else ""
    )
