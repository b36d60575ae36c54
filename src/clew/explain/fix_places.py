"""Where the documents of a decision are kept, and where a statement more belongs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.engine.verdicts import Gate
from clew.errors import PolicyError
from clew.explain.fix_edit import Edit, Kind, Where
from clew.explain.fix_statements import SID, with_statement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.explain.fix_edit import Document
    from clew.reach.applied import Applied
    from clew.reach.attached import Attachment
    from clew.snapshot.model import Snapshot

_BY_SERVICE = {
    "s3": Kind.BUCKET,
    "kms": Kind.KEY,
    "sns": Kind.TOPIC,
    "sqs": Kind.QUEUE,
    "lambda": Kind.FUNCTION,
    "secretsmanager": Kind.SECRET,
}
_WORDS = {
    Kind.BUCKET: "bucket policy",
    Kind.KEY: "key policy",
    Kind.TOPIC: "topic policy",
    Kind.QUEUE: "queue policy",
    Kind.FUNCTION: "function policy",
    Kind.SECRET: "secret policy",
    Kind.OTHER: "resource policy",
}
_INLINE = {"user": Kind.USER, "role": Kind.ROLE, "group": Kind.GROUP}
_MOST_VERSIONS = 5
# AWS: "Using service-linked roles": their policies are the service's own. IAM Identity Center user guide, "Permission
# sets": roles that begin so are written by it.
_LINKED = "/aws-service-role/"
IDENTITY_CENTER = "AWSReservedSSO_"


def document_of(attachment: Attachment | None) -> Document | None:
    """The document as decoded JSON; None where it is not at hand or no JSON object."""
    if attachment is None or attachment.document is None:
        return None
    try:
        _ = attachment.document.policy
        found = json.loads(attachment.document.text)
    except (PolicyError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def where_of(path: str, applied: Applied, snapshot: Snapshot | None) -> Where | None:
    """Where the document of that name in a decision is kept; None where no account of the user's can change it."""
    attachment = applied.attachments.get(path)
    if attachment is None:
        return None
    gate = path.partition("/")[0]
    account = applied.principal.split(":")[4] if applied.principal.count(":") > 4 else ""  # noqa: PLR2004  # an ARN has six parts
    if gate == "resource_policy":
        return _of_resource(attachment.holder, applied.resource_account or "")
    if gate in {"scps", "rcps"}:
        return _of_organization(gate, attachment)
    if attachment.kind == "user-managed" and attachment.arn:
        return _managed(attachment, account, snapshot)
    holder, _, name = attachment.holder.partition(" ")
    kind = _INLINE.get(holder)
    if kind is None or attachment.arn or attachment.holder.startswith("--"):
        return None
    return Where(
        kind, f"{attachment.holder}, inline policy {attachment.name}", name, attachment.name, account
    )


def _of_resource(arn: str, owner: str) -> Where:
    fields = arn.split(":", 5)
    partition, service, region, account = fields[1:5]
    if service == "iam":
        name = fields[5].rpartition("/")[2]
        return Where(Kind.TRUST, f"role {name}, trust policy", name, "", account, partition=partition)
    kind = _BY_SERVICE.get(service, Kind.OTHER)
    name = (
        fields[5].partition("/")[0]
        if service == "s3"
        else fields[5].rpartition("/")[2]
        if service == "kms"
        else arn
    )
    return Where(kind, f"{_WORDS[kind]} of {arn}", name, "", account or owner, region, partition)


def _of_organization(gate: str, attachment: Attachment) -> Where | None:
    kind, words = (Kind.SCP, "SCP") if gate == "scps" else (Kind.RCP, "RCP")
    arn = attachment.arn or ""
    if "FullAWSAccess" in attachment.name or ":aws:policy/" in arn or attachment.holder.startswith("--"):
        return None
    name = arn.rpartition("/")[2]
    return Where(kind, f"{words} {attachment.name} of {attachment.holder}", name, attachment.name)


def _managed(attachment: Attachment, account: str, snapshot: Snapshot | None) -> Where:
    """`detail` is the version that is the default one, and behind a comma the one to delete where there is no room."""
    arn = attachment.arn or ""
    owner = snapshot.accounts.get(arn.split(":")[4]) if snapshot is not None else None
    versions = owner.versions.get(arn, ()) if owner is not None else ()
    old = next((each.id for each in versions if each.is_default), "")
    others = sorted((each.id for each in versions if not each.is_default), key=_number)
    full = f",{others[0]}" if len(versions) >= _MOST_VERSIONS and others else ""
    return Where(
        Kind.MANAGED, f"managed policy {attachment.name}", arn, f"{old}{full}", arn.split(":")[4] or account
    )


def _number(version: str) -> int:
    digits = version.lstrip("v").partition(".")[0]
    return int(digits) if digits.isdigit() else 0


def of_principal(principal: str) -> Where | None:
    """The inline policy of a user or a role that holds what fixes add; None where the principal has no policies of IAM.

    >>> of_principal("arn:aws:sts::111122223333:assumed-role/ci/build").words
    'role ci, inline policy ClewFix'
    """
    fields = principal.split(":", 5)
    if len(fields) < 6 or fields[5] == "root":  # noqa: PLR2004  # an ARN has six parts
        return None
    kind, _, rest = fields[5].partition("/")
    if kind == "assumed-role":
        kind, rest = "role", rest.partition("/")[0]
    name = rest.rpartition("/")[2]
    if kind not in {"user", "role"} or _LINKED in principal or name.startswith("AWSServiceRoleFor"):
        return None
    return Where(
        _INLINE[kind], f"{kind} {name}, inline policy {SID}", name, SID, fields[4], partition=fields[1]
    )


def own_statement(
    applied: Applied, principal: str, statement: Document, current: Mapping[str, Document]
) -> Edit | None:
    """The statement in the principal's inline policy for fixes, which may be there already."""
    where = of_principal(principal)
    if where is None:
        return None
    for path, attachment in applied.attachments.items():
        is_own = attachment.holder == where.words.partition(",")[0] and attachment.name == SID
        document = current.get(path) or document_of(attachment)
        if path.startswith("identity_policies/") and is_own and document is not None and not attachment.arn:
            return Edit(where, path, document, with_statement(document, statement))
    return Edit(where, "identity_policies", None, with_statement(None, statement))


def resource_statement(
    applied: Applied, resource: str, statement: Document, current: Mapping[str, Document]
) -> Edit:
    """The statement in the resource's own policy, which may be there, be absent, or be known to nobody."""
    attachment = applied.attachments.get("resource_policy")
    holder = (
        attachment.holder
        if attachment is not None and attachment.holder.startswith("arn:")
        else _holder(resource)
    )
    where = _of_resource(holder, applied.resource_account or "")
    document = current.get("resource_policy") or document_of(attachment)
    if document is not None:
        return Edit(where, "resource_policy", document, with_statement(document, statement))
    is_known = attachment is None and applied.policies.resource is None and not _is_assumed(applied)
    return Edit(where, "resource_policy", None, with_statement(None, statement), is_at_hand=is_known)


def _is_assumed(applied: Applied) -> bool:
    return any(text.startswith("no resource policy of ") for text in applied.assumed)


def _holder(resource: str) -> str:
    return resource.partition("/")[0] if resource.split(":")[2:5] == ["s3", "", ""] else resource


GATES = {
    Gate.BOUNDARY: "permissions_boundaries",
    Gate.SESSION: "session_policies",
    Gate.ENDPOINT: "vpc_endpoint_policies",
}
"""How a decision names the policies of the gates that limit."""
