"""What a condition key can hold: one value or several, and values of which type, as the catalogue says.

A key that the catalogue does not know holds texts, and several of them where a policy looks at it with a set operator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.aws import catalog
from clew.aws.partitions import PARTITIONS
from clew.engine.conditions import Quantifier
from clew.engine.conditions import read as read_operator
from clew.symbolic.boxes import condition_keys
from clew.symbolic.keys import DOMAINS, KeyKind
from clew.symbolic.texts import Texts, equal
from clew.symbolic.values import Values, of_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clew.policy.model import Condition, Policy

_WILD: Final = ("*", "?", "${")
_TEXT_OPERATORS: Final = ("String",)


def of_policies(policies: Sequence[Policy], written: Sequence[Policy]) -> dict[str, KeyKind]:
    """The kind of every condition key that the policies name, by the key in lower case.

    `written`: all policies whose words say something of the keys, at least those.
    """
    sets = {key: False for key, _ in condition_keys(policies)}
    texts: dict[str, list[str]] = {key: [] for key in sets}
    for key, condition in _conditions(written) if sets else ():
        qualified = read_operator(condition.operator) if key in sets else None
        if qualified is not None:
            sets[key] = sets[key] or qualified.quantifier is not Quantifier.PLAIN
            if qualified.operator.name.startswith(_TEXT_OPERATORS):
                texts[key] += condition.values
    return {key: _kind(key, is_set, texts[key]) for key, is_set in sets.items()}


def _conditions(policies: Iterable[Policy]) -> Iterator[tuple[str, Condition]]:
    for policy in policies:
        for statement in policy.statements:
            for condition in statement.conditions:
                yield condition.key.lower(), condition


def _kind(key: str, is_set: bool, compared_as_text: Sequence[str]) -> KeyKind:
    known = catalog.current().condition_key(key)
    if known is None:
        return KeyKind(multivalued=is_set)
    types = ["Numeric"] if "Numeric" in known.value_types else [*known.value_types]
    domain = DOMAINS.get(types[0]) if len(types) == 1 else None
    if domain is not None:
        domain = _with_written(domain, types[0], compared_as_text)
    return KeyKind(multivalued=known.multivalued, domain=domain)


def _with_written(domain: Values, kind: str, written: Sequence[str]) -> Values | None:
    """The domain with what policies compare the key with; None, any text, where that is of another type altogether."""
    odd = [text for text in written if not domain.match(text) and not any(sign in text for sign in _WILD)]
    if not odd:
        return domain
    if kind == "Bool" and domain.texts is not None and {text.lower() for text in odd} <= {"true", "false"}:
        return of_texts(Texts([*domain.texts.atoms, *map(equal, odd)]))
    return None


def spellings(policies: Iterable[Policy]) -> dict[str, str]:
    """How a policy spells each condition key, by the key in lower case."""
    return {
        condition.key.lower(): condition.key
        for policy in policies
        for statement in policy.statements
        for condition in statement.conditions
    }


def partitions(policies: Iterable[Policy]) -> tuple[str, ...]:
    """The partitions that callers may be of: `aws`, and those that the policies name."""
    named: set[str] = set()
    for policy in policies:
        for statement in policy.statements:
            texts = [
                *(principal.value for principal in statement.principals or statement.not_principals or ()),
                *(value for condition in statement.conditions for value in condition.values),
            ]
            named.update(
                text.split(":", 2)[1] for text in texts if text.startswith("arn:") and text.count(":") > 1
            )
    return ("aws", *sorted((named & PARTITIONS.keys()) - {"aws"}))
