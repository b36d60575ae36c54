"""Checks of trust in OpenID Connect providers: what must be asked of their tokens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clew.policy.lint.registry import TRUST, Told, of_clause, of_line
from clew.policy.lint.trust import provider_sort
from clew.policy.model import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.lint.subject import Clause, Line, Subject
    from clew.policy.words import Word

_GITHUB: Final = "token.actions.githubusercontent.com"
_BRANCH: Final = re.compile(r"repo:[^/*?]+/[^:*?]+:ref:refs/[^*?]+")
_REPOSITORY: Final = re.compile(r"repo:[^/*?]+/[^:*?]+:[^*?]+")


def _providers(clause: Clause) -> list[tuple[str, Word]]:
    """The OpenID Connect providers that the statement trusts, by the prefix of their keys."""
    found = []
    for kind, word in clause.principals if clause.allows else ():
        if kind == "Federated" and provider_sort(word.text) == "oidc":
            found.append((word.text.partition(":oidc-provider/")[2].lower() or word.text.lower(), word))
    return found


@of_clause("MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL", TRUST)
def unconditional(clause: Clause, _: Subject) -> Iterator[Told]:
    """A provider without a condition on its tokens."""
    for provider, word in _providers(clause):
        if not clause.are_keys_open and not any(line.key.startswith(f"{provider}:") for line in clause.lines):
            message = f"`{shown(word.text)}` is trusted whatever its tokens say"
            yield Told(f"{message}; add a condition such as `{provider}:aud`", (word,))


def _parts(line: Line) -> tuple[str, str]:
    """The provider and the claim of a key."""
    provider, _, claim = line.key.rpartition(":")
    return provider, claim


def _is_github(provider: str) -> bool:
    return provider.partition("/")[0] == _GITHUB


@of_clause("MISSING_GITHUB_REPO_CONDITION_KEY", TRUST)
def any_repository(clause: Clause, _: Subject) -> Iterator[Told]:
    """GitHub without a condition on the subject."""
    for provider, word in _providers(clause):
        if _is_github(provider) and clause.lacks(frozenset({f"{provider}:sub"})):
            yield Told(f"any repository of GitHub may assume the role; add `{provider}:sub`", (word,))


@of_line("SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED", TRUST)
def wide_subject(line: Line, clause: Clause, _: Subject) -> Iterator[Told]:
    """A subject of GitHub that leaves the repository or the branch open."""
    provider, claim = _parts(line)
    if not _is_github(provider) or claim != "sub" or line.is_negated:
        return
    has_branch = f"{provider}:ref" in clause.keys
    wanted = _REPOSITORY if has_branch else _BRANCH
    wrong = tuple(word for word in line.values if wanted.fullmatch(word.text) is None)
    if wrong:
        message = f"`{shown(wrong[0].text)}` names no one branch of one repository"
        yield Told(
            f"{message}; write `repo:OWNER/NAME:ref:refs/heads/BRANCH`, or add `{provider}:ref`",
            (line.name, *wrong),
        )


@of_line("FORANYVALUE_WITH_AUDIENCE_CLAIM_TYPE", TRUST)
def any_audience(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """ForAnyValue before an audience."""
    if line.is_audience and line.operator.qualifier == "ForAnyValue":
        yield Told(f"`{line.written}` is one value; remove `ForAnyValue:`", (line.name,))


@of_line("CONFIRM_AUDIENCE_CLAIM_TYPE", TRUST)
def audience(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """ForAllValues before an audience."""
    if line.is_audience and line.operator.qualifier == "ForAllValues":
        message = f"make sure that the tokens of this provider hold several values of `{line.written}`"
        yield Told(f"{message}; for one value write no qualifier", (line.name,))
