"""The doctor of assumed roles: each hypothesis is confirmed where it is the cause, and refuted or open elsewhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from tests.engine.cases import read
from tests.explain.accounts import snapshot

from clew.explain.assume_role import Diagnosis, diagnose
from clew.explain.assume_role_question import Asked, fitting_call, session_role
from clew.explain.links import Verdict
from clew.report import links_text

_CASES = read("explain/assume-role")
_NOW = datetime(2026, 3, 11, tzinfo=UTC)


def _diagnosed(given: dict[str, Any]) -> Diagnosis:
    row = {**_CASES["defaults"], **given}
    caller, own = row["from"], {key: row[key] for key in ("identity", "tags", "boundary") if key in row}
    users = {caller: own} if ":user/" in caller and not row.get("no_caller") else {}
    there = row.get("has", row["to"])
    of_role = {key: row[key] for key in ("trust", "longest") if key in row}
    roles = {there: of_role} if there else {}
    if ":role/" in caller:
        roles[caller] = {"identity": row["identity"]}
    if session_role(caller):
        roles.setdefault(session_role(caller), {})["identity"] = row["identity"]
    accounts = ("111122223333",) if row.get("no_caller") else ()
    time = datetime.fromisoformat(row["at"]) if "at" in row else _NOW
    asked = Asked(
        caller,
        row["to"],
        time,
        row.get("action", fitting_call(caller)),
        row.get("context", {}),
        row.get("seconds"),
        frozenset(row["providers"]) if "providers" in row else None,
    )
    return diagnose(asked, snapshot(users, roles, accounts=accounts))


@cache
def _rows() -> tuple[dict[str, Any], ...]:
    return tuple(_CASES["rows"])


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row["name"])
def test_the_hypothesis_that_is_true_is_confirmed(row: dict[str, Any]) -> None:
    """The first confirmed hypothesis is the cause of the case; the others say what the case says of them."""
    chain = _diagnosed(row).chain
    found = {link.id: link for link in chain.links}
    first = chain.first_broken
    assert (first.id if first else None) == row["first"], {
        k: (v.verdict.value, v.says) for k, v in found.items()
    }
    if first is not None:
        assert row.get("says", "") in first.says
        assert first.fix
    for name, verdict in row.get("verdicts", {}).items():
        assert found[name].verdict == verdict, found[name]


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row["name"])
def test_a_diagnosis_agrees_with_the_engine(row: dict[str, Any]) -> None:
    """Where every hypothesis is refuted the engine allows the call; where it refuses, one is confirmed or open."""
    found = _diagnosed(row)
    verdict = found.chain.verdict
    if verdict is Verdict.HOLDS:
        assert found.effect == "allow"
    if found.effect in {"implicit_deny", "explicit_deny"}:
        assert verdict is Verdict.BROKEN
    if found.effect == "undetermined":
        assert verdict is not Verdict.HOLDS


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row["name"])
def test_what_is_open_says_how_to_settle_it(row: dict[str, Any]) -> None:
    """Each hypothesis that is open names a command or a key; the text says confirmed, refuted and unknown."""
    chain = _diagnosed(row).chain
    assert all(link.settle for link in chain.links if link.verdict is Verdict.UNKNOWN)
    words = links_text.render(chain, links_text.HYPOTHESES)
    assert all(links_text.HYPOTHESES[link.verdict] in words for link in chain.links)
    json.dumps(links_text.document(chain, links_text.HYPOTHESES))


def hypotheses() -> tuple[set[str], set[str]]:
    """The hypotheses that are the cause in some row, and all that are tested in one."""
    causes = {row["first"] for row in _rows()}
    return causes, {link.id for row in _rows() for link in _diagnosed(row).chain.links}
