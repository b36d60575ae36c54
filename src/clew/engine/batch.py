"""One line of `clew simulate --batch`: a request with its policies as JSON to an answer as JSON; it never raises.

The line's form is a public contract: `docs/guide/engine.md` describes every key.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from clew.aws import catalog
from clew.engine.authorize import Prepared
from clew.engine.derive import derived
from clew.engine.line_keys import LINE_KEYS, REQUEST_KEYS, SETTINGS, holds_policy, meant
from clew.engine.policies import Policies
from clew.engine.request import Context, Request
from clew.errors import InputError
from clew.policy.model import Policy, PolicyKind, Problem, shown
from clew.policy.parse import read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.engine.decision import Decision
    from clew.engine.gates import Remark
    from clew.engine.request import ContextValue

_OWNERSHIPS: Final = frozenset({"BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"})
_POLICY_KEYS: Final = tuple(sorted(LINE_KEYS - {"id", "request"}))
_SAME_BYTES: Final = 2  # the version of marshal that writes equal values alike, whoever else refers to them
_LONGEST_KEPT: Final = 256 * 1024
_SHOWN: Final = 100
_MOST_BITS: Final = 4096
_MOST_DEEP: Final = "the line is nested too deeply or holds a number that cannot be read"


class LineError(InputError):
    """A line of a batch cannot be evaluated."""


class Notes:
    """What reading a line found worth noting, and which statements that was about."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.assumed: list[str] = []
        self.statements: set[tuple[str, int]] = set()

    def add(self, where: str, problem: Problem) -> None:
        """Note what is wrong with a document."""
        self.lines.append(f"{where}: {problem}")
        if problem.statement is not None:
            self.statements.add((where, problem.statement))

    def unsaid(self, remarks: Iterable[Remark]) -> list[str]:
        """The remarks on statements of which nothing was noted yet."""
        return [str(each) for each in remarks if (each.where, each.statement) not in self.statements]


def evaluate_line(
    line: str | bytes | Mapping[str, object],
    *,
    unknown_context: bool = False,
    derive_context: bool = False,
) -> dict[str, object]:
    """The answer to one line, as text or decoded; what is wrong with the line stands in its `error`.

    `unknown_context`: a context key that the line does not give is unknown instead of absent.
    `derive_context`: keys that follow from principal and resource with certainty are added.

    >>> evaluate_line('{"id": 1, "request": {"principal": "*", "action": "s3:GetObject", "resource": "*"}}')["decision"]
    'implicit_deny'
    >>> evaluate_line('{"id": 2}')["error"]
    'request: expected an object'
    """
    name: object = None
    try:
        document = _decoded(line)
        name = _name(document.get("id"))
        decision, notes = _decide(document, unknown_context=unknown_context, derive_context=derive_context)
        return {
            "id": name,
            **_told(decision),
            "notes": [*notes.lines, *decision.facts, *notes.unsaid(decision.remarks)],
            "assumed": [*notes.assumed, *decision.assumed],
        }
    except InputError as error:
        return failed(name, str(error))
    except RecursionError:
        return failed(name, _MOST_DEEP)


def decide_line(
    line: Mapping[str, object], *, unknown_context: bool = False, derive_context: bool = False
) -> Decision:
    """The decision that a decoded line asks for.

    Errors: `LineError` and `PrincipalError` when the line cannot be evaluated.
    """
    return _decide(line, unknown_context=unknown_context, derive_context=derive_context)[0]


def failed(name: object, error: str) -> dict[str, object]:
    """The answer to a line that could not be evaluated, in the keys of every other."""
    return {
        "id": name,
        "decision": None,
        "blocked_by": [],
        "determined_by": [],
        "missing_context": [],
        "residual": None,
        "notes": [],
        "assumed": [],
        "error": error,
    }


def _told(decision: Decision) -> dict[str, object]:
    residual = decision.residual
    return {
        "decision": decision.effect.value,
        "blocked_by": [gate.value for gate in decision.blocked_by],
        "determined_by": [statement.document() for statement in decision.determined_by],
        "missing_context": list(decision.missing_context),
        "residual": None if residual is None else {"text": residual.text, **residual.tree},
    }


