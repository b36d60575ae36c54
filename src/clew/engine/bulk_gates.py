"""What every gate says of every action: `authorize._weigh`, read with verdicts over sets of actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from clew.engine.authorize import ATOM_OF, ATOM_OF_GRANT
from clew.engine.bulk_laws import View, voice
from clew.engine.bulk_masks import (
    NEVER,
    Folded,
    Said,
    Verdicts,
    answered,
    hear,
    known_any,
    together,
    with_room,
    without,
)
from clew.engine.decision import Gate
from clew.engine.gates import GRANT
from clew.engine.law import (
    ATOMS,
    BOUNDARY,
    DIRECT,
    ENDPOINT,
    IDENTITY,
    PUBLIC,
    RESOURCE,
    ROLE,
    SCP,
    SESSION,
)
from clew.engine.principal import Manner
from clew.engine.services import kms, s3

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clew.engine.bulk_formulas import Formulas
    from clew.engine.bulk_masks import Masks, Piece
    from clew.engine.gates import Placed
    from clew.engine.law import Atom
    from clew.engine.policies import Policies
    from clew.engine.principal import Caller
    from clew.engine.request import Context
    from clew.policy.model import Policy


class Speech(NamedTuple):
    """What the statements that speak for one atom allow, and the pieces of which that is unknown.

    `level` tells the organisation levels of one gate apart: all of them must allow.
    """

    atom: Atom
    allows: Verdicts
    allowing: tuple[Piece, ...] = ()
    level: int = 0


class Heard(NamedTuple):
    """What one gate says: what it denies, the pieces of which that is unknown, and a speech for each atom."""

    gate: Gate
    denies: Verdicts
    denying: tuple[Piece, ...]
    speeches: tuple[Speech, ...]


class Ground:
    """The resource of a question with the policies that do not depend on who asks, compiled for it."""

    def __init__(self, shared: Policies, resource: str, masks: Masks, within: int) -> None:
        """`within` are the actions of the question; `unblocked`, of which S3 Block Public Access says nothing."""
        self.resource = resource
        self._masks = masks
        self._within = within
        self._folded: dict[tuple[int, Gate], tuple[Policy, Folded]] = {}
        self.resource_side = self._resource_pieces(shared)
        self.rcps = self._pieces((policy for level in shared.rcps for policy in level), Gate.RCP)
        self.endpoint = self._pieces(shared.endpoint, Gate.ENDPOINT)
        block = masks.of_placed(s3.place_acl_block(shared))
        self.public = Folded(masks.pieces(block, resource, within), resource)
        self.unblocked = without(
            masks.everything, known_any([Verdicts(mask, mask) for _, mask in block]).sure
        )
        self.restricted = s3.is_restricted(shared)

    def _pieces(self, policies: Iterable[Policy], gate: Gate) -> tuple[Piece, ...]:
        return tuple(
            piece
            for policy in policies
            for piece in self._masks.pieces(self._masks.of(policy, gate), self.resource, self._within)
        )

    def _resource_pieces(self, shared: Policies) -> tuple[Piece, ...]:
        written = self._pieces(() if shared.resource is None else (shared.resource,), Gate.RESOURCE)
        others = self._masks.of_placed((*kms.place_grants(shared.grants), *s3.place_acl(shared)))
        return (*written, *self._masks.pieces(others, self.resource, self._within))

    def folded(self, policy: Policy, gate: Gate) -> Folded:
        """The policy as that gate reads it, for this resource."""
        # Found by identity, so the policy must be kept: another one could come to have the same identity.
        found = self._folded.get((id(policy), gate))
        if found is None:
            pieces = self._masks.pieces(self._masks.of(policy, gate), self.resource, self._within)
            found = (policy, Folded(pieces, self.resource))
            with_room(self._folded)[id(policy), gate] = found
        return found[1]


class Scene:
    """A ground in one context: what each policy says there, found once."""

    def __init__(self, ground: Ground, context: Context, formulas: Formulas) -> None:
        """Nothing is asked before it is needed; `numbers` are those of the pieces' formulas, found when told."""
        self.ground = ground
        self.context = context
        self.formulas = formulas
        self.numbers: dict[tuple[Placed, bool], int] = {}
        self._said: dict[Folded, Said] = {}
        self._levels: dict[int, tuple[tuple[tuple[Policy, ...], ...], tuple[Said, ...]]] = {}
        self._hits: dict[Gate, tuple[tuple[Piece, bool | None], ...]] = {}

    def said(self, policies: Sequence[Policy], gate: Gate) -> Said:
        """What the policies of a gate without principals say together."""
        return together([self._answer(self.ground.folded(policy, gate)) for policy in policies])

    def levels(self, scps: tuple[tuple[Policy, ...], ...]) -> tuple[Said, ...]:
        """What the service control policies of each level say."""
        found = self._levels.get(id(scps))
        if found is None:
            said = tuple([self.said(level, Gate.SCP) for level in scps])
            found = with_room(self._levels)[id(scps)] = (scps, said)
        return found[1]

    def _answer(self, folded: Folded) -> Said:
        if not folded.open:
            return folded.settled
        found = self._said.get(folded)
        if found is None:
            found = with_room(self._said)[folded] = folded.said(self.context)
        return found

    def public(self) -> Said:
        """What S3 Block Public Access says of the actions that it is about."""
        return self._answer(self.ground.public)

    def hits(self, gate: Gate, pieces: tuple[Piece, ...]) -> tuple[tuple[Piece, bool | None], ...]:
        """The pieces of a gate with principals that match or may match, whoever asks."""
        found = self._hits.get(gate)
        if found is None:
            found = self._hits[gate] = tuple(answered(pieces, self.ground.resource, self.context))
        return found


