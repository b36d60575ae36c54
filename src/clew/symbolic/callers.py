"""Who may ask: the kinds of callers, each with the texts that can name it, and the keys that follow from the name.

A caller is one text; `Principal`, `aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:username` and their like are all
questions about that text, so that they can never contradict each other in a witness.
AWS: "AWS JSON policy elements: Principal"; "AWS global condition context keys", Properties of the principal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

from clew.engine.principal import Caller, Kind, Manner, Named, PrincipalError, parse_principal
from clew.symbolic.automata import Step, letters, wild
from clew.symbolic.keys import KeyKind
from clew.symbolic.operators import arn_pattern
from clew.symbolic.texts import DIGITS, Atom, Texts, equal, glob
from clew.symbolic.values import Values, of_texts
from clew.symbolic.variables import OpenAtom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from clew.engine.request import Context

WEB_IDENTITY: Final = "sts:assumerolewithwebidentity"
_DIGIT: Final = Step(many=False, only=DIGITS)
_ACCOUNT_DIGITS: Final = 12
_FEDERATED: Final = "federated-user/"
_PATHS: Final = {Kind.USER: "user/", Kind.ROLE: "role/", Kind.ROOT: "root", Kind.FEDERATED_USER: _FEDERATED}
_TYPES: Final = {
    Kind.USER: "User",
    Kind.ROLE: "AssumedRole",
    Kind.SESSION: "AssumedRole",
    Kind.FEDERATED_USER: "FederatedUser",
    Kind.ROOT: "Account",
    Kind.ANONYMOUS: "Anonymous",
}
_PERSONS: Final = frozenset({Kind.USER, Kind.ROLE, Kind.SESSION, Kind.FEDERATED_USER, Kind.ROOT})
_OF_MEMBERS: Final = ("aws:principalorgid", "aws:principalorgpaths")
# AWS: "AWS global condition context keys", availability of each: anonymous requests are not signed.
_OF_SIGNED: Final = frozenset(
    {
        "aws:principalisawsservice",
        "aws:multifactorauthpresent",
        "aws:multifactorauthage",
        "aws:tokenissuetime",
    }
)
DERIVED: Final = frozenset(
    {
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principaltype",
        "aws:username",
        "aws:principalservicename",
        "aws:principalservicenameslist",
        *_OF_MEMBERS,
        *_OF_SIGNED,
    }
)
"""The keys, in lower case, that depend on the kind of the caller; and `aws:PrincipalTag/…`."""

TOLD_APART: Final = frozenset({"aws:principalarn", "aws:principaltype", "aws:username"})
"""Those of them that differ between the callers to whom an identity policy can belong; accounts have all of them."""


@dataclass(frozen=True, slots=True)
class CallerKind:
    """One kind of caller: `domain` holds the texts that name it; `action` is the only one that it can ask for."""

    kind: Kind
    domain: Texts
    action: str | None = None
    session: Caller | None = field(default=None, compare=False)

    @property
    def is_person(self) -> bool:
        """Whether the caller belongs to an account and identity policies apply."""
        return self.kind in _PERSONS


def is_derived(key: str) -> bool:
    """Whether the key (in lower case) depends on the kind of the caller."""
    return key in DERIVED or key.startswith("aws:principaltag/")


def of_identity(partitions: Sequence[str]) -> tuple[CallerKind, ...]:
    """The callers to whom an identity policy can belong."""
    return tuple(
        CallerKind(kind, _arns(kind, partitions)) for kind in (Kind.USER, Kind.ROLE, Kind.FEDERATED_USER)
    )


def of_resource(named: Iterable[Named], partitions: Sequence[str]) -> tuple[CallerKind, ...]:
    """Every kind of caller that a resource's policy may let in; those that hardly matter only where they are named."""
    listed = list(named)
    texts = sorted(frozenset().union(*(each.texts for each in listed)))
    found = [CallerKind(Kind.ANONYMOUS, Texts([equal("*")]))]
    found += [
        CallerKind(kind, _arns(kind, partitions))
        for kind in (Kind.USER, Kind.ROLE, Kind.ROOT, Kind.FEDERATED_USER)
    ]
    found += _sessions(texts)
    found.append(CallerKind(Kind.SERVICE, _services(listed, texts)))
    found += _providers(listed)
    canonical = sorted(frozenset().union(*(each.canonical for each in listed)))
    readable = [text for text in canonical if _kind(text) is Kind.CANONICAL]
    if readable:
        unnamed = next(digit * 64 for digit in "abcdef" if digit * 64 not in readable)
        found.append(CallerKind(Kind.CANONICAL, Texts(map(equal, [unnamed, *readable]))))
    return tuple(found)


