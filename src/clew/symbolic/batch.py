"""One line of a batch of checks: policies as JSON to an answer as JSON; it never raises.

The lines' form is a public contract: `docs/guide/check.md` describes every key. A policy that AWS would refuse makes
the line an error, as AWS's checks refuse it: nothing is left out quietly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

from clew.errors import InputError
from clew.policy.model import Policy, PolicyKind, shown
from clew.policy.parse import read
from clew.symbolic import public
from clew.symbolic.checks import (
    MOST,
    Outcome,
    access_not_granted,
    implied,
    no_new_access,
    no_public_access,
)
from clew.symbolic.questions import Access
from clew.symbolic.requests import document

Line = Mapping[str, object]

_KINDS: Final = {
    "identity": PolicyKind.IDENTITY,
    "resource": PolicyKind.RESOURCE,
    "identity_policy": PolicyKind.IDENTITY,
    "resource_policy": PolicyKind.RESOURCE,
}
_NAMING: Final = frozenset({"Principal", "NotPrincipal"})
_SHOWN: Final = 100


class LineError(InputError):
    """A line of a batch cannot be checked."""


def answer(check: str, line: str | bytes | Line) -> dict[str, object]:
    """The answer of the check named (a key of `CHECKS`) to one line; what is wrong with the line stands in `error`.

    >>> answer("implies", '{"id": 7, "left": {"Statement": []}, "right": {"Statement": []}}')["result"]
    'PASS'
    >>> answer("implies", '{"id": 8}')["error"]
    'left: expected a policy document'
    """
    name: object = None
    try:
        decoded = _decoded(line)
        name = decoded.get("id")
        outcome = CHECKS[check](decoded)
    except InputError as error:
        return failed(name, str(error))
    except RecursionError:
        return failed(name, "the line is nested too deeply")
    return told(name, outcome)


def told(name: object, outcome: Outcome) -> dict[str, object]:
    """The outcome in the contract's keys."""
    found: dict[str, object] = {
        "id": name,
        "result": outcome.result.value,
        "witness": None if outcome.witness is None else document(outcome.witness),
        "reasons": [reason.document() for reason in outcome.reasons],
    }
    if outcome.undecided:
        found["reasons"] = [{"description": outcome.undecided}]
    return found


def failed(name: object, error: str) -> dict[str, object]:
    """The answer to a line that could not be checked, in the keys of every other."""
    return {"id": name, "result": None, "witness": None, "reasons": [], "error": error}


def _decoded(line: str | bytes | Line) -> Line:
    if isinstance(line, Mapping):
        return line
    try:
        found = json.loads(line)
    except json.JSONDecodeError as error:
        raise LineError(f"column {error.colno}: not JSON: {error.msg.lower()}") from error
    except (ValueError, RecursionError) as error:
        raise LineError("the line is no JSON in UTF-8") from error
    if not isinstance(found, dict):
        raise LineError("expected an object")
    return found


def _no_new_access(line: Line) -> Outcome:
    kind = _kind(line)
    typed = line.get("typed", False)
    if not isinstance(typed, bool):
        raise LineError(f"typed: expected `true` or `false`, found `{shown(str(typed), _SHOWN)}`")
    new, existing = _policy(line, "new", kind), _policy(line, "existing", kind, wildcards=True)
    return no_new_access(new, existing, kind, typed=typed)


def _implies(line: Line) -> Outcome:
    kind = _kind(line) if "policy_type" in line else _looks(line.get("left"), line.get("right"))
    return implied(_policy(line, "left", kind), _policy(line, "right", kind), kind)


def _access_not_granted(line: Line) -> Outcome:
    kind = _kind(line) if "policy_type" in line else _looks(line.get("policy"))
    return access_not_granted(_policy(line, "policy", kind), read_access(line.get("access")), kind)


def _no_public_access(line: Line) -> Outcome:
    wanted = line.get("resource_type")
    if not isinstance(wanted, str) or wanted not in public.SERVICES:
        raise LineError(
            f"resource_type: `{shown(str(wanted), _SHOWN)}` is none that public access is checked for"
        )
    return no_public_access(_policy(line, "policy", PolicyKind.RESOURCE), wanted)


CHECKS: Final[dict[str, Callable[[Line], Outcome]]] = {
    "no-new-access": _no_new_access,
    "access-not-granted": _access_not_granted,
    "no-public-access": _no_public_access,
    "implies": _implies,
}
"""Each check by its name."""


def _kind(line: Line) -> PolicyKind:
    written = line.get("policy_type")
    found = _KINDS.get(str(written).lower())
    if found is None:
        raise LineError(
            f"policy_type: expected `identity` or `resource`, found `{shown(str(written), _SHOWN)}`"
        )
    return found


def _looks(*policies: object) -> PolicyKind:
    """The kind that the documents look like: who names principals speaks for a resource."""
    return PolicyKind.RESOURCE if any(map(_names_principals, policies)) else PolicyKind.IDENTITY


def _names_principals(policy: object) -> bool:
    if isinstance(policy, str):
        try:
            policy = json.loads(policy)
        except ValueError:
            return False
    listed = policy.get("Statement") if isinstance(policy, Mapping) else None
    statements = listed if isinstance(listed, list) else [listed]
    return any(isinstance(each, Mapping) and _NAMING & each.keys() for each in statements)


def _policy(line: Line, key: str, kind: PolicyKind, *, wildcards: bool = False) -> Policy:
    written = line.get(key)
    if not isinstance(written, str | Mapping):
        raise LineError(f"{key}: expected a policy document")
    try:
        reading = read(written, kind=kind)
    except InputError as error:
        raise LineError(f"{key}: {error}") from error
    problem = next((each for each in reading.problems if each.is_error), None)
    if problem is not None:
        raise LineError(f"{key}: {problem}")
    odd = None if wildcards else wild_principal(reading.policy)
    if odd is not None:
        raise LineError(f"{key}: {odd}")
    return reading.policy


def wild_principal(policy: Policy) -> str | None:
    """What is wrong with a principal that holds a wildcard; None where none does."""
    for statement in policy.statements:
        for principal in (*(statement.principals or ()), *(statement.not_principals or ())):
            if not principal.is_anyone and ("*" in principal.value or "?" in principal.value):
                value = shown(principal.value, _SHOWN)
                return f"/Statement/{statement.index}: principal `{value}` has a wildcard; name it in full"
    return None


def read_access(value: object) -> list[Access]:
    """The access of a line, one object or a list of them.

    Errors: `LineError`.
    """
    listed = value if isinstance(value, list) else [value]
    found = [_access(each) for each in listed]
    if not found:
        raise LineError("access: expected an object with `actions`, `resources` or both")
    return found


def _access(value: object) -> Access:
    if not isinstance(value, Mapping):
        raise LineError("access: expected an object with `actions`, `resources` or both")
    actions, resources = _texts(value, "actions"), _texts(value, "resources")
    if not actions and not resources:
        raise LineError("access: expected `actions`, `resources` or both")
    return Access(actions, resources)


def _texts(value: Line, key: str) -> tuple[str, ...]:
    written = value.get(key)
    listed = [] if written is None else [written] if isinstance(written, str) else written
    if not isinstance(listed, list) or not all(isinstance(each, str) and each for each in listed):
        raise LineError(f"access.{key}: expected a list of texts")
    if len(listed) > MOST:
        raise LineError(f"access.{key}: {len(listed)} entries; AWS takes at most {MOST}")
    return tuple(listed)
