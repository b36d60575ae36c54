"""How data or credentials came into the wrong hands: stolen credentials, what is open to everybody, missing patches.

That no rule fired and no scanner found anything refutes nothing: both see a part only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.checks import CHECKS
from clew.audit.model import Verdict
from clew.audit.resources import facts
from clew.explain.operational.scene import SEEN, Component, Hypothesis, refuted, true, unknown
from clew.findings import Status

if TYPE_CHECKING:
    from clew.explain.links import Link
    from clew.explain.operational.scene import Scene

# MITRE ATT&CK tactics by which somebody gets or uses what is not his.
_TACTICS = frozenset(
    {"initial-access", "credential-access", "exfiltration", "persistence", "lateral-movement"}
)
_OPEN = (
    "s3-bucket-public-read",
    "s3-bucket-public-write",
    "rds-public-access",
    "rds-snapshot-public",
    "ec2-snapshot-public",
    "ec2-security-group-unrestricted",
    "resource-policy-public",
)


def _credentials(scene: Scene) -> Link:
    found = [
        (source, finding)
        for source, finding in scene.findings
        if finding.producer == "detect"
        and set(finding.tactics) & _TACTICS
        and finding.status is Status.ACTIVE
    ]
    if not found:
        return unknown(
            "no finding of a detection was attached; that none fires proves nothing",
            "clew detect, then attach what it found",
        )
    source, worst = max(found, key=lambda each: each[1].severity.rank)
    told = (
        ("finding", worst.title),
        ("actor", worst.actor),
        ("keys", ", ".join(worst.access_keys) or "none named"),
    )
    return true(
        f"{len(found)} findings tell of credentials in the wrong hands",
        (*told, (SEEN, source)),
        "aws iam update-access-key --status Inactive, and revoke the sessions that are open",
    )


def _open_data(scene: Scene) -> Link:
    """Whether an audit of the snapshot finds something that everybody may read or reach."""
    settle = "clew collect --only s3,ec2,rds,iam, then attach the snapshot"
    if not scene.states:
        return unknown("no snapshot was attached", settle)
    source = scene.states[-1][0]
    newest = [state for each, state in scene.states if each == source]
    judged = [(name, found) for state in newest for name in _OPEN for found in CHECKS[name].judge(state)]
    failed = [(name, found) for name, found in judged if found.verdict is Verdict.FAIL]
    if failed:
        name, first = failed[0]
        told = (("check", name), ("resource", first.resource), *first.evidence[:2], (SEEN, source))
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        return true(f"{first.message}{more}", told, CHECKS[name].text["Fix"].rstrip("."))
    open_ = [found for _, found in judged if found.verdict is Verdict.UNKNOWN]
    if open_:
        told = (("not known", f"{len(open_)} questions"), (SEEN, source))
        return unknown(open_[0].message, settle, told)
    return refuted("nothing that was looked at is open to everybody", ((SEEN, source),))


def _unpatched(scene: Scene) -> Link:
    """AWS Systems Manager API reference, "InstancePatchState"; Amazon Inspector API reference, "ListFindings"."""
    name = scene.instance_id
    weak = [
        each
        for each in scene.listed("inspector2:ListFindings", "findings")
        if each.text("type") == "PACKAGE_VULNERABILITY" and each.text("status") == "ACTIVE"
    ]
    fix = "aws ssm send-command --document-name AWS-RunPatchBaseline --parameters Operation=Install"
    if weak:
        told = facts(weak[0].data, "title", "severity", "exploitAvailable")
        return true(f"Inspector knows of {len(weak)} vulnerable packages", (*told, *weak[0].seen), fix)
    patched = [
        each
        for each in scene.listed("ssm:DescribeInstancePatchStates", "InstancePatchStates")
        if not name or each.text("InstanceId") == name
    ]
    missing = [each for each in patched if each.text("MissingCount") not in {"", "0"}]
    if missing:
        told = facts(missing[0].data, "InstanceId", "MissingCount", "OperationEndTime")
        return true("patches are missing", (*told, *missing[0].seen), fix)
    if patched:
        told = facts(patched[0].data, "MissingCount", "OperationEndTime")
        return refuted("no patch of the baseline is missing", (*told, *patched[0].seen))
    return scene.open(
        "ssm:DescribeInstancePatchStates",
        f"aws ssm describe-instance-patch-states --instance-ids {name or 'INSTANCE'}, or aws inspector2 list-findings",
    )


CREDENTIALS = Hypothesis(
    "stolen-credentials",
    "somebody uses credentials that are not his",
    Component.ACCESS,
    5,
    _credentials,
    "IAM user guide, Secure access keys, "
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/securing_access-keys.html",
)
OPEN_DATA = Hypothesis(
    "open-to-everybody",
    "data is open to everybody",
    Component.ACCESS,
    5,
    _open_data,
    "Amazon S3 user guide, Blocking public access to your Amazon S3 storage, "
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
)
UNPATCHED = Hypothesis(
    "unpatched-software",
    "software with a known hole was used",
    Component.APPLICATION,
    5,
    _unpatched,
    "AWS Systems Manager user guide, AWS Systems Manager Patch Manager, "
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager.html",
)