def _arns(kind: Kind, partitions: Sequence[str]) -> Texts:
    return Texts(_arn(kind, partition) for partition in partitions)


@cache
def _arn(kind: Kind, partition: str) -> Atom:
    service = "sts" if kind is Kind.FEDERATED_USER else "iam"
    path = _PATHS[kind]
    begin = f"arn:{partition}:{service}::"
    rest = "" if kind is Kind.ROOT else "?*"
    steps = [*letters(begin), *[_DIGIT] * _ACCOUNT_DIGITS, *letters(f":{path}"), *wild(rest)]

    def match(text: str) -> bool:
        fields = text.split(":", 5)
        return text.startswith(begin) and _kind(text) is kind and len(fields[4]) == _ACCOUNT_DIGITS

    return Atom(("caller", kind, partition), match, steps)


def _kind(text: str) -> Kind | None:
    try:
        return parse_principal(text).kind
    except PrincipalError:
        return None


def _sessions(texts: Iterable[str]) -> Iterator[CallerKind]:
    for text in texts:
        if _kind(text) is Kind.SESSION:
            yield CallerKind(Kind.SESSION, Texts([equal(text)]), session=parse_principal(text))


_SERVICE: Final = Step(many=True, excluded=":/*? \t\r\n\v\f")


def _services(named: Iterable[Named], texts: Iterable[str]) -> Texts:
    listed = sorted(frozenset().union(*(each.services for each in named), texts))
    one = Step(many=False, excluded=_SERVICE.excluded)
    steps = [one, _SERVICE, *letters(".amazonaws.com")]

    def match(text: str) -> bool:
        return text.endswith(".amazonaws.com") and _kind(text) is Kind.SERVICE

    unnamed = Atom(("service",), match, steps)
    return Texts([unnamed, *(equal(text) for text in listed if _kind(text) is Kind.SERVICE)])


def _providers(named: Iterable[Named]) -> Iterator[CallerKind]:
    listed = sorted(frozenset().union(*(each.providers for each in named)))
    arns = [text for text in listed if _kind(text) is Kind.PROVIDER]
    names = [text for text in listed if _kind(text) is Kind.SERVICE and not text.startswith("arn:")]
    if arns:
        unnamed = "arn:aws:iam::000000000000:saml-provider/example"
        yield CallerKind(Kind.PROVIDER, Texts(map(equal, [unnamed, *arns])))
    if names:
        yield CallerKind(Kind.PROVIDER, Texts(map(equal, ["unnamed.example", *names])), action=WEB_IDENTITY)


# How elements name callers


def alike(named: Named) -> Texts:
    """The callers that a reference policy's wildcards stand for; elsewhere such entries name nobody.

    AWS: "Checks for validating policies": "custom policy checks allow wildcards in the Principal element for reference
    resource policies".
    """
    atoms: list[Atom | None] = []
    for principal in named.unmatched:
        if "*" not in principal.value and "?" not in principal.value:
            continue
        if principal.kind == "AWS" and principal.value.startswith("arn:"):
            atoms.append(arn_pattern(principal.value))
        elif principal.kind == "Service":
            atoms.append(glob(principal.value))
    return Texts(atom for atom in atoms if atom is not None)


def named_or_alike(named: Named, caller: CallerKind) -> Texts | bool:
    """As `named_by`, with wildcards."""
    known, more = named_by(named, caller), alike(named)
    if known is True or not more.atoms:
        return known
    if caller.session is not None:
        return more.match(caller.session.text)
    return more if known is False else Texts([*known.atoms, *more.atoms])


