"""When AWS deprecates the runtimes of Lambda functions, as its page said at one time.

Source: AWS Lambda developer guide, "Lambda runtimes", https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html,
and the pages of the languages, https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html and its like. AWS moves
dates; what is not in the table is newer than it.
"""

from __future__ import annotations

from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LISTED = "2026-08"
"""The month of which the page is."""

_AL2023 = date(2029, 6, 30)
_AL2_JAVA = date(2027, 6, 30)
_BEFORE = (
    "python2.7 python3.6 python3.7 python3.8 ruby2.5 ruby2.7 ruby3.2 java8 go1.x provided dotnetcore1.0 dotnetcore2.0 "
    "dotnetcore2.1 dotnetcore3.1 dotnet5.0 dotnet6 dotnet7 nodejs nodejs4.3 nodejs4.3-edge nodejs6.10 nodejs8.10 "
    "nodejs10.x nodejs12.x nodejs14.x nodejs16.x nodejs18.x"
)
DEPRECATED_ON: Mapping[str, date | None] = MappingProxyType(
    {
        "nodejs24.x": date(2028, 4, 30),
        "nodejs22.x": date(2027, 4, 30),
        "nodejs20.x": date(2026, 4, 30),
        "python3.14": _AL2023,
        "python3.13": _AL2023,
        "python3.12": date(2028, 10, 31),
        "python3.11": date(2027, 6, 30),
        "python3.10": date(2026, 10, 31),
        "python3.9": date(2025, 12, 15),
        "java25": _AL2023,
        "java21": _AL2023,
        "java17.al2023": _AL2023,
        "java11.al2023": _AL2023,
        "java8.al2023": _AL2023,
        "java17": _AL2_JAVA,
        "java11": _AL2_JAVA,
        "java8.al2": _AL2_JAVA,
        "dotnet10": date(2028, 11, 14),
        "dotnet8": date(2026, 11, 10),
        "ruby4.0": date(2029, 3, 31),
        "ruby3.4": date(2028, 3, 31),
        "ruby3.3": date(2027, 3, 31),
        "provided.al2023": _AL2023,
        "provided.al2": date(2026, 7, 31),
        **dict.fromkeys(_BEFORE.split()),
    }
)
"""The day from which a runtime gets no more patches; None for those that the page no longer named as supported."""
