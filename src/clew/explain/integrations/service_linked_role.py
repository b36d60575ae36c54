"""A service has the role that is linked to it: made, used, edited or deleted, and when an ordinary role is meant.

IAM user guide: "Create a service-linked role" (iam:CreateServiceLinkedRole with iam:AWSServiceName; only the
description can be edited; deleted only when nothing uses it; names are not distinguished by case); IAM API reference:
"CreateServiceLinkedRole", CustomSuffix: some services take none.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from clew.audit.buckets import asked
from clew.audit.resources import answers, items, member, partition, text
from clew.errors import UsageError
from clew.explain.doctor import Doctor, Patient, link, unanswered
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from clew.snapshot.answers import Answer


@cache
def _services() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(files("clew.explain").joinpath("service_linked.toml").read_text(encoding="utf-8"))


def _links(patient: Patient) -> Iterator[Link]:
    service, task = patient.given["service"], patient.given.get("task", "use")
    if not service.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        raise UsageError(f"`--service {service[:80]}` is no service; expected such as `ecs.amazonaws.com`")
    if task not in _TASKS:
        raise UsageError(f"`--task {task[:40]}`: expected {', '.join(_TASKS)}")
    yield _kind(service)
    said = patient.state.answer("GetAccountAuthorizationDetails")
    if not said.status.is_known:
        yield unanswered("role", said)
        return
    path = f"/aws-service-role/{service}/"
    roles = [text(each, "Arn") for each in items(said.body, "RoleDetailList") if path in text(each, "Arn")]
    yield from _TASKS[task](patient, service, roles, said)


def _kind(service: str) -> Link:
    """When a service-linked role is used, and when an ordinary one."""
    if service in _services():
        says = (
            f"`{service}` acts for the account by a service-linked role, which it defines itself; what runs in the "
            "service acts by an ordinary role that it is passed"
        )
        return Link("kind", Verdict.HOLDS, says)
    says = f"whether `{service}` has a service-linked role is not in the list here; else make an ordinary role for it"
    return Link(
        "kind",
        Verdict.UNKNOWN,
        says,
        settle="AWS: AWS services that work with IAM, column Service-linked roles",
    )


def _name(service: str) -> str:
    return str(_services().get(service, {}).get("role", "the role"))


def _use(_: Patient, service: str, roles: list[str], said: Answer) -> Iterator[Link]:
    """The role is there; ECS says without it that it is unable to assume the service linked role."""
    yield link(
        "role",
        holds=bool(roles),
        says=(f"the account has {', '.join(roles)}", f"the account has no {_name(service)}"),
        evidence=asked(said),
        fix=f"aws iam create-service-linked-role --aws-service-name {service}",
    )


def _create(patient: Patient, service: str, roles: list[str], said: Answer) -> Iterator[Link]:
    suffix, known = patient.given.get("suffix", ""), _services().get(service, {})
    if suffix and known.get("suffix") is False:
        yield Link(
            "suffix", Verdict.BROKEN, f"`{service}` takes no suffix", fix="leave `--custom-suffix` out"
        )
    elif suffix and "suffix" not in known:
        says = f"whether `{service}` takes a suffix is not known here; some services do not"
        yield Link(
            "suffix", Verdict.UNKNOWN, says, settle="try it; where it is refused, again without the suffix"
        )
    elif suffix:
        yield Link("suffix", Verdict.HOLDS, f"`{service}` takes a suffix")
    base = str(known.get("role", ""))
    wanted = f"{base}_{suffix}" if suffix else base
    taken = next((arn for arn in roles if arn.rpartition("/")[2].lower() == wanted.lower()), "")
    if not base:
        # Without the name that the service gives, any role of its may be the one.
        taken = next(iter(roles), "")
    free = "the name is free"
    fix = "choose another suffix" if known.get("suffix") else "use the role that is there"
    yield link(
        "name", holds=not taken, says=(free, f"`{taken}` has the name already"), evidence=asked(said), fix=fix
    )
    who = patient.given.get("principal", "")
    if who:
        place = f"{_place(patient, service)}/{wanted or '*'}"
        context = {"iam:AWSServiceName": service}
        yield patient.permitted("create", who, "iam:CreateServiceLinkedRole", place, **context)


def _place(patient: Patient, service: str) -> str:
    return f"arn:{partition(patient.state)}:iam::{patient.state.account}:role/aws-service-role/{service}"


def _delete(patient: Patient, service: str, roles: list[str], said: Answer) -> Iterator[Link]:
    """AWS: deleting fails while the role has sessions, or resources of the service need it."""
    yield from _use(patient, service, roles, said)
    if not roles:
        return
    used = _services().get(service, {}).get("used", {})
    for call, path in used.items():
        yield _unused(patient, service, call, path)
    if not used:
        says = f"what of `{service}` needs the role is not collected"
        name = roles[0].rpartition("/")[2]
        settle = f"aws iam delete-service-linked-role --role-name {name}, then get-service-linked-role-deletion-status"
        yield Link("resources", Verdict.UNKNOWN, says, settle=settle)
    who = patient.given.get("principal", "")
    if who:
        yield patient.permitted("delete", who, "iam:DeleteServiceLinkedRole", roles[0])


def _unused(patient: Patient, service: str, call: str, path: str) -> Link:
    """Whether the service has nothing left in any region that was asked."""
    told = answers(patient.state, call)
    unread = next((each for each in told if not each.status.is_known), None)
    left = [(each, many) for each in told if (many := _count(each, path))]
    if left:
        where = ", ".join(f"{many} in {each.call.region}" for each, many in left)
        says = f"`{service}` still has {path}: {where}; deleting its role is refused"
        return Link("resources", Verdict.BROKEN, says, asked(*told), "delete what needs the role first")
    if unread is not None:
        return unanswered("resources", unread)
    return Link("resources", Verdict.HOLDS, f"`{call}` lists nothing", asked(*told))


def _count(answer: Answer, path: str) -> int:
    found = member(answer.body, path)
    return len(found) if isinstance(found, list) else 0


def _edit(_: Patient, service: str, roles: list[str], said: Answer) -> Iterator[Link]:
    yield from _use(_, service, roles, said)
    says = "policies and trust of a service-linked role are the service's: nobody can edit them, only the description"
    fix = (
        "make an ordinary role where other permissions are needed, and pass it to the service if it takes one"
    )
    yield Link("edit", Verdict.BROKEN, says, fix=fix)


_TASKS: Final[Mapping[str, Callable[[Patient, str, list[str], Answer], Iterator[Link]]]] = {
    "use": _use,
    "create": _create,
    "delete": _delete,
    "edit": _edit,
}

DOCTOR = Doctor(
    "service-linked-role",
    "A service has the role that is linked to it",
    _links,
    needs=("service",),
    may=("task", "principal", "suffix"),
    looks="the kind of role, whether it is there, the suffix, the name, the permission, what still needs it",
)
