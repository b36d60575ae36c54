"""The engine agrees with `spec/` on generated policies and requests, also where context keys are unknown."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from spec.decide import decide
from tests.properties.lines import Example, examples

from clew.aws.catalog import is_wildcard_only
from clew.engine.batch import evaluate_line

if TYPE_CHECKING:
    from collections.abc import Mapping

PAIRS = 24
Answer = tuple[object, ...]


def _law(line: Mapping[str, object], *, unknown_context: bool) -> Answer:
    action = line["request"]["action"]
    answer = decide(line, wildcard_only=is_wildcard_only(action), unknown_context=unknown_context)
    return answer.decision, list(answer.blocked_by), _places(answer.determined_by)


def _engine(line: Mapping[str, object], *, unknown_context: bool) -> Answer:
    answer = evaluate_line(line, unknown_context=unknown_context)
    return answer["decision"], list(answer["blocked_by"]), _places(answer["determined_by"])


def _places(determined_by: object) -> list[tuple[object, ...]]:
    return sorted((each["gate"], each["policy"], each["statement"], each["effect"]) for each in determined_by)


def _agrees(example: Example, *, unknown_context: bool) -> None:
    for line in example.lines:
        ours, law = (
            _engine(line, unknown_context=unknown_context),
            _law(line, unknown_context=unknown_context),
        )
        assert ours == law, json.dumps(line)


@pytest.mark.parametrize("unknown_context", [False, True], ids=["given-context", "unknown-context"])
@settings(max_examples=90)
@given(example=examples(most=PAIRS))
def test_the_engine_agrees_with_the_law(example: Example, unknown_context: bool) -> None:
    """On every generated request the engine gives the law's decision, gates and statements."""
    _agrees(example, unknown_context=unknown_context)


@pytest.mark.long
@pytest.mark.parametrize("unknown_context", [False, True], ids=["given-context", "unknown-context"])
@settings(
    max_examples=int(os.environ.get("CLEW_FUZZ_EXAMPLES", "10000")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(example=examples(most=PAIRS))
def test_the_engine_agrees_with_the_law_at_length(example: Example, unknown_context: bool) -> None:
    """On more than a hundred thousand generated requests, new ones each time, the engine agrees with the law."""
    _agrees(example, unknown_context=unknown_context)
