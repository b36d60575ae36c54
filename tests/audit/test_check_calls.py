"""What is collected for a check is all that it reads, and no more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.audit.asked import SAMPLE, everywhere, whole_account
from tests.audit.cases import call_of, cases

from clew.audit import check_calls
from clew.audit.checks import CHECKS
from clew.audit.state import of_snapshot
from clew.collect.table import ALWAYS, named
from clew.errors import UsageError
from clew.snapshot import file
from clew.snapshot.answers import Answers


def test_calls_of_each_check_are_those_that_it_asks_for() -> None:
    """The file names every check with what it asks for; `make docs` writes it anew."""
    assert {check: sorted(found) for check, found in check_calls.calls().items()} == everywhere()
    assert set(check_calls.calls()) == set(CHECKS)


def test_calls_of_a_case_are_enough_for_it() -> None:
    """In every case, a check says the same when nothing was collected but what is collected for it."""
    for case in cases():
        collected = {read.name for read in named(check_calls.of([case.check]))}
        spare = {
            key for key in case.said if f"{call_of(key).service}:{call_of(key).operation}" not in collected
        }
        if spare:
            left = {key: said for key, said in case.said.items() if key not in spare}
            narrow = replace(case, answers=left, details=None)
            judge = CHECKS[case.check].judge
            assert judge(narrow.state, **case.parameters) == judge(case.state, **case.parameters), case.name


def test_calls_of_a_check_are_enough_for_a_whole_account() -> None:
    """Over the sample account each check says of a snapshot that was collected for it what it says of the whole."""
    recorded, whole = file.read(SAMPLE), whole_account()
    for check, calls in check_calls.calls().items():
        names = {read.name for read in named(calls)}
        kept = (a for a in recorded.answers if f"{a.call.service}:{a.call.operation}" in names)
        [narrow], _ = of_snapshot(replace(recorded, answers=Answers(kept)), "sample")
        assert CHECKS[check].judge(narrow) == CHECKS[check].judge(whole), check


def test_calls_of_a_benchmark_are_those_of_its_checks() -> None:
    """A benchmark needs what its checks need, `all` what any of them needs, and nothing beside."""
    every = frozenset().union(*check_calls.calls().values())
    assert check_calls.of((), ["all"]) == every
    assert check_calls.of((), ["s3-default"]) < check_calls.of((), ["cis-7.0", "s3-default"]) < every
    with pytest.raises(UsageError, match="no check `iam-root-mfs`; did you mean `iam-root-mfa`"):
        check_calls.of(["iam-root-mfs"])
    with pytest.raises(UsageError, match="no framework `cis`"):
        check_calls.of((), ["cis"])


def test_every_call_of_a_check_is_collected() -> None:
    """Whatever a check reads is a call of the table, with the calls that it follows."""
    for check, calls in check_calls.calls().items():
        assert calls <= {read.name for read in named(calls)}, check
    assert named(()) == ALWAYS
