"""Files and folders to a `Snapshot`: what AWS's own commands print, and four small side files.

- *Account files*: the output of `aws iam get-account-authorization-details`, for one account or several, in any
  arrangement: one object, several one after the other, a list of them, or an object of them by account.
- *Snapshot files* of `clew collect`, which hold all of this.
- *Side files*, JSON objects with ARNs (or ids) as keys: `resource-policies.json`, `scps.json`, `rcps.json` and
  `organization.json`; `docs/guide/simulate.md` describes each. In a folder they are known by these names.
"""

from __future__ import annotations

import difflib
import gzip
import hashlib
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clew.errors import InputError
from clew.snapshot import details, file, recorded, side
from clew.snapshot.model import Organization, Resource, Snapshot, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.snapshot.answers import Answers

_GZIP = b"\x1f\x8b"
_FOLDER_NAMES = {
    "resource-policies": "resources",
    "scps": "scps",
    "rcps": "rcps",
    "organization": "organization",
}


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files to read, by what they hold; `accounts` may also name folders that hold all kinds."""

    accounts: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    scps: tuple[str, ...] = ()
    rcps: tuple[str, ...] = ()
    organization: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every file, accounts first."""
        return (*self.accounts, *self.resources, *self.organization, *self.scps, *self.rcps)


def load(inputs: Inputs) -> Snapshot:
    """Everything that the files say.

    Errors: `InputError`, located, for a file that cannot be read, is no JSON, or holds something else.
    """
    given = _unfolded(inputs)
    sources = {name: read(name) for name in dict.fromkeys(given.all)}
    collected = details.Collected()
    resources: dict[str, Resource] = {}
    organization = Organization()
    notes: list[str] = []
    collected_at = ""
    for name in given.accounts:
        if file.is_snapshot(sources[name].text.encode()):
            read_file = file.parse(sources[name].text.encode(), name)
            answers, collected_at = read_file.answers, max(collected_at, read_file.header.collected_at)
            organization = _with_recorded(name, answers, collected, resources, organization)
            notes += recorded.notes(name, answers)
        elif not collected.add(sources[name]):
            notes.append(_no_details(name, inputs))
    for name in given.resources:
        resources.update(side.resources(sources[name]))
    for name in given.organization:
        organization = side.with_tree(organization, sources[name])
    for name in given.scps:
        organization = side.with_scps(organization, sources[name])
    for name in given.rcps:
        organization = side.with_rcps(organization, sources[name])
    return Snapshot(
        collected.accounts(), resources, organization, tuple(sources.values()), tuple(notes), collected_at
    )


def of_answers(name: str, answers: Answers) -> Snapshot:
    """The state that recorded answers tell, without any other file; `name` says in messages where they are from."""
    collected = details.Collected()
    resources: dict[str, Resource] = {}
    organization = _with_recorded(name, answers, collected, resources, Organization())
    notes = tuple(recorded.notes(name, answers))
    return Snapshot(collected.accounts(), resources, organization, notes=notes)


def _with_recorded(
    name: str,
    answers: Answers,
    collected: details.Collected,
    resources: dict[str, Resource],
    organization: Organization,
) -> Organization:
    """Take in a file of `clew collect`; returns the organisation with what the file knows of it."""
    for account, given in recorded.account_files(name, answers):
        collected.add(given, account)
    for answer in answers.each("iam", "ListRoles"):
        collected.add_session_lengths(answer.list("Roles"))
    resources.update(side.resources(recorded.resource_file(name, answers)))
    readers = {"organization": side.with_tree, "scps": side.with_scps, "rcps": side.with_rcps}
    for kind, told in recorded.organization_files(name, answers).items():
        organization = readers[kind](organization, told)
    return organization


def _no_details(name: str, inputs: Inputs) -> str:
    """What to say of a file without account details; an error when it was named for them."""
    message = f"`{name}` holds no output of `aws iam get-account-authorization-details`"
    if name in inputs.accounts:
        raise InputError(message)
    return f"{message}; it is left out"


def _unfolded(inputs: Inputs) -> Inputs:
    """The inputs with each folder replaced by the files in it, sorted by what they hold."""
    kinds: dict[str, list[str]] = {kind: [] for kind in ("accounts", *_FOLDER_NAMES.values())}
    for name in inputs.accounts:
        for kind, found in _of_folder(Path(name)) if Path(name).is_dir() else [("accounts", name)]:
            kinds[kind].append(found)
    return Inputs(
        accounts=tuple(kinds["accounts"]),
        resources=(*kinds["resources"], *inputs.resources),
        scps=(*kinds["scps"], *inputs.scps),
        rcps=(*kinds["rcps"], *inputs.rcps),
        organization=(*kinds["organization"], *inputs.organization),
    )


def _of_folder(folder: Path) -> list[tuple[str, str]]:
    files = sorted(path for path in folder.iterdir() if path.name.endswith((".json", ".json.gz")))
    if not files:
        raise InputError(f"`{folder}` holds no .json file")
    return [(_FOLDER_NAMES.get(path.name.split(".")[0], "accounts"), str(path)) for path in files]


def read(name: str) -> Source:
    """The text of a file, unpacked where it is gzip; `-` is standard input. Errors: `InputError`."""
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        text = (gzip.decompress(data) if data[:2] == _GZIP else data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"`{name}` is not UTF-8 text") from error
    except (OSError, EOFError, zlib.error) as error:
        reason = (isinstance(error, OSError) and error.strerror) or f"damaged gzip: {error}"
        raise InputError(f"`{name}` cannot be read: {reason.lower()}") from error
    return Source(name, text, hashlib.sha256(data).hexdigest(), len(data))


def near(name: str, snapshot: Snapshot, limit: int = 3) -> Sequence[str]:
    """The principals of the snapshot whose names look most like that of the ARN, best first."""
    known: dict[str, list[str]] = {}
    for account in snapshot.accounts.values():
        for arn in (*account.users, *account.roles):
            known.setdefault(arn.rpartition("/")[2].lower(), []).append(arn)
    kind = name.rpartition(":")[2].partition("/")[0]
    # A session is named by its role: arn:…:assumed-role/ROLE/SESSION.
    wanted = name.split("/")[1] if kind == "assumed-role" and "/" in name else name.rpartition("/")[2]
    close = difflib.get_close_matches(wanted.lower(), known, limit, 0.7)
    return tuple(arn for found in close for arn in known[found])[:limit]
