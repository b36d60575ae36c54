"""The least that collecting needs, as an IAM policy made from the table of calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clew.collect.reads import Read


def policy(
    reads: tuple[Read, ...], *, role: str | None = None, organization: bool = False
) -> dict[str, object]:
    """The policy for these reads, actions sorted; `role` adds what assuming it in other accounts takes.

    >>> policy((), role="Audit")["Statement"][0]["Resource"]
    'arn:aws:iam::*:role/Audit'
    """
    # AWS: sts:GetCallerIdentity needs no permission.
    actions = {action for read in reads for action in read.actions} - {"sts:GetCallerIdentity"}
    if organization:
        actions.add("organizations:ListAccounts")
    statements: list[dict[str, object]] = []
    if actions:
        statements.append({"Sid": "ClewReads", "Effect": "Allow", "Action": sorted(actions), "Resource": "*"})
    if role is not None:
        statements.append(
            {
                "Sid": "ClewAssumesRole",
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Resource": f"arn:aws:iam::*:role/{role}",
            }
        )
    return {"Version": "2012-10-17", "Statement": statements}