def _decoded(line: str | bytes | Mapping[str, object]) -> Mapping[str, object]:
    if isinstance(line, Mapping):
        return line
    try:
        text = line if isinstance(line, str) else line.decode(json.detect_encoding(line))
        document = _JSON.decode(text)
    except json.JSONDecodeError as error:
        raise LineError(f"column {error.colno}: not JSON: {error.msg.lower()}") from error
    except UnicodeDecodeError as error:
        raise LineError("the line is no text in UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise LineError(_MOST_DEEP) from error
    if not isinstance(document, dict):
        raise LineError("expected an object")
    return document


def _no_number(word: str) -> object:
    raise LineError(f"not JSON: `{word}` is no number")


_JSON: Final = json.JSONDecoder(parse_constant=_no_number)


def _name(value: object) -> object:
    """The line's id, whatever it is, where JSON can write it."""
    if value is None or isinstance(value, str | int):
        return value
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None
    return value


def _decide(
    line: Mapping[str, object], *, unknown_context: bool, derive_context: bool
) -> tuple[Decision, Notes]:
    notes = Notes()
    _known(line, LINE_KEYS, "line", notes)
    request = read_request(line.get("request"), unknown_context=unknown_context, notes=notes)
    prepared = _prepared(line, notes)
    if derive_context:
        request = derived(request)
    return prepared.authorize(request), notes


def _prepared(line: Mapping[str, object], notes: Notes) -> Prepared:
    """The line's policies, compiled; those of the last lines are kept, because a caller asks many things of them."""
    # Finding a document of 3 statements again takes 5 µs, of 200 statements 0.1 ms; reading and compiling them 0.1 ms
    # and 5 ms.
    try:
        key = marshal.dumps({name: line[name] for name in _POLICY_KEYS if name in line}, _SAME_BYTES)
    except ValueError:
        return Prepared(read_policies(line, notes))
    if len(key) > _LONGEST_KEPT:
        return Prepared(read_policies(line, notes))
    prepared, found = _kept(key, catalog.current())
    notes.lines += found.lines
    notes.statements |= found.statements
    return prepared


@lru_cache(maxsize=32)
def _kept(key: bytes, _: catalog.Catalog) -> tuple[Prepared, Notes]:
    """What the policies come to while this catalogue applies."""
    notes = Notes()
    # A copy, so that nobody changes it afterwards.
    line = marshal.loads(key)  # noqa: S302  # what `_prepared` has just written
    return Prepared(read_policies(line, notes)), notes


def read_request(value: object, *, unknown_context: bool = False, notes: Notes | None = None) -> Request:
    """The request of a decoded line.

    Errors: `LineError` when something is missing or of the wrong type.
    """
    written = _object(value, "request")
    notes = Notes() if notes is None else notes
    _known(written, REQUEST_KEYS, "request", notes)
    account = written.get("resource_account")
    return Request(
        _text(written.get("principal"), "request.principal"),
        _action(_text(written.get("action"), "request.action")),
        _resource(written.get("resource"), notes),
        # Tools that write every key leave empty what they do not know.
        None if account is None or account == "" else _text(account, "request.resource_account"),
        _context(written.get("context"), unknown_context=unknown_context),
    )


def _action(text: str) -> str:
    service, colon, name = text.partition(":")
    if colon and service and name and ":" not in name and "*" not in text and "?" not in text:
        return text
    raise LineError(f"request.action: `{shown(text, _SHOWN)}` is no action such as `s3:GetObject`")


def _resource(value: object, notes: Notes) -> str:
    if value is not None:
        return _text(value, "request.resource")
    notes.assumed.append("resource")
    notes.lines.append("resource `*` is assumed: the request does not say it")
    return "*"


def _context(value: object, *, unknown_context: bool) -> Context:
    """The keys that the line gives, each with text or a tuple of texts."""
    written = {} if value is None else _object(value, "request.context")
    values = {key: _context_value(given, key) for key, given in written.items()}
    return Context(values, unknown=None if unknown_context else ())


def _context_value(value: object, key: str) -> ContextValue:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return tuple([_scalar(each, key) for each in value])
    return _scalar(value, key)


def _scalar(value: object, key: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) or (isinstance(value, int) and value.bit_length() <= _MOST_BITS):
        return str(value)
    raise LineError(
        f"request.context: `{shown(key, _SHOWN)}`: expected text, a number, a boolean or a list of them"
    )


def read_policies(line: Mapping[str, object], notes: Notes | None = None) -> Policies:
    """The policies of a decoded line; malformed statements are left out and noted.

    Errors: `LineError` when a gate is no list of documents, or a document cannot be read as a whole.
    """
    notes = Notes() if notes is None else notes
    resource = line.get("resource_policy")
    return Policies(
        identity=_documents(line.get("identity_policies"), "identity_policies", PolicyKind.IDENTITY, notes),
        resource=None
        if resource is None
        else _document(resource, "resource_policy", PolicyKind.RESOURCE, notes),
        boundaries=_documents(
            line.get("permissions_boundaries"), "permissions_boundaries", PolicyKind.BOUNDARY, notes
        ),
        session=_documents(line.get("session_policies"), "session_policies", PolicyKind.SESSION, notes),
        scps=_levels(line.get("scps"), "scps", PolicyKind.SCP, notes),
        rcps=_levels(line.get("rcps"), "rcps", PolicyKind.RCP, notes),
        endpoint=_documents(
            line.get("vpc_endpoint_policies"), "vpc_endpoint_policies", PolicyKind.ENDPOINT, notes
        ),
        block_public_access=_settings(line.get("block_public_access"), notes),
        grants=tuple(_object(each, "grants") for each in _list(line.get("grants"), "grants")),
        acl=None if line.get("acl") is None else _object(line.get("acl"), "acl"),
        object_ownership=_ownership(line.get("object_ownership")),
        object_owner=None
        if line.get("object_owner") is None
        else _text(line.get("object_owner"), "object_owner"),
        management_account=_flag(line.get("management_account"), "management_account"),
    )


def _levels(value: object, where: str, kind: PolicyKind, notes: Notes) -> tuple[tuple[Policy, ...], ...]:
    levels = _list(value, where)
    if None in levels:
        raise LineError(f"{where}/{levels.index(None)}: expected a list")
    return tuple(_documents(level, f"{where}/{number}", kind, notes) for number, level in enumerate(levels))


def _documents(value: object, where: str, kind: PolicyKind, notes: Notes) -> tuple[Policy, ...]:
    if value is None:
        return ()
    return tuple(
        [_document(each, f"{where}/{number}", kind, notes) for number, each in enumerate(_list(value, where))]
    )


def _document(value: object, where: str, kind: PolicyKind, notes: Notes) -> Policy:
    try:
        reading = read(value, kind=kind)
    except InputError as error:
        raise LineError(f"{where}: {error}") from error
    for problem in reading.problems:
        if problem.is_error:
            notes.add(where, problem)
    return reading.policy


def _settings(value: object, notes: Notes) -> Mapping[str, bool] | None:
    if value is None:
        return None
    written = _object(value, "block_public_access")
    _known(written, SETTINGS, "block_public_access", notes, settings=True)
    for name, each in written.items():
        if not isinstance(each, bool):
            raise LineError(f"block_public_access.{shown(str(name), _SHOWN)}: expected true or false")
    return {name: written[name] is True for name in SETTINGS if name in written}


def _ownership(value: object) -> str | None:
    if value is None or (isinstance(value, str) and value in _OWNERSHIPS):
        return value
    raise LineError(f"object_ownership: expected one of {', '.join(sorted(_OWNERSHIPS))}")


def _flag(value: object, where: str) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    raise LineError(f"{shown(where, _SHOWN)}: expected true or false")


def _list(value: object, where: str) -> list[object]:
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise LineError(f"{where}: expected a list")


def _object(value: object, where: str) -> Mapping[str, object]:
    if isinstance(value, Mapping):
        return value
    raise LineError(f"{where}: expected an object")


def _text(value: object, where: str) -> str:
    if isinstance(value, str) and value:
        return value
    raise LineError(f"{where}: expected text")


def _known(
    written: Mapping[str, object], names: frozenset[str], where: str, notes: Notes, *, settings: bool = False
) -> None:
    """Note keys that nobody knows; one by which a gate would silently be missing is an error."""
    if written.keys() <= names:
        return
    for key in written:
        if key in names:
            continue
        name = shown(str(key), _SHOWN)
        near = meant(str(key), settings=settings)
        if near is not None:
            place = f"request.{near}" if near in REQUEST_KEYS and where == "line" else near
            raise LineError(f"{where}: unknown key `{name}`; did you mean `{place}`?")
        if holds_policy(written[key]):
            raise LineError(
                f"{where}: unknown key `{name}` holds a policy; give it under a key that is known"
            )
        notes.lines.append(f"{where}: the key `{name}` means nothing here")
