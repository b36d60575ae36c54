"""Our own check: users named in policies where a policy variable would say the same of whoever calls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clew.policy.lint.registry import IDENTITY, Told, of_clause
from clew.policy.model import shown
from clew.policy.variables import has_variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.lint.subject import Clause, Subject
    from clew.policy.words import Word

_USER: Final = re.compile(r"arn:[^:]*:iam::[^:]*:user/(?:[^*?]*/)?(?P<name>[^/*?]+)")


def _named(clause: Clause) -> Iterator[tuple[str, Word]]:
    """The users that the statement names, with the place of each."""
    for line in clause.lines:
        for word in line.values if line.key == "aws:username" and line.family == "String" else ():
            if not {"*", "?"} & set(word.text):
                yield word.text, word
    for word in clause.resources:
        found = _USER.fullmatch(word.text)
        if found is not None:
            yield found["name"], word


# AWS: "IAM policy elements: Variables and tags": one policy for all users in place of one for each.
@of_clause("HARD_CODED_NAME", IDENTITY)
def user(clause: Clause, _: Subject) -> Iterator[Told]:
    """A user's name in a policy of users."""
    for name, word in _named(clause):
        if name and not has_variables(word.text):
            message = f"`{shown(name)}` is one user's name; `${{aws:username}}` stands for whoever calls"
            yield Told(f"{message}, so that one policy serves all", (word,))
