"""The examples of the source documents that concern refusals and faults are cases, each under its id."""

from __future__ import annotations

import re
from pathlib import Path

_CASES = Path(__file__).resolve().parent.parent / "cases"
_WANTED = (
    *(f"AR{number}" for number in range(1, 13)),
    *(f"ER{number}" for number in range(1, 11)),
    *(f"PA{number}" for number in range(3, 7)),
    *("PD8", "PD10", "CR4", "CR5"),
    *(f"CA{number}" for number in range(1, 7)),
)


def test_every_example_of_a_refusal_is_a_case() -> None:
    """Each id stands in a case file; one that is lost is told by its name."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(_CASES.rglob("*.yaml")))
    held = set(re.findall(r"example: (\w+)", text))
    assert [name for name in _WANTED if name not in held] == []
