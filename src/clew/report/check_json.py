"""The outcome of a policy check for programs: our own document, and the shape of AWS's response."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.symbolic.requests import document

if TYPE_CHECKING:
    from clew.symbolic.checks import Outcome


def text(outcome: Outcome) -> str:
    """The outcome with its witness, and each reason with its place and a request of its own."""
    found = {
        "result": outcome.result.value,
        "message": outcome.message,
        "witness": None if outcome.witness is None else document(outcome.witness),
        "reasons": [
            {**reason.document(), "place": reason.place, "witness": document(reason.witness)}
            for reason in outcome.reasons
        ],
    }
    return json.dumps(found, indent=2) + "\n"


def aws(outcome: Outcome) -> str:
    """The outcome as CheckNoNewAccess and its kin answer.

    AWS knows no third result: what was not decided is told as UNKNOWN all the same, never as a pass.
    """
    found = {
        "result": outcome.result.value,
        "message": outcome.message,
        "reasons": [reason.document() for reason in outcome.reasons],
    }
    return json.dumps(found, indent=4) + "\n"
