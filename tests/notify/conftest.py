"""The emulator of AWS."""

from tests.respond.conftest import aws

__all__ = ["aws"]