_PLAIN: Final = ((IDENTITY, Gate.IDENTITY), (BOUNDARY, Gate.BOUNDARY), (SESSION, Gate.SESSION))


def plain(scene: Scene, policies: Policies, gates: frozenset[Gate]) -> list[Heard]:
    """What the gates without principals say, in the order in which the engine asks them."""
    documents = {
        Gate.IDENTITY: policies.identity,
        Gate.BOUNDARY: policies.boundaries,
        Gate.SESSION: policies.session,
    }
    found: list[Heard] = []
    for atom, gate in _PLAIN:
        if gate in gates:
            said = scene.said(documents[gate], gate)
            found.append(Heard(gate, said.denies, said.denying, (Speech(atom, said.allows, said.allowing),)))
    if Gate.SCP in gates:
        levels = scene.levels(policies.scps)
        speeches = [Speech(SCP, said.allows, said.allowing, number) for number, said in enumerate(levels)]
        whole = together(levels)
        found.append(Heard(Gate.SCP, whole.denies, whole.denying, tuple(speeches)))
    return found


class Asking(NamedTuple):
    """Who asks in one view: the caller, the account that the law takes for the owner's, and the bucket's."""

    caller: Caller
    owner: str
    bucket_owner: str
    view: View


def named(scene: Scene, asking: Asking, gates: frozenset[Gate]) -> list[Heard]:
    """What the gates that name principals say of the caller, in the order in which the engine asks them."""
    ground = scene.ground
    found: list[Heard] = []
    if Gate.RESOURCE in gates:
        found.append(_resource(scene.hits(Gate.RESOURCE, ground.resource_side), asking))
    for gate, pieces in ((Gate.RCP, ground.rcps), (Gate.ENDPOINT, ground.endpoint)):
        if gate in gates:
            said = hear((piece, verdict) for piece, verdict, _ in _about(scene.hits(gate, pieces), asking))
            # Resource control policies always allow: the law does not ask whether they do.
            speech = (Speech(ENDPOINT, said.allows, said.allowing),) if gate is Gate.ENDPOINT else ()
            found.append(Heard(gate, said.denies, said.denying, speech))
    if Gate.BLOCK_PUBLIC_ACCESS in gates:
        found.append(Heard(Gate.BLOCK_PUBLIC_ACCESS, NEVER, (), (_public(scene, asking),)))
    return found


def _about(
    hits: Iterable[tuple[Piece, bool | None]], asking: Asking
) -> Iterable[tuple[Piece, bool | None, Manner]]:
    caller, owner, _, view = asking
    for piece, verdict in hits:
        manner = piece.placed.manner(caller, bounded=view.bounded, owner=owner)
        if manner is not Manner.NONE:
            yield piece, verdict, manner


def _resource(hits: Iterable[tuple[Piece, bool | None]], asking: Asking) -> Heard:
    by_atom: dict[Atom | None, list[tuple[Piece, bool | None]]] = {None: []}
    for piece, verdict, manner in _about(hits, asking):
        placed = piece.placed
        if placed.ignored or voice(placed) in asking.view.unheard:
            continue
        if placed.denies:
            by_atom[None].append((piece, verdict))
        else:
            atom = (ATOM_OF_GRANT if placed.source == GRANT else ATOM_OF)[manner]
            by_atom.setdefault(atom, []).append((piece, verdict))
    denials = hear(by_atom.pop(None))
    speeches = [
        Speech(atom, said.allows, said.allowing)
        for atom, said in ((atom, hear(found)) for atom, found in by_atom.items() if atom is not None)
    ]
    return Heard(Gate.RESOURCE, denials.denies, denials.denying, tuple(speeches))


def _public(scene: Scene, asking: Asking) -> Speech:
    ground = scene.ground
    if ground.restricted and not s3.is_spared(asking.caller, asking.bucket_owner):
        return Speech(PUBLIC, NEVER)
    said = scene.public()
    sure, possible = said.allows
    return Speech(PUBLIC, Verdicts(sure | ground.unblocked, possible | ground.unblocked), said.allowing)


def atoms(heard: Iterable[Heard]) -> list[Verdicts]:
    """The law's atoms for every action; those of gates that do not take part are left at never."""
    found = [NEVER] * ATOMS
    for one in heard:
        for speech in one.speeches:
            if speech.level:
                before = found[speech.atom]
                both = Verdicts(before.sure & speech.allows.sure, before.possible & speech.allows.possible)
                found[speech.atom] = both
            else:
                found[speech.atom] = speech.allows
    found[RESOURCE] = known_any((found[DIRECT], found[ROLE], found[RESOURCE]))
    return found
