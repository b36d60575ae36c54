"""What `clew simulate` was asked, and the files, policies and requests that come of it."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clew.aws.arn_doctor import examine
from clew.aws.catalog import current
from clew.cli import context
from clew.cli.simulation_context import Carried, Message, carried, decoded_message
from clew.errors import PolicyError, UsageError
from clew.policy.model import PolicyKind
from clew.reach.applied import Choice, Given
from clew.snapshot import side
from clew.snapshot.load import Inputs, load, read
from clew.snapshot.model import Document, Snapshot, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from clew.aws.catalog import Catalog

_MANY_ACTIONS = 25_000


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of one invocation, as given and under their names; repeatable ones as tuples."""

    principal: str | None
    action: tuple[str, ...]
    resource: tuple[str, ...]
    resource_account: str | None
    policies: tuple[str, ...]
    resource_policies: tuple[str, ...]
    scps: tuple[str, ...]
    rcps: tuple[str, ...]
    organization: tuple[str, ...]
    only: tuple[str, ...]
    without: tuple[str, ...]
    policy: tuple[str, ...]
    boundary: tuple[str, ...]
    resource_policy: str | None
    session_policy: tuple[str, ...]
    endpoint_policy: tuple[str, ...]
    scp: tuple[str, ...]
    rcp: tuple[str, ...]
    context: tuple[str, ...]
    context_file: tuple[str, ...]
    decoded_message: str | None
    absent: tuple[str, ...]
    context_complete: bool

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Asked:
        """The options that are about the question, out of all that the command takes."""
        repeatable = {field.name for field in fields(cls) if str(field.type).startswith("tuple")}
        values: dict[str, Any] = {
            field.name: tuple(options[field.name] or ()) if field.name in repeatable else options[field.name]
            for field in fields(cls)
        }
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that the answers depend on, read; `pairs` are the (action, resource) to answer, in order."""

    principal: str | None
    pairs: tuple[tuple[str, str], ...]
    resource_account: str | None
    snapshot: Snapshot
    given: Given
    choice: Choice
    carried: Carried
    complete: bool
    files: tuple[Source, ...]


def question(asked: Asked) -> Question:
    """The question with its files read. Errors: `InputError`, `PolicyError`, `UsageError`, located."""
    message = None if asked.decoded_message is None else decoded_message(asked.decoded_message)
    asked = asked if message is None else _with_message(asked, message)
    _check(asked)
    snapshot = load(
        Inputs(asked.policies, asked.resource_policies, asked.scps, asked.rcps, asked.organization)
    )
    for note in snapshot.notes:
        context.note(note)
    given = _given(asked)
    said = carried(asked.context, asked.context_file, message, asked.absent)
    return Question(
        principal=asked.principal,
        pairs=tuple(_pairs(asked.action, asked.resource or ("*",), current())),
        resource_account=asked.resource_account,
        snapshot=snapshot,
        given=given,
        choice=Choice(asked.only, asked.without),
        carried=said,
        complete=asked.context_complete,
        files=(*snapshot.files, *_sources(given), *said.sources),
    )


def _check(asked: Asked) -> None:
    """Refuse a question that lacks what it takes to answer it."""
    if not asked.action:
        raise UsageError("which action? give `--action s3:GetObject`, a glob, or `--batch FILE`")
    own = (asked.policy, asked.resource_policy, asked.session_policy, asked.endpoint_policy)
    state = (
        asked.policies,
        asked.resource_policies,
        asked.scps,
        asked.rcps,
        asked.boundary,
        asked.scp,
        asked.rcp,
    )
    if not any((*own, *state)):
        raise UsageError("which policies? give `--policies ACCOUNT.json`, `--policy FILE`, or another policy")
    if asked.principal is None and (asked.policies or asked.resource_policies or asked.resource_policy):
        raise UsageError("which principal? give `--principal ARN`: whom these policies are about decides")


def _sources(given: Given) -> Iterator[Source]:
    levels = (document for level in (*given.scps, *given.rcps) for document in level)
    single = (given.resource,) if given.resource else ()
    found: dict[str, Source] = {}
    for document in (*given.identity, *given.session, *given.endpoint, *given.boundaries, *single, *levels):
        if document.source is not None:
            found[document.source.file] = document.source
    yield from found.values()


def _with_message(asked: Asked, message: Message) -> Asked:
    """The question, with principal, action and resource of the decoded message where they are not given."""
    return replace(
        asked,
        principal=asked.principal or message.principal,
        action=asked.action or ((message.action,) if message.action else ()),
        resource=asked.resource or ((message.resource,) if message.resource else ()),
    )


def _pairs(actions: Iterable[str], resources: tuple[str, ...], catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Each action on each resource; a glob asks only about actions that can work on such a resource."""
    seen: set[tuple[str, str]] = set()
    for pattern in actions:
        is_glob = "*" in pattern or "?" in pattern
        names = _matching(pattern, catalog) if is_glob else (_spelled(pattern, catalog),)
        for resource in resources:
            kept = [name for name in names if not is_glob or _takes(catalog, name, resource)]
            if len(kept) < len(names):
                context.note(
                    f"{len(names) - len(kept)} of {len(names)} actions of `{pattern}` take no resource such as "
                    f"`{resource}` and are left out; `--resource '*'` asks about all"
                )
            for name in kept:
                if (name, resource) not in seen:
                    seen.add((name, resource))
                    yield name, resource


