"""Asking the engine again after policies were edited: the state that decides is collected anew, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clew.collect.table import TABLE
from clew.reach.predict import Predictor
from clew.respond.model import Place
from clew.respond.verify import answers
from clew.snapshot import load
from clew.snapshot.answers import GLOBAL, Answers
from clew.snapshot.recorded import NEEDED

if TYPE_CHECKING:
    from clew.engine import Request
    from clew.reach.predict import NoPrediction, Prediction
    from clew.respond.session import Session

_DETAILS = "iam:GetAccountAuthorizationDetails"


def reevaluated(request: Request, session: Session) -> Prediction | NoPrediction:
    """What the account's policies, as AWS gives them now, say of the request."""
    service = request.resource.split(":")[2] if request.resource.count(":") > 1 else ""
    services = {service, *({"s3control"} if service == "s3" else ())}
    wanted = {f"{each}:{operation}" for each, operation in NEEDED if each in services - {"iam"}}
    reads = tuple(read for read in TABLE if read.name in wanted or read.name == _DETAILS)
    found = Answers(answers(reads, _place(request, session), session))
    return Predictor(load.of_answers("AWS", found)).predict(request)


def _place(request: Request, session: Session) -> Place:
    """The resource that has the policy: a bucket by its name, others by their ARN."""
    fields = request.resource.split(":", 5)
    if len(fields) < 6:  # noqa: PLR2004  # an ARN has six parts
        return Place(session.account, GLOBAL, session.account)
    place = Place(session.account, fields[3] or GLOBAL, request.resource, fields[1])
    return replace(place, name=fields[5].partition("/")[0]) if fields[2] == "s3" else place
