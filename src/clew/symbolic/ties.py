"""Keys that say the same twice, such as `aws:SourceAccount` and the account in `aws:SourceArn`.

`aws:ResourceAccount` is likewise the account in the resource's ARN. Where both are there they agree. Whether one is
there when its twin is, AWS does not promise; what hangs on that alone is left open.
AWS: "AWS global condition context keys".
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.symbolic.keys import KeyKind
from clew.symbolic.operators import arn_pattern
from clew.symbolic.regions import ANY_ACCOUNT
from clew.symbolic.space import RESOURCE, key_dimension
from clew.symbolic.texts import Texts
from clew.symbolic.values import of_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SOURCE_ARN: Final = "aws:sourcearn"
SOURCE_ACCOUNT: Final = "aws:sourceaccount"
RESOURCE_ACCOUNT: Final = "aws:resourceaccount"

_NEVER: Final = of_texts(Texts([]))
_OWNED: Final = of_texts(ANY_ACCOUNT)
_UNOWNED: Final = of_texts(Texts(atom for atom in [arn_pattern("arn:*:*:*::*")] if atom is not None))


class Scenario(NamedTuple):
    """One way in which keys go together.

    `kinds` replace what is known of keys; `ties` say of which dimension's fifth field a key is the value; `owned` says
    whether the resource's ARN has an account, None for either. `doubt` says what AWS does not promise of it.
    """

    kinds: Mapping[str, KeyKind]
    ties: Mapping[str, str]
    owned: bool | None = None
    doubt: str = ""


def scenarios(usual: Mapping[str, KeyKind]) -> list[Scenario]:
    """The scenarios of the keys in question, the doubtful ones last; one without ties where there are no twins."""
    made = [
        Scenario(
            {**source.kinds, **resource.kinds},
            {**source.ties, **resource.ties},
            resource.owned,
            source.doubt or resource.doubt,
        )
        for source, resource in product(_of_source(usual), _of_resource(usual))
    ]
    return sorted(made, key=lambda each: bool(each.doubt))


def _absent(usual: Mapping[str, KeyKind], key: str) -> KeyKind:
    return usual[key]._replace(domain=_NEVER, can_be_absent=True)


def _of_source(usual: Mapping[str, KeyKind]) -> Iterator[Scenario]:
    if not {SOURCE_ARN, SOURCE_ACCOUNT} <= usual.keys():
        yield Scenario({}, {})
        return
    arn, account = _absent(usual, SOURCE_ARN), _absent(usual, SOURCE_ACCOUNT)
    present = usual[SOURCE_ACCOUNT]._replace(can_be_absent=False)
    owned, unowned = (KeyKind(domain=domain, can_be_absent=False) for domain in (_OWNED, _UNOWNED))
    yield Scenario({SOURCE_ARN: arn, SOURCE_ACCOUNT: account}, {})
    yield Scenario({SOURCE_ARN: owned}, {SOURCE_ACCOUNT: key_dimension(SOURCE_ARN)})
    yield Scenario({SOURCE_ARN: unowned, SOURCE_ACCOUNT: present}, {})
    doubt = "it depends on whether `aws:SourceArn` and `aws:SourceAccount` are always there together"
    yield Scenario({SOURCE_ARN: arn, SOURCE_ACCOUNT: present}, {}, doubt=doubt)
    there = usual[SOURCE_ARN]._replace(can_be_absent=False)
    yield Scenario({SOURCE_ARN: there, SOURCE_ACCOUNT: account}, {}, doubt=doubt)


def _of_resource(usual: Mapping[str, KeyKind]) -> Iterator[Scenario]:
    if RESOURCE_ACCOUNT not in usual:
        yield Scenario({}, {})
        return
    yield Scenario({}, {RESOURCE_ACCOUNT: RESOURCE}, owned=True)
    yield Scenario({}, {}, owned=False)
    doubt = "it depends on whether `aws:ResourceAccount` is always there"
    yield Scenario({RESOURCE_ACCOUNT: _absent(usual, RESOURCE_ACCOUNT)}, {}, owned=True, doubt=doubt)
