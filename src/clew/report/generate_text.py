"""A generated policy for people and for programs: the documents, the proof, and all that the records do not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.analyzer.generate_documents import QUOTA, size
from clew.policy import format as layout
from clew.report.check_text import request_lines
from clew.report.escape import terminal
from clew.symbolic.questions import Verdict
from clew.symbolic.requests import document as request_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.analyzer.generate import Comparison, Generated
    from clew.symbolic.questions import Answer

_SHOWN: Final = 12
_RELATION: Final = {
    "equal": "the current policies allow the same",
    "narrower": "narrower than the current policies: they allow more",
    "wider": "wider than the current policies: they do not allow all that was used",
    "incomparable": "neither narrower nor wider than the current policies",
    "unknown": "not compared with the current policies",
}


def render(made: Generated) -> str:
    """The whole answer as text."""
    return "\n".join(_lines(made)) + "\n"


def policies(made: Generated) -> str:
    """The documents alone; several follow one another."""
    return "".join(layout.text(policy) for policy in made.policies)


def _lines(made: Generated) -> Iterator[str]:
    yield from (line for policy in made.policies for line in layout.text(policy).splitlines())
    if not made.policies:
        yield f"no policy: no call of {terminal(made.principal)} is known to have used a permission"
    yield ""
    yield from _counts(made)
    yield from _proof(made)
    if made.comparison is not None:
        yield from _comparison(made.comparison)
    yield from _list("not in the policy, but perhaps needed", [terminal(need.words) for need in made.needs])
    yield from _list(
        "calls show no resource, or not all, so any of its type is allowed", list(made.open_actions)
    )
    yield from _left_out(made)
    yield from _list(
        "complete: no; not seen by the evidence" if made.blind else "", list(map(terminal, made.blind))
    )


def _counts(made: Generated) -> Iterator[str]:
    calls = made.calls
    span = f" from {terminal(calls.first)} to {terminal(calls.last)}" if calls.total else ""
    yield f"{calls.total:,} calls of {terminal(made.principal)}{span}"
    yield f"  {calls.mapped:,} succeeded and are mapped to {len(calls.used):,} action{'s' * (len(calls.used) != 1)}"
    if calls.permissionless:
        yield f"  {calls.permissionless:,} need no permission"
    if len(made.policies) > 1:
        sizes = ", ".join(f"{size(policy):,}" for policy in made.policies)
        yield f"  {len(made.policies)} documents of {sizes} characters; a managed policy holds {QUOTA:,}"


def _proof(made: Generated) -> Iterator[str]:
    if not made.policies:
        return
    if made.proof.holds:
        yield f"proven: all {made.proof.asked:,} used pairs of action and resource are allowed, whatever the context"
    else:
        yield f"NOT proven: {len(made.proof.refused):,} of {made.proof.asked:,} used pairs are not allowed"
        yield from (f"  {terminal(action)} on {terminal(on)}" for action, on in made.proof.refused[:_SHOWN])


def _comparison(found: Comparison) -> Iterator[str]:
    yield ""
    reason = found.reason or found.beyond.reason or found.unused.reason
    yield _RELATION[found.relation] + (f": {terminal(reason)}" if found.relation == "unknown" else "")
    yield from _witness("was used, and the current policies do not allow, such as", found.beyond)
    yield from _witness("the current policies allow, and was not used, such as", found.unused)


def _witness(words: str, found: Answer) -> Iterator[str]:
    if found.request is not None:
        yield f"  {words}"
        # Whoever stands in the witness stands for the principal: a policy of its own names nobody.
        yield from (f"    {line}" for line in list(request_lines(found.request))[1:])


def _left_out(made: Generated) -> Iterator[str]:
    calls = made.calls
    yield from _list(
        "denied, so not in the policy",
        [
            f"{action} on {resource or 'a resource that is not shown'}, {_times(told.calls)}; event {told.example}"
            for (action, resource), told in sorted(calls.denied.items())
        ],
    )
    yield from _list(
        "failed for another reason, so not in the policy",
        [f"{action}: {code}, {_times(count)}" for (action, code), count in sorted(calls.failed.items())],
    )
    yield from _list(
        "not mapped to an action: the policy lacks what these need",
        [
            f"{source}:{name}, {_times(told.calls)}: {reason}; event {told.example}"
            for (source, name, reason), told in sorted(calls.unmapped.items())
        ],
    )


def _list(title: str, items: list[str]) -> Iterator[str]:
    if not items:
        return
    yield ""
    yield f"{title}:"
    yield from (f"  {terminal(item)}" for item in items[:_SHOWN])
    if len(items) > _SHOWN:
        yield f"  and {len(items) - _SHOWN} more; `--output json` lists all"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def document(made: Generated) -> dict[str, object]:
    """The whole answer as an object of JSON."""
    calls = made.calls
    return {
        "principal": made.principal,
        "complete": made.complete,
        "proven": made.proof.holds and bool(made.policies),
        "proof": {
            "asked": made.proof.asked,
            "refused": [{"action": action, "resource": on} for action, on in made.proof.refused],
        },
        "policies": [
            {"characters": size(policy), "document": layout.document(policy)} for policy in made.policies
        ],
        "comparison": None if made.comparison is None else _comparison_document(made.comparison),
        "actions": [
            {
                "action": used.action,
                "calls": used.calls,
                "example_event_id": used.example,
                "resources_shown": not used.open_to,
            }
            for used in sorted(calls.used.values(), key=lambda used: used.action)
        ],
        "needs": [
            {"action": need.action, "by": need.by, "resources": list(need.resources), "seen": need.seen}
            for need in made.needs
        ],
        **_left_out_document(made),
        "blind_spots": list(made.blind),
    }


def _comparison_document(found: Comparison) -> dict[str, object]:
    return {
        "relation": found.relation,
        "reason": found.reason or found.beyond.reason or found.unused.reason,
        "used_but_not_allowed_now": _witness_document(found.beyond),
        "allowed_now_but_not_used": _witness_document(found.unused),
    }


def _witness_document(found: Answer) -> dict[str, object] | None:
    return request_document(found.request) if found.verdict is Verdict.WITNESS and found.request else None


def _left_out_document(made: Generated) -> dict[str, object]:
    calls = made.calls
    return {
        "calls": calls.total,
        "mapped": calls.mapped,
        "permissionless": calls.permissionless,
        "first": calls.first,
        "last": calls.last,
        "denied": [
            {"action": action, "resource": on or None, "calls": told.calls, "example_event_id": told.example}
            for (action, on), told in sorted(calls.denied.items())
        ],
        "failed": [
            {"action": action, "error_code": code, "calls": count}
            for (action, code), count in sorted(calls.failed.items())
        ],
        "unmapped": [
            {
                "event_source": source,
                "event_name": name,
                "reason": reason,
                "calls": told.calls,
                "example_event_id": told.example,
            }
            for (source, name, reason), told in sorted(calls.unmapped.items())
        ],
    }
