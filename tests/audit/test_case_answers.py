"""The answers of the cases are spelt as AWS spells them, so that no check passes on names that AWS does not know."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from botocore.session import Session
from tests.audit.cases import CASES, call_of, cases

from clew.collect.table import TABLE

_FILES = sorted(file.stem for file in CASES.glob("*.yaml"))
# AWS gives a JSON text there, which is written as an object in cases.
_DOCUMENTS = ("Document", "PolicyDocument")


@cache
def model(service: str) -> Any:
    """The service as the SDK describes it, read once."""
    return Session().get_service_model(service)


@cache
def output(service: str, operation: str) -> Any:
    """The shape of an operation's answer."""
    return model(service).operation_model(operation).output_shape


def strange(shape: Any, value: object, path: str) -> list[str]:
    """The members of a value that the shape does not have."""
    if path.endswith(_DOCUMENTS):
        return []
    match value:
        case dict() if shape.type_name == "structure":
            found = [f"{path}.{name}" for name in value if name not in shape.members]
            known = [(name, inner) for name, inner in value.items() if name in shape.members]
            return found + [s for n, inner in known for s in strange(shape.members[n], inner, f"{path}.{n}")]
        case dict():
            return [s for n, inner in value.items() for s in strange(shape.value, inner, f"{path}.{n}")]
        case list():
            return [s for inner in value for s in strange(shape.member, inner, path)]
        case _:
            return (
                []
                if shape.type_name not in {"structure", "list", "map"}
                else [f"{path} is no {shape.type_name}"]
            )


@pytest.mark.parametrize("check", _FILES)
def test_answers_have_the_members_that_aws_documents(check: str) -> None:
    """No member in a case's answer is one that the operation does not return."""
    for case in cases():
        for text, body in case.said.items() if case.check == check else ():
            call = call_of(text)
            if isinstance(body, dict) and not {"denied", "absent", "failed"} & set(body):
                shape = output(call.service, call.operation)
                assert not strange(shape, body, str(call)), case.name


def test_checks_are_given_calls_that_are_collected() -> None:
    """Whatever a case answers is a call that collecting makes, else no snapshot could ever decide it."""
    collected = {read.name for read in TABLE}
    asked = {f"{call.service}:{call.operation}" for case in cases() for call in map(call_of, case.said)}
    assert asked <= collected
