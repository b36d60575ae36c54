"""Clew follows the thread: from the evidence an AWS account leaves to who did what."""

__version__ = "0.1.0"
