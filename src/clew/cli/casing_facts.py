"""What people add to a case that is open: other symptoms, what it is about, what changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clew.cli import casing_evidence
from clew.cli.casing_acts import client, key_name, seen

if TYPE_CHECKING:
    from clew.cases.model import Case


@dataclass(frozen=True, slots=True)
class Told:
    """What was told; empty where it was not."""

    error: str = ""
    symptoms: tuple[str, ...] = ()
    instance: str = ""
    bucket: str = ""
    key: str = ""
    client: str = ""
    changes: tuple[str, ...] = ()


def told(case: Case, said: Told) -> Case:
    """The case with what was told; what it said before stays where nothing new was told."""
    more = seen("", said.error, said.symptoms)
    kept = {(each.kind, each.port): each for each in (*case.symptoms, *more)}
    given = {
        "instance": said.instance,
        "bucket": said.bucket,
        "key": key_name(said.key),
        "client": client(said.client),
    }
    about = replace(case.about, **{name: value for name, value in given.items() if value})  # type: ignore[arg-type]  # texts
    return casing_evidence.told(replace(case, symptoms=tuple(kept.values()), about=about), said.changes)