def named_by(named: Named, caller: CallerKind, least: Manner = Manner.ACCOUNT) -> Texts | bool:
    """The callers of the kind whom the element names in that manner or a stronger one; True for all of them."""
    if named.anyone:
        return True
    if caller.session is not None:
        return named.manner(caller.session) >= least
    kind = caller.kind
    if kind is Kind.ANONYMOUS:
        return False
    if kind not in _PERSONS:
        listed = {
            Kind.SERVICE: named.services | named.texts,
            Kind.PROVIDER: named.providers,
            Kind.CANONICAL: named.canonical,
        }[kind]
        return Texts(map(equal, sorted(listed))) if listed else False
    return _persons(named, kind, least)


def _persons(named: Named, kind: Kind, least: Manner) -> Texts | bool:
    accounts = [
        arn_pattern(f"arn:{partition or '*'}:*:*:{account}:*") for partition, account in named.accounts
    ]
    atoms: list[Atom | None] = []
    if kind is Kind.ROOT:
        atoms += accounts
    else:
        if least is not Manner.DIRECT or kind is not Kind.ROLE:
            atoms += map(equal, sorted(named.texts))
        if kind is Kind.FEDERATED_USER and least is not Manner.DIRECT:
            for partition, account, name in sorted(named.users):
                begin = f"arn:{partition}:sts::{account}:{_FEDERATED}"
                atoms.append(equal(begin + name))
                atoms.append(_path(begin, name))
        if least is Manner.ACCOUNT:
            atoms += accounts
    kept = [atom for atom in atoms if atom is not None]
    return Texts(kept) if kept else False


def _path(begin: str, name: str) -> Atom:
    def match(text: str) -> bool:
        return text.startswith(begin) and text.rpartition("/")[2] == name

    return Atom(("path", begin, name), match, [*letters(begin), Step(many=True), *letters(f"/{name}")])


def excepted_by(named: Named, caller: CallerKind, *, denies: bool) -> Texts | bool:
    """The callers whom a NotPrincipal element spares; with Deny every level of a caller must be listed."""
    if not denies or named.anyone or caller.kind not in {Kind.USER, Kind.ROLE, Kind.FEDERATED_USER}:
        if denies and caller.session is not None:
            return named.excepts(caller.session)
        return named_by(named, caller)
    listed = [text for text in sorted(named.texts) if _is_spared(named, text)]
    return Texts(map(equal, listed)) if listed else False


def _is_spared(named: Named, text: str) -> bool:
    try:
        return named.excepts(parse_principal(text))
    except PrincipalError:
        return False


# Keys that follow from the caller

Projection = tuple["Callable[[str], str]", "Callable[[Sequence[Step]], list[Step]]"]
"""What a key's value is in the caller's text, and how a pattern of values becomes one of callers."""


def account_of(text: str) -> str:
    """The account in an ARN; empty for other texts."""
    fields = text.split(":", 5)
    return fields[4] if len(fields) > 5 else ""  # noqa: PLR2004  # an ARN has six parts


def _account_steps(steps: Sequence[Step]) -> list[Step]:
    return [*wild("*:*:*:*:", ":"), *_without(steps, ":"), *letters(":"), Step(many=True)]


def _name(text: str) -> str:
    return text.rpartition("/")[2]


def _name_steps(steps: Sequence[Step]) -> list[Step]:
    head = [*wild("*:*:*:*:*:", ":"), *letters("user"), Step(many=True), *letters("/")]
    return [*head, *_without(steps, "/")]


def _without(steps: Sequence[Step], char: str) -> list[Step]:
    """The steps whose wildcards take the character no longer."""
    return [
        step if step.only is not None else step._replace(excluded="".join({*step.excluded, char}))
        for step in steps
    ]


def _same(text: str) -> str:
    return text


_PROJECTIONS: Final[dict[str, Projection]] = {
    "aws:principalarn": (_same, list),
    "aws:principalaccount": (account_of, _account_steps),
    "aws:username": (_name, _name_steps),
    "aws:principalservicename": (_same, list),
}


