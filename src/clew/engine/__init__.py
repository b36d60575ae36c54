"""Request and policies to a `Decision`: the engine, which must agree with `spec/`.

The public face: `authorize(request, policies)` decides; `prepare(policies)` compiles them for many requests.
"""

from clew.engine.authorize import Prepared, authorize, prepare
from clew.engine.decision import Decision, Determining, Effect, Gate, Verdict
from clew.engine.policies import Policies
from clew.engine.request import UNKNOWN, Context, Request

__all__ = [
    "UNKNOWN",
    "Context",
    "Decision",
    "Determining",
    "Effect",
    "Gate",
    "Policies",
    "Prepared",
    "Request",
    "Verdict",
    "authorize",
    "prepare",
]
