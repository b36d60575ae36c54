"""A service or an account invokes a function.

AWS Lambda developer guide: "Viewing resource-based IAM policies in Lambda".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.explain.doctor import Doctor, Patient
from clew.explain.integrations.targets import allowed_to_reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.explain.links import Link


def _links(patient: Patient) -> Iterator[Link]:
    link, found = patient.find(
        "function",
        "lambda:ListFunctions",
        "Functions",
        patient.given["function"],
        "FunctionName",
        "FunctionArn",
    )
    yield link
    if found is not None:
        caller, source = patient.given["principal"], patient.given.get("source", "")
        yield allowed_to_reach(patient, "function-policy", caller, found.text("FunctionArn"), source)


DOCTOR = Doctor(
    "lambda-invoke",
    "A function is invoked by another service or account",
    _links,
    needs=("function", "principal"),
    may=("source",),
    looks="the function policy for that caller and source; across accounts both ends",
)
