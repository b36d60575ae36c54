"""Whose policies took part in a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.explain.fix_drafts import role_arn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.reach.predict import Prediction


def unlisted(prediction: Prediction) -> Iterator[str]:
    """The names of policies of the organisation that took part, where only their names are known."""
    for path, attachment in prediction.applied.attachments.items():
        is_ours = path.startswith(("scps/", "rcps/")) and attachment.arn is None
        if is_ours and attachment.document is not None and not attachment.document.name.startswith("Full"):
            yield attachment.document.name


def taking_part(prediction: Prediction) -> Iterator[str]:
    """The ARNs of those whose policies took part: principal, groups, managed policies, the resource."""
    request = prediction.request
    owner = role_arn(request.principal)
    account = owner.split(":")[4] if owner.count(":") > 4 else ""  # noqa: PLR2004  # an ARN has six parts
    if owner.startswith("arn:"):
        yield owner
    for path, attachment in prediction.applied.attachments.items():
        kind, _, name = attachment.holder.partition(" ")
        if path == "resource_policy" and attachment.holder.startswith("arn:"):
            yield attachment.holder
        elif kind == "group" and account:
            yield f"arn:{owner.split(':')[1]}:iam::{account}:group/{name}"
        if attachment.arn and ":iam::aws:" not in attachment.arn:
            yield attachment.arn
    if request.resource.split(":")[2:5] == ["s3", "", ""]:
        yield request.resource.partition("/")[0]