def _matching(pattern: str, catalog: Catalog) -> tuple[str, ...]:
    names = catalog.names(catalog.mask(pattern))
    if not names:
        near = catalog.nearest_service(pattern.partition(":")[0])
        hint = f"; did you mean `{near}:{pattern.partition(':')[2]}`?" if near and ":" in pattern else ""
        raise UsageError(f"no action of AWS fits `{pattern[:200]}`{hint}")
    return names


def _spelled(name: str, catalog: Catalog) -> str:
    """The action as AWS spells it; one that the catalogue does not know is asked about as it stands."""
    service, _, rest = name.partition(":")
    if not service or not rest:
        raise UsageError(f"`{name[:200]}` is no action; write it as in `s3:GetObject`")
    known = catalog.action(name)
    if known is not None:
        return known.full_name
    near = catalog.nearest_action(name)
    hint = f"; did you mean `{near}`?" if near else ""
    context.note(f"`{name}` is no action that Clew knows{hint}")
    return name


def _takes(catalog: Catalog, name: str, resource: str) -> bool:
    """Whether the action works on such resources, as far as the catalogue knows both."""
    if resource == "*":
        return True
    action = catalog.action(name)
    if action is None:
        return True
    kinds = {kind.name for kind in catalog.resource_types_of(resource, action.service)}
    return not kinds or any(taken.name in kinds for taken in action.resources)


def hints(action: str, resource: str) -> tuple[str, ...]:
    """What is odd about an action on such a resource: a bucket's ARN where an object's is needed, and the like."""
    catalog = current()
    wrong = () if resource == "*" else examine(resource, catalog=catalog)
    if wrong:
        return tuple(f"`{resource[:200]}`: {each}" for each in wrong if each.is_error)
    known = catalog.action(action)
    if known is None or resource == "*":
        return ()
    kinds = catalog.resource_types_of(resource, known.service)
    if (
        known.is_wildcard_only
        or not kinds
        or any(taken.name in {kind.name for kind in kinds} for taken in known.resources)
    ):
        return ()
    taken = [catalog.resource_type(known.service, each.name) for each in known.resources]
    plain = min(
        (kind for kind in taken if kind is not None and kind.arns), key=lambda kind: len(kind.arns[0])
    )
    return (
        f"`{resource[:200]}` names a {kinds[0].name}; `{known.full_name}` works on {plain.name}: `{plain.arns[0]}`",
    )


def _given(asked: Asked) -> Given:
    resource = _documents((asked.resource_policy,) if asked.resource_policy else (), PolicyKind.RESOURCE)
    return Given(
        identity=_documents(asked.policy, PolicyKind.IDENTITY),
        session=_documents(asked.session_policy, PolicyKind.SESSION),
        endpoint=_documents(asked.endpoint_policy, PolicyKind.ENDPOINT),
        boundaries=_documents(asked.boundary, PolicyKind.BOUNDARY),
        resource=next(iter(resource), None),
        scps=tuple(_scp_level(name) for name in asked.scp),
        rcps=tuple(_level(name, PolicyKind.RCP) for name in asked.rcp),
    )


def _documents(names: Iterable[str], kind: PolicyKind) -> tuple[Document, ...]:
    return tuple(_document(name, kind) for name in names)


def _document(name: str, kind: PolicyKind) -> Document:
    """One policy file, held to its kind."""
    found = Document(Path(name).name, {}, source=read(name), kind=kind)
    try:
        _ = found.policy
    except PolicyError as error:
        raise PolicyError(f"{_located(name, str(error))}; {_advice(name, error)}") from error
    return found


def _advice(name: str, error: PolicyError) -> str:
    """Where to look next: at the corrected document, where there is one to offer."""
    file = "" if name == "-" else f" {shlex.quote(name)}"
    if error.corrected is None:
        return f"`clew validate{file}` tells all"
    return f"`clew validate --fix{file}` offers a corrected document"


def _located(name: str, message: str) -> str:
    return message if message.startswith((f"{name}:", f"{name} ")) else f"{name}: {message}"


def _scp_level(name: str) -> tuple[Document, ...]:
    """One level of SCPs; a level that only denies allows nothing, which is hardly ever meant."""
    found = _level(name, PolicyKind.SCP)
    if not any(statement.allows for document in found for statement in document.policy.statements):
        context.note(
            f"the SCPs of `{name}` allow nothing, so that this level denies every request; "
            'beside denials AWS attaches `FullAWSAccess`: give ["FullAWSAccess", {…}]'
        )
    return found


def _level(name: str, kind: PolicyKind) -> tuple[Document, ...]:
    """One organisation level: a policy, or a list of policies, of which `FullAWSAccess` may be one."""
    source = read(name)
    try:
        given = json.loads(source.text)
    except (ValueError, RecursionError):
        return (_document(name, kind),)
    is_policy = isinstance(given, dict) and "Statement" in given
    return (_document(name, kind),) if is_policy else side.level(source, given, ())