def projected(key: str, values: Values) -> Texts:
    """The callers for whom the key's value is in the set."""
    extract, place = _PROJECTIONS[key]
    if values.texts is None:
        return Texts([Atom((key, values.key), lambda text: values.match(extract(text)), None)])
    return Texts(_projected(key, atom, extract, place) for atom in values.texts.atoms)


def _projected(
    key: str, atom: Atom, extract: Callable[[str], str], place: Callable[[Sequence[Step]], list[Step]]
) -> Atom:
    if extract is _same:
        return atom
    if isinstance(atom, OpenAtom):
        return _projected_open(key, atom, extract, place)
    steps = None if atom.steps is None else place(atom.steps)
    return Atom((key, atom.key), lambda text: atom.match(extract(text)), steps)


def _projected_open(
    key: str,
    atom: OpenAtom,
    extract: Callable[[str], str],
    place: Callable[[Sequence[Step]], list[Step]],
) -> Atom:
    def close(context: Context) -> Atom | None:
        closed = atom.closed(context)
        return None if closed is None else _projected(key, closed, extract, place)

    return OpenAtom((key, atom.key), atom.pieces, None, close, extract)


def follows_from_text(key: str, caller: CallerKind) -> bool:
    """Whether the caller's text says the key's value."""
    kind = caller.kind
    if key == "aws:principalservicename":
        return kind is Kind.SERVICE
    if key == "aws:username":
        return kind is Kind.USER
    if key in {"aws:principalarn", "aws:principalaccount"}:
        return kind in {Kind.USER, Kind.ROLE, Kind.FEDERATED_USER, Kind.ROOT}
    return False


def value_of(key: str, text: str) -> str:
    """The value that the caller's text gives to such a key."""
    return _PROJECTIONS[key][0](text)


def kind_of_key(key: str, caller: CallerKind, usual: KeyKind) -> KeyKind:
    """What a key can hold that does not follow from the caller's text, but depends on the caller's kind."""
    kind = caller.kind
    if key == "aws:principaltype" and kind in _TYPES:
        return _fixed(_TYPES[kind])
    if key == "aws:principalisawsservice" and (caller.is_person or kind is Kind.SERVICE):
        return _fixed("false" if caller.is_person else "true")
    if key == "aws:principalaccount" and kind is Kind.ANONYMOUS:
        return usual._replace(domain=of_texts(Texts([equal("anonymous")])))
    if caller.session is not None:
        return _of_session(key, caller.session, usual)
    if not _can_have(key, caller):
        return usual._replace(domain=of_texts(Texts([])), multivalued=False)
    return usual


def _can_have(key: str, caller: CallerKind) -> bool:
    kind = caller.kind
    if key in {"aws:principalservicename", "aws:principalservicenameslist"}:
        return kind is Kind.SERVICE
    if key == "aws:username":
        return kind is Kind.USER
    if key in _OF_SIGNED:
        return kind is not Kind.ANONYMOUS
    if key in _OF_MEMBERS:
        return kind not in {Kind.SERVICE, Kind.ANONYMOUS}
    if key.startswith("aws:principaltag/"):
        # AWS: IAM Roles Anywhere user guide, "Trust model": a certificate's fields are tags of its service principal.
        return kind is not Kind.ANONYMOUS
    if key in {"aws:principalarn", "aws:principalaccount"}:
        return kind is Kind.CANONICAL
    return True


def _of_session(key: str, session: Caller, usual: KeyKind) -> KeyKind:
    if key == "aws:principalaccount":
        return _fixed(session.account)
    if key == "aws:principalarn":
        begin = f"arn:{session.partition}:iam::{session.account}:role/"
        role = Texts([equal(begin + session.name), _path(begin, session.name)])
        return KeyKind(domain=of_texts(role), can_be_absent=False)
    if key in {"aws:username", "aws:principalservicename", "aws:principalservicenameslist"}:
        return usual._replace(domain=of_texts(Texts([])), multivalued=False)
    return usual


def _fixed(text: str) -> KeyKind:
    return KeyKind(domain=of_texts(Texts([equal(text)])), can_be_absent=False)
