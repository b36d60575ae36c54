"""The doctors of integrations: the first broken link is found, and what was not collected stays open."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.audit.cases import ACCOUNT, AS_OF, DETAILS, call_of
from tests.engine.cases import files, policy, read
from tests.explain.accounts import authorization_details

from clew.audit.model import State
from clew.errors import UsageError
from clew.explain.integrations import DOCTORS, named
from clew.explain.links import Chain, Verdict
from clew.report import links_text
from clew.snapshot import load
from clew.snapshot.answers import Answer, Answers, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.snapshot.answers import Call

# One file for each doctor, named as it is: an account in which every link holds, and rows that change something in it.
# `expect` is the verdict of the whole, `first` the first broken link, `open` one that is unknown. Answers are written
# as in tests/audit/cases.py; null in `change` takes one away; a role, user or answer replaces that of the same name.
# `others` are answers of a second account of the snapshot.
_CASES = {name.rpartition("/")[2]: read(name) for name in files("explain/integrations")}
_ROWS = [
    pytest.param(name, row, id=f"{name}: {row['name']}")
    for name, case in _CASES.items()
    for row in case["rows"]
]
_OTHER = "444455556666"
_FAILED = {"denied": Status.DENIED, "absent": Status.ABSENT, "failed": Status.FAILED}


def _of(account: str, said: dict[str, Any]) -> Iterator[Answer]:
    return (
        _answer(call_of(call)._replace(account=account), each)
        for call, each in said.items()
        if each is not None
    )


def _answer(call: Call, said: dict[str, Any]) -> Answer:
    for word, status in _FAILED.items():
        if word in said:
            return Answer(call, "2026-03-11T00:00:00Z", status, None, said[word])
    return Answer(call, "2026-03-11T00:00:00Z", Status.OK, _written(said))


def _written(said: dict[str, Any]) -> dict[str, Any]:
    """The answer with its policy as AWS gives it: JSON text."""
    found = {key: _written(value) if key == "Attributes" else value for key, value in said.items()}
    if "Policy" in found:
        found["Policy"] = json.dumps(policy(found["Policy"]))
    return found


def _chain(name: str, row: dict[str, Any]) -> Chain:
    case = _CASES[name]
    said = {**case["answers"], **row.get("change", {})}
    roles = {**case.get("roles", {}), **row.get("roles", {})}
    roles = {arn: each for arn, each in roles.items() if each is not None}
    users = {**case.get("users", {}), **row.get("users", {})}
    details = authorization_details(users or {f"arn:aws:iam::{ACCOUNT}:user/nobody": {}}, roles)
    said = {DETAILS: details, **said}
    answers = Answers((*_of(ACCOUNT, said), *_of(_OTHER, row.get("others", {}))))
    state = State(ACCOUNT, AS_OF, None, answers, load.of_answers("case", answers))
    events = row.get("events", case.get("events"))
    return named(name).examine(state, {**row.get("given", case["given"]), **row.get("more", {})}, events)


@pytest.mark.parametrize(("name", "row"), _ROWS)
def test_the_first_broken_link_is_found(name: str, row: dict[str, Any]) -> None:
    """The verdict, the first broken link with its fix, and the link that is open are those of the case."""
    chain = _chain(name, row)
    told = {link.id: (link.verdict.value, link.says) for link in chain.links}
    assert chain.verdict == row["expect"], told
    first = chain.first_broken
    assert (first.id if first else None) == row.get("first"), told
    if first is not None:
        assert row.get("says", "") in first.says
        assert row.get("fix", "") in first.fix
        assert first.fix, told
    if "open" in row:
        assert any(link.verdict is Verdict.UNKNOWN for link in chain.links if link.id == row["open"]), told


@pytest.mark.parametrize(("name", "row"), _ROWS)
def test_what_is_open_says_how_to_settle_it(name: str, row: dict[str, Any]) -> None:
    """Each link that is not known names a call, a key or a question; every link is told in text and JSON."""
    chain = _chain(name, row)
    assert all(link.settle for link in chain.links if link.verdict is Verdict.UNKNOWN)
    assert all(link.id in links_text.render(chain) for link in chain.links)
    json.dumps(links_text.document(chain))


def test_every_doctor_has_cases_of_each_verdict() -> None:
    """No integration without rows that hold, are broken and are unknown."""
    assert set(_CASES) == set(DOCTORS)
    for name, case in _CASES.items():
        assert {row["expect"] for row in case["rows"]} == {"holds", "broken", "unknown"}, name


def test_a_question_that_lacks_its_option_is_refused() -> None:
    """What a doctor needs and what means nothing to it are told by the option's name."""
    state = State(ACCOUNT, AS_OF)
    with pytest.raises(UsageError, match="`lambda-logs` needs `--function`"):
        named("lambda-logs").examine(state, {})
    with pytest.raises(UsageError, match="takes no `--bucket`"):
        named("lambda-logs").examine(state, {"function": "f", "bucket": "b"})
    with pytest.raises(UsageError, match="no integration `nope`; known are access-logs, alarm-chain"):
        named("nope")
