"""The emulator of AWS."""

from tests.collect.conftest import _server
from tests.respond.conftest import aws

__all__ = ["_server", "aws"]
