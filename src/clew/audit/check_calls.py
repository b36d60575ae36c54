"""Which calls to AWS each check reads, so that collecting for some checks asks for no more than they need.

`check_calls.toml` is written by `tools/reference.py` from what the checks ask for in all of their cases.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.audit import frameworks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FILE = "check_calls.toml"
_ALL = "all"


@cache
def calls() -> Mapping[str, frozenset[str]]:
    """The calls by the check that reads them: `s3:GetBucketPolicy`, the SDK's service and the operation."""
    text = files("clew.audit").joinpath(_FILE).read_text(encoding="utf-8")
    return MappingProxyType({check: frozenset(names) for check, names in tomllib.loads(text).items()})


def of(checks: Iterable[str], benchmarks: Iterable[str] = ()) -> frozenset[str]:
    """The calls that these checks, and those of these benchmarks, read. Errors: `UsageError` for an unknown name.

    >>> sorted(of(["iam-root-mfa"]))
    ['iam:GetAccountSummary', 'iam:GetCredentialReport']
    """
    wanted = {_known(check) for check in checks}
    for benchmark in benchmarks:
        if benchmark == _ALL:
            wanted |= calls().keys()
            continue
        for control in frameworks.load(benchmark).controls:
            wanted.update(control.checks)
    return frozenset().union(*(calls()[check] for check in wanted))


def _known(check: str) -> str:
    if check not in calls():
        # To load every check takes longer than all else here, and only the advice needs it.
        from clew.audit.checks import named

        return named(check).id
    return check
